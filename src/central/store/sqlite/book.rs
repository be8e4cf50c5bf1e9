//! A batch in one savepoint: look where it lies, load what it touches, decide (pure), write.
//!
//! The statements keep the shape that a distributed PostgreSQL runs on one shard: the cursor row, entries with `on conflict do nothing`,
//! counts with `n = n + excluded.n`, the cursor again.

mod load;
mod write;

use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    columns::{Read, damaged, hash, millis, signed},
    read, terminals,
};
use crate::{
    central::{
        domain::ingest::{
            BootStart, Content, Context, EntryState, Ledger, Line, Placement, Reading, is_same_hardware,
            place, project,
        },
        store::{Ingested, Replayed, Submission},
    },
    chain,
    model::{BootId, ChainId, Hash, SiteId, TerminalId},
    questionnaire::Hospital,
};
use load::{boot_start, load, undated};
pub(super) use write::raise;
use write::{insert_boot, insert_entries, write, write_booked, write_checkpoint, write_cursor};

/// Entries of the quarantine tried in one transaction.
const REPLAY_PAGE: usize = 200;

pub(super) fn ingest(connection: &Connection, submission: &Submission) -> Read<Ingested> {
    let (site, batch, terminal) = (&submission.site, &submission.batch, &submission.terminal);
    let id = batch.header.chain;
    terminals::saw(connection, site, terminal, &batch.header.sent, submission.received_at)?;
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
            help_calls: 0,
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
    write_cursor(connection, context, last, &writes)?;
    write_checkpoint(connection, submission)?;
    Ok(Ingested::Accepted {
        accepted_through: last.seq,
        head_hash: last.hash,
        stored: u32::try_from(fresh.len()).unwrap_or(u32::MAX),
        duplicate: u32::try_from(known).unwrap_or(u32::MAX),
        quarantined: writes.quarantined(),
        counted: !writes.booked.counts.is_empty(),
        help_calls: u32::try_from(writes.help.len()).unwrap_or(u32::MAX),
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
    let hardware = |id| terminals::hardware(connection, site, id);
    Ok(match (hardware(owner)?, hardware(sender)?) {
        (Some(owner), Some(sender)) => is_same_hardware(&owner, &sender),
        _ => false,
    })
}

fn hash_at(connection: &Connection, site: &SiteId, id: ChainId, seq: u64) -> Read<Option<Hash>> {
    let found: Option<Vec<u8>> = connection
        .prepare_cached("select hash from entries where site = ?1 and chain = ?2 and seq = ?3")?
        .query_row(params![site.as_str(), id.0, signed(seq)], |row| row.get(0))
        .optional()?;
    found.map(|bytes| hash(&bytes)).transpose()
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
            connection
                .prepare_cached(
                    "update chains set quarantined = max(quarantined - 1, 0) where site = ?1 and chain = ?2",
                )?
                .execute(params![site.as_str(), entry.chain.0])?;
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
