//! Reads what decisions depend on.

use rusqlite::{Row, params};

use super::{
    Read, SiteDb,
    codec::{
        ANSWER_COLUMNS, REASONS_COLUMNS, RESPONSE_COLUMNS, answer, blob, boot, chain as chain_id, hash, json,
        reasons, response, signed, text, unsigned,
    },
    help,
};
use crate::{
    central::{
        domain::{
            contact::BootTime,
            ingest::{AnswerRow, Ask, BootStart, HeldChain, ReasonsRow, Snapshot},
            machine::Machine,
        },
        store::names,
    },
    model::{BootId, ChainId, Hash, ResponseId, TerminalId, TouchpointId},
};

pub(super) fn read_snapshot(db: SiteDb<'_>, ask: &Ask) -> Read<Snapshot> {
    let mut held = Snapshot { chain: chain(db, ask.chain)?, ..Snapshot::default() };
    if let Some(sender) = sender(db, &ask.terminal)? {
        held.hardware = Some(sender.hardware);
        held.last_contact = sender.last_contact;
        held.standing.told = sender.told;
    }
    held.standing.assigned = assigned(db, &ask.terminal)?;
    if let Some(seq) = ask.hash_at {
        held.hash = hash_at(db, ask.chain, seq)?;
    }
    for id in &ask.entry_ids {
        let place = db.first(
            "select chain, seq from entry_ids where site = ?1 and entry = ?2",
            params![db.site(), blob(id)],
            |row| Ok((chain_id(&row.get::<_, Vec<u8>>(0)?)?, unsigned(row.get(1)?)?)),
        )?;
        held.places.extend(place.map(|place| (*id, place)));
    }
    for id in &ask.responses {
        read_response(db, *id, &mut held)?;
    }
    for id in &ask.owned {
        held.owners.extend(owner(db, *id)?.map(|owner| (*id, owner)));
    }
    for id in &ask.boots {
        match boot_start(db, &ask.terminal, *id)? {
            Some(start) => _ = held.boots.insert(*id, start),
            None => held.undated.extend(undated(db, &ask.terminal, *id)?),
        }
    }
    for target in &ask.tested {
        let at_ms = help::tested_at(db, &ask.terminal, target)?;
        held.tested.extend(at_ms.map(|at_ms| (target.clone(), at_ms)));
    }
    if let Some(after_ms) = ask.help_after_ms {
        held.help_open = help::open_after(db, &ask.terminal, after_ms)?;
    }
    Ok(held)
}

fn chain(db: SiteDb<'_>, id: ChainId) -> Read<Option<HeldChain>> {
    db.first(
        "select c.terminal, t.hardware_id, c.accepted_through, c.head_hash, c.last_known_at from chains c \
         left join terminals t on t.site = c.site and t.terminal = c.terminal where c.site = ?1 and c.chain = ?2",
        params![db.site(), id.0],
        |row| {
            Ok(HeldChain {
                owner: machine(row)?,
                accepted_through: unsigned(row.get(2)?)?,
                head_hash: hash(&row.get::<_, Vec<u8>>(3)?)?,
                last_known_ms: row.get(4)?,
            })
        },
    )
}

/// Reads the name and the hardware of a terminal from the first two columns.
fn machine(row: &Row<'_>) -> Read<Machine> {
    Ok(Machine { terminal: text("terminal", &row.get::<_, String>(0)?)?, hardware: row.get(1)? })
}

/// What is held of an enrolled terminal that writes.
struct Sender {
    hardware: String,
    last_contact: Option<BootTime>,
    told: (i64, Vec<TouchpointId>),
}

fn sender(db: SiteDb<'_>, id: &TerminalId) -> Read<Option<Sender>> {
    db.first(
        "select last_boot, last_up, hardware_id, told, told_at from terminals where site = ?1 and terminal = ?2",
        params![db.site(), id.as_str()],
        |row| {
            let told: Option<String> = row.get(3)?;
            let told_at: Option<i64> = row.get(4)?;
            let told = told.map(|list| json("list of touchpoints", &list)).transpose()?;
            Ok(Sender {
                hardware: row.get(2)?,
                last_contact: boot_time(row)?,
                told: told_at.zip(told).unwrap_or_default(),
            })
        },
    )
}

