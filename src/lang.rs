//! The words of the pages in every language: gettext files `assets/lang/<tag>/xinsheng.po`, embedded.
//!
//! Two languages show at once, and a language can be added beside the program, so the pages hold no text of their own: each takes its
//! lines from here. The source text is English and stands in for whatever a language lacks. A `\n` in a text marks where a line may
//! break: by meaning, never inside a word.

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
        Self { text: breakable(first), second, spoken }
    }
}

/// Every language there are texts for, in the order they were added. An empty one speaks English.
#[derive(Debug, Default)]
pub struct Catalogue {
    languages: Vec<Language>,
}

#[derive(Debug)]
struct Language {
    tag: String,
    name: String,
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

const SHIPPED: [(&str, &str); 2] = [
    ("zh-CN", include_str!("../assets/lang/zh-CN/xinsheng.po")),
    ("en", include_str!("../assets/lang/en/xinsheng.po")),
];

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $context:literal, $source:literal;)+) => {
        /// A text of the pages, by what it is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Text {
            $($(#[$doc])* $name,)+
        }

        impl Text {
            /// Every text.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// The page it belongs to: `msgctxt` in the .po files.
            pub const fn context(self) -> &'static str {
                match self { $(Self::$name => $context,)+ }
            }

            /// The English text: `msgid` in the .po files.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$name => $source,)+ }
            }
        }
    };
}

