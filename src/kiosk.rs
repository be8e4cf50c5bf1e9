//! The terminal's screen: the pure [`Survey`] in a Slint window.
//!
//! Everything here runs on the UI thread and never waits: storing is handed to another thread, whose answer comes back as news.
//! Invariants:
//! - every touch becomes one [`Event`], every effect of it is carried out before the next touch;
//! - the page shown is always the survey's page, or the staff area's while somebody is in it: nothing else decides what is on the screen;
//! - a page that thanks is shown only after the storing thread said so (the survey sees to it).

mod callbacks;
pub(crate) mod faults;
mod finger;
pub mod fonts;
pub mod look;
mod messenger;
pub mod out_of_service;
pub mod pages;
pub mod preview;
mod redraw;
pub mod staff;

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::{Arc, mpsc},
    time::Duration,
};

use slint::{CloseRequestResponse, ComponentHandle, TimerMode};

use crate::{
    clock::{Clock, fresh},
    fonts::{Fonts, Ruler},
    lang::{Catalogue, Text},
    model::Lang,
    panel::{Corner, Grid},
    sound::{PageName, SoundHandle},
    staff::{Entry, HeadTaps, Staff},
    survey::{Effect, Event, HeldStage, HelpStage, Page, StoreOutcome, Survey, Token},
    terminal::{Ambient, Look, Parts, Screen, Setup, StaffParts, Store},
    ui::{self, AppWindow, Shell},
    wire::{Body, Draft},
};
use finger::Finger;
pub(crate) use messenger::Messenger;
use messenger::News;
use pages::{ChoicePage, Glass, Speaker, View};
use staff::tested::TestPage;

/// While a countdown shows, the page changes once a second.
const COUNTDOWN_STEP_MS: u64 = 1_000;

/// Opening hours and the night are looked at this often.
const AMBIENT_STEP_MS: u64 = 60_000;

/// A running screen. Dropping it leaves the window without answers, so keep it as long as the window.
pub struct Kiosk {
    shared: Rc<RefCell<Shared>>,
}

struct Shared {
    window: slint::Weak<AppWindow>,
    survey: Survey,
    catalogue: Catalogue,
    fonts: Fonts,
    second_language: Option<Lang>,
    glass: Glass,
    look: Look,
    ambient: Ambient,
    choice_page: usize,
    staff: Option<Staff>,
    staff_parts: StaffParts,
    staff_page: usize,
    /// The patients' pages of the self-test, with the names of their buttons.
    tests: Vec<(TestPage, Vec<String>)>,
    head_taps: HeadTaps,
    sound: SoundHandle,
    heard_taken: u64,
    touches: u64,
    finger: Finger,
    badge: Option<Text>,
    clock: Arc<dyn Clock>,
    store: Store,
    news: mpsc::Receiver<News>,
    messenger: Messenger,
    timer: slint::Timer,
    this: Weak<RefCell<Shared>>,
}

impl Kiosk {
    /// Brings the pages of a window to life.
    ///
    /// # Errors
    /// A plan with nothing to ask.
    pub fn new(window: &AppWindow, parts: Parts) -> Result<Self, crate::survey::PlanError> {
        let ambient = Ambient::at(&parts.clock.now(), &parts.plan, &parts.look);
        let survey = Survey::new(parts.plan)?;
        let (sender, news) = mpsc::channel();
        let messenger = Messenger::new(sender, window.as_weak());
        let ruler = Ruler::new(&parts.fonts);
        let glass = Glass { panel: parts.panel, low_reach: parts.low_reach, ruler };
        ui::lay_out(window, &parts.panel, parts.low_reach);
        redraw::on_input(window.window());
        window.global::<Shell>().set_full_screen(parts.full_screen);
        look::paint(window, &ambient.theme.palette(parts.look.accent));
        look::set_logo(window, &parts.look);
        let shared = Rc::new_cyclic(|this| {
            RefCell::new(Shared {
                window: window.as_weak(),
                survey,
                catalogue: parts.catalogue,
                fonts: parts.fonts,
                second_language: parts.second_language,
                glass,
                look: parts.look,
                ambient,
                choice_page: 0,
                staff: None,
                staff_parts: parts.staff,
                staff_page: 0,
                tests: Vec::new(),
                head_taps: HeadTaps::default(),
                sound: parts.sound,
                heard_taken: 0,
                touches: 0,
                finger: Finger::default(),
                badge: None,
                clock: parts.clock,
                store: parts.store,
                news,
                messenger,
                timer: slint::Timer::default(),
                this: this.clone(),
            })
        });
        callbacks::connect(window, &shared);
        staff::connect(window, &shared);
        shared.borrow_mut().dispatch(Event::Opening(ambient.open));
        if shared.borrow().staff_parts.enrol_first {
            shared.borrow_mut().open_staff(Entry::Enrol);
        }
        shared.borrow_mut().show();
        Ok(Self { shared })
    }

