//! A batch in one savepoint: look where it lies, load what it touches, decide (pure), write.
//!
//! The statements keep the shape that a distributed PostgreSQL runs on one shard: the cursor row, entries with `on conflict do nothing`,
//! counts with `n = n + excluded.n`, the cursor again.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{
        ANSWER_COLUMNS, REASONS_COLUMNS, RESPONSE_COLUMNS, Read, answer, blob, chain as chain_id, damaged,
        flags_text, hash, millis, outcome_name, reasons, response, signed, to_json, unsigned,
    },
    people, read,
};
use crate::{
    central::{
        ingest::{
            AnswerRow, Booked, BootStart, Content, Context, Counter, EntryRow, EntryState, Held, LearntFrom,
            Ledger, Line, Placement, Reading, ReasonsRow, ResponseRow, Writes, place, project,
        },
        store::{Ingested, Replayed, Submission},
    },
    chain,
    model::{BootId, ChainId, Hash, ResponseId, SiteId, TerminalId, TouchpointId},
    questionnaire::Hospital,
};

/// Entries of the quarantine tried in one transaction.
const REPLAY_PAGE: usize = 200;

pub(super) fn ingest(connection: &Connection, submission: &Submission) -> Read<Ingested> {
    let (site, batch, terminal) = (&submission.site, &submission.batch, &submission.terminal);
    let id = batch.header.chain;
    people::saw(connection, site, terminal, submission.received_at)?;
    let cursor = read::cursor(connection, site, id)?;
    let (through, head_hash) =
        cursor.as_ref().map_or((0, chain::genesis(id)), |held| (held.accepted_through, held.head_hash));
    let conflict = Ingested::Conflict { accepted_through: through, head_hash };
    if let Some(cursor) = &cursor
        && !same_machine(connection, site, &cursor.terminal, terminal)?
    {
        let detail = format!("{terminal} sent entries of a journal that belongs to {}", cursor.terminal);
        raise(connection, site, "clone", &id.to_string(), terminal, submission.received_at, &detail)?;
        return Ok(conflict);
    }
    let placement = place(batch, through, |seq| {
        if seq == through { Ok(Some(head_hash)) } else { hash_at(connection, site, id, seq) }
    })?;
    let known = match placement {
        Placement::Append { known } => known,
        Placement::Gap => batch.lines.len(),
        Placement::Conflict => {
            let detail = format!(
                "entries {} to {} differ from those held; two machines write this journal, or a card was restored",
                batch.header.first_seq,
                batch.last_seq()
            );
            raise(connection, site, "clone", &id.to_string(), terminal, submission.received_at, &detail)?;
            return Ok(conflict);
        }
    };
    let fresh = batch.lines.get(known..).unwrap_or_default();
    let Some(last) = fresh.last() else {
        let duplicate = if placement == Placement::Gap { 0 } else { batch.header.count };
        return Ok(Ingested::Accepted {
            accepted_through: through,
            head_hash,
            stored: 0,
            duplicate,
            quarantined: Vec::new(),
            counted: false,
        });
    };
    let context = Context {
        hospital: &submission.hospital,
        site,
        zone: submission.zone,
        terminal,
        chain: id,
        received_at: submission.received_at,
    };
    let reading = Reading::new(fresh);
    let held = load(connection, context, &reading, Some(batch.header.sent.boot))?;
    let writes = project(context, reading, held, Some(&batch.header.sent));
    insert_entries(connection, context, &writes.entries)?;
    write(connection, context, &writes)?;
    write_cursor(connection, context, last, writes.last_known_ms)?;
    write_checkpoint(connection, submission)?;
    Ok(Ingested::Accepted {
        accepted_through: last.seq,
        head_hash: last.hash,
        stored: u32::try_from(fresh.len()).unwrap_or(u32::MAX),
        duplicate: u32::try_from(known).unwrap_or(u32::MAX),
        quarantined: writes.quarantined(),
        counted: !writes.booked.counts.is_empty(),
    })
}

/// A journal belongs to the machine that began it: the same terminal, or the same hardware enrolled again.
fn same_machine(
    connection: &Connection,
    site: &SiteId,
    owner: &TerminalId,
    sender: &TerminalId,
) -> Read<bool> {
    if owner == sender {
        return Ok(true);
    }
    let hardware = |id| people::terminal(connection, site, id).map(|t| t.map(|t| t.hardware_id));
    Ok(hardware(owner)?.is_some_and(|owner| !owner.is_empty()) && hardware(owner)? == hardware(sender)?)
}

