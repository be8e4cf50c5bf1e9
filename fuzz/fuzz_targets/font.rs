//! A font that comes with a language folder, and what is asked of it before it is used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xinsheng::fonts::{Family, Fonts};

fuzz_target!(|bytes: &[u8]| {
    match Family::read("en", bytes.to_vec(), None) {
        Ok(family) => {
            let mut fonts = Fonts::shipped();
            fonts.add(family);
            let lines = fonts.lines_for("en");
            assert!(lines.em.is_finite() && lines.factor.is_finite() && lines.scale.is_finite());
            _ = fonts.missing("en", "Pharmacy 药房 دورا");
        }
        Err(error) => _ = error.to_string(),
    }
});
