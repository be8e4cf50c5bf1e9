//! How much of an em each glyph covers.

use std::collections::HashMap;

use i_slint_core::textlayout::sharedparley::parley::FontData;

use super::Area;

/// The boxes of the glyphs seen so far, by font and glyph: a font is asked once for each.
#[derive(Default)]
pub struct GlyphBoxes {
    boxes: HashMap<(u64, u32, u32), Option<[f32; 4]>>,
    heights: HashMap<(u64, u32), (f32, f32)>,
}

/// Of the font that all languages fall back to: stands in for fonts without the letter.
const CAPITAL_EM: f32 = 0.733;
const IDEOGRAPH_EM: f32 = 0.92;

impl GlyphBoxes {
    /// What a glyph covers when its pen stands at a place; `None` for a space.
    pub(super) fn ink(&mut self, font: &FontData, glyph: u32, em: f32, (x, y): (f32, f32)) -> Option<Area> {
        let key = (font.data.id(), font.index, glyph);
        let [left, top, right, bottom] = (*self.boxes.entry(key).or_insert_with(|| measure(font, glyph)))?;
        let (width, height) = ((right - left) * em, (bottom - top) * em);
        Some(Area { x: x + left * em, y: y + top * em, width, height })
    }

    /// The heights of a capital H and of an ideograph, in em.
    pub(super) fn heights(&mut self, font: &FontData) -> (f32, f32) {
        *self.heights.entry((font.data.id(), font.index)).or_insert_with(|| {
            let height = |c: char| {
                let face = ttf_parser::Face::parse(font.data.as_ref(), font.index).ok()?;
                let [_, top, _, bottom] = measure(font, face.glyph_index(c)?.0.into())?;
                Some(bottom - top)
            };
            (height('H').unwrap_or(CAPITAL_EM), height('国').unwrap_or(IDEOGRAPH_EM))
        })
    }
}

/// Left, top, right and bottom in em, from the pen, downwards.
fn measure(font: &FontData, glyph: u32) -> Option<[f32; 4]> {
    let face = ttf_parser::Face::parse(font.data.as_ref(), font.index).ok()?;
    let bounds = face.glyph_bounding_box(ttf_parser::GlyphId(u16::try_from(glyph).ok()?))?;
    let em = f32::from(face.units_per_em());
    let part = |units: i16| f32::from(units) / em;
    Some([part(bounds.x_min), -part(bounds.y_max), part(bounds.x_max), -part(bounds.y_min)])
}
