//! Where things are and how large: targets, texts, lines.

use super::{
    Area, Reading, Rule,
    sketch::{Line, Plate, Sketch, Text},
};
use crate::{lang::unmarked, panel::Panel};

/// A Chinese character of a heading, in degrees: best for young and old readers.
const HEADING_DEGREES: f64 = 55.0 / 60.0;
/// Capital H of any other text, in degrees (EN 301 549, 5.1.4).
const TEXT_DEGREES: f64 = 0.7;
/// Capital H of the second language on the glass.
const SECOND_MM: f64 = 4.0;
/// Between two targets.
const GAP_MM: f64 = 3.0;
/// Glyphs on a line, Latin; an ideograph counts twice (WCAG 1.4.8).
const LINE_LETTERS: u32 = 40;
/// The stroke through a target that takes no tap: as thick as can be seen at arm's length.
const STRIKE_MM: f64 = 0.4;
/// From line to line.
const SPACING_EM: f64 = 1.3;
/// Characters on a line of a text that has several.
const LINE_CHARACTERS: u32 = 2;
/// The shortest line of a card, as a part of its longest: two characters of seven are too few.
const BALANCE: f64 = 0.3;

/// Everything that can be told without a pixel.
pub fn geometry(sketch: &Sketch, panel: &Panel) -> Vec<Reading> {
    let mut readings = Vec::new();
    targets(sketch, panel, &mut readings);
    blanks(sketch, &mut readings);
    for text in &sketch.texts {
        heights(text, panel, &mut readings);
        lines(text, &mut readings);
        breaks(text, &mut readings);
        inside(text, sketch, &mut readings);
    }
    overlaps(sketch, &mut readings);
    readings
}

fn targets(sketch: &Sketch, panel: &Panel, readings: &mut Vec<Reading>) {
    let mm = panel.px_per_mm();
    for (i, target) in sketch.targets.iter().enumerate() {
        let (area, label) = (&target.area, &target.label);
        let side = f64::from(area.width.min(area.height)) / mm;
        readings.push(Reading::new(Rule::TargetSize, side, panel.target_mm(), label));
        readings.push(Reading::new(Rule::Label, u32::from(label.trim().is_empty()), 0, label));
        let out = area.beyond(&sketch.glass).max(0.0);
        readings.push(Reading::new(Rule::Clipped, out, 0, format!("{label} leaves the glass")));
        for other in &sketch.targets[i + 1..] {
            let (across, down) = area.apart(&other.area);
            let gap = f64::from(across.max(down)) / mm;
            readings.push(Reading::new(Rule::TargetGap, gap, GAP_MM, format!("{label} and {}", other.label)));
        }
    }
    for (i, target) in sketch.targets.iter().enumerate().filter(|(_, target)| target.asleep) {
        let strikes = sketch.plates.iter().filter(|plate| plate.target == Some(i) && is_strike(plate));
        let thick = strikes.map(|plate| f64::from(plate.area.height) / mm).fold(0.0, f64::max);
        readings.push(Reading::new(Rule::Asleep, thick, STRIKE_MM, &target.label));
    }
    // Two places take touches without being targets: the ground of a page, which tells that somebody is there, and the touch test.
    let known = |names: &Vec<String>| {
        names.iter().any(|name| name == "TouchTestPage::root")
            || names.iter().all(|name| !name.contains("Card"))
    };
    for names in sketch.strays.iter().filter(|names| !known(names)) {
        readings.push(Reading::new(Rule::Label, 1, 0, names.join(" in ")));
    }
}

/// What a page says first, and what stands in its place on pages of another build.
const HEADINGS: [&str; 5] = [
    "Frame::heading",
    "AttractPage::title",
    "ThanksPage::title",
    "NoticePage::title-text",
    "TouchTestPage::words",
];

/// Headings and buttons with nothing to read. A sign may stand in the place of words.
fn blanks(sketch: &Sketch, readings: &mut Vec<Reading>) {
    for names in &sketch.blanks {
        readings.push(Reading::new(Rule::Blank, 1, 0, names.join(" in ")));
    }
    // Pure colours.
    if sketch.plates.iter().any(|plate| plate.names.iter().any(|name| name == "ScreenTestPage::root")) {
        return;
    }
    for (i, target) in sketch.targets.iter().enumerate() {
        // What lies on a target need not be a part of it.
        let on = |own: Option<usize>, area: &Area| {
            own == Some(i) || (own.is_none() && area.beyond(&target.area) <= 0.0)
        };
        let read = sketch.texts.iter().any(|text| text.ink().is_some_and(|ink| on(text.target, &ink)));
        let seen = sketch.pictures.iter().any(|picture| on(picture.target, &picture.area));
        readings.push(Reading::new(Rule::Blank, u32::from(!read && !seen), 0, &target.label));
    }
    let heads = |text: &&Text| HEADINGS.iter().any(|name| text.is(name));
    let headed = sketch.texts.iter().filter(heads).any(|text| !unmarked(&text.words).trim().is_empty());
    readings.push(Reading::new(Rule::Blank, u32::from(!headed), 0, "the heading of the page"));
}

