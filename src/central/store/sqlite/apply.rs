//! Writes what was decided, each row by one statement.

use rusqlite::params;

use super::{
    Read, SiteDb,
    codec::{blob, damaged, millis, signed, to_json},
    help,
};
use crate::{
    central::{
        domain::{
            contact::Contact,
            ingest::{
                AnswerRow, Append, Booked, BootStart, Content, Context, Counter, EntryRow, ReasonCounter,
                ReasonsRow, ResponseRow, Writes,
            },
        },
        store::{Submission, names},
    },
    model::{BootId, ReasonId, TerminalId, TouchpointId},
};

pub(super) fn contact(db: SiteDb<'_>, terminal: &TerminalId, contact: &Contact) -> Read<()> {
    db.run(
        "update terminals set last_seen = ?3, last_boot = ?4, last_up = ?5 where site = ?1 and terminal = ?2",
        params![
            db.site(),
            terminal.as_str(),
            millis(contact.at),
            contact.sent.boot.0.as_bytes(),
            signed(contact.sent.up_ms)
        ],
    )?;
    Ok(())
}

pub(super) fn entries(db: SiteDb<'_>, submission: &Submission, rows: &[EntryRow]) -> Read<()> {
    let chain = submission.batch.header.chain;
    for row in rows {
        let (line, leaf) = match &row.line.content {
            Content::Line(bytes) => (Some(bytes), None),
            Content::Withheld { leaf, .. } => (None, Some(leaf.0)),
        };
        let stored = db.run(
            "insert into entries (site, chain, seq, hash, line, leaf, received_at, at, time_basis, state, reason) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) on conflict do nothing",
            params![
                db.site(),
                chain.0,
                signed(row.line.seq),
                row.line.hash.0,
                line,
                leaf,
                millis(submission.received_at),
                row.timed.map(|timed| timed.at_ms),
                row.timed.map(|timed| timed.basis.name()),
                row.state.name(),
                row.state.reason(),
            ],
        )?;
        if stored != 1 {
            // The cursor says the place is free: going on would count an entry that is not stored.
            return Err(damaged("cursor", &format!("{chain} does not cover {}", row.line.seq)));
        }
    }
    Ok(())
}

/// Everything but the entries themselves.
pub(super) fn writes(db: SiteDb<'_>, context: Context<'_>, writes: &Writes) -> Read<()> {
    for (id, seq) in &writes.new_ids {
        db.run(
            "insert into entry_ids (site, entry, chain, seq) values (?1, ?2, ?3, ?4) on conflict do nothing",
            params![db.site(), blob(id), context.chain.0, signed(*seq)],
        )?;
    }
    for (id, start) in &writes.boots {
        boot(db, context.terminal, *id, *start)?;
    }
    writes.help.iter().try_for_each(|row| help::insert(db, row))?;
    writes.tested.iter().try_for_each(|row| help::note_tested(db, context.terminal, row))?;
    standing(db, context.terminal, &writes.assigned, writes.told.as_ref())?;
    booked(db, &writes.booked)
}

fn standing(
    db: SiteDb<'_>,
    terminal: &TerminalId,
    assigned: &[(i64, TouchpointId)],
    told: Option<&(i64, Vec<TouchpointId>)>,
) -> Read<()> {
    for (from_ms, touchpoint) in assigned {
        db.run(
            "insert into assignments (site, terminal, from_at, touchpoint) values (?1, ?2, ?3, ?4) \
             on conflict do nothing",
            params![db.site(), terminal.as_str(), from_ms, touchpoint.as_str()],
        )?;
    }
    if let Some((at_ms, touchpoints)) = told {
        db.run(
            "update terminals set told = ?3, told_at = ?4 where site = ?1 and terminal = ?2",
            params![db.site(), terminal.as_str(), to_json(touchpoints)?, at_ms],
        )?;
    }
    Ok(())
}

pub(super) fn booked(db: SiteDb<'_>, booked: &Booked) -> Read<()> {
    booked.responses.iter().try_for_each(|row| write_response(db, row))?;
    booked.answers.iter().try_for_each(|row| write_answer(db, row))?;
    booked.reasons.iter().try_for_each(|row| write_reasons(db, row))?;
    booked.counts.iter().try_for_each(|(counter, n)| add_count(db, counter, *n))?;
    booked.reason_counts.iter().try_for_each(|(counter, n)| add_reason_count(db, counter, *n))
}

fn write_response(db: SiteDb<'_>, row: &ResponseRow) -> Read<()> {
    db.run(
        "insert into responses (site, response, terminal, touchpoint, outcome, replaces, first_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (site, response) do update set \
         touchpoint = excluded.touchpoint, outcome = excluded.outcome, replaces = excluded.replaces",
        params![
            db.site(),
            row.response.0.as_bytes(),
            row.terminal.as_str(),
            row.touchpoint.as_ref().map(TouchpointId::as_str),
            row.outcome.map(names::outcome_name),
            row.replaces.as_ref().map(|id| id.0.as_bytes()),
            row.first_ms
        ],
    )?;
    Ok(())
}

