//! The worker of the staff area: one thread that does what takes time, and tells what came of it.
//!
//! The UI thread sends an [`Ask`] and returns; the answer comes on this thread, through a callback that must not wait. Everything is done
//! in order, one thing at a time. The journal is reached through the recorder, which this thread may wait for and the screen may not.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    },
    thread,
    time::Duration,
};

use super::{
    Answer, Ask, Choice, Code, ExportFault, Failure, FileSays, NotKept, PinVerdict, StaffChoices,
    StatusFacts, Token,
    contact::{About, Reached, try_central},
    export,
    lockout::Lockout,
    stick,
};
use crate::{
    clock::{Clock, fresh},
    config::{Findings, KioskSetup, Loaded, Severity},
    enrolment_code::EnrolmentCode,
    journal::RecorderHandle,
    model::{TerminalId, TouchpointId},
    pin::{Pin, PinHash},
    sync::{
        Diagnosis, EnrolError, Fault, Identity, IdentityError, Link, ServerKey, SyncHandle,
        enrol::{enrol_through, expected_by},
        hardware::hardware_id,
        transport::Deadlines,
    },
    wire::{Body, ConfigChange, Draft},
};

/// The tries at the PIN, in the journal's key-value table.
const LOCKOUT_KEY: &str = "staff_lockout";

/// Questions that may wait. They come from fingers, one after the other; more than this is a finger on a stalled disk.
const ASKS_MAX: usize = 64;

/// Staff stand and wait for an answer of central, and leave the area a minute after their last touch.
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(10), whole: Duration::from_secs(30) };

/// A stop waits this long for what is being done; a stick that was pulled out may hold it up for ever.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// What the configuration in force says to the staff area.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The PIN's hash.
    pub pin: Option<PinHash>,
    /// Where exports go instead of a stick.
    pub export_dir: Option<PathBuf>,
    /// What is rated and shown without any choice of staff.
    pub file: FileSays,
    /// SHA-256 of the configuration, hexadecimal.
    pub config_hash: String,
}

impl Settings {
    /// Of a configuration as it was loaded, before any choice of staff was laid over it.
    pub fn of(loaded: &Loaded<KioskSetup>) -> Self {
        let kiosk = &loaded.value.kiosk;
        Self {
            pin: kiosk.staff.pin_hash.clone(),
            export_dir: kiosk.staff.export_dir.clone(),
            file: FileSays::of(&loaded.value),
            config_hash: loaded.config_hash.clone(),
        }
    }
}

/// Takes an answer; called on the worker's thread, must not wait.
pub type Reply = Box<dyn Fn(Token, Answer) + Send>;

/// What the thread needs.
pub struct WorkerArgs {
    /// Of the configuration in force.
    pub settings: Settings,
    /// What staff chose before, see [`StaffChoices::load`].
    pub choices: StaffChoices,
    /// The journal's folder.
    pub data: PathBuf,
    /// The identity file.
    pub identity_file: PathBuf,
    /// What this machine is called.
    pub hardware_id: String,
    /// The journal.
    pub recorder: RecorderHandle,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The way to central, asked for its status and told when to try again.
    pub sync: SyncHandle,
    /// How to reach central: the same as the sync thread's.
    pub link: Link,
    /// Where answers go.
    pub reply: Reply,
    /// Judges the screens that the choices would make; takes seconds.
    pub judge: Box<dyn Fn(&StaffChoices) -> Findings + Send>,
    /// Told of every choice once it is kept; it has it applied.
    pub on_choices: Box<dyn Fn(&StaffChoices) + Send>,
}

impl WorkerArgs {
    /// The worker of a terminal in service: on this machine, with no choice made and nobody listening.
    pub fn new(
        settings: Settings,
        data: PathBuf,
        identity_file: PathBuf,
        recorder: RecorderHandle,
        clock: Arc<dyn Clock>,
        sync: SyncHandle,
        link: Link,
    ) -> Self {
        Self {
            settings,
            choices: StaffChoices::default(),
            data,
            identity_file,
            hardware_id: hardware_id(),
            recorder,
            clock,
            sync,
            link,
            reply: Box::new(|_, _| {}),
            judge: Box::new(|_| Findings::default()),
            on_choices: Box::new(|_| {}),
        }
    }
}

enum Command {
    Ask(Token, Ask),
    Settings(Box<Settings>),
    Stop,
}

/// A way to reach the worker; cheap to clone.
#[derive(Clone)]
pub struct WorkerHandle {
    commands: SyncSender<Command>,
}

impl WorkerHandle {
    /// Has something done. Never waits; the answer comes through [`WorkerArgs::reply`].
    pub fn ask(&self, token: Token, ask: Ask) {
        self.send(Command::Ask(token, ask));
    }

