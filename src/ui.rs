//! The screens as Slint makes them from `ui/`, and the few conversions every adapter needs.
//!
//! What each global holds and what its callbacks mean is said in `ui/adapters.slint`.

pub use generated::*;

use crate::lang::Words;
use crate::panel::Panel;
use slint::ComponentHandle;

#[allow(
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::todo,
    reason = "generated; which lints it meets changes with the pages"
)]
mod generated {
    slint::include_modules!();
}

/// Lays the pages out for a panel. To be called again when the window moves to another scale factor.
#[expect(
    clippy::cast_possible_truncation,
    reason = "lengths on a screen fit a single-precision number many times over"
)]
pub fn lay_out(window: &AppWindow, panel: &Panel, low_reach: bool) {
    let lengths = panel.metrics(f64::from(window.window().scale_factor()));
    let metrics = window.global::<Metrics>();
    metrics.set_mm(lengths.mm as f32);
    metrics.set_unit(lengths.unit as f32);
    metrics.set_question_em(lengths.question_size as f32);
    metrics.set_question_least_em(lengths.question_least_size as f32);
    metrics.set_text_em(lengths.text_size as f32);
    metrics.set_second_em(lengths.second_size as f32);
    metrics.set_target(lengths.target as f32);
    metrics.set_gap(lengths.gap as f32);
    metrics.set_margin(lengths.margin as f32);
    metrics.set_portrait(lengths.portrait);
    metrics.set_small(lengths.small);
    metrics.set_large(panel.large_text);
    metrics.set_low_reach(low_reach);
}

impl From<Words> for Line {
    fn from(words: Words) -> Self {
        Self {
            text: words.text.into(),
            loose: words.loose.into(),
            second: words.second.into(),
            spoken: words.spoken.into(),
        }
    }
}
