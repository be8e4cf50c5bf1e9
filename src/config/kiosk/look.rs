//! `[look]` of kiosk.toml: theme, night, accent, logo, text size.

use std::path::{Path, PathBuf};

use chrono::NaiveTime;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    config::{
        check::{Located, Report},
        values::hours,
    },
    theme::{self, Color, Theme},
};

/// How the pages look, validated.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LookConfig {
    /// By day.
    pub theme: Theme,
    /// When the night theme shows instead.
    pub night: Option<NightHours>,
    /// The hospital's own colour: dark enough for white text.
    pub accent: Option<Color>,
    /// The hospital's picture.
    pub logo: Option<PathBuf>,
    /// All text one step larger.
    pub large_text: bool,
}

/// From an hour in the evening to one in the morning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NightHours {
    /// The first minute of the night.
    pub from: NaiveTime,
    /// The first minute of the day.
    pub to: NaiveTime,
}

impl NightHours {
    /// Whether it is night at a local time.
    pub fn contains(&self, time: NaiveTime) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// How the pages look.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Look")]
pub(crate) struct LookFile {
    /// Colours of the pages by day.
    pub theme: Theme,
    /// From when to when the night theme shows, local time. Never, when left out.
    #[schemars(example = &"21:00-06:00")]
    pub night: Option<Located<String>>,
    /// The hospital's colour for chosen cards and main buttons, dark enough for white text.
    #[schemars(example = &"#0f5560")]
    pub accent: Option<Located<String>>,
    /// A picture (PNG, JPEG or SVG) for the page that invites. Relative to this file.
    #[schemars(length(min = 1), example = &"logo.svg")]
    pub logo: Option<Located<String>>,
    /// All text one step (a fifth) larger than the viewing distance asks for.
    pub large_text: bool,
}

/// Checks the section. `folder` is where kiosk.toml lies.
pub fn build(file: &LookFile, folder: &Path, report: &mut Report<'_>) -> LookConfig {
    LookConfig {
        theme: file.theme,
        night: file.night.as_ref().and_then(|text| night(text, report)),
        accent: file.accent.as_ref().and_then(|text| accent(text, report)),
        logo: file.logo.as_ref().map(|logo| folder.join(&logo.value)),
        large_text: file.large_text,
    }
}

fn night(text: &Located<String>, report: &mut Report<'_>) -> Option<NightHours> {
    let read = hours::parse_times(&text.value).map(|(from, to)| NightHours { from, to });
    if read.is_none() {
        let what = format!("`{}` is not a span of time", text.value);
        report.error(&text.span, what, "write hours and minutes like \"21:00-06:00\"");
    }
    read
}

fn accent(text: &Located<String>, report: &mut Report<'_>) -> Option<Color> {
    let color: Color = report.parse(text)?;
    match theme::check_accent(color) {
        Ok(()) => Some(color),
        Err(error) => {
            let fix = format!("choose a darker colour, for example \"{}\"", error.darker);
            report.error(&text.span, error.to_string(), fix);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_runs_over_midnight() {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        let night = NightHours { from: time("21:00"), to: time("06:00") };
        for dark in ["21:00", "23:59", "00:00", "05:59"] {
            assert!(night.contains(time(dark)), "{dark}");
        }
        for light in ["06:00", "12:00", "20:59"] {
            assert!(!night.contains(time(light)), "{light}");
        }
        let nap = NightHours { from: time("13:00"), to: time("14:00") };
        assert!(nap.contains(time("13:30")) && !nap.contains(time("14:00")));
    }
}
