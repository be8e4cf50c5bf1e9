//! Where in a file's tree something stands, as people read it.

use std::fmt;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::located::Span;

/// One step down a tree.
#[derive(Clone, Debug)]
pub enum Step {
    /// Into a key of a table.
    Key(String),
    /// Into an item of a list; with the `id` it has, if it has one.
    Item(usize, Option<String>),
}

/// Steps from the root; displayed like `touchpoint[pharmacy].name.en`.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyPath(Vec<Step>);

impl KeyPath {
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Gives the item the path ends at its id.
    pub(crate) fn name_last(&mut self, name: Option<String>) {
        if let Some(Step::Item(_, id)) = self.0.last_mut() {
            *id = name;
        }
    }

    /// The innermost key.
    pub(crate) fn last_key(&self) -> &str {
        let key = |step: &'_ Step| matches!(step, Step::Key(_));
        match self.0.iter().rfind(|step| key(step)) {
            Some(Step::Key(key)) => key,
            Some(Step::Item(..)) | None => "",
        }
    }

    /// What the innermost key belongs to: " in question `overall` of questionnaire `ward@1`", or nothing at the top of the file.
    pub fn inside(&self) -> String {
        let end = self.0.iter().rposition(|step| matches!(step, Step::Key(_))).unwrap_or(0);
        let mut names: Vec<String> = Vec::new();
        for (i, step) in self.0[..end].iter().enumerate() {
            match (step, self.0.get(i + 1)) {
                (Step::Key(key), Some(Step::Item(_, Some(id)))) => names.push(format!("{key} `{id}`")),
                (Step::Key(key), Some(Step::Item(index, None))) => {
                    names.push(format!("{key} number {}", index + 1));
                }
                (Step::Key(key), _) => names.push(format!("[{key}]")),
                (Step::Item(..), _) => {}
            }
        }
        names.reverse();
        if names.is_empty() { String::new() } else { format!(" in {}", names.join(" of ")) }
    }

    /// The path of the key or value that stands at these bytes.
    pub fn of(tree: &DeTable<'_>, span: &Span) -> Self {
        let mut path = Self::default();
        path.find_in_table(tree, span);
        path
    }

    fn find_in_table(&mut self, table: &DeTable<'_>, span: &Span) -> bool {
        for (key, value) in table {
            self.push(Step::Key(key.get_ref().to_string()));
            if key.span() == *span || self.find_in_value(value, span) {
                return true;
            }
            self.pop();
        }
        false
    }

    fn find_in_value(&mut self, value: &Spanned<DeValue<'_>>, span: &Span) -> bool {
        // A place inside a text (one word of the opening hours) is a place of that text.
        let here = value.span();
        let inside_text = value.get_ref().is_str() && here.start <= span.start && span.end <= here.end;
        if let Some(table) = value.get_ref().as_table() {
            self.name_last(table.get("id").and_then(|id| id.get_ref().as_str()).map(str::to_owned));
            return here == *span || self.find_in_table(table, span);
        }
        let Some(array) = value.get_ref().as_array() else { return here == *span || inside_text };
        for (index, item) in array.iter().enumerate() {
            self.push(Step::Item(index, None));
            if self.find_in_value(item, span) {
                return true;
            }
            self.pop();
        }
        here == *span
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(_, Some(id)) => write!(f, "[{id}]")?,
                Step::Item(index, None) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
