//! The terminal program.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use slint::ComponentHandle;
use xinsheng::{
    clock::{SystemClock, fresh},
    config::{self, Glyphs, KioskSetup, Loaded, SoundConfig},
    durable, ending, journal,
    kiosk::{self, Kiosk, fonts, out_of_service, preview},
    lang::Languages,
    log,
    model::Lang,
    page_audit, pin, sound,
    start_guard::StartGuard,
    sync,
    terminal::{Assembly, IDENTITY_FILE, Place, languages_beside, screen_check},
    ui::AppWindow,
};

/// Takes patients' ratings: durable before the thank-you, signed on the way to central.
#[derive(Parser)]
#[command(name = "xinsheng-kiosk", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The terminal's configuration.
    #[arg(long, global = true, default_value = "config/kiosk.toml", value_name = "FILE")]
    config: PathBuf,
    /// Where journal and key lie; without it, where the configuration says.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Show the screens and send ratings (the default).
    Run,
    /// Show the pages in a window as they would look on another panel, in another language or theme. Nothing is stored.
    Preview(preview::Options),
    /// Check configuration files. Exit code 0: they are good; 1: one has an error; 2: the command line is wrong.
    Check {
        /// kiosk.toml, touchpoints.toml, ...
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Measure the screens of a configuration that comes on standard input; the terminal asks this before it takes one into force.
    #[command(hide = true)]
    Screens,
    /// Trade a code that staff made on central for this terminal's identity.
    Enrol {
        /// From `xinsheng-central enrol --touchpoint ID`.
        #[arg(long)]
        code: String,
    },
    /// Say how the journal is; works beside a running terminal.
    Status,
    /// Recompute the journal's hash chain; exit code 1 if it does not hold.
    Verify,
    /// Write every entry as a line of JSON.
    Export,
    /// Ask for a staff PIN, twice, and print its line for kiosk.toml.
    Pin,
    /// Make draft clips of the spoken prompts with espeak-ng; clips that are there stay as they are.
    Voices {
        /// Only these languages; without it, all that this terminal offers.
        #[arg(long = "lang", value_name = "TAG")]
        languages: Vec<Lang>,
        /// The folder of the clips; without it, where the configuration says.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Speak anew what is there already, recordings too.
        #[arg(long)]
        force: bool,
    },
}

fn main() -> ExitCode {
    ending::end_on_panic();
    durable::keep_files_private();
    log::to_stderr("info");
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // The one place where an error of this program ends.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    match &arguments.command {
        None | Some(Command::Run) => show(arguments),
        Some(Command::Preview(options)) => {
            let private = private_folder()?;
            provide_fonts(private.path());
            preview::run(&load(&arguments.config)?.value, Languages::beside(&arguments.config)?, options)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Check { files }) => {
            let private = private_folder()?;
            provide_fonts(private.path());
            let mut clean = check(files)?;
            for file in files {
                // A file that is wrong, or another kind of file, was told of above.
                let languages = Languages::beside(file)?;
                if let Ok(setup) = load_with(file, &languages) {
                    sound::cli_check(&setup.value, &languages.catalogue, &mut io::stdout())?;
                    clean &= check_screens(file, &setup)?;
                }
            }
            Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Command::Screens) => {
            let private = private_folder()?;
            screen_check::answer(&mut io::stdin(), &mut io::stdout(), |loaded, languages| {
                provide_fonts(private.path());
                Ok(page_audit::check::screens(loaded, languages)?.findings)
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Enrol { code }) => enrol(arguments, code),
        Some(Command::Status) => {
            Ok(journal::cli::status(&data(arguments)?, &mut io::stdout())?.exit_code().into())
        }
        Some(Command::Verify) => {
            Ok(journal::cli::verify(&data(arguments)?, &mut io::stdout())?.exit_code().into())
        }
        Some(Command::Export) => {
            Ok(journal::cli::export(&data(arguments)?, &mut io::stdout())?.exit_code().into())
        }
        Some(Command::Pin) => {
            let hash = pin::ask(&mut read_unseen, &fresh::bytes())?;
            writeln!(io::stderr(), "\nPut this line into the [staff] section of kiosk.toml:")?;
            writeln!(io::stdout(), "{}", hash.line())?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Voices { languages, out, force }) => {
            voices(arguments, languages, out.as_deref(), *force)
        }
    }
}

/// A folder of this run alone, for fontconfig; nobody else can have laid anything into it.
fn private_folder() -> anyhow::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("xinsheng-").tempdir().context("cannot make a folder for temporary files")
}

/// One line that is not shown while it is typed; from a pipe it is read as it comes.
fn read_unseen(prompt: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt);
    }
    let mut line = String::new();
    match io::stdin().read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line),
    }
}

/// Checks the languages that staff added, then the files, whose texts need the languages' fonts.
fn check(files: &[PathBuf]) -> anyhow::Result<bool> {
    let languages = Languages::beside(files.first().context("no file to check")?)?;
    for finding in languages.refused.iter().chain(&languages.warnings) {
        writeln!(io::stdout(), "{finding}\n")?;
    }
    let clean = config::cli_check(
        files,
        &Glyphs::new(&languages.fonts).with_words(&languages.catalogue),
        &mut io::stdout(),
    )?;
    Ok(clean && languages.refused.is_empty())
}

