//! Are the pages what the accessibility rules ask for? Measured on what is drawn, not on what was meant.
//!
//! Each rule has a limit and gives readings; the [`Table`] keeps the worst reading of each rule and every one that breaks its limit.
//! What is measured comes from a [`Sketch`](sketch::Sketch) (where things are, how large text is), from a [`Frame`](stage::Frame) (contrast, as the eye gets it and as
//! a panel with 16 bits a pixel shows it), and from walking through the page with the Tab key.

mod area;
pub mod check;
mod focus;
mod frame;
pub mod gallery;
mod geometry;
mod reach;
pub mod sketch;
pub mod stage;
pub mod tour;

use std::collections::BTreeMap;

use crate::lang::unmarked;
pub use area::Area;
pub use focus::focus;
pub use frame::contrast;
pub use geometry::geometry;
pub use reach::reach;

/// What is asked of a page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// The smaller side of a target.
    TargetSize,
    /// Between two targets.
    TargetGap,
    /// An ideograph of a heading.
    Heading,
    /// A capital H of any other text in the visitor's language.
    Text,
    /// A capital H of the second language.
    Second,
    /// Text against its ground.
    TextContrast,
    /// The same on 16 bits a pixel.
    TextContrast565,
    /// Edges of controls, faces and signs against their ground.
    EdgeContrast,
    /// The same on 16 bits a pixel.
    EdgeContrast565,
    /// Ink that is cut off, or leaves the glass or its card.
    Clipped,
    /// Texts over texts or drawings.
    Overlap,
    /// Characters with no glyph.
    Glyphs,
    /// Glyphs on a line; an ideograph counts twice.
    LineLength,
    /// The stroke through a target that takes no tap.
    Asleep,
    /// From line to line.
    LineSpacing,
    /// Characters on a line of a text that breaks.
    Widow,
    /// The shortest line of a card beside its longest.
    Balance,
    /// Targets without a label, and touch areas that are no targets.
    Label,
    /// Targets the Tab key misses, or reaches against the order of reading.
    Focus,
    /// In the low-reach layout: where the highest target begins.
    Reach,
}

/// Which way a reading is good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Good {
    Large,
    Small,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 20] = [
        Self::TargetSize,
        Self::TargetGap,
        Self::Heading,
        Self::Text,
        Self::Second,
        Self::TextContrast,
        Self::TextContrast565,
        Self::EdgeContrast,
        Self::EdgeContrast565,
        Self::Clipped,
        Self::Overlap,
        Self::Glyphs,
        Self::LineLength,
        Self::Asleep,
        Self::LineSpacing,
        Self::Widow,
        Self::Balance,
        Self::Label,
        Self::Focus,
        Self::Reach,
    ];

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetSize => "target, smaller side",
            Self::TargetGap => "gap between targets",
            Self::Heading => "heading, height of an ideograph",
            Self::Text => "other text, capital H",
            Self::Second => "second language, capital H",
            Self::TextContrast => "contrast of text",
            Self::TextContrast565 => "contrast of text, 16 bits a pixel",
            Self::EdgeContrast => "contrast of edges, faces and signs",
            Self::EdgeContrast565 => "contrast of edges, 16 bits a pixel",
            Self::Clipped => "text cut off or leaving its card",
            Self::Overlap => "text over text or drawing",
            Self::Glyphs => "characters without a glyph",
            Self::LineLength => "glyphs a line, ideographs twice",
            Self::Asleep => "stroke through what takes no tap",
            Self::LineSpacing => "line spacing",
            Self::Widow => "characters on a line that was broken",
            Self::Balance => "shortest line of a card",
            Self::Label => "touchable without role and label",
            Self::Focus => "out of the order of the Tab key",
            Self::Reach => "low reach: height of the highest target",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::TargetSize | Self::TargetGap | Self::Heading | Self::Text | Self::Second | Self::Asleep => {
                " mm"
            }
            Self::TextContrast | Self::TextContrast565 | Self::EdgeContrast | Self::EdgeContrast565 => ":1",
            Self::Clipped | Self::Overlap => " px",
            Self::LineSpacing => " em",
            Self::Reach => " of the glass",
            Self::Balance => " of the longest",
            Self::Glyphs | Self::LineLength | Self::Widow | Self::Label | Self::Focus => "",
        }
    }

    const fn good(self) -> Good {
        match self {
            Self::Clipped
            | Self::Overlap
            | Self::Glyphs
            | Self::LineLength
            | Self::Label
            | Self::Focus
            | Self::Reach => Good::Small,
            Self::TargetSize
            | Self::TargetGap
            | Self::Heading
            | Self::Text
            | Self::Second
            | Self::TextContrast
            | Self::TextContrast565
            | Self::EdgeContrast
            | Self::EdgeContrast565
            | Self::Asleep
            | Self::LineSpacing
            | Self::Widow
            | Self::Balance => Good::Large,
        }
    }
}

