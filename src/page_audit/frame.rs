//! Contrast, measured on the pixels: what a text, a drawing or an edge really looks like against what is around it.

use std::collections::HashMap;

use super::{
    Area, Reading, Rule,
    geometry::is_strike,
    sketch::{Plate, Sketch},
    stage::Frame,
};
use crate::theme::{Color, EDGE_CONTRAST, TEXT_CONTRAST};

/// Below this, a pixel is ground; the rest is ink, or the soft rim of it.
const INK_CONTRAST: f64 = 1.3;
/// A stroke is judged by the quarter of its pixels that stand out most: its core, without the rim.
const TEXT_CORE: f64 = 0.25;
/// A drawing is judged by its lines: the tenth of its pixels that stand out most.
const DRAWING_CORE: f64 = 0.1;
/// How far beside an edge the ground is looked at.
const BESIDE_PX: f32 = 3.0;

/// Texts, drawings and edges of a page.
pub fn contrast(sketch: &Sketch, frame: &Frame) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut push = |rules: [Rule; 2], (ink, ground): (Color, Color), limit: f64, what: &str| {
        readings.push(Reading::new(rules[0], ink.contrast(ground), limit, what));
        let coarse = ink.to_rgb565().contrast(ground.to_rgb565());
        readings.push(Reading::new(rules[1], coarse, limit, what));
    };
    for text in &sketch.texts {
        for line in &text.lines {
            let pair = core_and_ground(frame, &around(&line.ink, 0.15 * line.em), TEXT_CORE);
            if let Some(pair) = pair {
                push([Rule::TextContrast, Rule::TextContrast565], pair, TEXT_CONTRAST, &text.words);
            }
        }
    }
    for picture in sketch.pictures.iter().filter(|picture| !is_photo(&picture.names)) {
        if let Some(pair) = core_and_ground(frame, &picture.area, DRAWING_CORE) {
            let what = picture.names.first().map_or("a drawing", String::as_str);
            push([Rule::EdgeContrast, Rule::EdgeContrast565], pair, EDGE_CONTRAST, what);
        }
    }
    for plate in sketch.plates.iter().filter(|plate| is_strike(plate)) {
        if let Some(pair) = core_and_ground(frame, &around(&plate.area, BESIDE_PX), TEXT_CORE) {
            push([Rule::EdgeContrast, Rule::EdgeContrast565], pair, EDGE_CONTRAST, "a stroke");
        }
    }
    for plate in sketch.plates.iter().filter(|plate| plate.border > 0.0 && !is_field(plate)) {
        if let Some(pair) = edge_and_ground(frame, plate) {
            let target = plate.target.and_then(|at| sketch.targets.get(at));
            let what = target.map_or(plate.names.first().map_or("", String::as_str), |target| &target.label);
            push([Rule::EdgeContrast, Rule::EdgeContrast565], pair, EDGE_CONTRAST, what);
        }
    }
    readings
}

/// The hospital's logo is its own affair.
fn is_photo(names: &[String]) -> bool {
    names.first().is_some_and(|name| name == "AttractPage::logo")
}

/// The fields of the touch test lie edge to edge.
fn is_field(plate: &Plate) -> bool {
    plate.names.iter().any(|name| name == "TouchTestPage::root")
}

fn around(area: &Area, by: f32) -> Area {
    Area { x: area.x - by, y: area.y - by, width: area.width + 2.0 * by, height: area.height + 2.0 * by }
}

/// The colour of what is drawn in an area, and the one it is drawn on, which is the most frequent; `None` where nothing is drawn.
fn core_and_ground(frame: &Frame, area: &Area, core: f64) -> Option<(Color, Color)> {
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    // Most pixels are as the one before.
    let (mut last, mut run) = ([0; 3], 0);
    for pixel in frame.rows(area).flatten() {
        let here = [pixel.r, pixel.g, pixel.b];
        if here != last {
            *counts.entry(last).or_default() += run;
            (last, run) = (here, 0);
        }
        run += 1;
    }
    *counts.entry(last).or_default() += run;
    counts.retain(|_, count| *count > 0);
    let color = |[r, g, b]: [u8; 3]| Color { r, g, b };
    let ground = counts.iter().max_by_key(|(_, count)| **count).map(|(pixel, _)| color(*pixel))?;
    let mut ink: Vec<(f64, usize, Color)> = counts
        .iter()
        .map(|(pixel, count)| (color(*pixel).contrast(ground), *count, color(*pixel)))
        .filter(|(contrast, ..)| *contrast >= INK_CONTRAST)
        .collect();
    ink.sort_by(|a, b| b.0.total_cmp(&a.0));
    #[expect(clippy::cast_precision_loss, reason = "fewer pixels than 2^52")]
    let wanted = core * ink.iter().map(|(_, count, _)| *count).sum::<usize>() as f64;
    let mut seen = 0.0;
    for (_, count, color) in ink {
        #[expect(clippy::cast_precision_loss, reason = "fewer pixels than 2^52")]
        let here = count as f64;
        seen += here;
        if seen >= wanted {
            return Some((color, ground));
        }
    }
    None
}

/// The edge or the face of a plate, whichever stands out more, and the ground beside it; of its four sides, the worst.
fn edge_and_ground(frame: &Frame, plate: &Plate) -> Option<(Color, Color)> {
    let Area { x, y, width, height } = plate.area;
    let (half, deep) = (plate.border / 2.0, plate.border + BESIDE_PX);
    let along = |from: (f32, f32), inwards: (f32, f32)| {
        let at = |depth: f32| pixel(frame, (from.0 + inwards.0 * depth, from.1 + inwards.1 * depth));
        let (edge, face, ground) = (at(half)?, at(deep)?, at(-BESIDE_PX)?);
        let front = if edge.contrast(ground) > face.contrast(ground) { edge } else { face };
        Some((front, ground))
    };
    let sides = [
        along((x, y + height / 2.0), (1.0, 0.0)),
        along((x + width, y + height / 2.0), (-1.0, 0.0)),
        along((x + width / 2.0, y), (0.0, 1.0)),
        along((x + width / 2.0, y + height), (0.0, -1.0)),
    ];
    let worst = |a: &(Color, Color), b: &(Color, Color)| a.0.contrast(a.1).total_cmp(&b.0.contrast(b.1));
    sides.into_iter().flatten().min_by(worst)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and on a screen")]
fn pixel(frame: &Frame, (x, y): (f32, f32)) -> Option<Color> {
    if x < 0.0 || y < 0.0 {
        return None;
    }
    frame.at(x as usize, y as usize)
}
