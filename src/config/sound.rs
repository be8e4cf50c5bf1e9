//! `[sound]` of kiosk.toml: at which hours the terminal is heard, how loud, and by what.
//!
//! Invariants of a [`VolumeByHour`]: percents go to 100 at most, and no two spans share a minute. An hour that no span names is silent.

use std::path::{Path, PathBuf};

use chrono::NaiveTime;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    check::{Located, Report},
    values::hours::{self, HoursError},
};

/// Soft, in the hours when nobody sleeps.
const USUAL_VOLUME: &str = "07:00-21:00 50%";

/// Beside kiosk.toml.
const USUAL_VOICES_DIR: &str = "voices";

/// How a terminal is heard. A terminal without it is silent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SoundConfig {
    /// How loud at which hours.
    pub volume: VolumeByHour,
    /// A soft click for every touch that counts.
    pub click: bool,
    /// Two tones when the rating is stored.
    pub thanks: bool,
    /// Pages are spoken where there is a clip.
    pub prompts: bool,
    /// Where the clips lie.
    pub voices_dir: PathBuf,
    /// Where the sound goes.
    pub device: SoundDevice,
}

impl SoundConfig {
    /// What an empty section means, for a kiosk.toml in this folder.
    pub fn usual(folder: &Path) -> Self {
        Self {
            volume: parse_volume(USUAL_VOLUME).unwrap_or_default(),
            click: true,
            thanks: true,
            prompts: true,
            voices_dir: folder.join(USUAL_VOICES_DIR),
            device: SoundDevice::Usual,
        }
    }
}

/// Where the sound goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SoundDevice {
    /// What the system takes for its usual loudspeaker.
    Usual,
    /// A name that `aplay -L` lists.
    Alsa(String),
    /// Into a WAV file: what would be heard, for tests.
    File(PathBuf),
}

/// How loud at which hours of the day; silent at all others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VolumeByHour {
    spans: Vec<VolumeSpan>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct VolumeSpan {
    from: NaiveTime,
    to: NaiveTime,
    percent: u8,
}

impl VolumeByHour {
    /// Percent at an hour. A time that is not known counts as night: a ward at night must not be woken.
    pub fn percent_at(&self, time: Option<NaiveTime>) -> u8 {
        let span = time.and_then(|time| self.spans.iter().find(|span| span.holds(time)));
        span.map_or(0, |span| span.percent)
    }
}