texts! {
    /// What the terminal is for.
    AttractTitle = "attract", "Please rate our service";
    /// The button that begins.
    AttractStart = "attract", "Touch here to begin";
    /// Which touchpoint?
    ChoiceTitle = "choice", "Where have you just been?";
    /// To the touchpoints before these.
    ChoicePrevious = "choice", "Previous";
    /// To the touchpoints after these.
    ChoiceNext = "choice", "More";
    /// Asked after a bad rating.
    ReasonsWrong = "reasons", "What went wrong? Choose any";
    /// Asked after a good rating.
    ReasonsGood = "reasons", "What was good? Choose any";
    /// Asked after a rating in the middle.
    ReasonsNeutral = "reasons", "What was it about? Choose any";
    /// None of the reasons offered.
    ReasonsOther = "reasons", "Other";
    /// Back to the question.
    ReasonsBack = "reasons", "Back";
    /// Nothing more to say.
    ReasonsDone = "reasons", "Done";
    /// The rating is stored.
    ThanksTitle = "thanks", "Thank you. It is recorded.";
    /// Back to the question; the first answer is withdrawn.
    ThanksUndo = "thanks", "Change my answer";
    /// At an exit: on to another touchpoint.
    ThanksAnother = "thanks", "Another place";
    /// Nothing was touched for a while.
    StillThereTitle = "still-there", "Are you still there?";
    /// What happens after the countdown.
    StillThereExplanation = "still-there", "The page starts over when the time is up";
    /// The button that keeps the page.
    StillThereHere = "still-there", "I am still here";
    /// The list of languages.
    LanguageTitle = "language", "Choose your language";
    /// Keep the language.
    LanguageBack = "language", "Back";
    /// The terminal takes no answers.
    OutOfServiceTitle = "out-of-service", "Out of service";
    /// The disk refuses.
    OutOfServiceStorage = "out-of-service", "Answers cannot be stored at the moment. Please tell the staff.";
    /// The last tap could not be stored.
    NotStoredTitle = "out-of-service", "Not recorded, sorry";
    /// No configuration that could be used.
    OutOfServiceSetup = "out-of-service", "This terminal is not set up yet. Please tell the staff.";
    /// The promise at the foot of the pages.
    Privacy = "shell", "Anonymous. Staff cannot see your choice.";
    /// The same for narrow panels.
    PrivacyShort = "shell", "Staff cannot see this";
    /// What the language button is called.
    LanguageButton = "shell", "Language";
    /// Staff badge: a changed file was refused, the last good one is in use.
    BadgeConfigRefused = "shell", "new settings refused";
    /// Staff badge: central has not been reached for long.
    BadgeOffline = "shell", "offline";
    /// On the button that calls somebody.
    HelpButton = "shell", "Help";
    /// Leaves a page of the staff area.
    StaffButton = "shell", "Back";
    /// The call is on its way.
    HelpCalling = "help", "Calling the staff";
    /// While the call is on its way.
    HelpCallingExplanation = "help", "One moment, please";
    /// Central has the call.
    HelpTold = "help", "Staff have been told";
    /// Central has the call: what happens next.
    HelpToldExplanation = "help", "Please wait here. Somebody will come to you.";
    /// Central did not answer, or the call could not be stored.
    HelpUntold = "help", "Nobody could be reached";
    /// Central did not answer: what to do.
    HelpUntoldExplanation = "help", "Please ask at the nearest desk.";
    /// Wiping counts for nothing.
    CleaningTitle = "cleaning", "This screen is being cleaned";
    /// While the screen is wiped.
    CleaningExplanation = "cleaning", "Touches do not count now";
    /// Outside the opening hours.
    ClosedTitle = "closed", "This desk is closed now";
    /// Outside the opening hours, no rating possible.
    ClosedExplanation = "closed", "Thank you for coming. Please visit us in the opening hours.";
    /// Outside the opening hours, a rating is still possible.
    ClosedRate = "closed", "Rate an earlier visit";
    /// Outside the opening hours, a rating is still possible.
    ClosedStillRate = "closed", "You can still rate an earlier visit.";
    /// Heading of the staff area.
    StaffTitle = "staff", "Staff";
    /// Over the keypad.
    StaffPin = "staff", "Enter the PIN";
    /// After a wrong PIN.
    StaffPinWrong = "staff", "Wrong PIN, {n} tries left";
    /// After too many wrong PINs.
    StaffLocked = "staff", "Locked for {n} minutes";
    /// The staff area cannot be opened without one.
    StaffNoPin = "staff", "No PIN is set in kiosk.toml";
    /// While a PIN or a code is being checked.
    StaffChecking = "staff", "Checking";
    /// Takes the last sign of the keypad away.
    StaffErase = "staff", "Erase";
    /// The keypad's entry is complete.
    StaffEnter = "staff", "OK";
    /// Locks the screen for wiping.
    StaffWipe = "staff", "Clean screen";
    /// Heading of the staff menu.
    StaffMenu = "staff", "What do you want to do?";
    /// How the terminal is.
    StaffStatus = "staff", "Status";
    /// Self-test of every button.
    StaffSelfTest = "staff", "Test buttons";
    /// Every part of the glass is touched.
    StaffTouchTest = "staff", "Test touch";
    /// Pure colours, for dead pixels.
    StaffScreenTest = "staff", "Test screen";
    /// One contact with central.
    StaffNetworkTest = "staff", "Test network";
    /// What is rated at this terminal.
    StaffTouchpoint = "staff", "Touchpoint";
    /// The language at rest.
    StaffLanguage = "staff", "Language";
    /// How loud the terminal is.
    StaffVolume = "staff", "Volume";
    /// The journal to a USB folder.
    StaffExport = "staff", "Export";
    /// Starts the program anew.
    StaffRestart = "staff", "Restart";
    /// Gives the terminal its identity.
    StaffEnrol = "staff", "Enrol";
    /// How many entries central has not signed for.
    StatusUnsent = "staff status", "Unsent entries";
    /// Since when the oldest unsent entry waits.
    StatusOldest = "staff status", "Oldest unsent";
    /// When central last answered.
    StatusContact = "staff status", "Last contact";
    /// Why central is not in contact.
    StatusTrouble = "staff status", "Reason";
    /// The terminal's name.
    StatusTerminal = "staff status", "Terminal";
    /// The program's version.
    StatusVersion = "staff status", "Version";
    /// How the journal's storage is.
    StatusStorage = "staff status", "Storage";
    /// Nothing, never, nobody.
    StatusNone = "staff status", "none";
    /// All is well.
    StatusGood = "staff status", "good";
    /// The terminal has no identity.
    StatusNotEnrolled = "staff status", "not enrolled";
    /// A time in the past.
    StatusMinutesAgo = "staff status", "{n} minutes ago";
    /// A time in the past.
    StatusHoursAgo = "staff status", "{n} hours ago";
    /// A time in the past.
    StatusDaysAgo = "staff status", "{n} days ago";
    /// Over the buttons under test.
    SelfTestTitle = "staff self-test", "Press every button: {n} left";
    /// Every button was pressed and stored.
    SelfTestDone = "staff self-test", "All buttons work and are stored";
    /// The journal refused an entry of the self-test.
    SelfTestFailed = "staff self-test", "Pressed, but not stored";
    /// The fields turn dark as they are touched.
    TouchTestTitle = "staff touch-test", "Wipe over every field";
    /// All fields were touched.
    TouchTestDone = "staff touch-test", "Every field works";
    /// The network test is under way.
    NetworkTesting = "staff network", "Trying to reach central";
    /// The network test succeeded.
    NetworkGood = "staff network", "Central answered";
    /// The network test failed; the diagnosis stands below.
    NetworkBad = "staff network", "Central did not answer";
    /// No sound.
    VolumeOff = "staff volume", "Off";
    /// A third.
    VolumeLow = "staff volume", "Quiet";
    /// Two thirds.
    VolumeMedium = "staff volume", "Medium";
    /// As loud as it gets.
    VolumeHigh = "staff volume", "Loud";
    /// What is about to happen.
    ExportTitle = "staff export", "Export to the USB stick";
    /// Begins the export.
    ExportStart = "staff export", "Export now";
    /// There is nowhere to export to.
    ExportNone = "staff export", "No USB stick is plugged in";
    /// The export succeeded.
    ExportDone = "staff export", "{n} entries are on the stick";
    /// The export failed; the reason stands below.
    ExportFailed = "staff export", "The export failed";
    /// Asked before the restart.
    RestartTitle = "staff restart", "Restart the terminal?";
    /// What a restart means.
    RestartExplanation = "staff restart", "Nothing is lost. It takes half a minute.";
    /// Over the keypad for the code.
    EnrolTitle = "enrol", "Enter the enrolment code";
    /// Goes on without an identity.
    EnrolLater = "enrol", "Later";
    /// Central gave the terminal its identity.
    EnrolDone = "enrol", "Enrolled as {n}";
    /// Central or the network refused; the reason stands below.
    EnrolFailed = "enrol", "Not enrolled";
    /// Satisfaction, worst.
    Satisfied1 = "scale satisfaction", "Very bad";
    /// Satisfaction.
    Satisfied2 = "scale satisfaction", "Bad";
    /// Satisfaction, neither.
    Satisfied3 = "scale satisfaction", "OK";
    /// Satisfaction.
    Satisfied4 = "scale satisfaction", "Good";
    /// Satisfaction, best.
    Satisfied5 = "scale satisfaction", "Very good";
    /// Ease, worst.
    Easy1 = "scale ease", "Very hard";
    /// Ease.
    Easy2 = "scale ease", "Hard";
    /// Ease, neither.
    Easy3 = "scale ease", "So-so";
    /// Ease.
    Easy4 = "scale ease", "Easy";
    /// Ease, best.
    Easy5 = "scale ease", "Very easy";
    /// Friends and family, worst.
    Experience1 = "scale experience", "Very poor";
    /// Friends and family.
    Experience2 = "scale experience", "Poor";
    /// Friends and family, neither.
    Experience3 = "scale experience", "So-so";
    /// Friends and family.
    Experience4 = "scale experience", "Good";
    /// Friends and family, best.
    Experience5 = "scale experience", "Very good";
    /// Friends and family: don't know.
    Experience6 = "scale experience", "Don't know";
    /// The low end of the eleven keys.
    RecommendLow = "scale recommendation", "0 Not at all likely";
    /// The high end of the eleven keys.
    RecommendHigh = "scale recommendation", "10 Very likely";
    /// A question of yes or no.
    Yes = "scale yes-no", "Yes";
    /// A question of yes or no.
    No = "scale yes-no", "No";
}

