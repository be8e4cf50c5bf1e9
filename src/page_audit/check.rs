//! The screens of one terminal, held against the rules: what `check` says of them, and what a new configuration has to pass.
//!
//! The pages themselves are drawn and measured, by the same code that measures them in the tests. A finding stands at the key of the
//! configuration that the page comes from; one for each rule, key and language, with the worst reading.

use std::{collections::BTreeMap, fmt};

use anyhow::bail;

use super::{
    Reading, Rule, Table, contrast, focus, geometry, reach,
    stage::Stage,
    tour::{Stop, Tour},
};
use crate::{
    config::{Finding, Findings, KeyAt, KioskSetup, Loaded},
    ending::contained,
    lang::Languages,
    model::Lang,
    panel::Panel,
};

/// So many pages are named in a finding; more are counted.
const NAMED_MAX: usize = 3;

/// What was found on the screens of a terminal.
#[derive(Debug)]
pub struct Screens {
    /// What breaks a rule, in the order of the files.
    pub findings: Findings,
    /// Everything that was measured.
    pub table: Table,
    pages: usize,
    languages: usize,
    glass: String,
}

impl fmt::Display for Screens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, languages, glass, .. } = self;
        write!(f, "screens: {pages} pages in {languages} languages on {glass}: ")?;
        match (self.table.broken().len(), self.table.tightest()) {
            (0, None) => f.write_str("every rule kept"),
            (0, Some((reading, place))) => {
                write!(f, "every rule kept (nearest to its limit: {reading}, {place})")
            }
            (broken, _) => write!(f, "{broken} of {} readings break a rule", self.table.readings()),
        }
    }
}

/// Draws and measures every page of a configuration. On a thread of its own, since a thread has one screen.
///
/// # Errors
/// A page that cannot be drawn.
pub fn screens(loaded: &Loaded<KioskSetup>, languages: Languages) -> anyhow::Result<Screens> {
    let loaded = loaded.clone();
    // Contained on the thread that draws: it is each thread's own affair.
    let work = std::thread::spawn(move || contained(|| measure(&loaded, languages)));
    let fix = "take logo and fonts out one by one to see which of them it is";
    match work.join() {
        Ok(Ok(screens)) => screens,
        Ok(Err(panicked)) => bail!("the pages cannot be drawn: {panicked}; {fix}"),
        Err(_) => bail!("the pages cannot be drawn; {fix}"),
    }
}

fn measure(loaded: &Loaded<KioskSetup>, languages: Languages) -> anyhow::Result<Screens> {
    let tour = Tour::of(&loaded.value, languages);
    let mut stage = Stage::new(tour.fonts())?;
    tour.furnish(&mut stage);
    let stops = tour.stops(stage.glass());
    let glass = glass_of(&tour);
    let mut table = Table::default();
    let mut broken: BTreeMap<(KeyAt, Rule, Lang), Broken> = BTreeMap::new();
    for stop in &stops {
        let readings = look_at(&tour, &mut stage, stop);
        for reading in readings.iter().filter(|reading| !reading.passes()) {
            let key = key_of(reading, stop, &tour);
            let known = broken.entry((key, reading.rule, stop.lang.clone())).or_default();
            known.take(reading, stop);
        }
        table.take(readings, || format!("{} in `{}`", stop.name, stop.lang));
    }
    let finding =
        |((key, _, lang), broken): (&(KeyAt, Rule, Lang), &Broken)| broken.finding(loaded, key, lang, &glass);
    let mut findings: Vec<Finding> = broken.iter().filter_map(finding).collect();
    let file = |finding: &Finding| {
        loaded.files.iter().position(|(path, _)| path.display().to_string() == finding.file)
    };
    findings.sort_by_key(|finding| (file(finding), finding.line, finding.column));
    let findings = Findings(findings);
    Ok(Screens { findings, table, pages: stops.len(), languages: tour.langs().len(), glass })
}

/// Every reading of a page. What no word changes is read once.
fn look_at(tour: &Tour, stage: &mut Stage, stop: &Stop<'_>) -> Vec<Reading> {
    tour.show(stage, stop);
    let sketch = stage.sketch();
    let mut readings = geometry(&sketch, tour.panel());
    if tour.low_reach() {
        readings.extend(reach(&sketch, tour.panel()));
    }
    if stop.first {
        for palette in tour.palettes() {
            stage.paint(&palette);
            let frame = stage.frame();
            readings.extend(contrast(&sketch, &frame));
        }
    }
    readings.extend(focus(stage, tour.right_to_left(stop.lang)));
    readings
}

/// What broke one rule at one key.
#[derive(Default)]
struct Broken {
    worst: Option<Reading>,
    /// Where the worst was read, then where others were.
    pages: Vec<String>,
    /// What there could be less of on that page.
    fewer: Option<&'static str>,
}

