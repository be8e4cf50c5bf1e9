//! What is wrong with a file: a bounded list, and a count of the rest.

use std::fmt;

/// Lines that are named; of the others the number is said. More than these nobody reads before mending the first.
pub(super) const NAMED_MAX: usize = 50;

/// Longest text of a cell that a message repeats, in characters.
const QUOTED_CHARS_MAX: usize = 40;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The line in the file, from 1; `None`: the file as a whole.
    pub line: Option<u64>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}; {}", self.what, self.fix),
            None => write!(f, "{}; {}", self.what, self.fix),
        }
    }
}

/// Everything that is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// The first of them, in order of their lines.
    pub named: Vec<Finding>,
    /// How many there are.
    pub count: u64,
}

impl Findings {
    /// One finding about the file as a whole.
    pub(super) fn whole(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::one(Finding { line: None, what: what.into(), fix: fix.into() })
    }

    pub(super) fn one(finding: Finding) -> Self {
        Self { named: vec![finding], count: 1 }
    }

    /// Takes one more; keeps the ones with the lowest lines.
    pub(super) fn add(&mut self, finding: Finding) {
        self.count += 1;
        // They come in order of their lines but for the few that are known only at the end of the file.
        let at = self.named.partition_point(|other| other.line <= finding.line);
        self.named.insert(at, finding);
        self.named.truncate(NAMED_MAX);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.named.as_slice() {
            [only] if self.count == 1 => return only.fmt(f),
            named => {
                write!(f, "{} findings", self.count)?;
                if self.count > named.len() as u64 {
                    write!(f, ", the first {}", named.len())?;
                }
                write!(f, ":")?;
            }
        }
        self.named.iter().try_for_each(|finding| write!(f, "\n  {finding}"))
    }
}

impl std::error::Error for Findings {}

/// A cell's text as a message repeats it: short, in one line, without signs that a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String =
        text.chars().take(QUOTED_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(QUOTED_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}
