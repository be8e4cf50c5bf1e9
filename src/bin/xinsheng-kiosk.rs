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
    config::{self, Glyphs},
    journal,
    kiosk::{
        Kiosk, fonts,
        terminal::{FONTS, IDENTITY_FILE, Place, Terminal},
    },
    pin, sync,
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
    /// Ask for a staff PIN, twice, and print its line for kiosk.toml.
    Pin,
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
        Some(Command::Pin) => {
            let hash = pin::ask(&mut read_unseen, &fresh::bytes())?;
            writeln!(io::stderr(), "\nPut this line into the [staff] section of kiosk.toml:")?;
            writeln!(io::stdout(), "{}", hash.line())?;
            Ok(ExitCode::SUCCESS)
        }
    }
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

fn read(path: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(path)
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
    let setup = config::load_kiosk(&arguments.config, &read, &Glyphs::new(&FONTS)).map_err(|findings| {
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
