//! Cells: dates, times and ratings as people write them.

use super::*;

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
