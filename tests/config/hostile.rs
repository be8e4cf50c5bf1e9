//! Files that nobody meant: secrets that must not be repeated, signs that look like others, other encodings, and bytes made to do harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use xinsheng::config::{
    EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS, Finding, Findings, Kind, check_bytes,
};

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Touchpoints => EXAMPLE_TOUCHPOINTS,
        Kind::Kiosk => EXAMPLE_KIOSK,
        Kind::Central => EXAMPLE_CENTRAL,
    }
}

/// Everything that leaves the check: as text, as JSON, and for a debugger.
fn said(findings: &Findings) -> String {
    format!("{findings}\n{}\n{findings:?}", serde_json::to_string(findings).unwrap())
}

const SECRET: &str = "Zq9-wXe7";

/// Lines that people write a secret into.
const SECRET_LINES: [&str; 22] = [
    "pin = \"Zq9-wXe7\"",
    "PIN_HASH = \"Zq9-wXe7\"",
    "pin_hash = 'Zq9-wXe7'",
    "pinHash = Zq9-wXe7",
    "Staff-Pin: Zq9-wXe7",
    "password = \"Zq9-wXe7\"",
    "pasword = \"Zq9-wXe7\"",
    "passwd=Zq9-wXe7",
    "secret = \"\"\"\nZq9-wXe7\n\"\"\"",
    "api_token = [\"Zq9-wXe7\"]",
    "apiKey = { value = \"Zq9-wXe7\" }",
    "login = { user = \"a\", password = \"Zq9-wXe7\" }",
    "staff.pin = \"Zq9-wXe7\"",
    "密码 = “Zq9-wXe7”",
    "ｐｉｎ ＝ \"Zq9-wXe7\"",
    "url = \"https://lobby:Zq9-wXe7@central.example\"",
    "url = \"https//lobby:Zq9-wXe7@central.example",
    "proxy = \"http://Zq9-wXe7@proxy\"",
    "x = 1 # the old pin was Zq9-wXe7",
    "[secrets]\nvalue = \"Zq9-wXe7\"",
    "[staff.pin]\nfirst = \"Zq9-wXe7\"",
    "hash = \"$argon2id$v=19$m=19456,t=2,p=1$Zq9-wXe7\"",
];

#[test]
fn secrets_are_in_no_finding() {
    for kind in Kind::ALL {
        for line in SECRET_LINES {
            for text in [format!("{line}\n{}", example(kind)), format!("{}\n{line}\n", example(kind))] {
                let findings = check_bytes(kind, text.as_bytes());
                assert!(!said(&findings).contains(SECRET), "{line}: {findings}");
            }
        }
    }
    let url = EXAMPLE_KIOSK.replace("http://127.0.0.1:8460", "https://lobby:Zq9-wXe7@central.example");
    let findings = check_bytes(Kind::Kiosk, url.as_bytes());
    assert!(
        findings.to_string().contains("must not hold a name or password")
            && !said(&findings).contains(SECRET)
    );
    let pin = EXAMPLE_KIOSK.replace("[staff]\n", "[staff]\nnumber = \"Zq9-wXe7\"\n");
    let findings = check_bytes(Kind::Kiosk, pin.as_bytes());
    assert!(
        findings.to_string().contains("unknown key `number`") && !said(&findings).contains(SECRET),
        "{findings}"
    );
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(Kind::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_planted_secret_is_in_no_output_for_mutated_files(
        kind in kinds(),
        line in prop::sample::select(SECRET_LINES.to_vec()),
        at in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec!["", "\"", "=", " ", "[", "]", "\u{3000}", "：", "\\", "x", "\t"])), 0..4),
    ) {
        let lines: Vec<&str> = example(kind).lines().collect();
        let at = at.index(lines.len());
        let mut text = [&lines[..at], &[line], &lines[at..]].concat().join("\n");
        // Around the secret, not in it: a secret that was changed is another one.
        let from = text.find(line).unwrap();
        for (place, piece) in edits {
            let place = from + place.index(line.len() + 40);
            let Some(place) = (0..=place.min(text.len())).rev().find(|at| text.is_char_boundary(*at)) else { continue };
            let secret = text.find(SECRET).unwrap();
            // The word that says that it is a secret stays too.
            if place < secret + SECRET.len() && place > from {
                let head = &text[from..secret];
                let key_end = head.rfind(|c: char| c.is_alphanumeric()).map_or(from, |at| from + at + 1);
                if place < key_end || place > secret {
                    continue;
                }
            }
            text.insert_str(place, piece);
        }
        prop_assume!(text.contains(SECRET));
        let findings = check_bytes(kind, text.as_bytes());
        prop_assert!(!said(&findings).contains(SECRET), "{findings}");
    }

    #[test]
    fn no_bytes_make_the_check_panic(
        kind in kinds(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..8),
    ) {
        let mut bytes = example(kind).as_bytes().to_vec();
        for (at, edit, byte) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => { bytes.remove(at); }
                _ => { let end = (at + 200).min(bytes.len()); bytes.drain(at..end); }
            }
        }
        for finding in check_bytes(kind, &bytes).0 {
            prop_assert!(finding.line >= 1 && finding.column >= 1 && !finding.fix.is_empty(), "{finding}");
        }
    }
}

fn only(kind: Kind, text: &str) -> Finding {
    let findings = check_bytes(kind, text.as_bytes());
    findings.0.first().unwrap_or_else(|| panic!("nothing found in {text:?}")).clone()
}

