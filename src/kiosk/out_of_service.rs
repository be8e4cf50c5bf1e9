//! The page of a terminal whose journal cannot be opened: nobody taps in vain, and a dark screen tells nobody anything.

use std::{path::Path, time::Duration};

use anyhow::Context;
use slint::{ComponentHandle, Timer};

use super::{Kiosk, preview::idle_parts};
use crate::{
    config::{self, Glyphs, KioskSetup},
    journal::OpenError,
    survey::{OutOfService, StoreOutcome},
    terminal::languages_beside,
    ui::AppWindow,
};

/// How long it shows; then the program ends, and its service manager tries again.
const SHOWN: Duration = Duration::from_mins(1);

/// Whether a start failed for a reason that a person has to mend. Where another program has the journal, that one has the screen too.
pub fn is_due(error: &anyhow::Error) -> bool {
    !matches!(error.downcast_ref::<OpenError>(), Some(OpenError::InUse { .. }))
}

/// Says for a minute that the terminal is out of service because nothing can be stored, in the languages and colours of its configuration
/// as far as that can be read.
///
/// # Errors
/// No display, or the languages cannot be read.
pub fn show(configuration: &Path) -> anyhow::Result<()> {
    let languages = languages_beside(configuration)?;
    let read = |path: &Path| config::read_file(path);
    let loaded = config::load_kiosk(configuration, &read, &Glyphs::new(&languages.fonts));
    let setup: KioskSetup = loaded.unwrap_or_else(|_| config::example()).value;
    let window = AppWindow::new().context("cannot open a window")?;
    super::fonts::register(&languages.fonts);
    let mut parts = idle_parts(&setup, languages, Box::new(|_, reply| reply(StoreOutcome::Refused)));
    parts.plan.out_of_service = Some(OutOfService::Storage);
    parts.plan.help = false;
    super::keep_open(&window);
    let _kiosk = Kiosk::new(&window, parts)?;
    Timer::single_shot(SHOWN, || {
        // It fails only when there is no loop to end.
        let _ = slint::quit_event_loop();
    });
    window.run().context("the window ended")
}
