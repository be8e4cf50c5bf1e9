//! The low-reach layout: is everything that is touched in the lower half, or as low as it can be?

use super::{Reading, Rule};
use crate::{
    panel::Panel,
    simulator::{Area, sketch::Sketch},
};

/// Half of the glass.
const HALF: f64 = 0.5;

/// Where the highest target begins, from above. Where the rows of targets are more than half of the glass can hold, they must stand as low
/// as they can: packed at their least height against the lowest row.
pub fn reach(sketch: &Sketch, panel: &Panel) -> Vec<Reading> {
    let rows = rows(sketch);
    let (Some(highest), Some(lowest)) = (rows.first(), rows.last()) else { return Vec::new() };
    let mm = panel.px_per_mm();
    let glass = f64::from(sketch.glass.height) / mm;
    let top = f64::from(highest.y) / mm;
    let gaps = rows.windows(2).map(|pair| f64::from(pair[1].y - pair[0].bottom()) / mm).sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "a page has a handful of rows")]
    let packed = (rows.len() - 1) as f64 * panel.target_mm() + gaps;
    let lowest_possible = f64::from(lowest.y) / mm - packed;
    let limit = lowest_possible.min(HALF * glass);
    // A page that is one target is touched anywhere.
    if sketch.targets.len() == 1 && f64::from(highest.height) > HALF * glass * mm {
        return Vec::new();
    }
    vec![Reading::new(Rule::Reach, 1.0 - top / glass, 1.0 - limit / glass, "")]
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
