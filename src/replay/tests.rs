use std::io::{Cursor, SeekFrom};

use chrono::NaiveDate;
use encoding_rs::{BIG5, GBK};
use proptest::prelude::*;

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
fn every_bad_line_is_named_up_to_fifty_and_all_are_counted_before_anything_is_tapped() {
    let row = |i: u32| format!("p{i},2026-01-30,North,{}\n", if i.is_multiple_of(2) { "1" } else { "bad" });
    let text: String = std::iter::once(HEAD.to_owned()).chain((0..120).map(row)).collect();
    let findings = read_bytes(text.as_bytes(), &options()).unwrap_err();
    assert_eq!((findings.count, findings.named.len()), (60, 50));
    let lines: Vec<u64> = findings.named.iter().filter_map(|finding| finding.line).collect();
    assert_eq!(lines, (0..50).map(|i| 3 + 2 * i).collect::<Vec<u64>>());
    assert!(findings.to_string().starts_with("60 findings, the first 50:\n  line 3: `bad`"), "{findings}");
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for (name, text) in [
        ("unix", format!("{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,bad\n")),
        ("windows", format!("{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,bad\n").replace('\n', "\r\n")),
        ("old mac", format!("{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,bad\n").replace('\n', "\r")),
        ("no end", format!("{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,bad")),
        ("quotes", "\"respondent\",\"date\",\"touchpoint\",\"rating\"\n\"p1\",\"2026-01-30\",\"North\",\"1\"\n\"p2\",\"2026-01-30\",\"North\",\"bad\"\n".to_owned()),
        ("bom", format!("\u{feff}{HEAD}p1,2026-01-30,North,1\np2,2026-01-30,North,bad\n")),
    ] {
        let said = refused(&text);
        assert!(said.starts_with("line 3: `bad` is no rating"), "{name}: {said}");
    }
    let comments = format!("# licence\n\n{HEAD}\n\np1,2026-01-30,North,bad\n");
    assert!(refused(&comments).starts_with("line 6: `bad`"), "{}", refused(&comments));
    let breaks = format!("{HEAD}\"p\n1\",2026-01-30,\"No\nrth\",1\np2,2026-01-30,North,bad\n");
    assert!(refused(&breaks).starts_with("line 5: `bad`"), "{}", refused(&breaks));
    let good = plan(&breaks.replace("bad", "2"));
    assert_eq!(good.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(good.places, ["No rth", "North"]);
}

#[test]
fn a_quote_mark_that_is_never_closed_is_said() {
    let said =
        refused(&format!("{HEAD}p1,2026-01-30,\"North,1\np2,2026-01-30,North,1\np3,2026-01-30,North,1\n"));
    assert!(said.contains("line 2: ") && said.contains("a quote mark may not be closed"), "{said}");
}

#[test]
fn dates_are_read_as_people_write_them() {
    for text in [
        "2026-01-31",
        "2026/1/31",
        "2026.01.31",
        "2026-1-31",
        "2026年1月31日",
        "2026年01月31号",
        "20260131",
        "２０２６-０１-３１",
        "31/01/2026",
        "31.1.2026",
        "31-01-2026",
        "01/31/2026",
        "31 Jan 2026",
        "31-Jan-2026",
        "\"Jan 31, 2026\"",
        "\"January 31, 2026\"",
        "2026-Jan-31",
        "46053",
        "46053.0",
        "2026-01-31 00:00:00",
        "2026-01-31T00:00",
        " 2026-01-31 ",
        "2026-31-01",
    ] {
        let read = plan(&dated(text));
        assert_eq!((only(&read).date, only(&read).time), (day(2026, 1, 31), None), "{text}");
    }
    for (text, hour, minute) in [
        ("2026-01-31T08:30:00", 8, 30),
        ("2026-01-31 8:30", 8, 30),
        ("2026-01-31T08:30:15.250", 8, 30),
        ("2026/1/31 20:30", 20, 30),
        ("1/31/2026 8:30 PM", 20, 30),
        ("2026年1月31日 下午8:30", 20, 30),
        ("1/31/2026 12:30 AM", 0, 30),
        ("46053.354166667", 8, 30),
        // 8:30 in Shanghai
        ("2026-01-31T00:30:00Z", 8, 30),
        ("2026-01-31T02:30+02:00", 8, 30),
        ("2026-01-30 19:30:00 -0500", 8, 30),
        ("2026-01-31 00:30:00 UTC", 8, 30),
    ] {
        let read = plan(&dated(text));
        let time = only(&read).time.unwrap_or_else(|| panic!("{text}"));
        let minutes = chrono::Timelike::num_seconds_from_midnight(&time) / 60;
        assert_eq!((only(&read).date, minutes), (day(2026, 1, 31), hour * 60 + minute), "{text}");
    }
    // An offset can move the day.
    assert_eq!(only(&plan(&dated("2026-01-30T20:00:00Z"))).date, day(2026, 1, 31));
    assert!(plan(&dated("46053")).notes.iter().any(|note| note.contains("numbers of a spreadsheet")));
}

#[test]
fn dates_are_refused_unless_their_year_has_four_digits_and_lies_between_2000_and_tomorrow() {
    for (text, words) in [
        ("31-01-22", "line 2: `31-01-22` has a year of two digits"),
        ("26-01-31", "line 2: `26-01-31` has a year of two digits"),
        ("1/2/26", "a year of two digits"),
        ("31 Jan 26", "a year of two digits"),
        ("0026-01-31", "is before the year 2000"),
        ("1999-12-31", "line 2: `1999-12-31` is before the year 2000"),
        ("9999-12-31", "line 2: `9999-12-31` is later than tomorrow"),
        ("2026-11-27", "line 2: `2026-11-27` is later than tomorrow"),
        ("2026-02-30", "line 2: `2026-02-30` is not a date"),
        ("2026-01-31 25:00", "the time in `2026-01-31 25:00` cannot be read"),
        ("2026-01-31 13:00 PM", "the time in"),
        ("2026-01", "is not a date"),
        ("1", "is not a date"),
        ("99999999", "is not a date"),
        ("999999999999999999999999", "is not a date"),
        ("2026-01-31-01", "the time in"),
    ] {
        let said = refused(&dated(text));
        assert!(said.contains(words), "{text}: {said}");
    }
    assert_eq!(only(&plan(&dated("2026-11-26"))).date, day(2026, 11, 26));
    assert_eq!(only(&plan(&dated("2000-01-01"))).date, day(2000, 1, 1));
    // One row with two digits among good ones: it is named, and nothing is read as the year 26.
    let said = refused(&format!("{HEAD}p1,2026-01-30,North,1\np2,26-01-31,North,5\n"));
    assert!(said.starts_with("line 3: `26-01-31` has a year of two digits"), "{said}");
}

#[test]
fn the_order_of_day_and_month_is_decided_for_the_whole_file() {
    let file = |dates: &[&str]| {
        dates
            .iter()
            .enumerate()
            .fold(HEAD.to_owned(), |file, (i, date)| file + &format!("p{i},{date},North,1\n"))
    };
    let read = plan(&file(&["01/02/2026", "13/02/2026"]));
    assert_eq!(read.rows.iter().map(|row| row.date).collect::<Vec<_>>(), [day(2026, 2, 1), day(2026, 2, 13)]);
    assert!(
        read.notes.contains(&"dates are day/month/year throughout, as line 3 shows".to_owned()),
        "{:?}",
        read.notes
    );
    let read = plan(&file(&["01/02/2026", "02/13/2026"]));
    assert_eq!(read.rows.iter().map(|row| row.date).collect::<Vec<_>>(), [day(2026, 1, 2), day(2026, 2, 13)]);
    let said = refused(&file(&["02/02/2026", "01/02/2026", "03/04/2026"]));
    assert_eq!(
        said,
        "line 3: the day and the month cannot be told apart in this and in 1 more rows; say which comes first: --dates dmy or --dates mdy"
    );
    let said = refused(&file(&["13/02/2026", "02/13/2026"]));
    assert!(said.contains("line 2 has the day first and line 3 the month"), "{said}");
    let told = Options { day_month: Some(DayMonth::MonthFirst), ..options() };
    let read = read_bytes(file(&["01/02/2026"]).as_bytes(), &told).unwrap();
    assert_eq!(only(&read).date, day(2026, 1, 2));
    let wrong = read_bytes(file(&["13/02/2026"]).as_bytes(), &told).unwrap_err().to_string();
    assert!(wrong.contains("does not fit the order given"), "{wrong}");
    // The same day either way needs no decision.
    assert_eq!(only(&plan(&file(&["02/02/2026"]))).date, day(2026, 2, 2));
}

#[test]
fn year_first_dates_with_exchanged_day_and_month_are_read_and_counted() {
    let read = plan(&format!("{HEAD}p1,2022-31-5,North,1\np2,2022-05-06,North,1\np3,2022-05-31,North,1\n"));
    assert_eq!(
        read.rows.iter().map(|row| row.date).collect::<Vec<_>>(),
        [day(2022, 5, 6), day(2022, 5, 31), day(2022, 5, 31)]
    );
    assert!(
        read.notes.iter().any(|note| note.starts_with("1 dates have a month above 12 (the first in line 2)")),
        "{:?}",
        read.notes
    );
    // Where no row is year-month-day, the whole file is year-day-month.
    let read = plan(&format!("{HEAD}p1,2022-31-5,North,1\np2,2022-05-06,North,1\n"));
    assert_eq!(read.rows.iter().map(|row| row.date).collect::<Vec<_>>(), [day(2022, 5, 31), day(2022, 6, 5)]);
}

#[test]
fn ratings_are_read_as_people_write_them() {
    for (text, value) in [
        ("1", Some(1)),
        ("1.0", Some(1)),
        ("1.00", Some(1)),
        ("\"1,0\"", Some(1)),
        ("１", Some(1)),
        (" 2 ", Some(2)),
        ("7", None),
        ("7.0", None),
        ("Very good", Some(1)),
        ("GOOD", Some(2)),
        ("Neither good nor poor", Some(3)),
        ("Poor", Some(4)),
        ("very  poor", Some(5)),
        ("Don't know", Some(6)),
        ("don’t know", Some(6)),
        ("Not answered", None),
        ("很好", Some(1)),
        ("说不清", Some(6)),
        ("未回答", None),
    ] {
        let read = plan(&format!("{HEAD}p1,2026-01-30,North,{text}\n"));
        assert_eq!(only(&read).value, value.map(Value), "{text}");
    }
    let csat = Options { ratings: Ratings::new(Scale::Csat5), ..options() };
    let read = read_bytes(format!("{HEAD}p1,2026-01-30,North,非常满意\n").as_bytes(), &csat).unwrap();
    assert_eq!((only(&read).value, read.scale), (Some(Value(5)), Scale::Csat5));
    assert!(refused(&format!("{HEAD}p1,2026-01-30,North,9\n")).contains("--scale csat5"));
}

#[test]
fn words_get_a_meaning_by_option_and_a_wrong_meaning_says_what_the_scale_has() {
    let ratings = Ratings::new(Scale::Fft6).with("\"Top, really\"=1,meh=3").unwrap().with("=none").unwrap();
    let options = Options { ratings, ..options() };
    let file =
        format!("{HEAD}p1,2026-01-30,North,\"Top, really\"\np2,2026-01-30,North,MEH\np3,2026-01-30,North,\n");
    let read = read_bytes(file.as_bytes(), &options).unwrap();
    assert_eq!(
        read.rows.iter().map(|row| row.value).collect::<Vec<_>>(),
        [Some(Value(1)), Some(Value(3)), None]
    );
    let wrong = Ratings::new(Scale::Fft6).with("Very good=9").unwrap_err().to_string();
    assert_eq!(
        wrong,
        "`9` in `Very good=9` is not on the scale fft6; its values are 1 to 6, or 7 for none, or `none` for no answer"
    );
    assert!(Ratings::new(Scale::Fft6).with("Very good").unwrap_err().to_string().contains("says no meaning"));
}

#[test]
fn separators_and_encodings_are_recognised_and_said() {
    let rows = "p1,2026-01-30,3号窗口,1\np2,2026-01-30,药房取药,5\n";
    let text = format!("{HEAD}{rows}");
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() })
            .collect()
    };
    let traditional = text.replace("3号窗口", "掛號窗口服務").replace("药房取药", "藥局領藥處");
    let expected = vec!["3号窗口".to_owned(), "药房取药".to_owned()];
    for (name, bytes, places, said) in [
        ("utf-8", text.clone().into_bytes(), expected.clone(), None),
        (
            "semicolons",
            text.replace(',', ";").into_bytes(),
            expected.clone(),
            Some("fields are separated by `;`"),
        ),
        (
            "tabs",
            text.replace(',', "\t").into_bytes(),
            expected.clone(),
            Some("fields are separated by tabs"),
        ),
        ("bars", text.replace(',', "|").into_bytes(), expected.clone(), Some("fields are separated by `|`")),
        (
            "sep=",
            format!("sep=;\n{}", text.replace(',', ";")).into_bytes(),
            expected.clone(),
            Some("fields are separated by `;`"),
        ),
        ("utf-16le", utf16(&format!("\u{feff}{text}"), true), expected.clone(), Some("the file is UTF-16LE")),
        (
            "utf-16be",
            utf16(&format!("\u{feff}{text}"), false),
            expected.clone(),
            Some("the file is UTF-16BE"),
        ),
        ("utf-16le without mark", utf16(&text, true), expected.clone(), Some("the file is UTF-16LE")),
        ("utf-16be without mark", utf16(&text, false), expected.clone(), Some("the file is UTF-16BE")),
        (
            "gbk",
            GBK.encode(&text).0.into_owned(),
            expected.clone(),
            Some("the file is taken for GBK/GB18030"),
        ),
        (
            "big5",
            BIG5.encode(&traditional).0.into_owned(),
            vec!["掛號窗口服務".to_owned(), "藥局領藥處".to_owned()],
            Some("the file is taken for Big5"),
        ),
    ] {
        let read = read_bytes(&bytes, &options()).unwrap_or_else(|findings| panic!("{name}: {findings}"));
        assert_eq!(read.places, places, "{name}");
        match said {
            Some(said) => {
                assert!(read.notes.iter().any(|note| note.starts_with(said)), "{name}: {:?}", read.notes);
            }
            None => assert_eq!(read.notes, Vec::<String>::new(), "{name}"),
        }
    }
    let told = Options { encoding: Some("big5".parse().unwrap()), ..options() };
    assert_eq!(read_bytes(&BIG5.encode(&traditional).0, &told).unwrap().places[0], "掛號窗口服務");
    let wrong = Options { encoding: Some("utf-8".parse().unwrap()), ..options() };
    let said = read_bytes(&GBK.encode(&text).0, &wrong).unwrap_err().to_string();
    assert!(said.contains("line 2: the row holds signs that are not UTF-8"), "{said}");
    assert!(
        "klingon".parse::<FileEncoding>().unwrap_err().to_string().contains("`klingon` is not an encoding")
    );
}

