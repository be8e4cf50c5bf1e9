//! A font that comes with a language folder, and what is asked of it before it is used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::panic;

use xinsheng::{
    ending,
    fonts::{Family, Fonts},
};

/// libFuzzer ends at any panic; the product at any that is not contained.
fn spare_contained() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !ending::is_contained() {
            end(info);
        }
    }));
}

fuzz_target!(init: spare_contained(), |bytes: &[u8]| {
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
