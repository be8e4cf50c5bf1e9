//! A font family: what is asked of its files before it is used, and how its lines are set.
//!
//! Invariant: a family was read without a panic of the font library, has a name, and its glyphs can be looked up.

use std::{fmt, sync::Arc};

use skrifa::{
    FontRef, GlyphId, MetadataProvider as _,
    charmap::Charmap,
    instance::{LocationRef, Size},
    raw::{FileRef, TableProvider as _},
    string::StringId,
};

use crate::ending::contained;

/// The bytes of a font file, shared with whoever draws.
pub(crate) type FontFile = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The least weight that passes for bold.
const BOLD: f32 = 600.0;

/// What a font file is no good for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FontError {
    /// Not TrueType or OpenType, or cut off.
    #[error("this is no TrueType or OpenType font that can be read ({0})")]
    Unreadable(String),
    /// A collection holds several fonts, and nothing says which is meant.
    #[error("this is a collection of fonts")]
    Collection,
    /// It cannot be asked for by name.
    #[error("the font does not say the name of its family")]
    Nameless,
    /// Neither is the bold one, or both are.
    #[error("the two fonts have the same weight: one should be regular, the other bold")]
    SameWeight,
}

/// A font family and the languages that are drawn in it.
#[derive(Clone)]
pub struct Family {
    /// BCP 47.
    pub languages: Vec<String>,
    /// The name by which it is asked for.
    pub name: String,
    /// For text.
    pub regular: FontFile,
    /// For headings and buttons; the regular one where there is no bold.
    pub bold: FontFile,
    /// How its lines are set.
    pub lines: Lines,
}

/// How lines of a script are set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lines {
    /// From line to line, in em. At least 1.3, and more where marks above and below would touch otherwise.
    pub em: f32,
    /// The same as a part of what the font asks for.
    pub factor: f32,
    /// How long a line may be, in em: 20 ideographs or 40 letters, whichever is less.
    pub max_em: f32,
    /// How far below the middle of their line letters stand, in em.
    pub low: f32,
    /// How much larger than the sizes of the pages, so that its capital H is as high as it has to be.
    pub scale: f32,
}

/// Height of a capital H in the font that the sizes of the pages are worked out for, in em.
pub(super) const CAPITAL_EM: f32 = 0.733;

impl Lines {
    /// WCAG 1.4.8, and a little for rounding.
    pub(super) const LEAST_EM: f32 = 1.31;

    /// As a font asks for it, but a little tighter.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let font = FontRef::new(bytes).ok();
        let natural = font.as_ref().and_then(|font| {
            let metrics = font.metrics(Size::unscaled(), LocationRef::default());
            let height = metrics.ascent - metrics.descent + metrics.leading;
            (metrics.units_per_em > 0).then(|| height / f32::from(metrics.units_per_em))
        });
        // A damaged font can ask for anything; what is set with it must still be a page.
        let natural = natural.unwrap_or(Self::LEAST_EM).clamp(0.8, 4.0);
        let capital = font.and_then(|font| {
            let [_, top, _, bottom] = glyph_box(&font, font.charmap().map('H')?)?;
            Some((bottom - top).clamp(0.4, 1.2))
        });
        Self::set(((0.9 * natural).max(Self::LEAST_EM), 16.0, 0.0), natural, capital.unwrap_or(CAPITAL_EM))
    }

    /// Lines this far apart and this long, and how far below their middle letters stand, in a font that asks for `natural` and whose
    /// capital H is this high.
    pub(super) fn set((em, max_em, low): (f32, f32, f32), natural: f32, capital: f32) -> Self {
        let scale = (CAPITAL_EM / capital).max(1.0);
        Self { em, factor: em / natural.max(f32::EPSILON), max_em, low, scale }
    }
}

