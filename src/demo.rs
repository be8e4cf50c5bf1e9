//! Terminal and central on one machine: everything is real, only the place is small.
//!
//! Central listens on loopback with SQLite; the terminal is enrolled by a one-time code over HTTP, as in a hospital; the screen is a
//! window if there is a display, else a panel in memory on which scripted visitors tap.

mod feedback;
mod home;
mod living;
mod pictures;
mod places;
mod replayed;
mod tapping;

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Context, ensure};
use slint::ComponentHandle;

pub use feedback::FileWords;
pub use pictures::{Pictures, show_pages};

use crate::{
    central::{self, Central},
    clock::{Clock, SystemClock},
    config::{self, Glyphs, KioskSetup, Loaded},
    journal::RecorderHandle,
    kiosk::{Kiosk, fonts},
    questionnaire::Hospital,
    sync,
    terminal::{Assembly, IDENTITY_FILE, Place, Terminal},
};
use feedback::Feedback;
use home::Home;
use living::Living;
use pictures::take_pictures;
use tapping::tap_rows;

/// The port of the examples in config/.
pub const PORT: u16 = 8460;

/// How long the last entries may take to central once nobody taps any more: loopback needs milliseconds.
const SYNC_PATIENCE: Duration = Duration::from_mins(2);
const SYNC_LOOK: Duration = Duration::from_millis(50);

/// What the demo is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tap every row of this file.
    pub replay: Option<PathBuf>,
    /// How that file is written.
    pub words: FileWords,
    /// Keep the databases here.
    pub data: Option<PathBuf>,
    /// No window, even if there is a display.
    pub headless: bool,
    /// Central's port on loopback; 0: any free one.
    pub port: u16,
    /// Write a PNG of each page here.
    pub screens: Option<PathBuf>,
    /// End when everything is synced and verified.
    pub exit: bool,
    /// An example history: by default only beside a window, and never with real feedback.
    pub history: Option<bool>,
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// What kept it from running, or what did not hold at the end.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let home = Home::new(options.data.as_deref())?;
    fonts::provide(&home.path.join("fonts")).context("cannot lay out the fonts")?;
    let mut setup = home.load()?;
    if let Some(folder) = &options.screens {
        take_pictures(&Pictures::default(), folder)?;
    }
    let display = !options.headless && has_display();
    replayed::settle(&home.kiosk_dir(), || home.last_seq())?;
    let shown = what_is_shown(options, &home, display)?;
    let feedback = if shown == Shown::Feedback {
        if options.replay.is_none() {
            say("no display: scripted visitors tap a sample of real feedback on a panel in memory")?;
        }
        Some(feedback::prepare(&home, options.replay.as_deref(), &options.words, &mut setup)?)
    } else {
        None
    };
    let hospital = Arc::new(setup.value.hospital.clone());
    let listener = listen(options.port)?;
    let address = listener.local_addr()?;
    let central = start_central(&home, &hospital, listener, shown == Shown::Example)?;
    setup.value.kiosk.central_url = format!("http://{address}");
    home.write_kiosk(address)?;
    say(&format!("central's page: http://{address}/"))?;
    let living = match shown {
        Shown::Example => Some(Living::start(&home, &central, &hospital)?),
        Shown::Feedback | Shown::Nothing => None,
    };
    enrol(&home, &central, &setup, feedback.as_ref())?;
    let mut journals = Vec::new();
    if let Some(feedback) = &feedback {
        tap_rows(&home, feedback)?;
        journals.push(home.kiosk_dir());
    } else if display {
        show_window(&home)?;
        journals.push(home.kiosk_dir());
    }
    if !display && !options.exit && feedback.is_none() {
        say("central stays up; end with Ctrl-C")?;
        wait_for_interrupt();
    }
    journals.extend(living.map(Living::end).transpose()?);
    check(&journals, &central)?;
    if feedback.is_some() && !options.exit {
        say("central stays up; end with Ctrl-C")?;
        wait_for_interrupt();
    }
    central.stop()?;
    Ok(())
}

/// What central has to show beside what is tapped on a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shown {
    /// Somebody's feedback: a file, or the sample.
    Feedback,
    /// A made-up history, marked as such.
    Example,
    Nothing,
}

/// Real feedback and made-up answers never come into one folder.
fn what_is_shown(options: &Options, home: &Home, display: bool) -> anyhow::Result<Shown> {
    let holds_example = home.example_dir().exists();
    if options.replay.is_some() {
        ensure!(
            !holds_example,
            "{} holds example data, which real feedback must not be mixed with; name another folder with --data",
            home.path.display()
        );
        ensure!(
            options.history != Some(true),
            "an example history and real feedback are not mixed; leave out --history"
        );
        return Ok(Shown::Feedback);
    }
    if holds_example {
        return Ok(Shown::Example);
    }
    let wanted = options.history.unwrap_or(display);
    Ok(match (wanted, home.is_used()) {
        // Made once, for a new folder; the answers of one that is in use are somebody's.
        (true, false) => Shown::Example,
        (_, _) if display => Shown::Nothing,
        (true, true) => Shown::Nothing,
        (false, _) => Shown::Feedback,
    })
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    listener.with_context(|| {
        format!("central cannot listen on 127.0.0.1:{port}; choose another port with --port, or 0 for any free one")
    })
}