#[test]
fn a_file_without_rows_header_or_columns_says_so() {
    assert!(refused("").starts_with("the file is empty"), "{}", refused(""));
    assert!(refused("\n\n").starts_with("the file has no header line"));
    assert!(refused(HEAD).starts_with("the file has no rows"), "{}", refused(HEAD));
    assert!(refused("respondent,date,touchpoint,rating").starts_with("the file has no rows"));
    let said = refused("a,b\n1,2\n");
    assert!(said.contains("line 1: the header has no column `date`; it has `a`, `b`; say which column it is: --columns date=\"...\""), "{said}");
    assert_eq!(said.lines().count(), 4, "one finding a column: {said}");
    let said = refused("respondent;date;rating\np1;2026-01-30;1\n");
    assert_eq!(
        said,
        "line 1: the header has no column `touchpoint`; it has `respondent`, `date`, `rating`; say which column it is: --columns touchpoint=\"...\""
    );
    assert!(
        refused("date,date,touchpoint,rating\n2026-01-30,2026-01-30,N,1\n")
            .contains("2 columns of the header are called `date`")
    );
    assert_eq!(
        refused("PK\u{3}\u{4}rest"),
        "the file is a workbook (xlsx, ods) or a zip file and no table that can be read; save it as CSV UTF-8"
    );
    let long = format!("{}\n", "x".repeat(100_000));
    assert!(refused(&long).contains("longer than 64 KiB"));
}

