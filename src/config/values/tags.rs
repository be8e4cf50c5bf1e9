//! Language tags in config files: how they are written, and whose words show for them.

use crate::{
    config::{
        check::{Located, Report},
        hospital::Glyphs,
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
pub fn say_what_shows(text: &Located<String>, glyphs: &Glyphs<'_>, report: &mut Report<'_>) {
    let tag = text.value.as_str();
    let Some(shown) = glyphs.words_for(tag) else { return };
    let add = format!(
        "if that is not wanted, add a folder lang/{tag} with kiosk.po beside kiosk.toml (docs/config.md)"
    );
    match shown {
        Some((own, _)) if tags::is(own, tag) => {}
        Some((other, name)) => {
            let what = format!("the program has no words in `{tag}`: its buttons show in `{other}` ({name})");
            report.warning(&text.span, what, add);
        }
        None => {
            let what = format!("the program has no words in `{tag}`: its buttons show in English");
            report.warning(&text.span, what, add);
        }
    }
}