fn hash_at(connection: &Connection, site: &SiteId, id: ChainId, seq: u64) -> Read<Option<Hash>> {
    let found: Option<Vec<u8>> = connection
        .prepare_cached("select hash from entries where site = ?1 and chain = ?2 and seq = ?3")?
        .query_row(params![site.as_str(), id.0, signed(seq)], |row| row.get(0))
        .optional()?;
    found.map(|bytes| hash(&bytes)).transpose()
}

fn load(
    connection: &Connection,
    context: Context<'_>,
    reading: &Reading<'_>,
    sent: Option<BootId>,
) -> Read<Held> {
    let site = context.site.as_str();
    let mut held = Held::default();
    let mut place_of =
        connection.prepare_cached("select chain, seq from entry_ids where site = ?1 and entry = ?2")?;
    for id in reading.entry_ids() {
        let place: Option<(Vec<u8>, i64)> =
            place_of.query_row(params![site, blob(&id)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((chain, seq)) = place {
            held.places.insert(id, (chain_id(&chain)?, unsigned(seq)?));
        }
    }
    for id in reading.responses() {
        load_response(connection, site, id, &mut held)?;
    }
    let mut boots = reading.boots();
    boots.extend(sent);
    for boot in boots {
        match boot_start(connection, site, context.terminal, boot)? {
            Some(start) => {
                held.boots.insert(boot, start);
            }
            None => held.undated.extend(undated(connection, site, context.terminal, boot)?),
        }
    }
    held.last_known_ms = connection
        .prepare_cached("select last_known_at from chains where site = ?1 and chain = ?2")?
        .query_row(params![site, context.chain.0], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(held)
}

fn load_response(connection: &Connection, site: &str, id: ResponseId, held: &mut Held) -> Read<()> {
    let key = params![site, id.0.as_bytes()];
    let mut statement = connection.prepare_cached(&format!(
        "select {RESPONSE_COLUMNS} from responses where site = ?1 and response = ?2"
    ))?;
    let mut rows = statement.query(key)?;
    let Some(row) = rows.next()? else { return Ok(()) };
    held.responses.push(response(row)?);
    let mut statement = connection
        .prepare_cached(&format!("select {ANSWER_COLUMNS} from answers where site = ?1 and response = ?2"))?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        held.answers.push(answer(row)?);
    }
    let mut statement = connection.prepare_cached(&format!(
        "select {REASONS_COLUMNS} from reasons where site = ?1 and response = ?2"
    ))?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        held.reasons.push(reasons(row)?);
    }
    Ok(())
}

fn boot_start(
    connection: &Connection,
    site: &str,
    terminal: &TerminalId,
    boot: BootId,
) -> Read<Option<BootStart>> {
    let found: Option<(i64, String)> = connection
        .prepare_cached(
            "select began_at, learnt_from from boots where site = ?1 and terminal = ?2 and boot = ?3",
        )?
        .query_row(params![site, terminal.as_str(), boot.0.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(began_ms, from)| BootStart {
        began_ms,
        from: if from == LearntFrom::Entry.name() { LearntFrom::Entry } else { LearntFrom::Contact },
    }))
}

fn undated(connection: &Connection, site: &str, terminal: &TerminalId, boot: BootId) -> Read<Vec<AnswerRow>> {
    let mut statement = connection.prepare_cached(&format!(
        "select {ANSWER_COLUMNS} from answers where site = ?1 and boot = ?2 and hour = -1 and terminal = ?3"
    ))?;
    let mut rows = statement.query(params![site, boot.0.as_bytes(), terminal.as_str()])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(answer(row)?);
    }
    Ok(list)
}

fn insert_entries(connection: &Connection, context: Context<'_>, rows: &[EntryRow]) -> Read<()> {
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

fn write(connection: &Connection, context: Context<'_>, writes: &Writes) -> Read<()> {
    let mut insert = connection.prepare_cached(
        "insert into entry_ids (site, entry, chain, seq) values (?1, ?2, ?3, ?4) on conflict do nothing",
    )?;
    for (id, seq) in &writes.new_ids {
        insert.execute(params![context.site.as_str(), blob(id), context.chain.0, signed(*seq)])?;
    }
    for (boot, start) in &writes.boots {
        insert_boot(connection, context.site, context.terminal, *boot, *start)?;
    }
    write_booked(connection, context.site, &writes.booked)
}

fn write_booked(connection: &Connection, site: &SiteId, booked: &Booked) -> Read<()> {
    booked.responses.iter().try_for_each(|row| write_response(connection, site, row))?;
    booked.answers.iter().try_for_each(|row| write_answer(connection, site, row))?;
    booked.reasons.iter().try_for_each(|row| write_reasons(connection, site, row))?;
    booked.counts.iter().try_for_each(|(counter, n)| add_count(connection, site, counter, *n))
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
        row.boot.0.as_bytes(),
        signed(row.up_ms),
        row.timed.at_ms,
        row.timed.basis.name(),
        row.hour
    ])?;
    Ok(())
}

