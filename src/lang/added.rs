//! The languages of a terminal: those that come with the program, and those that staff added as folders.
//!
//! `lang/<tag>/` beside kiosk.toml holds `kiosk.po`, one or two font files (`.ttf`, `.otf`), or all of them. It adds a language, or takes
//! the place of a shipped one's words or font. A folder with a mistake is left out as a whole and said to be; the others count.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Catalogue, LangError, PoError, Text};
use crate::{
    durable,
    fonts::{Family, FontError, Fonts},
    model::{Lang, tags},
};

/// The name of the folder beside kiosk.toml.
const FOLDER: &str = "lang";

/// The name of the file with the words, and the one it had before.
const WORDS: [&str; 2] = ["kiosk.po", "xinsheng.po"];

/// The largest font that is read: twice the largest Noto font.
const FONT_BYTES_MAX: u64 = 64 << 20;

/// How many missing characters a message names.
const NAMED_MAX: usize = 8;

/// Words and fonts, and what could not be added to them.
#[derive(Debug, Clone)]
pub struct Languages {
    /// The fonts.
    pub fonts: Fonts,
    /// The words of the pages.
    pub catalogue: Catalogue,
    /// The folders that were left out, and why.
    pub refused: Vec<AddError>,
    /// What has no effect in folders that are used.
    pub warnings: Vec<AddError>,
}

/// A folder of a language that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {}: {what}\n    fix: {fix}", .path.display(), place(*.at), if *.refused { "error" } else { "warning" })]
pub struct AddError {
    /// The folder, or the file in it.
    pub path: PathBuf,
    /// Line and column, where it is a place in a text.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: String,
    /// The folder is left out for it.
    pub refused: bool,
}

impl AddError {
    fn new(path: &Path, what: &(impl ToString + ?Sized), fix: impl Into<String>) -> Self {
        Self { path: path.to_owned(), at: None, what: what.to_string(), fix: fix.into(), refused: true }
    }

    fn in_words(path: &Path, error: &PoError) -> Self {
        Self { at: Some((error.line, error.column)), ..Self::new(path, &error.what, error.fix.as_str()) }
    }
}

fn place(at: Option<(usize, usize)>) -> String {
    at.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default()
}

impl Languages {
    /// What comes with the program.
    ///
    /// # Errors
    /// The program itself is broken.
    pub fn shipped() -> Result<Self, LangError> {
        Ok(Self {
            fonts: Fonts::shipped(),
            catalogue: Catalogue::shipped()?,
            refused: Vec::new(),
            warnings: Vec::new(),
        })
    }

    /// What comes with the program and what lies in the folder `lang` beside a kiosk.toml.
    ///
    /// # Errors
    /// The program itself is broken; a folder that cannot be used is no error but in [`Self::refused`].
    pub fn beside(config: &Path) -> Result<Self, LangError> {
        Self::load(&config.parent().unwrap_or(Path::new(".")).join(FOLDER))
    }

