//! Terminal and central on one machine: everything is real, only the place is small.
//!
//! Central listens on loopback with SQLite; the terminal is enrolled by a one-time code over HTTP, as in a hospital; the screen is a
//! window if there is a display, else a panel in memory on which scripted visitors tap.

mod home;
mod pictures;
mod tapping;

use std::{
    fs::File,
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Context, ensure};
use slint::ComponentHandle;

pub use pictures::{Pictures, show_pages};

use crate::{
    central::{self, Central},
    clock::{Clock, SystemClock},
    config::{self, Glyphs, KioskSetup, Loaded},
    kiosk::{Kiosk, fonts},
    questionnaire::Hospital,
    simulator::replay::{self, Row, Setup},
    sync,
    terminal::{Assembly, IDENTITY_FILE, Place, Terminal},
};
use home::Home;
use pictures::take_pictures;
use tapping::tap_rows;

/// A sample of real feedback, tapped when there is neither a display nor a file.
const SAMPLE: &str = include_str!("../assets/sample/fft-ambulance-sample.csv");

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
    let rows = rows(options, display)?;
    let replay = match &rows {
        Some(rows) => Some(replay::set_up(&setup.value.hospital, rows)?),
        None => None,
    };
    let hospital =
        replay.as_ref().map_or_else(|| Arc::new(setup.value.hospital.clone()), |r| r.hospital.clone());
    let listener = listen(options.port)?;
    let address = listener.local_addr()?;
    let central = start_central(&home, &hospital, listener)?;
    setup.value.kiosk.central_url = format!("http://{address}");
    home.write_kiosk(address)?;
    enrol(&home, &central, &setup, replay.as_ref())?;
    say(&format!("central's page: http://{address}/"))?;
    match (&rows, &replay) {
        (Some(rows), Some(replay)) => tap_rows(&home, replay, rows)?,
        _ => show_window(&home)?,
    }
    check(&home, &central)?;
    if rows.is_some() && !options.exit {
        say("central stays up; end with Ctrl-C")?;
        wait_for_interrupt();
    }
    central.stop()?;
    Ok(())
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn rows(options: &Options, display: bool) -> anyhow::Result<Option<Vec<Row>>> {
    match &options.replay {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            Ok(Some(replay::read(file).with_context(|| format!("cannot replay {}", path.display()))?))
        }
        None if display => Ok(None),
        None => {
            say("no display: scripted visitors tap a sample of real feedback on a panel in memory")?;
            Ok(Some(replay::read(SAMPLE.as_bytes())?))
        }
    }
}

fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    listener.with_context(|| format!("port {port} is taken; choose another with --port, or 0 for any"))
}

fn start_central(home: &Home, hospital: &Hospital, listener: TcpListener) -> anyhow::Result<Central> {
    let path = home.config_dir().join("central.toml");
    let loaded = config::load_central(&path, &|path| std::fs::read(path), &Glyphs::default())
        .map_err(|findings| anyhow::anyhow!("the configuration has errors:\n{findings}"))?;
    let mut settings = central::Settings::from_config(&loaded);
    settings.config.data_dir = home.central_dir();
    Central::start(settings, hospital.clone(), listener).context("cannot start central")
}

/// The real way in: a one-time code, a key made on the terminal, a signed request.
fn enrol(
    home: &Home,
    central: &Central,
    setup: &Loaded<KioskSetup>,
    replay: Option<&Setup>,
) -> anyhow::Result<()> {
    let file = home.kiosk_dir().join(IDENTITY_FILE);
    if sync::Identity::load(&file).is_ok() {
        return Ok(());
    }
    let touchpoints = replay.map_or(&setup.value.kiosk.touchpoints, |replay| &replay.touchpoints);
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

/// Waits until central has signed for every entry.
fn wait_for_sync(terminal: &Terminal) -> anyhow::Result<()> {
    let sync = terminal.sync();
    sync.retry();
    let looks = SYNC_PATIENCE.as_millis() / SYNC_LOOK.as_millis();
    for _ in 0..looks {
        let waiting =
            terminal.recorder().call(|journal| journal.stats().map(|stats| stats.queue_depth))??;
        if waiting == 0 {
            return Ok(());
        }
        std::thread::park_timeout(SYNC_LOOK);
    }
    let status = sync.status();
    anyhow::bail!("entries are still unsent after {} s: {:?}", SYNC_PATIENCE.as_secs(), status.last_error)
}

/// Both sides recompute their chains.
fn check(home: &Home, central: &Central) -> anyhow::Result<()> {
    let mut report = Vec::new();
    let verdict = crate::journal::cli::verify(&home.kiosk_dir(), &mut report)?;
    let report = String::from_utf8_lossy(&report).into_owned();
    ensure!(verdict == crate::journal::cli::Verdict::Good, "the terminal's journal does not hold:\n{report}");
    say(&format!("terminal: {}", report.trim().replace('\n', "\n          ")))?;
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
