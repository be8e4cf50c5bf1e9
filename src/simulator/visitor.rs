//! A scripted visitor: reads the page like a person, finds the button by its words, and taps the glass.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a scripted visitor looks for one page; all others are the wrong one"
)]

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};

use super::SimPanel;
use crate::{
    lang::{Catalogue, Text},
    model::{TouchpointId, Value},
    survey::Page,
};

/// How long a visitor looks at a page before the tap: long enough for nobody to think of a machine.
const LOOK_MS: u64 = 2_000;

/// How a visit ended on the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The thank-you page showed.
    Thanked,
    /// The visitor left without an answer.
    Left,
}

/// A person in front of a panel.
pub struct Visitor<'a> {
    panel: &'a mut SimPanel,
    words: &'a Catalogue,
    /// Waits until everything handed to the journal has been answered.
    committed: &'a dyn Fn() -> anyhow::Result<()>,
}

impl<'a> Visitor<'a> {
    /// `committed` returns when everything handed to the journal so far has been answered.
    pub fn new(
        panel: &'a mut SimPanel,
        words: &'a Catalogue,
        committed: &'a dyn Fn() -> anyhow::Result<()>,
    ) -> Self {
        Self { panel, words, committed }
    }

    /// Rates a touchpoint, or with `None` picks it and walks away. Comes back when the screen is at rest again.
    ///
    /// # Errors
    /// A button that is not on the screen, or a page that is not the expected one.
    pub fn rate(&mut self, touchpoint: &TouchpointId, value: Option<Value>) -> anyhow::Result<Outcome> {
        self.begin()?;
        self.pick(touchpoint)?;
        let outcome = match value {
            Some(value) => {
                self.answer(value)?;
                self.finish()?;
                Outcome::Thanked
            }
            None => Outcome::Left,
        };
        self.wait_for_rest()?;
        Ok(outcome)
    }

    /// The next visitor comes at this time, a while after the last.
    pub fn arrive(&mut self, at: DateTime<Utc>, after_ms: u64) {
        self.panel.advance(after_ms);
        self.panel.clock().set_wall(at);
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        if self.panel.kiosk().with_survey(|survey| survey.page() == Page::Attract) {
            let start = self.say(Text::AttractStart);
            self.tap(&start)?;
        }
        Ok(())
    }

    /// Chooses a touchpoint, where there is a choice.
    ///
    /// # Errors
    /// It is not on offer.
    pub fn pick(&mut self, touchpoint: &TouchpointId) -> anyhow::Result<()> {
        let place = self.panel.kiosk().with_survey(|survey| match survey.page() {
            Page::Choice(places) => {
                let name = |at: usize| crate::lang::unbroken(places[at].name.get(survey.lang()));
                let at = places.iter().position(|place| &place.id == touchpoint);
                // Others of the same name come first: the right card is the one behind them.
                Some(at.map(|at| (name(at), (0..at).filter(|before| name(*before) == name(at)).count())))
            }
            _ => None,
        });
        // A terminal of one touchpoint asks at once.
        let Some(place) = place else { return Ok(()) };
        let (name, mut before) =
            place.with_context(|| format!("this terminal does not offer touchpoint `{touchpoint}`"))?;
        let next = self.say(Text::ChoiceNext);
        loop {
            let cards = self.panel.find_places(&name);
            if let Some(card) = cards.get(before) {
                let at = card.center();
                self.panel.advance(LOOK_MS);
                self.panel.tap_at(at);
                return self.commit();
            }
            before -= cards.len();
            self.tap(&next)?;
        }
    }

    /// Taps the level of a value on the question that shows.
    ///
    /// # Errors
    /// No question shows, or it does not have the value.
    pub fn answer(&mut self, value: Value) -> anyhow::Result<()> {
        let label = self.panel.kiosk().with_survey(|survey| match survey.page() {
            Page::Question { question, .. } => {
                let place = question.scale.levels().iter().position(|level| level.value == value)? + 1;
                Some(Text::level(question.scale.name(), place).map_or_else(
                    || value.to_string(),
                    |text| crate::lang::unbroken(self.words.text(survey.lang().as_str(), text)),
                ))
            }
            _ => None,
        });
        let label = label.with_context(|| format!("the page has no level for the value {value}"))?;
        self.tap(&label)
    }

    /// Goes through what follows an answer until the thank-you page shows: no reasons, and the middle of every further question.
    ///
    /// # Errors
    /// It does not come.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        // A questionnaire is short; a page that never ends is an error, not a wait.
        for _ in 0..20 {
            let step = self.panel.kiosk().with_survey(|survey| match survey.page() {
                Page::Thanks { .. } => Step::Thanked,
                Page::Reasons { saving: false, .. } => Step::Reasons,
                Page::Question { question, pressed: None, .. } => {
                    let levels = question.scale.levels();
                    levels.get(levels.len() / 2).map_or(Step::Wait, |level| Step::Rate(level.value))
                }
                _ => Step::Wait,
            });
            match step {
                Step::Thanked => return Ok(()),
                Step::Reasons => {
                    let done = self.say(Text::ReasonsDone);
                    self.tap(&done)?;
                }
                Step::Rate(value) => self.answer(value)?,
                Step::Wait => self.commit()?,
            }
        }
        bail!("the thank-you page did not come: {}", self.page())
    }

    fn wait_for_rest(&mut self) -> anyhow::Result<()> {
        for _ in 0..10 {
            self.commit()?;
            if self.panel.kiosk().at_rest() {
                return Ok(());
            }
            let wait = self.panel.kiosk().with_survey(crate::survey::Survey::deadline_ms);
            let now = crate::clock::Clock::now(self.panel.clock().as_ref()).up_ms;
            self.panel.advance(wait.map_or(1, |at| at.saturating_sub(now).max(1)));
        }
        bail!("the screen does not come to rest: {}", self.page())
    }

    fn say(&self, text: Text) -> String {
        self.panel
            .kiosk()
            .with_survey(|survey| crate::lang::unbroken(self.words.text(survey.lang().as_str(), text)))
    }

    fn tap(&mut self, label: &str) -> anyhow::Result<()> {
        self.panel.advance(LOOK_MS);
        self.panel.tap(label).with_context(|| self.page())?;
        self.commit()
    }

    fn commit(&mut self) -> anyhow::Result<()> {
        (self.committed)()?;
        self.panel.settle();
        Ok(())
    }

    fn page(&self) -> String {
        self.panel.kiosk().with_survey(|survey| format!("on page {:.60}", format!("{:?}", survey.page())))
    }
}

enum Step {
    Thanked,
    Reasons,
    Rate(Value),
    Wait,
}
