//! Which characters the terminal can draw in which language.

use std::fmt;

#[cfg(feature = "terminal")]
use crate::fonts::Fonts;

/// The fonts of the terminal. Without any (central carries none) every character passes.
#[derive(Default)]
pub struct Glyphs<'a> {
    #[cfg(feature = "terminal")]
    fonts: Option<&'a Fonts>,
    #[cfg(not(feature = "terminal"))]
    none: std::marker::PhantomData<&'a ()>,
}

impl<'a> Glyphs<'a> {
    /// The glyphs of a terminal's fonts.
    #[cfg(feature = "terminal")]
    pub fn new(fonts: &'a Fonts) -> Self {
        Self { fonts: Some(fonts) }
    }

    /// The characters of a text that the font of its language lacks: a text is drawn in regular and in bold.
    #[cfg(feature = "terminal")]
    pub fn missing(&self, language: &str, text: &str) -> Vec<char> {
        self.fonts.map(|fonts| fonts.missing(language, text)).unwrap_or_default()
    }

    /// Without the feature `terminal` there is nothing to look into.
    #[cfg(not(feature = "terminal"))]
    pub fn missing(&self, _language: &str, _text: &str) -> Vec<char> {
        Vec::new()
    }

    /// The name of the font of a language; empty where there are no fonts.
    #[cfg(feature = "terminal")]
    pub fn font(&self, language: &str) -> &'a str {
        self.fonts.map_or("", |fonts| fonts.family_for(language))
    }

    /// Without the feature `terminal` there is none.
    #[cfg(not(feature = "terminal"))]
    pub fn font(&self, _language: &str) -> &'a str {
        ""
    }
}

impl fmt::Debug for Glyphs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Glyphs")
    }
}