    /// What comes with the program and what lies in a folder; there need not be one.
    ///
    /// # Errors
    /// As [`Self::beside`].
    pub fn load(folder: &Path) -> Result<Self, LangError> {
        let mut languages = Self::shipped()?;
        match entries(folder) {
            Ok(paths) => {
                for path in paths.iter().filter(|path| is_language(path)) {
                    if let Err(error) = languages.add(path) {
                        languages.refused.push(error);
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => languages.refused.push(unreadable(folder, &error)),
        }
        Ok(languages)
    }

    /// Takes one folder in, or leaves everything as it was.
    fn add(&mut self, folder: &Path) -> Result<(), AddError> {
        let tag = tag_of(folder)?;
        if !folder.is_dir() {
            let fix = format!("make a folder of this name and put {} into it", WORDS[0]);
            return Err(AddError::new(folder, "this is a file, and a language is a folder", fix));
        }
        let files = entries(folder).map_err(|error| unreadable(folder, &error))?;
        let (mut fonts, mut catalogue) = (self.fonts.clone(), self.catalogue.clone());
        let family = family(folder, &tag, &files)?;
        let named = |name: &str| files.iter().find(|path| path.file_name().is_some_and(|own| own == name));
        let [now, before] = WORDS.map(named);
        if now.is_some() && before.is_some() {
            let what = format!("the folder holds both {} and {}", WORDS[0], WORDS[1]);
            return Err(AddError::new(folder, &what, format!("keep {}", WORDS[0])));
        }
        let words = now.or(before);
        if family.is_none() && words.is_none() {
            let what = format!("the folder holds neither {} nor a font", WORDS[0]);
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_near = |name: &String| name.to_lowercase().contains(".po");
            if let Some(near) = files.iter().map(name).find(is_near) {
                let fix = format!("rename `{near}` to {} (Windows may hide the end of a name)", WORDS[0]);
                return Err(AddError::new(folder, &what, fix));
            }
            return Err(AddError::new(folder, &what, "put them there, or remove the folder"));
        }
        if let Some(family) = family {
            fonts.add(family);
        }
        if let Some(words) = words {
            let bytes = durable::read_file(words).map_err(|error| unreadable(words, &error))?;
            catalogue
                .add(&tag, &bytes)
                .map_err(|LangError { error, .. }| AddError::in_words(words, &error))?;
        }
        if catalogue.name(&tag) == tag {
            let what = format!("nothing says what the language `{tag}` calls itself");
            let header = "msgid \"\" and msgstr \"\" and \"X-Language-Name: ...\\n\"";
            let fix = match words {
                Some(_) => format!("write the header at its top, in three lines: {header}"),
                None => format!("add {} with the header, in three lines: {header}", WORDS[0]),
            };
            return Err(AddError::new(words.map_or(folder, PathBuf::as_path), &what, fix));
        }
        drawable(folder, &tag, &fonts, &catalogue)?;
        if let Some(words) = words {
            self.warnings.extend(catalogue.unused(&tag).iter().map(|(line, english)| AddError {
                at: Some((*line, 1)),
                refused: false,
                ..AddError::new(
                    words,
                    &format!("no page uses the translation of \"{english}\""),
                    "write msgctxt and msgid as the .po files of the program have them; without it the page is in English",
                )
            }));
        }
        (self.fonts, self.catalogue) = (fonts, catalogue);
        Ok(())
    }
}

/// A folder, or something else that is called like a language.
fn is_language(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.is_dir() || (!name.contains('.') && name.parse::<Lang>().is_ok())
}

/// What lies in a folder, in the order of names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, error: &io::Error) -> AddError {
    let is_no_file = matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory);
    let fix = if is_no_file {
        "put an ordinary file in its place"
    } else {
        "let the user that the terminal runs as read it"
    };
    AddError::new(path, &format!("it cannot be read: {error}"), fix)
}

fn tag_of(folder: &Path) -> Result<String, AddError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.parse::<Lang>() {
        Ok(lang) => Ok(lang.as_str().to_owned()),
        Err(error) => {
            let usual = tags::usual(&name);
            let fix = if usual != name && usual.parse::<Lang>().is_ok() {
                format!("rename it to {usual}")
            } else {
                "name the folder after its language, like de or zh-HK".to_owned()
            };
            Err(AddError::new(folder, &error, fix))
        }
    }
}

