//! What touches mean while somebody is in the staff area, and what its effects do.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each mapping names what it has something for; everything else of an event is nothing to it"
)]

use super::{
    StaffView, pages,
    tested::{TestPage, button_of, pages_under_test},
};
use crate::{
    kiosk::{ChoicePage, Shared, pages as pages_of_patients},
    panel::Grid,
    staff::{Effect, Entry, Event, Staff, StaffPlan, View as Page, touch_fields},
    survey,
};

impl Shared {
    /// Somebody asks for the staff area.
    pub(in crate::kiosk) fn open_staff(&mut self, entry: Entry) {
        if self.staff.is_some() || matches!(self.survey.page(), survey::Page::Cleaning { .. }) {
            return;
        }
        let Some(plan) = self.staff_plan() else { return };
        self.staff_page = 0;
        self.staff = Some(Staff::new(plan, entry, self.clock.now().up_ms));
        self.show();
    }

    /// `None`: there is nothing to rate, which the survey's plan does not allow.
    fn staff_plan(&self) -> Option<StaffPlan> {
        let plan = self.survey.plan();
        let places = (self.staff_parts.places)();
        Some(StaffPlan {
            has_pin: (self.staff_parts.has_pin)(),
            touchpoint: plan.touchpoints.first()?.clone(),
            place: places.iter().position(|place| *place == plan.touchpoints),
            places,
            languages: plan.languages.clone(),
            language: Some(0),
            volume: (self.staff_parts.volume)(),
            tests: Vec::new(),
            grid: touch_fields(self.glass.panel.page_px()),
        })
    }

    /// The patients' page under test, while one shows.
    pub(in crate::kiosk) fn page_under_test(&self) -> Option<(&TestPage, survey::Page<'_>)> {
        let Page::SelfTest { page: Some(at), .. } = self.staff.as_ref()?.view() else { return None };
        let (page, _) = self.tests.get(at)?;
        Some((page, page.on(self.survey.plan())?))
    }

    /// What every page has; under test, the patients' page.
    fn frame(&self) -> pages_of_patients::View<'_> {
        let frame = self.view();
        let Some((test, page)) = self.page_under_test() else { return frame };
        let choice = match test {
            TestPage::Choice(number) => ChoicePage { number: *number, grid: self.grid_of_places() },
            _ => frame.choice,
        };
        pages_of_patients::View { page, choice, place: test.place(self.survey.plan()), left_ms: 0, ..frame }
    }

    /// A button that turns the pages of a list, while the self-test shows it.
    pub(in crate::kiosk) fn turns_under_test(&mut self, forward: bool) -> bool {
        if self.page_under_test().is_none() {
            return false;
        }
        self.staff_touch(Event::Press(if forward { "next" } else { "previous" }.to_owned()));
        self.drain();
        self.show();
        true
    }

    /// The head of a patients' page under test was touched: back to what is left.
    pub(in crate::kiosk) fn leaves_test_page(&mut self) -> bool {
        let tests = self.page_under_test().is_some();
        if tests {
            self.staff_touch(Event::Back);
            self.show();
        }
        tests
    }

    /// What the staff area shows; `None`: nobody is in it.
    pub(in crate::kiosk) fn staff_view(&self) -> Option<StaffView<'_>> {
        let mut page = self.staff.as_ref()?.view();
        if let Page::SelfTest { page: shown, .. } = &mut page
            && self.page_under_test().is_none()
        {
            // Also where a new configuration has no such page any more.
            *shown = None;
        }
        Some(StaffView {
            page,
            frame: self.frame(),
            hospital: &self.survey.plan().hospital,
            glass: &self.glass,
            list_page: self.staff_page,
        })
    }

    /// How many things the list of the staff area has, and how it lies.
    pub(in crate::kiosk) fn staff_list(&self) -> Option<(usize, Grid)> {
        pages::list_of(&self.staff_view()?)
    }

    /// A touch while somebody is in the staff area. Indexes count as things lie on the page.
    pub(in crate::kiosk) fn staff_touch(&mut self, event: Event) {
        let now_ms = self.clock.now().up_ms;
        // The touchpoint may have been chosen since somebody came in.
        if matches!(self.staff.as_ref().map(Staff::view), Some(Page::Menu)) {
            let plan = self.survey.plan();
            self.tests = pages_under_test(plan, &self.glass.panel, self.grid_of_places());
        }
        let buttons = self.tests.iter().map(|(_, buttons)| buttons.clone()).collect();
        let Some(staff) = &mut self.staff else { return };
        staff.set_tests(buttons);
        // What opens begins on its first page.
        if matches!((&event, staff.view()), (Event::Back, _) | (Event::Pick(_), Page::Menu)) {
            self.staff_page = 0;
        }
        let effects = staff.handle(event, now_ms);
        for effect in effects {
            self.do_for_staff(effect);
        }
    }

    fn do_for_staff(&mut self, effect: Effect) {
        match effect {
            Effect::Ask { token, ask } => (self.staff_parts.ask)(token, ask),
            Effect::Record { token, body } => {
                let messenger = self.messenger.clone();
                self.write(vec![body], move |outcome| {
                    messenger.staff_stored(token, matches!(outcome, survey::StoreOutcome::OnDisk(_)));
                });
            }
            Effect::Wipe => {
                self.staff = None;
                self.dispatch(survey::Event::Clean);
            }
            Effect::Restart => (self.staff_parts.restart)(),
            Effect::Leave => self.staff = None,
        }
    }

    /// What a touch on the patients' pages means while they belong to the staff area.
    pub(in crate::kiosk) fn staff_event_of(&self, event: &survey::Event) -> Option<Event> {
        match event {
            survey::Event::Touched => return Some(Event::Touched),
            survey::Event::Tick => return Some(Event::Tick),
            _ => {}
        }
        if let Some((_, page)) = self.page_under_test() {
            return button_of(&page, event).map(Event::Press);
        }
        match event {
            survey::Event::PickTouchpoint(index) | survey::Event::PickLanguage(index) => {
                Some(Event::Pick(*index))
            }
            survey::Event::KeepLanguage => Some(Event::Back),
            _ => None,
        }
    }
}
