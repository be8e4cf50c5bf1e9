//! Scores, and counts of the reasons that visitors gave.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{QueryError, short, sites};
use crate::{
    central::{
        app::App,
        domain::scores::{
            self, Asked as AskedSpan, Bound, Grouping, QuestionReasons, Range, ScoreRow, Slot, days_of,
            local_text, range_of, slots,
        },
        in_force::InForce,
        store::CountQuery,
    },
    model::{QuestionId, SiteId, TouchpointId, millis},
    questionnaire::Site,
    wire::EXAMPLE_HARDWARE,
};

/// Which figures.
#[derive(Clone, Copy, Debug)]
pub(in crate::central) struct Asked<'a> {
    /// The span.
    pub(in crate::central) span: AskedSpan<'a>,
    /// Which answers count.
    pub(in crate::central) filter: Filter,
    /// Only this touchpoint.
    pub(in crate::central) touchpoint: Option<&'a str>,
    /// Only this site.
    pub(in crate::central) site: Option<&'a str>,
}

/// Which answers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::central) enum Filter {
    /// Without answers the terminal flagged.
    #[default]
    Filtered,
    /// All answers.
    Raw,
}

impl Filter {
    /// The word in addresses.
    pub(in crate::central) const fn name(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Raw => "raw",
        }
    }
}

/// The span that the rows of a site cover.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Span {
    /// The site.
    #[schema(value_type = String)]
    pub(in crate::central) site: SiteId,
    /// Its time zone, in which days and hours are counted.
    pub(in crate::central) time_zone: String,
    /// The time there when the figures were computed.
    pub(in crate::central) now: String,
    /// First instant; none: since there are answers.
    pub(in crate::central) from: Option<String>,
    /// First instant that is no longer part of it; none: up to the latest answer.
    pub(in crate::central) to: Option<String>,
    /// First day.
    pub(in crate::central) first_day: Option<String>,
    /// Last day.
    pub(in crate::central) last_day: Option<String>,
    /// Every hour or day of it, also those without answers; empty for sums.
    pub(in crate::central) slots: Vec<Slot>,
}

impl Span {
    fn new(site: &Site, range: Range, by: Grouping, now: DateTime<Utc>) -> Self {
        let zone = site.time_zone;
        let (first_day, last_day) = days_of(range, zone);
        Self {
            site: site.id.clone(),
            time_zone: zone.name().to_owned(),
            now: local_text(now.timestamp(), zone),
            from: range.from.map(|at| local_text(at, zone)),
            to: range.to.map(|at| local_text(at, zone)),
            first_day,
            last_day,
            slots: slots(range, by, zone),
        }
    }
}

/// Scores.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Scores {
    /// When they were computed.
    #[serde(with = "millis")]
    pub(in crate::central) time: DateTime<Utc>,
    /// What a row stands for.
    pub(in crate::central) by: Grouping,
    /// Which answers count.
    pub(in crate::central) filter: Filter,
    /// Cells with fewer answers are hidden.
    pub(in crate::central) hide_below: u64,
    /// Some of the answers are example data: a program made them, and nobody gave them.
    pub(in crate::central) example: bool,
    /// The span of each site.
    pub(in crate::central) spans: Vec<Span>,
    /// Where a long answer goes on: ask again with this as `from` and the same `to`. None if this is all.
    pub(in crate::central) next: Option<String>,
    /// The scores.
    pub(in crate::central) rows: Vec<ScoreRow>,
}

/// Reasons.
#[derive(Serialize, ToSchema)]
pub(in crate::central) struct Reasons {
    /// When they were counted.
    #[serde(with = "millis")]
    pub(in crate::central) time: DateTime<Utc>,
    /// Which answers count.
    pub(in crate::central) filter: Filter,
    /// Cells with fewer visitors are hidden.
    pub(in crate::central) hide_below: u64,
    /// The span of each site.
    pub(in crate::central) spans: Vec<Span>,
    /// The reasons.
    pub(in crate::central) rows: Vec<QuestionReasons>,
}

