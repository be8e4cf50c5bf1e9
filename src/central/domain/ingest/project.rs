//! The effects of new journal entries: which answers they add, change or take back, and which counts change with them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    batch::{Content, Line},
    help::{HelpRow, TestedRow},
    ledger::{AnswerRow, Booked, Ledger, Origin, ReasonsRow},
    reading::{Reading, replaced_by, response_of},
    snapshot::Snapshot,
    time::{BootStart, HOUR_UNKNOWN, Timed, Timekeeper},
};
use crate::{
    model::{
        BootId, ChainId, EntryId, Moment, QuestionId, QuestionnaireRef, ResponseId, SiteId, TerminalId,
        TouchpointId,
    },
    questionnaire::{Hospital, Question},
    wire::{Answer, Body, Entry, EntryError, Quarantined, Reasons},
};

/// Longest reason stored with a withheld or quarantined line: it is read by staff, and a terminal's text is not trusted for length.
const REASON_CHARS_MAX: usize = 300;

/// What became of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EntryState {
    /// Understood and booked.
    Projected,
    /// Understood; of a kind that books nothing.
    NotCounted,
    /// Kept raw, not understood, with the reason.
    Quarantined(String),
    /// Only its leaf hash came, with the terminal's reason.
    Withheld(String),
    /// Its entry id is held under another place; kept, not booked again.
    Repeated,
}

impl EntryState {
    /// The name in tables and files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Projected => "projected",
            Self::NotCounted => "not_counted",
            Self::Quarantined(_) => "quarantined",
            Self::Withheld(_) => "withheld",
            Self::Repeated => "repeated",
        }
    }

    /// The state with this name and reason.
    pub fn from_name(name: &str, reason: Option<String>) -> Option<Self> {
        let reason = reason.unwrap_or_default();
        [
            Self::Projected,
            Self::NotCounted,
            Self::Quarantined(reason.clone()),
            Self::Withheld(reason),
            Self::Repeated,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }

    /// The reason, where there is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Quarantined(reason) | Self::Withheld(reason) => Some(reason),
            Self::Projected | Self::NotCounted | Self::Repeated => None,
        }
    }
}

/// What the meaning of a line depends on besides the line.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What is asked where.
    pub hospital: &'a Hospital,
    /// The site.
    pub site: &'a SiteId,
    /// Its time zone.
    pub zone: Tz,
    /// The terminal.
    pub terminal: &'a TerminalId,
    /// The journal.
    pub chain: ChainId,
    /// When the lines came.
    pub received_at: DateTime<Utc>,
}

/// A terminal changes what it wrote itself, or what the same machine wrote under an earlier name.
fn check_owner(foreign: &HashMap<ResponseId, TerminalId>, body: &Body) -> Result<(), String> {
    let touched = [response_of(body), replaced_by(body)];
    let found = touched.into_iter().flatten().find_map(|id| Some((id, foreign.get(&id)?)));
    found.map_or(Ok(()), |(id, owner)| Err(format!("response `{id}` belongs to terminal `{owner}`")))
}

/// One entry as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// The line with its place and hash.
    pub line: Line,
    /// Corrected time, if it could be read.
    pub timed: Option<Timed>,
    /// What became of it.
    pub state: EntryState,
}

/// Everything a run of lines changes.
#[derive(Debug, Default)]
pub struct Writes {
    /// The entries.
    pub entries: Vec<EntryRow>,
    /// Entry ids seen for the first time, with their place.
    pub new_ids: Vec<(EntryId, u64)>,
    /// Responses, answers, reasons and counts.
    pub booked: Booked,
    /// Calls for help.
    pub help: Vec<HelpRow>,
    /// Buttons with a later test than the one held.
    pub tested: Vec<TestedRow>,
    /// Boots whose start was learnt.
    pub boots: Vec<(BootId, BootStart)>,
    /// The journal's latest dated entry, Unix milliseconds.
    pub last_known_ms: Option<i64>,
    /// Since when the terminal stands where, Unix milliseconds; new rows of its history.
    pub assigned: Vec<(i64, TouchpointId)>,
    /// What the terminal last said that it asks about, and when, if it is new.
    pub told: Option<(i64, Vec<TouchpointId>)>,
}