/// One thing measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// Against which rule.
    pub rule: Rule,
    /// What was measured.
    pub value: f64,
    /// What it must not pass.
    pub limit: f64,
    /// On what.
    pub what: String,
}

impl Reading {
    fn new(rule: Rule, value: impl Into<f64>, limit: impl Into<f64>, what: impl Into<String>) -> Self {
        Self { rule, value: value.into(), limit: limit.into(), what: what.into() }
    }

    /// Whether the rule is kept. Lengths are single-precision numbers: the last digits are not held against a page.
    pub fn passes(&self) -> bool {
        self.room() >= -1e-3
    }

    /// How far it is from breaking the rule, as a part of the limit; of one, where the limit is nothing.
    fn room(&self) -> f64 {
        let room = match self.rule.good() {
            Good::Large => self.value - self.limit,
            Good::Small => self.limit - self.value,
        };
        if self.limit == 0.0 { room } else { room / self.limit }
    }
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rule, value, limit, what } = self;
        let (least, unit) = (if rule.good() == Good::Large { "at least" } else { "at most" }, rule.unit());
        let value =
            if value.is_finite() { format!("{}{unit}", number(*value)) } else { "its end".to_owned() };
        write!(f, "{}: {value}, must be {least} {}{unit}", rule.name(), number(*limit))?;
        if what.is_empty() { Ok(()) } else { write!(f, ": \"{}\"", unmarked(what.trim())) }
    }
}

/// The worst reading of each rule, and everything that broke one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    worst: BTreeMap<Rule, (Reading, String)>,
    broken: Vec<(Reading, String)>,
    readings: usize,
}

impl Table {
    /// Takes in readings made at a place.
    pub fn take(&mut self, readings: Vec<Reading>, place: impl Fn() -> String) {
        self.readings += readings.len();
        for reading in readings {
            let known = self.worst.get(&reading.rule);
            let worse = known.is_none_or(|(known, _)| reading.room() < known.room());
            if !reading.passes() {
                self.broken.push((reading.clone(), place()));
            }
            if worse {
                self.worst.insert(reading.rule, (reading, place()));
            }
        }
    }

    /// Takes in another table.
    pub fn join(&mut self, other: Self) {
        self.readings += other.readings;
        self.broken.extend(other.broken);
        for (rule, (reading, place)) in other.worst {
            let known = self.worst.get(&rule);
            if known.is_none_or(|(known, _)| reading.room() < known.room()) {
                self.worst.insert(rule, (reading, place));
            }
        }
    }

    /// What broke a rule, and where.
    pub fn broken(&self) -> &[(Reading, String)] {
        &self.broken
    }

    /// What has the least room left before it breaks its rule; `None` where nothing but yes and no was read.
    pub(crate) fn tightest(&self) -> Option<&(Reading, String)> {
        let measured = self.worst.values().filter(|(reading, _)| reading.limit != 0.0);
        measured.min_by(|(a, _), (b, _)| a.room().total_cmp(&b.room()))
    }

    /// How much was measured.
    pub fn readings(&self) -> usize {
        self.readings
    }

    /// A line a rule, for docs/audit.md.
    pub fn markdown(&self) -> String {
        let mut lines = vec!["| rule | must | worst | where |".to_owned(), "|---|---|---|---|".to_owned()];
        for (rule, (reading, place)) in &self.worst {
            let (sign, unit) = (if rule.good() == Good::Large { "≥" } else { "≤" }, rule.unit());
            let (value, limit) = (number(reading.value), number(reading.limit));
            let what = cell(&reading.what);
            lines.push(format!("| {} | {sign} {limit}{unit} | {value}{unit} | {place}{what} |", rule.name()));
        }
        lines.join("\n")
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} readings", self.readings)?;
        f.write_str(&self.markdown())?;
        for (reading, place) in &self.broken {
            let Reading { rule, value, limit, what } = reading;
            write!(f, "\nBROKEN {}: {value:.2} for {limit:.2}: {place}: {what}", rule.name())?;
        }
        Ok(())
    }
}

/// What was measured, short enough for a table and without the marks that say where a line may break.
fn cell(what: &str) -> String {
    const LONGEST: usize = 28;
    let plain = unmarked(what).replace('|', "/");
    match plain.char_indices().nth(LONGEST) {
        _ if plain.is_empty() => String::new(),
        Some((end, _)) => format!(": {}…", plain[..end].trim_end()),
        None => format!(": {plain}"),
    }
}

/// Two digits behind the point, none where there is nothing behind it.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
