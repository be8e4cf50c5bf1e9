//! What a batch touches, as it is held.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::same_machine;

use crate::{
    central::{
        domain::ingest::{
            AnswerRow, BootStart, Context, HELP_SPAN_MS, Held, LearntFrom, Reading, ReasonsRow,
        },
        store::sqlite::{
            columns::{
                ANSWER_COLUMNS, REASONS_COLUMNS, RESPONSE_COLUMNS, Read, answer, blob, chain as chain_id,
                millis, reasons, response, text, unsigned,
            },
            help, terminals,
        },
    },
    model::{BootId, ResponseId, TerminalId},
};

pub(super) fn load(
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
    load_foreign(connection, context, reading, &mut held)?;
    if reading.calls_help() {
        let since = millis(context.received_at).saturating_sub(HELP_SPAN_MS);
        held.help_open = help::open_since(connection, context.site, context.terminal, since)?;
    }
    held.standing = terminals::standing(connection, context.site, context.terminal)?;
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

/// Whose the known responses are, where they are not this machine's.
fn load_foreign(
    connection: &Connection,
    context: Context<'_>,
    reading: &Reading<'_>,
    held: &mut Held,
) -> Read<()> {
    let mut owner_of =
        connection.prepare_cached("select terminal from responses where site = ?1 and response = ?2")?;
    let mut ours = HashMap::from([(context.terminal.clone(), true)]);
    for id in reading.responses().union(&reading.replaced()) {
        let key = params![context.site.as_str(), id.0.as_bytes()];
        let Some(owner) = owner_of.query_row(key, |row| row.get::<_, String>(0)).optional()? else {
            continue;
        };
        let owner: TerminalId = text("terminal", &owner)?;
        if !ours.contains_key(&owner) {
            let same = same_machine(connection, context.site, &owner, context.terminal)?;
            ours.insert(owner.clone(), same);
        }
        if ours.get(&owner) == Some(&false) {
            held.foreign.insert(*id, owner);
        }
    }
    Ok(())
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

pub(super) fn boot_start(
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

pub(super) fn undated(
    connection: &Connection,
    site: &str,
    terminal: &TerminalId,
    boot: BootId,
) -> Read<Vec<(AnswerRow, Option<ReasonsRow>)>> {
    let mut statement = connection.prepare_cached(&format!(
        "select {ANSWER_COLUMNS} from answers where site = ?1 and boot = ?2 and hour = -1 and terminal = ?3"
    ))?;
    let mut rows = statement.query(params![site, boot.0.as_bytes(), terminal.as_str()])?;
    let mut explained = connection.prepare_cached(&format!(
        "select {REASONS_COLUMNS} from reasons where site = ?1 and response = ?2 and question = ?3"
    ))?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        let row = answer(row)?;
        let mut found = explained.query(params![site, row.response.0.as_bytes(), row.question.as_str()])?;
        let reasons = found.next()?.map(reasons).transpose()?;
        list.push((row, reasons));
    }
    Ok(list)
}
