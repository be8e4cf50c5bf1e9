//! The words of a list of texts in every language. Pure: the terminal and central each have a list, and files that come with the program.

use std::collections::HashMap;

use super::{
    kiosk::Text,
    list::Texts,
    po::{self, Entry, PoError},
};
use crate::model::tags;

/// A language's .po file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the texts of language {tag} cannot be read: {error}")]
pub struct LangError {
    /// BCP 47.
    pub tag: String,
    /// What is wrong with the file, and where.
    pub error: PoError,
}

/// Every language there are texts for, in the order they were added. An empty one speaks English.
#[derive(Debug, Clone)]
pub struct Catalogue<T = Text> {
    languages: Vec<Language<T>>,
}

impl<T> Default for Catalogue<T> {
    fn default() -> Self {
        Self { languages: Vec::new() }
    }
}

#[derive(Debug, Clone)]
struct Language<T> {
    tag: String,
    name: String,
    right_to_left: bool,
    draft: bool,
    texts: HashMap<T, String>,
    /// Translations of what no page says, with their lines.
    unused: Vec<(usize, String)>,
}

impl<T: Texts> Catalogue<T> {
    /// The languages of some tags and .po files, in this order.
    ///
    /// # Errors
    /// A file that is no .po file.
    pub fn of(files: &[(&str, &str)]) -> Result<Self, LangError> {
        let mut catalogue = Self::default();
        for (tag, po) in files {
            catalogue.add(tag, po.as_bytes())?;
        }
        Ok(catalogue)
    }

    /// Adds a language, or replaces the one of the same tag.
    ///
    /// # Errors
    /// The file is no .po file; everything stays as it was.
    pub fn add(&mut self, tag: &str, po: &[u8]) -> Result<(), LangError> {
        let language = parse(tag, po)?;
        self.languages.retain(|known| known.tag != language.tag);
        self.languages.push(language);
        Ok(())
    }

    /// The tags, in the order they were added.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().map(|language| language.tag.as_str())
    }

    /// The language whose words show for a tag: its own, else the nearest one's. None: the words show in English.
    pub fn speaks(&self, tag: &str) -> Option<&str> {
        self.find(tag).map(|language| language.tag.as_str())
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
    pub fn text(&self, tag: &str, text: T) -> &str {
        self.find(tag).and_then(|language| language.texts.get(&text)).map_or(text.english(), String::as_str)
    }

    /// What a language has no words for.
    pub fn missing(&self, tag: &str) -> Vec<T> {
        let known = self.find(tag);
        let has = |text: &T| known.is_some_and(|language| language.texts.contains_key(text));
        T::LIST.iter().copied().filter(|text| !has(text)).collect()
    }

    /// Lines and English texts of translations that no page uses: the text or its `msgctxt` is misspelt, or of another version.
    pub fn unused(&self, tag: &str) -> &[(usize, String)] {
        self.find(tag).map_or(&[], |language| &language.unused)
    }

    fn find(&self, tag: &str) -> Option<&Language<T>> {
        let known = |tag: &String| self.languages.iter().find(|language| tags::is(&language.tag, tag));
        tags::fallbacks(tag).iter().find_map(known)
    }
}

fn parse<T: Texts>(tag: &str, bytes: &[u8]) -> Result<Language<T>, LangError> {
    let po = po::read(bytes).map_err(|error| LangError { tag: tag.to_owned(), error })?;
    let header = |key: &str| po.headers.get(key).map_or("", String::as_str);
    let name = Some(header("X-Language-Name")).filter(|name| !name.is_empty());
    let (mut texts, mut unused) = (HashMap::new(), Vec::new());
    for entry in po.entries.iter().filter(|entry| !entry.fuzzy && !entry.text.is_empty()) {
        let is = |text: &&T| text.page() == entry.context && text.english() == entry.id;
        if let Some(text) = T::LIST.iter().find(is) {
            same_places(entry).map_err(|error| LangError { tag: tag.to_owned(), error })?;
            texts.insert(*text, entry.text.clone());
        } else {
            unused.push((entry.line, entry.id.clone()));
        }
    }
    Ok(Language {
        tag: tag.to_owned(),
        name: name.unwrap_or(tag).to_owned(),
        right_to_left: header("X-Text-Direction").eq_ignore_ascii_case("rtl"),
        draft: header("X-Status").to_lowercase().starts_with("draft"),
        texts,
        unused,
    })
}