fn start_central(
    home: &Home,
    hospital: &Hospital,
    listener: TcpListener,
    example: bool,
) -> anyhow::Result<Central> {
    let path = home.config_dir().join("central.toml");
    let loaded = config::load_central(&path, &|path| config::read_file(path), &Glyphs::default())
        .map_err(|findings| anyhow::anyhow!("the configuration has errors:\n{findings}"))?;
    let mut settings = central::Settings::from_config(&loaded);
    settings.config.limits.stop_notice_s = 0;
    settings.config.data_dir = home.central_dir();
    settings.example = example;
    Central::start(settings, hospital.clone(), listener).context("cannot start central")
}

/// The real way in: a one-time code, a key made on the terminal, a signed request.
fn enrol(
    home: &Home,
    central: &Central,
    setup: &Loaded<KioskSetup>,
    feedback: Option<&Feedback>,
) -> anyhow::Result<()> {
    let file = home.kiosk_dir().join(IDENTITY_FILE);
    if sync::Identity::load(&file).is_ok() {
        return Ok(());
    }
    let touchpoints = feedback
        .map_or_else(|| setup.value.kiosk.touchpoints.clone(), |feedback| feedback.setup.touchpoints());
    let touchpoint = touchpoints.first().context("no touchpoint to enrol for")?;
    let code = central.new_code(touchpoint)?;
    let url = &setup.value.kiosk.central_url;
    let identity =
        sync::enrol(url, None, &code, &file, &SystemClock::new()).context("cannot enrol the terminal")?;
    say(&format!("enrolled as terminal {} of site {}", identity.terminal, identity.site))
}

fn show_window(home: &Home) -> anyhow::Result<()> {
    let place = Place { config: home.kiosk_toml(), data: Some(home.kiosk_dir()) };
    let mut terminal = Assembly::new(place, Arc::new(SystemClock::new())).start()?;
    let window = crate::ui::AppWindow::new().context("cannot open a window")?;
    fonts::register(&terminal.languages().fonts);
    let kiosk = Kiosk::new(&window, terminal.parts())?;
    terminal.attach(&kiosk.screen())?;
    say("tap on the window; close it to end")?;
    window.run().context("the window ended")?;
    wait_for_sync(&terminal)?;
    terminal.stop();
    Ok(())
}

/// Waits until central has signed for every entry of a terminal.
fn wait_for_sync(terminal: &Terminal) -> anyhow::Result<()> {
    wait_until_sent(terminal.sync(), &terminal.recorder())
}

fn wait_until_sent(sync: &sync::SyncHandle, recorder: &RecorderHandle) -> anyhow::Result<()> {
    sync.retry();
    let looks = SYNC_PATIENCE.as_millis() / SYNC_LOOK.as_millis();
    for _ in 0..looks {
        let waiting = recorder.call(|journal| journal.stats().map(|stats| stats.queue_depth))??;
        if waiting == 0 {
            return Ok(());
        }
        std::thread::park_timeout(SYNC_LOOK);
    }
    let status = sync.status();
    anyhow::bail!("entries are still unsent after {} s: {:?}", SYNC_PATIENCE.as_secs(), status.last_error)
}

/// Both sides recompute their chains.
fn check(journals: &[PathBuf], central: &Central) -> anyhow::Result<()> {
    for journal in journals {
        let mut report = Vec::new();
        let verdict = crate::journal::cli::verify(journal, &mut report)?;
        let report = String::from_utf8_lossy(&report).into_owned();
        ensure!(
            verdict == crate::journal::cli::Verdict::Good,
            "the terminal's journal does not hold:\n{report}"
        );
        say(&format!("terminal: {}", report.trim().replace('\n', "\n          ")))?;
    }
    let findings = central.verify()?;
    for chain in &findings.chains {
        say(&format!("central:  {chain}"))?;
    }
    ensure!(findings.is_whole(), "central's chains or counts do not hold: {findings:?}");
    say(&format!("all synced and verified, {}", SystemClock::new().now().wall.format("%F %T UTC")))
}

fn wait_for_interrupt() {
    // The default action of SIGINT and SIGTERM ends the process; every entry is on disk already.
    let (_never, forever) = mpsc::channel::<()>();
    let _ = forever.recv();
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
