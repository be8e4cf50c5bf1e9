//! Pictures of the pages.

use std::path::Path;

use anyhow::Context;

use super::say;
use crate::{
    config,
    kiosk::{fonts, preview::parse_panel},
    page_audit::gallery::Gallery,
    panel::{Panel, Rotation, TEST_PANELS},
    simulator::pictures::{self, Wanted},
    terminal::panel_of,
    theme::Theme,
};

/// Which pictures to take instead of the ones for a quick look.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five switches of a command line that do not exclude each other"
)]
pub struct Pictures {
    /// On this panel only: by its diagonal (7, 10.1, 15.6, 21.5), or `INCHES:WIDTHxHEIGHT`.
    #[arg(long, value_name = "PANEL")]
    pub panel: Option<String>,
    /// Turned by a quarter.
    #[arg(long)]
    pub turned: bool,
    /// In this language only.
    #[arg(long, value_name = "LANG")]
    pub lang: Option<String>,
    /// In this theme only: `standard`, `high_contrast` or `night`.
    #[arg(long, value_name = "THEME")]
    pub theme: Option<String>,
    /// All text one step larger.
    #[arg(long)]
    pub large_text: bool,
    /// Targets in the lower half.
    #[arg(long)]
    pub low_reach: bool,
    /// As a panel with 16 bits a pixel shows it.
    #[arg(long)]
    pub rgb565: bool,
    /// A picture of each page on each panel, not only sheets.
    #[arg(long)]
    pub all: bool,
}

/// Writes pictures of the built-in example's pages into a folder, and says how many.
pub(super) fn take_pictures(options: &Pictures, folder: &Path) -> anyhow::Result<()> {
    let setup = config::example().value;
    let mut paths = Vec::new();
    let mut take = |wanted: &Wanted| -> anyhow::Result<()> {
        let gallery = Gallery::shipped()?;
        paths.extend(pictures::save(gallery, wanted, folder)?);
        Ok(())
    };
    let all = Wanted {
        panels: TEST_PANELS.to_vec(),
        low_reach: options.low_reach,
        lang: options.lang.clone(),
        theme: theme_of(options)?,
        singles: options.all,
        rgb565: options.rgb565,
    };
    let turn = |panel: Panel| Panel {
        rotation: if options.turned { Rotation::Quarter } else { Rotation::None },
        large_text: options.large_text,
        ..panel
    };
    match &options.panel {
        Some(panel) => take(&Wanted { panels: vec![turn(parse_panel(panel)?)], singles: true, ..all })?,
        None if options.all => take(&all)?,
        None => {
            // Enough to look at everything once: each panel and theme in one language, each language on one panel.
            let first = options.lang.clone().or(setup.hospital.languages.first().map(ToString::to_string));
            take(&Wanted { lang: first, ..all.clone() })?;
            let theme = all.theme.or(Some(Theme::Standard));
            take(&Wanted { panels: vec![turn(panel_of(&setup.kiosk))], singles: true, theme, ..all })?;
        }
    }
    say(&format!("{} pictures in {}", paths.len(), folder.display()))
}

/// `screens`: pictures and nothing else.
///
/// # Errors
/// An option that names nothing, or a file that cannot be written.
pub fn show_pages(options: &Pictures, folder: &Path) -> anyhow::Result<()> {
    fonts::provide(&std::env::temp_dir().join("xinsheng-screens")).context("cannot lay out the fonts")?;
    take_pictures(options, folder)
}

fn theme_of(options: &Pictures) -> anyhow::Result<Option<Theme>> {
    let Some(name) = &options.theme else { return Ok(None) };
    let names = Theme::ALL.map(Theme::name).join(", ");
    let theme = Theme::from_name(&name.replace('-', "_"));
    theme.map(Some).with_context(|| format!("there is no theme `{name}`; use one of {names}"))
}
