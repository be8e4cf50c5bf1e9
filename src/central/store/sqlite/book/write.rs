//! Rows as they are written, each by one statement.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use crate::{
    central::{
        domain::ingest::{
            AnswerRow, Booked, BootStart, Content, Context, Counter, EntryRow, Line, ReasonCounter,
            ReasonsRow, ResponseRow, Writes,
        },
        store::{
            Submission,
            sqlite::{
                columns::{Read, blob, damaged, flags_text, millis, outcome_name, signed, to_json},
                help, terminals,
            },
        },
    },
    model::{BootId, ReasonId, SiteId, TerminalId, TouchpointId},
};

pub(super) fn insert_entries(connection: &Connection, context: Context<'_>, rows: &[EntryRow]) -> Read<()> {
    let mut insert = connection.prepare_cached(
        "insert into entries (site, chain, seq, hash, line, leaf, received_at, at, time_basis, state, reason) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) on conflict do nothing",
    )?;
    for row in rows {
        let (line, leaf) = match &row.line.content {
            Content::Line(bytes) => (Some(bytes), None),
            Content::Withheld { leaf, .. } => (None, Some(leaf.0)),
        };
        let stored = insert.execute(params![
            context.site.as_str(),
            context.chain.0,
            signed(row.line.seq),
            row.line.hash.0,
            line,
            leaf,
            millis(context.received_at),
            row.timed.map(|timed| timed.at_ms),
            row.timed.map(|timed| timed.basis.name()),
            row.state.name(),
            row.state.reason(),
        ])?;
        if stored != 1 {
            // The cursor says the place is free: going on would count an entry that is not stored.
            return Err(damaged("cursor", &format!("{} does not cover {}", context.chain, row.line.seq)));
        }
    }
    Ok(())
}

pub(super) fn write(connection: &Connection, context: Context<'_>, writes: &Writes) -> Read<()> {
    let mut insert = connection.prepare_cached(
        "insert into entry_ids (site, entry, chain, seq) values (?1, ?2, ?3, ?4) on conflict do nothing",
    )?;
    for (id, seq) in &writes.new_ids {
        insert.execute(params![context.site.as_str(), blob(id), context.chain.0, signed(*seq)])?;
    }
    for (boot, start) in &writes.boots {
        insert_boot(connection, context.site, context.terminal, *boot, *start)?;
    }
    writes.help.iter().try_for_each(|row| help::insert(connection, context.site, row))?;
    writes.tested.iter().try_for_each(|row| help::note_tested(connection, context, row))?;
    terminals::note_standing(connection, context, &writes.assigned, writes.told.as_ref())?;
    write_booked(connection, context.site, &writes.booked)
}

pub(super) fn write_booked(connection: &Connection, site: &SiteId, booked: &Booked) -> Read<()> {
    booked.responses.iter().try_for_each(|row| write_response(connection, site, row))?;
    booked.answers.iter().try_for_each(|row| write_answer(connection, site, row))?;
    booked.reasons.iter().try_for_each(|row| write_reasons(connection, site, row))?;
    booked.counts.iter().try_for_each(|(counter, n)| add_count(connection, site, counter, *n))?;
    booked.reason_counts.iter().try_for_each(|(counter, n)| add_reason_count(connection, site, counter, *n))
}

fn write_response(connection: &Connection, site: &SiteId, row: &ResponseRow) -> Read<()> {
    connection
        .prepare_cached(
            "insert into responses (site, response, terminal, touchpoint, outcome, replaces, first_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (site, response) do update set \
         touchpoint = excluded.touchpoint, outcome = excluded.outcome, replaces = excluded.replaces",
        )?
        .execute(params![
            site.as_str(),
            row.response.0.as_bytes(),
            row.terminal.as_str(),
            row.touchpoint.as_ref().map(TouchpointId::as_str),
            row.outcome.map(outcome_name),
            row.replaces.as_ref().map(|id| id.0.as_bytes()),
            row.first_ms
        ])?;
    Ok(())
}

fn write_answer(connection: &Connection, site: &SiteId, row: &AnswerRow) -> Read<()> {
    connection.prepare_cached(
        "insert or replace into answers (site, response, question, touchpoint, questionnaire, scale, value, lang, \
         shown_ms, flags, flagged, counted, terminal, chain, seq, received_at, boot, up_ms, at, time_basis, hour) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?
    .execute(params![
        site.as_str(),
        row.response.0.as_bytes(),
        row.question.as_str(),
        row.touchpoint.as_str(),
        row.questionnaire.to_string(),
        row.scale.name(),
        row.value.0,
        row.lang.as_str(),
        row.shown_ms.map(signed),
        flags_text(&row.flags),
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
    ])?;
    Ok(())
}

fn write_reasons(connection: &Connection, site: &SiteId, row: &ReasonsRow) -> Read<()> {
    connection.prepare_cached(
        "insert or replace into reasons (site, response, question, touchpoint, questionnaire, value, chosen, lang, \
         chain, seq, received_at, boot, up_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        site.as_str(),
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
    ])?;
    Ok(())
}

