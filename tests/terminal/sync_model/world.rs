//! Kiosks, a network and a central, moved by dice with a seed.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
};

use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use xinsheng::{
    journal::{BatchLimits, Journal, OpenArgs},
    model::{BootId, ChainId, EntryId, Moment, TimeQuality},
    sign::KeyPair,
    sync::{
        apply,
        engine::{Effect, Engine, Pace, Queue, Step},
        message::{Reply, Request, Speaker, ask_cursor, send_batch, send_json},
        outcome::{Asked, Exchange, Outcome, Trouble, Trust, classify},
    },
    wire::{BATCH_BYTES_MAX, Body, Draft, Receipt, SelfTest, content_type, path},
};

use super::central::{Backup, Central, is_refused};

const TERMINAL: &str = "t-0001";

/// A batch in the model: small, so that a queue takes several.
const ENTRIES_MAX: usize = 8;

/// Requests until everything must have been sent once the network is good: far more than the entries of a run.
const SETTLE_REQUESTS: usize = 5_000;

/// A mistake built in on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    None,
    NoDeduplication,
    TrustBare200,
    CursorBeforeReceipt,
}

/// How often things happened: a test that never saw a fault proves nothing about it.
#[derive(Clone, Default, Debug)]
pub struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    const EVERYTHING: [&'static str; 20] = [
        "receipt",
        "lost request",
        "lost receipt",
        "duplicate",
        "late request",
        "captive portal",
        "forged receipt",
        "old receipt",
        "busy",
        "too large",
        "not allowed",
        "unsigned refusal",
        "crash",
        "crash between effects",
        "clock jump",
        "clone",
        "roll back",
        "restore",
        "new chain",
        "rewind",
    ];

    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// How often something happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub fn is_everything(&self) -> Result<(), &'static str> {
        Self::EVERYTHING.iter().find(|what| !self.0.contains_key(*what)).map_or(Ok(()), |what| Err(what))
    }
}

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_le_bytes()[0])
    }
}

struct Kiosk {
    dir: TempDir,
    journal: Option<Journal>,
    engine: Engine,
    boot: BootId,
    booted_ms: u64,
    /// Between this kiosk's wall clock and the truth.
    wall_off: TimeDelta,
    quality: TimeQuality,
}

impl Kiosk {
    fn journal(&mut self) -> &mut Journal {
        self.journal.as_mut().expect("open")
    }

    fn queue(&mut self) -> Queue {
        let journal = self.journal();
        Queue { cursor: journal.cursor(), waiting: journal.queue_depth() }
    }
}

/// What the network does to one exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
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

pub struct World {
    dice: Dice,
    flaw: Flaw,
    central: Central,
    key: KeyPair,
    kiosks: Vec<Kiosk>,
    now_ms: u64,
    /// Requests the terminal gave up on, which arrive when nobody expects them.
    late: Vec<Request>,
    old_receipts: VecDeque<Reply>,
    backups: Vec<Backup>,
    images: Vec<TempDir>,
    thanked: BTreeSet<EntryId>,
    /// Entries that were on a card when it was exchanged for an older image of itself: central may have them or not.
    rolled_back: BTreeSet<EntryId>,
    nonces: u64,
    story: VecDeque<String>,
    pub seen: Seen,
}

impl World {
    pub fn new(seed: u64, flaw: Flaw) -> Self {
        let mut dice = Dice(seed);
        let key = KeyPair::from_seed(&dice.bytes());
        let mut central = Central::new(key.clone(), true_time(0));
        central.deduplicates = flaw != Flaw::NoDeduplication;
        let mut world = Self {
            dice,
            flaw,
            central,
            key,
            kiosks: Vec::new(),
            now_ms: 0,
            late: Vec::new(),
            old_receipts: VecDeque::new(),
            backups: Vec::new(),
            images: Vec::new(),
            thanked: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            nonces: 0,
            story: VecDeque::new(),
            seen: Seen::default(),
        };
        let dir = folder();
        world.boot_kiosk(dir);
        world
    }

    /// The last things that happened.
    pub fn story(&self) -> String {
        self.story.iter().cloned().collect::<Vec<_>>().join("\n")
    }

    fn tell(&mut self, what: &str) {
        if self.story.len() == 60 {
            self.story.pop_front();
        }
        self.story.push_back(format!("{:>9} ms  {what}", self.now_ms));
    }

    fn moment(&self, kiosk: usize) -> Moment {
        let kiosk = &self.kiosks[kiosk];
        Moment {
            wall: true_time(self.now_ms) + kiosk.wall_off,
            boot: kiosk.boot,
            up_ms: self.now_ms - kiosk.booted_ms,
            quality: kiosk.quality,
        }
    }

