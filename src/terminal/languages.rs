//! The languages that a terminal speaks.

use std::path::Path;

use crate::lang::Languages;

/// The languages beside a kiosk.toml. What of them cannot be used is left out, at worst everything that staff added: ratings are taken
/// without it.
///
/// # Errors
/// The languages that are part of the program cannot be read.
pub fn languages_beside(config: &Path) -> anyhow::Result<Languages> {
    let languages = match Languages::beside(config) {
        Ok(languages) => languages,
        Err(error) => {
            tracing::error!("the languages that staff added are left out: {error:#}");
            Languages::shipped()?
        }
    };
    for refused in &languages.refused {
        tracing::error!("a language is left out:\n{refused}");
    }
    for warning in &languages.warnings {
        tracing::warn!("{warning}");
    }
    Ok(languages)
}
