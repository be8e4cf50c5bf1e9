//! The self-test: the patients' pages one after the other, every button of them once, each press one durable entry.
//!
//! A button is its name: one that stands on several pages is tested once, and is done on the others then.

use super::{ButtonState, Effect, Press, Staff, State, Token};
use crate::wire::{Body, SelfTest};

/// A self-test that is under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Test {
    /// Every button once, in the order of the pages.
    pub(super) buttons: Vec<ButtonState>,
    /// The page that shows; `None`: the one that says what is left.
    pub(super) page: Option<usize>,
    /// The page that showed last.
    last: Option<usize>,
    /// Presses whose entries are on the way, with the place of their button.
    unstored: Vec<(Token, usize)>,
}

impl Test {
    pub(super) fn new(pages: &[Vec<String>]) -> Self {
        let mut buttons: Vec<ButtonState> = Vec::new();
        for id in pages.iter().flatten() {
            if buttons.iter().all(|known| known.id != *id) {
                buttons.push(ButtonState { id: id.clone(), state: Press::Untouched });
            }
        }
        Self { buttons, page: None, last: None, unstored: Vec::new() }
    }

    pub(super) fn left(&self) -> usize {
        self.buttons.iter().filter(|button| button.state != Press::Stored).count()
    }

    /// On to the next page on which something is left, after the last one also those before it; `None` where nothing is.
    pub(super) fn go_on(&mut self, pages: &[Vec<String>]) {
        let first = self.last.map_or(0, |last| last + 1);
        let mut order = (first..pages.len()).chain(0..first.min(pages.len()));
        self.page = order.find(|page| pages.get(*page).is_some_and(|page| !self.is_done(page)));
        self.last = self.page.or(self.last);
    }

    fn is_done(&self, page: &[String]) -> bool {
        let stored =
            |id: &String| self.buttons.iter().any(|button| button.id == *id && button.state == Press::Stored);
        page.iter().all(stored)
    }
}

impl Staff {
    /// A button of the page that shows; every other name means nothing there.
    pub(super) fn press(&mut self, id: &str, effects: &mut Vec<Effect>) {
        let token = self.token();
        let State::SelfTest(test) = &mut self.state else { return };
        let shown = test.page.and_then(|page| self.plan.tests.get(page));
        if !shown.is_some_and(|page| page.iter().any(|known| known == id)) {
            return;
        }
        let of = u32::try_from(test.buttons.len()).ok();
        let Some(index) = test.buttons.iter().position(|button| button.id == id) else { return };
        if let Some(button) = test.buttons.get_mut(index) {
            button.state = Press::Pressed;
        }
        test.unstored.push((token, index));
        let entry = SelfTest { touchpoint: self.plan.touchpoint.clone(), target: id.to_owned(), of };
        effects.push(Effect::Record { token, body: Body::SelfTest(entry) });
    }

    /// A button is stored when all its presses are; one refusal is shown until it is pressed again. A page whose buttons are all stored
    /// gives way to the next; a refusal is told on the page that says what is left.
    pub(super) fn stored(&mut self, token: Token, result: Press) {
        let State::SelfTest(test) = &mut self.state else { return };
        let Some(at) = test.unstored.iter().position(|(waiting, _)| *waiting == token) else { return };
        let (_, index) = test.unstored.swap_remove(at);
        let all_back = test.unstored.iter().all(|(_, other)| *other != index);
        let Some(button) = test.buttons.get_mut(index) else { return };
        if result == Press::Failed || (all_back && button.state == Press::Pressed) {
            button.state = result;
        }
        let pages = &self.plan.tests;
        let Some(shown) = test.page.and_then(|page| pages.get(page)) else { return };
        if result == Press::Failed {
            test.page = None;
        } else if test.is_done(shown) {
            test.go_on(pages);
        }
    }
}
