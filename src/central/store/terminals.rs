//! Enrolment codes, terminals and their health.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{Enrolled, NewCode, NewTerminal, Report, StoreError};
use crate::{
    model::{SiteId, TerminalId, TouchpointId},
    wire::Health,
};

/// An enrolled terminal.
#[derive(Clone, PartialEq, Debug)]
pub struct Terminal {
    /// Where it belongs.
    pub site: SiteId,
    /// Its name.
    pub id: TerminalId,
    /// Base64.
    pub public_key: String,
    /// What tells the machine from a copy of its card.
    pub hardware_id: String,
    /// The touchpoint it stands at.
    pub touchpoint: TouchpointId,
    /// Program version at enrolment.
    pub software: String,
    /// When it was taken in.
    pub enrolled_at: DateTime<Utc>,
    /// When its key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Its last signed request.
    pub last_seen: Option<DateTime<Utc>>,
    /// What it last said about itself.
    pub health: Option<Health>,
}

/// The terminals of a site in numbers; those whose key was revoked are in none of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fleet {
    /// Enrolled terminals.
    pub terminals: u64,
    /// Of these, those not heard of since the moment asked for.
    pub silent: u64,
    /// Entries waiting on them, as last reported.
    pub queue_depth: u64,
}

/// Keeps terminals.
#[async_trait]
pub trait TerminalStore: Send + Sync {
    /// Every site that terminals were enrolled for.
    async fn sites(&self) -> Result<Vec<SiteId>, StoreError>;

    /// Keeps an enrolment code.
    async fn add_code(&self, site: &SiteId, code: NewCode) -> Result<(), StoreError>;

    /// Takes a terminal in, once per code; the same key with the same code again gets the same answer.
    async fn enrol(&self, site: &SiteId, terminal: NewTerminal) -> Result<Enrolled, StoreError>;

    /// The terminal with this name.
    async fn terminal(&self, site: &SiteId, id: &TerminalId) -> Result<Option<Terminal>, StoreError>;

    /// All terminals of a site, by name.
    async fn terminals(&self, site: &SiteId) -> Result<Vec<Terminal>, StoreError>;

    /// The terminals of a site in numbers; those last heard of before `silent_before` are silent.
    async fn fleet(&self, site: &SiteId, silent_before: DateTime<Utc>) -> Result<Fleet, StoreError>;

    /// Revokes a terminal's key; false if there is no such terminal. What it sent stays.
    async fn revoke(&self, site: &SiteId, id: &TerminalId, at: DateTime<Utc>) -> Result<bool, StoreError>;

    /// Keeps a terminal's health, unless a later one of the same boot is held, and learns the start of its boot.
    async fn record_health(&self, report: Report) -> Result<(), StoreError>;
}
