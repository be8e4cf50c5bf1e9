//! The low-reach layout: is everything that is touched in the lower half, or as low as it can be?

use super::{
    Area, Reading, Rule,
    sketch::{Sketch, Text},
};
use crate::panel::{Metrics, Panel};

/// Half of the glass.
const HALF: f64 = 0.5;
/// What words need around them, as a part of their own height.
const WORDS: f64 = 1.42;
/// What a line of words takes between two rows, as a part of its letters' height.
const LINE: f64 = 1.7;

/// Where a finger's place on the highest target begins, from below: of each target the lower end counts, as high as a target must be. Where
/// the rows of targets are more than half of the glass can hold, they must stand as low as they can: packed at their least height and
/// distance against the end of the glass, or what stands there.
pub fn reach(sketch: &Sketch, panel: &Panel) -> Vec<Reading> {
    let rows = rows(sketch);
    let (Some(lowest), false) = (rows.last(), sketch.targets.is_empty()) else { return Vec::new() };
    let metrics = panel.metrics(1.0);
    let (finger, target) = (panel.target_mm() * panel.px_per_mm(), metrics.target);
    let glass = f64::from(sketch.glass.height);
    let places = sketch.targets.iter().map(|target| f64::from(target.area.bottom()) - finger);
    let highest = places.fold(f64::INFINITY, f64::min);
    let gaps = rows.windows(2).map(|pair| gap(sketch, &pair[0], &pair[1], &metrics));
    // Rows of one height belong together: the fullest of them decides.
    let content = |row: &Area| words(sketch, row) + AROUND * drawing(sketch, row).min(DRAWING * target);
    let least = |row: &Area| {
        let alike = rows.iter().filter(|other| (other.height - row.height).abs() < 1.0);
        alike.map(content).fold(target, f64::max)
    };
    let below = rows[1..].iter().map(least);
    let lowest_possible = floor(sketch, lowest, &metrics) - gaps.sum::<f64>() - below.sum::<f64>() - finger;
    let limit = lowest_possible.min(HALF * glass);
    vec![Reading::new(Rule::Reach, 1.0 - highest / glass, 1.0 - limit / glass, "")]
}

/// What must be between two rows of targets: their distance, and the words that stand there.
fn gap(sketch: &Sketch, above: &Area, below: &Area, metrics: &Metrics) -> f64 {
    let inks = sketch.texts.iter().filter_map(Text::ink);
    let between = inks.filter(|ink| ink.y >= above.bottom() && ink.bottom() <= below.y);
    let words: f64 = between.map(|ink| f64::from(ink.height) * LINE).sum();
    f64::from(below.y - above.bottom()).min(metrics.gap + words)
}

/// How low the last row of targets can end: at what stands below it, or at the margin.
fn floor(sketch: &Sketch, lowest: &Area, metrics: &Metrics) -> f64 {
    let end = lowest.bottom();
    let inks = sketch.texts.iter().filter_map(Text::ink);
    let below = inks.map(|ink| f64::from(ink.y)).filter(|y| *y >= f64::from(end));
    let free = f64::from(sketch.glass.height) - metrics.margin;
    below.map(|y| y - metrics.gap).fold(free, f64::min).max(f64::from(end))
}

/// What a drawing over the words may take, as a part of a target's least side.
const DRAWING: f64 = 0.5;
/// What it needs around it.
const AROUND: f64 = 1.25;

/// The height that the words in a row of targets take, with a little around them.
fn words(sketch: &Sketch, row: &Area) -> f64 {
    let inside = |text: &&Text| text.target.is_some_and(|at| sketch.targets[at].area.y >= row.y - 0.5);
    let above_end = |ink: &Area| ink.y < row.bottom();
    let heights = sketch.texts.iter().filter(inside).filter_map(Text::ink).filter(above_end);
    heights.map(|ink| f64::from(ink.height) * WORDS).fold(0.0, f64::max)
}

/// The targets of a page as rows, from above.
fn rows(sketch: &Sketch) -> Vec<Area> {
    let mut areas: Vec<Area> = sketch.targets.iter().map(|target| target.area).collect();
    areas.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut rows: Vec<Area> = Vec::new();
    for area in areas {
        match rows.last_mut() {
            Some(row) if area.y < row.bottom() => *row = row.union(&area),
            Some(_) | None => rows.push(area),
        }
    }
    rows
}

/// The height of the drawings that stand over words in a row of targets.
fn drawing(sketch: &Sketch, row: &Area) -> f64 {
    let over_words = |area: &&Area| {
        let inks = sketch.texts.iter().filter_map(Text::ink);
        let below =
            |ink: Area| ink.y >= area.bottom() && ink.bottom() <= row.bottom() && ink.apart(area).0 < 0.0;
        area.y >= row.y && area.bottom() <= row.bottom() && inks.into_iter().any(below)
    };
    let areas = sketch.pictures.iter().map(|picture| &picture.area).filter(over_words);
    areas.map(|area| f64::from(area.height)).fold(0.0, f64::max)
}
