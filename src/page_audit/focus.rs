//! The Tab key: does it reach every target, in the order of reading?

use super::{Area, Reading, Rule, sketch::Sketch, stage::Stage};

/// Walks through the page with the Tab key. `rtl`: lines run from right to left.
pub fn focus(stage: &mut Stage, rtl: bool) -> Vec<Reading> {
    let sketch = stage.sketch();
    let mut walked = Vec::new();
    for _ in &sketch.targets {
        stage.tab();
        walked.extend(stage.focused(&sketch));
    }
    judge(&sketch, &walked, rtl)
}

fn judge(sketch: &Sketch, walked: &[usize], rtl: bool) -> Vec<Reading> {
    let label = |at: usize| sketch.targets[at].label.clone();
    // A keypad lies the same way in every script, whatever is around it.
    let either = sketch.texts.iter().any(|text| text.is("KeypadPage::root"));
    let mut readings = Vec::new();
    for at in 0..sketch.targets.len() {
        let missed = u32::from(!walked.contains(&at));
        readings.push(Reading::new(Rule::Focus, missed, 0, format!("{} is not reached", label(at))));
    }
    for pair in walked.windows(2) {
        let (before, after) = (sketch.targets[pair[0]].area, sketch.targets[pair[1]].area);
        // Digits lie the same way in every script.
        let digits = pair.iter().all(|at| sketch.targets[*at].label.parse::<u32>().is_ok());
        let back = u32::from(
            !follows(&before, &after, rtl) && !((digits || either) && follows(&before, &after, false)),
        );
        readings.push(Reading::new(
            Rule::Focus,
            back,
            0,
            format!("{} after {}", label(pair[1]), label(pair[0])),
        ));
    }
    readings
}

/// Whether a reader comes from one place to the other: further along the line, or below it.
fn follows(before: &Area, after: &Area, rtl: bool) -> bool {
    let (across, down) = before.apart(after);
    let same_line = down < 0.0;
    if same_line && across >= 0.0 {
        return if rtl { after.x < before.x } else { after.x > before.x };
    }
    after.y > before.y
}
