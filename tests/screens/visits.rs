//! A terminal of the six-language example on a panel in memory, and what a visitor of any language sees, hears and touches on it.
//!
//! No label is written down here: what a button says comes from the catalogue and from the example, as on the pages.
#![allow(
    clippy::unwrap_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::sync::{Arc, LazyLock};

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::ComponentHandle;
use xinsheng::clock::{Clock, SimClock};
use xinsheng::config::{self, KioskSetup};
use xinsheng::lang::{Languages, Text, unbroken};
use xinsheng::model::{BootId, Lang, Value};
use xinsheng::page_audit::Area;
use xinsheng::questionnaire::{Question, ReasonGroup, Texts, Touchpoint};
use xinsheng::simulator::SimPanel;
use xinsheng::terminal::setup_of;
use xinsheng::terminal::{Parts, Setup};
use xinsheng::ui;
use xinsheng::wire::{Answer, Body, EndOutcome, Reasons, ResponseEnd};

pub(crate) use crate::backstage;

use backstage::Backstage;

pub const LANGUAGES: [&str; 6] = ["zh-CN", "zh-TW", "en", "ug", "bo", "ja"];
/// The one of them whose pages are mirrored.
pub const MIRRORED: &str = "ug";

/// How long an answer can be changed.
pub const UNDO_MS: u64 = 5_000;

/// How long a visitor looks at a page before the tap: longer than what counts as a double strike.
pub const LOOK_MS: u64 = 1_000;

/// The places of a terminal that asks where somebody has been, and the one that is rated.
pub const PLACES: [&str; 3] = ["pharmacy", "registration", "ward"];
pub const RATED: usize = 1;
/// The reasons that are ticked, by their place.
pub const TICKED: [usize; 2] = [0, 2];

/// The example terminal, asking what the example in six languages asks.
pub static EXAMPLE: LazyLock<KioskSetup> = LazyLock::new(|| {
    let [_, hospital] = config::example_hospitals();
    KioskSetup { hospital, ..config::example().value }
});

pub static SHIPPED: LazyLock<Languages> = LazyLock::new(|| Languages::shipped().unwrap());

#[derive(Clone, Copy, Debug)]
pub enum Glass {
    Landscape,
    Portrait,
}

/// Runs a behaviour for each language. Each has a thread of its own, because a thread has one screen; it is called by the language, so that
/// what fails is.
pub fn in_each_language(behaves: fn(&Lang)) {
    let known: Vec<&str> = EXAMPLE.hospital.languages.iter().map(Lang::as_str).collect();
    assert_eq!(known, LANGUAGES, "the example has other languages than are tested");
    let holds = |tag: &&str| {
        let lang = lang(tag);
        let thread = std::thread::Builder::new().name(format!("in {tag}"));
        thread.spawn(move || behaves(&lang)).unwrap().join().is_ok()
    };
    let failed: Vec<&str> = LANGUAGES.into_iter().filter(|tag| !holds(tag)).collect();
    assert!(failed.is_empty(), "does not hold in {failed:?}; what each met stands above");
}

pub fn lang(tag: &str) -> Lang {
    tag.parse().unwrap()
}

/// A language for the resting page that is not this one, so that going back to it is seen.
pub fn another_than(visitors: &Lang) -> Lang {
    lang(LANGUAGES.into_iter().find(|tag| *tag != visitors.as_str()).unwrap())
}

pub fn is_mirrored(lang: &Lang) -> bool {
    lang.as_str() == MIRRORED
}

/// A text of the pages, as it is announced.
pub fn say(lang: &Lang, text: Text) -> String {
    unbroken(SHIPPED.catalogue.text(lang.as_str(), text))
}

/// The same with a number in it.
pub fn say_n(lang: &Lang, text: Text, n: impl ToString) -> String {
    say(lang, text).replace("{n}", &n.to_string())
}

/// A text of the configuration, as it is announced.
pub fn read(lang: &Lang, texts: &Texts) -> String {
    unbroken(texts.get(lang))
}

/// The level at this place of a question's scale, 0 the worst, as it is announced: by its words or, a number key, by its number.
pub fn level(lang: &Lang, question: &Question, place: usize) -> String {
    let words = Text::level(question.scale.name(), place + 1);
    words.map_or_else(|| question.scale.levels()[place].value.to_string(), |text| say(lang, text))
}

pub fn place(id: &str) -> &'static Touchpoint {
    EXAMPLE.hospital.touchpoint(&id.parse().unwrap()).unwrap()
}

