//! The command `voices`: draft clips of every page and question, spoken by the program espeak-ng.
//!
//! Drafts are for trying out: a machine's Mandarin is hard to follow, and patients deserve a person's voice. So each draft is listed in
//! [`LIST`], `check` warns while one is in use, and what lies in the folder is kept.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use super::{
    clip,
    script::{self, Line},
};
use crate::{chain, lang::Catalogue, model::Lang, questionnaire::Hospital};

/// The list of drafts in the folder of the clips: file, hash and words of each.
pub(crate) const LIST: &str = "drafts.txt";

const LIST_HEAD: &str = "\
# Draft clips, spoken by the program espeak-ng: for trying out, not for patients.
# Have each sentence read by a native speaker and put the recording (WAV or OGG Vorbis) in place of the draft, under the same name.
# 这些是机器合成的试用录音，请由母语者录制后以同名文件替换。
# Each line: file, hash, words. This list is written anew by `xinsheng-kiosk voices`.
";

/// Slower than a newsreader, in words a minute: for old ears.
const WORDS_PER_MINUTE: &str = "140";

/// What the command is asked to do.
#[derive(Clone, Debug)]
pub struct Drafts {
    /// The program that speaks: `espeak-ng`.
    pub program: PathBuf,
    /// In which languages.
    pub languages: Vec<Lang>,
    /// The folder of the clips.
    pub dir: PathBuf,
    /// Speaks anew what is there already.
    pub force: bool,
}

/// Makes draft clips and says what it made. True if every language that was asked for has a voice.
///
/// # Errors
/// The program is not there or fails, or the disk refuses.
pub fn cli_voices(
    drafts: &Drafts,
    hospital: &Hospital,
    catalogue: &Catalogue,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let known = known_voices(&drafts.program)?;
    let mut list = read_list(&drafts.dir);
    let mut all = true;
    for lang in &drafts.languages {
        let Some(voice) = voice_of(lang, &known) else {
            all = false;
            writeln!(
                out,
                "{lang}: skipped, espeak-ng has no voice for this language; have its clips recorded"
            )?;
            continue;
        };
        let lines = script::lines(hospital, catalogue, lang);
        let counts = speak_all(drafts, lang, &voice, &lines, &mut list)?;
        if counts.made > 0 {
            write_list(&drafts.dir, &list)?;
        }
        write!(out, "{lang}: {} drafts made with the voice {voice}", counts.made)?;
        for (count, what) in [
            (counts.kept, "kept as they were"),
            (counts.wordless, "without words in this language"),
            (counts.unreadable, "left out, for the voice reads kana only"),
        ] {
            if count > 0 {
                write!(out, ", {count} {what}")?;
            }
        }
        writeln!(out)?;
    }
    writeln!(out, "the clips lie in {}, where {LIST} lists the drafts", drafts.dir.display())?;
    Ok(all)
}

#[derive(Default)]
struct Counts {
    made: usize,
    kept: usize,
    wordless: usize,
    unreadable: usize,
}

fn speak_all(
    drafts: &Drafts,
    lang: &Lang,
    voice: &str,
    lines: &[Line],
    list: &mut BTreeMap<String, String>,
) -> anyhow::Result<Counts> {
    let folder = drafts.dir.join(lang.as_str());
    let mut counts = Counts::default();
    for line in lines {
        let stem = folder.join(&line.clip);
        let is_there = clip::ENDINGS.iter().any(|ending| clip::path(&stem, ending).exists());
        if line.text.is_empty() {
            counts.wordless += 1;
        } else if is_there && !drafts.force {
            counts.kept += 1;
        } else if !readable(lang, &line.text) {
            counts.unreadable += 1;
        } else {
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            let bytes = speak(&drafts.program, voice, &line.text, &clip::path(&stem, "wav"))?;
            let words = line.text.replace('\n', " / ");
            list.insert(format!("{lang}/{}.wav", line.clip), format!("{}\t{words}", chain::sha256(&bytes)));
            counts.made += 1;
        }
    }
    Ok(counts)
}