impl Writes {
    /// How many of the entries are in the quarantine, and how many came without their line.
    pub(crate) fn kept_aside(&self) -> (u64, u64) {
        let count = |is_it: fn(&EntryState) -> bool| {
            self.entries.iter().filter(|row| is_it(&row.state)).count() as u64
        };
        (
            count(|state| matches!(state, EntryState::Quarantined(_))),
            count(|state| matches!(state, EntryState::Withheld(_))),
        )
    }

    /// What the receipt says about lines that were not understood.
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.entries
            .iter()
            .filter_map(|row| match &row.state {
                EntryState::Quarantined(reason) => {
                    Some(Quarantined { seq: row.line.seq, reason: reason.clone() })
                }
                EntryState::Projected
                | EntryState::NotCounted
                | EntryState::Withheld(_)
                | EntryState::Repeated => None,
            })
            .collect()
    }
}

/// Books lines. `sent` is the moment of the signed request that brought them, if they came in one.
pub(crate) fn project(
    context: Context<'_>,
    reading: Reading<'_>,
    held: Snapshot,
    sent: Option<&Moment>,
) -> Writes {
    let foreign = held.foreign(&held.sender(context.terminal));
    let last_known_ms = held.chain.and_then(|chain| chain.last_known_ms);
    let mut time = Timekeeper::new(held.boots, last_known_ms, context.received_at);
    if let Some(sent) = sent {
        time.contact(sent);
    }
    reading.entries().for_each(|entry| time.observe(&entry.at));
    let mut places = held.places;
    let (mut standing, mut help_open) = (held.standing, held.help_open);
    let told_before = standing.told.clone();
    let mut ledger = Ledger::new(context.zone, held.responses, held.answers, held.reasons);
    let mut writes = Writes::default();
    for (line, entry) in reading.0 {
        let mut timed = None;
        let state = match entry {
            None => EntryState::Withheld(match &line.content {
                Content::Withheld { reason, .. } => shortened(reason),
                Content::Line(_) => String::new(),
            }),
            Some(Err(error)) => EntryState::Quarantined(shortened(&explain(&error))),
            Some(Ok(entry)) => {
                let at = time.date(&entry.at);
                timed = Some(at);
                let here = (context.chain, line.seq);
                if *places.entry(entry.id).or_insert_with(|| {
                    writes.new_ids.push((entry.id, line.seq));
                    here
                }) == here
                {
                    let booked = check_owner(&foreign, &entry.body)
                        .and_then(|()| book(context, &mut ledger, &mut writes, line.seq, &entry, at));
                    match booked {
                        Ok(state) => {
                            writes.assigned.extend(standing.take(&entry, at));
                            state
                        }
                        Err(reason) => EntryState::Quarantined(shortened(&reason)),
                    }
                } else {
                    EntryState::Repeated
                }
            }
        };
        writes.entries.push(EntryRow { line: line.clone(), timed, state });
    }
    if sent.is_none() {
        // Tried again from the quarantine: whoever called did so long ago.
        writes.help.iter_mut().for_each(|call| call.late = true);
    }
    let rings = std::mem::take(&mut writes.help).into_iter();
    writes.help = rings.map(|call| call.take_place(&mut help_open)).collect();
    writes.told = (standing.told != told_before).then_some(standing.told);
    writes.tested = latest_tests(writes.tested, held.tested);
    ledger.date(held.undated, time.learnt());
    writes.booked = ledger.close();
    writes.boots = time.learnt().to_vec();
    writes.last_known_ms = time.last_known_ms();
    writes
}

/// Of each button the latest test, where it is later than the one held.
fn latest_tests(tested: Vec<TestedRow>, mut held: HashMap<String, i64>) -> Vec<TestedRow> {
    let mut latest = BTreeMap::new();
    for row in tested {
        if held.get(&row.target).is_none_or(|at_ms| *at_ms < row.at_ms) {
            held.insert(row.target.clone(), row.at_ms);
            latest.insert(row.target.clone(), row);
        }
    }
    latest.into_values().collect()
}

