//! What a terminal's report about itself changes: its sign of life, the report that is kept, the start of its boot, an incident.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    contact::{BootTime, Contact, contact},
    incidents::{IncidentKind, NewIncident},
    ingest::{AnswerRow, Booked, BootStart, Ledger, ReasonsRow},
};
use crate::{
    model::{BootId, Moment, SiteId, TerminalId},
    wire::Health,
};

/// A report that has just come.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The site.
    pub site: SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// Who sent it.
    pub terminal: TerminalId,
    /// What it says.
    pub health: Health,
    /// Now.
    pub received_at: DateTime<Utc>,
}

/// What a store holds of the terminal and of the boot that the report was sent in.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct HealthSnapshot {
    /// The terminal's own clock at its last sign of life.
    pub(crate) last_contact: Option<BootTime>,
    /// When the report was sent that is held.
    pub(crate) held: Option<Moment>,
    /// When the boot of the new report began.
    pub(crate) boot: Option<BootStart>,
    /// If that is not known: the terminal's answers of that boot, which have no hour, with the reasons for them.
    pub(crate) undated: Vec<(AnswerRow, Option<ReasonsRow>)>,
}

/// What a report changes.
#[derive(Debug, Default)]
pub(crate) struct HealthDecision {
    /// The sign of life.
    pub(crate) contact: Option<Contact>,
    /// Whether the report is kept in place of the one held.
    pub(crate) keeps: bool,
    /// An incident.
    pub(crate) incident: Option<NewIncident>,
    /// The start of its boot, if it was learnt.
    pub(crate) boot: Option<(BootId, BootStart)>,
    /// The answers that got their hour by it.
    pub(crate) booked: Booked,
}

/// Decides about a report.
pub(crate) fn decide(report: &Report, held: HealthSnapshot) -> HealthDecision {
    let (sent, at) = (&report.health.sent, report.received_at);
    let contact = contact(held.last_contact, held.boot.is_some(), sent, at);
    if !is_newer(sent, held.held.as_ref()) {
        return HealthDecision { contact, ..HealthDecision::default() };
    }
    let incident = report.health.lost_after.map(|lost_after| NewIncident {
        kind: IncidentKind::LostEntries,
        subject: report.health.chain,
        terminal: report.terminal.clone(),
        at,
        detail: format!("storage was found damaged; entries after {lost_after} may be lost"),
    });
    let learnt = BootStart::from_contact(sent, at.timestamp_millis()).filter(|_| held.boot.is_none());
    let boot = learnt.map(|start| (sent.boot, start));
    let mut ledger = Ledger::new(report.zone, Vec::new(), Vec::new(), Vec::new());
    ledger.date(held.undated, boot.as_slice());
    HealthDecision { contact, keeps: true, incident, boot, booked: ledger.close() }
}

/// Whether a report is newer than the one held: within a boot, up time decides, so that a request played back later changes nothing.
fn is_newer(sent: &Moment, held: Option<&Moment>) -> bool {
    held.is_none_or(|held| held.boot != sent.boot || held.up_ms < sent.up_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        central::domain::ingest::LearntFrom,
        model::{ChainId, EntryId, TimeQuality},
        wire::ScreenFacts,
    };

    fn received() -> DateTime<Utc> {
        "2026-11-21T10:00:00Z".parse().unwrap()
    }

    fn sent(boot: u64, up_ms: u64) -> Moment {
        let boot = BootId::from_parts(boot, [0; 10]);
        Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms, quality: TimeQuality::Unset }
    }

    fn report(sent: Moment, lost_after: Option<EntryId>) -> Report {
        let health = Health {
            chain: ChainId([7; 16]),
            last_seq: 1,
            queue_depth: 0,
            oldest_unsent_s: None,
            unsaved: 0,
            refused: 0,
            last_error: None,
            temperature_c: None,
            disk_free_bytes: None,
            clock: TimeQuality::Unset,
            software: "1".to_owned(),
            config_hash: String::new(),
            screen: ScreenFacts::default(),
            restarts: 0,
            lost_after,
            sent,
        };
        let (site, terminal) = ("main".parse().unwrap(), "t-1".parse().unwrap());
        Report { site, zone: chrono_tz::UTC, terminal, health, received_at: received() }
    }

    fn lost() -> EntryId {
        EntryId::from_parts(1, [1; 10])
    }

    #[test]
    fn the_first_report_of_a_boot_is_kept_and_teaches_its_start() {
        let decision = decide(&report(sent(1, 3_600_000), None), HealthSnapshot::default());
        assert!(decision.keeps && decision.contact.is_some() && decision.incident.is_none());
        let began_ms = received().timestamp_millis() - 3_600_000;
        let start = BootStart { began_ms, from: LearntFrom::Contact };
        assert_eq!(decision.boot, Some((sent(1, 0).boot, start)));
    }

    #[test]
    fn the_first_knowledge_of_a_boot_stays() {
        let boot = Some(BootStart { began_ms: 5, from: LearntFrom::Entry });
        let decision =
            decide(&report(sent(1, 10), None), HealthSnapshot { boot, ..HealthSnapshot::default() });
        assert!(decision.keeps && decision.boot.is_none());
    }

    #[test]
    fn a_start_that_is_not_possible_is_not_learnt() {
        let decision = decide(&report(sent(1, u64::MAX), None), HealthSnapshot::default());
        assert!(decision.keeps && decision.boot.is_none());
    }

    #[test]
    fn an_older_report_of_the_same_boot_changes_nothing_whatever_it_says() {
        for up_ms in [9, 10] {
            let held = HealthSnapshot {
                last_contact: Some(BootTime { boot: sent(1, 0).boot, up_ms: 10 }),
                held: Some(sent(1, 10)),
                boot: Some(BootStart { began_ms: 5, from: LearntFrom::Contact }),
                undated: Vec::new(),
            };
            let decision = decide(&report(sent(1, up_ms), Some(lost())), held);
            assert!(!decision.keeps && decision.contact.is_none());
            assert!(decision.incident.is_none() && decision.boot.is_none());
        }
    }

    #[test]
    fn a_report_of_another_boot_is_newer_whatever_its_up_time() {
        let held = HealthSnapshot { held: Some(sent(1, 900)), ..HealthSnapshot::default() };
        assert!(decide(&report(sent(2, 1), None), held).keeps);
    }

    #[test]
    fn damaged_storage_is_an_incident_of_the_journal() {
        let decision = decide(&report(sent(1, 5), Some(lost())), HealthSnapshot::default());
        let incident = decision.incident.unwrap();
        assert_eq!((incident.kind, incident.subject), (IncidentKind::LostEntries, ChainId([7; 16])));
        assert!(incident.detail.contains("may be lost"), "{}", incident.detail);
    }
}