/// Speaks a text into a file, which is there whole or not at all.
fn speak(program: &Path, voice: &str, text: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let unfinished = path.with_extension("part");
    let mut child = Command::new(program)
        // `-b 1`: the text is UTF-8, whatever the locale of this machine.
        .args(["-b", "1", "-s", WORDS_PER_MINUTE, "-v", voice, "-w"])
        .arg(&unfinished)
        .arg("--stdin")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // A blank line between two sentences is a pause.
        pipe.write_all(text.replace('\n', "\n\n").as_bytes()).context("espeak-ng does not read its text")?;
    }
    let status = child.wait().context("espeak-ng cannot be waited for")?;
    if !status.success() {
        bail!("espeak-ng could not speak `{text}` with the voice {voice} ({status})");
    }
    let bytes = fs::read(&unfinished).with_context(|| format!("espeak-ng wrote no {}", path.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(bytes)
}

/// The voices the program has, by their language.
fn known_voices(program: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new(program).arg("--voices").output();
    let output = match output {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "the program {} is not installed, and without it no drafts can be made; install it with `sudo apt install espeak-ng`",
            program.display()
        ),
        other => other.with_context(|| format!("cannot start {}", program.display()))?,
    };
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect())
}

/// The voice for a language. espeak-ng's `cmn` of Debian 12 spells its own pinyin out in English letters; `cmn-latn-pinyin` reads the
/// same dictionary aright.
fn voice_of(lang: &Lang, known: &[String]) -> Option<String> {
    let tag = lang.as_str().to_lowercase();
    let base = tag.split('-').next().unwrap_or_default().to_owned();
    let wanted = match base.as_str() {
        "zh" if matches!(tag.as_str(), "zh-hk" | "zh-mo") => vec!["yue"],
        "zh" => vec!["cmn-latn-pinyin", "cmn"],
        "en" => vec![tag.as_str(), "en-gb", "en"],
        _ => vec![tag.as_str(), base.as_str()],
    };
    wanted.into_iter().find(|voice| known.iter().any(|known| known == voice)).map(str::to_owned)
}

/// espeak-ng knows Japanese by kana only, and says "Chinese letter" for every other sign.
fn readable(lang: &Lang, text: &str) -> bool {
    lang.as_str().split('-').next() != Some("ja")
        || !text.chars().any(|c| ('\u{3400}'..='\u{9FFF}').contains(&c))
}

/// The drafts of a folder: for each file its hash and words.
pub(crate) fn read_list(dir: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(dir.join(LIST)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    lines.map(|(file, rest)| (file.to_owned(), rest.to_owned())).collect()
}

fn write_list(dir: &Path, list: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let lines: Vec<String> = list.iter().map(|(file, rest)| format!("{file}\t{rest}\n")).collect();
    let path = dir.join(LIST);
    fs::write(&path, format!("{LIST_HEAD}{}", lines.concat()))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_gets_the_voice_that_reads_it() {
        let known: Vec<String> =
            ["cmn", "cmn-latn-pinyin", "yue", "en-gb", "en-us", "ja", "ug"].map(str::to_owned).to_vec();
        let voice = |tag: &str| voice_of(&tag.parse().unwrap(), &known);
        assert_eq!(voice("zh-CN").as_deref(), Some("cmn-latn-pinyin"));
        assert_eq!(voice("zh-TW").as_deref(), Some("cmn-latn-pinyin"));
        assert_eq!(voice("zh-HK").as_deref(), Some("yue"));
        assert_eq!(voice("en").as_deref(), Some("en-gb"));
        assert_eq!(voice("en-US").as_deref(), Some("en-us"));
        assert_eq!(voice("ug").as_deref(), Some("ug"));
        assert_eq!(voice("bo"), None);
    }

    #[test]
    fn japanese_with_kanji_is_left_to_a_person() {
        let ja = "ja".parse().unwrap();
        assert!(readable(&ja, "ありがとうございました"));
        assert!(!readable(&ja, "本日はいかがでしたか"));
        assert!(readable(&"zh-TW".parse().unwrap(), "謝謝"));
    }
}
