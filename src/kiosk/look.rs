//! How the pages look, and what of it follows the time of day: the theme, and whether a rated place is open.

use std::path::{Path, PathBuf};

use anyhow::Context;
use slint::{ComponentHandle, SharedPixelBuffer};

use crate::{
    config::{self, Logo, NightHours},
    model::{Moment, TimeQuality},
    survey::Plan,
    theme::{self, Color, Palette},
    ui::{self, AppWindow, Shell},
};

/// How the pages look.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Look {
    /// By day.
    pub theme: theme::Theme,
    /// When the night theme shows instead; never, if there is none.
    pub night: Option<NightHours>,
    /// The hospital's own colour, in the standard theme.
    pub accent: Option<Color>,
    /// The hospital's picture on the page that invites.
    pub logo: Option<PathBuf>,
}

/// What the time of day decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ambient {
    /// The theme now.
    pub theme: theme::Theme,
    /// A place that is rated here is open.
    pub open: bool,
}

impl Ambient {
    /// What holds at a moment. A clock that was never set decides nothing: open, and the theme of the day.
    pub fn at(now: &Moment, plan: &Plan, look: &Look) -> Self {
        let rated = || plan.touchpoints.iter().filter_map(|id| plan.hospital.touchpoint(id));
        let zone = rated().find_map(|place| plan.hospital.site(&place.site)).map(|site| site.time_zone);
        let (Some(zone), true) = (zone, now.quality != TimeQuality::Unset) else {
            return Self { theme: look.theme, open: true };
        };
        let local = now.wall.with_timezone(&zone).time();
        let night = look.night.is_some_and(|hours| hours.contains(local));
        Self {
            theme: if night { theme::Theme::Night } else { look.theme },
            open: rated().any(|place| place.hours.open_at(now.wall, zone)),
        }
    }
}

/// Colours the pages.
pub fn paint(window: &AppWindow, palette: &Palette) {
    let color = |c: Color| slint::Color::from_rgb_u8(c.r, c.g, c.b);
    let theme = window.global::<ui::Theme>();
    theme.set_ground(color(palette.ground));
    theme.set_ink(color(palette.ink));
    theme.set_quiet(color(palette.quiet));
    theme.set_card(color(palette.card));
    theme.set_edge(color(palette.edge));
    theme.set_chosen(color(palette.chosen));
    theme.set_on_chosen(color(palette.on_chosen));
    theme.set_quiet_on_chosen(color(palette.quiet_on_chosen));
    theme.set_primary(color(palette.primary));
    theme.set_on_primary(color(palette.on_primary));
    theme.set_quiet_on_primary(color(palette.quiet_on_primary));
    theme.set_ring(color(palette.ring));
}

/// Puts the hospital's picture on the page that invites. A picture that cannot be read is logged and left out.
pub fn hang_logo(window: &AppWindow, look: &Look) {
    let image = look.logo.as_ref().and_then(|path| {
        load_logo(path)
            .inspect_err(|error| tracing::warn!(logo = %path.display(), "the logo is left out: {error:#}"))
            .ok()
    });
    window.global::<Shell>().set_logo(image.unwrap_or_default());
}

/// From bytes, not from the path: a changed picture of the same name is another one.
fn load_logo(path: &Path) -> anyhow::Result<slint::Image> {
    let bytes = std::fs::read(path)?;
    match config::read_logo(&bytes)? {
        Logo::Svg => slint::Image::load_from_svg_data(&bytes).ok().context("it is no SVG that can be drawn"),
        Logo::Pixels { width, height, rgba } => {
            Ok(slint::Image::from_rgba8(SharedPixelBuffer::clone_from_slice(rgba.as_slice(), width, height)))
        }
    }
}
