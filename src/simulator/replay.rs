//! Real feedback from a file, tapped row by row on the real pages.
//!
//! The file has the columns `respondent,date,touchpoint,rating`: one answer to the NHS Friends and Family Test a row, `rating` as that
//! test codes it (1 very good to 5 very poor, 6 don't know) and 7 for a visitor who left without an answer. Lines that begin with `#`
//! are comments. The file knows no time of day, so visits are spread over the opening hours of their day.

use std::{collections::BTreeMap, io::Read, sync::Arc};

use anyhow::{Context, bail, ensure};
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::visitor::{Outcome, Visitor};
use crate::{
    model::{Lang, QuestionId, QuestionnaireRef, Scale, TouchpointId, Value},
    questionnaire::{Hospital, Order, Question, Questionnaire, Stage, Texts, Touchpoint},
};

/// The code of a visitor who left without an answer.
const NOT_ANSWERED: u8 = 7;
/// Visits of a day begin at this local hour, and are over after this many milliseconds.
const OPENS_HOUR: u32 = 8;
const OPEN_MS: i64 = 10 * 3_600 * 1_000;
/// Between two visitors: nobody is taken for a repeat of the one before.
const BETWEEN_VISITS_MS: u64 = 30_000;
/// More visits than these cannot be told apart within a day's opening hours.
const VISITS_PER_DAY_MAX: usize = 400;

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The day.
    pub date: NaiveDate,
    /// The touchpoint's name in the file.
    pub touchpoint: String,
    /// What was tapped; `None`: the visitor left.
    pub value: Option<Value>,
}

/// The rows of a file, in order of their days.
///
/// # Errors
/// The first row that cannot be read, with its line, what is wrong and how to mend it.
pub fn read(file: impl Read) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(file);
    let columns = reader.headers().context("the file has no header line")?.clone();
    let column = |name: &str| {
        columns.iter().position(|column| column == name).with_context(|| {
            format!("the header has no column `{name}`; it must be: respondent,date,touchpoint,rating")
        })
    };
    let (date, touchpoint, rating) = (column("date")?, column("touchpoint")?, column("rating")?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.context("a row cannot be read; write it like: p1,2026-01-31,Pharmacy,2")?;
        let line = record.position().map_or(0, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        rows.push(Row {
            date: day(field(date)).with_context(|| {
                format!("line {line}: `{}` is not a date; write it like 2026-01-31", field(date))
            })?,
            touchpoint: Some(field(touchpoint))
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .with_context(|| format!("line {line}: no touchpoint; name the place that was rated"))?,
            value: rating_value(field(rating)).with_context(|| {
                format!("line {line}: `{}` is no rating; write 1 to 6, or 7 for none", field(rating))
            })?,
        });
    }
    ensure!(!rows.is_empty(), "the file has no rows");
    rows.sort_by_key(|row| row.date);
    Ok(rows)
}

/// A day as `year-month-day`; where that is no date, `year-day-month`: published files hold rows with the two exchanged, and a month
/// above twelve cannot be meant.
fn day(text: &str) -> Option<NaiveDate> {
    ["%Y-%m-%d", "%Y-%d-%m"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok())
}

fn rating_value(text: &str) -> anyhow::Result<Option<Value>> {
    let code: u8 = text.parse()?;
    if code == NOT_ANSWERED {
        return Ok(None);
    }
    ensure!(Scale::Fft6.holds(Value(code)), "out of range");
    Ok(Some(Value(code)))
}

/// What a terminal needs to replay a file.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The given hospital and the touchpoints of the file.
    pub hospital: Arc<Hospital>,
    /// The touchpoints of the file, in order of their names.
    pub touchpoints: Vec<TouchpointId>,
    /// From the name in the file to the touchpoint.
    pub by_name: BTreeMap<String, TouchpointId>,
    /// The zone the days are counted in.
    pub time_zone: Tz,
}

/// Adds the touchpoints of a file to a hospital; each is asked the Friends and Family question.
///
/// # Errors
/// A hospital without a site, or two names in the file that cannot be told apart as ids.
pub fn set_up(base: &Hospital, rows: &[Row]) -> anyhow::Result<Setup> {
    let site = base.sites.first().context("the hospital has no site")?;
    let questionnaire: QuestionnaireRef = "replay-fft@1".parse()?;
    let mut hospital = base.clone();
    let mut by_name: BTreeMap<String, TouchpointId> = BTreeMap::new();
    for row in rows {
        if by_name.contains_key(&row.touchpoint) {
            continue;
        }
        let id = slug(&row.touchpoint)?;
        if hospital.touchpoint(&id).is_some() {
            bail!(
                "touchpoint `{}` cannot be told from another one named `{id}`; rename it in the file",
                row.touchpoint
            );
        }
        hospital.touchpoints.push(Touchpoint {
            id: id.clone(),
            site: site.id.clone(),
            name: Texts(base.languages.iter().map(|lang| (lang.clone(), row.touchpoint.clone())).collect()),
            stage: Stage::Visit,
            dimension: None,
            hours: crate::questionnaire::OpeningHours::default(),
            icon: "generic".into(),
            questionnaire: questionnaire.clone(),
        });
        by_name.insert(row.touchpoint.clone(), id);
    }
    hospital
        .questionnaires
        .push(Questionnaire { id: questionnaire, questions: vec![fft_question(&base.languages)?] });
    let time_zone = site.time_zone;
    Ok(Setup {
        touchpoints: by_name.values().cloned().collect(),
        hospital: Arc::new(hospital),
        by_name,
        time_zone,
    })
}

