//! What is to be heard, and how loud: `(what happened, hour) -> plan`. Pure.

use chrono::NaiveTime;

use crate::{
    config::SoundConfig,
    model::{Lang, QuestionId, QuestionnaireRef, Value},
    questionnaire::{Question, ReasonGroup},
};

/// A page, as far as it is spoken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PageName {
    /// The invitation.
    Attract,
    /// Which touchpoint?
    Choice,
    /// A question.
    Question(QuestionnaireRef, QuestionId),
    /// The reasons of a question, by the first of the values that lead to them.
    Reasons(QuestionnaireRef, QuestionId, Value),
    /// The rating is stored.
    Thanks,
    /// The rating is being stored, and that takes long.
    StillSaving,
    /// The disk refuses the rating; it is being sent.
    Held,
    /// The disk refused the rating, and central has it.
    HeldReceived,
    /// The disk refuses the rating, and central does not answer.
    HeldWaiting,
    /// The rating could not be stored.
    NotRecorded,
    /// Is anybody there?
    StillThere,
    /// Which language?
    Language,
    /// Staff are being called.
    Help,
    /// Staff know of the call.
    HelpTold,
    /// Nobody could be reached.
    HelpUntold,
    /// The screen is being wiped.
    Cleaning,
    /// Outside the opening hours.
    Closed,
    /// Outside the opening hours, an earlier visit can be rated.
    ClosedRate,
    /// No answers are taken.
    OutOfService,
    /// A page that is not for patients: nothing is spoken.
    Staff,
}

impl PageName {
    /// The page of a question.
    pub fn question(of: &QuestionnaireRef, question: &Question) -> Self {
        Self::Question(of.clone(), question.id.clone())
    }

    /// The page of some reasons of a question.
    pub fn reasons(of: &QuestionnaireRef, question: &Question, group: &ReasonGroup) -> Self {
        let first = group.values.iter().copied().min_by_key(|value| value.0).unwrap_or(Value(0));
        Self::Reasons(of.clone(), question.id.clone(), first)
    }

    /// The clips that speak it, as file names without ending, the most fitting first. A clip of a question carries the version: another
    /// wording must not be spoken.
    pub fn clips(&self) -> Vec<String> {
        let plain = |name: &str| vec![name.to_owned()];
        match self {
            Self::Attract => plain("attract"),
            Self::Choice => plain("choice"),
            Self::Question(of, id) => vec![format!("question-{of}-{id}"), "question".to_owned()],
            Self::Reasons(of, id, first) => {
                vec![format!("reasons-{of}-{id}-{first}"), "reasons".to_owned()]
            }
            Self::Thanks => plain("thanks"),
            Self::StillSaving => plain("still-saving"),
            Self::Held => plain("held"),
            Self::HeldReceived => plain("held-received"),
            Self::HeldWaiting => plain("held-waiting"),
            Self::NotRecorded => plain("not-recorded"),
            Self::StillThere => plain("still-there"),
            Self::Language => plain("language"),
            Self::Help => plain("help"),
            Self::HelpTold => plain("help-told"),
            Self::HelpUntold => plain("help-untold"),
            Self::Cleaning => plain("cleaning"),
            Self::Closed => plain("closed"),
            Self::ClosedRate => vec!["closed-rate".to_owned(), "closed".to_owned()],
            Self::OutOfService => plain("out-of-service"),
            Self::Staff => Vec::new(),
        }
    }
}

/// How loud, against what kiosk.toml says for the hour. Hours without sound stay silent at every level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// Silent.
    Off,
    /// Half of it.
    Low,
    /// As configured.
    #[default]
    Medium,
    /// Half as much again.
    High,
}

impl Level {
    fn of(self, percent: u8) -> u8 {
        match self {
            Self::Off => 0,
            Self::Low => percent.div_ceil(2),
            Self::Medium => percent,
            Self::High => percent.saturating_add(percent / 2).min(100),
        }
    }