fn book(
    context: Context<'_>,
    ledger: &mut Ledger,
    writes: &mut Writes,
    seq: u64,
    entry: &Entry,
    at: Timed,
) -> Result<EntryState, String> {
    if entry.seq != seq {
        return Err(format!("the line says it is entry {}, it stands at {seq}", entry.seq));
    }
    let origin = Origin {
        chain: context.chain,
        seq,
        boot: entry.at.boot,
        up_ms: entry.at.up_ms,
        received_ms: context.received_at.timestamp_millis(),
    };
    match &entry.body {
        Body::Answer(answer) => ledger.answer(answer_row(context, answer, origin, at)?),
        Body::Reasons(reasons) => {
            ledger.reasons(reasons_row(context, reasons, origin)?, context.terminal, at.at_ms);
        }
        Body::ResponseEnd(end) => {
            if let Some(touchpoint) = &end.touchpoint {
                known_touchpoint(context, touchpoint)?;
            }
            let touchpoint = end.touchpoint.as_ref();
            ledger.end(end.response, context.terminal, touchpoint, (end.outcome, end.replaces), at.at_ms);
        }
        Body::HelpCalled(call) => writes.help.push(HelpRow::new(entry.id, context, call, at)),
        Body::SelfTest(test) => {
            writes.tested.push(TestedRow { target: shortened(&test.target), of: test.of, at_ms: at.at_ms });
        }
        Body::Boot(_) | Body::Cleaning(_) | Body::Config(_) => return Ok(EntryState::NotCounted),
    }
    Ok(EntryState::Projected)
}

fn answer_row(
    context: Context<'_>,
    answer: &Answer,
    origin: Origin,
    timed: Timed,
) -> Result<AnswerRow, String> {
    known_touchpoint(context, &answer.touchpoint)?;
    let question = known_question(context, &answer.questionnaire, &answer.question)?;
    if question.scale != answer.scale {
        return Err(format!(
            "question `{}` of `{}` has scale {}, the answer has {}",
            answer.question, answer.questionnaire, question.scale, answer.scale
        ));
    }
    if !answer.scale.holds(answer.value) {
        return Err(format!("{} is no value of scale {}", answer.value, answer.scale));
    }
    Ok(AnswerRow {
        response: answer.response,
        question: answer.question.clone(),
        touchpoint: answer.touchpoint.clone(),
        questionnaire: answer.questionnaire.clone(),
        scale: answer.scale,
        value: answer.value,
        lang: answer.lang.clone(),
        shown_ms: answer.shown_ms,
        flags: answer.flags.clone(),
        counted: true,
        terminal: context.terminal.clone(),
        origin,
        timed,
        hour: HOUR_UNKNOWN,
    })
}

fn reasons_row(context: Context<'_>, reasons: &Reasons, origin: Origin) -> Result<ReasonsRow, String> {
    known_touchpoint(context, &reasons.touchpoint)?;
    let question = known_question(context, &reasons.questionnaire, &reasons.question)?;
    let group = question.reasons_for(reasons.value);
    for chosen in &reasons.reasons {
        if !group.is_some_and(|group| group.reasons.iter().any(|reason| &reason.id == chosen)) {
            return Err(format!(
                "reason `{chosen}` is not configured for value {} of question `{}` of `{}`",
                reasons.value, reasons.question, reasons.questionnaire
            ));
        }
    }
    Ok(ReasonsRow {
        response: reasons.response,
        question: reasons.question.clone(),
        touchpoint: reasons.touchpoint.clone(),
        questionnaire: reasons.questionnaire.clone(),
        value: reasons.value,
        chosen: reasons.reasons.clone(),
        lang: reasons.lang.clone(),
        origin,
    })
}

fn known_touchpoint(context: Context<'_>, id: &TouchpointId) -> Result<(), String> {
    match context.hospital.touchpoint(id) {
        Some(touchpoint) if &touchpoint.site == context.site => Ok(()),
        Some(touchpoint) => Err(format!("touchpoint `{id}` belongs to site `{}`", touchpoint.site)),
        None => Err(format!("touchpoint `{id}` is not configured")),
    }
}

fn known_question<'a>(
    context: Context<'a>,
    questionnaire: &QuestionnaireRef,
    question: &QuestionId,
) -> Result<&'a Question, String> {
    context
        .hospital
        .questionnaire(questionnaire)
        .ok_or_else(|| format!("questionnaire `{questionnaire}` is not configured"))?
        .question(question)
        .ok_or_else(|| format!("question `{question}` is not configured in `{questionnaire}`"))
}

/// The whole chain of causes in one line: this text is all that staff see of the error.
fn explain(error: &EntryError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

pub(super) fn shortened(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}