pub fn question(place: &Touchpoint) -> &'static Question {
    EXAMPLE.hospital.questionnaire(&place.questionnaire).unwrap().questions.first().unwrap()
}

/// What is rated in these visits, and the reasons asked for after its lowest level.
pub fn rated() -> (&'static Touchpoint, &'static Question, &'static ReasonGroup) {
    let place = place(PLACES[RATED]);
    let question = question(place);
    (place, question, question.reasons_for(question.scale.levels()[0].value).unwrap())
}

pub struct Terminal {
    pub panel: SimPanel,
    pub behind: Backstage,
    pub size: (u32, u32),
    /// The least side of a target.
    target_px: f32,
}

impl Terminal {
    /// The page at rest speaks `resting`, and asks about one place or which of several.
    pub fn new(resting: &Lang, places: &[&str], glass: Glass) -> Self {
        let mut setup = EXAMPLE.clone();
        let others = setup.hospital.languages.iter().filter(|lang| *lang != resting);
        setup.kiosk.languages = [resting].into_iter().chain(others).cloned().collect();
        setup.kiosk.touchpoints = places.iter().map(|id| id.parse().unwrap()).collect();
        setup.kiosk.start = if places.len() > 1 { config::Start::Attract } else { config::Start::Question };
        setup.kiosk.panel.rotation_deg = match glass {
            Glass::Landscape => 0,
            Glass::Portrait => 90,
        };
        let Setup { plan, second_language, panel: glass, low_reach, look } = setup_of(&setup);
        let wall = "2026-11-21T02:00:00Z".parse().unwrap();
        let clock = Arc::new(SimClock::at(wall, BootId::from_parts(0, [1; 10])));
        let mut behind = Backstage::open(tempfile::tempdir().unwrap(), clock.clone());
        let panel = SimPanel::new(glass, clock, |clock| Parts {
            plan,
            catalogue: SHIPPED.catalogue.clone(),
            fonts: SHIPPED.fonts.clone(),
            second_language,
            panel: glass,
            low_reach,
            look,
            full_screen: false,
            clock,
            store: behind.store(),
            staff: behind.staff(),
            sound: xinsheng::sound::SoundHandle::silent(),
        });
        let panel = panel.unwrap();
        behind.serve(panel.kiosk());
        let metrics = glass.metrics(1.0);
        Self { panel, behind, size: glass.page_px(), target_px: metrics.target as f32 }
    }

    /// A terminal that asks about one place, at which somebody has chosen their language.
    pub fn spoken_to_in(visitors: &Lang) -> Self {
        let resting = another_than(visitors);
        let mut terminal = Self::new(&resting, &[PLACES[RATED]], Glass::Landscape);
        terminal.choose_language(&resting, visitors);
        terminal
    }

    pub fn wait(&mut self, ms: u64) {
        self.panel.advance(ms);
        self.settle();
    }

    /// Waits for the last millisecond before something is due, and for that one.
    pub fn just_before(&mut self, ms: u64, still: impl Fn(&Self)) {
        self.wait(ms - 1);
        still(self);
        self.wait(1);
    }

    /// Everything handed to the journal is on the disk, and the page knows.
    pub fn settle(&mut self) {
        self.behind.committed();
        self.panel.settle();
    }

    // By label.

    pub fn buttons(&self, label: &str) -> Vec<ElementHandle> {
        ElementHandle::find_by_accessible_label(self.panel.window(), label)
            .filter(|element| element.accessible_role() == Some(AccessibleRole::Button))
            .collect()
    }

    pub fn offers(&self, label: &str) -> bool {
        !self.buttons(label).is_empty()
    }

    pub fn button(&self, label: &str) -> ElementHandle {
        let mut found = self.buttons(label);
        assert_eq!(found.len(), 1, "`{label}` among {:?}", self.labels());
        found.remove(0)
    }

    pub fn labels(&self) -> Vec<String> {
        let buttons = ElementQuery::from_root(self.panel.window())
            .match_descendants()
            .match_accessible_role(AccessibleRole::Button);
        buttons.find_all().iter().filter_map(|button| button.accessible_label().map(String::from)).collect()
    }

    /// Looks at the page, then presses what is announced with these words, as an assistive program does.
    pub fn press(&mut self, label: &str) {
        self.wait(LOOK_MS);
        self.button(label).invoke_accessible_default_action();
        self.settle();
    }

    pub fn shows(&self, text: &str) -> bool {
        ElementHandle::find_by_accessible_label(self.panel.window(), text).next().is_some()
    }

