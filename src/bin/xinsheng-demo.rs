//! Terminal and central on one machine.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use xinsheng::{
    demo::{self, FileWords, Options, PORT, Pictures},
    durable, ending, log,
};

/// Starts central on this machine, enrols a terminal, and shows its screen: in a window if there is a display, else on a panel in memory
/// on which scripted visitors tap real feedback.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of a command line")]
#[command(name = "xinsheng-demo", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Tap every row of a CSV file (respondent,date,touchpoint,rating) on the real pages.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    #[command(flatten)]
    words: FileWords,
    /// Keep configuration and databases in this folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// No window, even if there is a display.
    #[arg(long)]
    headless: bool,
    /// Central's port on 127.0.0.1; 0 for any free one.
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// Write pictures of the pages into this folder, and sheets to look at all of them.
    #[arg(long, value_name = "DIR")]
    screens: Option<PathBuf>,
    /// End when everything is synced and verified.
    #[arg(long)]
    exit: bool,
    /// Show an example history also without a window, instead of tapping the sample.
    #[arg(long, conflicts_with_all = ["no_history", "replay"])]
    history: bool,
    /// No example history: central's page begins empty.
    #[arg(long)]
    no_history: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Only write pictures of the pages, of any panel, language and theme.
    Screens {
        /// Where to write them.
        folder: PathBuf,
        #[command(flatten)]
        pictures: Pictures,
    },
}

fn main() -> ExitCode {
    ending::end_on_panic();
    durable::keep_files_private();
    log::to_stderr("warn");
    let Arguments { command, replay, words, data, headless, port, screens, exit, history, no_history } =
        Arguments::parse();
    let done = match command {
        Some(Command::Screens { folder, pictures }) => demo::show_pages(&pictures, &folder),
        None => demo::run(&Options {
            replay,
            words,
            data,
            headless,
            port,
            screens,
            exit,
            history: (history || no_history).then_some(history),
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The one place where an error of this program ends.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
