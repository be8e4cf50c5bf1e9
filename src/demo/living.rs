//! The example history of the demo: made beside the screen, sent like everything else.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use anyhow::{Context, anyhow};

use super::{home::Home, say, wait_until_sent};
use crate::{
    central::Central,
    clock::{Clock, SystemClock},
    example::{self, Sender},
    questionnaire::Hospital,
};

/// The thread that makes and sends it, until it is told to end.
pub(super) struct Living {
    end: mpsc::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
    journal: PathBuf,
}

impl Living {
    /// Enrols the example's terminal and starts its thread; a history that is in the folder is not made again.
    pub(super) fn start(home: &Home, central: &Central, hospital: &Arc<Hospital>) -> anyhow::Result<Self> {
        let (dir, url, hospital) = (home.example_dir(), central.url(), hospital.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let at_exit = hospital.touchpoints.iter().find(|touchpoint| touchpoint.id.as_str() == "exit");
        let touchpoint =
            at_exit.or(hospital.touchpoints.first()).context("the hospital has no touchpoint")?;
        example::enrol(&dir, &url, || central.new_code(&touchpoint.id), &*clock)?;
        let (end, ended) = mpsc::channel();
        let journal = example::journal_dir(&dir);
        let run = move || -> anyhow::Result<()> {
            if !example::is_in(&dir) {
                example::write(&dir, &hospital, &example::usual(clock.now().wall))?;
            }
            let sender = Sender::start(&dir, &url, &clock)?;
            wait_until_sent(sender.sync(), &sender.recorder())?;
            say("the example history is on the page: a program made it, and the page says so")?;
            // It stays in contact, so that its terminal is not listed as lost.
            let _ = ended.recv();
            Ok(())
        };
        let thread = thread::Builder::new().name("example".into()).spawn(run)?;
        Ok(Self { end, thread, journal })
    }

    /// Waits until everything is at central, ends the thread, and gives the folder of the journal.
    pub(super) fn end(self) -> anyhow::Result<PathBuf> {
        drop(self.end);
        self.thread.join().map_err(|_| anyhow!("the example's thread panicked"))??;
        Ok(self.journal)
    }
}