fn add_count(connection: &Connection, site: &SiteId, counter: &Counter, n: i64) -> Read<()> {
    connection
        .prepare_cached(
            "insert into rollups (site, touchpoint, questionnaire, question, scale, hour, flagged, value, n) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         on conflict (site, touchpoint, questionnaire, question, scale, hour, flagged, value) \
         do update set n = n + excluded.n",
        )?
        .execute(params![
            site.as_str(),
            counter.touchpoint.as_str(),
            counter.questionnaire.to_string(),
            counter.question.as_str(),
            counter.scale.name(),
            counter.hour,
            counter.flagged,
            counter.value.0,
            n
        ])?;
    Ok(())
}

fn add_reason_count(connection: &Connection, site: &SiteId, counter: &ReasonCounter, n: i64) -> Read<()> {
    connection
        .prepare_cached(
            "insert into reason_rollups (site, touchpoint, questionnaire, question, scale, hour, flagged, value, \
         reason, n) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         on conflict (site, touchpoint, questionnaire, question, scale, hour, flagged, value, reason) \
         do update set n = n + excluded.n",
        )?
        .execute(params![
            site.as_str(),
            counter.answer.touchpoint.as_str(),
            counter.answer.questionnaire.to_string(),
            counter.answer.question.as_str(),
            counter.answer.scale.name(),
            counter.answer.hour,
            counter.answer.flagged,
            counter.answer.value.0,
            counter.reason.as_ref().map_or("", ReasonId::as_str),
            n
        ])?;
    Ok(())
}

pub(super) fn write_cursor(
    connection: &Connection,
    context: Context<'_>,
    last: &Line,
    writes: &Writes,
) -> Read<()> {
    let (quarantined, withheld) = writes.kept_aside();
    connection.prepare_cached(
        "insert into chains (site, chain, terminal, accepted_through, head_hash, last_known_at, first_received, \
         last_received, quarantined, withheld) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9) \
         on conflict (site, chain) do update set \
         quarantined = quarantined + excluded.quarantined, withheld = withheld + excluded.withheld, \
         terminal = excluded.terminal, accepted_through = excluded.accepted_through, head_hash = excluded.head_hash, \
         last_known_at = excluded.last_known_at, last_received = excluded.last_received",
    )?
    .execute(params![
        context.site.as_str(),
        context.chain.0,
        context.terminal.as_str(),
        signed(last.seq),
        last.hash.0,
        writes.last_known_ms,
        millis(context.received_at),
        signed(quarantined),
        signed(withheld)
    ])?;
    Ok(())
}

pub(super) fn write_checkpoint(connection: &Connection, submission: &Submission) -> Read<()> {
    let batch = &submission.batch;
    connection.prepare_cached(
        "insert into checkpoints (site, chain, seq, first_seq, head_hash, terminal, public_key, received_at, \
         signed_headers, header_line, content) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         on conflict do nothing",
    )?
    .execute(params![
        submission.site.as_str(),
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
    ])?;
    Ok(())
}

/// Incidents of one kind that one terminal can cause in a day: what comes beyond is counted with the last of them, so that a terminal
/// that makes up journals cannot push everything else off the list.
const INCIDENTS_A_DAY_MAX: i64 = 5;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Keeps an incident, or notes that it came again.
pub(in crate::central::store::sqlite) fn raise(
    connection: &Connection,
    site: &SiteId,
    kind: &str,
    subject: &str,
    terminal: &TerminalId,
    at: DateTime<Utc>,
    detail: &str,
) -> Read<()> {
    let today: (i64, Option<String>) = connection
        .prepare_cached(
            "select count(*), (select subject from alarms where site = ?1 and kind = ?2 and terminal = ?3 \
             order by first_at desc, subject limit 1) from alarms \
             where site = ?1 and kind = ?2 and terminal = ?3 and first_at > ?4 and subject <> ?5",
        )?
        .query_row(
            params![site.as_str(), kind, terminal.as_str(), millis(at).saturating_sub(DAY_MS), subject],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    let subject = match today {
        (n, Some(latest)) if n >= INCIDENTS_A_DAY_MAX => latest,
        _ => subject.to_owned(),
    };
    connection
        .prepare_cached(
            "insert into alarms (site, kind, subject, terminal, first_at, last_at, times, detail) \
         values (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6) on conflict (site, kind, subject, terminal) do update set \
         last_at = excluded.last_at, times = times + 1, detail = excluded.detail",
        )?
        .execute(params![site.as_str(), kind, subject, terminal.as_str(), millis(at), detail])?;
    Ok(())
}

pub(super) fn insert_boot(
    connection: &Connection,
    site: &SiteId,
    terminal: &TerminalId,
    boot: BootId,
    start: BootStart,
) -> Read<()> {
    connection
        .prepare_cached(
            "insert into boots (site, terminal, boot, began_at, learnt_from) values (?1, ?2, ?3, ?4, ?5) \
         on conflict do nothing",
        )?
        .execute(params![
            site.as_str(),
            terminal.as_str(),
            boot.0.as_bytes(),
            start.began_ms,
            start.from.name()
        ])?;
    Ok(())
}