/// The font files of a folder as a family.
fn family(folder: &Path, tag: &str, files: &[PathBuf]) -> Result<Option<Family>, AddError> {
    let is_font = |path: &&PathBuf| {
        path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ttf") || end.eq_ignore_ascii_case("otf"))
    };
    let fonts: Vec<&PathBuf> = files.iter().filter(is_font).collect();
    let read = |path: &PathBuf| {
        let bytes = fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
        if bytes > FONT_BYTES_MAX {
            let what = format!("the file has {} MB, more than a font has", bytes >> 20);
            return Err(AddError::new(path, &what, "take the .ttf or .otf file of one font"));
        }
        durable::read_file(path).map_err(|error| unreadable(path, &error))
    };
    let (first, second) = match fonts[..] {
        [] => return Ok(None),
        [first] => (first, None),
        [first, second] => (first, Some(second)),
        [..] => {
            let what = format!("the folder holds {} font files", fonts.len());
            return Err(AddError::new(folder, &what, "leave the regular and the bold one"));
        }
    };
    // Each file by itself, so that a mistake names the file.
    for path in &fonts {
        Family::read(tag, read(path)?, None).map_err(|error| AddError::new(path, &error, fix_for(&error)))?;
    }
    Family::read(tag, read(first)?, second.map(read).transpose()?)
        .map(Some)
        .map_err(|error| AddError::new(folder, &error, fix_for(&error)))
}

fn fix_for(error: &FontError) -> &'static str {
    match error {
        FontError::Unreadable(_) => "copy the file again, or take another font",
        FontError::Collection => "take the .ttf or .otf file of one font out of it",
        FontError::Nameless => "take another font",
        FontError::SameWeight => {
            "leave one of them, or put the bold one of the family beside the regular one"
        }
    }
}

