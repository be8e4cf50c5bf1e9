//! What can be read of a file with syntax errors: its sections, each with its wrong lines mended or left out.
//!
//! A terminal that starts with a wrong kiosk.toml must still find its journal and its key, whatever line is wrong. The parser's own recovery
//! is not enough for that: one wrong line can hide every table after it. A section begins at a line that looks like `[table]`.
//!
//! Invariant: a file without a syntax error stays as it is, and so does every section without one.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::syntax::{FULL_WIDTH, is_odd_blank};

/// Most times a section is parsed; each time every wrong line is changed.
const ROUNDS_MAX: usize = 16;

/// Most sections looked at: the whole is parsed again with each.
const SECTIONS_MAX: usize = 200;

/// The text of a file, mended so far that it can be parsed. UTF-16 with its mark is decoded; other signs that are no UTF-8 are replaced.
pub fn readable(bytes: &[u8]) -> String {
    let (text, _, _) = encoding_rs::UTF_8.decode(bytes);
    if wrong_lines(&text).is_empty() {
        return text.into_owned();
    }
    let mut good = String::new();
    for section in sections(&text).iter().take(SECTIONS_MAX) {
        let with = format!("{good}{}", mended(section));
        // What a section says again, or says of another one, may be wrong only together with that one.
        if wrong_lines(&with).is_empty() {
            good = with;
        }
    }
    good
}

/// The lines of each section, its header first; before the first header there may be none.
fn sections(text: &str) -> Vec<Vec<Line<'_>>> {
    let mut sections = vec![Vec::new()];
    for line in text.lines() {
        if is_header(line) {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(Line::new(line));
        }
    }
    sections
}

fn is_header(line: &str) -> bool {
    let line = plain(line, false);
    let code = line.split('#').next().unwrap_or_default().trim();
    code.starts_with('[') && code.ends_with(']')
}

fn mended(section: &[Line<'_>]) -> String {
    let mut lines = section.to_vec();
    for _ in 0..ROUNDS_MAX {
        let wrong = wrong_lines(&joined(&lines));
        let mut is_changed = false;
        for (_, line) in lines.iter_mut().enumerate().filter(|(at, _)| wrong.contains(at)) {
            is_changed |= line.change();
        }
        if !is_changed {
            break;
        }
    }
    joined(&lines)
}

fn joined(lines: &[Line<'_>]) -> String {
    lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
}

/// The numbers, from 0, of the lines in which the parser finds an error.
fn wrong_lines(text: &str) -> BTreeSet<usize> {
    let (_, errors) = DeTable::parse_recoverable(text);
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    errors.iter().map(|error| error.span().map_or(0, |span| line_of(span.start))).collect()
}

#[derive(Clone)]
struct Line<'a> {
    original: &'a str,
    text: String,
    next: Change,
}

/// What is tried next with a line that is wrong.
#[derive(Clone, Copy)]
enum Change {
    /// Signs of an input method outside quotes become those that TOML knows.
    Signs,
    /// Those within quotes too: a closing quote may be one of them.
    AllSigns,
    /// The line is left out.
    LeaveOut,
    /// It is left out.
    Done,
}

impl<'a> Line<'a> {
    fn new(original: &'a str) -> Self {
        Self { original, text: original.to_owned(), next: Change::Signs }
    }

    /// Tells whether there was anything left to change.
    fn change(&mut self) -> bool {
        (self.text, self.next) = match self.next {
            Change::Signs => (plain(self.original, false), Change::AllSigns),
            Change::AllSigns => (plain(self.original, true), Change::LeaveOut),
            Change::LeaveOut => (String::new(), Change::Done),
            Change::Done => return false,
        };
        true
    }
}

fn plain(line: &str, within_quotes: bool) -> String {
    let mut quoted = false;
    let mut text = String::new();
    for c in line.chars() {
        quoted ^= c == '"';
        match FULL_WIDTH.iter().find(|(wide, _)| *wide == c) {
            Some((_, plain)) if within_quotes || !quoted => text.push_str(plain),
            None if !quoted && is_odd_blank(c) => text.push(' '),
            _ => text.push(c),
        }
    }
    text
}
