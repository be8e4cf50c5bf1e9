//! The form of a file: lines, separators, encodings, columns, and what is no table.

use encoding_rs::{BIG5, GBK};

use super::*;

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