/// Reads a terminal's own clock from the first two columns.
pub(super) fn boot_time(row: &Row<'_>) -> Read<Option<BootTime>> {
    let (last_boot, last_up): (Option<Vec<u8>>, Option<i64>) = (row.get(0)?, row.get(1)?);
    let Some((last_boot, last_up)) = last_boot.zip(last_up) else { return Ok(None) };
    Ok(Some(BootTime { boot: boot(&last_boot)?, up_ms: unsigned(last_up)? }))
}

fn assigned(db: SiteDb<'_>, id: &TerminalId) -> Read<Vec<(i64, TouchpointId)>> {
    db.all(
        "select from_at, touchpoint from assignments where site = ?1 and terminal = ?2 order by from_at",
        params![db.site(), id.as_str()],
        |row| Ok((row.get(0)?, text("touchpoint", &row.get::<_, String>(1)?)?)),
    )
}

fn hash_at(db: SiteDb<'_>, id: ChainId, seq: u64) -> Read<Option<Hash>> {
    db.first(
        "select hash from entries where site = ?1 and chain = ?2 and seq = ?3",
        params![db.site(), id.0, signed(seq)],
        |row| hash(&row.get::<_, Vec<u8>>(0)?),
    )
}

fn read_response(db: SiteDb<'_>, id: ResponseId, held: &mut Snapshot) -> Read<()> {
    let key = params![db.site(), id.0.as_bytes()];
    let select = |columns, table| format!("select {columns} from {table} where site = ?1 and response = ?2");
    let Some(row) = db.first(&select(RESPONSE_COLUMNS, "responses"), key, response)? else { return Ok(()) };
    held.responses.push(row);
    held.answers.extend(db.all(&select(ANSWER_COLUMNS, "answers"), key, answer)?);
    held.reasons.extend(db.all(&select(REASONS_COLUMNS, "reasons"), key, reasons)?);
    Ok(())
}

fn owner(db: SiteDb<'_>, id: ResponseId) -> Read<Option<Machine>> {
    db.first(
        "select r.terminal, t.hardware_id from responses r \
         left join terminals t on t.site = r.site and t.terminal = r.terminal \
         where r.site = ?1 and r.response = ?2",
        params![db.site(), id.0.as_bytes()],
        machine,
    )
}

pub(super) fn boot_start(db: SiteDb<'_>, terminal: &TerminalId, id: BootId) -> Read<Option<BootStart>> {
    db.first(
        "select began_at, learnt_from from boots where site = ?1 and terminal = ?2 and boot = ?3",
        params![db.site(), terminal.as_str(), id.0.as_bytes()],
        |row| Ok(BootStart { began_ms: row.get(0)?, from: names::learnt_from(&row.get::<_, String>(1)?)? }),
    )
}

/// Answers without an hour of a terminal's boot, with the reasons for them.
pub(super) fn undated(
    db: SiteDb<'_>,
    terminal: &TerminalId,
    id: BootId,
) -> Read<Vec<(AnswerRow, Option<ReasonsRow>)>> {
    let answers = db.all(
        &format!("select {ANSWER_COLUMNS} from answers where site = ?1 and boot = ?2 and hour = -1 and terminal = ?3"),
        params![db.site(), id.0.as_bytes(), terminal.as_str()],
        answer,
    )?;
    let explained =
        format!("select {REASONS_COLUMNS} from reasons where site = ?1 and response = ?2 and question = ?3");
    let with_reasons = answers.into_iter().map(|row| {
        let key = params![db.site(), row.response.0.as_bytes(), row.question.as_str()];
        let found = db.first(&explained, key, reasons)?;
        Ok((row, found))
    });
    with_reasons.collect()
}
