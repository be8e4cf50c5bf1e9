//! One exchange between a kiosk and central, and what the network does to it.

use xinsheng::{
    journal::BatchLimits,
    model::ChainId,
    sync::{
        apply,
        engine::{Effect, Queue, Step},
        message::{Reply, Request, Speaker, ask_cursor, send_batch, send_json},
        outcome::{Asked, Exchange, Outcome, Trouble, Trust, classify},
    },
    wire::{BATCH_BYTES_MAX, Receipt, content_type, path},
};

use super::{Flaw, TERMINAL, World};

/// What the network does to one exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Good,
    LoseRequest,
    LoseReceipt,
    Duplicate,
    Late,
    Portal,
    Forged,
    OldReceipt,
    Busy,
    TooLarge,
    NotAllowed,
    UnsignedRefusal,
}

impl World {
    pub(super) fn late_arrival(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let n = usize::try_from(self.dice.below(self.late.len() as u64)).expect("small");
        let request = self.late.swap_remove(n);
        let reply = self.central.answer(&request);
        self.seen.count("late request");
        self.tell(&format!("a late request arrives: {request:?} -> {}", reply.status));
    }

    fn fate(&mut self) -> Fate {
        match self.dice.below(100) {
            0..55 => Fate::Good,
            55..63 => Fate::LoseRequest,
            63..71 => Fate::LoseReceipt,
            71..76 => Fate::Duplicate,
            76..82 => Fate::Late,
            82..86 => Fate::Portal,
            86..89 => Fate::Forged,
            89..93 => Fate::OldReceipt,
            93..95 => Fate::Busy,
            95..97 => Fate::TooLarge,
            97..98 => Fate::NotAllowed,
            _ => Fate::UnsignedRefusal,
        }
    }

    pub(super) fn sync(&mut self, i: usize) {
        let queue = self.kiosks[i].queue();
        match self.kiosks[i].engine.next(self.now_ms, queue) {
            Step::WaitUntil(at) => {
                if self.dice.below(2) == 0 {
                    self.now_ms = self.now_ms.max(at);
                }
            }
            step @ (Step::GetCursor | Step::SendBatch { .. } | Step::SendHealth | Step::GetConfig) => {
                let fate = self.fate();
                self.exchange(i, step, queue, fate);
            }
        }
    }

    pub(super) fn exchange(&mut self, i: usize, step: Step, queue: Queue, fate: Fate) {
        let Some((asked, chain, last, request)) = self.prepare(i, step) else { return };
        if self.flaw == Flaw::CursorBeforeReceipt
            && let Some((through, head)) = last
        {
            let now = self.moment(i);
            self.kiosks[i].journal().acknowledge(through, head, &now).expect("its own hash");
        }
        let exchange = Exchange::new(asked, chain, &request);
        let answer = self.carry(&request, fate);
        let trust = Trust { key: self.central.public_key(), store: self.central.store };
        let mut outcome = classify(&exchange, &trust, answer.as_ref());
        if self.flaw == Flaw::TrustBare200
            && matches!(&answer, Ok(reply) if reply.status == 200)
            && let Some((accepted_through, head_hash)) = last
        {
            outcome = Outcome::Receipt(Receipt {
                store: self.central.store,
                chain,
                accepted_through,
                head_hash,
                stored: 0,
                duplicate: 0,
                quarantined: Vec::new(),
                next_sync_after_s: 30,
                time: self.central.now,
            });
        }
        if matches!(outcome, Outcome::Receipt(_)) {
            self.seen.count("receipt");
            self.old_receipts.push_back(answer.expect("it was one"));
            self.old_receipts.truncate(20);
        }
        self.tell(&format!("kiosk {i}: {asked:?} on {chain:?}, {fate:?} -> {}", short(&outcome)));
        let random = self.dice.unit();
        let effects = self.kiosks[i].engine.handle(asked, outcome, queue, self.now_ms, random);
        for effect in effects {
            // The power can go between any two of them.
            if self.dice.below(60) == 0 {
                self.seen.count("crash between effects");
                self.crash(i);
                return;
            }
            self.apply(i, &effect, chain);
        }
    }

