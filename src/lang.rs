//! The words of the pages in every language: gettext files `assets/lang/<tag>/xinsheng.po`, embedded.
//!
//! Two languages show at once, and a language can be added beside the program, so the pages hold no text of their own: each takes its
//! lines from here. The source text is English and stands in for whatever a language lacks. A `\n` in a text marks where a line may
//! break: by meaning, never inside a word. A text of the pages may hold `{n}`, which [`Words::with`] fills in.

mod added;
mod phrases;
mod text;

pub use added::{AddError, Languages};
pub use phrases::{breakable, loose, unbroken, unmarked};
pub use text::Text;

use rspolib::{FileOptions, POFile, pofile};
use std::collections::HashMap;

/// A language's .po file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LangError {
    /// Not a gettext file.
    #[error("the texts of language {tag} cannot be read: {reason}; correct the .po file or restore it")]
    Syntax {
        /// BCP 47.
        tag: String,
        /// What the parser says, with the line.
        reason: String,
    },
}

/// One line in two languages, ready for a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// In the visitor's language, with marks where it may break.
    pub text: String,
    /// The same for a line that is too short for a phrase of it: it may break anywhere, and leaves no character alone.
    pub loose: String,
    /// In the second language; empty: none.
    pub second: String,
    /// `text` without marks, as it is spoken and found by tests.
    pub spoken: String,
}

impl Words {
    /// `second` is left out when it says the same.
    pub fn new(first: &str, second: Option<&str>) -> Self {
        let spoken = unbroken(first);
        let second = second.filter(|second| unbroken(second) != spoken).map(breakable).unwrap_or_default();
        Self { text: breakable(first), loose: loose(first), second, spoken }
    }

    /// The same with a number or a name in place of `{n}`.
    #[must_use]
    pub fn with(mut self, n: &str) -> Self {
        for line in [&mut self.text, &mut self.loose, &mut self.second, &mut self.spoken] {
            *line = line.replace("{n}", n);
        }
        self
    }
}

/// Every language there are texts for, in the order they were added. An empty one speaks English.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    languages: Vec<Language>,
}

#[derive(Debug, Clone)]
struct Language {
    tag: String,
    name: String,
    right_to_left: bool,
    draft: bool,
    texts: HashMap<Text, String>,
}

impl Catalogue {
    /// The languages that come with the program.
    pub fn shipped() -> Result<Self, LangError> {
        let mut catalogue = Self { languages: Vec::new() };
        for (tag, po) in SHIPPED {
            catalogue.add(tag, po)?;
        }
        Ok(catalogue)
    }

    /// Adds a language, or replaces the one of the same tag.
    pub fn add(&mut self, tag: &str, po: &str) -> Result<(), LangError> {
        let language = parse(tag, po)?;
        self.languages.retain(|known| known.tag != language.tag);
        self.languages.push(language);
        Ok(())
    }

    /// The tags, in the order they were added.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(|language| language.tag.as_str())
    }

    /// A language's own name in its own script; the tag where there is none.
    pub fn name<'a>(&'a self, tag: &'a str) -> &'a str {
        self.find(tag).map_or(tag, |language| language.name.as_str())
    }

    /// Whether a language is written from right to left, so that its pages are mirrored.
    pub fn right_to_left(&self, tag: &str) -> bool {
        self.find(tag).is_some_and(|language| language.right_to_left)
    }

    /// Whether nobody who speaks the language has reviewed its texts yet.
    pub fn is_draft(&self, tag: &str) -> bool {
        self.find(tag).is_some_and(|language| language.draft)
    }

    /// A text in a language, in English where the language lacks it.
    pub fn text(&self, tag: &str, text: Text) -> &str {
        self.find(tag).and_then(|language| language.texts.get(&text)).map_or(text.source(), String::as_str)
    }

    /// A text in two languages.
    pub fn words(&self, first: &str, second: Option<&str>, text: Text) -> Words {
        Words::new(self.text(first, text), second.map(|tag| self.text(tag, text)))
    }

    /// What a language has no words for.
    pub fn missing(&self, tag: &str) -> Vec<Text> {
        let known = self.find(tag);
        Text::ALL
            .into_iter()
            .filter(|text| !known.is_some_and(|language| language.texts.contains_key(text)))
            .collect()
    }

    fn find(&self, tag: &str) -> Option<&Language> {
        self.languages.iter().find(|language| language.tag == tag)
    }
}

