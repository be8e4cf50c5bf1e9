//! How a list lies on a panel: the layout of ui/ in millimetres, without a window.
//!
//! The screen asks it how to lay out lists, because names have to be measured before their page is drawn. The formulas are those of
//! ui/widgets/frame.slint and ui/pages/choice.slint, with every part at its least height; the audit of the rendered pages holds the two
//! together.

use super::{Metrics, Panel};
use crate::{
    fonts::{Fonts, Lines, Ruler, TextExtent},
    lang::{breakable, loose},
};

/// The corner's language button.
const LANGUAGE_LABEL: &str = "文 / A";
/// The screen lays text out in pixels: what just fits in millimetres may not.
const ROUNDING: f64 = 0.985;
/// Most things on one page of a list: more are not looked through.
const LISTED_MAX: usize = 12;

/// A panel, a language and its fonts.
pub(crate) struct ListLayout<'a> {
    ruler: &'a Ruler,
    lang: &'a str,
    /// Millimetres.
    m: Metrics,
    width: f64,
    height: f64,
    low_reach: bool,
    lines: Lines,
}

/// Heights for the body of a page.
struct Heights {
    /// All there is.
    body: f64,
    /// What of it is in the lower half of the glass; negative: none.
    low: f64,
}

/// The buttons in the corner of a page, by their labels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Corner<'a> {
    /// The language, and help where somebody can be called. A small panel has no room for help here.
    Patient(Option<&'a str>),
    /// The way back.
    Staff(&'a str),
}

/// How a list lies on its pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    /// Columns.
    pub columns: usize,
    /// Rows of a full page.
    pub rows: usize,
}

impl Grid {
    /// How many things are on a full page.
    pub(crate) const fn per_page(&self) -> usize {
        self.columns * self.rows
    }
}

impl<'a> ListLayout<'a> {
    /// For the pages in a language.
    pub fn new(panel: &Panel, low_reach: bool, fonts: &Fonts, ruler: &'a Ruler, lang: &'a str) -> Self {
        let (width, height) = panel.page_mm();
        let (mut m, lines) = (panel.metrics(panel.px_per_mm()), fonts.lines_for(lang));
        for size in [&mut m.question_size, &mut m.question_least_size, &mut m.text_size] {
            *size *= f64::from(lines.scale);
        }
        Self { ruler, lang, m, width, height, low_reach, lines }
    }

    /// How a list of things lies: as many columns as leave each name two lines, and as many rows as are high enough for a finger and for two
    /// lines.
    pub fn grid(&self, title: &str, names: &[String], corner: Corner<'_>) -> Grid {
        let candidates: &[usize] = match (self.m.portrait, self.m.small, names.len()) {
            (true, ..) => &[2, 1],
            (false, true, _) | (false, false, ..=6 | 9) => &[3, 2, 1],
            (false, false, _) => &[4, 3, 2, 1],
        };
        let fits = |columns: &&usize| names.iter().all(|name| self.name_fits(name, **columns));
        let columns = candidates.iter().find(fits).copied().unwrap_or(1);
        let rows = |foot: bool| {
            let heights = self.body_under_head(title, corner, foot);
            let rows = self.rows_of_two_lines(heights.body);
            // From below only what lies in the lower half is in reach; one row alone would make for endless pages.
            let rows =
                if self.low_reach { rows.min(self.rows_of_two_lines(heights.low).max(2)) } else { rows };
            rows.clamp(1, (LISTED_MAX / columns).max(1))
        };
        let all = rows(false);
        let rows = if names.len() <= columns * all { all } else { rows(true) };
        Grid { columns, rows }
    }

    fn name_fits(&self, name: &str, columns: usize) -> bool {
        let pad = self.m.unit * if self.m.small { 1.0 } else { 1.6 };
        let gaps = count(columns - 1) * self.m.gap.max(self.row_gap());
        let room = (self.body_width() - gaps) / count(columns) - 2.0 * pad;
        let room = room * ROUNDING;
        let taken = self.measure(name, true, room, self.m.text_size);
        taken.lines <= 2 && taken.word * self.m.text_size <= room
    }