/// A translation has the same places for numbers and names as its English text: patients would read the braces of any other.
fn same_places(entry: &Entry) -> Result<(), PoError> {
    let (wanted, found) = (places(&entry.id), places(&entry.text));
    let wrong = |what: String, fix: String| Err(PoError { line: entry.line, column: 1, what, fix });
    let with = |place: &str| format!("write {place}, in these very signs, where the number or the name goes");
    if let Some(lost) = wanted.iter().find(|place| !found.contains(place)) {
        return wrong(format!("the translation of \"{}\" has no {lost}", entry.id), with(lost));
    }
    match found.iter().find(|place| !wanted.contains(place)) {
        Some(odd) if wanted.is_empty() => wrong(
            format!("the translation of \"{}\" has `{odd}`", entry.id),
            "leave the braces out".to_owned(),
        ),
        Some(odd) => {
            wrong(format!("the translation of \"{}\" has `{odd}`", entry.id), with(&wanted.join(" and ")))
        }
        None => Ok(()),
    }
}

/// The places `{n}` of a text.
fn places(text: &str) -> Vec<&str> {
    let behind = text.split('{').skip(1);
    let starts = text.match_indices('{').map(|(at, _)| at);
    starts
        .zip(behind)
        .map(|(at, rest)| &text[at..rest.find('}').map_or(at + 1, |end| at + end + 2)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMAN: &str = "msgid \"\"\nmsgstr \"\"\n\"X-Language-Name: Deutsch\\n\"\n\nmsgctxt \"reasons\"\nmsgid \"Back\"\nmsgstr \"Zurück\"\n";

    #[test]
    fn a_translation_keeps_the_places_for_numbers() {
        let with = |text: &str| {
            let po =
                format!("{GERMAN}\nmsgctxt \"staff status\"\nmsgid \"{{n}} days ago\"\nmsgstr \"{text}\"\n");
            Catalogue::<Text>::of(&[("de", &po)]).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(with("vor {n} Tagen"), Ok(()));
        assert_eq!(with(""), Ok(()));
        for (text, said) in [
            ("vor Tagen", "has no {n}"),
            ("vor {Zahl} Tagen", "has no {n}"),
            ("vor { n } Tagen", "has no {n}"),
            ("vor {n Tagen", "has no {n}"),
            ("vor {n} {Tagen}", "has `{Tagen}`"),
            ("vor {n} Tagen {", "has `{`"),
        ] {
            let error = with(text).expect_err(text);
            assert!(error.contains(said) && error.contains("line 9"), "{text}: {error}");
        }
    }

    #[test]
    fn a_translation_that_no_page_uses_is_told_with_its_line() {
        let catalogue: Catalogue =
            Catalogue::of(&[("de", &GERMAN.replace("msgid \"Back\"", "msgid \"Bakc\""))]).unwrap();
        assert_eq!(catalogue.unused("de"), [(5, "Bakc".to_owned())]);
        assert_eq!(Catalogue::<Text>::of(&[("de", GERMAN)]).unwrap().unused("de"), []);
    }

    #[test]
    fn a_language_falls_back_to_english() {
        let catalogue: Catalogue = Catalogue::of(&[("de", GERMAN)]).unwrap();
        assert_eq!(catalogue.name("de"), "Deutsch");
        assert_eq!(catalogue.text("de", Text::ReasonsBack), "Zurück");
        assert_eq!(catalogue.text("de", Text::LanguageBack), "Back");
        assert_eq!(catalogue.text("xx", Text::ReasonsDone), "Done");
        assert_eq!(catalogue.missing("de").len(), Text::ALL.len() - 1);
    }

    #[test]
    fn a_region_speaks_as_its_language_does() {
        let catalogue: Catalogue = Catalogue::of(&[("de", GERMAN)]).unwrap();
        assert_eq!(catalogue.text("de-AT", Text::ReasonsBack), "Zurück");
        assert_eq!(catalogue.text("DE-at", Text::ReasonsBack), "Zurück");
        assert_eq!((catalogue.speaks("de-CH"), catalogue.speaks("fr")), (Some("de"), None));
    }

    #[test]
    fn a_wrong_file_changes_nothing() {
        let mut catalogue: Catalogue = Catalogue::of(&[("de", GERMAN)]).unwrap();
        let error = catalogue.add("de", b"msgid \"a").unwrap_err();
        assert_eq!((error.tag.as_str(), error.error.line), ("de", 1));
        assert_eq!(catalogue.text("de", Text::ReasonsBack), "Zurück");
    }
}
