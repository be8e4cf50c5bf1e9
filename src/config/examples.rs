//! The example hospital that comes with the program, also what a terminal asks that has nothing better.

use std::{io, path::Path};

use super::{
    hospital::Glyphs,
    load::{self, KioskSetup, Loaded},
};
use crate::questionnaire::Hospital;

/// kiosk.toml of the example hospital.
pub const EXAMPLE_KIOSK: &str = include_str!("../../config/kiosk.toml");
/// central.toml of the example hospital.
pub const EXAMPLE_CENTRAL: &str = include_str!("../../config/central.toml");
/// touchpoints.toml of a smaller hospital that speaks six languages.
pub const EXAMPLE_SIX_LANGUAGES: &str = include_str!("../../config/touchpoints-six-languages.toml");
/// touchpoints.toml of the example hospital.
pub const EXAMPLE_TOUCHPOINTS: &str = include_str!("../../config/touchpoints.toml");

/// The example terminal and hospital, as they are built in.
pub fn example() -> Loaded<KioskSetup> {
    let read = |path: &Path| match path.to_str() {
        Some("kiosk.toml") => Ok(EXAMPLE_KIOSK.into()),
        Some("touchpoints.toml") => Ok(EXAMPLE_TOUCHPOINTS.into()),
        Some(_) | None => Err(io::ErrorKind::NotFound.into()),
    };
    #[expect(clippy::expect_used, reason = "the example is part of the program and a test loads it")]
    load::load_kiosk(Path::new("kiosk.toml"), &read, &Glyphs::default())
        .expect("the built-in example is right")
}

/// The example hospitals: the one that a new terminal starts with, and the one in six languages.
pub fn example_hospitals() -> [Hospital; 2] {
    let read = |_: &Path| Ok(EXAMPLE_SIX_LANGUAGES.into());
    #[expect(clippy::expect_used, reason = "the example is part of the program and a test loads it")]
    let six = load::load_hospital(Path::new("touchpoints-six-languages.toml"), &read, &Glyphs::default())
        .expect("the built-in example is right");
    [example().value.hospital, six.value]
}
