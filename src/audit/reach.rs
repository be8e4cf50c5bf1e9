//! The low-reach layout: is everything that is touched in the lower half, or as low as it can be?

use super::{
    Area, Reading, Rule,
    sketch::{Sketch, Text},
};
use crate::panel::Panel;

/// Half of the glass.
const HALF: f64 = 0.5;
/// What words need around them, as a part of their own height.
const WORDS: f64 = 1.35;

/// Where the highest target begins, from above. Where the rows of targets are more than half of the glass can hold, they must stand as low
/// as they can: packed at their least height against the lowest row.
pub fn reach(sketch: &Sketch, panel: &Panel) -> Vec<Reading> {
    let rows = rows(sketch);
    let (Some(highest), Some(lowest)) = (rows.first(), rows.last()) else { return Vec::new() };
    let mm = panel.px_per_mm();
    let glass = f64::from(sketch.glass.height) / mm;
    let top = f64::from(highest.y) / mm;
    let gaps = rows.windows(2).map(|pair| f64::from(pair[1].y - pair[0].bottom()) / mm);
    let above = &rows[..rows.len() - 1];
    let least = above.iter().map(|row| panel.target_mm().max(words(sketch, row) / mm));
    let lowest_possible = f64::from(lowest.y) / mm - gaps.sum::<f64>() - least.sum::<f64>();
    let limit = lowest_possible.min(HALF * glass);
    // A page that is one target is touched anywhere.
    if sketch.targets.len() == 1 && f64::from(highest.height) > HALF * glass * mm {
        return Vec::new();
    }
    vec![Reading::new(Rule::Reach, 1.0 - top / glass, 1.0 - limit / glass, "")]
}

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