impl VolumeSpan {
    fn holds(&self, time: NaiveTime) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// How the terminal is heard.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sound")]
#[serde(default)]
pub(crate) struct SoundFile {
    /// How loud at which hours, in percent. Silent at all other hours.
    #[schemars(length(min = 1), example = &"07:00-12:00 60%, 12:00-14:00 20%, 14:00-21:00 60%")]
    pub volume: Located<String>,
    /// A soft click for every touch that counts.
    pub click: bool,
    /// Two soft tones when the rating is stored.
    pub thanks: bool,
    /// Pages are spoken, in every language that has clips.
    pub prompts: bool,
    /// Folder of the clips, one folder for each language in it. Relative to this file.
    #[schemars(length(min = 1), example = &"/var/lib/xinsheng/voices")]
    pub voices_dir: Located<String>,
    /// Loudspeaker, by a name that `aplay -L` lists. The system's usual one when left out; `file:NAME.wav` writes a file instead.
    #[schemars(length(min = 1), example = &"plughw:CARD=Headphones")]
    pub device: Option<Located<String>>,
}

impl Default for SoundFile {
    fn default() -> Self {
        let usual = |text: &str| Located { value: text.to_owned(), span: 0..0 };
        Self {
            volume: usual(USUAL_VOLUME),
            click: true,
            thanks: true,
            prompts: true,
            voices_dir: usual(USUAL_VOICES_DIR),
            device: None,
        }
    }
}

/// Checks the section. `folder` is where kiosk.toml lies.
pub fn build(file: &SoundFile, folder: &Path, report: &mut Report<'_>) -> SoundConfig {
    let volume = parse_volume(&file.volume.value).unwrap_or_else(|error| {
        let span = report.inside(&file.volume, &error.at);
        report.error(&span, error.what, error.fix);
        VolumeByHour::default()
    });
    let device =
        file.device.as_ref().map_or(SoundDevice::Usual, |device| match device.value.strip_prefix("file:") {
            Some(name) => SoundDevice::File(folder.join(name)),
            None => SoundDevice::Alsa(device.value.clone()),
        });
    SoundConfig {
        volume,
        click: file.click,
        thanks: file.thanks,
        prompts: file.prompts,
        voices_dir: folder.join(&file.voices_dir.value),
        device,
    }
}

/// Reads `07:00-12:00 60%, 14:00-21:00 40%`.
fn parse_volume(text: &str) -> Result<VolumeByHour, HoursError> {
    let mut spans: Vec<VolumeSpan> = Vec::new();
    for part in hours::pieces(text, |c| matches!(c, ',' | '，' | ';' | '；')) {
        let words = text[part.clone()].trim();
        let start = part.end - text[part].trim_start().len();
        let wrong = |what: &str, fix: &str| {
            hours::error(start..start + words.len(), format!("`{words}` {what}"), fix)
        };
        let span = parse_span(words).ok_or_else(|| {
            let fix = "write hours and percent like 07:00-21:00 50%, several of them with commas between";
            wrong("is not a volume at some hours", fix)
        })?;
        if spans.iter().any(|other| other.holds(span.from) || span.holds(other.from)) {
            return Err(wrong("overlaps with hours named before", "let one end where the next begins"));
        }
        spans.push(span);
    }
    if spans.is_empty() {
        let what = "no hours are named".to_owned();
        return Err(hours::error(0..text.len(), what, "leave the key out for the usual volume"));
    }
    Ok(VolumeByHour { spans })
}

fn parse_span(text: &str) -> Option<VolumeSpan> {
    let (hours, percent) = text.split_once(char::is_whitespace)?;
    let (from, to) = hours::parse_times(hours)?;
    let percent: u8 = percent.trim().trim_end_matches(['%', '％']).trim_end().parse().ok()?;
    (percent <= 100).then_some(VolumeSpan { from, to, percent })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str, hour: u32, minute: u32) -> u8 {
        parse_volume(text).unwrap().percent_at(NaiveTime::from_hms_opt(hour, minute, 0))
    }

    #[test]
    fn an_hour_that_is_not_named_or_not_known_is_silent() {
        let usual = SoundConfig::usual(Path::new("")).volume;
        let at = |hour, minute| usual.percent_at(NaiveTime::from_hms_opt(hour, minute, 0));
        assert_eq!((at(6, 59), at(7, 0), at(20, 59), at(21, 0), at(2, 0)), (0, 50, 50, 0, 0));
        assert_eq!(usual.percent_at(None), 0);
    }

    #[test]
    fn hours_are_read_as_staff_write_them() {
        let text = "07:00-12:00 60%，12：00－14：00 20％; 22:00-06:00 5";
        assert_eq!((percent(text, 11, 59), percent(text, 12, 0), percent(text, 14, 0)), (60, 20, 0));
        assert_eq!((percent(text, 23, 0), percent(text, 5, 59), percent(text, 6, 0)), (5, 5, 0));
        assert_eq!((percent("00:00-24:00 100%", 0, 0), percent("00:00-24:00 100%", 23, 59)), (100, 100));
    }

    #[test]
    fn the_wrong_part_is_pointed_at() {
        let wrong = |text: &str| text[parse_volume(text).unwrap_err().at].to_owned();
        assert_eq!(wrong("07:00-21:00 50%, 22:00 5%"), "22:00 5%");
        assert_eq!(wrong("07:00-21:00"), "07:00-21:00");
        assert_eq!(wrong("07:00-21:00 101%"), "07:00-21:00 101%");
        assert_eq!(wrong("50%"), "50%");
        assert_eq!(wrong(""), "");
        assert_eq!(wrong("07:00-12:00 50%, 11:00-13:00 20%"), "11:00-13:00 20%");
        assert_eq!(wrong("20:00-06:00 5%, 05:00-20:00 50%"), "05:00-20:00 50%");
    }
}
