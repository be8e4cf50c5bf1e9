//! A panel's geometry: from its diagonal, its resolution and how far away the patient stands to every length the pages use.
//!
//! Pure numbers. Text must be readable at the viewing distance, so its size is an angle; fingers do not shrink with distance, so a
//! target's size is a length on the glass. On a panel larger than the one the pages are composed for (10.1", 1280 x 800), both grow
//! with the panel and the page keeps its proportions.

#[cfg(feature = "kiosk")]
mod list_layout;

#[cfg(feature = "kiosk")]
pub(crate) use list_layout::ListLayout;
#[cfg(feature = "kiosk")]
pub use list_layout::{Corner, Grid};

/// How the panel is mounted, clockwise from its native orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// As built.
    #[default]
    None,
    /// A quarter turn: landscape becomes portrait.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarter turns.
    ThreeQuarters,
}

/// A panel as its data sheet and its place describe it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Panel {
    /// Inches, corner to corner.
    pub diagonal_in: f64,
    /// Pixels, in native orientation.
    pub width_px: u32,
    /// Pixels, in native orientation.
    pub height_px: u32,
    /// From the eye to the glass.
    pub viewing_distance_mm: f64,
    /// How it is mounted.
    pub rotation: Rotation,
    /// All text one step larger than the distance asks for.
    pub large_text: bool,
}

/// The panels that everything is tried on, as sold for terminals: each as built, and turned by a quarter.
pub const TEST_PANELS: [Panel; 12] = {
    const fn built(diagonal_in: f64, width_px: u32, height_px: u32, rotation: Rotation) -> Panel {
        Panel { rotation, ..Panel::new(diagonal_in, width_px, height_px) }
    }
    const fn both(diagonal_in: f64, width_px: u32, height_px: u32) -> [Panel; 2] {
        [
            built(diagonal_in, width_px, height_px, Rotation::None),
            built(diagonal_in, width_px, height_px, Rotation::Quarter),
        ]
    }
    let [a, b] = both(7.0, 1024, 600);
    let [c, d] = both(7.0, 800, 480);
    let [e, f] = both(7.0, 720, 1280);
    let [g, h] = both(10.1, 1280, 800);
    let [i, j] = both(15.6, 1920, 1080);
    let [k, l] = both(21.5, 1920, 1080);
    [a, b, c, d, e, f, g, h, i, j, k, l]
};

/// Every length a page takes from the panel, in logical pixels, and how it is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// One millimetre on the glass.
    pub mm: f64,
    /// A millimetre of the page as composed: grows with the panel, never below `mm`.
    pub unit: f64,
    /// Em of a heading that stays on one line.
    pub question_size: f64,
    /// Em of a longer heading: the least the distance allows.
    pub question_least_size: f64,
    /// Em of every other text in the visitor's language.
    pub text_size: f64,
    /// Em of the second language.
    pub second_size: f64,
    /// Smallest side of a target.
    pub target: f64,
    /// Space between targets.
    pub gap: f64,
    /// Space to the edge of the glass.
    pub margin: f64,
    /// Higher than wide.
    pub portrait: bool,
    /// Under 9".
    pub small: bool,
}

/// Height of a capital H of Noto Sans SC, in em.
const CAPITAL_EM: f64 = 0.733;
/// Height of a typical ideograph of Noto Sans SC, in em.
const IDEOGRAPH_EM: f64 = 0.92;
/// Capital H of any text, in degrees (EN 301 549, 5.1.4).
const CAPITAL_DEGREES: f64 = 0.7;
/// A Chinese character of the question, in arcminutes: best for young and old readers.
const QUESTION_ARCMIN: f64 = 55.0;
/// Capital H of the second language on the glass: a courtesy, not the visitor's own text.
const SECOND_CAPITAL_MM: f64 = 4.0;
/// A short heading is a quarter larger than it must be: 12 mm at 600 mm.
const QUESTION_AIM: f64 = 1.25;
/// The page the layout is composed for: 10.1", 1280 x 800, at its usual distance.
const COMPOSED_DISTANCE_MM: f64 = 500.0;
const COMPOSED_LONG_MM: f64 = 217.5;
const COMPOSED_SHORT_MM: f64 = 135.9;
const MM_PER_INCH: f64 = 25.4;
/// One step of text size: 0.7 degrees become 0.84.
const LARGE_TEXT: f64 = 1.2;

impl Panel {
    /// A panel at the usual viewing distance for its size.
    pub const fn new(diagonal_in: f64, width_px: u32, height_px: u32) -> Self {
        Self {
            diagonal_in,
            width_px,
            height_px,
            viewing_distance_mm: usual_viewing_distance_mm(diagonal_in),
            rotation: Rotation::None,
            large_text: false,
        }
    }