    /// One step louder or softer, as far as it goes.
    const fn turned(self, louder: bool) -> Self {
        match (self, louder) {
            (Self::Off | Self::Low, false) => Self::Off,
            (Self::Off, true) | (Self::Medium, false) => Self::Low,
            (Self::Low, true) | (Self::High, false) => Self::Medium,
            (Self::Medium | Self::High, true) => Self::High,
        }
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A touch that counts.
    Click,
    /// A page is shown, for the first time or again.
    Page(PageName, Lang),
    /// The visitor has gone.
    Rest,
    /// Staff set how loud the terminal is.
    Level(Level),
    /// The visitor wants it a step louder or softer; in force until the visitor has gone.
    VisitorTurns {
        /// And not softer.
        louder: bool,
    },
}

/// A sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cue {
    /// A touch counted.
    Click,
    /// The rating is stored.
    Thanks,
    /// A page is spoken.
    Prompt(PageName, Lang),
}

/// What is to be heard now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// How loud everything is from now on; at 0 what sounds is ended.
    pub percent: u8,
    /// The prompt that sounds is ended.
    pub stop_prompt: bool,
    /// What begins; a prompt waits until nothing else sounds.
    pub play: Vec<Cue>,
}

/// Decides what is heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Director {
    config: Option<SoundConfig>,
    level: Level,
    visitor: Option<Level>,
    shown: Option<(PageName, Lang)>,
}

impl Director {
    /// At rest.
    pub fn new(config: Option<SoundConfig>) -> Self {
        Self { config, ..Self::default() }
    }

    /// Another configuration; what is shown is not spoken again.
    pub fn configure(&mut self, config: Option<SoundConfig>) {
        self.config = config;
    }

    /// Takes what happened at an hour; `None`: the hour is not known.
    pub fn handle(&mut self, event: Event, time: Option<NaiveTime>) -> Plan {
        let mut play = Vec::new();
        let mut stop_prompt = false;
        let on = |switch: fn(&SoundConfig) -> bool| self.config.as_ref().is_some_and(switch);
        match event {
            Event::Click => play.extend(on(|config| config.click).then_some(Cue::Click)),
            Event::Page(page, lang) => {
                let now = (page, lang);
                if self.shown.as_ref() != Some(&now) {
                    stop_prompt = true;
                    let arrived = self.shown.as_ref().is_none_or(|(before, _)| *before != now.0);
                    if arrived && now.0 == PageName::Thanks && on(|config| config.thanks) {
                        play.push(Cue::Thanks);
                    }
                    if on(|config| config.prompts) && now.0 != PageName::Staff {
                        play.push(Cue::Prompt(now.0.clone(), now.1.clone()));
                    }
                    self.shown = Some(now);
                }
            }
            Event::Rest => {
                stop_prompt = true;
                self.shown = None;
                self.visitor = None;
            }
            Event::Level(level) => self.level = level,
            Event::VisitorTurns { louder } => {
                self.visitor = Some(self.visitor.unwrap_or(self.level).turned(louder));
                // The step is heard.
                play.push(Cue::Click);
            }
        }
        let percent = self.percent(time);
        if percent == 0 {
            play.clear();
        }
        Plan { percent, stop_prompt, play }
    }

