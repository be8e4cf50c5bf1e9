//! From a key to its place in a file that was read: for findings about what values lead to, long after they were read.

use std::path::PathBuf;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    finding::{Finding, Severity, Source},
    key_path::KeyPath,
    located::Span,
};

/// A key in one of the files of a configuration. Ordered by file, then by steps.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyAt {
    /// Its place among the files that were read.
    file: usize,
    /// From the root: a key of a table, the `id` of an item in a list, or its number, from 0.
    steps: Vec<String>,
}

impl KeyAt {
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

    /// A key of one of the files that were read.
    pub(in crate::config) fn in_file(file: usize, steps: &[&str]) -> Self {
        Self { file, steps: steps.iter().map(|step| (*step).to_owned()).collect() }
    }
}

/// An error at a key; at the nearest one above where the file does not have it.
pub fn error_at(files: &[(PathBuf, Vec<u8>)], key: &KeyAt, what: String, fix: String) -> Finding {
    let (path, bytes) = files.get(key.file).or(files.first()).cloned().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let (tree, _) = DeTable::parse_recoverable(&text);
    let span = nearest(tree.get_ref(), &key.steps);
    let name = KeyPath::of(tree.get_ref(), &span).to_string();
    Source::new(&path.display().to_string(), &text).finding(&span, Severity::Error, name, what, fix)
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
