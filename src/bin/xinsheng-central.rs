//! The server program.

use std::{
    io::{self, Write as _},
    net::TcpListener,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use xinsheng::{
    central::{
        self, Settings,
        store::{Retry, Store},
    },
    config::{self, CentralSetup, Glyphs, Loaded, Tls},
    durable, ending, log,
    model::{TerminalId, TouchpointId},
    questionnaire::Hospital,
};

/// Takes signed ratings in, counts each once, and shows honest scores.
#[derive(Parser)]
#[command(name = "xinsheng-central", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The server's configuration.
    #[arg(long, global = true, default_value = "config/central.toml", value_name = "FILE")]
    config: PathBuf,
    /// Where database and key lie; without it, where the configuration says.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve terminals and the live page (the default).
    Serve,
    /// Make a one-time enrolment code, good for 24 hours; works beside a running server.
    Enrol {
        /// The touchpoint the terminal will stand at.
        #[arg(long, value_name = "ID")]
        touchpoint: TouchpointId,
    },
    /// Recompute every chain, signature and count; exit code 1 if something does not hold.
    Verify,
    /// Check configuration files; exit code 1 if one has an error.
    Check {
        /// central.toml, touchpoints.toml, ...
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write every answer as CSV.
    Export,
    /// Entries that were kept and not understood.
    Quarantine {
        #[command(subcommand)]
        action: Quarantine,
    },
    /// Copy database, key and own certificate, beside a running server: a consistent state, checked, readable for its owner alone.
    Backup {
        /// A file that does not exist yet (the key is put beside it with the ending .key), or a folder.
        #[arg(value_name = "DIR|FILE")]
        to: PathBuf,
    },
    /// Put a backup in place of the data; stop the server first. Terminals send again what the backup does not have.
    Restore {
        /// The database of the backup, with its key beside it.
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// Set a store that is in use aside (into a folder beside it; nothing is deleted).
        #[arg(long)]
        replace: bool,
    },
    /// Show the certificate that central serves with: its fingerprint for comparing, and what terminals know it by.
    Certificate {
        /// Make another one in place of the one that central made, with another key. Terminals take it over by themselves; enrolment codes that were
        /// not used yet become useless.
        #[arg(long)]
        new: bool,
        /// Print the certificate itself, for the settings of browsers.
        #[arg(long)]
        pem: bool,
    },
    /// Revoke a terminal's key; what it sent stays.
    Revoke {
        /// The terminal's name.
        terminal: TerminalId,
    },
}

#[derive(Subcommand)]
enum Quarantine {
    /// List them with the reasons.
    List,
    /// Try them again with the configuration as it stands.
    Replay,
}

/// Entries of the quarantine printed; `replay` tries all.
const LISTED_MAX: usize = 1_000;

fn main() -> ExitCode {
    ending::end_on_panic();
    durable::keep_files_private();
    log::to_stderr("info");
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // The one place where an error of this program ends.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Some(Command::Check { files }) = &arguments.command {
        let files = if files.is_empty() { std::slice::from_ref(&arguments.config) } else { files };
        let clean = config::cli_check(files, &Glyphs::default(), &mut io::stdout())?;
        return Ok(verdict(clean));
    }
    let setup = load(&arguments)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the threads of central")?;
    let command = arguments.command.unwrap_or(Command::Serve);
    runtime.block_on(async {
        match command {
            Command::Serve => serve(setup).await,
            Command::Check { .. } => Ok(ExitCode::SUCCESS),
            Command::Enrol { touchpoint } => enrol(&setup, &touchpoint).await,
            Command::Verify => verify(&setup).await,
            Command::Export => {
                central::export(store(&setup)?, &setup.hospital, &mut io::stdout().lock()).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Quarantine { action: Quarantine::List } => list_quarantine(&setup).await,
            Command::Quarantine { action: Quarantine::Replay } => replay_quarantine(setup).await,
            Command::Backup { to } => {
                let made = central::backup(&setup.settings.config.data_dir, &to)?;
                writeln!(io::stdout(), "{}", made.display())?;
                writeln!(
                    io::stderr(),
                    "with its key beside it: whoever has both can speak for this central"
                )?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Restore { from, replace } => {
                let done = central::restore(&from, &setup.settings.config.data_dir, replace)?;
                if let Some(folder) = &done.set_aside {
                    writeln!(io::stdout(), "what was there lies in {}", folder.display())?;
                }
                writeln!(io::stdout(), "{} entries restored; start central", done.entries)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Certificate { new, pem } => show_certificate(&setup, new, pem),
            Command::Revoke { terminal } => revoke(&setup, &terminal).await,
        }
    })
}

fn load(arguments: &Arguments) -> anyhow::Result<Setup> {
    let read = |path: &std::path::Path| xinsheng::durable::read_file(path);
    let loaded = config::load_central(&arguments.config, &read, &Glyphs::default())
        .map_err(|findings| anyhow::anyhow!("the configuration is wrong:\n{findings}"))?;
    Ok(Setup::new(arguments.config.clone(), loaded, arguments.data.clone()))
}

/// What the commands need of the configuration.
struct Setup {
    file: PathBuf,
    data: Option<PathBuf>,
    loaded: Loaded<CentralSetup>,
    settings: Settings,
    hospital: Hospital,
}

impl Setup {
    fn new(file: PathBuf, loaded: Loaded<CentralSetup>, data: Option<PathBuf>) -> Self {
        let settings = Settings::of(&loaded, data.as_deref());
        Self { file, data, settings, hospital: loaded.value.hospital.clone(), loaded }
    }
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn store(setup: &Setup) -> anyhow::Result<Arc<dyn Store>> {
    central::open_store(&setup.settings.config.data_dir)
}

async fn serve(setup: Setup) -> anyhow::Result<ExitCode> {
    let listen = setup.loaded.value.central.listen;
    let listener = TcpListener::bind(listen)
        .with_context(|| format!("cannot listen on {listen}; is another central running?"))?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    central::serve_file(setup.file, setup.loaded, setup.data, listener, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

async fn enrol(setup: &Setup, touchpoint: &TouchpointId) -> anyhow::Result<ExitCode> {
    let served = central::certificate(&setup.settings)?;
    let bound_to = served.filter(|_| setup.settings.config.tls == Tls::Own).map(|served| served.key);
    let code = central::new_code(store(setup)?.as_ref(), &setup.hospital, touchpoint, bound_to).await?;
    writeln!(io::stdout(), "{code}")?;
    writeln!(
        io::stderr(),
        "for one terminal at `{touchpoint}`, good for 24 hours:  xinsheng-kiosk enrol --code {code}"
    )?;
    Ok(ExitCode::SUCCESS)
}

fn show_certificate(setup: &Setup, new: bool, pem: bool) -> anyhow::Result<ExitCode> {
    let facts = if new {
        let (facts, aside) = central::new_certificate(&setup.settings)?;
        if let Some(aside) = aside {
            writeln!(io::stderr(), "the old one lies in {}", aside.display())?;
        }
        writeln!(io::stderr(), "a running central serves the new one within a minute")?;
        facts
    } else {
        central::certificate(&setup.settings)?.context(
            "central does not encrypt by itself: a proxy does, or it is reached on this machine alone",
        )?
    };
    if pem {
        write!(io::stdout(), "{}", facts.pem)?;
    } else {
        writeln!(io::stdout(), "{facts}")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(setup: &Setup) -> anyhow::Result<ExitCode> {
    let findings = central::verify(&store(setup)?, &setup.hospital).await?;
    let mut out = io::stdout().lock();
    for chain in &findings.chains {
        writeln!(out, "{chain}")?;
    }
    for drift in &findings.drift {
        let counter = &drift.counter;
        writeln!(
            out,
            "count of {} {} {} value {} hour {}{}: {} booked, {} found",
            counter.touchpoint,
            counter.questionnaire,
            counter.question,
            counter.value,
            counter.hour,
            drift.reason.as_ref().map(|reason| format!(" reason `{reason}`")).unwrap_or_default(),
            drift.rollup,
            drift.recount
        )?;
    }
    let good = findings.is_whole();
    writeln!(out, "{} journals, {}", findings.chains.len(), if good { "all whole" } else { "DAMAGE FOUND" })?;
    Ok(verdict(good))
}

async fn list_quarantine(setup: &Setup) -> anyhow::Result<ExitCode> {
    let store = store(setup)?;
    let mut out = io::stdout().lock();
    for site in &setup.hospital.sites {
        for entry in store.quarantine(&site.id, LISTED_MAX).await? {
            let line = String::from_utf8_lossy(&entry.line);
            writeln!(out, "{} {} {} {}\n  {line}", site.id, entry.terminal, entry.seq, entry.reason)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn replay_quarantine(setup: Setup) -> anyhow::Result<ExitCode> {
    let store = store(&setup)?;
    let hospital = Arc::new(setup.hospital);
    for site in &hospital.sites {
        let done = store
            .replay_quarantine(Retry {
                site: site.id.clone(),
                zone: site.time_zone,
                hospital: Arc::clone(&hospital),
            })
            .await?;
        writeln!(io::stdout(), "{}: {} understood, {} remain", site.id, done.understood, done.remaining)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(setup: &Setup, terminal: &TerminalId) -> anyhow::Result<ExitCode> {
    let known = central::revoke(store(setup)?.as_ref(), &setup.hospital, terminal).await?;
    anyhow::ensure!(known, "no site knows a terminal `{terminal}`");
    writeln!(io::stdout(), "the key of {terminal} is revoked")?;
    Ok(ExitCode::SUCCESS)
}