    /// How many rows of cards with two lines of text a height has.
    fn rows_of_two_lines(&self, height: f64) -> usize {
        let row = self.m.target.max(2.0 * self.line() + 1.2 * self.m.unit);
        let rows = (height + self.row_gap()) / (row + self.row_gap());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a handful, and not negative"
        )]
        let rows = rows.max(0.0) as usize;
        rows
    }

    /// The height of the body under a heading that stands in the head, over a foot with buttons or to the edge.
    fn body_under_head(&self, title: &str, corner: Corner<'_>, foot: bool) -> Heights {
        let corner = self.corner(corner);
        let above = corner > 0.0 && !self.low_reach;
        let beside = !self.m.portrait || self.m.small;
        let width = self.body_width() - if above && beside { corner + self.m.gap } else { 0.0 };
        let (heading, target) = (self.heading(title, width), if above { self.m.target } else { 0.0 });
        let head = if beside { heading.max(target) } else { target + 0.5 * self.space() + heading };
        let below = self.low_reach && corner > 0.0;
        let own_row = below && self.m.portrait;
        let row = if own_row { self.m.target + self.m.gap } else { 0.0 };
        let foot = if foot || (below && !own_row) { self.foot_of_two_lines() } else { 0.0 };
        let below = foot + row + 0.6 * self.m.margin;
        Heights {
            body: self.height
                - if self.m.small { 0.55 } else { 0.8 } * self.m.margin
                - head
                - self.space()
                - below,
            low: self.height / 2.0 - below,
        }
    }

    /// How wide the corner is.
    fn corner(&self, corner: Corner<'_>) -> f64 {
        let least = self.m.target * if self.m.small { 1.2 } else { 1.4 };
        let words =
            |text: &str| self.measure(text, true, f64::MAX, self.m.text_size).whole * self.m.text_size;
        let button = |width: f64| least.max(width + if self.m.small { 3.0 } else { 5.0 } * self.m.unit);
        let signed = |text: &str| button(words(text) + 1.1 * self.m.text_size);
        let language = button(words(LANGUAGE_LABEL));
        match corner {
            Corner::Staff(back) => signed(back),
            Corner::Patient(Some(help)) if !self.m.small => language + self.m.gap + signed(help),
            Corner::Patient(_) => language,
        }
    }

    /// The height of a heading at full size.
    fn heading(&self, title: &str, width: f64) -> f64 {
        let at = |size: f64| self.measure(title, true, width.min(f64::from(self.lines.max_em) * size), size);
        let large = at(self.m.question_size);
        if large.lines == 1 {
            return f64::from(self.lines.em) * self.m.question_size;
        }
        count(at(self.m.question_least_size).lines) * f64::from(self.lines.em) * self.m.question_least_size
    }

    /// A foot whose buttons may have two lines, and the space above it.
    fn foot_of_two_lines(&self) -> f64 {
        self.m.target.max(2.0 * self.line() + 1.2 * self.m.unit) + self.m.gap
    }

    /// In phrases, or where one is too long, broken where the script allows. As `Pair` in ui/widgets/pair.slint does it.
    fn measure(&self, text: &str, bold: bool, width: f64, size: f64) -> TextExtent {
        let tight = self.ruler.measure(self.lang, &breakable(text), bold, width / size);
        if tight.word * size <= width {
            tight
        } else {
            self.ruler.measure(self.lang, &loose(text), bold, width / size)
        }
    }

    fn line(&self) -> f64 {
        f64::from(self.lines.em) * self.m.text_size
    }

    fn row_gap(&self) -> f64 {
        (3.1 * self.m.mm).max(0.8 * self.m.gap)
    }

    fn space(&self) -> f64 {
        (3.1 * self.m.mm).max(0.6 * self.m.gap)
    }

    fn body_width(&self) -> f64 {
        self.width - 2.0 * self.m.margin
    }
}

/// A page has a handful of anything.
fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::MAX, f64::from)
}
