//! Every page there is, each in every variant and with the most it has to hold: for pictures and for the audit.
//!
//! A [`Scene`] is data; [`Gallery::show`] puts it on a [`Stage`] without a visit. What the pages say comes from a hospital and a
//! catalogue; where there is a choice, the longest text is taken.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each question names the scenes it is about; all others are as usual"
)]

pub(super) mod staff;

use std::collections::BTreeSet;

use anyhow::Context;
use slint::ComponentHandle;

use super::{stage::Stage, tour::HELD_SHOWN};
use crate::{
    config,
    fonts::Fonts,
    kiosk::pages::{self, ChoicePage, Speaker, View},
    lang::{Languages, Text, unbroken},
    model::{Lang, Scale},
    panel::Corner,
    questionnaire::{Hospital, Question, Questionnaire, ReasonGroup, Texts, Touchpoint},
    survey::{HeldStage, HelpStage, OutOfService, Page},
    ui,
};

/// A page in one of its variants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    /// For captions and file names, such as `question-csat5`.
    pub name: String,
    /// What it belongs to.
    pub group: Group,
    content: Content,
    touch: Touch,
    /// The corner has its longest word for staff.
    badge: bool,
}

/// What scenes belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    /// What patients go through.
    Patient,
    /// What the terminal itself has to say.
    Notice,
    /// The staff area.
    Staff,
    /// A page under a finger or with the ring of the keyboard.
    Touched,
}

/// A language on the screen and the courtesy one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Voice {
    /// The visitor's.
    pub lang: Lang,
    /// Shown smaller below.
    pub second: Option<Lang>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Content {
    Attract,
    /// So many places in all, and which page of them shows.
    Choice(usize, usize),
    Question(Scale),
    Reasons(usize),
    Thanks {
        undo: bool,
        another: bool,
    },
    StillThere,
    Language,
    StillSaving,
    Held(HeldStage),
    NotStored,
    OutOfService(OutOfService),
    Help(HelpStage),
    Cleaning,
    Closed {
        rate: bool,
    },
    Staff(staff::Sheet),
}

