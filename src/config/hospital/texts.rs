//! Texts of a hospital: in every language, short enough for large type, drawable.

use super::{Glyphs, TextsFile};
use crate::{
    config::check::{Located, Report, cells, nearest},
    model::Lang,
    questionnaire::Texts,
};

/// What a text is for, which says how long it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// A question.
    Question,
    /// The line above the reasons.
    Prompt,
    /// A reason's button.
    Reason,
    /// A touchpoint's name, at the head of a page and on its button at an exit.
    TouchpointName,
    /// A hospital's name, on central's pages and reports.
    SiteName,
}

impl Use {
    /// Most cells, a Chinese character taking two and a Latin letter one, and why not more.
    const fn limit(self) -> (usize, &'static str) {
        match self {
            Self::Question => (80, "two lines of 20 Chinese characters or 40 letters fit above the answers"),
            Self::Prompt => (60, "a line and a half of large type fits above the reasons"),
            Self::Reason => (24, "a reason's button holds 12 Chinese characters or 24 letters"),
            Self::TouchpointName => (32, "a touchpoint's button holds 16 Chinese characters or 32 letters"),
            Self::SiteName => (60, "a page's heading holds 30 Chinese characters or 60 letters"),
        }
    }
}

/// Checks one text in all its languages.
pub fn read(
    texts: &Located<TextsFile>,
    languages: &[Lang],
    kind: Use,
    glyphs: &Glyphs<'_>,
    report: &mut Report<'_>,
) -> Texts {
    let mut read = Texts::default();
    for (key, text) in &texts.value.0 {
        one(&key.value, text, kind, glyphs, report);
        let Some(lang): Option<Lang> = report.parse(key) else { continue };
        if !languages.contains(&lang) {
            report.warning(
                &key.span,
                format!("nobody will see this text: `{lang}` is not one of the hospital's languages"),
                format!("add \"{lang}\" to `languages` at the top of the file, or remove the text"),
            );
        }
        read.0.insert(lang, text.value.clone());
    }
    let written: Vec<&str> = texts.value.0.keys().map(|key| key.value.as_str()).collect();
    for lang in languages.iter().filter(|lang| !read.has(lang)) {
        let fix = match nearest(lang.as_str(), written.iter().copied()) {
            Some(near) if !languages.iter().any(|known| known.as_str() == near) => {
                format!("write {lang} in place of {near}")
            }
            Some(_) | None => format!("add {lang} = \"...\" between the braces"),
        };
        report.error(&texts.span, format!("the text is missing in `{lang}`"), fix);
    }
    read
}

fn one(lang: &str, place: &Located<String>, kind: Use, glyphs: &Glyphs<'_>, report: &mut Report<'_>) {
    let text = place.value.as_str();
    let (most, reason) = kind.limit();
    // A marked break takes no room of its own.
    let needed = cells(&text.replace('\n', ""));
    if needed > most {
        let what = format!("the text is too long for large type: {needed} of at most {most} cells");
        report.error(&place.span, what, format!("shorten it: {reason}"));
    }
    if let Some(control) = text.chars().find(|c| c.is_control() && *c != '\n') {
        let what = format!("the text holds a sign that cannot be shown (U+{:04X})", u32::from(control));
        report.error(&place.span, what, "remove it; only \\n, a place for a line break, is known");
    }
    let missing = glyphs.missing(lang, text);
    if !missing.is_empty() {
        let named: Vec<String> = missing.iter().map(|c| format!("`{c}` (U+{:04X})", u32::from(*c))).collect();
        report.error(
            &place.span,
            format!("the font for `{lang}`, {}, cannot draw {}", glyphs.font(lang), named.join(", ")),
            "choose another word, or add a font as docs/config.md says; the built-in fonts have no rare characters and no emoji",
        );
    }
}
