//! Lines as far as they can be read, and what they touch: before anything is known of what is held.

use std::collections::BTreeSet;

use super::{
    batch::{Content, Line},
    project::shortened,
};
use crate::{
    model::{BootId, EntryId, ResponseId},
    wire::{Body, Entry, EntryError},
};

/// Lines with what could be read of them.
#[derive(Debug)]
pub struct Reading<'a>(pub(super) Vec<(&'a Line, Option<Result<Entry, EntryError>>)>);

impl<'a> Reading<'a> {
    /// Reads lines.
    pub fn new(lines: &'a [Line]) -> Self {
        let read = |line: &'a Line| match &line.content {
            Content::Line(bytes) => (line, Some(Entry::from_line(bytes))),
            Content::Withheld { .. } => (line, None),
        };
        Self(lines.iter().map(read).collect())
    }

    /// The lines after this many of them.
    pub(super) fn after(mut self, known: usize) -> Self {
        self.0.drain(..known.min(self.0.len()));
        self
    }

    /// The entry ids in them.
    pub(crate) fn entry_ids(&self) -> impl Iterator<Item = EntryId> {
        self.entries().map(|entry| entry.id)
    }

    /// The boots in them.
    pub(crate) fn boots(&self) -> BTreeSet<BootId> {
        self.entries().map(|entry| entry.at.boot).collect()
    }

    /// The visitors' passes in them.
    pub fn responses(&self) -> BTreeSet<ResponseId> {
        self.entries().filter_map(|entry| response_of(&entry.body)).collect()
    }

    /// The passes that those in them replace.
    pub fn replaced(&self) -> BTreeSet<ResponseId> {
        self.entries().filter_map(|entry| replaced_by(&entry.body)).collect()
    }

    /// The buttons that were tested in them.
    pub(crate) fn tested(&self) -> BTreeSet<String> {
        let target = |entry: &Entry| match &entry.body {
            Body::SelfTest(test) => Some(shortened(&test.target)),
            Body::Answer(_)
            | Body::Reasons(_)
            | Body::ResponseEnd(_)
            | Body::Boot(_)
            | Body::HelpCalled(_)
            | Body::Cleaning(_)
            | Body::Config(_) => None,
        };
        self.entries().filter_map(target).collect()
    }

    /// Whether a call for help is among them.
    pub(crate) fn calls_help(&self) -> bool {
        self.entries().any(|entry| matches!(entry.body, Body::HelpCalled(_)))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter_map(|(_, entry)| entry.as_ref()?.as_ref().ok())
    }
}

pub(super) fn response_of(body: &Body) -> Option<ResponseId> {
    match body {
        Body::Answer(answer) => Some(answer.response),
        Body::Reasons(reasons) => Some(reasons.response),
        Body::ResponseEnd(end) => Some(end.response),
        Body::Boot(_) | Body::HelpCalled(_) | Body::Cleaning(_) | Body::SelfTest(_) | Body::Config(_) => None,
    }
}

pub(super) fn replaced_by(body: &Body) -> Option<ResponseId> {
    match body {
        Body::ResponseEnd(end) => end.replaces,
        Body::Answer(_)
        | Body::Reasons(_)
        | Body::Boot(_)
        | Body::HelpCalled(_)
        | Body::Cleaning(_)
        | Body::SelfTest(_)
        | Body::Config(_) => None,
    }
}
