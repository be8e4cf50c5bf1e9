//! The self-test: every button once, each press one durable entry.

use super::{ButtonState, Effect, Press, Staff, State, Token};
use crate::{
    questionnaire::Question,
    wire::{Body, SelfTest},
};

/// The name of the language button under test.
const LANGUAGE: &str = "language";

/// Names of the buttons under test: every level of a question as they lie on screen, then the language button if there is one.
pub fn buttons_of(question: &Question, several_languages: bool) -> Vec<String> {
    let levels = question.levels_on_screen();
    let mut buttons: Vec<String> =
        levels.iter().map(|level| format!("{}:{}", question.id, level.value)).collect();
    if several_languages {
        buttons.push(LANGUAGE.to_owned());
    }
    buttons
}

/// Which button under test the language button is, if it is one.
pub fn language_button(buttons: &[ButtonState]) -> Option<usize> {
    buttons.iter().position(|button| button.id == LANGUAGE)
}

impl Staff {
    pub(super) fn press(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let token = self.token();
        let State::SelfTest { buttons, unstored } = &mut self.state else { return };
        let Some(button) = buttons.get_mut(index) else { return };
        button.state = Press::Pressed;
        unstored.push((token, index));
        let test = SelfTest { touchpoint: self.plan.touchpoint.clone(), target: button.id.clone() };
        effects.push(Effect::Record { token, body: Body::SelfTest(test) });
    }

    /// A button is stored when all its presses are; one refusal is shown until it is pressed again.
    pub(super) fn stored(&mut self, token: Token, result: Press) {
        let State::SelfTest { buttons, unstored } = &mut self.state else { return };
        let Some(at) = unstored.iter().position(|(waiting, _)| *waiting == token) else { return };
        let (_, index) = unstored.swap_remove(at);
        let all_back = unstored.iter().all(|(_, other)| *other != index);
        let Some(button) = buttons.get_mut(index) else { return };
        if result == Press::Failed || (all_back && button.state == Press::Pressed) {
            button.state = result;
        }
    }
}