/// The stroke through a card that takes no tap.
pub(super) fn is_strike(plate: &Plate) -> bool {
    plate.names.first().is_some_and(|name| name == "Card::strike")
}

fn heights(text: &Text, panel: &Panel, readings: &mut Vec<Reading>) {
    let mm = |px: f32| f64::from(px) / panel.px_per_mm();
    let seen = |degrees: f64| 2.0 * panel.viewing_distance_mm * (degrees.to_radians() / 2.0).tan();
    // The only words that are not for who stands in front: a note for staff in the corner.
    if text.is("AppWindow::badge") {
        return;
    }
    for Line { capital, ideograph, .. } in &text.lines {
        // Staff step closer: a report may be set in the size of the second language where it is long.
        let small_print = text.is("ReportPage::root") && !text.is("Frame::heading") && text.target.is_none();
        let second = text.is("Pair::second") || text.is("OptionCard::second-label");
        let (rule, value, limit) = if second || small_print {
            (Rule::Second, mm(*capital), SECOND_MM)
        } else if text.is("Frame::heading") {
            (Rule::Heading, mm(*ideograph), seen(HEADING_DEGREES))
        } else {
            (Rule::Text, mm(*capital), seen(TEXT_DEGREES))
        };
        readings.push(Reading::new(rule, value, limit, &text.words));
    }
}

fn lines(text: &Text, readings: &mut Vec<Reading>) {
    let missing = u32::try_from(text.missing).unwrap_or(u32::MAX);
    readings.push(Reading::new(Rule::Glyphs, missing, 0, &text.words));
    for line in &text.lines {
        let letters = u32::try_from(2 * line.wide + line.narrow).unwrap_or(u32::MAX);
        readings.push(Reading::new(Rule::LineLength, letters, LINE_LETTERS, &text.words));
    }
    for pair in text.lines.windows(2) {
        let into = (pair[0].ink.bottom() - pair[1].ink.y).max(0.0);
        readings.push(Reading::new(Rule::Overlap, into, 0, format!("lines of {}", text.words)));
        let spacing = f64::from((pair[1].baseline - pair[0].baseline) / pair[0].em);
        readings.push(Reading::new(Rule::LineSpacing, spacing, SPACING_EM, &text.words));
    }
}

/// Where a text was broken: no character alone on a line, and on a card no line much shorter than another.
fn breaks(text: &Text, readings: &mut Vec<Reading>) {
    if text.lines.len() < 2 {
        return;
    }
    // A word of one letter is one: in scripts other than ideographs only the last line can look lost.
    let ideographs = text.lines.iter().all(|line| line.wide > line.narrow);
    let judged = if ideographs { &text.lines[..] } else { &text.lines[text.lines.len() - 1..] };
    let fewest = judged.iter().map(|line| line.characters).min().unwrap_or_default();
    let fewest = u32::try_from(fewest).unwrap_or(u32::MAX);
    readings.push(Reading::new(Rule::Widow, fewest, LINE_CHARACTERS, &text.words));
    if text.target.is_some() && ideographs {
        let widths = text.lines.iter().map(|line| f64::from(line.ink.width));
        let (least, most) =
            widths.fold((f64::INFINITY, 0.0_f64), |(least, most), width| (least.min(width), most.max(width)));
        readings.push(Reading::new(Rule::Balance, least / most.max(1.0), BALANCE, &text.words));
    }
}

/// Ink outside its room is cut off; ink outside its card or the glass is as bad.
fn inside(text: &Text, sketch: &Sketch, readings: &mut Vec<Reading>) {
    let Some(ink) = text.ink() else { return };
    let card = text.target.and_then(|at| sketch.targets.get(at)).map(|target| target.area);
    let out = |room: &Area| ink.beyond(room);
    let room = text.clipped.then_some(text.room);
    let out = [room, Some(sketch.glass), card].iter().flatten().map(out).fold(0.0, f32::max);
    let elided = if text.elided { f32::INFINITY } else { 0.0 };
    readings.push(Reading::new(Rule::Clipped, out.max(elided), 0, &text.words));
}

fn overlaps(sketch: &Sketch, readings: &mut Vec<Reading>) {
    let lines = |text: &Text| text.lines.iter().map(|line| line.ink).collect::<Vec<_>>();
    for (i, text) in sketch.texts.iter().enumerate() {
        for ink in lines(text) {
            let mut hit = |other: &Area, what: &str| {
                let (across, down) = ink.apart(other);
                let depth = (-across).min(-down).max(0.0);
                readings.push(Reading::new(Rule::Overlap, depth, 0, format!("{} and {what}", text.words)));
            };
            for other in &sketch.texts[i + 1..] {
                for line in &lines(other) {
                    hit(line, &other.words);
                }
            }
            // The word in the corner belongs to no page, and covers nothing that is touched there.
            for target in sketch.targets.iter().filter(|_| text.is("AppWindow::badge")) {
                hit(&target.area, &target.label);
            }
            for picture in &sketch.pictures {
                hit(&picture.area, picture.names.first().map_or("a drawing", String::as_str));
            }
        }
    }
}