    /// Another configuration is in force.
    pub fn settings(&self, settings: Settings) {
        self.send(Command::Settings(Box::new(settings)));
    }

    fn send(&self, command: Command) {
        match self.commands.try_send(command) {
            // Without its thread the program is about to end.
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            Err(TrySendError::Full(_)) => {
                tracing::error!("the staff area's thread is stuck; a question is dropped");
            }
        }
    }
}

/// The running thread. Dropping it stops it.
pub struct StaffWorker {
    handle: WorkerHandle,
    ended: Receiver<()>,
}

impl StaffWorker {
    /// Starts the thread. It reads the count of tries at once, so that a lock that begins again at a start begins now.
    pub fn spawn(args: WorkerArgs) -> io::Result<Self> {
        let (commands, inbox) = mpsc::sync_channel(ASKS_MAX);
        let (ending, ended) = mpsc::sync_channel(0);
        let run = move || {
            // Dropped when the thread ends, however it ends.
            let _ending: SyncSender<()> = ending;
            Worker { args, lockout: None }.run(&inbox);
        };
        thread::Builder::new().name("staff".into()).spawn(run)?;
        Ok(Self { handle: WorkerHandle { commands }, ended })
    }

    /// A way to reach it.
    pub fn handle(&self) -> WorkerHandle {
        self.handle.clone()
    }
}

impl Drop for StaffWorker {
    fn drop(&mut self) {
        self.handle.send(Command::Stop);
        if self.ended.recv_timeout(STOP_PATIENCE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the staff area's thread does not end; it is left behind");
        }
    }
}