#[test]
fn columns_may_stand_in_any_order_with_others_between_and_lines_that_are_empty() {
    let read = plan(
        "Rating, ward ,Date,TOUCHPOINT,comment\n1,x,2026-01-30,North,\"a, b\"\n,,,,\n\n2,,2026-01-31,South,\n",
    );
    assert_eq!(read.places, ["North", "South"]);
    assert!(read.notes.contains(&"1 empty rows are left out".to_owned()), "{:?}", read.notes);
    assert_eq!(read.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
}

#[test]
fn a_sharp_sign_in_a_name_is_no_comment() {
    let read = plan(&format!("# a comment\n{HEAD}#1,2026-01-30,North,1\n#2,2026-01-30,#3 window,5\n"));
    assert_eq!(read.rows.len(), 2);
    assert_eq!(read.places, ["North", "#3 window"]);
    // A numbering column may be called so.
    assert_eq!(plan("#,date,touchpoint,rating\n1,2026-01-30,North,1\n").rows.len(), 1);
}

#[test]
fn a_real_export_is_read_by_naming_its_columns() {
    let export = "Respondent ID,Start Date,\"Overall, how was it?\",Service\n118,31/01/2026 09:15,Very good,A&E\n119,30/01/2026 10:00,Poor,A&E\n";
    let columns = Columns::default()
        .with(
            "respondent=Respondent ID,date=\"Start Date\",touchpoint=Service,rating=\"Overall, how was it?\"",
        )
        .unwrap();
    let read = read_bytes(export.as_bytes(), &Options { columns, ..options() }).unwrap();
    assert_eq!(read.rows.iter().map(|row| row.value).collect::<Vec<_>>(), [Some(Value(4)), Some(Value(1))]);
    let columns = Columns::default()
        .with("date=Start Date,rating=\"Overall, how was it?\"")
        .unwrap()
        .with("touchpoint==Exit 3")
        .unwrap();
    let read = read_bytes(export.as_bytes(), &Options { columns, ..options() }).unwrap();
    assert_eq!(read.places, ["Exit 3"]);
    let columns = Columns::default().with("date=When").unwrap();
    let said = read_bytes(export.as_bytes(), &Options { columns, ..options() }).unwrap_err().to_string();
    assert!(
        said.contains(
            "no column `When`; it has `Respondent ID`, `Start Date`, `Overall, how was it?`, `Service`"
        ),
        "{said}"
    );
    for wrong in ["when=Date", "date", "date=", "touchpoint=="] {
        assert!(
            Columns::default().with(wrong).unwrap_err().to_string().contains("names no column"),
            "{wrong}"
        );
    }
    let columns = Columns::default().with("respondent=Nobody").unwrap();
    let said = read_bytes(format!("{HEAD}p,2026-01-30,N,1\n").as_bytes(), &Options { columns, ..options() })
        .unwrap_err();
    assert!(said.to_string().contains("no column `Nobody`"), "a column that was named must exist: {said}");
}

#[test]
fn names_that_differ_by_width_case_or_blanks_are_one_place_and_it_is_said() {
    let read = plan(&format!(
        "{HEAD}a,2026-01-30,Ward 3,1\nb,2026-01-30,  ward   3,1\nc,2026-01-30,Ｗard　３,1\nd,2026-01-30,Ward3,1\n"
    ));
    assert_eq!(read.places, ["Ward 3", "Ward3"]);
    assert!(
        read.notes.contains(&"`Ward 3` and `ward 3` and `Ｗard ３` are taken for one place".to_owned()),
        "{:?}",
        read.notes
    );
    assert!(
        read.notes.iter().any(|note| note.starts_with("`Ward 3` and `Ward3` differ by blanks only")),
        "{:?}",
        read.notes
    );
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

#[test]
fn chinese_cyrillic_and_mixed_names_get_valid_stable_and_unique_ids() {
    assert_eq!(
        ids(&["PTS - Patient Transport", "111", "See and Convey"]),
        ["pts-patient-transport", "111", "see-and-convey"]
    );
    let some =
        ids(&["急诊室", "内科3楼", "外科3楼", "Аптека", "3号窗口 North", "😀", "عيادة", "要方", "药方"]);
    for (id, head) in some.iter().zip(["ji-zhen-shi-", "nei-ke-3", "wai-ke-3", "apteka-", "3"]) {
        assert!(id.starts_with(head), "{id} begins with {head}");
    }
    let unique: std::collections::BTreeSet<&String> = some.iter().collect();
    assert_eq!(unique.len(), some.len(), "{some:?}");
    // Alone or among others, a name has the same id.
    assert_eq!(ids(&["药方"])[0], some[8]);
    assert_eq!(ids(&["A&E"])[0], "a-e");
    let alike = ids(&["A&E", "A E"]);
    assert!(alike[0] != alike[1] && alike.iter().all(|id| id.starts_with("a-e-")), "{alike:?}");
    let long = ids(&[&"Very long name of a ward ".repeat(8), &"长".repeat(150)]);
    assert!(long.iter().all(|id| id.len() <= 64), "{long:?}");
}

#[test]
fn names_of_the_example_hospital_are_its_places() {
    assert_eq!(
        ids(&["Pharmacy", "药房取药", "ＰＨＡＲＭＡＣＹ", "手术等候区", "ward"]),
        ["pharmacy", "pharmacy", "pharmacy", "surgery-waiting", "ward"]
    );
}

#[test]
fn a_shown_name_fits_its_button_and_holds_no_sign_without_a_glyph() {
    let all = |_: &str| Vec::new();
    assert_eq!(names::shown("North", &all), "North");
    let long =
        names::shown("Department of Respiratory and Critical Care Medicine, Building 7, Floor 3", &all);
    assert!(long.chars().count() <= 32 && long.contains('…') && long.ends_with("Floor 3"), "{long}");
    assert_eq!(
        names::shown("Ward 😀", &|text| text.chars().filter(|c| *c == '😀').collect()),
        "Ward grinning"
    );
    assert_eq!(names::shown("a\tb\u{200b}c", &all), "a bc");
}

#[test]
fn a_long_name_is_another_place_than_one_that_is_shortened_to_the_same() {
    let head = "Outpatient department of the Second Affiliated Hospital, building";
    let [a, b] = ["A", "B"].map(|wing| format!("{head} {wing}, desk north of the river"));
    let (one, other) = (ids(&[&a]), ids(&[&b]));
    assert_ne!(one, other);
    assert_eq!(
        ids(&[&a, &b]),
        [one[0].clone(), other[0].clone()],
        "alone or among others, a name has the same id"
    );
    let id = one[0].parse().unwrap();
    let all = |_: &str| Vec::new();
    let shown = names::shown(&a, &all);
    assert_eq!(shown, names::shown(&b, &all));
    let apart = names::told_apart(&shown, &id);
    assert!(
        apart.chars().count() <= 32 && apart != shown && apart.ends_with(&one[0][one[0].len() - 4..]),
        "{apart}"
    );
    let wide = names::told_apart(&"长".repeat(16), &id);
    assert!(wide.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() <= 32, "{wide}");
}

#[test]
fn a_header_that_comes_again_and_a_title_above_it_are_left_out_and_said() {
    let joined = plan(&format!("{HEAD}p1,2026-01-30,North,1\n{HEAD}p2,2026-01-31,North,2\n"));
    assert_eq!(joined.rows.len(), 2);
    assert!(
        joined.notes.contains(&"1 rows repeat the header and are left out".to_owned()),
        "{:?}",
        joined.notes
    );
    let titled = plan(&format!("满意度调查结果,,,\n2026年1月,,,\n\n{HEAD}p1,2026-01-30,急诊,5\n"));
    assert_eq!(only(&titled).line, 5);
    assert!(titled.notes.iter().any(|note| note.contains("the header is line 4")), "{:?}", titled.notes);
    let none = refused(&format!("{}{HEAD}p1,2026-01-30,急诊,5\n", "title,,\n".repeat(30)));
    assert!(
        none.starts_with("3 findings:\n  line 1: the header has no column `date`; it has `title`"),
        "{none}"
    );
}

#[test]
fn a_row_of_sums_is_called_what_it_is() {
    for row in ["合计,,,120", "Total,2,,", ",,平均分,4.5", "总计：,,,3"] {
        let said = refused(&format!("{HEAD}p1,2026-01-30,North,1\n{row}\n"));
        assert!(said.contains("line 3: the row is a sum and no visit; remove the row"), "{row}: {said}");
    }
    assert_eq!(plan(&format!("{HEAD}total,2026-01-30,Total,1\n")).rows.len(), 1, "a visit may be called so");
}

#[test]
fn a_file_that_is_no_table_is_called_what_it_is() {
    for (bytes, words) in [
        (&b"<!DOCTYPE html><html>"[..], "a page of the web"),
        (b"\xef\xbb\xbf\n <html>", "a page of the web"),
        (b"[{\"respondent\":1}]", "JSON"),
        (b"\xff\xfe\0\0r\0\0\0", "UTF-32"),
        (&[0_u8, 1, 2, 3, 255, 254].repeat(20), "no text in the encoding"),
        ("respondent，date，touchpoint，rating\n".as_bytes(), "the full-width comma `，`"),
        (b"\"respondent,date,touchpoint,rating\"\n", "in quote marks as a whole"),
    ] {
        let said = read_bytes(bytes, &options()).expect_err(words).to_string();
        assert!(said.contains(words) && !said.contains("findings"), "{words}: {said}");
    }
}

#[test]
fn an_unclosed_quote_mark_is_to_be_closed_and_the_end_sign_of_old_programs_is_no_row() {
    let said = refused(&format!("{HEAD}p1,2026-01-30,\"North,5\np2,2026-01-30,North,4\n"));
    assert!(said.contains("close the quote mark") && !said.contains("fill in"), "{said}");
    assert_eq!(plan(&format!("{HEAD}p1,2026-01-30,North,5\n\u{1a}")).rows.len(), 1);
}

#[test]
fn utf16_without_a_mark_is_recognised_beside_characters_that_hold_a_zero_byte() {
    let text = format!("{HEAD}p1,2026-01-30,一楼药房,1\np2,2026-01-30,一楼,1\n");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        let plan = read_bytes(&bytes, &options()).unwrap_or_else(|findings| panic!("{findings}"));
        assert_eq!(plan.places, ["一楼药房", "一楼"]);
    }
}

#[test]
fn days_of_the_week_and_chinese_times_are_understood() {
    for (date, time) in [
        ("2024年1月5日 星期五", None),
        ("2024年1月5日星期五", None),
        ("2024/1/5 周五", None),
        ("2024-01-05（星期五）", None),
        ("\"Friday, January 5, 2024\"", None),
        ("Fri 5 Jan 2024", None),
        ("2024年1月5日15时05分", Some("15:05:00")),
        ("2024/1/5 星期五 下午3:05", Some("15:05:00")),
        ("2024/1/5 15点05分30秒", Some("15:05:30")),
        ("2024/1/5 15时", None),
    ] {
        let read = read_bytes(dated(date).as_bytes(), &options());
        if date.ends_with('时') {
            assert!(read.unwrap_err().to_string().contains("the time in"), "{date}");
            continue;
        }
        let plan = read.unwrap_or_else(|findings| panic!("{date}: {findings}"));
        assert_eq!(only(&plan).date, day(2024, 1, 5), "{date}");
        assert_eq!(only(&plan).time.map(|time| time.to_string()).as_deref(), time, "{date}");
    }
}

#[test]
fn a_word_of_another_scale_and_a_number_with_its_unit_get_the_fitting_advice() {
    for (cell, words) in [
        ("非常满意", "it is a word of another scale: --scale csat5"),
        ("5分", "write 5 alone"),
        ("4 stars", "write 4 alone"),
        ("★★★☆☆", "write 3 alone"),
        ("80%", "say what the word means"),
    ] {
        let said = refused(&format!("{HEAD}p1,2026-01-31,Ward,{cell}\n"));
        assert!(said.contains(words), "{cell}: {said}");
    }
}

#[test]
fn columns_are_named_once_each_in_whatever_signs_a_keyboard_makes() {
    let text = "受访者,日期,科室,评分\np1,2026-01-30,急诊,5\n";
    let with = |columns: &str| {
        let columns = Columns::default().with(columns).map_err(|error| error.to_string())?;
        read_bytes(text.as_bytes(), &Options { columns, ..options() })
            .map_err(|findings| findings.to_string())
    };
    for columns in [
        "date=日期,touchpoint=科室,rating=评分",
        "date=日期，touchpoint=科室，rating=评分",
        "date＝日期；touchpoint＝科室；rating＝评分",
        "date=“日期”,touchpoint=「科室」,rating='评分'",
        "\"date\"=\"日期\", Touchpoint = 科室 ,rating=评分,",
    ] {
        let plan = with(columns).unwrap_or_else(|error| panic!("{columns}: {error}"));
        assert_eq!(plan.places, ["急诊"], "{columns}");
    }
    let twice = with("date=日期,date=科室,touchpoint=科室,rating=评分").unwrap_err();
    assert!(twice.contains("names the column of `date` twice"), "{twice}");
    let same = with("date=日期,touchpoint=日期,rating=评分").unwrap_err();
    assert!(same.contains("`date` and `touchpoint` are both said to be in the column `日期`"), "{same}");
}

/// A file of a million rows that exists nowhere as a whole.
struct Generated {
    head: &'static [u8],
    row: &'static [u8],
    rows: u64,
    at: u64,
    most_read: usize,
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.most_read = self.most_read.max(buffer.len());
        let head = self.head.len() as u64;
        let end = head + self.rows * self.row.len() as u64;
        let count = (end - self.at).min(buffer.len() as u64);
        for (i, byte) in buffer.iter_mut().enumerate().take(usize::try_from(count).unwrap()) {
            let at = self.at + i as u64;
            *byte = if at < head {
                self.head[usize::try_from(at).unwrap()]
            } else {
                self.row[usize::try_from((at - head) % self.row.len() as u64).unwrap()]
            };
        }
        self.at += count;
        Ok(usize::try_from(count).unwrap())
    }
}

