//! The texts of central's pages, named: the list that `central.po` of each language is checked against.

use super::{
    catalogue::{Catalogue, LangError},
    list::texts,
};

texts! {
    /// A text of central's pages, by what it is for.
    CentralText;
    /// Share of satisfied answers.
    Csat = "score", "satisfied";
    /// Share of those who found it easy.
    Ces = "score", "found it easy";
    /// Mean of the answers about effort.
    CesMean = "score", "mean ease";
    /// Promoters less detractors.
    Nps = "score", "NPS";
    /// Share of good answers to the Friends and Family Test.
    FftPositive = "score", "positive";
    /// Share of bad answers to the Friends and Family Test.
    FftNegative = "score", "negative";
    /// All answers on one scale from 0 to 100.
    Index = "score", "experience index";
    /// Share of smiling faces.
    Faces = "score", "smiling faces";
    /// Share of the three upper levels.
    GoodRate = "score", "good rating (levels 3–5)";
    /// Share of yes.
    SaidYes = "score", "said yes";
    /// Link for keyboards, before everything else.
    Skip = "page", "Skip to the content";
    /// The page is fresh.
    Live = "page", "live";
    /// The server cannot be reached.
    Lost = "page", "no connection to the server; these are the last numbers received";
    /// When the figures were computed.
    Updated = "page", "updated {time}";
    /// Above everything else in the demo.
    Example = "page", "Example data: a program made these answers; no patient gave them";
    /// Heading of the overview.
    Site = "page", "Patient experience";
    /// Title of an error page.
    NotFound = "page", "There is no such page";
    /// Title of an error page.
    CannotShow = "page", "This page cannot be shown";
    /// Link on an error page.
    BackToStart = "page", "Back to the overview";
    /// What the list of pages is called.
    Menu = "page", "Pages";
    /// A page.
    Overview = "page", "Overview";
    /// Which site the page is about.
    Sites = "page", "Site";
    /// Every site.
    AllSites = "page", "All sites";
    /// Heading.
    Scores = "scores", "Scores by touchpoint";
    /// Choice of days.
    Period = "scores", "Period";
    /// Choice of answers.
    WhichAnswers = "scores", "Which answers count";
    /// A period.
    Today = "scores", "Today";
    /// A period.
    Days = "scores", "{n} days";
    /// A period.
    AllTime = "scores", "All";
    /// Days of the figures.
    Since = "scores", "{from} to {to} ({zone})";
    /// Days of the figures.
    AllTimeIn = "scores", "All time ({zone})";
    /// A touchpoint that is no longer configured.
    Closed = "scores", "closed";
    /// Which answers count.
    Filtered = "scores", "Without doubtful";
    /// Which answers count.
    Raw = "scores", "All answers";
    /// How many.
    Answers = "scores", "Answers";
    /// Of the score.
    Interval = "scores", "95% interval";
    /// Too few to show.
    Hidden = "scores", "fewer than {k} answers: not shown";
    /// Hidden because of another cell.
    Complement = "scores", "not shown, to protect a small group elsewhere";
    /// Too few for a score.
    CountOnly = "scores", "{n} answers: too few for a score";
    /// Nobody answered.
    NoAnswers = "scores", "no answers yet";
    /// Below the scores.
    Legend = "scores", "The dot is the score, the bar its 95% interval; hatched means fewer than 30 answers, below 10 only their number is shown, below {k} nothing (a small dot); a small square is hidden to protect a small group. Touchpoints whose intervals overlap should not be ranked.";
    /// Small bars by hour.
    LastHours = "scores", "Last 24 hours";
    /// Nothing to draw.
    NoHours = "scores", "No answers in the last 24 hours";
    /// An hour of the day.
    Hour = "scores", "{h}:00";
    /// Why visitors gave a rating.
    Reasons = "reasons", "Reasons";
    /// How many chose a reason.
    People = "reasons", "{n}";
    /// How many were asked for reasons.
    Asked = "reasons", "{n} answered";
    /// Too few were asked.
    AskedFew = "reasons", "fewer than {k} answered";
    /// Too few chose a reason.
    ReasonHidden = "reasons", "fewer than {k}";
    /// Hidden because of another reason.
    ReasonComplement = "reasons", "hidden to protect others";
    /// No reason was chosen.
    NobodyChose = "reasons", "nobody has chosen a reason yet";
    /// Reasons with too few.
    MoreHidden = "reasons", "{n} more with fewer than {k} each: not shown";
    /// Heading.
    Terminals = "terminals", "Terminals";
    /// Entries a terminal has not sent.
    Waiting = "terminals", "waiting";
    /// When a terminal was heard of.
    Seen = "terminals", "last seen {ago}";
    /// Self-test.
    Tested = "terminals", "buttons tested {ago} ({n})";
    /// Self-test.
    TestedOf = "terminals", "buttons tested {ago} ({n} of {of})";
    /// Self-test.
    Untested = "terminals", "buttons not tested yet";
    /// Nothing was heard.
    Never = "terminals", "never";
    /// State of a terminal.
    Fine = "terminals", "fine";
    /// State of a terminal.
    Stale = "terminals", "not heard of";
    /// State of a terminal.
    Revoked = "terminals", "revoked";
    /// Entries central has.
    HeldComplete = "terminals", "received {range} complete";
    /// Entries central has.
    HeldIncomplete = "terminals", "received {range}, not all yet";
    /// An empty list.
    NoTerminals = "terminals", "No terminals yet. Make a code with xinsheng-central enrol --touchpoint …";
    /// Heading: what staff must know about the integrity of the data.
    Incidents = "incidents", "Incidents";
    /// A kind.
    Clone = "incidents", "Two machines write one journal, or a card was restored";
    /// A kind.
    LostEntries = "incidents", "Storage was damaged; entries may be lost";
    /// A kind.
    Quarantine = "incidents", "Entries are kept and not counted";
    /// A kind.
    ConfigRefused = "incidents", "The changed configuration is refused";
    /// A kind.
    RestartNeeded = "incidents", "Central must be restarted";
    /// A kind.
    SiteMissing = "incidents", "A site of enrolled terminals is missing in the configuration";
    /// How often.
    Times = "incidents", "{n} times";
    /// Heading.
    Help = "help", "Help needed";
    /// Said by screen readers.
    Rings = "help", "Help needed: {place}, {lang}";
    /// Since somebody called.
    Waits = "help", "waiting {span}";
    /// The caller's language.
    Speaks = "help", "speaks {lang}";
    /// Somebody called more than once.
    Again = "help", "called {n} times";
    /// The button that ends a call.
    Answer = "help", "Somebody is going";
    /// The button that ends a call that came too late.
    Note = "help", "Noted";
    /// Heading.
    Calls = "help", "Earlier calls for help";
    /// A call.
    LateCall = "help", "came too late";
    /// A call.
    NotedCall = "help", "came too late, noted";
    /// A call.
    AnsweredCall = "help", "answered after {span}";
    /// A call.
    CalledAt = "help", "called {time}, {span} ago";
    /// A call.
    CalledUnknown = "help", "time of call unknown, came {time}";
    /// A span.
    LessThanMinute = "time", "less than a minute";
    /// A span.
    Minutes = "time", "{n} min";
    /// A span.
    Hours = "time", "{n} h";
    /// A span.
    DaysLong = "time", "{n} days";
    /// When.
    JustNow = "time", "just now";
    /// When.
    MinutesAgo = "time", "{n} min ago";
    /// When.
    HoursAgo = "time", "{n} h ago";
    /// When.
    DaysAgo = "time", "{n} days ago";
    /// Before the files.
    Download = "download", "Download:";
    /// A file.
    ScoresCsv = "download", "scores CSV";
    /// A file.
    ReasonsCsv = "download", "reasons CSV";
    /// A file.
    AnswersCsv = "download", "single answers of 28 days CSV";
    /// A language.
    LangZh = "language", "Chinese";
    /// A language.
    LangEn = "language", "English";
    /// A language.
    LangUg = "language", "Uyghur";
    /// A language.
    LangBo = "language", "Tibetan";
    /// A language.
    LangJa = "language", "Japanese";
    /// A language.
    LangMn = "language", "Mongolian";
    /// A language.
    LangKk = "language", "Kazakh";
    /// A language.
    LangKo = "language", "Korean";
    /// A language.
    LangYi = "language", "Yi";
    /// A language.
    LangZa = "language", "Zhuang";
    /// A language.
    LangRu = "language", "Russian";
    /// A language.
    LangFr = "language", "French";
    /// A language.
    LangDe = "language", "German";
    /// A language.
    LangEs = "language", "Spanish";
    /// A language.
    LangAr = "language", "Arabic";
    /// A language.
    LangVi = "language", "Vietnamese";
}

const SHIPPED: [(&str, &str); 2] = [
    ("zh-CN", include_str!("../../assets/lang/zh-CN/central.po")),
    ("en", include_str!("../../assets/lang/en/central.po")),
];

impl Catalogue<CentralText> {
    /// The languages of central's pages that come with the program.
    ///
    /// # Errors
    /// The program itself is broken.
    pub fn of_central() -> Result<Self, LangError> {
        Self::of(&SHIPPED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_central_has_every_text() {
        let catalogue = Catalogue::of_central().unwrap();
        for tag in catalogue.tags() {
            assert_eq!(catalogue.missing(tag), [], "{tag}");
        }
        assert_eq!(catalogue.text("zh-CN", CentralText::Csat), "满意率");
        assert_eq!(catalogue.text("en-GB", CentralText::Csat), "satisfied");
    }
}