/// Draws the pages that a terminal will show and holds them against the accessibility rules.
fn check_screens(config: &Path, setup: &Loaded<KioskSetup>) -> anyhow::Result<bool> {
    let screens = page_audit::check::screens(setup, Languages::beside(config)?)
        .with_context(|| config.display().to_string())?;
    for finding in &screens.findings.0 {
        writeln!(io::stdout(), "{finding}\n")?;
    }
    writeln!(io::stdout(), "{}: {screens}", config.display())?;
    Ok(screens.findings.0.is_empty())
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    durable::read_file(path)
}

fn data(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    arguments.data.clone().or_else(|| config::data_dir_of(&arguments.config, &read)).with_context(|| {
        format!("{} names no data folder; give one with --data DIR", arguments.config.display())
    })
}

fn show(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Ok(data) = data(arguments) {
        provide_fonts(&data.join("fonts"));
        StartGuard::settle_at_signals(&data).context("cannot listen to signals")?;
    }
    let place = Place { config: arguments.config.clone(), data: arguments.data.clone() };
    let screens = screen_check::by_program(std::env::current_exe().context("where is this program?")?);
    let assembly = Assembly { screens: Some(screens), ..Assembly::new(place, Arc::new(SystemClock::new())) };
    let mut terminal = match assembly.start() {
        Ok(terminal) => terminal,
        Err(error) if out_of_service::is_due(&error) => {
            tracing::error!("out of service: {error:#}");
            out_of_service::show(&arguments.config)?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let window = match AppWindow::new() {
        Ok(window) => window,
        Err(error) => {
            terminal.stop();
            return Ok(no_display(
                "cannot open a window; is there a display (DISPLAY or WAYLAND_DISPLAY)?",
                &error,
            ));
        }
    };
    kiosk::keep_open(&window);
    let parts = terminal.parts();
    fonts::register_for(&parts.fonts, parts.plan.languages.iter().chain(&parts.second_language));
    let kiosk = Kiosk::new(&window, parts)?;
    terminal.attach(&kiosk.screen())?;
    let ended = window.run();
    let restart = terminal.restart_asked();
    terminal.stop();
    Ok(match ended {
        Ok(()) if restart => ExitCode::from(ending::RESTART),
        Ok(()) => no_display("the window ended", &"nobody asked for it"),
        Err(error) => no_display("the window ended", &error),
    })
}

fn no_display(what: &str, why: &dyn std::fmt::Display) -> ExitCode {
    tracing::error!("{what}: {why}");
    ExitCode::from(ending::NO_DISPLAY)
}

fn provide_fonts(folder: &Path) {
    if let Err(error) = fonts::provide(folder) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the fonts could not be laid out for fontconfig"
        );
    }
}

fn load(config: &Path) -> anyhow::Result<Loaded<KioskSetup>> {
    load_with(config, &languages_beside(config)?)
}

fn load_with(config: &Path, languages: &Languages) -> anyhow::Result<Loaded<KioskSetup>> {
    config::load_kiosk(config, &read, &Glyphs::new(&languages.fonts))
        .map_err(|findings| anyhow::anyhow!("the configuration has errors:\n{findings}"))
}

fn enrol(arguments: &Arguments, code: &str) -> anyhow::Result<ExitCode> {
    let setup = load(&arguments.config)?;
    let kiosk = &setup.value.kiosk;
    let data = data(arguments)?;
    durable::make_folder(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    let file = data.join(IDENTITY_FILE);
    let identity =
        sync::enrol(&kiosk.central_url, kiosk.central_ca_file.as_deref(), code, &file, &SystemClock::new())?;
    let (terminal, site, place) = (&identity.terminal, &identity.site, &identity.touchpoint);
    writeln!(io::stdout(), "enrolled as terminal {terminal} of site {site}, for touchpoint {place}")?;
    if !kiosk.touchpoints.is_empty() && !kiosk.touchpoints.contains(place) {
        let listed: Vec<String> = kiosk.touchpoints.iter().map(ToString::to_string).collect();
        writeln!(
            io::stdout(),
            "warning: {} rates {} and not {place}\n    fix: write touchpoints = [\"{place}\"], or leave the line out",
            arguments.config.display(),
            listed.join(", ")
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

fn voices(
    arguments: &Arguments,
    languages: &[Lang],
    out: Option<&Path>,
    force: bool,
) -> anyhow::Result<ExitCode> {
    let setup = load(&arguments.config)?;
    let kiosk = &setup.value.kiosk;
    let folder = arguments.config.parent().unwrap_or(Path::new(""));
    let configured = kiosk.sound.clone().unwrap_or_else(|| SoundConfig::usual(folder)).voices_dir;
    let drafts = sound::Drafts {
        program: "espeak-ng".into(),
        languages: if languages.is_empty() { kiosk.languages.clone() } else { languages.to_vec() },
        dir: out.map_or(configured, Path::to_path_buf),
        force,
    };
    let all = sound::cli_voices(
        &drafts,
        &setup.value.hospital,
        &Languages::beside(&arguments.config)?.catalogue,
        &mut io::stdout(),
    )?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
