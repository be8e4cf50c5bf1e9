//! The screens of a configuration are judged before it comes into force: all of them are drawn, and that by another process, because this
//! one has its screen already and must not stutter.
//!
//! The terminal starts its own program with the command `screens`, hands it the configuration on standard input, and reads findings from
//! its output. A program that cannot be asked refuses nothing: a terminal must not be cut off from every change. One that breaks down over
//! the pages does: they would break this one too.

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio, exit},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;

use serde::{Deserialize, Serialize};

use super::{languages_beside, read};
use crate::{
    config::{self, Findings, Glyphs, KeyAt, KioskSetup, Loaded},
    lang::Languages,
    staff::StaffChoices,
};

/// What is wrong with the screens of a configuration with what staff chose on site. It takes seconds and is never called on the UI thread.
pub type ScreenCheck = Arc<dyn Fn(&Loaded<KioskSetup>, &StaffChoices) -> Findings + Send + Sync>;

/// What the other program is asked about.
#[derive(Serialize, Deserialize)]
struct Question {
    /// A packed configuration.
    configuration: String,
    choices: StaffChoices,
}

/// What decides how the pages look: the files, the logo and other parts that they name, and what staff chose.
#[derive(PartialEq)]
struct Shown {
    files: String,
    parts: String,
    choices: StaffChoices,
}

/// The command that answers.
const COMMAND: &str = "screens";

/// A program that takes longer has run into something else than pages: the slowest terminal needs a tenth of it.
const PATIENCE: Duration = Duration::from_mins(2);

/// The exit code of a program that gave up (`EX_TEMPFAIL`).
const GAVE_UP: i32 = 75;

/// Asks a program, once for each configuration: a delivered one is looked at when it comes and again when its file is there.
pub fn by_program(program: PathBuf) -> ScreenCheck {
    let last: Mutex<Option<(Shown, Findings)>> = Mutex::default();
    Arc::new(move |loaded, choices| {
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        let choices = choices.seen_on_pages();
        let shown = Shown {
            files: loaded.config_hash.clone(),
            parts: loaded.parts_hash.clone(),
            choices: choices.clone(),
        };
        if let Some((known, findings)) = last.as_ref()
            && *known == shown
        {
            return findings.clone();
        }
        let findings = ask(&program, loaded, &choices).unwrap_or_else(|error| {
            tracing::warn!("the screens of a configuration were not measured: {error:#}");
            Findings::default()
        });
        *last = Some((shown, findings.clone()));
        findings
    })
}

/// The other side: reads a configuration, judges it and writes the findings.
///
/// # Errors
/// Something that is no configuration, or what `judge` says.
pub fn answer(
    input: &mut dyn Read,
    output: &mut dyn Write,
    judge: impl FnOnce(&Loaded<KioskSetup>, Languages) -> anyhow::Result<Findings>,
) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        exit(GAVE_UP);
    });
    let mut question = Vec::new();
    input.read_to_end(&mut question).context("no configuration to measure")?;
    let Question { configuration, choices } =
        serde_json::from_slice(&question).context("this is no configuration")?;
    let packed = configuration.as_bytes();
    let first = config::packed_path(packed).context("this is no configuration")?;
    let languages = languages_beside(&first)?;
    let loaded = config::unpack(packed, &read, &Glyphs::new(&languages.fonts));
    let mut loaded = loaded.context("the configuration does not pass the check")?;
    choices.apply(&mut loaded.value);
    let findings = judge(&loaded, languages)?;
    serde_json::to_writer(output, &findings).context("the findings cannot be written")
}

fn ask(program: &Path, loaded: &Loaded<KioskSetup>, choices: &StaffChoices) -> anyhow::Result<Findings> {
    let packed = config::pack(loaded).context("cannot be handed over")?;
    let configuration = String::from_utf8(packed).context("cannot be handed over")?;
    let question = Question { configuration, choices: choices.clone() };
    let question = serde_json::to_vec(&question).context("cannot be handed over")?;
    let mut child = Command::new(program)
        .arg(COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(&question));
    let done = child.wait_with_output().context("lost")?;
    match (done.status.code(), serde_json::from_slice(&done.stdout)) {
        (Some(0), Ok(findings)) => Ok(findings),
        (Some(GAVE_UP), _) => anyhow::bail!("not done after {} s", PATIENCE.as_secs()),
        _ => Ok(broke_down(loaded, done.status, written)),
    }
}

fn broke_down(loaded: &Loaded<KioskSetup>, status: ExitStatus, written: io::Result<()>) -> Findings {
    let cause = written.err().map(|error| format!(", {error}")).unwrap_or_default();
    let what = format!("the screens of this configuration cannot be drawn ({status}{cause})");
    let fix = "run `xinsheng-kiosk check` with this file to see why".to_owned();
    Findings(vec![loaded.error_at(&KeyAt::kiosk(&["panel"]), what, fix)])
}