struct Worker {
    args: WorkerArgs,
    /// The count of tries, once it could be read.
    lockout: Option<Lockout>,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Command>) {
        self.read_lockout();
        while let Ok(command) = inbox.recv() {
            match command {
                Command::Ask(token, ask) => {
                    let answer = self.answer(ask);
                    (self.args.reply)(token, answer);
                }
                Command::Settings(settings) => {
                    self.args.settings = *settings;
                    self.lockout = None;
                    self.read_lockout();
                }
                Command::Stop => return,
            }
        }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::CheckPin(pin) => Answer::Pin(self.check_pin(&pin)),
            Ask::Status => Answer::Status(Box::new(self.status())),
            Ask::TestNetwork => Answer::Network(self.test_network()),
            Ask::FindStick => Answer::Stick(self.stick()),
            Ask::Export(folder) => Answer::Exported(self.export(&folder)),
            Ask::Enrol(code) => {
                let enrolled = self.enrol(&code).map_err(Failure::of_enrolment);
                Answer::Enrolled(
                    enrolled.inspect_err(|failure| tracing::error!("not enrolled: {}", failure.words)),
                )
            }
            Ask::Keep(choice) => Answer::Kept(self.keep(choice)),
        }
    }

    fn read_lockout(&mut self) {
        let Some(pin) = &self.args.settings.pin else { return };
        let now = self.args.clock.now();
        match self.args.recorder.call(|journal| journal.meta(LOCKOUT_KEY)) {
            Ok(Ok(text)) => self.lockout = Some(Lockout::read(text.as_deref(), &pin.fingerprint(), &now)),
            Ok(Err(error)) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the tries at the PIN cannot be read"
                );
            }
            Err(gone) => tracing::error!(%gone, "the tries at the PIN cannot be read"),
        }
    }

    fn check_pin(&mut self, pin: &Pin) -> PinVerdict {
        if self.lockout.is_none() {
            self.read_lockout();
        }
        let Some(hash) = &self.args.settings.pin else { return PinVerdict::NoPin };
        let Some(lockout) = &mut self.lockout else { return PinVerdict::NotPossible };
        let recorder = &self.args.recorder;
        let write = |text: &str| {
            let text = text.to_owned();
            match recorder.call(move |journal| journal.set_meta(LOCKOUT_KEY, &text)) {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a try at the PIN cannot be counted"
                    );
                    false
                }
                Err(_) => false,
            }
        };
        let verdict = lockout.attempt(&self.args.clock.now(), write, || hash.verify(pin));
        match verdict {
            PinVerdict::Right => tracing::info!("the staff area was opened"),
            PinVerdict::Wrong { .. } | PinVerdict::Locked { .. } => {
                tracing::warn!(?verdict, "the staff area was not opened");
            }
            PinVerdict::NoPin | PinVerdict::NotPossible => {}
        }
        verdict
    }

    fn status(&self) -> StatusFacts {
        let stats = self.args.recorder.call_keeper(crate::journal::Keeper::stats);
        let stats = stats.unwrap_or_else(|gone| Err(io::Error::other(gone).into()));
        StatusFacts::new(&self.args.sync.status(), &stats, &self.args.clock.now())
    }

    fn test_network(&self) -> Result<Reached, Diagnosis> {
        // Entries that wait for the next attempt need not wait for it.
        self.args.sync.retry();
        let chain = self
            .args
            .recorder
            .call(|journal| journal.head().chain)
            .map_err(|gone| Diagnosis::of_error(Fault::Other, gone))?;
        let identity = match Identity::load(&self.args.identity_file) {
            Ok(identity) => Some(identity),
            Err(IdentityError::Missing(_)) => None,
            Err(error) => return Err(Diagnosis::of_error(error.fault(), error)),
        };
        let url = self.args.link.address().url;
        let (link, file, clock) = (&self.args.link, &self.args.identity_file, &self.args.clock);
        let connected = match &identity {
            Some(identity) => link.connect_as(identity, file, clock, DEADLINES),
            // Before there is a code, nobody knows central's key; whether something answers at all is worth knowing.
            None => link.connect(ServerKey::Authorities, DEADLINES),
        };
        let mut transport = connected.map_err(|error| Diagnosis::of_error(error.fault(), error))?;
        let about = About { identity: identity.as_ref(), chain, url: &url };
        try_central(&mut *transport, &about, &self.args.clock.now())
    }

    fn stick(&self) -> Option<PathBuf> {
        match &self.args.settings.export_dir {
            Some(folder) => Some(folder.clone()).filter(|folder| folder.is_dir()),
            None => stick::find(&self.args.data),
        }
    }

    fn export(&self, folder: &Path) -> Result<u64, Failure<ExportFault>> {
        // A stick that was pulled out leaves its folder behind, on the terminal's own disk.
        if self.stick().as_deref() != Some(folder) {
            return Err(Failure::new(ExportFault::TakenOut, "the USB stick was taken out"));
        }
        self.export_to(folder).map_err(|error| {
            tracing::error!("the journal was not exported: {error:#}");
            Failure::of_export(&error)
        })
    }

    fn export_to(&self, folder: &Path) -> anyhow::Result<u64> {
        let now = self.args.clock.now();
        let who = if let Ok(identity) = Identity::load(&self.args.identity_file) {
            identity.terminal.to_string()
        } else {
            let chain = self.args.recorder.call(|journal| journal.head().chain)?.to_string();
            chain.get(..8).unwrap_or_default().to_owned()
        };
        let done = export::export(&self.args.data, folder, &export::stem(&who, &now))?;
        tracing::info!(file = %done.file.display(), entries = done.entries, "exported the journal");
        Ok(done.entries)
    }

    fn enrol(&self, code: &Code) -> Result<TerminalId, EnrolError> {
        let code = EnrolmentCode::read(code.grouped()).ok_or(EnrolError::Code)?;
        let mut transport = self.args.link.connect(expected_by(&code), DEADLINES)?;
        let (file, hardware_id) = (&self.args.identity_file, &self.args.hardware_id);
        let now = self.args.clock.now();
        let identity = enrol_through(&mut *transport, &code, file, hardware_id, &now)?;
        // The sync thread looks for an identity now and then; now is better.
        self.args.sync.retry();
        Ok(identity.terminal)
    }

    fn keep(&mut self, choice: Choice) -> Result<Choice, NotKept> {
        let choices = self.args.choices.with(choice.clone(), &self.args.settings.file);
        // How loud it is shows on no page.
        if !matches!(choice, Choice::Volume(_)) {
            let findings = (self.args.judge)(&choices);
            if let Some(worst) = findings.0.iter().find(|finding| finding.severity == Severity::Error) {
                tracing::error!("a choice of staff does not fit on the screen and is refused:\n{findings}");
                let what = format!("{}: refused, {}", choice.reason(), worst.what);
                self.note(false, what, Vec::new());
                return Err(NotKept::Screens(worst.what.clone()));
            }
        }
        let kept = choices.clone();
        match self.args.recorder.call(move |journal| kept.save(journal)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a choice of staff cannot be kept");
                return Err(NotKept::Storage);
            }
            Err(_) => return Err(NotKept::Storage),
        }
        let touchpoints = if let Choice::Touchpoints(ids) = &choice { ids.clone() } else { Vec::new() };
        // The choice is in force whether or not the entry about it can be written; the recorder logs if it cannot.
        self.note(true, choice.reason(), touchpoints);
        self.args.choices = choices;
        (self.args.on_choices)(&self.args.choices);
        Ok(choice)
    }

    /// Tells of a choice in the journal, and so to central.
    fn note(&self, accepted: bool, reason: String, touchpoints: Vec<TouchpointId>) {
        let config_hash = self.args.settings.config_hash.clone();
        let body = Body::Config(ConfigChange { config_hash, accepted, reason: Some(reason), touchpoints });
        let at = self.args.clock.now();
        self.args.recorder.append(vec![Draft { id: fresh::entry_id(&at), at, body }], |_| {});
    }
}