    /// Pixels for a millimetre; pixels are taken as square.
    pub fn px_per_mm(&self) -> f64 {
        f64::from(self.width_px).hypot(f64::from(self.height_px)) / (self.diagonal_in * MM_PER_INCH)
    }

    /// Width and height of the page in pixels, as the visitor sees it.
    pub fn page_px(&self) -> (u32, u32) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width_px, self.height_px),
            Rotation::Quarter | Rotation::ThreeQuarters => (self.height_px, self.width_px),
        }
    }

    /// Width and height of the page in millimetres, as the visitor sees it.
    pub(crate) fn page_mm(&self) -> (f64, f64) {
        let (width, height) = self.page_px();
        (f64::from(width) / self.px_per_mm(), f64::from(height) / self.px_per_mm())
    }

    /// The lengths for the pages, for a window that shows `scale_factor` physical pixels to a logical one.
    pub fn metrics(&self, scale_factor: f64) -> Metrics {
        let mm = self.px_per_mm() / scale_factor;
        let small = self.is_small();
        let portrait = self.is_portrait();
        let growth = self.growth();
        let unit = mm * growth;
        // What the page is composed with, grown with the panel; a small panel has no room beyond what the distance asks for.
        let composed = |em_mm: f64| if small { 0.0 } else { growth * em_mm };
        let question_least = self.question_em_mm().max(composed(question_em_mm(COMPOSED_DISTANCE_MM)));
        let text = self.text_em_mm().max(composed(text_em_mm(COMPOSED_DISTANCE_MM)));
        let second = (SECOND_CAPITAL_MM / CAPITAL_EM).max(composed(SECOND_CAPITAL_MM / CAPITAL_EM));
        let question = if small { question_least } else { QUESTION_AIM * question_least };
        let step = if self.large_text { LARGE_TEXT } else { 1.0 };
        Metrics {
            mm,
            unit,
            question_size: mm * step * question,
            question_least_size: mm * step * question_least,
            text_size: mm * step * text,
            second_size: mm * step * second,
            target: unit * self.target_mm(),
            gap: unit * if small { 3.2 } else { 5.0 },
            margin: unit * if small { 3.2 } else { 5.0 },
            portrait,
            small,
        }
    }

    /// The least em of a question at this distance.
    pub(crate) fn question_em_mm(&self) -> f64 {
        question_em_mm(self.viewing_distance_mm)
    }

    /// The least em of every other text at this distance.
    pub(crate) fn text_em_mm(&self) -> f64 {
        text_em_mm(self.viewing_distance_mm)
    }

    /// The least side of a target.
    pub fn target_mm(&self) -> f64 {
        if self.is_small() { 16.0 } else { 20.0 }
    }

    /// Under 9 inches: what a page leaves out there, see `ui/widgets/frame.slint`.
    pub fn is_small(&self) -> bool {
        self.diagonal_in < 9.0
    }

    fn is_portrait(&self) -> bool {
        let (width, height) = self.page_px();
        height > width
    }

    fn growth(&self) -> f64 {
        let (width, height) = self.page_mm();
        (width.max(height) / COMPOSED_LONG_MM).min(width.min(height) / COMPOSED_SHORT_MM).max(1.0)
    }
}

/// 400 mm on a hand-sized panel, 500 mm on one on a desk, 600 mm on a free-standing one.
pub(crate) const fn usual_viewing_distance_mm(diagonal_in: f64) -> f64 {
    if diagonal_in < 9.0 {
        400.0
    } else if diagonal_in < 12.0 {
        500.0
    } else {
        600.0
    }
}

fn question_em_mm(distance_mm: f64) -> f64 {
    // At close range a heading still has to be a heading: never below the text around it.
    (seen_at(distance_mm, QUESTION_ARCMIN / 60.0) / IDEOGRAPH_EM).max(text_em_mm(distance_mm))
}

fn text_em_mm(distance_mm: f64) -> f64 {
    seen_at(distance_mm, CAPITAL_DEGREES) / CAPITAL_EM
}