    #[track_caller]
    pub fn assert_shows(&self, text: &str) {
        assert!(self.shows(text), "no `{text}`; the buttons are {:?}", self.labels());
    }

    #[track_caller]
    pub fn assert_asks(&self, lang: &Lang) {
        let (_, question, _) = rated();
        self.assert_shows(&read(lang, &question.text));
        assert!(self.offers(&level(lang, question, 0)), "{:?}", self.labels());
    }

    pub fn choose_language(&mut self, from: &Lang, to: &Lang) {
        self.press(&say(from, Text::LanguageButton));
        self.assert_shows(&say(from, Text::LanguageTitle));
        self.press(SHIPPED.catalogue.name(to.as_str()));
    }

    /// From the question to the thanks: the lowest level and two reasons for it.
    pub fn rate_and_say_why(&mut self, lang: &Lang) {
        let (_, question, group) = rated();
        self.press(&level(lang, question, 0));
        self.assert_shows(&read(lang, &group.prompt));
        for reason in TICKED {
            let label = read(lang, &group.reasons[reason].text);
            self.press(&label);
            assert_eq!(self.button(&label).accessible_checked(), Some(true), "{label}");
        }
        self.press(&say(lang, Text::ReasonsDone));
        self.assert_shows(&say(lang, Text::ThanksTitle));
    }

    // By pixel.

    pub fn touch(&mut self, target: Area) {
        self.panel.advance(LOOK_MS);
        self.panel.tap_at(target.center());
        self.settle();
    }

    /// What is drawn as something to touch, row by row, each from where a line of the language begins.
    pub fn rows(&self, lang: &Lang) -> Vec<Vec<Area>> {
        let mut plates = self.plates();
        plates.sort_by(|a, b| a.center().1.total_cmp(&b.center().1));
        let mut rows: Vec<Vec<Area>> = Vec::new();
        for plate in plates {
            match rows.last_mut() {
                Some(row) if row[0].bottom() > plate.center().1 => row.push(plate),
                _ => rows.push(vec![plate]),
            }
        }
        for row in &mut rows {
            row.sort_by(|a, b| a.x.total_cmp(&b.x));
            if is_mirrored(lang) {
                row.reverse();
            }
        }
        rows
    }

    /// Every plate on the glass that is large enough for a finger, found in the frame alone: a patch that is not of the ground's color and
    /// fills its rectangle. Letters and drawings do neither.
    pub fn plates(&self) -> Vec<Area> {
        const STEP: u32 = 4;
        const FILLED: f32 = 0.9;
        let columns = (self.size.0 / STEP) as usize;
        let ground = self.panel.pixel(1, 1);
        let mut covered: Vec<bool> = (0..self.size.1 / STEP)
            .flat_map(|y| (0..self.size.0 / STEP).map(move |x| (x * STEP, y * STEP)))
            .map(|(x, y)| self.panel.pixel(x, y) != ground)
            .collect();
        let mut plates = Vec::new();
        for start in 0..covered.len() {
            let patch = take_patch(&mut covered, columns, start);
            let Some(area) = patch.iter().map(|&cell| cell_area(cell, columns)).reduce(|a, b| a.union(&b))
            else {
                continue;
            };
            let filled = patch.len() as f32 / (area.width * area.height);
            let scaled = |length: f32| length * STEP as f32;
            let least = self.target_px - scaled(1.0);
            if filled > FILLED && scaled(area.width) >= least && scaled(area.height) >= least {
                let (x, y) = (scaled(area.x), scaled(area.y));
                plates.push(Area { x, y, width: scaled(area.width), height: scaled(area.height) });
            }
        }
        plates
    }

    /// Every second pixel of an area, with its place.
    pub fn pixels(&self, area: Area) -> Vec<((u32, u32), [u8; 3])> {
        let across = (area.x as u32..area.right() as u32).step_by(2);
        let down = (area.y as u32..area.bottom() as u32).step_by(2);
        down.flat_map(|y| across.clone().map(move |x| (x, y)))
            .map(|at| (at, self.panel.pixel(at.0, at.1)))
            .collect()
    }

    /// The corner's outermost button is on the side where a line ends.
    #[track_caller]
    pub fn assert_corner(&self, language_button: Area, lang: &Lang) {
        let on_the_left = language_button.center().0 < self.size.0 as f32 / 2.0;
        assert_eq!(on_the_left, is_mirrored(lang), "{language_button:?}");
    }

    // Behind the glass.

