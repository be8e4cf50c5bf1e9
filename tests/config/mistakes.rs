//! Mistakes people make in config files, and what the check is to say of each.

mod content;
mod form;
mod programs;

use xinsheng::config::Kind;

/// One of each kind of mistake the check knows.
pub const MISTAKES: [&[Mistake]; 3] = [form::MISTAKES, content::MISTAKES, programs::MISTAKES];

/// A mistake: the text that is replaced in the example, what by, where the finding points (the text there), and words of it.
pub struct Mistake {
    pub kind: Kind,
    pub right: &'static str,
    pub wrong: &'static str,
    pub points_at: &'static str,
    pub words: &'static [&'static str],
}

const fn mistake(
    kind: Kind,
    right: &'static str,
    wrong: &'static str,
    points_at: &'static str,
    words: &'static [&'static str],
) -> Mistake {
    Mistake { kind, right, wrong, points_at, words }
}
