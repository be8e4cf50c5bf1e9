//! Calls for help: those that ring, and those before.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::{
    central::{
        queries::help::{CallRow, CallState},
        web::words::{Words, time_of_day},
    },
    lang::CentralText,
    model::SiteId,
};

/// Earlier calls shown.
const EARLIER_MAX: usize = 20;

/// Calls of one terminal that ring: one place to go to.
pub(super) struct Open {
    pub(super) ids: String,
    pub(super) touchpoint: String,
    pub(super) place: String,
    /// What a screen reader says.
    pub(super) rings: String,
    pub(super) waits: String,
    pub(super) facts: Vec<String>,
}

/// A call that no longer rings.
pub(super) struct Earlier {
    pub(super) id: String,
    pub(super) place: String,
    pub(super) terminal: String,
    pub(super) when: String,
    pub(super) became: String,
    pub(super) speaks: String,
    pub(super) is_late: bool,
}

/// Who waits longest comes first.
pub(super) fn open(
    words: Words,
    calls: &[CallRow],
    now: DateTime<Utc>,
    zone: impl Fn(&SiteId) -> Tz,
) -> Vec<Open> {
    let mut ringing: Vec<&CallRow> = calls.iter().filter(|call| call.state == CallState::Open).collect();
    ringing.sort_by_key(|call| call.at);
    let mut groups: Vec<Vec<&CallRow>> = Vec::new();
    for call in ringing {
        let is_same = |group: &&mut Vec<&CallRow>| {
            group.iter().any(|one| {
                (&one.site, &one.terminal, &one.touchpoint) == (&call.site, &call.terminal, &call.touchpoint)
            })
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(call),
            None => groups.push(vec![call]),
        }
    }
    groups.iter().filter_map(|calls| one_place(words, calls, now, &zone)).collect()
}

fn one_place(
    words: Words,
    calls: &[&CallRow],
    now: DateTime<Utc>,
    zone: impl Fn(&SiteId) -> Tz,
) -> Option<Open> {
    let first = calls.first()?;
    let mut tongues: Vec<String> = Vec::new();
    for tongue in calls.iter().map(|call| words.tongue(&call.lang)) {
        if !tongues.contains(&tongue) {
            tongues.push(tongue);
        }
    }
    let made: u64 = calls.iter().map(|call| call.calls).sum();
    let mut facts = vec![
        words.fill(CentralText::Speaks, &[("lang", &tongues.join(", "))]),
        time_of_day(first.at, now, zone(&first.site)),
    ];
    if made > 1 {
        facts.push(words.fill(CentralText::Again, &[("n", &made.to_string())]));
    }
    facts.push(first.terminal.to_string());
    let ids: Vec<String> = calls.iter().map(|call| call.id.to_string()).collect();
    Some(Open {
        ids: ids.join(" "),
        touchpoint: first.touchpoint.to_string(),
        place: place(words, first),
        rings: words.fill(
            CentralText::Rings,
            &[("place", &place(words, first)), ("lang", &words.tongue(&first.lang))],
        ),
        waits: words.fill(CentralText::Waits, &[("span", &words.span(age_s(first)))]),
        facts,
    })
}

/// Those that nobody has noted come first.
pub(super) fn earlier(
    words: Words,
    calls: &[CallRow],
    now: DateTime<Utc>,
    zone: impl Fn(&SiteId) -> Tz,
) -> Vec<Earlier> {
    let mut list: Vec<&CallRow> = calls.iter().filter(|call| call.state != CallState::Open).collect();
    list.sort_by_key(|call| call.state != CallState::Late);
    let row = |call: &&CallRow| {
        let zone = zone(&call.site);
        let answered = call.answered_at.map_or(0, |at| (at - call.at).num_seconds());
        let when = if call.time_known {
            let span = words.span(age_s(call));
            words.fill(CentralText::CalledAt, &[("time", &time_of_day(call.at, now, zone)), ("span", &span)])
        } else {
            words.fill(CentralText::CalledUnknown, &[("time", &time_of_day(call.received_at, now, zone))])
        };
        Earlier {
            id: call.id.to_string(),
            place: place(words, call),
            terminal: call.terminal.to_string(),
            when,
            became: match (call.state, call.late) {
                (CallState::Late, _) => words.t(CentralText::LateCall).to_owned(),
                (_, true) => words.t(CentralText::NotedCall).to_owned(),
                (_, false) => words.fill(CentralText::AnsweredCall, &[("span", &words.span(answered))]),
            },
            speaks: words.fill(CentralText::Speaks, &[("lang", &words.tongue(&call.lang))]),
            is_late: call.state == CallState::Late,
        }
    };
    list.iter().take(EARLIER_MAX).map(row).collect()
}

fn age_s(call: &CallRow) -> i64 {
    i64::try_from(call.age_s).unwrap_or(i64::MAX)
}

fn place(words: Words, call: &CallRow) -> String {
    let name = words.name(&call.names);
    if name.is_empty() { call.touchpoint.to_string() } else { name }
}
