//! How much of an em each glyph covers.

use std::collections::{HashMap, HashSet};

use i_slint_core::textlayout::sharedparley::parley::FontData;
use skrifa::{FontRef, MetadataProvider as _};

use super::Area;
use crate::fonts::glyph_box;

/// The boxes of the glyphs seen so far, by font and glyph: a font is asked once for each.
#[derive(Default)]
pub struct GlyphBoxes {
    boxes: HashMap<(u64, u32, u32), Option<[f32; 4]>>,
    heights: HashMap<(u64, u32), (f32, f32)>,
    ellipses: HashMap<(u64, u32), Option<u32>>,
    signs: HashMap<(u64, u32), HashSet<u32>>,
}

/// Of the font that all languages fall back to: stands in for fonts without the letter.
const CAPITAL_EM: f32 = 0.733;
const IDEOGRAPH_EM: f32 = 0.92;
/// Ideographs of everyday questions: the height of the middle one stands for the font's.
const COMMON: &str = "的意服可以多已文字年用院生中出地方分";

/// What takes room on a line without being read as a character: spaces and punctuation.
const SIGNS: &str = " \u{a0}\u{2002}\u{2003}\u{200b}\u{200f}\u{2060}\u{3000}.,:;!?'\"()[]/-–—…·“”‘’«»，。、；：？！…（）《》〈〉「」『』【】・～،؛؟་།༎";

impl GlyphBoxes {
    /// What a glyph covers when its pen stands at a place; `None` for a space.
    pub(super) fn ink(&mut self, font: &FontData, glyph: u32, em: f32, (x, y): (f32, f32)) -> Option<Area> {
        let key = (font.data.id(), font.index, glyph);
        let [left, top, right, bottom] = (*self.boxes.entry(key).or_insert_with(|| measure(font, glyph)))?;
        let (width, height) = ((right - left) * em, (bottom - top) * em);
        Some(Area { x: x + left * em, y: y + top * em, width, height })
    }

    /// The glyph that stands for what was left out.
    pub(super) fn ellipsis(&mut self, font: &FontData) -> Option<u32> {
        *self.ellipses.entry((font.data.id(), font.index)).or_insert_with(|| {
            FontRef::from_index(font.data.as_ref(), font.index).ok()?.charmap().map('…').map(u32::from)
        })
    }

    /// Whether a glyph is a space or punctuation.
    pub(super) fn is_sign(&mut self, font: &FontData, glyph: u32) -> bool {
        let signs = self.signs.entry((font.data.id(), font.index)).or_insert_with(|| {
            let font = FontRef::from_index(font.data.as_ref(), font.index).ok();
            let glyph = |c: char| font.as_ref()?.charmap().map(c).map(u32::from);
            SIGNS.chars().filter_map(glyph).collect()
        });
        signs.contains(&glyph)
    }

    /// The heights of a capital H and of an ideograph, in em.
    pub(super) fn heights(&mut self, font: &FontData) -> (f32, f32) {
        *self.heights.entry((font.data.id(), font.index)).or_insert_with(|| {
            let height = |c: char| {
                let read = FontRef::from_index(font.data.as_ref(), font.index).ok()?;
                let [_, top, _, bottom] = measure(font, read.charmap().map(c)?.into())?;
                Some(bottom - top)
            };
            let mut common: Vec<f32> = COMMON.chars().filter_map(height).collect();
            common.sort_by(f32::total_cmp);
            let median = common.get(common.len() / 2).copied();
            (height('H').unwrap_or(CAPITAL_EM), median.unwrap_or(IDEOGRAPH_EM))
        })
    }
}

/// Left, top, right and bottom in em, from the pen, downwards; `None` for a glyph that draws nothing.
fn measure(font: &FontData, glyph: u32) -> Option<[f32; 4]> {
    let font = FontRef::from_index(font.data.as_ref(), font.index).ok()?;
    let area = glyph_box(&font, glyph.into())?;
    (area[2] > area[0] && area[3] > area[1]).then_some(area)
}