/// Whether the font has what the words need.
fn drawable(folder: &Path, tag: &str, fonts: &Fonts, catalogue: &Catalogue) -> Result<(), AddError> {
    let mut texts: Vec<&str> = Text::ALL.into_iter().map(|text| catalogue.text(tag, text)).collect();
    texts.push(catalogue.name(tag));
    let missing = fonts.missing(tag, &texts.concat());
    if missing.is_empty() {
        return fonts.try_out(tag, &texts).map_err(|panicked| {
            let what = format!("its words cannot be drawn in {}: {panicked}", fonts.family_for(tag));
            AddError::new(folder, &what, "copy the font again, or take another one")
        });
    }
    let named: Vec<String> =
        missing.iter().take(NAMED_MAX).map(|c| format!("`{c}` (U+{:04X})", u32::from(*c))).collect();
    let more = if missing.len() > NAMED_MAX { " and others" } else { "" };
    let what = format!("the font {} cannot draw {}{more}", fonts.family_for(tag), named.join(", "));
    Err(AddError::new(
        folder,
        &what,
        "put a font of the language's script into the folder, or use other words",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMAN: &str = "msgid \"\"\nmsgstr \"\"\n\"X-Language-Name: Deutsch\\n\"\n\nmsgctxt \"reasons\"\nmsgid \"Back\"\nmsgstr \"Zurück\"\n";

    /// A folder of languages with these files in it.
    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("has one")).expect("made");
            fs::write(path, bytes).expect("written");
        }
        dir
    }

    fn load(files: &[(&str, &[u8])]) -> Languages {
        Languages::load(folder(files).path()).expect("the shipped languages are readable")
    }

    fn refusal(files: &[(&str, &[u8])]) -> String {
        let languages = load(files);
        let shipped = Languages::shipped().expect("readable");
        assert!(languages.catalogue.tags().eq(shipped.catalogue.tags()), "nothing of the folder is taken");
        assert_eq!(languages.fonts.families().len(), shipped.fonts.families().len());
        match &languages.refused[..] {
            [error] => format!("{}; {}", error.what, error.fix),
            other => panic!("one refusal, not {other:?}"),
        }
    }

    /// Regular and bold, because they are small.
    fn uyghur() -> [Vec<u8>; 2] {
        Fonts::shipped().faces_for("ug").map(<[u8]>::to_vec)
    }

    #[test]
    fn a_file_that_is_called_like_a_language_is_no_folder_of_one() {
        assert!(refusal(&[("de", GERMAN.as_bytes())]).contains("make a folder of this name"));
        assert_eq!(load(&[("readme", b"words"), ("de.po", b"words")]).refused, []);
    }

    #[test]
    fn a_font_that_the_font_library_panics_over_is_refused_in_words() {
        let font = include_bytes!("../../fuzz/corpus/font/more-points-than-glyph");
        let words = refusal(&[("de/kiosk.po", GERMAN.as_bytes()), ("de/font.ttf", font)]);
        assert!(words.contains("font") && words.contains("; copy the file again"), "{words}");
        assert!(
            words.contains("library that reads it failed"),
            "the library panics no longer; take another file: {words}"
        );
    }

    #[test]
    fn a_folder_with_words_and_fonts_adds_a_language() {
        let [regular, bold] = uyghur();
        let languages = load(&[
            ("de/kiosk.po", GERMAN.as_bytes()),
            ("de/a-bold.TTF", &bold),
            ("de/regular.ttf", &regular),
            ("readme.txt", b"for staff"),
        ]);
        assert_eq!(languages.refused, []);
        assert_eq!(languages.catalogue.name("de"), "Deutsch");
        assert_eq!(languages.catalogue.text("de", Text::ReasonsBack), "Zurück");
        assert_eq!(languages.fonts.family_for("de"), "Xinsheng Uyghur (de)");
        assert_eq!(
            languages.fonts.faces_for("de"),
            [&regular[..], &bold[..]],
            "the file's weight says which is which"
        );
    }

    #[test]
    fn words_alone_are_drawn_in_the_first_font_and_one_font_serves_as_its_own_bold() {
        let languages = load(&[("de/kiosk.po", GERMAN.as_bytes())]);
        assert_eq!((languages.refused, languages.fonts.family_for("de")), (vec![], "Noto Sans SC"));
        let [regular, _] = uyghur();
        let languages = load(&[("ug/font.ttf", &regular)]);
        assert_eq!(languages.refused, []);
        assert_eq!(languages.fonts.faces_for("ug"), [&regular[..], &regular[..]]);
    }

    #[test]
    fn without_a_folder_there_is_what_comes_with_the_program() {
        let languages = Languages::beside(Path::new("/nowhere/kiosk.toml")).expect("readable");
        assert_eq!(languages.refused, []);
        assert!(languages.catalogue.tags().eq(["zh-CN", "zh-TW", "en", "ug", "bo", "ja"]));
    }

    #[test]
    fn a_folder_with_a_mistake_is_left_out_and_says_why() {
        let [regular, bold] = uyghur();
        for (files, said) in [
            (&[("Deutsch/kiosk.po", GERMAN.as_bytes())][..], "`Deutsch` is not a language tag"),
            (&[("de/words.po", GERMAN.as_bytes())], "neither kiosk.po nor a font"),
            (&[("de/kiosk.po", b"msgid \"\"\nmsgstr \"\"\n")], "X-Language-Name"),
            (&[("de/kiosk.po", b"\xff\xfe")], "UTF-16"),
            (
                &[("de/kiosk.po", GERMAN.as_bytes()), ("de/xinsheng.po", GERMAN.as_bytes())],
                "both kiosk.po and xinsheng.po",
            ),
            (&[("xx/font.ttf", &regular)], "what the language `xx` calls itself"),
            (&[("ug/font.ttf", b"not a font")], "no TrueType or OpenType font"),
            (&[("ug/a.ttf", &bold), ("ug/b.ttf", &bold)], "same weight"),
            (&[("ug/a.ttf", &bold), ("ug/b.ttf", &regular), ("ug/c.otf", b"")], "3 font files"),
            (&[("ja/font.ttf", &regular)], "cannot draw"),
        ] {
            let message = refusal(files);
            assert!(message.contains(said), "{said}: {message}");
        }
    }

    #[test]
    fn one_folder_with_a_mistake_leaves_the_others_in_force() {
        let languages = load(&[("de/kiosk.po", GERMAN.as_bytes()), ("fr/font.ttf", b"")]);
        assert_eq!(languages.catalogue.name("de"), "Deutsch");
        let [refused] = &languages.refused[..] else { panic!("one refusal, not {:?}", languages.refused) };
        assert!(refused.path.ends_with("fr/font.ttf"), "{refused}");
    }
}
