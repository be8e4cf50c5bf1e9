//! One life of the thread: find an identity, connect, then step by step.

use std::{sync::Arc, time::Duration};

use super::{
    LOOK_AT_NETWORK, LOOK_FOR_IDENTITY, Shared, Stopwatch, SyncArgs, SyncState, SyncStatus, Woken, facts,
};
use crate::{
    chain,
    clock::{Clock, fresh},
    journal::{Batch, BatchLimits, Gone, JournalError, Keeper, RecorderHandle},
    model::{ChainId, Moment},
    sync::{
        apply,
        diagnosis::{Diagnosis, Fault},
        engine::{Badge, Effect, Engine, NewChainReason, Pace, Queue, Step},
        keys::{Identity, put_aside},
        link::Version,
        message::{MessageError, Request, Speaker, ask_config, ask_cursor, send_batch, send_json},
        nonce,
        outcome::{Asked, Exchange, Trust, classify},
        server_key::ServerKey,
        transport::Transport,
    },
    wire::{BATCH_BYTES_MAX, Body, ConfigChange, Draft, Health, path},
};

/// Longest reason written into the journal for a refused configuration: room for the first finding, where a file may have hundreds.
const REASON_CHARS_MAX: usize = 300;

/// What the thread was started with, apart from its arguments.
pub(super) struct Shell {
    pub shared: Arc<Shared>,
    pub recorder: RecorderHandle,
    pub clock: Arc<dyn Clock>,
}

/// Why a session ended.
enum End {
    /// The thread is to end: it was told to, or the journal is closed.
    Stop,
    /// The identity changed on disk, or central is to be reached otherwise.
    Again,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Stop
    }
}

pub(super) fn run(shell: &Shell, mut args: SyncArgs) {
    loop {
        let ended = match begin(shell, &mut args) {
            Ok(Some(mut session)) => session.run(),
            Ok(None) => match shell.shared.wait(LOOK_FOR_IDENTITY) {
                Woken::Stop => Err(End::Stop),
                Woken::Retry | Woken::Nudge | Woken::Time => Ok(()),
            },
            Err(end) => Err(end),
        };
        match ended {
            Err(End::Stop) => return,
            Ok(()) | Err(End::Again) => {}
        }
    }
}

/// Finds an identity and prepares the connection; `None` if either is not to be had now.
fn begin<'a>(shell: &'a Shell, args: &'a mut SyncArgs) -> Result<Option<Session<'a>>, End> {
    if shell.shared.stopping() {
        return Err(End::Stop);
    }
    let identity = match Identity::load(&args.identity_file) {
        Ok(identity) => identity,
        Err(error) => {
            let fault = error.fault();
            let words = format!("{:#}", anyhow::Error::new(error));
            tell(shell, args, SyncState::NotEnrolled, Badge::NotAllowed(words), fault);
            return Ok(None);
        }
    };
    if !identity.is_of_this_machine(&args.hardware_id) {
        leave_copied_identity(shell, args)?;
        return Ok(None);
    }
    // Before the connection, so that no change in between is missed.
    let version = args.link.version();
    let file = &args.identity_file;
    let transport = match args.link.connect_as(&identity, file, &shell.clock, args.deadlines) {
        Ok(transport) => transport,
        Err(error) => {
            let fault = error.fault();
            let words = format!("{:#}", anyhow::Error::new(error));
            tell(shell, args, SyncState::Misconfigured, Badge::Misconfigured(words), fault);
            return Ok(None);
        }
    };
    let limit = shell.recorder.call(apply::remembered_limit)?;
    let trust = Trust { key: identity.central_key, store: identity.store };
    let status = SyncStatus {
        state: SyncState::NoContact,
        terminal: Some(identity.terminal.clone()),
        badge: None,
        last_error: None,
        ..shell.shared.status().clone()
    };
    *shell.shared.status() = status.clone();
    (args.on_status)(&status);
    Ok(Some(Session {
        engine: Engine::new(Pace { takes_config: version.address.takes_config, ..args.pace }, limit),
        version,
        shell,
        args,
        identity,
        trust,
        transport,
        watch: Stopwatch::start(),
        network: facts::network(),
        tells_loss: false,
        told: told(&status),
        status,
    }))
}

