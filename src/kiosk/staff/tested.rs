//! The patients' pages as the self-test walks them: which there are, what can be pressed on each, and which button a touch means.
//!
//! The pages are drawn by the code that draws them for patients, with another heading, which says that it is a test and never needs more
//! room than theirs. What is written here about a page is held against what is drawn: tests/screens/staff.rs touches every button of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each mapping names the pages and events it has something for"
)]

use std::collections::{BTreeMap, BTreeSet};

use slint::{ComponentHandle, SharedString};

use super::StaffView;
use crate::{
    kiosk::pages,
    lang::Text,
    model::TouchpointId,
    panel::{Grid, Panel},
    questionnaire::{Question, Touchpoint},
    staff::{ButtonState, Press},
    survey::{Event, HelpStage, OutOfHours, Page, Plan},
    ui::{self, AppWindow, Attract, Choice, Language, Notice, Reasons, SelfTest, StillThere, Tested, Thanks},
};

/// Nothing is chosen on the page of the reasons.
static NONE_CHOSEN: BTreeSet<usize> = BTreeSet::new();

/// A patients' page under test, by what it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TestPage {
    /// The invitation.
    Attract,
    /// A page of the list of places, from 0.
    Choice(usize),
    /// A question of a place, from 0.
    Question(TouchpointId, usize),
    /// Reasons of such a question, from 0.
    Reasons(TouchpointId, usize, usize),
    /// The thank-you.
    Thanks,
    /// Is anybody there?
    StillThere,
    /// The languages.
    Language,
    /// Somebody called for help.
    Help,
    /// Nobody is served here now.
    Closed,
}

/// What decides which buttons a page has beside its own.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// More than one language is on offer.
    pub languages: bool,
    /// Somebody can be called.
    pub help: bool,
    /// The glass has no room for help beside the language.
    pub small: bool,
    /// How a list lies, and which page of it shows.
    pub list: (Grid, usize),
}

impl Setting {
    /// That of a terminal.
    pub fn of(plan: &Plan, panel: &Panel, list: (Grid, usize)) -> Self {
        Self { languages: plan.languages.len() > 1, help: plan.help, small: panel.is_small(), list }
    }
}

/// Every page of a terminal that has a button which no page before it has, with the names of all its buttons.
pub fn pages_under_test(plan: &Plan, panel: &Panel, grid: Grid) -> Vec<(TestPage, Vec<String>)> {
    let mut met: BTreeSet<String> = BTreeSet::new();
    let with_buttons = |page: TestPage| {
        let number = if let TestPage::Choice(number) = page { number } else { 0 };
        let buttons = buttons_of(&page.on(plan)?, Setting::of(plan, panel, (grid, number)));
        Some((page, buttons))
    };
    let pages = every_page(plan, grid).into_iter().filter_map(with_buttons);
    pages
        .filter(|(_, buttons)| {
            let known = met.len();
            met.extend(buttons.iter().cloned());
            met.len() > known
        })
        .collect()
}

fn every_page(plan: &Plan, grid: Grid) -> Vec<TestPage> {
    let mut all = Vec::new();
    if !plan.rests_on_question() {
        all.push(TestPage::Attract);
    }
    if plan.touchpoints.len() > 1 {
        all.extend((0..plan.touchpoints.len().div_ceil(grid.per_page().max(1))).map(TestPage::Choice));
    }
    for place in &plan.touchpoints {
        for (at, question) in questions(plan, place).iter().enumerate() {
            all.push(TestPage::Question(place.clone(), at));
            let groups = 0..question.reasons.len();
            all.extend(groups.map(|group| TestPage::Reasons(place.clone(), at, group)));
        }
    }
    all.extend([TestPage::Thanks, TestPage::StillThere]);
    if plan.languages.len() > 1 {
        all.push(TestPage::Language);
    }
    if plan.help {
        all.push(TestPage::Help);
    }
    if plan.out_of_hours == OutOfHours::Offer {
        all.push(TestPage::Closed);
    }
    all
}

fn questions<'a>(plan: &'a Plan, place: &TouchpointId) -> &'a [Question] {
    let of = |place: &Touchpoint| plan.hospital.questionnaire(&place.questionnaire);
    plan.hospital.touchpoint(place).and_then(of).map_or(&[], |asked| &asked.questions)
}

impl TestPage {
    /// As patients see it; `None`: the plan has no such page any more.
    pub fn on<'a>(&self, plan: &'a Plan) -> Option<Page<'a>> {
        Some(match self {
            Self::Attract => Page::Attract,
            Self::Choice(_) => {
                let place = |id| plan.hospital.touchpoint(id);
                Page::Choice(plan.touchpoints.iter().filter_map(place).collect())
            }
            Self::Question(place, at) => {
                let all = questions(plan, place);
                Page::Question { question: all.get(*at)?, number: (at + 1, all.len()), pressed: None }
            }
            Self::Reasons(place, at, group) => {
                let group = questions(plan, place).get(*at)?.reasons.get(*group)?;
                Page::Reasons { group, selected: &NONE_CHOSEN, saving: false }
            }
            Self::Thanks => Page::Thanks { another: plan.touchpoints.len() > 1 },
            Self::StillThere => Page::StillThere { until_ms: 0 },
            Self::Language => Page::Language(&plan.languages),
            Self::Help => Page::Help(HelpStage::Told),
            Self::Closed => Page::Closed { rate: true },
        })
    }

    /// The place that it names at its head.
    pub fn place<'a>(&self, plan: &'a Plan) -> Option<&'a Touchpoint> {
        match (self, plan.touchpoints.as_slice()) {
            (Self::Question(place, _) | Self::Reasons(place, ..), _) => plan.hospital.touchpoint(place),
            (_, [only]) => plan.hospital.touchpoint(only),
            _ => None,
        }
    }
}

