//! A hospital of the example files, with terminals that tap over HTTP.

use std::{net::SocketAddr, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use xinsheng::{
    central::{Central, Settings},
    config::{self, Glyphs},
    model::{EntryId, Moment, TimeQuality, TouchpointId, Value},
    questionnaire::Hospital,
    sign::KeyPair,
    wire::{Answer, Body, Draft, EnrolmentReply, Reasons},
};

use super::now;
use crate::{
    http,
    journal::{Journal, help, response},
    signed::{Call, enrolment, health},
};

/// A terminal that taps over HTTP.
pub(super) struct Terminal<'a> {
    central: SocketAddr,
    hospital: &'a Hospital,
    pub(super) touchpoint: TouchpointId,
    key: KeyPair,
    id: String,
    journal: Journal,
    taps: u64,
    sent: u64,
}

impl<'a> Terminal<'a> {
    fn enrol(central: &Central, hospital: &'a Hospital, touchpoint: &TouchpointId, number: u8) -> Self {
        let key = KeyPair::from_seed(&[number; 32]);
        let call = enrolment(&key, &central.new_code(touchpoint).unwrap());
        let (status, body) = http::call(central.address(), "POST", call.path, &call.headers(), &call.body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let welcome: EnrolmentReply = serde_json::from_slice(&body).unwrap();
        Self {
            central: central.address(),
            hospital,
            touchpoint: touchpoint.clone(),
            key,
            id: welcome.terminal.to_string(),
            journal: Journal::new(number),
            taps: 0,
            sent: 0,
        }
    }

    /// Taps a value of the headline question: of its levels the one at a place in percent, worst at 0, best at 100.
    pub(super) fn tap(&mut self, goodness: usize, at: DateTime<Utc>) {
        let asked = self.hospital.touchpoint(&self.touchpoint).unwrap().questionnaire.clone();
        let question = &self.hospital.questionnaire(&asked).unwrap().questions[0];
        let levels: Vec<Value> = question
            .scale
            .levels()
            .iter()
            .filter(|level| level.index.is_some())
            .map(|level| level.value)
            .collect();
        let place = ((levels.len() - 1) * goodness + 50) / 100;
        self.taps += 1;
        let number = u64::from(self.journal.chain.0[0]) * 1_000_000 + self.taps;
        let (value, group) = (levels[place], question.reasons_for(levels[place]));
        // Of the reasons the first is chosen most often, and the last hardly ever.
        let because = group.map(|group| {
            let pick = [0, 0, 0, 1, 0, 1, 2, 0, 1, 3][usize::try_from(self.taps).unwrap() % 10];
            Body::Reasons(Reasons {
                response: response(number),
                touchpoint: self.touchpoint.clone(),
                questionnaire: asked.clone(),
                question: question.id.clone(),
                value,
                reasons: group.reasons.get(pick).map(|reason| reason.id.clone()).into_iter().collect(),
                order: vec![],
                lang: "zh-CN".parse().unwrap(),
                shown_ms: 2_000,
            })
        });
        let body = Body::Answer(Answer {
            response: response(number),
            touchpoint: self.touchpoint.clone(),
            questionnaire: asked,
            question: question.id.clone(),
            scale: question.scale,
            value,
            lang: "zh-CN".parse().unwrap(),
            shown_ms: Some(2_000),
            order: levels,
            flags: vec![],
        });
        self.push(number, body, at);
        if let Some(because) = because {
            self.note(because, at);
        }
    }

    fn push(&mut self, number: u64, body: Body, at: DateTime<Utc>) {
        let moment =
            Moment { wall: at, boot: self.journal.boot, up_ms: self.taps, quality: TimeQuality::Synced };
        let mut random = [0; 10];
        random[..8].copy_from_slice(&number.to_be_bytes());
        self.journal.push_draft(Draft { id: EntryId::from_parts(5, random), at: moment, body });
    }

    /// Something else than a rating happens.
    pub(super) fn note(&mut self, body: Body, at: DateTime<Utc>) {
        self.taps += 1;
        self.push(u64::from(self.journal.chain.0[0]) * 1_000_000 + self.taps, body, at);
    }

    pub(super) fn call_help(&mut self, lang: &str, at: DateTime<Utc>) {
        let touchpoint = self.touchpoint.to_string();
        self.note(help(&touchpoint, lang), at);
        self.send();
    }

    pub(super) fn send(&mut self) {
        while self.sent < self.journal.last_seq() {
            let count = usize::try_from(self.journal.last_seq() - self.sent).unwrap().min(400);
            let body = self.journal.body(self.sent + 1, count);
            self.post("/v1/terminals/self/entries", "application/x-ndjson", body);
            self.sent += count as u64;
        }
        self.post("/v1/terminals/self/health", "application/json", health(&self.journal));
    }

    fn post(&self, path: &str, kind: &str, body: Vec<u8>) {
        let terminal = Some(self.id.clone());
        let call = Call {
            key: &self.key,
            terminal,
            method: "POST",
            path,
            query: None,
            kind,
            body,
            encoding: None,
            protocol: "1",
        };
        let (status, reply) = http::call(self.central, "POST", path, &call.headers(), &call.body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&reply));
    }
}

pub(super) fn example(data: &Path) -> (Settings, Hospital) {
    let read = |path: &Path| std::fs::read(path);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/central.toml");
    let loaded = config::load_central(&file, &read, &Glyphs::default())
        .unwrap_or_else(|findings| panic!("{findings}"));
    let mut settings = Settings::from_config(&loaded);
    data.clone_into(&mut settings.config.data_dir);
    (settings, loaded.value.hospital)
}

/// A day at a hospital: touchpoints of different size and mood, the last ones with few answers or none.
pub(super) fn fill<'a>(central: &Central, hospital: &'a Hospital) -> Vec<Terminal<'a>> {
    let sizes = [240, 180, 120, 90, 60, 40, 25, 14, 7, 3];
    let mut terminals = Vec::new();
    for ((touchpoint, taps), number) in hospital.touchpoints.iter().zip(sizes).zip(1..) {
        let mut terminal = Terminal::enrol(central, hospital, &touchpoint.id, number);
        for tap in 0..taps {
            // Evenly over the last 14 hours, with a slump in the middle; a fixed pattern, so that pictures can be compared.
            let at = now() - TimeDelta::minutes(i64::from(tap) * 14 * 60 / i64::from(taps));
            let mood = (tap * 7 + i32::from(number) * 3) % 10;
            let bad = if (taps / 3..taps / 2).contains(&tap) { 5 } else { 2 };
            terminal.tap(
                if mood < bad {
                    10
                } else if mood < bad + 2 {
                    75
                } else {
                    100
                },
                at,
            );
        }
        terminal.send();
        terminals.push(terminal);
    }
    terminals
}