/// A card that was copied from another machine: its journal goes on as another chain, its key is not used here.
fn leave_copied_identity(shell: &Shell, args: &mut SyncArgs) -> Result<(), End> {
    let now = shell.clock.now();
    let begun = shell.recorder.call(move |journal| apply::begin_chain(journal, fresh::chain_id(), &now))?;
    if let Err(error) = begun {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "cannot begin a new chain on a copied card"
        );
        return Ok(());
    }
    match put_aside(&args.identity_file) {
        Ok(aside) => {
            tracing::error!(aside = %aside.display(), "this card was copied from another machine; enrol this terminal anew");
        }
        Err(error) => tracing::error!(%error, "cannot put the identity of another machine aside"),
    }
    let badge = Badge::NotAllowed(NewChainReason::Cloned.to_string());
    tell(shell, args, SyncState::NotEnrolled, badge, Fault::Cloned);
    Ok(())
}

/// Tells of a state outside a session, once.
fn tell(shell: &Shell, args: &mut SyncArgs, state: SyncState, badge: Badge, fault: Fault) {
    let diagnosis = Diagnosis::new(fault, badge.to_string());
    let status = {
        let mut status = shell.shared.status();
        if status.state == state && status.badge.as_ref() == Some(&badge) {
            return;
        }
        status.state = state;
        status.last_error = Some(diagnosis.clone());
        status.badge = Some(badge);
        status.clone()
    };
    tracing::warn!(state = ?status.state, "{diagnosis}");
    (args.on_status)(&status);
}

struct Session<'a> {
    shell: &'a Shell,
    args: &'a mut SyncArgs,
    identity: Identity,
    trust: Trust,
    transport: Box<dyn Transport>,
    /// What the connection was made with.
    version: Version,
    engine: Engine,
    watch: Stopwatch,
    network: u64,
    /// The health report under way says what storage lost; told once, it is forgotten.
    tells_loss: bool,
    /// What the listener was told last.
    told: Told,
    status: SyncStatus,
}

/// A request with what it is about.
struct Prepared {
    request: Request,
    exchange: Exchange,
}