/// The test's wording, as the NHS publishes it, and a translation.
fn fft_question(languages: &[Lang]) -> anyhow::Result<Question> {
    let wording = |lang: &Lang| {
        if lang.as_str().starts_with("zh") {
            "总的来说，\n您在这里的体验怎么样？"
        } else {
            "Overall, how was your experience of our service?"
        }
    };
    let id: QuestionId = "fft".parse()?;
    Ok(Question {
        id,
        text: Texts(languages.iter().map(|lang| (lang.clone(), wording(lang).to_owned())).collect()),
        scale: Scale::Fft6,
        order: Order::BestFirst,
        reasons: Vec::new(),
    })
}

/// An id from a name: lower case, everything else a dash.
fn slug(name: &str) -> anyhow::Result<TouchpointId> {
    let dashed: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let id = dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    id.parse()
        .with_context(|| format!("touchpoint `{name}` has no letters or digits to make an id of; rename it"))
}

/// What a replay did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Visits that ended with the thank-you page.
    pub thanked: u64,
    /// Visits without an answer.
    pub left: u64,
}

/// Taps every row.
///
/// # Errors
/// The row that could not be tapped, and the page it stuck on.
pub fn run(
    visitor: &mut Visitor<'_>,
    setup: &Setup,
    rows: &[Row],
    mut progress: impl FnMut(Tally),
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for day in rows.chunk_by(|a, b| a.date == b.date) {
        ensure!(
            day.len() <= VISITS_PER_DAY_MAX,
            "{} has {} rows; split the file, a day holds {VISITS_PER_DAY_MAX}",
            day.first().map(|row| row.date.to_string()).unwrap_or_default(),
            day.len()
        );
        for (i, row) in day.iter().enumerate() {
            let offset_ms = OPEN_MS * i64::try_from(i)? / i64::try_from(day.len())?;
            let local = row.date.and_time(NaiveTime::MIN)
                + TimeDelta::hours(i64::from(OPENS_HOUR))
                + TimeDelta::milliseconds(offset_ms);
            let at = setup.time_zone.from_local_datetime(&local).earliest().with_context(|| {
                format!("{local} does not exist in {}: the clocks were moved", setup.time_zone)
            })?;
            visitor.arrive(at.with_timezone(&Utc), BETWEEN_VISITS_MS);
            let touchpoint =
                setup.by_name.get(&row.touchpoint).context("a touchpoint that was not set up")?;
            let outcome = visitor
                .rate(touchpoint, row.value)
                .with_context(|| format!("the visit of {local}: {row:?}"))?;
            match outcome {
                Outcome::Thanked => tally.thanked += 1,
                Outcome::Left => tally.left += 1,
            }
            progress(tally);
        }
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "respondent,date,touchpoint,rating\n";

    #[test]
    fn a_row_says_which_line_is_wrong_and_how_to_mend_it() {
        for (row, words) in [
            ("p1,2026-13-32,Ward,1\n", "line 2: `2026-13-32` is not a date"),
            ("p1,2026-01-31,,1\n", "line 2: no touchpoint"),
            ("p1,2026-01-31,Ward,8\n", "line 2: `8` is no rating"),
            ("p1,2026-01-31,Ward\n", "a row cannot be read"),
        ] {
            let error = read(format!("{HEAD}{row}").as_bytes()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(read(HEAD.as_bytes()).unwrap_err().to_string().contains("no rows"));
        assert!(read("a,b\n1,2\n".as_bytes()).unwrap_err().to_string().contains("`date`"));
    }

    #[test]
    fn seven_is_a_visitor_without_an_answer_and_rows_come_by_day() {
        let file = format!("# licence\n{HEAD}p2,2026-01-31,Ward,7\np1,2026-01-30,Ward,6\n");
        let rows = read(file.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|row| row.value).collect::<Vec<_>>(), [Some(Value(6)), None]);
    }

    #[test]
    fn day_and_month_exchanged_are_read_where_only_that_is_a_date() {
        assert_eq!(day("2022-31-5"), NaiveDate::from_ymd_opt(2022, 5, 31));
        assert_eq!(day("2022-05-06"), NaiveDate::from_ymd_opt(2022, 5, 6));
        assert_eq!(day("2022-31-13"), None);
    }

    #[test]
    fn names_become_ids() {
        assert_eq!(slug("PTS - Patient Transport").unwrap().as_str(), "pts-patient-transport");
        assert_eq!(slug("111").unwrap().as_str(), "111");
        assert!(slug("病房").is_err());
    }
}