fn level_name(question: &Question, at: usize) -> Option<String> {
    let level = *question.levels_on_screen().get(at)?;
    Some(format!("{}:{}", question.id, level.value))
}

/// The names of all buttons of a page, those of the corner last.
pub fn buttons_of(page: &Page<'_>, setting: Setting) -> Vec<String> {
    let Setting { languages, help, small, list: (grid, number) } = setting;
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut buttons: Vec<String> = match page {
        Page::Attract => own(&["begin"]),
        Page::Choice(places) => {
            let (all, first) = (places.len(), number * grid.per_page());
            let shown = places.iter().skip(first).take(grid.per_page());
            let turns = [("previous", number > 0), ("next", first + grid.per_page() < all)];
            let turns = turns.iter().filter(|(_, shown)| *shown).map(|(name, _)| (*name).to_owned());
            shown.map(|place| format!("place:{}", place.id)).chain(turns).collect()
        }
        Page::Question { question, .. } => (0..).map_while(|at| level_name(question, at)).collect(),
        Page::Reasons { group, .. } => {
            let reasons = group.reasons.iter().map(|reason| format!("reason:{}", reason.id));
            reasons.chain(own(&["back", "done"])).collect()
        }
        Page::Thanks { another: true } => own(&["undo", "another"]),
        Page::Thanks { another: false } => own(&["undo"]),
        Page::StillThere { .. } => own(&["here"]),
        Page::Language(langs) => {
            let langs = langs.iter().map(|lang| format!("language:{lang}"));
            langs.chain(own(&["language:back"])).collect()
        }
        Page::Help(_) => own(&["help:back"]),
        Page::Closed { rate: true } => own(&["rate"]),
        _ => Vec::new(),
    };
    let asks = matches!(page, Page::Attract | Page::Choice(_) | Page::Question { .. } | Page::Reasons { .. });
    let lists_languages = matches!(page, Page::Language(_));
    if help && (lists_languages || (asks && !(small && languages))) {
        buttons.push("help".to_owned());
    }
    if languages && !lists_languages {
        buttons.push("language".to_owned());
    }
    buttons
}

/// Which button of a page was tapped.
pub fn button_of(page: &Page<'_>, event: &Event) -> Option<String> {
    let name = match (event, page) {
        (Event::PickTouchpoint(at), Page::Choice(places)) => {
            return Some(format!("place:{}", places.get(*at)?.id));
        }
        (Event::Rate(at), Page::Question { question, .. }) => return level_name(question, *at),
        (Event::ToggleReason(at), Page::Reasons { group, .. }) => {
            return Some(format!("reason:{}", group.reasons.get(*at)?.id));
        }
        (Event::PickLanguage(at), Page::Language(langs)) => {
            return Some(format!("language:{}", langs.get(*at)?));
        }
        (Event::Begin, Page::Attract) => "begin",
        // A notice has one button; what it does is decided elsewhere.
        (Event::Begin | Event::Dismiss, Page::Help(_)) => "help:back",
        (Event::Begin | Event::Dismiss, Page::Closed { .. }) => "rate",
        (Event::ReasonsDone, _) => "done",
        (Event::Back, _) => "back",
        (Event::Undo, _) => "undo",
        (Event::Another, _) => "another",
        (Event::StillHere, _) => "here",
        (Event::OpenLanguages, _) => "language",
        (Event::KeepLanguage, _) => "language:back",
        (Event::CallHelp, _) => "help",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Puts the patients' page of a view on a window, with what is left as its heading and a tick on every button whose entry is stored.
pub(super) fn show(view: &StaffView, buttons: &[ButtonState], left: usize, window: &AppWindow) {
    pages::show(&view.frame, window);
    let heading: ui::Line = view.frame.speaker.words(Text::SelfTestLeft).with(&left.to_string()).into();
    match view.frame.page {
        Page::Attract => window.global::<Attract>().set_title(heading),
        Page::Choice(_) => window.global::<Choice>().set_title(heading),
        Page::Question { .. } => window.global::<ui::Question>().set_title(heading),
        Page::Reasons { .. } => window.global::<Reasons>().set_title(heading),
        Page::Thanks { .. } => window.global::<Thanks>().set_title(heading),
        Page::StillThere { .. } => window.global::<StillThere>().set_title(heading),
        Page::Language(_) => window.global::<Language>().set_title(heading),
        _ => window.global::<Notice>().set_title(heading),
    }
    let looks: BTreeMap<String, Tested> =
        buttons.iter().map(|button| (button.id.clone(), look(button))).collect();
    let test = window.global::<SelfTest>();
    test.on_look(move |name: SharedString, _| looks.get(name.as_str()).copied().unwrap_or(Tested::No));
    test.set_round(test.get_round().wrapping_add(1));
    test.set_on(true);
}

const fn look(button: &ButtonState) -> Tested {
    match button.state {
        Press::Untouched | Press::Failed => Tested::No,
        Press::Pressed => Tested::Pressed,
        Press::Stored => Tested::Stored,
    }
}