fn write_answer(db: SiteDb<'_>, row: &AnswerRow) -> Read<()> {
    db.run(
        "insert or replace into answers (site, response, question, touchpoint, questionnaire, scale, value, lang, \
         shown_ms, flags, flagged, counted, terminal, chain, seq, received_at, boot, up_ms, at, time_basis, hour) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
        params![
            db.site(),
            row.response.0.as_bytes(),
            row.question.as_str(),
            row.touchpoint.as_str(),
            row.questionnaire.to_string(),
            row.scale.name(),
            row.value.0,
            row.lang.as_str(),
            row.shown_ms.map(signed),
            names::flags_text(&row.flags),
            row.flagged(),
            row.counted,
            row.terminal.as_str(),
            row.origin.chain.0,
            signed(row.origin.seq),
            row.origin.received_ms,
            row.origin.boot.0.as_bytes(),
            signed(row.origin.up_ms),
            row.timed.at_ms,
            row.timed.basis.name(),
            row.hour
        ],
    )?;
    Ok(())
}

fn write_reasons(db: SiteDb<'_>, row: &ReasonsRow) -> Read<()> {
    db.run(
        "insert or replace into reasons (site, response, question, touchpoint, questionnaire, value, chosen, lang, \
         chain, seq, received_at, boot, up_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            db.site(),
            row.response.0.as_bytes(),
            row.question.as_str(),
            row.touchpoint.as_str(),
            row.questionnaire.to_string(),
            row.value.0,
            to_json(&row.chosen)?,
            row.lang.as_str(),
            row.origin.chain.0,
            signed(row.origin.seq),
            row.origin.received_ms,
            row.origin.boot.0.as_bytes(),
            signed(row.origin.up_ms)
        ],
    )?;
    Ok(())
}

fn add_count(db: SiteDb<'_>, counter: &Counter, n: i64) -> Read<()> {
    db.run(
        "insert into rollups (site, touchpoint, questionnaire, question, scale, hour, flagged, value, n) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         on conflict (site, touchpoint, questionnaire, question, scale, hour, flagged, value) \
         do update set n = n + excluded.n",
        params![
            db.site(),
            counter.touchpoint.as_str(),
            counter.questionnaire.to_string(),
            counter.question.as_str(),
            counter.scale.name(),
            counter.hour,
            counter.flagged,
            counter.value.0,
            n
        ],
    )?;
    Ok(())
}

fn add_reason_count(db: SiteDb<'_>, counter: &ReasonCounter, n: i64) -> Read<()> {
    db.run(
        "insert into reason_rollups (site, touchpoint, questionnaire, question, scale, hour, flagged, value, \
         reason, n) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         on conflict (site, touchpoint, questionnaire, question, scale, hour, flagged, value, reason) \
         do update set n = n + excluded.n",
        params![
            db.site(),
            counter.answer.touchpoint.as_str(),
            counter.answer.questionnaire.to_string(),
            counter.answer.question.as_str(),
            counter.answer.scale.name(),
            counter.answer.hour,
            counter.answer.flagged,
            counter.answer.value.0,
            counter.reason.as_ref().map_or("", ReasonId::as_str),
            n
        ],
    )?;
    Ok(())
}

pub(super) fn cursor(db: SiteDb<'_>, submission: &Submission, append: &Append) -> Read<()> {
    db.run(
        "insert into chains (site, chain, terminal, accepted_through, head_hash, last_known_at, first_received, \
         last_received, quarantined, withheld) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9) \
         on conflict (site, chain) do update set \
         quarantined = quarantined + excluded.quarantined, withheld = withheld + excluded.withheld, \
         terminal = excluded.terminal, accepted_through = excluded.accepted_through, head_hash = excluded.head_hash, \
         last_known_at = excluded.last_known_at, last_received = excluded.last_received",
        params![
            db.site(),
            submission.batch.header.chain.0,
            submission.terminal.as_str(),
            signed(append.accepted_through),
            append.head_hash.0,
            append.writes.last_known_ms,
            millis(submission.received_at),
            signed(append.quarantined),
            signed(append.withheld)
        ],
    )?;
    Ok(())
}

pub(super) fn checkpoint(db: SiteDb<'_>, submission: &Submission) -> Read<()> {
    let batch = &submission.batch;
    db.run(
        "insert into checkpoints (site, chain, seq, first_seq, head_hash, terminal, public_key, received_at, \
         signed_headers, header_line, content) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         on conflict do nothing",
        params![
            db.site(),
            batch.header.chain.0,
            signed(batch.last_seq()),
            signed(batch.header.first_seq),
            batch.header.head_hash.0,
            submission.terminal.as_str(),
            submission.public_key,
            millis(submission.received_at),
            to_json(&submission.proof)?,
            batch.header_line,
            submission.proof.content
        ],
    )?;
    Ok(())
}

pub(super) fn boot(db: SiteDb<'_>, terminal: &TerminalId, id: BootId, start: BootStart) -> Read<()> {
    db.run(
        "insert into boots (site, terminal, boot, began_at, learnt_from) values (?1, ?2, ?3, ?4, ?5) \
         on conflict do nothing",
        params![db.site(), terminal.as_str(), id.0.as_bytes(), start.began_ms, start.from.name()],
    )?;
    Ok(())
}