/// The length that fills an angle at a distance.
fn seen_at(distance_mm: f64, degrees: f64) -> f64 {
    2.0 * distance_mm * (degrees.to_radians() / 2.0).tan()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, wanted: f64, tolerance: f64) {
        assert!((got - wanted).abs() <= tolerance, "{got} is not {wanted} within {tolerance}");
    }

    #[test]
    fn a_panel_is_measured_by_its_diagonal() {
        let ten = Panel::new(10.1, 1280, 800);
        close(ten.px_per_mm(), 5.884, 0.001);
        close(ten.page_mm().0, 217.5, 0.1);
        close(ten.page_mm().1, 135.9, 0.1);
        close(Panel::new(7.0, 1024, 600).px_per_mm(), 6.675, 0.001);
        close(Panel::new(7.0, 800, 480).px_per_mm(), 5.247, 0.001);
        close(Panel::new(7.0, 720, 1280).px_per_mm(), 8.260, 0.001);
        close(Panel::new(15.6, 1920, 1080).px_per_mm(), 5.560, 0.001);
        close(Panel::new(21.5, 1920, 1080).px_per_mm(), 4.034, 0.001);
    }

    #[test]
    fn text_is_as_large_as_the_eye_needs_at_its_distance() {
        close(seen_at(600.0, 55.0 / 60.0), 9.6, 0.01);
        close(seen_at(500.0, 0.7), 6.1, 0.02);
        close(seen_at(600.0, 0.7), 7.3, 0.04);
        for (panel, distance) in six_panels().into_iter().zip([400.0, 400.0, 400.0, 500.0, 600.0, 600.0]) {
            close(panel.viewing_distance_mm, distance, 0.0);
            let metrics = panel.metrics(1.0);
            let question_mm = metrics.question_least_size * IDEOGRAPH_EM / metrics.mm;
            let text_mm = metrics.text_size * CAPITAL_EM / metrics.mm;
            assert!(question_mm + 1e-9 >= seen_at(distance, 55.0 / 60.0), "{panel:?}: {question_mm}");
            assert!(text_mm + 1e-9 >= seen_at(distance, 0.7), "{panel:?}: {text_mm}");
            assert!(metrics.second_size * CAPITAL_EM / metrics.mm + 1e-9 >= 4.0, "{panel:?}");
        }
    }

    #[test]
    fn the_viewing_distance_moves_the_text_and_not_the_targets() {
        let near = Panel::new(10.1, 1280, 800);
        let far = Panel { viewing_distance_mm: 750.0, ..near };
        close(far.metrics(1.0).text_size / near.metrics(1.0).text_size, 1.5, 0.001);
        close(far.metrics(1.0).target, near.metrics(1.0).target, 0.0);
    }

    #[test]
    fn one_step_up_makes_text_larger_and_nothing_else() {
        let usual = Panel::new(10.1, 1280, 800);
        let large = Panel { large_text: true, ..usual };
        let (usual, large) = (usual.metrics(1.0), large.metrics(1.0));
        for (before, after) in [
            (usual.question_size, large.question_size),
            (usual.question_least_size, large.question_least_size),
            (usual.text_size, large.text_size),
            (usual.second_size, large.second_size),
        ] {
            close(after / before, 1.2, 1e-9);
        }
        close(usual.target, large.target, 0.0);
        close(usual.gap, large.gap, 0.0);
    }

    #[test]
    fn targets_and_gaps_hold_their_least_on_the_glass() {
        for panel in six_panels() {
            let metrics = panel.metrics(1.0);
            let least = if panel.diagonal_in < 9.0 { 16.0 } else { 20.0 };
            assert!(metrics.target / metrics.mm + 1e-9 >= least, "{panel:?}");
            assert!(metrics.gap / metrics.mm + 1e-9 >= 3.0, "{panel:?}");
        }
    }

    #[test]
    fn a_large_panel_shows_the_same_page_larger() {
        let metrics = Panel::new(21.5, 1920, 1080).metrics(1.0);
        close(metrics.unit / metrics.mm, 1.97, 0.01);
        close(metrics.text_size / metrics.unit, text_em_mm(500.0), 0.01);
    }

    #[test]
    fn a_quarter_turn_makes_a_portrait_page() {
        let turned = Panel { rotation: Rotation::Quarter, ..Panel::new(10.1, 1280, 800) };
        assert_eq!(turned.page_px(), (800, 1280));
        assert!(turned.metrics(1.0).portrait);
        assert!(!Panel::new(10.1, 1280, 800).metrics(1.0).portrait);
    }

    #[test]
    fn a_scaled_window_has_fewer_logical_pixels_to_a_millimetre() {
        let panel = Panel::new(10.1, 1280, 800);
        close(panel.metrics(2.0).mm * 2.0, panel.metrics(1.0).mm, 1e-9);
        close(panel.metrics(2.0).text_size * 2.0, panel.metrics(1.0).text_size, 1e-9);
    }

    fn six_panels() -> [Panel; 6] {
        [
            Panel::new(7.0, 1024, 600),
            Panel::new(7.0, 800, 480),
            Panel::new(7.0, 720, 1280),
            Panel::new(10.1, 1280, 800),
            Panel::new(15.6, 1920, 1080),
            Panel::new(21.5, 1920, 1080),
        ]
    }
}
