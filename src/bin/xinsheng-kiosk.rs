//! The terminal program.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use slint::ComponentHandle;
use xinsheng::{
    clock::SystemClock,
    config::{self, Findings, Glyphs, KioskSetup, Loaded, SoundConfig},
    journal,
    kiosk::{
        Kiosk, fonts,
        terminal::{FONTS, IDENTITY_FILE, Place, Terminal},
    },
    lang::Catalogue,
    model::Lang,
    sound, sync,
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
    /// Check configuration files; exit code 1 if one has an error.
    Check {
        /// kiosk.toml, touchpoints.toml, ...
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
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
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("XINSHENG_LOG").unwrap_or_else(|_| "info".into()),
        )
        .with_writer(io::stderr)
        .init();
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
        Some(Command::Check { files }) => {
            let clean = config::cli_check(files, &Glyphs::new(&FONTS), &mut io::stdout())?;
            for setup in files.iter().filter_map(|file| load(file).ok()) {
                sound::cli_check(&setup.value, &Catalogue::shipped()?, &mut io::stdout())?;
            }
            Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
        Some(Command::Voices { languages, out, force }) => {
            voices(arguments, languages, out.as_deref(), *force)
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

fn load(path: &Path) -> Result<Loaded<KioskSetup>, Findings> {
    config::load_kiosk(path, &read, &Glyphs::new(&FONTS))
}

fn data(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    arguments.data.clone().or_else(|| config::data_dir_of(&arguments.config, &read)).with_context(|| {
        format!("{} names no data folder; give one with --data DIR", arguments.config.display())
    })
}

fn show(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if let Ok(data) = data(arguments)
        && let Err(error) = fonts::provide(&data.join("fonts"))
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the fonts could not be laid out for fontconfig"
        );
    }
    let place = Place { config: arguments.config.clone(), data: arguments.data.clone() };
    let mut terminal = Terminal::start(place, Arc::new(SystemClock::new()))?;
    let window =
        AppWindow::new().context("cannot open a window; is there a display (DISPLAY or WAYLAND_DISPLAY)?")?;
    let kiosk = Kiosk::new(&window, terminal.parts()?)?;
    terminal.attach(&kiosk.messenger())?;
    window.run().context("the window ended")?;
    terminal.stop();
    Ok(ExitCode::SUCCESS)
}

fn enrol(arguments: &Arguments, code: &str) -> anyhow::Result<ExitCode> {
    let setup = load(&arguments.config).map_err(|findings| {
        anyhow::anyhow!("the configuration has errors, so the terminal cannot be enrolled:\n{findings}")
    })?;
    let kiosk = &setup.value.kiosk;
    let data = data(arguments)?;
    std::fs::create_dir_all(&data).with_context(|| format!("cannot make the folder {}", data.display()))?;
    let file = data.join(IDENTITY_FILE);
    let identity =
        sync::enrol(&kiosk.central_url, kiosk.central_ca_file.as_deref(), code, &file, &SystemClock::new())?;
    writeln!(io::stdout(), "enrolled as terminal {} of site {}", identity.terminal, identity.site)?;
    Ok(ExitCode::SUCCESS)
}

fn voices(
    arguments: &Arguments,
    languages: &[Lang],
    out: Option<&Path>,
    force: bool,
) -> anyhow::Result<ExitCode> {
    let setup = load(&arguments.config).map_err(|findings| {
        anyhow::anyhow!("the configuration has errors, so there is nothing to be spoken:\n{findings}")
    })?;
    let kiosk = &setup.value.kiosk;
    let folder = arguments.config.parent().unwrap_or(Path::new(""));
    let configured = kiosk.sound.clone().unwrap_or_else(|| SoundConfig::usual(folder)).voices_dir;
    let drafts = sound::Drafts {
        program: "espeak-ng".into(),
        languages: if languages.is_empty() { kiosk.languages.clone() } else { languages.to_vec() },
        dir: out.map_or(configured, Path::to_path_buf),
        force,
    };
    let all = sound::cli_voices(&drafts, &setup.value.hospital, &Catalogue::shipped()?, &mut io::stdout())?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
