//! `preview`: the pages in a desktop window as they would look on another panel, in another language or theme. Nothing is stored.

use std::sync::Arc;

use anyhow::{Context, bail};
use slint::{ComponentHandle, PhysicalSize};

use super::Kiosk;
use crate::{
    clock::SystemClock,
    config::{KioskSetup, example_hospitals},
    lang::Languages,
    model::Lang,
    panel::{Panel, Rotation},
    survey::{Plan, StoreOutcome},
    terminal::{Parts, StaffParts, Store, look_of, panel_of, plan_of},
    theme::Theme,
    ui::AppWindow,
};

/// What to show instead of what the configuration says.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// A panel by its diagonal (7, 10.1, 15.6, 21.5), or `INCHES:WIDTHxHEIGHT`.
    #[arg(long, value_name = "PANEL")]
    pub panel: Option<String>,
    /// How it is turned, clockwise: 0, 90, 180 or 270.
    #[arg(long, value_name = "DEGREES")]
    pub rotation: Option<u16>,
    /// The language at rest.
    #[arg(long, value_name = "LANG")]
    pub lang: Option<String>,
    /// `standard`, `high_contrast` or `night`.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// All text one step larger.
    #[arg(long)]
    pub large_text: bool,
    /// Targets in the lower half.
    #[arg(long)]
    pub low_reach: bool,
    /// Shrinks or grows the picture, for a desktop smaller than the panel.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub scale: f64,
}

/// Panels sold for terminals, by their diagonal as people write it.
const PANELS: [(&str, f64, u32, u32); 5] = [
    ("7", 7.0, 1024, 600),
    ("10.1", 10.1, 1280, 800),
    ("13.3", 13.3, 1920, 1080),
    ("15.6", 15.6, 1920, 1080),
    ("21.5", 21.5, 1920, 1080),
];

/// Opens the window and stays until it is closed.
///
/// # Errors
/// An option that names nothing, or no display.
pub fn run(setup: &KioskSetup, languages: Languages, options: &Options) -> anyhow::Result<()> {
    let panel = panel(panel_of(&setup.kiosk), options)?;
    let mut look = look_of(&setup.kiosk);
    if let Some(name) = &options.theme {
        let names = Theme::ALL.map(Theme::name).join(", ");
        look.theme = Theme::from_name(&name.replace('-', "_"))
            .with_context(|| format!("there is no theme `{name}`; use one of {names}"))?;
        look.night = None;
    }
    let mut plan = plan_of(setup);
    if let Some(tag) = &options.lang {
        let lang: Lang = tag.parse().with_context(|| format!("`{tag}` is no language tag"))?;
        ask_in(lang, &mut plan);
    }
    let window =
        AppWindow::new().context("cannot open a window; is there a display (DISPLAY or WAYLAND_DISPLAY)?")?;
    super::fonts::register(&languages.fonts);
    let (width, height) = panel.page_px();
    window.window().set_size(PhysicalSize::new(width, height));
    let mut parts = idle_parts(setup, languages, Box::new(|_, reply| reply(StoreOutcome::PRETENDED)));
    (parts.plan, parts.panel, parts.look, parts.full_screen) = (plan, panel, look, false);
    parts.low_reach |= options.low_reach;
    let _kiosk = Kiosk::new(&window, parts)?;
    window.run().context("the window ended")
}

/// What a screen needs that has no terminal behind it.
pub(super) fn idle_parts(setup: &KioskSetup, languages: Languages, store: Store) -> Parts {
    Parts {
        plan: plan_of(setup),
        catalogue: languages.catalogue,
        fonts: languages.fonts,
        second_language: setup.kiosk.second_language.clone(),
        panel: panel_of(&setup.kiosk),
        low_reach: setup.kiosk.panel.low_reach,
        look: look_of(&setup.kiosk),
        full_screen: setup.kiosk.panel.full_screen,
        clock: Arc::new(SystemClock::new()),
        store,
        staff: StaffParts::none(),
        sound: crate::sound::SoundHandle::silent(),
    }
}

/// Puts a language first. Where the hospital does not speak it, an example hospital that does shows what its pages look like.
fn ask_in(lang: Lang, plan: &mut Plan) {
    if !plan.hospital.languages.contains(&lang)
        && let Some(example) = example_hospitals().into_iter().find(|other| other.languages.contains(&lang))
    {
        tracing::warn!(%lang, "the hospital does not speak this language; an example hospital stands in");
        let places = example.touchpoints.iter().map(|touchpoint| touchpoint.id.clone());
        plan.touchpoints = places.take(plan.touchpoints.len()).collect();
        plan.hospital = Arc::new(example);
    }
    plan.languages.retain(|known| *known != lang);
    plan.languages.insert(0, lang);
}

fn panel(configured: Panel, options: &Options) -> anyhow::Result<Panel> {
    let mut panel = match &options.panel {
        Some(text) => parse_panel(text)?,
        None => configured,
    };
    panel.rotation = match options.rotation {
        None => panel.rotation,
        Some(0) => Rotation::None,
        Some(90) => Rotation::Quarter,
        Some(180) => Rotation::Half,
        Some(270) => Rotation::ThreeQuarters,
        Some(other) => bail!("a panel is turned by 0, 90, 180 or 270 degrees, not by {other}"),
    };
    panel.large_text |= options.large_text;
    if !(0.1..=4.0).contains(&options.scale) {
        bail!("--scale {} is not between 0.1 and 4", options.scale);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few thousand pixels, and positive"
    )]
    let scaled = |pixels: u32| (f64::from(pixels) * options.scale).round() as u32;
    panel.width_px = scaled(panel.width_px);
    panel.height_px = scaled(panel.height_px);
    Ok(panel)
}

/// `10.1`, or `7:800x480`.
///
/// # Errors
/// Neither.
pub(crate) fn parse_panel(text: &str) -> anyhow::Result<Panel> {
    if let Some((_, diagonal, width, height)) = PANELS.iter().find(|(name, ..)| *name == text) {
        return Ok(Panel::new(*diagonal, *width, *height));
    }
    let parsed = text.split_once(':').and_then(|(inches, pixels)| {
        let (width, height) = pixels.split_once('x')?;
        Some((inches.parse().ok()?, width.parse().ok()?, height.parse().ok()?))
    });
    match parsed {
        Some((inches, width, height)) if (5.0..=100.0).contains(&inches) && width >= 320 && height >= 320 => {
            Ok(Panel::new(inches, width, height))
        }
        _ => {
            let names = PANELS.map(|(name, ..)| name).join(", ");
            bail!("`{text}` is no panel: write one of {names}, or inches and pixels like 7:800x480")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_named_by_diagonal_or_written_out() {
        assert_eq!(parse_panel("10.1").unwrap(), Panel::new(10.1, 1280, 800));
        assert_eq!(parse_panel("7:800x480").unwrap(), Panel::new(7.0, 800, 480));
        for wrong in ["", "9", "7:800", "7:800x", "2:800x480", "7:80x480", "x:800x480"] {
            assert!(parse_panel(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_scaled_preview_keeps_its_proportions() {
        let options = Options { scale: 0.5, rotation: Some(90), ..Options::default() };
        let half = panel(Panel::new(10.1, 1280, 800), &options).unwrap();
        assert_eq!(half.page_px(), (400, 640));
        let whole = Panel { rotation: Rotation::Quarter, ..Panel::new(10.1, 1280, 800) };
        let (a, b) = (half.metrics(1.0), whole.metrics(1.0));
        assert!((a.text_size * 2.0 - b.text_size).abs() < 1e-9);
    }
}
