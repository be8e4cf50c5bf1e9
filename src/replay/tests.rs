//! The tests of reading a file, by what they are about.

mod any;
mod places;
mod table;
mod values;

use std::io::Cursor;

use chrono::NaiveDate;

use super::*;
use crate::model::Lang;

const HEAD: &str = "respondent,date,touchpoint,rating\n";

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn options() -> Options {
    Options::new(day(2026, 11, 25), chrono_tz::Asia::Shanghai)
}

fn read_bytes(bytes: &[u8], options: &Options) -> Result<Plan, Findings> {
    read(Cursor::new(bytes), options)
}

fn plan(text: &str) -> Plan {
    read_bytes(text.as_bytes(), &options()).unwrap_or_else(|findings| panic!("{findings}\nin:\n{text}"))
}

fn refused(text: &str) -> String {
    read_bytes(text.as_bytes(), &options()).expect_err(text).to_string()
}

/// A file of one row with this date.
fn dated(date: &str) -> String {
    format!("{HEAD}p1,{date},North,1\n")
}

fn only(plan: &Plan) -> &Row {
    assert_eq!(plan.rows.len(), 1, "{plan:?}");
    &plan.rows[0]
}

#[test]
fn a_wrong_row_is_named_by_its_line_with_what_is_wrong_and_how_to_mend_it() {
    for (row, words) in [
        ("p1,2026-13-32,Ward,1", "line 2: `2026-13-32` is not a date; write it like 2026-01-31"),
        ("p1,yesterday,Ward,1", "line 2: `yesterday` is not a date; write it like 2026-01-31"),
        ("p1,,Ward,1", "line 2: no date"),
        ("p1,2026-01-31,,1", "line 2: no touchpoint"),
        ("p1,2026-01-31,Ward,8", "line 2: `8` is no rating; write 1 to 6, or 7 for none"),
        ("p1,2026-01-31,Ward,1.5", "line 2: `1.5` is no rating; write a whole number"),
        (
            "p1,2026-01-31,Ward,fine",
            "line 2: `fine` is no rating; write 1 to 6, or 7 for none, or say what the word means",
        ),
        ("p1,2026-01-31,Ward,", "for visitors who left without an answer: --ratings \"=none\""),
        ("p1,2026-01-31,Ward", "line 2: a row cannot be read: it has 3 fields, the header 4"),
        (
            "p1,2026-01-31,Ward, B,1",
            "line 2: a row cannot be read: it has 5 fields, the header 4; put quote marks",
        ),
        ("p1,2026-01-31,W\0rd,1", "line 2: the row holds a zero byte"),
    ] {
        let said = refused(&format!("{HEAD}{row}\n"));
        assert!(said.contains(words), "{row:?}: {said}");
    }
}

#[test]
fn a_row_keeps_its_identity_in_another_file_and_equal_rows_stay_different() {
    let ids = |text: &str| plan(text).rows.iter().map(|row| row.identity).collect::<Vec<_>>();
    let one = ids(&format!("{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,1\n"));
    let other = ids("rating;touchpoint;date;respondent;more\n9;South;2026-01-30;p0;\n1;north;30/01/2026;p2;x\n1;North;30/01/2026;p1;y\n".replace("9;", "6;").as_str());
    assert_eq!(one.len(), 2);
    assert!(
        one.iter().all(|id| other.contains(id)),
        "columns, order, separator and format of the date do not matter"
    );
    assert_ne!(one[0], one[1]);
    // Without respondents equal rows are told apart by how many came before, so that a longer export begins with the same ones.
    let short = ids("date,touchpoint,rating\n2026-01-30,North,1\n2026-01-30,North,1\n");
    let long = ids("date,touchpoint,rating\n2026-01-30,North,1\n2026-01-30,North,1\n2026-01-30,North,1\n");
    assert_eq!(short[..], long[..2]);
    assert_eq!(long.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    assert_ne!(ids(&dated("2026-01-30"))[0], ids(&dated("2026-01-31"))[0]);
}

#[test]
fn a_respondent_with_several_rows_is_said_and_counts_once_where_asked() {
    let file = format!("{HEAD}p1,2026-01-30,North,1\np1,2026-01-30,North,1\np1,2026-01-30,North,2\n");
    let read = plan(&file);
    assert_eq!(read.rows.len(), 3);
    assert!(read.notes.iter().any(|note| note.starts_with("1 rows repeat respondent")), "{:?}", read.notes);
    assert!(read.notes.iter().any(|note| note.starts_with("1 rows rate a place again")), "{:?}", read.notes);
    let once = Options { once_per_respondent: true, ..options() };
    let read = read_bytes(file.as_bytes(), &once).unwrap();
    assert_eq!(only(&read).value, Some(Value(1)));
    assert!(
        read.notes.iter().any(|note| note.starts_with("2 rows of respondents who rated")),
        "{:?}",
        read.notes
    );
}

fn ids(names: &[&str]) -> Vec<String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let hospital = crate::config::example().value.hospital;
    let places = names::assign(&names, &hospital, &|_: &Lang, _: &str| Vec::new()).unwrap();
    places.into_iter().map(|place| place.id.to_string()).collect()
}