    /// For other threads.
    pub fn messenger(&self) -> Messenger {
        self.shared.borrow().messenger.clone()
    }

    /// The same, as the screen of a terminal.
    pub fn screen(&self) -> Arc<dyn Screen> {
        Arc::new(self.messenger())
    }

    /// Whether nobody is in the middle of anything.
    pub fn at_rest(&self) -> bool {
        self.shared.borrow().survey.at_rest()
    }

    /// How often a finger came down on the glass, on a target or beside.
    pub fn touches(&self) -> u64 {
        self.shared.borrow().touches
    }

    /// Looks at the survey, for tests and scripted visitors.
    pub fn with_survey<T>(&self, look: impl FnOnce(&Survey) -> T) -> T {
        look(&self.shared.borrow().survey)
    }

    /// Takes in what other threads had to say; the event loop does this by itself.
    pub fn take_news(&self) {
        self.shared.borrow_mut().take_news();
    }
}

impl Shared {
    /// One touch or one tick: for the staff area while somebody is in it, else for the survey.
    fn handle(&mut self, event: Event) {
        let was_staffs = self.staff.is_some();
        if was_staffs && let Some(event) = self.staff_event_of(&event) {
            self.staff_touch(event);
        }
        // The hour goes on for the survey too, and the finger that opened or closed the staff area is nobody's answer.
        let tick = event == Event::Tick;
        if !was_staffs || tick {
            self.dispatch(event);
        }
        if tick && self.finger.is_stuck(self.clock.now().up_ms) {
            finger::let_go(self.window.clone());
        }
        // A store that answers at once (a test's, a replay's) has left its answer here.
        self.drain();
        self.show();
    }

    /// A finger came down, or left.
    fn finger(&mut self, down: bool) {
        self.finger.is_down(down, self.clock.now().up_ms);
    }

    fn take_news(&mut self) {
        self.drain();
        self.show();
        if let Some(window) = self.window.upgrade() {
            redraw::now(window.window());
        }
    }

    fn dispatch(&mut self, event: Event) {
        self.touches += u64::from(event == Event::Touched);
        let now = self.clock.now();
        let effects = self.survey.handle(event, now.up_ms, fresh::response_id(&now));
        for Effect::Store { token, bodies } in effects {
            self.record(token, bodies);
        }
    }

    fn record(&mut self, token: Token, bodies: Vec<Body>) {
        let messenger = self.messenger.clone();
        self.write(bodies, move |outcome| messenger.tell(News::Kept(token, outcome)));
    }

    fn write(&mut self, bodies: Vec<Body>, reply: impl FnOnce(StoreOutcome) + Send + 'static) {
        let at = self.clock.now();
        let drafts = bodies.into_iter().map(|body| Draft { id: fresh::entry_id(&at), at, body }).collect();
        (self.store)(drafts, Box::new(reply));
    }

    fn drain(&mut self) {
        while let Ok(news) = self.news.try_recv() {
            match news {
                News::Kept(token, outcome) => self.dispatch(outcome.event(token)),
                News::Saved(chain) => self.dispatch(Event::Saved { chain }),
                News::Setup(setup) => self.take_setup(*setup),
                News::Badge(text) => self.badge = text,
                News::Delivered(through) => self.dispatch(Event::Delivered { through }),
                News::StaffStored(token, true) => self.staff_touch(crate::staff::Event::Stored(token)),
                News::StaffStored(token, false) => self.staff_touch(crate::staff::Event::StoreFailed(token)),
                News::StaffAnswer(token, answer) => {
                    self.staff_touch(crate::staff::Event::Answered(token, answer));
                }
            }
        }
    }

