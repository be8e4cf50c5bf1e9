//! Which characters the terminal can draw in which language, and in whose words it speaks.

use std::fmt;

#[cfg(feature = "terminal")]
use crate::{fonts::Fonts, lang::Catalogue};

/// The fonts and words of the terminal. Without any (central carries none) every character and every language passes.
#[derive(Default)]
pub struct Glyphs<'a> {
    #[cfg(feature = "terminal")]
    fonts: Option<&'a Fonts>,
    #[cfg(feature = "terminal")]
    words: Option<&'a Catalogue>,
    #[cfg(not(feature = "terminal"))]
    none: std::marker::PhantomData<&'a ()>,
}

/// Whose words the program shows for a language.
pub enum WordsFor<'a> {
    /// This program has no words of a terminal.
    Unknown,
    /// None: they show in English.
    English,
    /// Those of this language, or of the nearest one.
    Language {
        /// BCP 47.
        tag: &'a str,
        /// In its own script.
        name: &'a str,
    },
}

impl<'a> Glyphs<'a> {
    /// The glyphs of a terminal's fonts.
    #[cfg(feature = "terminal")]
    pub fn new(fonts: &'a Fonts) -> Self {
        Self { fonts: Some(fonts), words: None }
    }

    /// The same with the words of its pages.
    #[cfg(feature = "terminal")]
    #[must_use]
    pub fn with_words(self, words: &'a Catalogue) -> Self {
        Self { words: Some(words), ..self }
    }

    /// The language whose words show for a tag.
    #[cfg(feature = "terminal")]
    pub fn words_for(&self, language: &str) -> WordsFor<'a> {
        let Some(words) = self.words else { return WordsFor::Unknown };
        words
            .speaks(language)
            .map_or(WordsFor::English, |tag| WordsFor::Language { tag, name: words.name(tag) })
    }

    /// Without the feature `terminal` nothing is known.
    #[cfg(not(feature = "terminal"))]
    pub fn words_for(&self, _language: &str) -> WordsFor<'a> {
        WordsFor::Unknown
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