    fn boot_kiosk(&mut self, dir: TempDir) {
        let boot = BootId::from_parts(self.now_ms, self.dice.bytes());
        let engine = Engine::new(pace(), None);
        let (wall_off, quality) = (TimeDelta::zero(), TimeQuality::Unset);
        self.kiosks.push(Kiosk {
            dir,
            journal: None,
            engine,
            boot,
            booted_ms: self.now_ms,
            wall_off,
            quality,
        });
        let last = self.kiosks.len() - 1;
        self.open(last);
    }

    fn open(&mut self, i: usize) {
        let chain = ChainId(self.dice.bytes());
        let now = self.moment(i);
        let mut args = OpenArgs::new(chain, now);
        args.ballast_bytes = 4096;
        let (mut journal, _) = Journal::open(self.kiosks[i].dir.path(), args).expect("the journal opens");
        let limit = apply::remembered_limit(&mut journal);
        let kiosk = &mut self.kiosks[i];
        kiosk.engine = Engine::new(pace(), limit);
        kiosk.journal = Some(journal);
    }

    /// One thing happens.
    pub fn step(&mut self) {
        self.now_ms += self.dice.below(300);
        self.central.now = true_time(self.now_ms);
        let i = usize::try_from(self.dice.below(self.kiosks.len() as u64)).expect("small");
        match self.dice.below(100) {
            0..30 => self.tap(i),
            30..80 => self.sync(i),
            80..83 => self.late_arrival(),
            83..86 => self.jump_clock(i),
            86..91 => self.crash(i),
            91..93 => self.backups.push(self.central.back_up()),
            93..95 => self.restore(),
            95..96 => self.copy_card(i),
            96..97 => self.take_image(i),
            97..98 => self.roll_back(i),
            _ => self.pass_time(),
        }
    }

    fn tap(&mut self, i: usize) {
        let at = self.moment(i);
        let count = 1 + self.dice.below(4);
        let ids: Vec<EntryId> =
            (0..count).map(|_| EntryId::from_parts(self.now_ms, self.dice.bytes())).collect();
        let touchpoint: xinsheng::model::TouchpointId = "registration".parse().expect("an id");
        let drafts = ids.iter().map(|id| {
            let body =
                Body::SelfTest(SelfTest { touchpoint: touchpoint.clone(), target: id.to_string(), of: None });
            Draft { id: *id, at, body }
        });
        let drafts = drafts.collect();
        self.kiosks[i].journal().append(drafts).expect("the disk is good");
        self.tell(&format!("kiosk {i}: {count} taps"));
        self.thanked.extend(ids);
    }

    fn pass_time(&mut self) {
        self.now_ms += self.dice.below(1_200_000);
    }

    fn jump_clock(&mut self, i: usize) {
        let days = i64::try_from(self.dice.below(40_000)).expect("small") - 20_000;
        let kiosk = &mut self.kiosks[i];
        kiosk.wall_off = TimeDelta::days(days);
        kiosk.quality = TimeQuality::Estimated;
        self.seen.count("clock jump");
        self.tell(&format!("kiosk {i}: clock off by {days} days"));
    }

    /// The power goes: what lies on the disk at this instant is what the next start finds.
    fn crash(&mut self, i: usize) {
        let image = folder();
        copy(self.kiosks[i].dir.path(), image.path());
        let kiosk = &mut self.kiosks[i];
        kiosk.journal = None;
        kiosk.dir = image;
        kiosk.boot = BootId::from_parts(self.now_ms, self.dice.bytes());
        kiosk.booted_ms = self.now_ms;
        kiosk.wall_off = TimeDelta::zero();
        self.open(i);
        self.seen.count("crash");
        self.tell(&format!("kiosk {i}: crash"));
    }

    fn copy_card(&mut self, i: usize) {
        // Two machines under one key are the worst case; one that notices the copy stops by itself.
        if self.kiosks.len() == 1 {
            let image = folder();
            copy(self.kiosks[i].dir.path(), image.path());
            self.boot_kiosk(image);
            self.seen.count("clone");
            self.tell(&format!("kiosk {i}: its card is copied into another machine"));
        }
    }

    fn take_image(&mut self, i: usize) {
        let image = folder();
        copy(self.kiosks[i].dir.path(), image.path());
        self.images.push(image);
    }

