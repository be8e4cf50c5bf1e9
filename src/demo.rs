//! Terminal and central on one machine: everything is real, only the place is small.
//!
//! Central listens on loopback with SQLite; the terminal is enrolled by a one-time code over HTTP, as in a hospital; the screen is a
//! window if there is a display, else a panel in memory on which scripted visitors tap.

use std::{
    fs::File,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Context, ensure};
use slint::ComponentHandle;

use crate::{
    central::{self, Central},
    clock::{Clock, SimClock, SystemClock, fresh},
    config::{self, Glyphs, KioskSetup, Loaded},
    kiosk::{
        Kiosk, Parts, fonts,
        preview::parse_panel,
        terminal::{IDENTITY_FILE, Place, Terminal, panel_of},
    },
    lang::{Catalogue, Languages},
    model::{Moment, TimeQuality},
    page_audit::gallery::Gallery,
    panel::{Panel, Rotation, TEST_PANELS},
    questionnaire::Hospital,
    simulator::{
        SimPanel,
        pictures::{self, Wanted},
        replay::{self, Row, Setup, Tally},
        visitor::Visitor,
    },
    survey::{Plan, Start},
    sync,
    theme::Theme,
};

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

/// Where the demo keeps its things. A temporary one is removed at the end.
struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    fn new(data: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match data {
            Some(path) => (path.to_owned(), false),
            None => (std::env::temp_dir().join(format!("xinsheng-demo-{}", std::process::id())), true),
        };
        let home = Self { path, temporary };
        for folder in [home.path.clone(), home.config_dir(), home.kiosk_dir(), home.central_dir()] {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        // The example files as they stand; what somebody changed in a kept folder stays.
        for (name, text) in [
            ("kiosk.toml", config::EXAMPLE_KIOSK),
            ("central.toml", config::EXAMPLE_CENTRAL),
            ("touchpoints.toml", config::EXAMPLE_TOUCHPOINTS),
        ] {
            let file = home.config_dir().join(name);
            if !file.exists() {
                std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
        Ok(home)
    }

    fn config_dir(&self) -> PathBuf {
        self.path.join("config")
    }

    fn kiosk_toml(&self) -> PathBuf {
        self.config_dir().join("kiosk.toml")
    }

    fn kiosk_dir(&self) -> PathBuf {
        self.path.join("kiosk")
    }

    fn central_dir(&self) -> PathBuf {
        self.path.join("central")
    }

    fn load(&self) -> anyhow::Result<Loaded<KioskSetup>> {
        let fonts = Languages::beside(&self.kiosk_toml())?.fonts;
        config::load_kiosk(&self.kiosk_toml(), &|path| std::fs::read(path), &Glyphs::new(&fonts))
            .map_err(|findings| anyhow::anyhow!("the configuration has errors:\n{findings}"))
    }

    /// The terminal finds central where it really listens.
    fn write_kiosk(&self, central: SocketAddr) -> anyhow::Result<()> {
        let file = self.kiosk_toml();
        let text = std::fs::read_to_string(&file)?;
        let lines = text.lines().map(|line| match line.trim_start().strip_prefix("url =") {
            Some(_) => format!("url = \"http://{central}\""),
            None => line.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n") + "\n";
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "the demo's temporary folder stays");
        }
    }
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
    settings.data_dir = home.central_dir();
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
    let mut terminal = Terminal::start(place, Arc::new(SystemClock::new()))?;
    let window = crate::ui::AppWindow::new().context("cannot open a window")?;
    fonts::register(&terminal.languages().fonts);
    let kiosk = Kiosk::new(&window, terminal.parts()?)?;
    terminal.attach(&kiosk.messenger())?;
    say("tap on the window; close it to end")?;
    window.run().context("the window ended")?;
    wait_for_sync(&terminal)?;
    terminal.stop();
    Ok(())
}

fn tap_rows(home: &Home, setup: &Setup, rows: &[Row]) -> anyhow::Result<()> {
    let first = rows.first().context("no rows")?;
    let clock = Arc::new(SimClock::new(Moment {
        wall: first.date.and_hms_opt(0, 0, 0).context("midnight exists")?.and_utc(),
        boot: fresh::boot_id(),
        up_ms: 1_000,
        quality: TimeQuality::Synced,
    }));
    let place = Place { config: home.kiosk_toml(), data: Some(home.kiosk_dir()) };
    let mut terminal = Terminal::start(place, clock.clone())?;
    let parts = terminal.parts()?;
    let glass = parts.panel;
    let plan = Plan {
        hospital: setup.hospital.clone(),
        touchpoints: setup.touchpoints.clone(),
        start: Start::Attract,
        ..parts.plan.clone()
    };
    let mut panel = SimPanel::new(glass, clock.clone(), |_| Parts { plan, ..parts })?;
    terminal.attach(&panel.kiosk().messenger())?;
    let recorder = terminal.recorder();
    // The recorder takes its commands in order: when this one was done, all before it were answered.
    let committed = move || recorder.call(|_| ()).context("the journal's thread ended");
    let words = Catalogue::shipped()?;
    let mut visitor = Visitor::new(&mut panel, &words, &committed);
    let bar = indicatif::ProgressBar::new(rows.len() as u64).with_style(
        indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} visits, {elapsed} ({eta} left)")?,
    );
    let tally = replay::run(&mut visitor, setup, rows, |_| bar.inc(1))?;
    bar.finish();
    let Tally { thanked, left } = tally;
    say(&format!("{thanked} visitors were thanked, {left} left without an answer"))?;
    clock.set_wall(SystemClock::new().now().wall.max(clock.now().wall));
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

/// Which pictures to take instead of the ones for a quick look.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five switches of a command line that do not exclude each other"
)]
pub struct Pictures {
    /// On this panel only: by its diagonal (7, 10.1, 15.6, 21.5), or `INCHES:WIDTHxHEIGHT`.
    #[arg(long, value_name = "PANEL")]
    pub panel: Option<String>,
    /// Turned by a quarter.
    #[arg(long)]
    pub turned: bool,
    /// In this language only.
    #[arg(long, value_name = "LANG")]
    pub lang: Option<String>,
    /// In this theme only: `standard`, `high_contrast` or `night`.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// All text one step larger.
    #[arg(long)]
    pub large_text: bool,
    /// Targets in the lower half.
    #[arg(long)]
    pub low_reach: bool,
    /// As a panel with 16 bits a pixel shows it.
    #[arg(long)]
    pub rgb565: bool,
    /// A picture of each page on each panel, not only sheets.
    #[arg(long)]
    pub all: bool,
}

