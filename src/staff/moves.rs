//! The moves of the staff area: what each event changes.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each move names the pages it belongs to; on every other one the event changes nothing"
)]

use std::path::PathBuf;

use super::{
    Answer, Ask, Choice, Effect, EnrolState, Entry, Event, ExportState, Key, LOOK_FOR_STICK_MS, MenuItem,
    NetworkState, Note, PICTURES, PinVerdict, Staff, State, Token, Volume, keypad::Code, self_test::Test,
};

impl Staff {
    pub(super) fn touch(&mut self, event: &Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Key(key) => self.key(*key),
            Event::Erase => self.erase(),
            Event::Enter => self.enter(effects),
            Event::Back => self.back(effects),
            Event::Wipe => self.wipe(effects),
            Event::Pick(index) => self.pick(*index, effects),
            Event::Press(id) => self.press(id, effects),
            Event::Field(index) => self.field(*index, effects),
            Event::Next => self.next_picture(),
            Event::Confirm => self.confirm(effects),
            _ => {}
        }
    }

    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) {
        self.go(State::Left);
        effects.push(Effect::Leave);
    }

    pub(super) fn tick(&mut self, effects: &mut Vec<Effect>) {
        let now_ms = self.now_ms;
        match &mut self.state {
            State::Pin { note, .. } => {
                if let Note::Locked { until_ms } = *note
                    && now_ms >= until_ms
                {
                    *note = Note::None;
                }
            }
            State::Export { state: ExportState::NoStick, look_at_ms } if now_ms >= *look_at_ms => {
                *look_at_ms = now_ms + LOOK_FOR_STICK_MS;
                if self.asked.is_none() {
                    self.ask(Ask::FindStick, effects);
                }
            }
            _ => {}
        }
    }

    /// To another page: what the old one waited for is of no interest any more.
    pub(super) fn go(&mut self, state: State) {
        self.state = state;
        self.asked = None;
    }

    pub(super) fn token(&mut self) -> Token {
        let token = Token { opened_ms: self.opened_ms, n: self.next_token };
        self.next_token += 1;
        token
    }

    fn ask(&mut self, ask: Ask, effects: &mut Vec<Effect>) {
        let token = self.token();
        self.asked = Some(token);
        effects.push(Effect::Ask { token, ask });
    }

    fn key(&mut self, key: Key) {
        let Some(digit) = key.digit() else { return };
        match &mut self.state {
            State::Pin { typed, note: Note::None | Note::Wrong { .. } | Note::NotPossible } => {
                typed.push(digit);
            }
            State::Enrol { code, state: EnrolState::Typing } => code.push(digit),
            _ => {}
        }
    }

    fn erase(&mut self) {
        match &mut self.state {
            State::Pin { typed, .. } => typed.pop(),
            State::Enrol { code, state: EnrolState::Typing } => code.pop(),
            _ => {}
        }
    }

    fn enter(&mut self, effects: &mut Vec<Effect>) {
        match &mut self.state {
            State::Pin { typed, note } => {
                if let Some(pin) = typed.take() {
                    *note = Note::Checking;
                    self.ask(Ask::CheckPin(pin), effects);
                }
            }
            State::Enrol { code, state: state @ EnrolState::Typing } if code.is_complete() => {
                *state = EnrolState::Working;
                let code = code.clone();
                self.ask(Ask::Enrol(code), effects);
            }
            _ => {}
        }
    }

    fn back(&mut self, effects: &mut Vec<Effect>) {
        match (&mut self.state, self.entry) {
            (State::SelfTest(Test { page: page @ Some(_), .. }), _) => *page = None,
            (State::Pin { .. } | State::Menu, _) | (State::Enrol { .. }, Entry::Enrol) => {
                self.leave(effects);
            }
            _ => self.go(State::Menu),
        }
    }

    fn wipe(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Pin { .. } | State::Menu) {
            effects.push(Effect::Wipe);
            self.leave(effects);
        }
    }

    fn pick(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let choice = match &self.state {
            State::Menu => {
                if let Some(item) = MenuItem::ALL.get(index) {
                    self.open(*item, effects);
                }
                None
            }
            State::Touchpoint if self.plan.place != Some(index) => {
                self.plan.places.get(index).cloned().map(Choice::Touchpoints)
            }
            State::Language if self.plan.language != Some(index) => {
                self.plan.languages.get(index).cloned().map(Choice::Language)
            }
            State::Volume => {
                Volume::ALL.get(index).copied().filter(|v| *v != self.plan.volume).map(Choice::Volume)
            }
            _ => None,
        };
        // One choice at a time: the page shows what is in force, not what was wished for.
        if let Some(choice) = choice
            && self.asked.is_none()
        {
            self.ask(Ask::Keep(choice), effects);
        }
    }

    fn open(&mut self, item: MenuItem, effects: &mut Vec<Effect>) {
        let (columns, rows) = self.plan.grid;
        let (page, ask) = match item {
            MenuItem::Status => (State::Status(None), Some(Ask::Status)),
            MenuItem::SelfTest => (State::SelfTest(Test::new(&self.plan.tests)), None),
            MenuItem::TouchTest => (State::TouchTest { fields: vec![false; columns * rows] }, None),
            MenuItem::ScreenTest => (State::ScreenTest { picture: 0 }, None),
            MenuItem::NetworkTest => (State::NetworkTest(NetworkState::Testing), Some(Ask::TestNetwork)),
            MenuItem::Touchpoint => (State::Touchpoint, None),
            MenuItem::Language => (State::Language, None),
            MenuItem::Volume => (State::Volume, None),
            MenuItem::Export => {
                (State::Export { state: ExportState::Looking, look_at_ms: 0 }, Some(Ask::FindStick))
            }
            MenuItem::Restart => (State::Restart, None),
            MenuItem::Enrol => (State::Enrol { code: Code::default(), state: EnrolState::Typing }, None),
            MenuItem::Wipe => return self.wipe(effects),
        };
        self.go(page);
        if let Some(ask) = ask {
            self.ask(ask, effects);
        }
    }

    /// Once every field was touched, one more touch goes back.
    fn field(&mut self, index: usize, effects: &mut Vec<Effect>) {
        let State::TouchTest { fields } = &mut self.state else { return };
        if fields.iter().all(|field| *field) {
            self.back(effects);
        } else if let Some(field) = fields.get_mut(index) {
            *field = true;
        }
    }

    fn next_picture(&mut self) {
        match &mut self.state {
            State::ScreenTest { picture } if *picture + 1 < PICTURES => *picture += 1,
            State::ScreenTest { .. } => self.go(State::Menu),
            _ => {}
        }
    }

    fn confirm(&mut self, effects: &mut Vec<Effect>) {
        match &mut self.state {
            State::NetworkTest(state @ (NetworkState::Good(_) | NetworkState::Bad(_))) => {
                *state = NetworkState::Testing;
                self.ask(Ask::TestNetwork, effects);
            }
            State::SelfTest(test) => test.go_on(&self.plan.tests),
            State::Export { state, .. } => match state {
                ExportState::Ready { folder } => {
                    let folder = std::mem::take(folder);
                    *state = ExportState::Working;
                    self.ask(Ask::Export(folder), effects);
                }
                ExportState::NoStick | ExportState::Done { .. } | ExportState::Failed { .. } => {
                    *state = ExportState::Looking;
                    self.ask(Ask::FindStick, effects);
                }
                ExportState::Looking | ExportState::Working => {}
            },
            State::Restart => {
                effects.push(Effect::Restart);
                self.leave(effects);
            }
            // The code is still there, to be corrected or sent once more.
            State::Enrol { state: state @ EnrolState::Failed { .. }, .. } => *state = EnrolState::Typing,
            // Done: on with whatever comes after an enrolment.
            State::Enrol { state: EnrolState::Done { .. }, .. } => self.back(effects),
            _ => {}
        }
    }

    pub(super) fn answered(&mut self, token: Token, answer: Answer) {
        let is_late = self.asked != Some(token);
        if !is_late {
            self.asked = None;
        }
        match answer {
            // What is in force is in force, whichever page is open by now.
            Answer::Kept(Ok(choice)) => self.kept(choice),
            // Also one of an earlier visit, which must not open a page behind the PIN.
            _ if is_late => {}
            Answer::Kept(Err(why)) => {
                if matches!(self.state, State::Touchpoint | State::Language | State::Volume) {
                    self.go(State::NotKept(why));
                    self.read_from_now();
                }
            }
            Answer::Pin(verdict) => self.pin_answered(verdict),
            Answer::Status(facts) => {
                if let State::Status(shown) = &mut self.state {
                    *shown = Some(facts);
                }
            }
            Answer::Network(result) => {
                if let State::NetworkTest(state) = &mut self.state {
                    *state = match result {
                        Ok(reached) => NetworkState::Good(reached),
                        Err(diagnosis) => NetworkState::Bad(diagnosis),
                    };
                    self.read_from_now();
                }
            }
            Answer::Stick(folder) => self.stick_answered(folder),
            Answer::Exported(result) => {
                if let State::Export { state, .. } = &mut self.state {
                    *state = match result {
                        Ok(entries) => ExportState::Done { entries },
                        Err(why) => ExportState::Failed { why },
                    };
                    self.read_from_now();
                }
            }
            Answer::Enrolled(result) => {
                if let State::Enrol { state, .. } = &mut self.state {
                    *state = match result {
                        Ok(terminal) => EnrolState::Done { terminal },
                        Err(why) => EnrolState::Failed { why },
                    };
                    self.read_from_now();
                }
            }
        }
    }

    /// What staff have waited for they must have time to read. One touch brings one such answer, so the area is still left in the end.
    fn read_from_now(&mut self) {
        self.touched_at_ms = self.now_ms;
    }

    fn pin_answered(&mut self, verdict: PinVerdict) {
        let now_ms = self.now_ms;
        let State::Pin { note, .. } = &mut self.state else { return };
        *note = match verdict {
            PinVerdict::Right => {
                self.go(State::Menu);
                return;
            }
            PinVerdict::Wrong { left } => Note::Wrong { left },
            PinVerdict::Locked { left_ms } => Note::Locked { until_ms: now_ms.saturating_add(left_ms) },
            PinVerdict::NoPin => Note::NoPin,
            PinVerdict::NotPossible => Note::NotPossible,
        };
    }

    fn stick_answered(&mut self, folder: Option<PathBuf>) {
        let now_ms = self.now_ms;
        if let State::Export { state, look_at_ms } = &mut self.state {
            *state = match folder {
                Some(folder) => ExportState::Ready { folder },
                None => ExportState::NoStick,
            };
            *look_at_ms = now_ms + LOOK_FOR_STICK_MS;
        }
    }

    fn kept(&mut self, choice: Choice) {
        let plan = &mut self.plan;
        match choice {
            Choice::Touchpoints(ids) => {
                plan.place = plan.places.iter().position(|place| *place == ids);
                if let Some(first) = ids.into_iter().next() {
                    plan.touchpoint = first;
                }
            }
            Choice::Language(lang) => {
                plan.language = plan.languages.iter().position(|known| *known == lang);
            }
            Choice::Volume(volume) => plan.volume = volume,
        }
    }
}
