//! One file under check: parsed, held against its schema, then handed to the check for meaning together with a place for findings.

use std::{fmt::Display, str::FromStr};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::{Spanned, de::DeTable};

use super::{
    finding::{Finding, Findings, Severity, Source},
    key_path::KeyPath,
    located::{Located, Span},
    schema, structure, suggest, syntax,
};
use crate::model::Lang;

/// What a check made of a file: the value if there was no error, and all findings.
#[derive(Debug)]
pub(crate) struct Checked<T> {
    /// The validated value; none if any finding is an error.
    pub value: Option<T>,
    /// Errors and warnings in the order of the file.
    pub findings: Findings,
}

/// Where the check for meaning writes down what it finds.
pub struct Report<'a> {
    source: Source<'a>,
    tree: DeTable<'a>,
    findings: Vec<Finding>,
    parts_are_optional: bool,
}

/// Most findings of a file: nobody reads more, and a file of nothing but mistakes must not take minutes.
const FINDINGS_MAX: usize = 200;

impl Report<'_> {
    /// Whether a missing part is a warning.
    pub(crate) fn parts_are_optional(&mut self, optional: bool) {
        self.parts_are_optional = optional;
    }

    /// A part is missing that could be done without.
    pub fn part(&mut self, span: &Span, what: impl Into<String>, fix: impl Into<String>) {
        let severity = if self.parts_are_optional { Severity::Warning } else { Severity::Error };
        self.push(span, severity, what.into(), fix.into());
    }

    pub fn error(&mut self, span: &Span, what: impl Into<String>, fix: impl Into<String>) {
        self.push(span, Severity::Error, what.into(), fix.into());
    }

    pub fn warning(&mut self, span: &Span, what: impl Into<String>, fix: impl Into<String>) {
        self.push(span, Severity::Warning, what.into(), fix.into());
    }

    /// Whether the file is not used anyhow.
    pub fn any_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    fn push(&mut self, span: &Span, severity: Severity, what: String, fix: String) {
        let counts = severity == Severity::Error && !self.any_error();
        if self.findings.len() >= FINDINGS_MAX && !counts {
            return;
        }
        let key = KeyPath::of(&self.tree, span).to_string();
        self.findings.push(self.source.finding(span, severity, key, what, fix));
    }

    /// An identifier or tag; `None` and a finding if it is none.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, text: &Located<String>) -> Option<T> {
        match text.value.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let (what, fix) = split_advice(&error.to_string());
                self.error(&text.span, what, fix);
                None
            }
        }
    }

    /// The ids that stand in a list of tables, also in those that do not fit the schema: a reference to one of them is no
    /// second mistake.
    pub(crate) fn declared(&self, list: &str) -> Vec<String> {
        let items = self.tree.get(list).and_then(|value| value.get_ref().as_array());
        let id = |item: &Spanned<toml::de::DeValue<'_>>| {
            item.get_ref().as_table().and_then(|t| t.get("id")?.get_ref().as_str().map(str::to_owned))
        };
        items.into_iter().flatten().filter_map(id).collect()
    }

    /// The bytes of a value's text inside its quotes, when the text has no escapes; the whole value otherwise.
    pub fn inside(&self, text: &Located<String>, at: &Span) -> Span {
        let start = text.span.start + 1 + at.start;
        let inner = text.span.start + 1..text.span.end.saturating_sub(1);
        let plain = self.source.text.get(inner) == Some(text.value.as_str());
        if plain { start..start + at.len() } else { text.span.clone() }
    }
}

/// Errors of the identifiers read "what: how to write it".
fn split_advice(text: &str) -> (String, String) {
    match text.split_once(": ") {
        Some((what, fix)) => (what.to_owned(), fix.to_owned()),
        None => (text.to_owned(), "correct it".to_owned()),
    }
}

/// Reads and checks one file. `build` checks for meaning; what it returns counts only if there is no error.
pub fn check<F, T>(
    file: &str,
    bytes: &[u8],
    build: impl FnOnce(F, &mut Report<'_>) -> Option<T>,
) -> Checked<T>
where
    F: DeserializeOwned + JsonSchema,
{
    let text = match syntax::text_of(file, bytes) {
        Ok(text) => text,
        Err(finding) => return Checked { value: None, findings: Findings(vec![*finding]) },
    };
    let shape = schema::of::<F>();
    let keys = schema::keys(&shape);
    // A language is known where the file names it: two or three letters may be any word.
    let is_known = |key: &str| {
        keys.contains(key)
            || (key.parse::<Lang>().is_ok() && text.contains(&format!("\"{key}\"")))
            || suggest::nearest(key, keys.iter().copied()).is_some()
    };
    let source = Source::knowing(file, text, &is_known);
    let (tree, mut findings) = syntax::parse(&source);
    if !findings.is_empty() {
        return Checked { value: None, findings: Findings(findings) };
    }
    let whole = tree.get_ref().clone();
    let kept = structure::keep_what_fits(&source, &shape, tree, &mut findings);
    let mut report = Report { source, tree: whole, findings, parts_are_optional: false };
    let value = kept.and_then(|kept| match F::deserialize(toml::de::Deserializer::from(kept)) {
        Ok(file) => build(file, &mut report),
        Err(error) => {
            // The schema let through what the struct refuses; say it, rather than nothing.
            let span = error.span().unwrap_or(0..0);
            report.error(&span, error.message().to_owned(), "write the value as the example file does");
            None
        }
    });
    let mut findings = Findings(report.findings);
    findings.0.sort_by_key(|finding| (finding.line, finding.column));
    findings.0.dedup();
    Checked { value: value.filter(|_| !findings.any_error()), findings }
}
