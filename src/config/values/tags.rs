//! Language tags in config files: how they are written, and whose words show for them.

use crate::{
    config::{
        check::{Located, Report},
        hospital::{Glyphs, WordsFor},
    },
    model::{Lang, tags},
};

/// A tag; with a finding if it is none, or not written as usual.
pub fn read(text: &Located<String>, report: &mut Report<'_>) -> Option<Lang> {
    let usual = tags::usual(&text.value);
    match text.value.parse::<Lang>() {
        Ok(lang) => {
            if usual != text.value {
                let what = format!("the language tag `{}` is usually written `{usual}`", text.value);
                report.warning(&text.span, what, format!("write {usual} here and at every text"));
            }
            Some(lang)
        }
        Err(_) if usual != text.value && usual.parse::<Lang>().is_ok() => {
            let what = format!("`{}` is not a language tag", text.value);
            report.error(&text.span, what, format!("did you mean \"{usual}\"?"));
            None
        }
        Err(_) => report.parse(text),
    }
}

/// Says what the program's own words will show in, where they have no words of this very language.
pub(crate) fn say_what_shows(text: &Located<String>, glyphs: &Glyphs<'_>, report: &mut Report<'_>) {
    let tag = text.value.as_str();
    let what = match glyphs.words_for(tag) {
        WordsFor::Unknown => return,
        WordsFor::Language { tag: own, .. } if tags::is(own, tag) => return,
        WordsFor::Language { tag: other, name } => {
            format!("the program has no words in `{tag}`: its buttons show in `{other}` ({name})")
        }
        WordsFor::English => format!("the program has no words in `{tag}`: its buttons show in English"),
    };
    let add = format!(
        "if that is not wanted, add a folder lang/{tag} with kiosk.po beside kiosk.toml (docs/config.md)"
    );
    report.warning(&text.span, what, add);
}