impl Text {
    /// The label of a level by its place on the scale, 1 the worst: a scale that has none of its own in the configuration takes these.
    /// Number keys have no labels.
    pub fn level(scale: &str, place: usize) -> Option<Self> {
        let labels: &[Self] = match scale {
            "face4" => &[Self::Satisfied1, Self::Satisfied2, Self::Satisfied4, Self::Satisfied5],
            "face5" | "csat5" => {
                &[Self::Satisfied1, Self::Satisfied2, Self::Satisfied3, Self::Satisfied4, Self::Satisfied5]
            }
            "ces5" => &[Self::Easy1, Self::Easy2, Self::Easy3, Self::Easy4, Self::Easy5],
            "fft6" => &[
                Self::Experience1,
                Self::Experience2,
                Self::Experience3,
                Self::Experience4,
                Self::Experience5,
                Self::Experience6,
            ],
            "yes_no" => &[Self::No, Self::Yes],
            _ => &[],
        };
        labels.get(place.checked_sub(1)?).copied()
    }
}

/// A text with `\n` where it may break: each phrase is held together, between phrases it may break. A text without marks breaks where
/// its language allows.
pub fn breakable(text: &str) -> String {
    if !text.contains('\n') {
        return text.to_owned();
    }
    let mut held = String::with_capacity(2 * text.len());
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c == '\n' {
            held.push(if before.is_some_and(is_wide) { ZERO_WIDTH_SPACE } else { ' ' });
            before = None;
            continue;
        }
        if before.is_some_and(|before| is_wide(before) || is_wide(c)) {
            held.push(WORD_JOINER);
        }
        held.push(c);
        before = Some(c);
    }
    held
}