impl Session<'_> {
    fn run(&mut self) -> Result<(), End> {
        loop {
            if self.shell.shared.stopping() {
                return Err(End::Stop);
            }
            let queue = self.queue()?;
            match self.engine.next(self.watch.ms(), queue) {
                Step::WaitUntil(at) => self.wait(at)?,
                step @ (Step::GetCursor | Step::SendBatch { .. } | Step::SendHealth | Step::GetConfig) => {
                    if self.is_elsewhere() {
                        return Err(End::Again);
                    }
                    self.step(step, queue)?;
                }
            }
        }
    }

    /// Whether a new connection is needed. An authority file of the same address that is lost or cannot be used is none: what was read of it
    /// before stays in force.
    fn is_elsewhere(&mut self) -> bool {
        let now = self.args.link.version();
        if now == self.version {
            return false;
        }
        if now.address == self.version.address
            && let Err(error) = self.args.link.connect(self.expected(), self.args.deadlines)
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the changed authority file is not used; the certificates that it held before stay in force until the terminal restarts"
            );
            self.version = now;
            return false;
        }
        true
    }

    fn expected(&self) -> ServerKey {
        self.identity.tls_key.map_or(ServerKey::Authorities, ServerKey::Known)
    }

    fn queue(&mut self) -> Result<Queue, End> {
        let look = |journal: &mut crate::journal::Journal| {
            let queue = Queue { cursor: journal.cursor(), waiting: journal.queue_depth() };
            (journal.head().chain, queue)
        };
        let (chain, queue) = self.shell.recorder.call_sending(look)?;
        if (self.status.chain, self.status.queue) != (Some(chain), queue) {
            (self.status.chain, self.status.queue) = (Some(chain), queue);
            self.status.all_sent &= queue.waiting == 0;
            *self.shell.shared.status() = self.status.clone();
        }
        Ok(queue)
    }

    /// Sleeps until a time on the session's watch, a nudge, or a change of network or identity.
    fn wait(&mut self, at_ms: u64) -> Result<(), End> {
        let left = Duration::from_millis(at_ms.saturating_sub(self.watch.ms()));
        let woken = self.shell.shared.wait(left.min(LOOK_AT_NETWORK));
        match woken {
            Woken::Stop => return Err(End::Stop),
            Woken::Retry => self.engine.wake(self.watch.ms()),
            Woken::Nudge => return Ok(()),
            Woken::Time => {}
        }
        let network = facts::network();
        if network != self.network {
            tracing::info!("the network changed");
            self.network = network;
            self.engine.wake(self.watch.ms());
        }
        if self.is_elsewhere() {
            return Err(End::Again);
        }
        // Staff who enrol a terminal anew ask for an attempt right after.
        if (self.status.state == SyncState::NotAllowed || woken == Woken::Retry)
            && let Ok(found) = Identity::load(&self.args.identity_file)
            && found.key.public() != self.identity.key.public()
        {
            return Err(End::Again);
        }
        Ok(())
    }

    fn step(&mut self, step: Step, queue: Queue) -> Result<(), End> {
        let now = self.shell.clock.now();
        let Some(Prepared { request, exchange }) = self.prepare(step, queue, &now)? else { return Ok(()) };
        self.status.requests += 1;
        let answer = self.transport.send(&request);
        let outcome = classify(&exchange, &self.trust, answer.as_ref());
        tracing::debug!(?request, ?outcome, "asked central");
        let trouble = outcome.diagnosis(&self.version.address.url).map(|found| self.transport.told(found));
        let effects = self.engine.handle(exchange.asked, outcome, queue, self.watch.ms(), fresh::unit());
        for effect in effects {
            self.apply(effect, exchange.chain)?;
        }
        if exchange.asked == Asked::Health && trouble.is_none() && std::mem::take(&mut self.tells_loss) {
            let cleared = self.shell.recorder.call(crate::journal::Journal::clear_lost_after)?;
            cleared.or_else(|error| self.journal_said_no(&error, exchange.chain))?;
        }
        let after = self.queue()?;
        self.publish(trouble, after);
        Ok(())
    }

    fn prepare(&mut self, step: Step, queue: Queue, now: &Moment) -> Result<Option<Prepared>, End> {
        let nonce = nonce();
        let terminal = self.identity.terminal.clone();
        let key = self.identity.key.clone();
        let speaker = Speaker { key: &key, terminal: Some(terminal.as_str()), at: now.wall, nonce: &nonce };
        let made = match step {
            Step::WaitUntil(_) => return Ok(None),
            Step::SendBatch { entries_max } => {
                let Some(batch) = self.take_batch(entries_max)? else { return Ok(None) };
                let count = batch.lines.len();
                let asked = Asked::Batch { first_seq: batch.first_seq, count };
                send_batch(&speaker, &batch.header(*now), &batch.lines).map(|r| (asked, batch.chain, r))
            }
            Step::GetCursor => {
                let chain = self.chain()?;
                ask_cursor(&speaker, chain).map(|r| (Asked::Cursor, chain, r)).map_err(MessageError::from)
            }
            Step::GetConfig => {
                let chain = self.chain()?;
                let known = self.engine.config_etag();
                ask_config(&speaker, known).map(|r| (Asked::Config, chain, r)).map_err(MessageError::from)
            }
            Step::SendHealth => {
                let health = self.health(queue, now)?;
                send_json(&speaker, path::HEALTH, &health).map(|r| (Asked::Health, health.chain, r))
            }
        };
        match made {
            Ok((asked, chain, request)) => {
                let exchange = Exchange::new(asked, chain, &request);
                Ok(Some(Prepared { request, exchange }))
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot make a request");
                self.engine.pause(self.watch.ms(), fresh::unit());
                Ok(None)
            }
        }
    }

    fn chain(&self) -> Result<ChainId, End> {
        Ok(self.shell.recorder.call_sending(|journal| journal.head().chain)?)
    }

    fn take_batch(&mut self, entries: usize) -> Result<Option<Batch>, End> {
        let limits = BatchLimits { entries, bytes: BATCH_BYTES_MAX };
        match self.shell.recorder.call_sending(move |journal| journal.batch(limits))? {
            Ok(Some(batch)) => return Ok(Some(batch)),
            Ok(None) => self.engine.nothing_sent(self.watch.ms()),
            Err(error) => {
                let chain = self.chain()?;
                self.journal_said_no(&error, chain)?;
            }
        }
        Ok(None)
    }

    fn health(&mut self, queue: Queue, now: &Moment) -> Result<Health, End> {
        let look = |keeper: &mut Keeper| {
            let (sent_from, free) = (keeper.sending().head(), keeper.disk().disk_free_bytes());
            (sent_from, keeper.sending().stats(), keeper.stats(), free)
        };
        let (head, sending, stats, disk_free_bytes) = self.shell.recorder.call_keeper(look)?;
        let stats =
            stats.inspect_err(|error| tracing::warn!(%error, "the journal's figures cannot be read")).ok();
        let stats = stats.as_ref();
        self.tells_loss = stats.is_some_and(|stats| stats.lost_after.is_some());
        // The one whose entries are sent now; while that is the disk's it is the same look.
        let oldest = sending.ok().and_then(|stats| stats.oldest_unsent);
        Ok(Health {
            chain: head.chain,
            last_seq: head.seq,
            queue_depth: queue.waiting,
            oldest_unsent_s: oldest.and_then(|then| Some(then.age_ms(now)? / 1_000)),
            unsaved: stats.and_then(|stats| stats.unsaved).unwrap_or(0),
            refused: stats.map_or(0, |stats| stats.refused),
            last_error: self.status.last_error.as_ref().map(ToString::to_string),
            temperature_c: facts::temperature_c(),
            disk_free_bytes,
            clock: now.quality,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash: (self.args.config_hash)(),
            screen: self.args.screen.clone(),
            restarts: stats.map_or(0, |stats| stats.restarts),
            lost_after: stats.and_then(|stats| stats.lost_after),
            sent: *now,
        })
    }

    fn apply(&mut self, effect: Effect, chain: ChainId) -> Result<(), End> {
        let now = self.shell.clock.now();
        match &effect {
            Effect::MoveCursor { .. } | Effect::RememberLimit(_) | Effect::QuarantineIs(_) => {}
            Effect::Rewind { through, .. } => {
                tracing::warn!(through, "central fell back; sending again from there");
            }
            Effect::Refuse { seq, reason } => {
                tracing::error!(seq, reason, "central refused an entry; it is kept here and passed over");
            }
            Effect::NewChain(reason) => {
                tracing::error!(%reason, "beginning a new chain; what this journal holds is carried over");
            }
            Effect::SetBadge(badge) => self.status.badge.clone_from(badge),
            Effect::SetClock(time) => self.shell.clock.set_offset(*time),
            Effect::ApplyConfig { text, .. } => {
                if let Err(reason) = (self.args.on_config)(text) {
                    tracing::error!(
                        reason,
                        "the configuration from central is not taken; the last good one stays"
                    );
                    self.record_refusal(text, &reason, now);
                }
            }
            Effect::Quarantined(entries) => {
                self.status.quarantined += entries.len() as u64;
                for entry in entries {
                    tracing::warn!(seq = entry.seq, reason = entry.reason, "central cannot read an entry");
                }
            }
        }
        let done = self
            .shell
            .recorder
            .call_sending(move |journal| apply::apply(journal, &effect, chain, fresh::chain_id(), &now))?;
        done.or_else(|error| self.journal_said_no(&error, chain))
    }

    /// Tells central, by way of the journal, that a delivered configuration is not in force here. Its hash is the one central
    /// delivered it under.
    fn record_refusal(&self, text: &str, reason: &str, at: Moment) {
        let body = Body::Config(ConfigChange {
            config_hash: chain::sha256(text.as_bytes()).to_string(),
            accepted: false,
            reason: Some(reason.chars().take(REASON_CHARS_MAX).collect()),
            touchpoints: Vec::new(),
        });
        self.shell.recorder.append(vec![Draft { id: fresh::entry_id(&at), at, body }], |_| {});
    }

    /// What a journal's refusal means: nothing more can go under its chain, or a wait for storage.
    fn journal_said_no(&mut self, error: &JournalError, chain: ChainId) -> Result<(), End> {
        tracing::error!(error = error as &dyn std::error::Error, "the journal cannot do what sync asks");
        let Some(reason) = apply::ends_chain(error) else {
            self.engine.pause(self.watch.ms(), fresh::unit());
            return Ok(());
        };
        for effect in self.engine.journal_disagrees(reason, self.watch.ms(), fresh::unit()) {
            self.apply(effect, chain)?;
        }
        Ok(())
    }

    fn publish(&mut self, trouble: Option<Diagnosis>, queue: Queue) {
        let before = self.status.clone();
        let answered = trouble.is_none();
        match &trouble {
            None => self.status.last_contact = Some(self.shell.clock.now().wall),
            Some(found) if trouble != before.last_error => {
                tracing::warn!(url = self.version.address.url, "{found}");
            }
            Some(_) => {}
        }
        self.status.all_sent = answered && queue.waiting == 0;
        self.status.last_error = trouble;
        self.status.state = match &self.status.badge {
            Some(Badge::NotAllowed(_)) => SyncState::NotAllowed,
            Some(Badge::Misconfigured(_)) => SyncState::Misconfigured,
            Some(Badge::NoContact(_)) => SyncState::NoContact,
            None if answered => SyncState::InContact,
            None => before.state,
        };
        *self.shell.shared.status() = self.status.clone();
        let worth_telling = told(&self.status);
        if worth_telling != self.told {
            self.told = worth_telling;
            (self.args.on_status)(&self.status);
        }
    }
}

/// What the listener is told of when it changes.
type Told = (SyncState, Option<Badge>, bool, Option<ChainId>, u64);

fn told(status: &SyncStatus) -> Told {
    (status.state, status.badge.clone(), status.all_sent, status.chain, status.queue.cursor)
}