    pub fn page(&self) -> ui::Page {
        self.panel.window().global::<ui::Shell>().get_page()
    }

    pub fn lang(&self) -> Lang {
        self.panel.kiosk().with_survey(|survey| survey.lang().clone())
    }

    pub fn up_ms(&self) -> u64 {
        self.panel.clock().now().up_ms
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.behind.entries().iter().map(Body::kind).collect()
    }

    pub fn answers(&self) -> Vec<Answer> {
        let answer = |body| if let Body::Answer(answer) = body { Some(answer) } else { None };
        self.behind.entries().into_iter().filter_map(answer).collect()
    }

    pub fn reasons(&self) -> Vec<Reasons> {
        let reasons = |body| if let Body::Reasons(reasons) = body { Some(reasons) } else { None };
        self.behind.entries().into_iter().filter_map(reasons).collect()
    }

    pub fn ends(&self) -> Vec<ResponseEnd> {
        let end = |body| if let Body::ResponseEnd(end) = body { Some(end) } else { None };
        self.behind.entries().into_iter().filter_map(end).collect()
    }

    /// The journal holds the lowest level of the rated question and the ticked reasons, in the visitor's language, and nothing else.
    #[track_caller]
    pub fn assert_visit_recorded(&self, lang: &Lang) {
        let (place, question, group) = rated();
        assert_eq!(self.kinds(), ["answer", "reasons"]);
        let (answer, reasons) = (self.answers().remove(0), self.reasons().remove(0));
        assert_eq!((&answer.touchpoint, &answer.question), (&place.id, &question.id));
        assert_eq!((&answer.questionnaire, answer.scale), (&place.questionnaire, question.scale));
        assert_eq!((answer.value, &answer.lang), (Value(1), lang));
        assert_eq!(answer.order, [1, 2, 3, 4, 5].map(Value));
        assert_eq!(answer.flags, []);
        let ticked = TICKED.map(|at| group.reasons[at].id.clone());
        assert_eq!((&reasons.response, &reasons.touchpoint), (&answer.response, &place.id));
        assert_eq!((&reasons.question, reasons.value, &reasons.lang), (&question.id, Value(1), lang));
        assert_eq!(reasons.reasons, ticked);
    }

    /// The thanks go by themselves: the visit is complete, and the page at rest speaks its own language again.
    pub fn assert_ends_by_itself(&mut self, resting: &Lang) {
        let response = self.answers().remove(0).response;
        self.wait(UNDO_MS);
        let ends: Vec<_> = self.ends().iter().map(|end| (end.response, end.outcome)).collect();
        assert_eq!(ends, [(response, EndOutcome::Completed)]);
        assert!(self.panel.kiosk().at_rest());
        assert_eq!(self.lang(), *resting);
        self.assert_shows(&say(resting, Text::AttractTitle));
    }

    /// Five touches on the head of the page, where there is no button.
    pub fn knock(&mut self) {
        let middle = self.size.0 as f32 / 2.0;
        for _ in 0..5 {
            self.panel.advance(300);
            self.panel.tap_at((middle, 30.0));
        }
    }

    pub fn type_pin(&mut self, lang: &Lang, pin: &str) {
        for digit in pin.chars() {
            self.press(&digit.to_string());
        }
        self.press(&say(lang, Text::StaffEnter));
        self.behind.answered();
        self.settle();
    }
}

/// Takes out all cells that hang together with this one; none if it is not covered.
fn take_patch(covered: &mut [bool], columns: usize, start: usize) -> Vec<usize> {
    let (mut patch, mut next) = (Vec::new(), vec![start]);
    while let Some(cell) = next.pop() {
        if !std::mem::take(&mut covered[cell]) {
            continue;
        }
        patch.push(cell);
        let column = cell % columns;
        next.extend((column > 0).then(|| cell - 1));
        next.extend((column + 1 < columns).then(|| cell + 1));
        next.extend(cell.checked_sub(columns));
        next.extend(Some(cell + columns).filter(|below| *below < covered.len()));
    }
    patch
}

fn cell_area(cell: usize, columns: usize) -> Area {
    Area { x: (cell % columns) as f32, y: (cell / columns) as f32, width: 1.0, height: 1.0 }
}

/// Whether an eye tells two colors apart: the edge of a card that is drawn anew in part may be a shade off.
pub fn differ(a: [u8; 3], b: [u8; 3]) -> bool {
    a.iter().zip(b).any(|(a, b)| a.abs_diff(b) > 32)
}