fn write_reasons(connection: &Connection, site: &SiteId, row: &ReasonsRow) -> Read<()> {
    connection.prepare_cached(
        "insert or replace into reasons (site, response, question, touchpoint, questionnaire, value, chosen, lang, \
         chain, seq, received_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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
        row.origin.received_ms
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

fn write_cursor(
    connection: &Connection,
    context: Context<'_>,
    last: &Line,
    known_ms: Option<i64>,
) -> Read<()> {
    connection.prepare_cached(
        "insert into chains (site, chain, terminal, accepted_through, head_hash, last_known_at, first_received, \
         last_received) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) on conflict (site, chain) do update set \
         terminal = excluded.terminal, accepted_through = excluded.accepted_through, head_hash = excluded.head_hash, \
         last_known_at = excluded.last_known_at, last_received = excluded.last_received",
    )?
    .execute(params![
        context.site.as_str(),
        context.chain.0,
        context.terminal.as_str(),
        signed(last.seq),
        last.hash.0,
        known_ms,
        millis(context.received_at)
    ])?;
    Ok(())
}

fn write_checkpoint(connection: &Connection, submission: &Submission) -> Read<()> {
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

/// Raises an alarm, or notes that it came again.
pub(super) fn raise(
    connection: &Connection,
    site: &SiteId,
    kind: &str,
    subject: &str,
    terminal: &TerminalId,
    at: DateTime<Utc>,
    detail: &str,
) -> Read<()> {
    connection
        .prepare_cached(
            "insert into alarms (site, kind, subject, terminal, first_at, last_at, times, detail) \
         values (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6) on conflict (site, kind, subject, terminal) do update set \
         last_at = excluded.last_at, times = times + 1, detail = excluded.detail",
        )?
        .execute(params![site.as_str(), kind, subject, terminal.as_str(), millis(at), detail])?;
    Ok(())
}

fn insert_boot(
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

/// Learns the start of a boot outside a batch, and dates the answers that waited for it.
pub(super) fn learn_boot(
    connection: &Connection,
    site: &SiteId,
    zone: Tz,
    terminal: &TerminalId,
    boot: (BootId, BootStart),
) -> Read<()> {
    if boot_start(connection, site.as_str(), terminal, boot.0)?.is_some() {
        return Ok(());
    }
    insert_boot(connection, site, terminal, boot.0, boot.1)?;
    let mut ledger = Ledger::new(zone, Vec::new(), Vec::new(), Vec::new());
    ledger.date(undated(connection, site.as_str(), terminal, boot.0)?, &[boot]);
    write_booked(connection, site, &ledger.close())
}

/// Tries a page of the quarantine again; gives where to go on, if there may be more.
pub(super) fn replay(
    connection: &Connection,
    site: &SiteId,
    zone: Tz,
    hospital: &Hospital,
    after: Option<(ChainId, u64)>,
) -> Read<(Replayed, Option<(ChainId, u64)>)> {
    let page = read::quarantine(connection, site, after, REPLAY_PAGE)?;
    let mut done = Replayed::default();
    for entry in &page {
        let context = Context {
            hospital,
            site,
            zone,
            terminal: &entry.terminal,
            chain: entry.chain,
            received_at: entry.received_at,
        };
        let held_hash =
            hash_at(connection, site, entry.chain, entry.seq)?.ok_or_else(|| damaged("entry", &entry.seq))?;
        let line = [Line { seq: entry.seq, hash: held_hash, content: Content::Line(entry.line.clone()) }];
        let reading = Reading::new(&line);
        let mut held = load(connection, context, &reading, None)?;
        held.last_known_ms = held.last_known_ms.map(|known| known.min(millis(entry.received_at)));
        let writes = project(context, reading, held, None);
        let Some(row) = writes.entries.first() else { continue };
        if matches!(row.state, EntryState::Quarantined(_)) {
            done.remaining += 1;
        } else {
            done.understood += 1;
        }
        connection.prepare_cached(
            "update entries set state = ?4, reason = ?5, at = coalesce(at, ?6), time_basis = coalesce(time_basis, ?7) \
             where site = ?1 and chain = ?2 and seq = ?3",
        )?
        .execute(params![
            site.as_str(),
            entry.chain.0,
            signed(entry.seq),
            row.state.name(),
            row.state.reason(),
            row.timed.map(|timed| timed.at_ms),
            row.timed.map(|timed| timed.basis.name())
        ])?;
        write(connection, context, &writes)?;
    }
    let more =
        (page.len() == REPLAY_PAGE).then(|| page.last().map(|entry| (entry.chain, entry.seq))).flatten();
    Ok((done, more))
}