    fn percent(&self, time: Option<NaiveTime>) -> u8 {
        let configured = self.config.as_ref().map_or(0, |config| config.volume.percent_at(time));
        match (self.level, self.visitor) {
            (Level::Off, _) => 0,
            (level, visitor) => visitor.unwrap_or(level).of(configured),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn director() -> Director {
        Director::new(Some(SoundConfig::usual(Path::new(""))))
    }

    fn hour(hour: u32) -> Option<NaiveTime> {
        NaiveTime::from_hms_opt(hour, 0, 0)
    }

    fn page(name: PageName, lang: &str) -> Event {
        Event::Page(name, lang.parse().unwrap())
    }

    fn prompt(name: PageName, lang: &str) -> Cue {
        Cue::Prompt(name, lang.parse().unwrap())
    }

    #[test]
    fn a_page_is_spoken_once_however_often_it_is_drawn() {
        let mut director = director();
        let first = director.handle(page(PageName::Choice, "en"), hour(9));
        assert_eq!(first.play, [prompt(PageName::Choice, "en")]);
        let again = director.handle(page(PageName::Choice, "en"), hour(9));
        assert_eq!(again, Plan { percent: 50, stop_prompt: false, play: vec![] });
        // In another language it is another page, and so it is after the visitor went elsewhere and came back.
        let other = director.handle(page(PageName::Choice, "zh-CN"), hour(9));
        assert_eq!((other.stop_prompt, other.play), (true, vec![prompt(PageName::Choice, "zh-CN")]));
        director.handle(page(PageName::Language, "zh-CN"), hour(9));
        assert_eq!(director.handle(page(PageName::Choice, "zh-CN"), hour(9)).play.len(), 1);
    }

    #[test]
    fn the_tones_of_thanks_come_once_before_the_words() {
        let mut director = director();
        let thanks = director.handle(page(PageName::Thanks, "en"), hour(9));
        assert_eq!(thanks.play, [Cue::Thanks, prompt(PageName::Thanks, "en")]);
        let reread = director.handle(page(PageName::Thanks, "ug"), hour(9));
        assert_eq!(reread.play, [prompt(PageName::Thanks, "ug")]);
    }

    #[test]
    fn a_click_stops_nothing_and_rest_stops_the_voice() {
        let mut director = director();
        director.handle(page(PageName::Choice, "en"), hour(9));
        let click = director.handle(Event::Click, hour(9));
        assert_eq!(click, Plan { percent: 50, stop_prompt: false, play: vec![Cue::Click] });
        let rest = director.handle(Event::Rest, hour(9));
        assert_eq!(rest, Plan { percent: 50, stop_prompt: true, play: vec![] });
        // The next visitor hears the same page again.
        assert_eq!(director.handle(page(PageName::Choice, "en"), hour(9)).play.len(), 1);
    }

    #[test]
    fn at_night_at_an_unknown_hour_and_without_the_section_nothing_is_heard() {
        for (mut director, time) in
            [(director(), hour(23)), (director(), None), (Director::new(None), hour(9))]
        {
            for event in [Event::Click, page(PageName::Thanks, "en"), LOUDER] {
                let plan = director.handle(event, time);
                assert_eq!((plan.percent, plan.play), (0, vec![]));
            }
        }
    }

    #[test]
    fn each_sound_can_be_switched_off_by_itself() {
        let usual = SoundConfig::usual(Path::new(""));
        let mut director = Director::new(Some(SoundConfig { click: false, thanks: false, ..usual.clone() }));
        assert_eq!(director.handle(Event::Click, hour(9)).play, []);
        assert_eq!(
            director.handle(page(PageName::Thanks, "en"), hour(9)).play,
            [prompt(PageName::Thanks, "en")]
        );
        director.configure(Some(SoundConfig { prompts: false, ..usual }));
        assert_eq!(director.handle(page(PageName::Choice, "en"), hour(9)).play, []);
    }

    const LOUDER: Event = Event::VisitorTurns { louder: true };

    #[test]
    fn a_visitors_level_ends_with_the_visit_and_staffs_level_stays() {
        let mut director = director();
        let percent = |director: &mut Director, event: Event| director.handle(event, hour(9)).percent;
        assert_eq!(percent(&mut director, Event::Level(Level::Low)), 25);
        assert_eq!(percent(&mut director, LOUDER), 50);
        assert_eq!(percent(&mut director, LOUDER), 75);
        assert_eq!(percent(&mut director, LOUDER), 75);
        assert_eq!(percent(&mut director, Event::VisitorTurns { louder: false }), 50);
        assert_eq!(percent(&mut director, Event::Click), 50);
        assert_eq!(percent(&mut director, Event::Rest), 25);
        // What staff switched off no visitor switches on.
        assert_eq!(percent(&mut director, Event::Level(Level::Off)), 0);
        assert_eq!(percent(&mut director, LOUDER), 0);
    }

    #[test]
    fn staff_pages_are_not_spoken_and_end_what_is() {
        let mut director = director();
        director.handle(page(PageName::Attract, "en"), hour(9));
        let staff = director.handle(page(PageName::Staff, "en"), hour(9));
        assert_eq!((staff.stop_prompt, staff.play), (true, vec![]));
    }

    #[test]
    fn the_most_fitting_clip_comes_first() {
        let question = PageName::Question("outpatient@2".parse().unwrap(), "overall".parse().unwrap());
        assert_eq!(question.clips(), ["question-outpatient@2-overall", "question"]);
        let reasons =
            PageName::Reasons("outpatient@2".parse().unwrap(), "overall".parse().unwrap(), Value(1));
        assert_eq!(reasons.clips(), ["reasons-outpatient@2-overall-1", "reasons"]);
    }
}
