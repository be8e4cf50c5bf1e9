//! The overview: help calls, incidents, a card for each touchpoint, terminals. It keeps itself fresh by server-sent events.

mod calls;
mod cards;
mod lists;

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{error, frame::Frame};
use crate::{
    central::{
        app::{App, Shared},
        domain::scores::{Asked as AskedSpan, Grouping, Period},
        queries::{
            QueryError, chains, help, incidents,
            scores::{Asked, Filter, Span, reasons, scores},
            sites, terminals,
        },
    },
    lang::CentralText,
};
use calls::{Earlier, Open};
use cards::Card;
use lists::{Incident, Terminal};

/// The periods that a reader may choose.
const PERIODS: [(Period, &str, Option<&str>); 5] = [
    (Period::Today, "today", None),
    (Period::Days7, "7d", Some("7")),
    (Period::Days28, "28d", Some("28")),
    (Period::Days91, "91d", Some("91")),
    (Period::All, "all", None),
];

/// What the overview shows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::central) struct OverviewQuery {
    /// `all` if not given.
    #[param(inline)]
    period: Option<Period>,
    /// `filtered` if not given.
    #[param(inline)]
    filter: Option<Filter>,
    /// Only this site.
    site: Option<String>,
    /// The page's language; kept in a cookie.
    #[expect(dead_code, reason = "read by the frame of every page; named here for the document")]
    lang: Option<String>,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview<'a> {
    frame: &'a Frame,
    title: &'a str,
    updated: String,
    example: bool,
    open: Vec<Open>,
    earlier: Vec<Earlier>,
    incidents: Vec<Incident>,
    choices: Vec<Choice>,
    spans: Vec<String>,
    cards: Vec<Card>,
    legend: String,
    terminals: Vec<Terminal>,
    /// The parameters that files are downloaded with.
    chosen: String,
}

/// Links of which one is chosen.
struct Choice {
    id: &'static str,
    label: &'static str,
    links: Vec<Link>,
}

struct Link {
    key: String,
    text: String,
    href: String,
    here: bool,
}

/// The overview.
#[utoipa::path(
    get, path = "/", tag = "pages", params(OverviewQuery),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 400, description = "a parameter cannot be read", body = String, content_type = "text/html"),
        (status = 404, description = "no such site", body = String, content_type = "text/html"),
    )
)]
pub(in crate::central) async fn overview(
    frame: Frame,
    State(app): State<Shared>,
    query: Result<Query<OverviewQuery>, QueryRejection>,
) -> Response {
    let query = query.map_err(|rejection| QueryError::Unreadable(rejection.body_text()));
    let shown = match query {
        Ok(Query(query)) => load(&app, &frame, &query).await,
        Err(error) => Err(error),
    };
    match shown {
        Ok(page) => error::show(&frame, &page),
        Err(error) => error::page(&frame, error),
    }
}

async fn load<'a>(app: &App, frame: &'a Frame, query: &OverviewQuery) -> Result<Overview<'a>, QueryError> {
    let (words, now, site) = (frame.words, app.now(), query.site.as_deref());
    let span = |period| AskedSpan { period: Some(period), from: None, to: None };
    let (period, filter) = (query.period.unwrap_or(Period::All), query.filter.unwrap_or_default());
    let asked = Asked { span: span(period), filter, touchpoint: None, site };
    let figures = scores(app, asked, Grouping::Touchpoint, usize::MAX).await?;
    let hours =
        scores(app, Asked { span: span(Period::Hours24), ..asked }, Grouping::Hour, usize::MAX).await?;
    let reasons = reasons(app, asked, None).await?;
    let calls = help::calls(app, site).await?;
    let zone = |site: &_| app.zone(site);
    let k = figures.hide_below.to_string();
    let time = figures.spans.first().and_then(|span| span.now.get(11..19)).unwrap_or_default();
    let updated = words.fill(CentralText::Updated, &[("time", time)]);
    Ok(Overview {
        title: words.t(CentralText::Site),
        updated: format!("{} · {updated}", words.t(CentralText::Live)),
        example: figures.example,
        open: calls::open(words, &calls, now, zone),
        earlier: calls::earlier(words, &calls, now, zone),
        incidents: lists::incidents(words, incidents::incidents(app, site).await?, now),
        choices: choices(app, frame, query)?,
        spans: figures.spans.iter().map(|span| span_text(frame, span)).collect(),
        cards: cards::cards(words, &figures, &hours, &reasons),
        legend: words.fill(CentralText::Legend, &[("k", &k)]),
        terminals: lists::terminals(
            words,
            &terminals::terminals(app, site).await?,
            &chains::chains(app, site).await?,
            now,
        ),
        chosen: parameters(period, filter, site),
        frame,
    })
}

/// Which days the figures are of.
fn span_text(frame: &Frame, span: &Span) -> String {
    let zone = ("zone", span.time_zone.as_str());
    match (&span.first_day, &span.last_day) {
        (Some(from), Some(to)) => frame.words.fill(CentralText::Since, &[("from", from), ("to", to), zone]),
        _ => frame.words.fill(CentralText::AllTimeIn, &[zone]),
    }
}

fn parameters(period: Period, filter: Filter, site: Option<&str>) -> String {
    let period = PERIODS.iter().find(|(known, ..)| *known == period).map_or("all", |(_, key, _)| key);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("period", period).append_pair("filter", filter.name());
    if let Some(site) = site {
        query.append_pair("site", site);
    }
    query.finish()
}

fn choices(app: &App, frame: &Frame, query: &OverviewQuery) -> Result<Vec<Choice>, QueryError> {
    let words = frame.words;
    let (now, filter) = (query.period.unwrap_or(Period::All), query.filter.unwrap_or_default());
    let site = query.site.as_deref();
    let link = |key: &str, text: String, (period, filter, site): (_, _, Option<&str>), here| Link {
        key: key.to_owned(),
        text,
        href: format!("{}/?{}", frame.base, parameters(period, filter, site)),
        here,
    };
    let periods = PERIODS.iter().map(|(period, key, days)| {
        let text = match (days, period) {
            (Some(n), _) => words.fill(CentralText::Days, &[("n", n)]),
            (None, Period::Today) => words.t(CentralText::Today).to_owned(),
            (None, _) => words.t(CentralText::AllTime).to_owned(),
        };
        link(key, text, (*period, filter, site), *period == now)
    });
    let filters = [(Filter::Filtered, CentralText::Filtered), (Filter::Raw, CentralText::Raw)];
    let filters = filters
        .map(|(one, text)| link(one.name(), words.t(text).to_owned(), (now, one, site), one == filter));
    let mut choices = vec![
        Choice { id: "period", label: words.t(CentralText::Period), links: periods.collect() },
        Choice { id: "filter", label: words.t(CentralText::WhichAnswers), links: filters.into() },
    ];
    let all = sites(app, None)?;
    if all.len() > 1 {
        let everywhere =
            link("", words.t(CentralText::AllSites).to_owned(), (now, filter, None), site.is_none());
        let links = all.iter().map(|one| {
            let id = one.id.as_str();
            link(id, words.name(&one.name), (now, filter, Some(id)), site == Some(id))
        });
        let links = std::iter::once(everywhere).chain(links).collect();
        choices.insert(0, Choice { id: "site", label: words.t(CentralText::Sites), links });
    }
    Ok(choices)
}