/// A text without its marks, on one line.
pub fn unbroken(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c != '\n' {
            line.push(c);
        } else if !before.is_some_and(is_wide) {
            line.push(' ');
        }
        before = Some(c);
    }
    line
}

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const WORD_JOINER: char = '\u{2060}';

/// Ideographs, kana and full-width signs: scripts without spaces between words.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
}

fn parse(tag: &str, po: &str) -> Result<Language, LangError> {
    let syntax = |reason: String| LangError::Syntax { tag: tag.to_owned(), reason };
    let file: POFile = pofile(FileOptions::from(po)).map_err(|error| syntax(error.to_string()))?;
    let name = file.metadata.get("X-Language-Name").cloned().unwrap_or_else(|| tag.to_owned());
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
    Ok(Language { tag: tag.to_owned(), name, texts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_language_has_every_text() {
        let catalogue = Catalogue::shipped().expect("the shipped languages are readable");
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
    fn both_embedded_fonts_have_every_glyph() {
        let catalogue = Catalogue::shipped().expect("the shipped languages are readable");
        let fonts: [(&str, &[u8]); 2] = [
            ("regular", include_bytes!("../assets/fonts/NotoSansSC-Regular.ttf")),
            ("bold", include_bytes!("../assets/fonts/NotoSansSC-Bold.ttf")),
        ];
        for (weight, bytes) in fonts {
            let face = ttf_parser::Face::parse(bytes, 0).expect("a font");
            for tag in catalogue.tags() {
                let texts =
                    Text::ALL.into_iter().map(|text| Words::new(catalogue.text(tag, text), None).text);
                for c in texts
                    .chain([catalogue.name(tag).to_owned()])
                    .flat_map(|text| text.chars().collect::<Vec<_>>())
                {
                    assert!(face.glyph_index(c).is_some(), "{tag}: {c:?} is not in the {weight} font");
                }
            }
        }
    }

    #[test]
    fn a_language_falls_back_to_english() {
        let mut catalogue = Catalogue::shipped().expect("the shipped languages are readable");
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
    fn a_mark_is_the_only_place_to_break() {
        assert_eq!(breakable("一般"), "一般");
        assert_eq!(breakable("非常\n不满意"), "非\u{2060}常\u{200b}不\u{2060}满\u{2060}意");
        assert_eq!(breakable("Very\nbad"), "Very bad");
        assert_eq!(unbroken("非常\n不满意"), "非常不满意");
        assert_eq!(unbroken("Very\nbad"), "Very bad");
        assert_eq!(Words::new("非常\n不满意", Some("Very bad")).spoken, "非常不满意");
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