/// Scores of what is asked for. A report by hour or day that would have more rows than `rows_max` ends early and says where to go on.
///
/// # Errors
/// [`QueryError`]: a touchpoint, site or span that does not exist, or a failing store.
pub(in crate::central) async fn scores(
    app: &App,
    asked: Asked<'_>,
    by: Grouping,
    rows_max: usize,
) -> Result<Scores, QueryError> {
    let (filter, now) = (asked.filter, app.now());
    let touchpoint = asked.touchpoint.map(read_touchpoint).transpose()?;
    let (mut spans, mut reports, mut example) = (Vec::new(), Vec::new(), false);
    let (in_force, sites) = (app.in_force(), sites(app, asked.site)?);
    for site in &sites {
        example |= holds_example(app, &site.id).await?;
        let range = range_of(asked.span, Bound::from(by), now, site.time_zone)?;
        let counts =
            app.store.counts(&site.id, count_query(touchpoint.as_ref(), range, by.is_timed())).await?;
        let request = request(&in_force, site, touchpoint.as_ref(), (by, filter), rows_max);
        reports.push(scores::report(request, &counts));
        spans.push((site, range));
    }
    // All sites end at the same instant, so that one `next` goes on for all.
    let next = reports.iter().filter_map(|report| report.next).min();
    let mut rows: Vec<ScoreRow> = reports.into_iter().flat_map(|report| report.rows).collect();
    if let Some(next) = next {
        let still = |row: &ScoreRow| {
            row.start
                .as_ref()
                .and_then(|start| start.parse::<DateTime<Utc>>().ok())
                .is_none_or(|at| at.timestamp() < next)
        };
        rows.retain(still);
        spans.iter_mut().for_each(|(_, range)| range.to = Some(next));
    }
    if let Some(id) = touchpoint.filter(|_| rows.is_empty()) {
        known_touchpoint(app, &id)?;
    }
    let hide_below = in_force.suppression.limit;
    // As it can stand in a query: a plus sign would be read as a space.
    let next = next.map(|at| local_text(at, chrono_tz::UTC).replace("+00:00", "Z"));
    let spans = spans.into_iter().map(|(site, range)| Span::new(site, range, by, now)).collect();
    Ok(Scores { time: now, by, filter, hide_below, example, spans, next, rows })
}

/// Reasons of what is asked for.
///
/// # Errors
/// As [`scores()`].
pub(in crate::central) async fn reasons(
    app: &App,
    asked: Asked<'_>,
    question: Option<&str>,
) -> Result<Reasons, QueryError> {
    let (filter, now, by) = (asked.filter, app.now(), Grouping::Question);
    let touchpoint = asked.touchpoint.map(read_touchpoint).transpose()?;
    let question: Option<QuestionId> = question
        .map(|id| id.parse().map_err(|_| QueryError::Unreadable(format!("`{}` is no question", short(id)))))
        .transpose()?;
    let (mut spans, mut rows) = (Vec::new(), Vec::new());
    let (in_force, sites) = (app.in_force(), sites(app, asked.site)?);
    for site in &sites {
        let range = range_of(asked.span, Bound::Sums, now, site.time_zone)?;
        let counts =
            app.store.reason_counts(&site.id, count_query(touchpoint.as_ref(), range, false)).await?;
        let request = request(&in_force, site, touchpoint.as_ref(), (by, filter), usize::MAX);
        rows.extend(scores::reasons(request, question.as_ref(), &counts));
        spans.push(Span::new(site, range, by, now));
    }
    if let Some(id) = touchpoint.filter(|_| rows.is_empty()) {
        known_touchpoint(app, &id)?;
    }
    let hide_below = in_force.suppression.limit;
    Ok(Reasons { time: now, filter, hide_below, spans, rows })
}

/// Whether a terminal of this site sends made-up answers.
async fn holds_example(app: &App, site: &SiteId) -> Result<bool, QueryError> {
    Ok(app.store.terminals(site).await?.iter().any(|terminal| terminal.hardware_id == EXAMPLE_HARDWARE))
}

fn request<'a>(
    in_force: &'a InForce,
    site: &'a Site,
    touchpoint: Option<&'a TouchpointId>,
    (by, filter): (Grouping, Filter),
    rows_max: usize,
) -> scores::Request<'a> {
    scores::Request {
        hospital: &in_force.history.hospital,
        closed: &in_force.history.closed,
        site: &site.id,
        zone: site.time_zone,
        touchpoint,
        by,
        raw: filter == Filter::Raw,
        rule: in_force.suppression,
        rows_max,
    }
}

fn count_query(touchpoint: Option<&TouchpointId>, range: Range, hourly: bool) -> CountQuery {
    CountQuery { touchpoint: touchpoint.cloned(), from_hour: range.from, to_hour: range.to, hourly }
}

fn read_touchpoint(id: &str) -> Result<TouchpointId, QueryError> {
    id.parse().map_err(|_| unknown_touchpoint(id))
}

/// A place without any row exists if the touchpoints file has it; one that is closed has rows.
fn known_touchpoint(app: &App, id: &TouchpointId) -> Result<(), QueryError> {
    app.in_force().history.hospital.touchpoint(id).map(|_| ()).ok_or_else(|| unknown_touchpoint(id.as_str()))
}

fn unknown_touchpoint(id: &str) -> QueryError {
    QueryError::Unknown(format!(
        "there is no touchpoint `{}` in the touchpoints file, and none with answers",
        short(id)
    ))
}