impl Family {
    /// A family of one or two font files in either order, named as the regular one says.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn read(language: &str, file: Vec<u8>, other: Option<Vec<u8>>) -> Result<Self, FontError> {
        contained(|| Self::parse(language, file, other))
            .unwrap_or_else(|panicked| Err(FontError::Unreadable(panicked.to_string())))
    }

    fn parse(language: &str, file: Vec<u8>, other: Option<Vec<u8>>) -> Result<Self, FontError> {
        let (file, mut other) = (Read::new(file)?, other.map(Read::new).transpose()?);
        let mut regular = file;
        if let Some(other) = &mut other {
            if (regular.weight >= BOLD) == (other.weight >= BOLD) {
                return Err(FontError::SameWeight);
            }
            if regular.weight > other.weight {
                std::mem::swap(&mut regular, other);
            }
        }
        Ok(Self {
            languages: vec![language.to_owned()],
            name: regular.family,
            lines: Lines::new((*regular.bytes).as_ref()),
            bold: other.map_or_else(|| regular.bytes.clone(), |bold| bold.bytes),
            regular: regular.bytes,
        })
    }

    /// The bytes of both weights.
    pub fn faces(&self) -> [&[u8]; 2] {
        [(*self.regular).as_ref(), (*self.bold).as_ref()]
    }

    /// Tells whether regular and bold have a glyph for a character.
    pub(super) fn drawn(&self) -> impl Fn(char) -> bool {
        let maps = self.faces().map(|bytes| FontRef::new(bytes).ok().map(|font| font.charmap()));
        move |c| {
            let has = |map: &Charmap<'_>| map.map(c).is_some_and(|glyph| glyph != GlyphId::NOTDEF);
            maps.iter().all(|map| map.as_ref().is_some_and(has))
        }
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Family")
            .field("languages", &self.languages)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A font file that could be read.
struct Read {
    bytes: FontFile,
    family: String,
    weight: f32,
}

impl Read {
    fn new(bytes: Vec<u8>) -> Result<Self, FontError> {
        let font = match FileRef::new(&bytes) {
            Ok(FileRef::Font(font)) => font,
            Ok(FileRef::Collection(_)) => return Err(FontError::Collection),
            Err(error) => return Err(FontError::Unreadable(error.to_string())),
        };
        complete(&font).map_err(FontError::Unreadable)?;
        let name = |id| {
            let names = font.localized_strings(id).map(|name| name.to_string());
            names.into_iter().find(|name| !name.trim().is_empty())
        };
        let family = name(StringId::TYPOGRAPHIC_FAMILY_NAME).or_else(|| name(StringId::FAMILY_NAME));
        let (family, weight) = (family.ok_or(FontError::Nameless)?, font.attributes().weight.value());
        Ok(Self { bytes: Arc::new(bytes), family, weight })
    }
}

/// What no text can be set without: the size of an em, advances of glyphs, and which glyph stands for which character.
fn complete(font: &FontRef<'_>) -> Result<(), String> {
    let em = font.head().and_then(|head| font.hhea().map(|_| head.units_per_em()));
    let em = em.and_then(|em| font.hmtx().map(|_| em)).map_err(|error| error.to_string())?;
    // OpenType's own bounds.
    if !(16..=16_384).contains(&em) {
        return Err(format!("an em of {em} units"));
    }
    if !font.charmap().has_map() {
        return Err("no table of characters".to_owned());
    }
    Ok(())
}

/// Left, top, right and bottom of a glyph in em, from the pen, downwards; `None` where the font has no such glyph or it cannot be read.
pub(crate) fn glyph_box(font: &FontRef<'_>, glyph: GlyphId) -> Option<[f32; 4]> {
    let em = f32::from(font.head().ok()?.units_per_em());
    let bounds = font.glyph_metrics(Size::unscaled(), LocationRef::default()).bounds(glyph)?;
    let sides = [bounds.x_min, -bounds.y_max, bounds.x_max, -bounds.y_min].map(|side| side / em);
    sides.iter().all(|side| side.is_finite()).then_some(sides)
}