#[test]
fn signs_of_an_input_method_are_pointed_at_with_what_to_type() {
    for (wrong, at, fix) in [
        ("width_px：1280", "：", "type = in place of the full-width `：`"),
        ("width_px ＝ 1280", "＝", "type = in place of"),
        ("width_px\u{a0}= 1280", "\u{a0}", "no-break space (U+00A0)"),
        ("\u{3000}width_px = 1280", "\u{3000}", "全角空格 (U+3000)"),
        ("width_px =\u{3000}1280", "\u{3000}", "U+3000"),
        ("width_px =\u{2009}1280", "\u{2009}", "U+2009"),
        ("width_px =\u{200b}1280", "\u{200b}", "invisible sign (U+200B)"),
        ("width_px = 1280\u{feff}", "\u{feff}", "U+FEFF"),
    ] {
        let text = EXAMPLE_KIOSK.replacen("width_px = 1280", wrong, 1);
        let finding = only(Kind::Kiosk, &text);
        let line = text.lines().position(|line| line.contains(wrong)).unwrap() + 1;
        let column = wrong.chars().position(|c| at.starts_with(c)).unwrap() + 1;
        assert_eq!((finding.line, finding.column), (line, column), "{wrong:?}: {finding}");
        assert!(finding.fix.contains(fix), "{wrong:?}: {finding}");
    }
    for (right, wrong, fix) in [
        ("[panel]", "【panel】", "type [ in place of the full-width `【`"),
        ("[panel]", "［panel］", "type [ in place of"),
        ("languages = [\"zh-CN\", \"en\"]", "languages = [\"zh-CN\"，\"en\"]", "type , in place of"),
        ("languages = [\"zh-CN\", \"en\"]", "languages = [\"zh-CN\"、\"en\"]", "type , in place of"),
        ("second_language = \"en\"", "second_language = “en”", "type \" in place of the full-width `“`"),
        ("second_language = \"en\"", "second_language = 「en」", "type \" in place of the full-width `「`"),
    ] {
        let finding = only(Kind::Kiosk, &EXAMPLE_KIOSK.replacen(right, wrong, 1));
        assert!(finding.fix.contains(fix) && finding.line > 1, "{wrong}: {finding}");
    }
}

#[test]
fn another_encoding_is_named_and_a_byte_order_mark_is_harmless() {
    let text = "languages = [\"zh-CN\"]\n# 挂号窗口\n";
    let utf_16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bare_utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let gbk = encoding_rs::GBK.encode(text).0.into_owned();
    for (bytes, name) in [(utf_16, "UTF-16"), (bare_utf_16, "UTF-16"), (gbk, "GBK")] {
        let finding = &check_bytes(Kind::Touchpoints, &bytes).0[0];
        assert!(finding.what.contains(name) && finding.fix.contains("UTF-8"), "{finding}");
    }
    assert_eq!(check_bytes(Kind::Kiosk, format!("\u{feff}{EXAMPLE_KIOSK}").as_bytes()), Findings::default());
    let path = std::path::Path::new("central-lobby.toml");
    assert_eq!(Kind::of(path, "\u{feff}#:schema schema/kiosk.schema.json\n"), Some(Kind::Kiosk));
}

#[test]
fn tabs_and_line_ends_of_windows_are_harmless() {
    let text = EXAMPLE_KIOSK.replace("width_px = 1280", "\twidth_px\t=\t1280").replace('\n', "\r\n");
    assert_eq!(check_bytes(Kind::Kiosk, text.as_bytes()), Findings::default());
}

#[test]
fn names_that_differ_by_blanks_width_or_case_alone_are_told() {
    for other in ["Ward ", " Ward", "WARD", "Ｗａｒｄ", "Wa\u{200b}rd", "W ard"] {
        let text = EXAMPLE_TOUCHPOINTS.replacen("en = \"Canteen\"", &format!("en = \"{other}\""), 1);
        let finding = only(Kind::Touchpoints, &text);
        assert!(
            finding.what.contains("patients see no difference") && finding.fix.contains("tell apart"),
            "{other}: {finding}"
        );
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time that passes")]
fn bytes_made_to_do_harm_end_in_a_finding_and_soon() {
    for bytes in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}=1", "a.".repeat(100_000)),
        format!("width_px = {}", "9".repeat(100_000)),
        "width_px = 1e999999999\n".to_owned(),
        "width_px = 0xffffffffffffffffffff\n".to_owned(),
        format!("a = \"{}\"", "x".repeat(10 << 20)),
        "a = \"\0\"".to_owned(),
        "\0".repeat(100),
        (0..40_000).map(|n| format!("key_{n} = {n}\n")).collect(),
        (0..20_000).map(|n| format!("= {n}\n")).collect(),
        "[[touchpoint]]\n".repeat(30_000),
        "\"".repeat(200_000),
        "\n".repeat(900_000),
    ] {
        for kind in Kind::ALL {
            let start = Instant::now();
            let findings = check_bytes(kind, bytes.as_bytes());
            let began: String = bytes.chars().take(20).collect();
            assert!(
                findings.any_error() && findings.0.len() <= 300,
                "{began}: {} findings",
                findings.0.len()
            );
            eprintln!("{:?} for {began:?}", start.elapsed());
            assert!(start.elapsed() < Duration::from_secs(20), "{began}: {:?}", start.elapsed());
        }
    }
}
