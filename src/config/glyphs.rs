//! Which characters the terminal's fonts can draw.

use std::fmt;

/// The fonts built into the terminal. Without any (central carries none) every character passes.
#[derive(Default)]
pub struct Glyphs<'a> {
    #[cfg(feature = "terminal")]
    faces: Vec<ttf_parser::Face<'a>>,
    #[cfg(not(feature = "terminal"))]
    none: std::marker::PhantomData<&'a ()>,
}

impl<'a> Glyphs<'a> {
    /// The glyphs of some font files (TrueType or OpenType). A file that is no font is left out: the fonts are built in and have their
    /// own test.
    #[cfg(feature = "terminal")]
    pub fn new(fonts: &[&'a [u8]]) -> Self {
        Self { faces: fonts.iter().filter_map(|bytes| ttf_parser::Face::parse(bytes, 0).ok()).collect() }
    }

    /// Without the feature `terminal` there is nothing to look into.
    #[cfg(not(feature = "terminal"))]
    pub fn new(_fonts: &[&'a [u8]]) -> Self {
        Self::default()
    }

    /// The characters of a text that at least one of the fonts lacks: a text is drawn in regular and in bold.
    pub fn missing(&self, text: &str) -> Vec<char> {
        let mut missing: Vec<char> = text.chars().filter(|c| *c != '\n' && !self.has(*c)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    #[cfg(feature = "terminal")]
    fn has(&self, c: char) -> bool {
        self.faces.iter().all(|face| face.glyph_index(c).is_some())
    }

    #[cfg(not(feature = "terminal"))]
    #[expect(clippy::unused_self, reason = "with the feature `terminal` it looks into the fonts")]
    fn has(&self, _c: char) -> bool {
        true
    }
}

impl fmt::Debug for Glyphs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Glyphs")
    }
}