/// Writes pictures of the built-in example's pages into a folder, and says how many.
fn take_pictures(options: &Pictures, folder: &Path) -> anyhow::Result<()> {
    let setup = config::example().value;
    let mut paths = Vec::new();
    let mut take = |wanted: &Wanted| -> anyhow::Result<()> {
        let gallery = Gallery::shipped()?;
        paths.extend(pictures::save(gallery, wanted, folder)?);
        Ok(())
    };
    let all = Wanted {
        panels: TEST_PANELS.to_vec(),
        low_reach: options.low_reach,
        lang: options.lang.clone(),
        theme: theme_of(options)?,
        singles: options.all,
        rgb565: options.rgb565,
    };
    let turn = |panel: Panel| Panel {
        rotation: if options.turned { Rotation::Quarter } else { Rotation::None },
        large_text: options.large_text,
        ..panel
    };
    match &options.panel {
        Some(panel) => take(&Wanted { panels: vec![turn(parse_panel(panel)?)], singles: true, ..all })?,
        None if options.all => take(&all)?,
        None => {
            // Enough to look at everything once: each panel and theme in one language, each language on one panel.
            let first = options.lang.clone().or(setup.hospital.languages.first().map(ToString::to_string));
            take(&Wanted { lang: first, ..all.clone() })?;
            let theme = all.theme.or(Some(Theme::Standard));
            take(&Wanted { panels: vec![turn(panel_of(&setup.kiosk))], singles: true, theme, ..all })?;
        }
    }
    say(&format!("{} pictures in {}", paths.len(), folder.display()))
}

/// `screens`: pictures and nothing else.
///
/// # Errors
/// An option that names nothing, or a file that cannot be written.
pub fn show_pages(options: &Pictures, folder: &Path) -> anyhow::Result<()> {
    fonts::provide(&std::env::temp_dir().join("xinsheng-screens")).context("cannot lay out the fonts")?;
    take_pictures(options, folder)
}

fn theme_of(options: &Pictures) -> anyhow::Result<Option<Theme>> {
    let Some(name) = &options.theme else { return Ok(None) };
    let names = Theme::ALL.map(Theme::name).join(", ");
    let theme = Theme::from_name(&name.replace('-', "_"));
    theme.map(Some).with_context(|| format!("there is no theme `{name}`; use one of {names}"))
}

fn wait_for_interrupt() {
    // The default action of SIGINT and SIGTERM ends the process; every entry is on disk already.
    let (_never, forever) = mpsc::channel::<()>();
    let _ = forever.recv();
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