    fn apply(&mut self, i: usize, effect: &Effect, chain: ChainId) {
        match effect {
            Effect::NewChain(_) => self.seen.count("new chain"),
            Effect::Rewind { .. } => self.seen.count("rewind"),
            Effect::Refuse { .. } => self.seen.count("refused"),
            Effect::Quarantined(_) => self.seen.count("quarantined"),
            Effect::MoveCursor { .. }
            | Effect::SetBadge(_)
            | Effect::RememberLimit(_)
            | Effect::ApplyConfig { .. }
            | Effect::QuarantineIs(_)
            | Effect::SetClock(_) => {}
        }
        let (now, new_chain, random) = (self.moment(i), ChainId(self.dice.bytes()), self.dice.unit());
        let now_ms = self.now_ms;
        let kiosk = &mut self.kiosks[i];
        if let Err(error) = apply::apply(kiosk.journal(), effect, chain, new_chain, &now) {
            let reason = apply::ends_chain(&error).unwrap_or_else(|| panic!("{error}"));
            let effects = kiosk.engine.journal_disagrees(reason, now_ms, random);
            self.tell(&format!("kiosk {i}: {error}"));
            for effect in effects {
                self.apply(i, &effect, chain);
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "what was asked, of which chain, its last place, the request")]
    fn prepare(
        &mut self,
        i: usize,
        step: Step,
    ) -> Option<(Asked, ChainId, Option<(u64, xinsheng::model::Hash)>, Request)> {
        self.nonces += 1;
        let nonce = format!("n{}", self.nonces);
        let now = self.moment(i);
        let key = self.key.clone();
        let speaker = Speaker { key: &key, terminal: Some(TERMINAL), at: now.wall, nonce: &nonce };
        let now_ms = self.now_ms;
        let kiosk = &mut self.kiosks[i];
        let chain = kiosk.journal().head().chain;
        match step {
            Step::WaitUntil(_) | Step::GetConfig => None,
            Step::GetCursor => {
                Some((Asked::Cursor, chain, None, ask_cursor(&speaker, chain).expect("signed")))
            }
            Step::SendHealth => {
                // The model does not look at its content.
                let request = send_json(&speaker, path::HEALTH, &chain).expect("signed");
                Some((Asked::Health, chain, None, request))
            }
            Step::SendBatch { entries_max } => {
                let limits = BatchLimits { entries: entries_max, bytes: BATCH_BYTES_MAX };
                let Some(batch) = kiosk.journal().batch(limits).expect("readable") else {
                    kiosk.engine.nothing_sent(now_ms);
                    return None;
                };
                let asked = Asked::Batch { first_seq: batch.first_seq, count: batch.lines.len() };
                let request = send_batch(&speaker, &batch.header(now), &batch.lines).expect("signed");
                Some((asked, batch.chain, Some((batch.last_seq(), batch.head_hash)), request))
            }
        }
    }

    /// Brings a request to central, or not, and an answer back, or not.
    fn carry(&mut self, request: &Request, fate: Fate) -> Result<Reply, Trouble> {
        let bare = |status: u16, kind: &str, body: &str| Reply {
            status,
            headers: [("content-type".to_owned(), kind.to_owned())].into(),
            body: body.as_bytes().to_vec(),
        };
        match fate {
            Fate::Good => Ok(self.central.answer(request)),
            Fate::LoseRequest => {
                self.seen.count("lost request");
                Err(Trouble::Connect)
            }
            Fate::LoseReceipt => {
                self.central.answer(request);
                self.seen.count("lost receipt");
                Err(Trouble::Timeout)
            }
            Fate::Duplicate => {
                let first = self.central.answer(request);
                let second = self.central.answer(request);
                self.seen.count("duplicate");
                Ok(if self.dice.below(2) == 0 { first } else { second })
            }
            Fate::Late => {
                self.late.push(request.clone());
                Err(Trouble::Timeout)
            }
            Fate::Portal => {
                self.seen.count("captive portal");
                Ok(bare(200, "text/html", "<html>please log in"))
            }
            Fate::Forged => {
                self.seen.count("forged receipt");
                let mut reply =
                    self.old_receipts.back().cloned().unwrap_or_else(|| {
                        bare(200, content_type::RECEIPT, "{\"accepted_through\":1000000}")
                    });
                reply.body = String::from_utf8_lossy(&reply.body)
                    .replace("\"accepted_through\":", "\"accepted_through\":1")
                    .into_bytes();
                Ok(reply)
            }
            Fate::OldReceipt => {
                self.seen.count("old receipt");
                self.old_receipts.front().cloned().ok_or(Trouble::Timeout)
            }
            Fate::Busy => {
                self.seen.count("busy");
                let mut reply = bare(503, "text/plain", "");
                reply.headers.insert("retry-after".into(), "20".into());
                Ok(reply)
            }
            Fate::TooLarge => {
                self.seen.count("too large");
                Ok(bare(413, "text/plain", ""))
            }
            Fate::NotAllowed => {
                self.seen.count("not allowed");
                Ok(bare(403, "text/plain", ""))
            }
            Fate::UnsignedRefusal => {
                self.seen.count("unsigned refusal");
                Ok(bare(if self.dice.below(2) == 0 { 400 } else { 409 }, "text/plain", ""))
            }
        }
    }
}

fn short(outcome: &Outcome) -> String {
    if let Outcome::Receipt(receipt) = outcome {
        format!("receipt through {}", receipt.accepted_through)
    } else if let Outcome::Cursor(cursor) = outcome {
        format!("cursor at {}", cursor.accepted_through)
    } else {
        format!("{outcome:?}").chars().take(80).collect()
    }
}
