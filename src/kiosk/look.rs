//! The colours and the picture of the pages, put on a window.

use std::path::Path;

use anyhow::Context;
use slint::{ComponentHandle, SharedPixelBuffer};

pub use crate::terminal::Look;
use crate::{
    config::{self, Logo},
    theme::{Color, Palette},
    ui::{self, AppWindow, Shell},
};

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
pub(crate) fn set_logo(window: &AppWindow, look: &Look) {
    let image = look.logo.as_ref().and_then(|path| {
        load_logo(path)
            .inspect_err(|error| tracing::warn!(logo = %path.display(), "the logo is left out: {error:#}"))
            .ok()
    });
    window.global::<Shell>().set_logo(image.unwrap_or_default());
}

/// From bytes, not from the path: a changed picture of the same name is another one.
fn load_logo(path: &Path) -> anyhow::Result<slint::Image> {
    let bytes = config::read_file(path)?;
    match config::read_logo(&bytes)? {
        Logo::Svg => slint::Image::load_from_svg_data(&bytes).ok().context("it is no SVG that can be drawn"),
        Logo::Pixels { width, height, rgba } => {
            Ok(slint::Image::from_rgba8(SharedPixelBuffer::clone_from_slice(rgba.as_slice(), width, height)))
        }
    }
}
