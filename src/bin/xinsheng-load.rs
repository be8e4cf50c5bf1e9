//! Measures a central under load, beside plain inserts of the same lines.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Parser;
use xinsheng::{
    durable, ending,
    load::{self, Options, REQUESTS_PER_S_MAX, Shape},
    log,
};

/// Runs a fresh central and lets simulated terminals send to it as fast as it answers.
#[derive(Parser)]
#[command(name = "xinsheng-load", version, about)]
struct Arguments {
    /// Central's program; without it, the one that lies beside this one.
    #[arg(long, value_name = "FILE")]
    central: Option<PathBuf>,
    /// Where the data folder is made and thrown away: its file system is what is measured.
    #[arg(long, default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// A central that runs already on this machine, by its address; nothing is thrown away there.
    #[arg(long, requires = "config", value_name = "URL")]
    url: Option<String>,
    /// Its configuration: codes are made in its data folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Simulated terminals.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    terminals: u16,
    /// Entries a batch x connections, one stage after the other.
    #[arg(long, value_delimiter = ',', default_value = "1x64,3x64,100x8,500x4", value_name = "NxC,..")]
    stages: Vec<Shape>,
    /// Longest time of a stage.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120), value_name = "S")]
    seconds: u64,
    /// Decides every visit, key and id.
    #[arg(long, default_value_t = 2026)]
    seed: u64,
    /// Leave the floors out.
    #[arg(long)]
    no_floors: bool,
    /// So many terminals come back at once with a week of entries, instead of the stages.
    #[arg(long, num_args = 0..=1, default_missing_value = "1000", value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=2_000))]
    returning: Option<u16>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    ending::end_on_panic();
    durable::keep_files_private();
    log::to_stderr("warn");
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one place where an error of this program ends.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let beside = || -> anyhow::Result<PathBuf> {
        let program = std::env::current_exe()?.with_file_name("xinsheng-central");
        anyhow::ensure!(
            program.exists(),
            "there is no {}: build it too, or name it with --central",
            program.display()
        );
        Ok(program)
    };
    let central = arguments.central.map_or_else(beside, Ok)?;
    let folder = arguments.folder.canonicalize().context("the folder is not there")?;
    let options = Options {
        central: central.canonicalize().context("central's program is not there")?,
        folder,
        running: arguments.url.zip(arguments.config),
        terminals: arguments.terminals.into(),
        stages: arguments.stages,
        seconds: arguments.seconds,
        requests_per_s_max: REQUESTS_PER_S_MAX,
        seed: arguments.seed,
        floors: !arguments.no_floors,
        returning: arguments.returning.map(usize::from),
    };
    let report = load::run(&options)?;
    if arguments.json {
        serde_json::to_writer_pretty(io::stdout(), &report)?;
        writeln!(io::stdout())?;
    } else {
        write!(io::stdout(), "{}", report.table())?;
    }
    Ok(())
}