    fn take_setup(&mut self, setup: Setup) {
        fonts::register_for(&self.fonts, setup.plan.languages.iter().chain(&setup.second_language));
        self.second_language = setup.second_language;
        (self.glass.panel, self.glass.low_reach) = (setup.panel, setup.low_reach);
        self.look = setup.look;
        if let Some(window) = self.window.upgrade() {
            ui::lay_out(&window, &self.glass.panel, setup.low_reach);
            look::paint(&window, &self.ambient.theme.palette(self.look.accent));
            look::set_logo(&window, &self.look);
        }
        if let Some(staff) = &mut self.staff {
            staff.end_test();
        }
        self.dispatch(Event::NewPlan(setup.plan));
    }

    /// The window has come to a screen with another scale factor.
    fn lay_out_anew(&mut self) {
        if let Some(window) = self.window.upgrade() {
            ui::lay_out(&window, &self.glass.panel, self.glass.low_reach);
        }
        self.show();
    }

    /// How many things the list has that shows, and how it lies: the staff area's, or the touchpoints.
    fn list(&self) -> (usize, Grid) {
        self.staff_list().unwrap_or_else(|| (self.survey.plan().touchpoints.len(), self.grid_of_places()))
    }

    /// How the list of places lies.
    fn grid_of_places(&self) -> Grid {
        let speaker = self.speaker();
        let plan = self.survey.plan();
        let places = plan.touchpoints.iter().filter_map(|id| plan.hospital.touchpoint(id));
        let names: Vec<String> = places.map(|place| place.name.get(speaker.lang).to_owned()).collect();
        let corner = Corner::Patient(plan.help.then_some(speaker.text(Text::HelpButton)));
        speaker.grid(&self.glass, Text::ChoiceTitle, &names, corner)
    }

    /// The index of the first thing on the page of a list that shows.
    fn first_listed(&self) -> usize {
        let page = match self.page_under_test() {
            Some((TestPage::Choice(number), _)) => *number,
            _ if self.staff.is_some() => self.staff_page,
            _ => self.choice_page,
        };
        page * self.list().1.per_page()
    }

    fn turn_choice_page(&mut self, forward: bool) {
        if self.turns_under_test(forward) {
            return;
        }
        let (items, grid) = self.list();
        let last = items.saturating_sub(1) / grid.per_page();
        let page = if self.staff.is_some() { &mut self.staff_page } else { &mut self.choice_page };
        *page = if forward { (*page + 1).min(last) } else { page.saturating_sub(1) };
        self.show();
    }

    /// Puts the page on the screen and sets the timer for what comes next.
    fn show(&mut self) {
        if !matches!(self.survey.page(), Page::Choice(_)) {
            self.choice_page = 0;
        }
        if let Some(window) = self.window.upgrade() {
            self.look_at_the_clock(&window);
            self.speak();
            match self.staff_view() {
                Some(view) => staff::show(&view, &window),
                None => pages::show(&self.view(), &window),
            }
        }
        self.set_timer();
    }

    /// A click for every tap that counted, and the page that shows.
    fn speak(&mut self) {
        let taken = self.survey.tally().taken;
        if taken > self.heard_taken {
            self.sound.click();
        }
        self.heard_taken = taken;
        if self.staff.is_some() {
            self.sound.page(PageName::Staff, self.survey.lang());
        } else if self.survey.at_rest() && self.survey.plan().languages.first() == Some(self.survey.lang()) {
            self.sound.rest();
        } else if let Some(page) = spoken_page(&self.survey) {
            self.sound.page(page, self.survey.lang());
        }
    }

