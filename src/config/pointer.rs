//! From a key to its place in a file that was read: for findings about what values lead to, long after they were read.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    finding::{Finding, Severity, Source},
    key::KeyPath,
    load::Loaded,
    located::Span,
};

/// A key in one of the files of a configuration. Ordered by file, then by steps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyAt {
    /// Its place in [`Loaded::files`].
    file: usize,
    /// From the root: a key of a table, the `id` of an item in a list, or its number, from 0.
    steps: Vec<String>,
}

impl KeyAt {
    /// A key of kiosk.toml.
    pub fn kiosk(steps: &[&str]) -> Self {
        Self::of(0, steps)
    }

    /// A key of the touchpoints.toml that belongs to it.
    pub fn hospital(steps: &[&str]) -> Self {
        Self::of(1, steps)
    }

    /// A key below this one.
    #[must_use]
    pub fn then(&self, step: &(impl ToString + ?Sized)) -> Self {
        let mut below = self.clone();
        below.steps.push(step.to_string());
        below
    }

    /// The innermost key, id or number.
    pub fn last(&self) -> &str {
        self.steps.last().map_or("", String::as_str)
    }

    fn of(file: usize, steps: &[&str]) -> Self {
        Self { file, steps: steps.iter().map(|step| (*step).to_owned()).collect() }
    }
}

impl<T> Loaded<T> {
    /// An error at a key; at the nearest one above where the file does not have it.
    pub fn error_at(&self, key: &KeyAt, what: String, fix: String) -> Finding {
        let (path, bytes) = self.files.get(key.file).or(self.files.first()).cloned().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let (tree, _) = DeTable::parse_recoverable(&text);
        let span = nearest(tree.get_ref(), &key.steps);
        let name = KeyPath::of(tree.get_ref(), &span).to_string();
        let source = Source { file: &path.display().to_string(), text: &text };
        source.finding(&span, Severity::Error, name, what, fix)
    }
}

/// Where the last step that the tree has stands.
fn nearest(table: &DeTable<'_>, steps: &[String]) -> Span {
    let Some((first, rest)) = steps.split_first() else { return 0..0 };
    let Some(mut here) = table.get(first.as_str()) else { return 0..0 };
    for step in rest {
        match below(here, step) {
            Some(value) => here = value,
            None => break,
        }
    }
    here.span()
}

fn below<'t, 'i>(value: &'t Spanned<DeValue<'i>>, step: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    if let Some(table) = value.get_ref().as_table() {
        return table.get(step);
    }
    let items = value.get_ref().as_array()?;
    let id = |item: &DeValue<'_>| item.as_table()?.get("id")?.get_ref().as_str().map(str::to_owned);
    let named = items.iter().find(|item| id(item.get_ref()).as_deref() == Some(step));
    named.or_else(|| items.get(step.parse::<usize>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    fn pointed(key: &KeyAt) -> (usize, String, String) {
        let finding = example().error_at(key, "wrong".into(), "right".into());
        (finding.line, finding.key, finding.excerpt)
    }

    #[test]
    fn a_key_is_found_by_names_ids_and_numbers() {
        let (_, key, line) = pointed(&KeyAt::kiosk(&["panel", "width_px"]));
        assert_eq!((key.as_str(), line.as_str()), ("panel.width_px", "width_px = 1280"));
        let name = KeyAt::hospital(&["touchpoint", "pharmacy", "name"]).then("en");
        let (_, key, line) = pointed(&name);
        assert!(key == "touchpoint[pharmacy].name.en" && line.starts_with("name = {"), "{key}: {line}");
        let (_, key, _) = pointed(&KeyAt::kiosk(&["languages", "1"]));
        assert_eq!(key, "languages[1]");
    }

    #[test]
    fn what_is_not_there_is_pointed_at_as_near_as_it_goes() {
        let (line, key, _) = pointed(&KeyAt::kiosk(&["look", "large_text"]));
        assert!(line > 1 && key == "look", "{line}: {key}");
        assert_eq!(pointed(&KeyAt::kiosk(&["nothing"])).0, 1);
    }
}
