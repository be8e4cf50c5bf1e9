//! A new chain in the same database, and carrying into it what the older ones still hold.
//!
//! All of it, not only what is unsent: central is asked about one chain only, so if it falls back to an old backup later, the chain that
//! is written to must lead to everything the terminal has. What central holds already it knows by the entry ids.
//!
//! Beginning a chain takes one small transaction however long the queue: it notes the rows to carry, and [`Journal::carry_step`] moves
//! them in bounded steps, between which taps are recorded. An entry keeps its id; only the field `seq` of its line is written anew. The
//! old rows stay in the old chain.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Head, Journal, JournalError, Row, key, rows, schema};
use crate::{
    chain,
    model::{ChainId, Moment},
};

/// Entries carried in one transaction: some milliseconds, so that a tap in between does not wait.
const CARRY_STEP: u64 = 250;

/// The reason noted at an entry that cannot be carried because its line is not the one that was hashed.
const DAMAGED: &str = "damaged on the terminal";

impl Journal {
    /// Begins a chain: the old one cannot be continued. Every entry whose line is there is carried over under its entry id.
    pub fn start_new_chain(&mut self, chain: ChainId, now: &Moment) -> Result<Head, JournalError> {
        let last_n = self.state.last_n();
        let hooks = self.hooks.clone();
        let transaction = schema::begin(self.db()?)?;
        if rows::chains(&transaction)?.iter().any(|row| row.id == chain) {
            return Err(JournalError::ChainUsed(chain));
        }
        transaction.execute(
            "INSERT INTO chain (id, base, made_ms) VALUES (?1, ?2, ?3)",
            (chain.0, rows::int(last_n), now.wall.timestamp_millis()),
        )?;
        let kept = rows::meta_number(&transaction, key::ERASED_THROUGH)? + 1;
        // What was still to be carried lies within the new range.
        transaction.execute("DELETE FROM carry", [])?;
        if kept <= last_n {
            let range = (rows::int(kept), rows::int(last_n));
            transaction.execute("INSERT INTO carry (first, last) VALUES (?1, ?2)", range)?;
        }
        hooks.probe("new chain before commit");
        transaction.commit()?;
        hooks.probe("new chain after commit");
        self.tail.clear();
        let conn = self.db()?;
        self.state = rows::state(conn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        // The chain has begun whether or not this can be written; the side file still names a chain the database knows.
        if let Err(error) = self.write_side(now.up_ms) {
            tracing::warn!(%error, dir = %self.dir.display(), "the side file could not be written");
        }
        Ok(self.head())
    }

    /// Carries the next few entries; does nothing when none are left.
    pub(super) fn carry_step(&mut self) -> Result<(), JournalError> {
        let mut state = self.state.clone();
        let hooks = self.hooks.clone();
        let transaction = schema::begin(self.db()?)?;
        let range = transaction.query_row("SELECT min(first), last FROM carry", [], |row| {
            Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?))
        })?;
        let Some((first, end)) = range.map(|(first, last)| (rows::uint(first), rows::uint(last))) else {
            return Ok(());
        };
        let last = end.min(first + CARRY_STEP - 1);
        let mut old = Vec::new();
        rows::scan(&transaction, first, last, usize::MAX, |row| {
            old.push(row);
            true
        })?;
        for row in old {
            let n = rows::int(row.n);
            match carried(&row, state.last_seq + 1) {
                Carried::Line(line) => {
                    state = add(&transaction, state, line, row.refused)?;
                    transaction
                        .prepare_cached("UPDATE entry SET refused = NULL, carried = ?2 WHERE n = ?1")?
                        .execute((n, rows::int(state.last_n())))?;
                }
                Carried::Nothing => {}
                Carried::Damaged => {
                    let sql = "UPDATE entry SET refused = ?2 WHERE n = ?1";
                    transaction.execute(sql, (n, DAMAGED))?;
                    state.refused += u64::from(row.refused.is_none());
                }
            }
        }
        transaction.execute("DELETE FROM carry WHERE first = ?1", [rows::int(first)])?;
        if last < end {
            let rest = (rows::int(last + 1), rows::int(end));
            transaction.execute("INSERT INTO carry (first, last) VALUES (?1, ?2)", rest)?;
        }
        hooks.probe("carry before commit");
        transaction.commit()?;
        state.to_carry = state.to_carry.saturating_sub(last - first + 1);
        self.tail.clear();
        self.since_checkpoint += last - first + 1;
        self.state = state;
        self.side_after_append();
        Ok(())
    }
}

/// Adds a line at the end of a chain inside a transaction; gives the state after it.
pub(super) fn add(
    conn: &rusqlite::Connection,
    mut state: super::State,
    line: String,
    refused: Option<String>,
) -> rusqlite::Result<super::State> {
    let leaf = chain::leaf(line.as_bytes());
    state.last_seq += 1;
    state.last_hash = chain::link(state.last_hash, leaf);
    let row = Row {
        n: state.last_n(),
        hash: state.last_hash,
        leaf,
        line: Some(line.into_bytes()),
        refused,
        is_carried: false,
    };
    rows::insert(conn, &row)?;
    Ok(state)
}

enum Carried {
    Line(String),
    /// It is erased, or a newer row has it: an entry is carried from its newest row only, or each new chain would double it.
    Nothing,
    Damaged,
}

fn carried(row: &Row, seq: u64) -> Carried {
    if row.is_carried {
        return Carried::Nothing;
    }
    match (&row.line, row.intact().and_then(|line| renumber(line, seq))) {
        (_, Some(line)) => Carried::Line(line),
        (None, None) => Carried::Nothing,
        (Some(_), None) => Carried::Damaged,
    }
}

/// The same line with another `seq`; every other field keeps its bytes. `None` if it is not a JSON object.
pub(super) fn renumber(line: &[u8], seq: u64) -> Option<String> {
    let fields: Fields<'_> = serde_json::from_slice(line).ok()?;
    let mut text = String::with_capacity(line.len() + 8);
    for (i, (key, value)) in fields.0.iter().enumerate() {
        text.push(if i == 0 { '{' } else { ',' });
        text.push_str(&serde_json::to_string(key).ok()?);
        text.push(':');
        if key == "seq" {
            text.push_str(&seq.to_string());
        } else {
            text.push_str(value.get());
        }
    }
    if fields.0.is_empty() {
        text.push('{');
    }
    text.push('}');
    Some(text)
}

/// The fields of an object in their order, values unread.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_of_a_line_changes() {
        let line = r#"{"v":1,"seq":12,"id":"a","mood":{"b":1.50,"a":[1e9, "\u00e9"]},"kind":"answer"}"#;
        let other = renumber(line.as_bytes(), 3).expect("renumber");
        assert_eq!(other, line.replace(r#""seq":12"#, r#""seq":3"#));
    }

    #[test]
    fn what_is_no_object_is_not_carried() {
        assert_eq!(renumber(b"[1]", 1), None);
        assert_eq!(renumber(br#"{"seq":1"#, 1), None);
    }
}