    fn speaker(&self) -> Speaker<'_> {
        let lang = self.survey.lang();
        let second = second_below(lang, &self.survey.plan().languages, self.second_language.as_ref());
        Speaker { catalogue: &self.catalogue, fonts: &self.fonts, lang, second }
    }

    fn view(&self) -> View<'_> {
        let plan = self.survey.plan();
        let site =
            plan.touchpoints.first().and_then(|id| plan.hospital.touchpoint(id)).map(|place| &place.site);
        // Only a list has to be measured.
        let listed = self.staff.is_none() && matches!(self.survey.page(), Page::Choice(_));
        let grid = if listed { self.list().1 } else { Grid { columns: 1, rows: 1 } };
        View {
            page: self.survey.page(),
            speaker: self.speaker(),
            place: self.survey.touchpoint(),
            hospital: site.and_then(|id| plan.hospital.site(id)).map(|site| &site.name),
            languages: &plan.languages,
            choice: ChoicePage { number: self.choice_page, grid },
            help: plan.help,
            left_ms: self.survey.deadline_ms().unwrap_or_default().saturating_sub(self.clock.now().up_ms),
            badge: self.badge,
        }
    }

    /// Opening hours and the colours of the night.
    fn look_at_the_clock(&mut self, window: &AppWindow) {
        let ambient = Ambient::at(&self.clock.now(), self.survey.plan(), &self.look);
        if ambient.open != self.ambient.open {
            self.dispatch(Event::Opening(ambient.open));
        }
        if ambient.theme != self.ambient.theme {
            look::paint(window, &ambient.theme.palette(self.look.accent));
        }
        self.ambient = ambient;
    }

    fn set_timer(&self) {
        let now = self.clock.now();
        let staff = self.staff.as_ref().and_then(Staff::deadline_ms);
        let due = [self.survey.deadline_ms(), staff, self.finger.deadline_ms()].into_iter().flatten().min();
        let left = due.map(|deadline| deadline.saturating_sub(now.up_ms));
        let counting = matches!(self.survey.page(), Page::StillThere { .. } | Page::Cleaning { .. });
        let next = match left {
            // The remainder first, so that the count changes on whole seconds before the end.
            Some(left) if counting && left > COUNTDOWN_STEP_MS => Some((left - 1) % COUNTDOWN_STEP_MS + 1),
            left => left,
        };
        let wait = match (next, self.follows_the_clock()) {
            (next, false) => next,
            (next, true) => Some(next.unwrap_or(AMBIENT_STEP_MS).min(AMBIENT_STEP_MS)),
        };
        let Some(wait) = wait else {
            self.timer.stop();
            return;
        };
        let this = self.this.clone();
        self.timer.start(TimerMode::SingleShot, Duration::from_millis(wait), move || {
            if let Some(shared) = this.upgrade() {
                shared.borrow_mut().handle(Event::Tick);
            }
        });
    }

    /// Whether anything on the screen depends on the time of day.
    fn follows_the_clock(&self) -> bool {
        self.look.night.is_some() || self.survey.plan().out_of_hours != crate::survey::OutOfHours::Ask
    }
}

/// Requests to close the window (Alt+F4, a window manager's button) do nothing from now on: a terminal is not ended by its visitors.
pub fn keep_open(window: &AppWindow) {
    window.window().on_close_requested(|| CloseRequestResponse::KeepWindowShown);
}

/// The language that shows smaller below another: only below the default one, the first of those on offer. Who chose another language sees
/// it alone: it is large already.
pub(crate) fn second_below<'a>(lang: &Lang, on_offer: &[Lang], second: Option<&'a Lang>) -> Option<&'a Lang> {
    let default = on_offer.first() == Some(lang);
    second.filter(|second| default && *second != lang)
}

/// What the voice calls the page that shows.
fn spoken_page(survey: &Survey) -> Option<PageName> {
    let questionnaire = survey.touchpoint().map(|place| &place.questionnaire);
    Some(match survey.page() {
        Page::Attract => PageName::Attract,
        Page::Choice(_) => PageName::Choice,
        Page::Question { question, .. } => PageName::question(questionnaire?, question),
        Page::Reasons { group, .. } => {
            let asked = survey.plan().hospital.questionnaire(questionnaire?)?;
            let question = asked.questions.iter().find(|question| question.reasons.contains(group))?;
            PageName::reasons(questionnaire?, question, group)
        }
        Page::Thanks { .. } => PageName::Thanks,
        Page::StillThere { .. } => PageName::StillThere,
        Page::Language(_) => PageName::Language,
        Page::StillSaving => PageName::StillSaving,
        Page::Held(HeldStage::Sending) => PageName::Held,
        Page::Held(HeldStage::Received) => PageName::HeldReceived,
        Page::Held(HeldStage::Waiting { .. }) => PageName::HeldWaiting,
        Page::NotStored => PageName::NotRecorded,
        Page::OutOfService(_) => PageName::OutOfService,
        Page::Help(HelpStage::Calling) => PageName::Help,
        Page::Help(HelpStage::Told) => PageName::HelpTold,
        Page::Help(HelpStage::Untold) => PageName::HelpUntold,
        Page::Cleaning { .. } => PageName::Cleaning,
        Page::Closed { rate: true } => PageName::ClosedRate,
        Page::Closed { rate: false } => PageName::Closed,
    })
}
