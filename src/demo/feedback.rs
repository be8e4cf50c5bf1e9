//! A file of feedback, from the command line's words about it to what a terminal needs to tap it.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Cursor, Read, Seek},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, ensure};
use chrono::Utc;

use super::{home::Home, places, replayed::Replayed, say};
use crate::{
    clock::{Clock, SystemClock},
    config::{Glyphs, KioskSetup, Loaded},
    lang::Languages,
    model::Scale,
    replay::{
        self, Columns, DayMonth, FileEncoding, Options, Plan, Ratings,
        names::{self, Place},
    },
    simulator::replay::Setup,
};

/// A sample of real feedback, tapped when there is neither a display nor a file.
const SAMPLE: &str = include_str!("../../assets/sample/fft-ambulance-sample.csv");

/// What is said about a file that is not written as the default has it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FileWords {
    /// Where things are in the file: respondent="Respondent ID",date="Date",touchpoint="Service",rating="Answer"; touchpoint=="Name" where
    /// all rows rate one place.
    #[arg(long, value_name = "KEY=COLUMN,...", requires = "replay")]
    pub columns: Vec<String>,
    /// What words in the column of ratings mean: "Very good"=1,Poor=4; none for no answer.
    #[arg(long, value_name = "WORD=VALUE,...", requires = "replay")]
    pub ratings: Vec<String>,
    /// The scale of the ratings: `fft6` (1 very good to 5 very poor), csat5, ces5, face4, face5, nps11 or `yes_no`.
    #[arg(long, value_name = "SCALE", requires = "replay")]
    pub scale: Option<String>,
    /// Whether the day or the month comes first in dates like 01/02/2026: dmy or mdy.
    #[arg(long, value_name = "ORDER", requires = "replay")]
    pub dates: Option<DayMonth>,
    /// How the file is encoded, if it is not recognised: utf-8, utf-16le, gbk, big5, windows-1252.
    #[arg(long, value_name = "NAME", requires = "replay")]
    pub encoding: Option<FileEncoding>,
    /// A respondent counts once at a place on a day, whatever the number of rows.
    #[arg(long, requires = "replay")]
    pub once_per_respondent: bool,
}

impl FileWords {
    fn options(&self, setup: &KioskSetup) -> anyhow::Result<Options> {
        let site = setup.hospital.sites.first().context("the hospital has no site")?;
        let today = SystemClock::new().now().wall.with_timezone(&site.time_zone).date_naive();
        let mut columns = Columns::default();
        for text in &self.columns {
            columns = columns.with(text)?;
        }
        let mut ratings = Ratings::new(match &self.scale {
            None => Scale::Fft6,
            Some(name) => scale(name)?,
        });
        for text in &self.ratings {
            ratings = ratings.with(text)?;
        }
        Ok(Options {
            columns,
            ratings,
            day_month: self.dates,
            encoding: self.encoding,
            once_per_respondent: self.once_per_respondent,
            ..Options::new(today, site.time_zone)
        })
    }
}

fn scale(name: &str) -> anyhow::Result<Scale> {
    let names = Scale::ALL.map(Scale::name).join(", ");
    Scale::from_name(&name.replace('-', "_"))
        .with_context(|| format!("there is no scale `{name}`; use one of {names}"))
}

/// A file that was read, and the hospital that has its places.
pub(super) struct Feedback {
    pub(super) plan: Plan,
    pub(super) setup: Setup,
}

/// Reads a file, or without one the sample, and puts its places into the configuration, which is loaded anew.
pub(super) fn prepare(
    home: &Home,
    file: Option<&Path>,
    words: &FileWords,
    loaded: &mut Loaded<KioskSetup>,
) -> anyhow::Result<Feedback> {
    let options = words.options(&loaded.value)?;
    let plan = match file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            read(file, &options).with_context(|| format!("cannot replay {}", path.display()))?
        }
        None => read(Cursor::new(SAMPLE), &options)?,
    };
    for note in plan.notes.iter().filter(|_| file.is_some()) {
        say(&format!("note: {note}"))?;
    }
    let languages = Languages::beside(&home.kiosk_toml())?;
    let glyphs = Glyphs::new(&languages.fonts);
    let missing = |lang: &crate::model::Lang, text: &str| glyphs.missing(lang.as_str(), text);
    let places = names::assign(&plan.places, &loaded.value.hospital, &missing)?;
    let path = loaded.value.kiosk.touchpoints_file.clone();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    // A place whose rows are all here already is left as it is: nothing will be tapped there.
    let replayed = Replayed::open(&home.kiosk_dir())?;
    let is_new = |row: &&replay::Row| !replayed.holds(row.identity);
    let tapped: BTreeSet<usize> = plan.rows.iter().filter(is_new).map(|row| row.place).collect();
    let asked: Vec<Place> = tapped.iter().filter_map(|at| places.get(*at).cloned()).collect();
    let (changed, said) = places::add(&text, &loaded.value, &glyphs, &asked, plan.scale)?;
    if changed != text {
        std::fs::write(&path, changed).with_context(|| format!("cannot write {}", path.display()))?;
        *loaded = home.load()?;
    }
    for note in &said {
        say(&format!("note: {note}"))?;
    }
    let hospital = Arc::new(loaded.value.hospital.clone());
    places::check(&hospital, &asked, plan.scale)?;
    let time_zone = options.time_zone;
    let setup = Setup { hospital, places: places.into_iter().map(|place| place.id).collect(), time_zone };
    Ok(Feedback { plan, setup })
}

fn read(file: impl Read + Seek, options: &Options) -> anyhow::Result<Plan> {
    let plan = replay::read(file, options)?;
    ensure!(!plan.rows.is_empty(), "the file has no rows");
    Ok(plan)
}

/// The moment of the machine's clock.
pub(super) fn now() -> chrono::DateTime<Utc> {
    SystemClock::new().now().wall
}