impl Content {
    /// The patients' page that a page of the self-test shows, where nothing hinders it: six reasons are too many for some glasses.
    fn under_test(self) -> Option<Self> {
        use staff::Tested;
        let Self::Staff(sheet) = self else { return None };
        Some(match sheet.tested()? {
            Tested::Attract => Self::Attract,
            Tested::Choice => Self::Choice(25, 1),
            Tested::Cards => Self::Question(Scale::Csat5),
            Tested::Keys => Self::Question(Scale::Nps11),
            Tested::Reasons => Self::Reasons(4),
            Tested::Thanks => Self::Thanks { undo: true, another: true },
            Tested::StillThere => Self::StillThere,
            Tested::Language => Self::Language,
            Tested::Help => Self::Help(HelpStage::Told),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Touch {
    None,
    /// The ring stands on the target of this number.
    Ring(usize),
    /// A finger is on it.
    Finger(usize),
}

/// What the scenes say.
pub struct Gallery {
    hospitals: Vec<Hospital>,
    languages: Languages,
    /// For a scale that nobody asks on.
    any: Question,
}

impl Gallery {
    /// Scenes with the words of hospitals: in each language of the first one that has it.
    ///
    /// # Errors
    /// Nobody asks anything.
    pub fn new(hospitals: Vec<Hospital>, languages: Languages) -> anyhow::Result<Self> {
        let asked = hospitals.iter().flat_map(|hospital| &hospital.questionnaires);
        let first = asked.flat_map(|asked| &asked.questions).next();
        let any = first.cloned().context("no hospital asks anything")?;
        Ok(Self { hospitals, languages, any })
    }

    /// Scenes of the shipped examples in the shipped languages.
    ///
    /// # Errors
    /// The program itself is broken.
    pub fn shipped() -> anyhow::Result<Self> {
        Self::new(config::example_hospitals().into(), Languages::shipped()?)
    }

    /// The fonts, for the stage.
    pub fn fonts(&self) -> &Fonts {
        &self.languages.fonts
    }

    /// Whether lines run from right to left.
    pub fn right_to_left(&self, voice: &Voice) -> bool {
        self.languages.catalogue.right_to_left(voice.lang.as_str())
    }

    /// Each language, below it a second one of the other kind: Chinese for the world, English for China.
    pub fn voices(&self) -> Vec<Voice> {
        let langs: Vec<Lang> = self.languages.catalogue.tags().filter_map(|tag| tag.parse().ok()).collect();
        let find = |tag: &str| langs.iter().find(|lang| lang.as_str() == tag).cloned();
        let second = |lang: &Lang| find(if lang.as_str().starts_with("zh") { "en" } else { "zh-CN" });
        langs.iter().map(|lang| Voice { lang: lang.clone(), second: second(lang) }).collect()
    }

    /// Every scene.
    pub fn scenes() -> Vec<Scene> {
        let mut scenes = patient_scenes();
        scenes.extend(notice_scenes());
        scenes.extend(
            staff::Sheet::all().map(|sheet| scene(sheet.name(), Group::Staff, Content::Staff(sheet))),
        );
        scenes.extend(touched_scenes());
        scenes.extend(badge_scenes());
        scenes
    }

    /// Puts a scene on a stage.
    pub fn show(&self, stage: &mut Stage, scene: &Scene, voice: &Voice) {
        stage.clear();
        let speaker = Speaker {
            catalogue: &self.languages.catalogue,
            fonts: &self.languages.fonts,
            lang: &voice.lang,
            second: voice.second.as_ref(),
        };
        self.fill(stage, scene, &speaker);
        stage.settle();
        match scene.touch {
            Touch::None => {}
            Touch::Ring(number) => (0..=number).for_each(|_| stage.tab()),
            Touch::Finger(number) => {
                if let Some(target) = stage.sketch().targets.get(number) {
                    stage.press_at(target.area.center());
                }
            }
        }
    }

    fn hospital(&self, lang: &Lang) -> &Hospital {
        let speaks = |hospital: &&Hospital| hospital.languages.contains(lang);
        self.hospitals.iter().find(speaks).unwrap_or(&self.hospitals[0])
    }

    fn fill(&self, stage: &Stage, scene: &Scene, speaker: &Speaker) {
        let (shown, lang) = (&scene.content, speaker.lang);
        // Under the self-test lies the patients' page that it shows.
        let content = &shown.under_test().unwrap_or(*shown);
        let ((asks, question), (wants, group)) = (self.question(content, lang), self.group(content, lang));
        let by = match content {
            Content::Question(_) => asks,
            Content::Reasons(_) => wants,
            _ => None,
        };
        let (places, some) = (self.places(content, lang, by), [0, 2].into());
        let mut langs: Vec<Lang> =
            self.languages.catalogue.tags().filter_map(|tag| tag.parse().ok()).collect();
        // The corner speaks the language at rest.
        langs.sort_by_key(|other| scene.badge && other != lang);
        let page = match content {
            Content::Attract | Content::Staff(_) => Page::Attract,
            Content::Choice(..) => Page::Choice(places.clone()),
            Content::Question(_) => asked(&question),
            Content::Reasons(_) => reasons(&group, &some),
            Content::Thanks { another, .. } => Page::Thanks { another: *another },
            Content::StillThere => Page::StillThere { until_ms: 0 },
            Content::Language => Page::Language(&langs),
            Content::StillSaving => Page::StillSaving,
            Content::Held(stage) => Page::Held(*stage),
            Content::NotStored => Page::NotStored,
            Content::OutOfService(why) => Page::OutOfService(*why),
            Content::Help(stage) => Page::Help(*stage),
            Content::Cleaning => Page::Cleaning { until_ms: 0 },
            Content::Closed { rate } => Page::Closed { rate: *rate },
        };
        let names: Vec<String> = places.iter().map(|place| place.name.get(lang).to_owned()).collect();
        let corner = Corner::Patient(Some(speaker.text(Text::HelpButton)));
        let grid = speaker.grid(stage.glass(), Text::ChoiceTitle, &names, corner);
        let last = places.len().saturating_sub(1) / grid.per_page();
        let number = if let Content::Choice(_, page) = content { last.min(*page) } else { 0 };
        let view = View {
            page,
            speaker: *speaker,
            place: places.first().copied(),
            hospital: self.hospital(lang).sites.first().map(|site| &site.name),
            languages: &langs,
            choice: ChoicePage { number, grid },
            help: true,
            left_ms: 20_000,
            badge: scene.badge.then(|| longest_badge(speaker)),
        };
        let undo = !matches!(content, Content::Thanks { undo: false, .. });
        stage.window().global::<ui::Thanks>().set_undo_shown(undo);
        match shown {
            Content::Staff(sheet) => sheet.show(view, self.hospital(lang), stage.window(), stage.glass()),
            _ => pages::show(&view, stage.window()),
        }
    }

    /// The longest question on a scale, and who asks it.
    fn question(&self, content: &Content, lang: &Lang) -> (Option<&Questionnaire>, Question) {
        let scale = match content {
            Content::Question(scale) => *scale,
            _ => Scale::Csat5,
        };
        let on_scale = self.asked(lang).filter(|(_, question)| question.scale == scale);
        let longest = on_scale.max_by_key(|(_, question)| length(&question.text, lang));
        let (by, question) = longest.unzip();
        (by, Question { scale, ..question.unwrap_or(&self.any).clone() })
    }

    /// The group of so many reasons that has the longest one, and who asks for it; cut from a larger one where nobody asks for so few.
    fn group(&self, content: &Content, lang: &Lang) -> (Option<&Questionnaire>, ReasonGroup) {
        let count = if let Content::Reasons(count) = content { *count } else { 1 };
        let groups: Vec<(&Questionnaire, &ReasonGroup)> = self
            .asked(lang)
            .flat_map(|(by, question)| question.reasons.iter().map(move |group| (by, group)))
            .collect();
        let widest =
            |group: &ReasonGroup| group.reasons.iter().map(|reason| length(&reason.text, lang)).max();
        let exact = groups.iter().filter(|(_, group)| group.reasons.len() == count);
        let larger = groups.iter().filter(|(_, group)| group.reasons.len() > count);
        let found = exact.max_by_key(|(_, group)| widest(group));
        let (by, group) = found.or_else(|| larger.max_by_key(|(_, group)| widest(group))).copied().unzip();
        let mut group = group.map_or_else(empty_group, Clone::clone);
        group.reasons.sort_by_key(|reason| std::cmp::Reverse(length(&reason.text, lang)));
        group.reasons.truncate(count);
        (by, group)
    }

    /// Every question in a language, with the questionnaire it is from.
    fn asked(&self, lang: &Lang) -> impl Iterator<Item = (&Questionnaire, &Question)> {
        let questionnaires = self.hospital(lang).questionnaires.iter();
        questionnaires.flat_map(|by| by.questions.iter().map(move |question| (by, question)))
    }

    /// Touchpoints with the longest names first, over again where there are not enough; where something is asked, those that ask it.
    fn places(&self, content: &Content, lang: &Lang, by: Option<&Questionnaire>) -> Vec<&Touchpoint> {
        let count = if let Content::Choice(total, _) = content { *total } else { 1 };
        let mut places: Vec<&Touchpoint> = self.hospital(lang).touchpoints.iter().collect();
        let asks = |place: &Touchpoint| by.is_some_and(|by| place.questionnaire == by.id);
        places.sort_by_key(|place| (!asks(place), std::cmp::Reverse(length(&place.name, lang))));
        places
            .into_iter()
            .cycle()
            .take(if self.hospital(lang).touchpoints.is_empty() { 0 } else { count })
            .collect()
    }
}

fn scene(name: &str, group: Group, content: Content) -> Scene {
    Scene { name: name.to_owned(), group, content, touch: Touch::None, badge: false }
}

fn patient_scenes() -> Vec<Scene> {
    let of = |name: &str, content| scene(name, Group::Patient, content);
    let mut scenes = vec![of("attract", Content::Attract)];
    for count in [1, 4, 6, 9, 12] {
        scenes.push(of(&format!("choice-{count}"), Content::Choice(count, 0)));
    }
    // So many that the second page can be turned both ways, and the last one.
    scenes.push(of("choice-middle", Content::Choice(25, 1)));
    scenes.push(of("choice-last", Content::Choice(25, usize::MAX)));
    for scale in Scale::ALL {
        scenes.push(of(&format!("question-{}", scale.name().replace('_', "-")), Content::Question(scale)));
    }
    for count in [3, 4, 6, 7] {
        scenes.push(of(&format!("reasons-{count}"), Content::Reasons(count)));
    }
    scenes.push(of("thanks", Content::Thanks { undo: true, another: false }));
    scenes.push(of("thanks-another", Content::Thanks { undo: true, another: true }));
    scenes.push(of("thanks-kept", Content::Thanks { undo: false, another: false }));
    scenes.push(of("still-there", Content::StillThere));
    scenes.push(of("language", Content::Language));
    scenes
}

fn notice_scenes() -> Vec<Scene> {
    let of = |name: &str, content| scene(name, Group::Notice, content);
    vec![
        of("help-calling", Content::Help(HelpStage::Calling)),
        of("help-told", Content::Help(HelpStage::Told)),
        of("help-untold", Content::Help(HelpStage::Untold)),
        of("cleaning", Content::Cleaning),
        of("closed", Content::Closed { rate: false }),
        of("closed-rate", Content::Closed { rate: true }),
        of("still-saving", Content::StillSaving),
        of("held", Content::Held(HeldStage::Sending)),
        of("held-received", Content::Held(HeldStage::Received)),
        of("held-waiting", Content::Held(HeldStage::Waiting { unsaved: HELD_SHOWN })),
        of("not-stored", Content::NotStored),
        of("not-set-up", Content::OutOfService(OutOfService::NotSetUp)),
        of("out-of-service", Content::OutOfService(OutOfService::Storage)),
    ]
}

fn touched_scenes() -> Vec<Scene> {
    let of = |name: &str, content, touch| Scene { touch, ..scene(name, Group::Touched, content) };
    let (question, reasons) = (Content::Question(Scale::Csat5), Content::Reasons(6));
    let thanks = Content::Thanks { undo: true, another: true };
    vec![
        of("question-ring", question, Touch::Ring(3)),
        of("question-finger", question, Touch::Finger(3)),
        of("keys-ring", Content::Question(Scale::Nps11), Touch::Ring(8)),
        of("keys-finger", Content::Question(Scale::Nps11), Touch::Finger(8)),
        of("reasons-ring", reasons, Touch::Ring(2)),
        of("reasons-finger", reasons, Touch::Finger(3)),
        of("choice-ring", Content::Choice(6, 0), Touch::Ring(4)),
        of("choice-finger", Content::Choice(6, 0), Touch::Finger(4)),
        of("attract-ring", Content::Attract, Touch::Ring(2)),
        of("attract-finger", Content::Attract, Touch::Finger(2)),
        of("thanks-ring", thanks, Touch::Ring(1)),
        of("still-there-ring", Content::StillThere, Touch::Ring(1)),
        of("language-ring", Content::Language, Touch::Ring(1)),
    ]
}

/// Pages with something in their lower corner, under the word for staff.
fn badge_scenes() -> Vec<Scene> {
    let of = |name: &str, content| Scene { badge: true, ..scene(name, Group::Notice, content) };
    vec![
        of("attract-badge", Content::Attract),
        of("choice-badge", Content::Choice(25, 1)),
        of("question-badge", Content::Question(Scale::Csat5)),
        of("reasons-badge", Content::Reasons(6)),
        of("pin-badge", Content::Staff(staff::Sheet::PinTyped)),
    ]
}

fn longest_badge(speaker: &Speaker) -> Text {
    let length = |text: Text| speaker.text(text).chars().count();
    let (refused, offline) = (Text::BadgeConfigRefused, Text::BadgeOffline);
    if length(refused) > length(offline) { refused } else { offline }
}

fn asked(question: &Question) -> Page<'_> {
    Page::Question { question, number: (1, 1), pressed: None }
}

fn reasons<'a>(group: &'a ReasonGroup, selected: &'a BTreeSet<usize>) -> Page<'a> {
    Page::Reasons { group, selected, saving: false }
}

/// How much room a text takes: an ideograph as much as two letters.
fn length(texts: &Texts, lang: &Lang) -> usize {
    unbroken(texts.get(lang)).chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

fn empty_group() -> ReasonGroup {
    ReasonGroup { values: Vec::new(), prompt: Texts::default(), reasons: Vec::new() }
}