impl Broken {
    fn take(&mut self, reading: &Reading, stop: &Stop<'_>) {
        let known = self.pages.iter().position(|page| *page == stop.name);
        let at = known.unwrap_or_else(|| {
            self.pages.push(stop.name.clone());
            self.pages.len() - 1
        });
        if self.worst.as_ref().is_none_or(|worst| reading.room() < worst.room()) {
            self.worst = Some(reading.clone());
            self.pages.swap(0, at);
            self.fewer = stop.fewer();
        }
    }

    fn finding(&self, loaded: &Loaded<KioskSetup>, key: &KeyAt, lang: &Lang, glass: &str) -> Option<Finding> {
        let (reading, (page, others)) = (self.worst.as_ref()?, self.pages.split_first()?);
        let also = match others {
            [] => String::new(),
            few if few.len() <= NAMED_MAX => format!("; also {}", few.join(", ")),
            many => format!("; also {}, and {} more", many[..NAMED_MAX].join(", "), many.len() - NAMED_MAX),
        };
        let what = format!("{reading}, {page} in `{lang}` on {glass}{also}");
        Some(loaded.error_at(key, what, fix(reading.rule, self.fewer, key, lang, &loaded.value)))
    }
}

/// What of the configuration a reading is about: the colours, or the text that was measured, else what decides how much is on the page, else
/// the panel.
fn key_of(reading: &Reading, stop: &Stop<'_>, tour: &Tour) -> KeyAt {
    let text = match about(reading.rule) {
        About::Colors => return KeyAt::kiosk(&["look", "accent"]),
        About::Words => text_key(reading, stop, tour),
        About::Room => None,
    };
    text.or_else(|| stop.key.clone()).unwrap_or_else(|| KeyAt::kiosk(&["panel", "diagonal_in"]))
}

/// A reading names one text or two.
fn text_key(reading: &Reading, stop: &Stop<'_>, tour: &Tour) -> Option<KeyAt> {
    let second = tour.second(stop.lang);
    let what = reading.what.trim_start_matches("lines of ");
    [what].into_iter().chain(what.split(" and ")).find_map(|words| stop.text_key(words, second))
}

/// What a rule depends on.
enum About {
    Colors,
    /// The length and the letters of a text.
    Words,
    /// How many things are on a page.
    Room,
}

const fn about(rule: Rule) -> About {
    match rule {
        Rule::TextContrast | Rule::TextContrast565 | Rule::EdgeContrast | Rule::EdgeContrast565 => {
            About::Colors
        }
        Rule::Heading
        | Rule::Text
        | Rule::Second
        | Rule::Clipped
        | Rule::Overlap
        | Rule::Glyphs
        | Rule::LineLength
        | Rule::LineSpacing
        | Rule::Widow
        | Rule::Balance
        | Rule::Blank => About::Words,
        Rule::TargetSize | Rule::TargetGap | Rule::Asleep | Rule::Label | Rule::Focus | Rule::Reach => {
            About::Room
        }
    }
}

/// What can be done, the nearest first.
fn fix(rule: Rule, fewer: Option<&str>, key: &KeyAt, lang: &Lang, setup: &KioskSetup) -> String {
    let kiosk = &setup.kiosk;
    if matches!(about(rule), About::Colors) {
        let what = if kiosk.look.accent.is_some() { "another accent" } else { "another theme" };
        return format!("choose {what} in [look]");
    }
    if rule == Rule::Blank {
        return "write the text that is missing".to_owned();
    }
    if rule == Rule::Glyphs {
        return "choose another word, or add a font as docs/config.md says".to_owned();
    }
    let mut ways: Vec<String> = Vec::new();
    // The key of a text ends in its language.
    if setup.hospital.languages.iter().any(|lang| lang.as_str() == key.last()) {
        ways.push("shorten the text, or mark with \\n where it may break".to_owned());
    }
    ways.extend(fewer.map(str::to_owned));
    if kiosk.look.large_text {
        ways.push("set large_text = false".to_owned());
    }
    if kiosk.panel.low_reach {
        ways.push("set low_reach = false".to_owned());
    }
    ways.push("use a larger panel".to_owned());
    if kiosk.languages.len() > 1 {
        ways.push(format!("leave \"{lang}\" out of languages"));
    }
    ways.join("; or ")
}

/// The panel and what of its settings makes pages fuller.
fn glass_of(tour: &Tour) -> String {
    let panel: &Panel = tour.panel();
    let (width, height) = panel.page_px();
    let large = if panel.large_text { " with large_text" } else { "" };
    let low = if tour.low_reach() { " with low_reach" } else { "" };
    format!("{}\" {width}x{height}{large}{low}", panel.diagonal_in)
}