const SHIPPED: [(&str, &str); 6] = [
    ("zh-CN", include_str!("../assets/lang/zh-CN/xinsheng.po")),
    ("zh-TW", include_str!("../assets/lang/zh-TW/xinsheng.po")),
    ("en", include_str!("../assets/lang/en/xinsheng.po")),
    ("ug", include_str!("../assets/lang/ug/xinsheng.po")),
    ("bo", include_str!("../assets/lang/bo/xinsheng.po")),
    ("ja", include_str!("../assets/lang/ja/xinsheng.po")),
];

fn parse(tag: &str, po: &str) -> Result<Language, LangError> {
    let syntax = |reason: String| LangError::Syntax { tag: tag.to_owned(), reason };
    let file: POFile = pofile(FileOptions::from(po)).map_err(|error| syntax(error.to_string()))?;
    let header = |key: &str| file.metadata.get(key).map(|value| value.trim().to_owned()).unwrap_or_default();
    let name = Some(header("X-Language-Name")).filter(|name| !name.is_empty());
    let mut texts = HashMap::new();
    for entry in &file.entries {
        if entry.obsolete || entry.fuzzy() {
            continue;
        }
        let entry = entry.unescaped().map_err(|error| syntax(format!("line {}: {error}", entry.linenum)))?;
        let context = entry.msgctxt.as_deref().unwrap_or_default();
        let found =
            Text::ALL.into_iter().find(|text| text.context() == context && text.source() == entry.msgid);
        if let (Some(text), Some(words)) = (found, entry.msgstr.filter(|words| !words.is_empty())) {
            texts.insert(text, words);
        }
    }
    Ok(Language {
        tag: tag.to_owned(),
        name: name.unwrap_or_else(|| tag.to_owned()),
        right_to_left: header("X-Text-Direction").eq_ignore_ascii_case("rtl"),
        draft: header("X-Status").to_lowercase().starts_with("draft"),
        texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fonts::Fonts;

    fn shipped() -> Catalogue {
        Catalogue::shipped().expect("the shipped languages are readable")
    }

    #[test]
    fn every_shipped_language_has_every_text() {
        let catalogue = shipped();
        for tag in catalogue.tags() {
            assert_eq!(catalogue.missing(tag), [], "{tag}");
        }
    }

    #[test]
    fn no_shipped_language_has_a_text_that_no_page_asks_for() {
        for (tag, po) in SHIPPED {
            let file: POFile = pofile(FileOptions::from(po)).expect("readable");
            for entry in &file.entries {
                let context = entry.msgctxt.as_deref().unwrap_or_default();
                assert!(
                    Text::ALL
                        .into_iter()
                        .any(|text| text.context() == context && text.source() == entry.msgid),
                    "{tag}, line {}: no page asks for {context:?} {:?}",
                    entry.linenum,
                    entry.msgid
                );
            }
        }
    }

    #[test]
    fn two_texts_never_share_a_page_and_a_source() {
        let mut seen = std::collections::HashSet::new();
        for text in Text::ALL {
            assert!(seen.insert((text.context(), text.source())), "{text:?}");
        }
    }

    #[test]
    fn every_text_can_be_drawn_in_the_font_of_its_language_alone() {
        let (catalogue, fonts) = (shipped(), Fonts::shipped());
        for tag in catalogue.tags() {
            let texts = Text::ALL.into_iter().map(|text| Words::new(catalogue.text(tag, text), None).text);
            for text in texts.chain([catalogue.name(tag).to_owned()]) {
                assert_eq!(String::from_iter(fonts.missing(tag, &text)), "", "{tag}: {text}");
            }
        }
    }

    #[test]
    fn a_number_to_be_filled_in_is_never_lost_in_translation() {
        let catalogue = shipped();
        for (tag, text) in catalogue.tags().flat_map(|tag| Text::ALL.map(|text| (tag, text))) {
            let holds = |text: &str| text.matches("{n}").count();
            assert_eq!(holds(catalogue.text(tag, text)), holds(text.source()), "{tag} {text:?}");
        }
    }

    #[test]
    fn a_number_is_filled_in_wherever_the_text_stands() {
        let words = shipped().words("zh-CN", Some("en"), Text::StaffPinWrong).with("3");
        assert_eq!(words.spoken, "密码不对，还能试 3 次");
        assert!(words.text.contains("\u{a0}3\u{a0}") && !words.text.contains('{'), "{}", words.text);
        assert_eq!(words.second, "Wrong PIN, 3 tries left");
    }

    #[test]
    fn the_headers_say_which_languages_run_from_right_to_left_and_which_are_drafts() {
        let catalogue = shipped();
        let those = |is: fn(&Catalogue, &str) -> bool| -> Vec<&str> {
            catalogue.tags().filter(|tag| is(&catalogue, tag)).collect()
        };
        assert_eq!(those(Catalogue::right_to_left), ["ug"]);
        assert_eq!(those(Catalogue::is_draft), ["ug", "bo", "ja"]);
    }

    #[test]
    fn a_label_of_a_scale_is_short_in_every_language() {
        let catalogue = shipped();
        let scales = ["face5", "ces5", "fft6", "yes_no"];
        let labels = scales.iter().flat_map(|scale| (1..=6).filter_map(|place| Text::level(scale, place)));
        for (tag, text) in
            labels.flat_map(|text| catalogue.tags().map(move |tag| (tag, text)).collect::<Vec<_>>())
        {
            for line in catalogue.text(tag, text).split(['\n', ' ']) {
                assert!(crate::config::cells(line) <= 12, "{tag} {text:?}: {line}");
            }
        }
    }

    #[test]
    fn a_language_falls_back_to_english() {
        let mut catalogue = shipped();
        let po = "msgid \"\"\nmsgstr \"\"\n\"X-Language-Name: Deutsch\\n\"\n\nmsgctxt \"reasons\"\nmsgid \"Back\"\nmsgstr \"Zurück\"\n";
        catalogue.add("de", po).expect("readable");
        assert_eq!(catalogue.name("de"), "Deutsch");
        assert_eq!(catalogue.text("de", Text::ReasonsBack), "Zurück");
        assert_eq!(catalogue.text("de", Text::LanguageBack), "Back");
        assert_eq!(catalogue.text("xx", Text::ReasonsDone), "Done");
        assert_eq!(catalogue.missing("de").len(), Text::ALL.len() - 1);
    }

    #[test]
    fn a_second_language_that_says_the_same_is_left_out() {
        assert_eq!(Words::new("Yes", Some("Yes")).second, "");
        assert_eq!(Words::new("是", Some("Yes")).second, "Yes");
    }

    #[test]
    fn every_scale_of_words_has_a_label_for_each_level() {
        for (scale, levels) in
            [("face4", 4), ("face5", 5), ("csat5", 5), ("ces5", 5), ("fft6", 6), ("yes_no", 2)]
        {
            for place in 1..=levels {
                assert!(Text::level(scale, place).is_some(), "{scale} {place}");
            }
            assert_eq!(Text::level(scale, 0), None);
            assert_eq!(Text::level(scale, levels + 1), None);
        }
        assert_eq!(Text::level("nps11", 1), None);
    }
}
