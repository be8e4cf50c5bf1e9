//! What touches mean while somebody is in the staff area, and what its effects do.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each mapping names what it has something for; everything else of an event is nothing to it"
)]

use super::{StaffView, pages};
use crate::{
    kiosk::Shared,
    panel::Grid,
    questionnaire::Question,
    staff::{
        Effect, Entry, Event, Staff, StaffPlan, View as Page, buttons_of, language_button, touch_fields,
    },
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
        let buttons =
            self.question_under_test().map(|question| buttons_of(&question, plan.languages.len() > 1));
        Some(StaffPlan {
            has_pin: (self.staff_parts.has_pin)(),
            touchpoint: plan.touchpoints.first()?.clone(),
            place: places.iter().position(|place| *place == plan.touchpoints),
            places,
            languages: plan.languages.clone(),
            language: Some(0),
            volume: (self.staff_parts.volume)(),
            buttons: buttons.unwrap_or_default(),
            grid: touch_fields(self.glass.panel.page_px()),
        })
    }

    /// The first question of the first touchpoint: its buttons are the ones patients press.
    fn question_under_test(&self) -> Option<Question> {
        let plan = self.survey.plan();
        let place = plan.hospital.touchpoint(plan.touchpoints.first()?)?;
        plan.hospital.questionnaire(&place.questionnaire)?.questions.first().cloned()
    }

    /// What the staff area shows; `None`: nobody is in it.
    pub(in crate::kiosk) fn staff_view(&self) -> Option<StaffView<'_>> {
        Some(StaffView {
            page: self.staff.as_ref()?.view(),
            frame: self.view(),
            hospital: &self.survey.plan().hospital,
            question: self.question_under_test(),
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
        let Some(staff) = &mut self.staff else { return };
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
            survey::Event::PickTouchpoint(index) | survey::Event::PickLanguage(index) => {
                Some(Event::Pick(*index))
            }
            survey::Event::Rate(index) => Some(Event::Press(*index)),
            survey::Event::OpenLanguages => self.language_button_under_test().map(Event::Press),
            survey::Event::KeepLanguage => Some(Event::Back),
            survey::Event::Touched => Some(Event::Touched),
            survey::Event::Tick => Some(Event::Tick),
            _ => None,
        }
    }

    fn language_button_under_test(&self) -> Option<usize> {
        match self.staff.as_ref()?.view() {
            Page::SelfTest { buttons, .. } => language_button(buttons),
            _ => None,
        }
    }
}
