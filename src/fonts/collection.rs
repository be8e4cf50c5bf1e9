//! Our families in a collection of the font library, for the screen and for measuring: both must find the same fonts.

use std::collections::BTreeSet;

use parley::fontique::{Blob, Collection, FontInfoOverride, FontWeight, GenericFamily};

use super::Fonts;

/// Makes the families that are not `known` yet known by their names; the first one, then the others, stand in for what a family lacks and
/// for the generic families.
pub(crate) fn collect(
    fonts: &Fonts,
    known: &mut BTreeSet<String>,
    collection: &mut Collection,
    generics: &[GenericFamily],
) {
    let (first, mut families) = (known.is_empty(), Vec::new());
    for family in fonts.families() {
        if !known.insert(family.name.clone()) {
            continue;
        }
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
        if first {
            collection.set_generic_families(*generic, families.iter().copied());
        } else {
            collection.append_generic_families(*generic, families.iter().copied());
        }
    }
}
