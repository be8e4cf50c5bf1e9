//! What the command `check` says of a terminal's clips: those that cannot be played, that nobody asks for, and that are still drafts.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    clip::{self, Clip},
    script,
    voices::{LIST, read_list},
};
use crate::{
    chain,
    config::{KioskSetup, nearest_word},
    lang::Catalogue,
    model::Lang,
};

/// Clips that are not of a page.
const TONES: [&str; 2] = ["click", "thanks"];

/// Clips for every question and every list of reasons.
const GENERAL: [&str; 2] = ["question", "reasons"];

/// Prints what is wrong with the clips of a terminal, and how many there are. A terminal without sound has none to be looked at.
///
/// # Errors
/// Those of writing to `out`.
pub fn cli_check(setup: &KioskSetup, catalogue: &Catalogue, out: &mut dyn Write) -> io::Result<()> {
    let Some(sound) = &setup.kiosk.sound else { return Ok(()) };
    let mut look = Look { setup, catalogue, dir: &sound.voices_dir, warnings: Vec::new() };
    let clips = look.everything();
    for Warning { path, what, fix } in &look.warnings {
        writeln!(out, "{}: warning: {what}\n    fix: {fix}\n", path.display())?;
    }
    writeln!(out, "{}: {clips} clips, {} warnings", sound.voices_dir.display(), look.warnings.len())
}

struct Warning {
    path: PathBuf,
    what: String,
    fix: String,
}

struct Look<'a> {
    setup: &'a KioskSetup,
    catalogue: &'a Catalogue,
    dir: &'a Path,
    warnings: Vec<Warning>,
}

impl Look<'_> {
    /// Looks at every clip and says how many can be played.
    fn everything(&mut self) -> usize {
        let mut clips = 0;
        for path in entries(self.dir) {
            if path.is_dir() {
                clips += self.language(&path);
            } else if path.file_name().is_none_or(|name| name != LIST) {
                let known = TONES.iter().map(|name| (*name).to_owned()).collect();
                clips += usize::from(self.clip(&path, &known));
            }
        }
        self.drafts();
        clips
    }

    fn language(&mut self, folder: &Path) -> usize {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let languages = &self.setup.kiosk.languages;
        let Some(lang) = languages.iter().find(|lang| lang.as_str() == name) else {
            let offered: Vec<&str> = languages.iter().map(Lang::as_str).collect();
            self.warn(
                folder,
                format!("the language {name} is not offered at this terminal"),
                format!(
                    "name the folder after one of {}, or add the language to kiosk.toml",
                    offered.join(", ")
                ),
            );
            return 0;
        };
        let mut known: BTreeSet<String> = script::lines(&self.setup.hospital, self.catalogue, lang)
            .into_iter()
            .map(|line| line.clip)
            .collect();
        known.extend(GENERAL.map(str::to_owned));
        entries(folder).iter().filter(|path| self.clip(path, &known)).count()
    }

    /// Looks at one file; true if it can be played.
    fn clip(&mut self, path: &Path, known: &BTreeSet<String>) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        if !clip::ENDINGS.contains(&ending) {
            self.warn(
                path,
                "only .wav and .ogg files are played".to_owned(),
                "convert it, or move it elsewhere".to_owned(),
            );
            return false;
        }
        if !known.contains(stem) {
            let fix = match nearest_word(stem, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}.{ending}?"),
                None => "docs/config.md lists the names".to_owned(),
            };
            self.warn(path, format!("no page plays a clip named {stem}"), fix);
        } else if ending != clip::ENDINGS[0]
            && path.with_file_name(format!("{stem}.{}", clip::ENDINGS[0])).exists()
        {
            self.warn(
                path,
                format!("{stem}.{} is played instead", clip::ENDINGS[0]),
                "remove one of the two".to_owned(),
            );
        }
        match Clip::read(path) {
            Ok(_) => true,
            Err(error) => {
                let fix = "save it again as WAV (16 bits) or OGG Vorbis".to_owned();
                self.warn(path, format!("it is not played: {error}"), fix);
                false
            }
        }
    }

    /// Drafts that are still as the machine spoke them, one warning a language.
    fn drafts(&mut self) {
        let list = read_list(self.dir);
        for lang in &self.setup.kiosk.languages {
            let prefix = format!("{lang}/");
            let still = |(file, rest): &(&String, &String)| {
                let hash = rest.split('\t').next().unwrap_or_default();
                let unchanged = |bytes: Vec<u8>| chain::sha256(&bytes).to_string() == hash;
                file.starts_with(&prefix) && fs::read(self.dir.join(file)).is_ok_and(unchanged)
            };
            let count = list.iter().filter(still).count();
            if count > 0 {
                let what = format!("{count} clips are drafts by a machine");
                let fix =
                    format!("have them read by a native speaker; {LIST} beside this folder has the words");
                self.warn(&self.dir.join(lang.as_str()), what, fix);
            }
        }
    }

    fn warn(&mut self, path: &Path, what: String, fix: String) {
        self.warnings.push(Warning { path: path.to_owned(), what, fix });
    }
}

/// What lies in a folder, by name; nothing if there is no folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
