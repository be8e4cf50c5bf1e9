//! Our families in a collection of the font library, for the screen and for measuring: both must find the same fonts.

use parley::fontique::{Blob, Collection, FontInfoOverride, FontWeight, GenericFamily};

use super::Fonts;

/// Makes every family known by its name; the first one, then the others, stand in for what a family lacks and for the generic families.
pub(crate) fn collect(fonts: &Fonts, collection: &mut Collection, generics: &[GenericFamily]) {
    let mut families = Vec::new();
    for family in fonts.families() {
        for (file, weight) in [(&family.regular, FontWeight::NORMAL), (&family.bold, FontWeight::BOLD)] {
            let named = FontInfoOverride {
                family_name: Some(&family.name),
                weight: Some(weight),
                ..FontInfoOverride::default()
            };
            let registered = collection.register_fonts(Blob::new(file.clone()), Some(named));
            families.extend(registered.into_iter().map(|(id, _)| id));
        }
    }
    families.dedup();
    for generic in generics {
        collection.set_generic_families(*generic, families.iter().copied());
    }
}
