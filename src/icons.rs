//! The drawings a touchpoint can have: each name is a file `assets/icons/<name>.svg`.

/// Every name, in alphabetical order. `generic`, a map pin, stands for a touchpoint without one.
pub const NAMES: [&str; 22] = [
    "admission",
    "canteen",
    "consulting",
    "discharge",
    "emergency",
    "examination",
    "exit",
    "generic",
    "imaging",
    "information",
    "injection",
    "laboratory",
    "nursing",
    "parking",
    "payment",
    "pharmacy",
    "registration",
    "rehabilitation",
    "surgery",
    "toilet",
    "waiting",
    "ward",
];

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn every_name_is_a_file_and_a_row_in_the_pages_table() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let table = include_str!("../ui/marks.slint");
        for name in NAMES {
            assert!(root.join(format!("assets/icons/{name}.svg")).is_file(), "{name}");
            assert!(table.contains(&format!("assets/icons/{name}.svg")), "{name} is not in ui/marks.slint");
        }
    }
}