    fn roll_back(&mut self, i: usize) {
        let Some(image) = self.images.pop() else { return };
        self.kiosks[i].journal = None;
        self.kiosks[i].dir = image;
        self.open(i);
        let mut on_cards = BTreeSet::new();
        for kiosk in &mut self.kiosks {
            on_cards.extend(ids_on(kiosk.journal()));
        }
        // A tap that only the exchanged card held is lost with it, as with any lost card.
        let gone = self.thanked.iter().filter(|id| !on_cards.contains(id)).copied();
        self.rolled_back.extend(gone);
        self.seen.count("roll back");
        self.tell(&format!("kiosk {i}: an older image of a card is put in"));
    }

    fn restore(&mut self) {
        if self.backups.is_empty() {
            return;
        }
        let n = usize::try_from(self.dice.below(self.backups.len() as u64)).expect("small");
        self.central.restore(&self.backups[n]);
        // What came after the backup exists no more.
        self.backups.truncate(n + 1);
        self.seen.count("restore");
        self.tell("central is restored from a backup");
    }

    fn late_arrival(&mut self) {
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

    fn sync(&mut self, i: usize) {
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

    fn exchange(&mut self, i: usize, step: Step, queue: Queue, fate: Fate) {
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

    /// What must hold after every step.
    pub fn check(&mut self) -> Result<(), String> {
        // I2: each entry counts once.
        if let Some((id, count)) = self.central.counts().iter().find(|(_, count)| **count != 1) {
            return Err(format!("entry {id} is counted {count} times"));
        }
        if let Some(id) = self.central.counts().keys().find(|id| !self.thanked.contains(id)) {
            return Err(format!("entry {id} was never tapped"));
        }
        // I3: an entry leaves the queue only under central's signature.
        for (i, kiosk) in self.kiosks.iter_mut().enumerate() {
            let (chain, cursor) = (kiosk.journal().head().chain, kiosk.journal().cursor());
            let signed_for = self.central.signed_for.get(&chain).copied().unwrap_or(0);
            if cursor > signed_for {
                return Err(format!(
                    "kiosk {i} has its cursor at {cursor}, central never signed for more than {signed_for}"
                ));
            }
        }
        // I4 and I7: what central holds of a chain is whole and in the terminal's order, whatever the clocks said.
        self.central.verify()?;
        // I8: what central cannot read is kept.
        if self.central.quarantine_is_kept() { Ok(()) } else { Err("a quarantined entry is gone".into()) }
    }

    /// The network is good again and nothing more happens: everything is sent.
    pub fn settle(&mut self) {
        while !self.late.is_empty() {
            self.late_arrival();
        }
        for _ in 0..2 {
            // Time for waits to end and for the cursor to be asked again: central may have been restored.
            self.now_ms += 4 * 3_600_000;
            for i in 0..self.kiosks.len() {
                self.settle_kiosk(i);
            }
        }
    }

    fn settle_kiosk(&mut self, i: usize) {
        for _ in 0..SETTLE_REQUESTS {
            let queue = self.kiosks[i].queue();
            match self.kiosks[i].engine.next(self.now_ms, queue) {
                Step::WaitUntil(_) if queue.waiting == 0 => return,
                Step::WaitUntil(at) => self.now_ms = at,
                step @ (Step::GetCursor | Step::SendBatch { .. } | Step::SendHealth | Step::GetConfig) => {
                    self.exchange(i, step, queue, Fate::Good);
                }
            }
        }
        panic!("kiosk {i} does not come to rest\n{}", self.story());
    }

    /// What must hold at the end: every entry that was thanked for is counted, once.
    pub fn check_settled(&mut self) -> Result<(), String> {
        self.check()?;
        let missing = |id: &&EntryId| {
            !self.central.is_stored(**id) && !is_refused(**id) && !self.rolled_back.contains(*id)
        };
        match self.thanked.iter().find(missing) {
            Some(id) => Err(format!("entry {id} was thanked for and is not at central")),
            None => Ok(()),
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

fn pace() -> Pace {
    Pace { entries_max: ENTRIES_MAX, ..Pace::default() }
}

fn true_time(now_ms: u64) -> DateTime<Utc> {
    let start = DateTime::from_timestamp(1_795_000_000, 0).expect("a date");
    start + TimeDelta::milliseconds(i64::try_from(now_ms).expect("small"))
}

/// In memory where the machine has such a place: the model crashes often, and here power never really fails.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// The ids of everything that lies on a card.
fn ids_on(journal: &mut Journal) -> Vec<EntryId> {
    #[derive(serde::Deserialize)]
    struct Exported {
        entry: Option<Id>,
    }
    #[derive(serde::Deserialize)]
    struct Id {
        id: EntryId,
    }
    let mut text = Vec::new();
    journal.export(&mut text).expect("readable");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line| serde_json::from_slice::<Exported>(line).expect("an exported line");
    lines.filter_map(|line| read(line).entry).map(|entry| entry.id).collect()
}
