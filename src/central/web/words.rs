//! The words of a page in the reader's language, and how times and names are written in it.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    lang::{Catalogue, CentralText},
    model::Lang,
    questionnaire::Texts,
};

static CATALOGUE: LazyLock<Catalogue<CentralText>> = LazyLock::new(|| {
    Catalogue::of_central().unwrap_or_else(|error| {
        // A test reads the shipped files; without them the pages are in English.
        tracing::error!(%error, "the words of the pages cannot be read");
        Catalogue::default()
    })
});

const ENGLISH: &str = "en";

/// The words of one language.
#[derive(Clone, Copy, Debug)]
pub(in crate::central) struct Words(&'static str);

impl Words {
    /// The first of some tags, most wanted first, that the pages are written in; English if none is.
    pub(super) fn of<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Self {
        let base = |tag: &'a str| tag.split('-').next().unwrap_or(tag);
        // A reader of the other Chinese script is better served by this one than by English.
        let speaks = |tag| CATALOGUE.speaks(tag).or_else(|| CATALOGUE.speaks(base(tag)));
        Self(wanted.into_iter().find_map(speaks).unwrap_or(ENGLISH))
    }

    /// BCP 47.
    pub(in crate::central) fn tag(self) -> &'static str {
        self.0
    }

    /// The language that a reader may change to: the next one.
    pub(super) fn other(self) -> Self {
        let tags: Vec<&'static str> = CATALOGUE.tags().collect();
        let place = tags.iter().position(|tag| *tag == self.0).map_or(0, |at| at + 1);
        Self(tags.get(place).or(tags.first()).copied().unwrap_or(ENGLISH))
    }

    /// The language's own name.
    pub(super) fn own_name(self) -> &'static str {
        CATALOGUE.name(self.0)
    }

    /// A text.
    pub(in crate::central) fn t(self, text: CentralText) -> &'static str {
        CATALOGUE.text(self.0, text)
    }

    /// A text with its places filled in.
    pub(in crate::central) fn fill(self, text: CentralText, values: &[(&str, &str)]) -> String {
        let fill = |text: String, (name, value): &(&str, &str)| text.replace(&format!("{{{name}}}"), value);
        values.iter().fold(self.t(text).to_owned(), fill)
    }

    /// A name or a wording of the configuration, in one line.
    pub(in crate::central) fn name(self, texts: &Texts) -> String {
        let lang = self.0.parse::<Lang>().ok();
        flat(lang.map_or("", |lang| texts.get(&lang)))
    }

    /// How long ago something was.
    pub(super) fn ago(self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
        let Some(at) = at else { return self.t(CentralText::Never).to_owned() };
        match (now - at).num_minutes() {
            ..1 => self.t(CentralText::JustNow).to_owned(),
            n @ 1..60 => self.number(CentralText::MinutesAgo, n),
            n @ 60..2880 => self.number(CentralText::HoursAgo, n / 60),
            n => self.number(CentralText::DaysAgo, n / 1440),
        }
    }

    /// How long something lasts or lasted.
    pub(super) fn span(self, seconds: i64) -> String {
        match seconds / 60 {
            ..1 => self.t(CentralText::LessThanMinute).to_owned(),
            n @ 1..60 => self.number(CentralText::Minutes, n),
            n @ 60..2880 => self.number(CentralText::Hours, n / 60),
            n => self.number(CentralText::DaysLong, n / 1440),
        }
    }

    fn number(self, text: CentralText, n: i64) -> String {
        self.fill(text, &[("n", &n.to_string())])
    }

    /// The language somebody speaks, without its region.
    pub(super) fn tongue(self, lang: &Lang) -> String {
        let base = lang.as_str().split('-').next().unwrap_or_default();
        let known = match base {
            "zh" => CentralText::LangZh,
            "en" => CentralText::LangEn,
            "ug" => CentralText::LangUg,
            "bo" => CentralText::LangBo,
            "ja" => CentralText::LangJa,
            "mn" => CentralText::LangMn,
            "kk" => CentralText::LangKk,
            "ko" => CentralText::LangKo,
            "ii" => CentralText::LangYi,
            "za" => CentralText::LangZa,
            "ru" => CentralText::LangRu,
            "fr" => CentralText::LangFr,
            "de" => CentralText::LangDe,
            "es" => CentralText::LangEs,
            "ar" => CentralText::LangAr,
            "vi" => CentralText::LangVi,
            _ => return lang.to_string(),
        };
        self.t(known).to_owned()
    }
}

/// The time of day at a site, with the day where it is not today's.
pub(super) fn time_of_day(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let format = if at.date_naive() == now.date_naive() { "%H:%M" } else { "%m-%d %H:%M" };
    at.format(format).to_string()
}

/// Names may hold line breaks for the terminals' pages; between Chinese characters they stand for nothing, else for a space.
fn flat(text: &str) -> String {
    let is_wide = |c: char| ('\u{3000}'..='\u{9fff}').contains(&c) || ('\u{ff00}'..='\u{ffef}').contains(&c);
    let lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    lines.join(if text.chars().any(is_wide) { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_speaks_the_first_language_it_knows_and_offers_the_other() {
        assert_eq!(Words::of(["fr", "zh-Hant-HK"]).tag(), "zh-CN");
        assert_eq!(Words::of(["en-GB"]).tag(), "en");
        assert_eq!(Words::of([]).tag(), "en");
        assert_eq!(Words::of(["zh"]).other().tag(), "en");
        assert_eq!(Words::of(["en"]).other().other().tag(), "en");
    }

    #[test]
    fn spans_and_ages_are_written_by_their_size() {
        let words = Words::of(["en"]);
        let spans = [0, 59, 60, 3_599, 3_600, 47 * 3_600 + 3_599, 48 * 3_600].map(|s| words.span(s));
        assert_eq!(
            spans,
            ["less than a minute", "less than a minute", "1 min", "59 min", "1 h", "47 h", "2 days"]
        );
        let now = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(9);
        let ago = |minutes| words.ago(Some(now - chrono::TimeDelta::minutes(minutes)), now);
        assert_eq!(
            [ago(-5), ago(0), ago(1), ago(60), ago(2_880)],
            ["just now", "just now", "1 min ago", "1 h ago", "2 days ago"]
        );
        assert_eq!(words.ago(None, now), "never");
    }

    #[test]
    fn a_break_in_a_name_is_a_space_only_where_words_have_spaces() {
        assert_eq!(flat("抽血\n化验"), "抽血化验");
        assert_eq!(flat("Blood\ntest"), "Blood test");
    }

    #[test]
    fn a_language_without_a_word_for_it_is_named_by_its_tag() {
        assert_eq!(Words::of(["zh-CN"]).tongue(&"ug-CN".parse().unwrap()), "维吾尔语");
        assert_eq!(Words::of(["en"]).tongue(&"qu-PE".parse().unwrap()), "qu-PE");
    }
}