impl Seek for Generated {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        assert_eq!(to, SeekFrom::Start(0), "the reader only ever begins anew");
        self.at = 0;
        Ok(0)
    }
}

#[test]
fn a_million_lines_stream_through_a_small_buffer() {
    let mut file = Generated {
        head: HEAD.as_bytes(),
        row: b"p1,2026-01-30,North,1\r\n",
        rows: 1_000_000,
        at: 0,
        most_read: 0,
    };
    let read = read(&mut file, &options()).unwrap();
    assert_eq!(read.rows.len(), 1_000_000);
    assert_eq!(read.rows[999_999].line, 1_000_001);
    assert!(file.most_read <= 64 * 1024, "read {} bytes at once", file.most_read);
    assert!(size_of::<Row>() <= 64, "{}", size_of::<Row>());
}

proptest! {
    // The same dice in every run, so that a red run is red again.
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(17),
        ..ProptestConfig::default()
    })]

    /// Whatever bytes a file holds, the reader answers: with rows that hold what they promise, or with findings.
    #[test]
    fn any_bytes_give_a_plan_or_findings(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes)?;
    }

    /// The same for files that were good before some of their bytes were changed, left out or doubled.
    #[test]
    fn damaged_files_give_a_plan_or_findings(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..12),
        encoding in 0u8..4,
    ) {
        let text = "# note\nrespondent;date;touchpoint;rating\np1;2026-01-30;\"药房; 2\";1\r\np2;31/01/2026 08:30;North;Very good\np3;46053.5;Аптека;7.0\n";
        let mut bytes = match encoding {
            0 => text.as_bytes().to_vec(),
            1 => GBK.encode(text).0.into_owned(),
            2 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => BIG5.encode(text).0.into_owned(),
        };
        for (at, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => { let tail = bytes[at..].to_vec(); bytes.extend(tail); }
            }
        }
        check(&bytes)?;
    }

    #[test]
    fn any_cell_is_read_or_refused(cell in "\\PC{0,30}") {
        let _ = dates::Written::read(&cell);
        let _ = Ratings::new(Scale::Fft6).read(&cell);
        let id = ids(&[&cell]);
        prop_assert!(id[0].parse::<crate::model::TouchpointId>().is_ok());
        let _ = Columns::default().with(&cell);
    }
}

fn check(bytes: &[u8]) -> Result<(), TestCaseError> {
    match read_bytes(bytes, &options()) {
        Ok(plan) => {
            prop_assert!(!plan.rows.is_empty());
            for row in &plan.rows {
                prop_assert!(row.place < plan.places.len());
                prop_assert!(row.date >= day(2000, 1, 1) && row.date <= day(2026, 11, 26));
                prop_assert!(row.value.is_none_or(|value| plan.scale.holds(value)));
                prop_assert!(row.line > 0);
            }
        }
        Err(findings) => {
            prop_assert!(findings.count > 0 && findings.named.len() <= 50);
            prop_assert!(!findings.to_string().chars().any(|c| c.is_control() && c != '\n'), "{findings}");
        }
    }
    Ok(())
}
