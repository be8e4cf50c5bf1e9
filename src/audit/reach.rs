//! The low-reach layout: is everything that is touched in the lower half, or as low as it can be?

use super::{
    Area, Reading, Rule,
    sketch::{Sketch, Text},
};
use crate::panel::Panel;

/// Half of the glass.
const HALF: f64 = 0.5;
/// What words need around them, as a part of their own height.
const WORDS: f64 = 1.42;

/// Where a finger's place on the highest target begins, from below: of each target the lower end counts, as high as a target must be. Where
/// the rows of targets are more than half of the glass can hold, they must stand as low as they can: packed at their least height against
/// the lowest row's end.
pub fn reach(sketch: &Sketch, panel: &Panel) -> Vec<Reading> {
    let rows = rows(sketch);
    let (Some(lowest), false) = (rows.last(), sketch.targets.is_empty()) else { return Vec::new() };
    let (finger, target) = (panel.target_mm() * panel.px_per_mm(), panel.metrics(1.0).target);
    let glass = f64::from(sketch.glass.height);
    let places = sketch.targets.iter().map(|target| f64::from(target.area.bottom()) - finger);
    let highest = places.fold(f64::INFINITY, f64::min);
    let gaps = rows.windows(2).map(|pair| f64::from(pair[1].y - pair[0].bottom()));
    // Rows of one height belong together: the fullest of them decides.
    let content = |row: &Area| words(sketch, row) + AROUND * drawing(sketch, row).min(DRAWING * target);
    let least = |row: &Area| {
        let alike = rows.iter().filter(|other| (other.height - row.height).abs() < 1.0);
        alike.map(content).fold(target, f64::max)
    };
    let below = rows[1..].iter().map(least);
    let lowest_possible = f64::from(lowest.bottom()) - gaps.sum::<f64>() - below.sum::<f64>() - finger;
    let limit = lowest_possible.min(HALF * glass);
    vec![Reading::new(Rule::Reach, 1.0 - highest / glass, 1.0 - limit / glass, "")]
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
