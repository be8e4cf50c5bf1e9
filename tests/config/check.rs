//! Config files as staff write them: the shipped ones are good, and of a broken one the check says where, what and how to fix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use crate::chance;

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::mistakes::{MISTAKES, Mistake};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::Value as Json;
use xinsheng::{
    config::Kind::{Central, Kiosk, Touchpoints},
    config::{
        self, EXAMPLE_CENTRAL, EXAMPLE_KIOSK, EXAMPLE_TOUCHPOINTS, Finding, Findings, Glyphs, Kind, Loaded,
        Severity,
    },
    model::Scale,
    pin::{Pin, PinHash},
    questionnaire::{Dimension, Hospital},
};

/// The example's files, one of them replaced.
fn files(replaced: &str, text: &str) -> impl Fn(&Path) -> io::Result<Vec<u8>> {
    let (replaced, text) = (replaced.to_owned(), text.to_owned());
    move |path| {
        let name = path.to_str().unwrap_or_default();
        match name {
            _ if name == replaced => Ok(text.clone().into()),
            "kiosk.toml" => Ok(EXAMPLE_KIOSK.into()),
            "central.toml" => Ok(EXAMPLE_CENTRAL.into()),
            "touchpoints.toml" => Ok(EXAMPLE_TOUCHPOINTS.into()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn check(kind: Kind, text: &str) -> Findings {
    let name = format!("{}.toml", kind.name());
    let (path, read, glyphs) = (Path::new(&name), files(&name, text), Glyphs::default());
    let found = match kind {
        Kind::Touchpoints => config::load_hospital(path, &read, &glyphs).map(|loaded| loaded.warnings),
        Kind::Kiosk => config::load_kiosk(path, &read, &glyphs).map(|loaded| loaded.warnings),
        Kind::Central => config::load_central(path, &read, &glyphs).map(|loaded| loaded.warnings),
    };
    found.unwrap_or_else(|findings| findings)
}

fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Touchpoints => EXAMPLE_TOUCHPOINTS,
        Kind::Kiosk => EXAMPLE_KIOSK,
        Kind::Central => EXAMPLE_CENTRAL,
    }
}

fn hospital(text: &str) -> Result<Loaded<Hospital>, Findings> {
    let path = Path::new("touchpoints.toml");
    config::load_hospital(path, &files("touchpoints.toml", text), &Glyphs::default())
}

// ── What ships ──

#[test]
fn the_shipped_files_have_no_finding() {
    for kind in Kind::ALL {
        let findings = check(kind, example(kind));
        assert!(findings.0.is_empty(), "{findings}");
    }
}

#[test]
fn the_example_hospital_is_a_whole_one() {
    let hospital = hospital(EXAMPLE_TOUCHPOINTS).unwrap().value;
    assert!(hospital.touchpoints.len() >= 12);
    let languages: Vec<&str> = hospital.languages.iter().map(|lang| lang.as_str()).collect();
    assert_eq!(languages, ["zh-CN", "en"]);
    let questions = || hospital.questionnaires.iter().flat_map(|asked| &asked.questions);
    for scale in Scale::ALL {
        assert!(questions().any(|question| question.scale == scale), "no question uses {scale}");
    }
    let of_reasons =
        questions().flat_map(|q| &q.reasons).flat_map(|group| &group.reasons).filter_map(|r| r.dimension);
    let of_places = hospital.touchpoints.iter().filter_map(|touchpoint| touchpoint.dimension);
    let dimensions: std::collections::BTreeSet<Dimension> = of_reasons.chain(of_places).collect();
    assert_eq!(dimensions.len(), 11, "{dimensions:?}");
    // A bad answer always leads to reasons, whatever the scale.
    for question in questions().filter(|question| question.scale != Scale::YesNo) {
        let worst = question.scale.levels()[0].value;
        assert!(question.reasons_for(worst).is_some(), "{}", question.id);
    }
}

#[test]
fn opening_hours_are_counted_in_the_hospitals_zone() {
    let hospital = hospital(EXAMPLE_TOUCHPOINTS).unwrap().value;
    let pharmacy = hospital.touchpoint(&"pharmacy".parse().unwrap()).unwrap();
    let zone = hospital.site(&pharmacy.site).unwrap().time_zone;
    let open = |text: &str| pharmacy.hours.open_at(text.parse::<DateTime<Utc>>().unwrap(), zone);
    assert!(open("2026-11-20T09:29:00Z")); // Friday 17:29 in Shanghai
    assert!(!open("2026-11-20T09:30:00Z"));
    assert!(!open("2026-11-21T04:00:00Z")); // Saturday 12:00
}

#[test]
fn a_touchpoint_in_five_lines_passes_the_check() {
    let readme = include_str!("../../README.md");
    let five = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(five.trim().lines().count(), 1 + 5, "the section's name and five lines");
    assert!(
        include_str!("../../docs/config.md").contains(five),
        "the page and the README show the same touchpoint"
    );
    let at = EXAMPLE_TOUCHPOINTS.find("# ── Questionnaires").unwrap();
    let text = format!("{}{five}\n{}", &EXAMPLE_TOUCHPOINTS[..at], &EXAMPLE_TOUCHPOINTS[at..]);
    let loaded = hospital(&text).unwrap();
    assert!(loaded.warnings.0.is_empty(), "{}", loaded.warnings);
    let touchpoint = loaded.value.touchpoint(&"physiotherapy".parse().unwrap()).unwrap();
    assert_eq!((touchpoint.icon.as_str(), touchpoint.site.as_str()), ("generic", "main"));
    assert_eq!(touchpoint.hours.spans.len(), 10);
}

#[test]
fn the_configuration_is_named_by_the_hash_of_its_files() {
    let loaded = config::example();
    let both = format!("{EXAMPLE_KIOSK}{EXAMPLE_TOUCHPOINTS}");
    assert_eq!(loaded.config_hash, xinsheng::chain::sha256(both.as_bytes()).to_string());
}

// ── The schemas ──

#[test]
fn the_schema_files_are_those_of_the_structs() {
    for kind in Kind::ALL {
        let path = format!("{}/config/schema/{}.schema.json", env!("CARGO_MANIFEST_DIR"), kind.name());
        let text = config::schema_text(kind);
        if std::env::var_os("XINSHENG_WRITE_SCHEMA").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "{path} is old: run the tests once with XINSHENG_WRITE_SCHEMA=1");
    }
}

/// A JSON schema, or the part of one that a pointer names.
struct Validator {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Validator {
    fn new(schema: Json, pointer: &str) -> Self {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("config.json", schema).unwrap();
        let index = compiler.compile(&format!("config.json#{pointer}"), &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn fits(&self, value: &Json) -> bool {
        self.schemas.validate(value, self.index).inspect_err(|error| eprintln!("{error}")).is_ok()
    }
}

#[test]
fn the_shipped_files_name_their_schema_and_fit_it() {
    for kind in Kind::ALL {
        let first = example(kind).lines().next().unwrap();
        assert_eq!(first, format!("#:schema schema/{}.schema.json", kind.name()));
        let schema: Json = serde_json::from_str(&config::schema_text(kind)).unwrap();
        let validator = Validator::new(schema, "");
        let mut file: Json = toml::from_str(example(kind)).unwrap();
        assert!(validator.fits(&file), "{}.toml does not fit its schema", kind.name());
        file["titel"] = Json::from(1);
        assert!(!validator.fits(&file), "an unknown key fits the schema of {}", kind.name());
    }
}

#[test]
fn the_patterns_in_the_schema_and_the_ids_in_the_program_agree() {
    let schema: Json = serde_json::from_str(&config::schema_text(Kind::Touchpoints)).unwrap();
    let of = |pointer: &str| Validator::new(schema.clone(), pointer);
    let (name, asked) =
        (of("/$defs/Touchpoint/properties/id"), of("/$defs/Touchpoint/properties/questionnaire"));
    let lang = of("/properties/languages/items");
    let long = "a".repeat(65);
    for text in [
        "ward-7_b",
        "111",
        "",
        "Ward",
        "-ward",
        "a b",
        "病房",
        &long,
        "outpatient@1",
        "a@0",
        "a@01",
        "@1",
        "zh-CN",
        "bo",
        "zh_CN",
        "zh-",
    ] {
        let json = Json::from(text);
        assert_eq!(name.fits(&json), text.parse::<xinsheng::model::TouchpointId>().is_ok(), "id {text}");
        assert_eq!(lang.fits(&json), text.parse::<xinsheng::model::Lang>().is_ok(), "language {text}");
        if text != "a@01" {
            let parsed = text.parse::<xinsheng::model::QuestionnaireRef>();
            assert_eq!(asked.fits(&json), parsed.is_ok(), "questionnaire {text}");
        }
    }
}

// ── Broken files ──

/// Line and column of a text in another, both from 1.
fn place(text: &str, needle: &str) -> (usize, usize) {
    let at = text.find(needle).unwrap_or_else(|| panic!("{needle} is not in the file"));
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    (text[..at].matches('\n').count() + 1, text[start..at].chars().count() + 1)
}

#[test]
fn every_mistake_is_found_at_its_place_with_its_words() {
    let mut missed = Vec::new();
    for Mistake { kind, right, wrong, points_at, words } in MISTAKES.into_iter().flatten() {
        assert!(example(*kind).contains(right), "the example has no {right}");
        let text = example(*kind).replacen(right, wrong, 1);
        let findings = check(*kind, &text);
        // The place is sought from the mistake on: the same words may stand elsewhere in the file.
        let around = example(*kind).find(right).unwrap().saturating_sub(400);
        let from = (0..=around).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let start = if text[from..].contains(points_at) { from } else { 0 };
        let (line, column) = place(&text[start..], points_at);
        let before = text[..start].matches('\n').count();
        let column = if line == 1 {
            column + text[..start].chars().rev().take_while(|c| *c != '\n').count()
        } else {
            column
        };
        let fits = |finding: &&Finding| {
            let said = finding.to_string();
            (finding.line, finding.column) == (line + before, column)
                && words.iter().all(|word| said.contains(word))
        };
        if !findings.any_error() || !findings.0.iter().any(|finding| fits(&finding)) {
            let line = line + before;
            missed.push(format!("{wrong}\nexpected at {line}:{column} with {words:?}, found:\n{findings}\n"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_pin_hash_is_taken_and_a_pin_in_plain_is_never_repeated() {
    let staffed = |line: &str| EXAMPLE_KIOSK.replacen("[staff]\n", &format!("[staff]\n{line}\n"), 1);
    let hash = PinHash::cheapest(&Pin::new("4071").unwrap(), &[1; 16]).unwrap();
    let text = staffed(&hash.line());
    let loaded =
        config::load_kiosk(Path::new("kiosk.toml"), &files("kiosk.toml", &text), &Glyphs::default()).unwrap();
    assert_eq!(loaded.value.kiosk.staff.pin_hash.as_ref(), Some(&hash));
    assert!(!format!("{:?}", loaded.value).contains("argon2id"));
    for plain in ["pin_hash = 4071", "pin_hash = \"4071\"", "pin_hash = 40 71", "pin_hash = '4071"] {
        let findings = check(Kiosk, &staffed(plain));
        assert!(findings.any_error(), "{plain}");
        let said = findings.to_string();
        assert!(!said.contains("40") && !said.contains("71"), "{said}");
    }
}

#[test]
fn one_run_names_every_mistake() {
    let text = EXAMPLE_TOUCHPOINTS
        .replacen("hours = \"daily 07:00-18:00\"", "hours = \"sometimes\"", 1)
        .replacen("stage = \"booking\"", "stage = 7", 1)
        .replacen("id = \"toilet\"", "id = \"toilet\"\ncolour = \"red\"", 1)
        .replacen("questionnaire = \"payment@1\"", "questionnaire = \"payment@2\"", 1)
        .replacen("zh-CN = \"缺药\", ", "", 1)
        .replacen("[0, 1, 2, 3, 4, 5, 6]", "[0, 1, true]", 1)
        .replacen("Asia/Shanghai", "Asia/Peking", 1);
    let findings = check(Touchpoints, &text);
    let whats: Vec<&str> = findings.0.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "`Asia/Peking` is not a time zone",
            "7 is not known for `stage` in touchpoint `registration`",
            "there is no questionnaire `payment@2` in this file",
            "unknown key `colour` in touchpoint `toilet`",
            "`sometimes` is not a day or a range of days",
            "`values` must be a whole number without quotes, but is true or false in reasons number 1 of question `recommend` of questionnaire `recommendation@1`",
            "the text is missing in `zh-CN`",
        ],
        "{findings}"
    );
}

#[test]
fn a_finding_reads_like_a_compilers() {
    let text =
        EXAMPLE_TOUCHPOINTS.replacen("hours = \"daily 07:00-22:00\"", "huors = \"daily 07:00-22:00\"", 1);
    let findings = check(Touchpoints, &text);
    let (line, _) = place(&text, "huors");
    let expected = format!(
        "touchpoints.toml:{line}:1: error: unknown key `huors` in touchpoint `surgery-waiting`\n  {line} | huors = \"daily 07:00-22:00\"\n      | ^^^^^\n    fix: did you mean `hours`?"
    );
    assert_eq!(findings.to_string(), expected);
    assert_eq!(findings.0[0].key, "touchpoint[surgery-waiting].huors");
}

#[test]
fn a_file_saved_as_gbk_is_told_to_become_utf_8() {
    let mut bytes = b"languages = [\"zh-CN\"]\n# ".to_vec();
    bytes.extend([0xB4, 0xB0, 0xBF, 0xDA]); // 窗口 in GBK
    let read = |_: &Path| Ok(bytes.clone());
    let findings =
        config::load_hospital(Path::new("touchpoints.toml"), &read, &Glyphs::default()).unwrap_err();
    assert_eq!((findings.0[0].line, findings.0[0].column), (2, 3));
    assert!(findings.to_string().contains("GBK") && findings.to_string().contains("另存为"), "{findings}");
}

#[test]
fn what_is_only_odd_is_a_warning_and_the_file_is_used() {
    let text = EXAMPLE_TOUCHPOINTS
        .replacen("en = \"Canteen\"", "en = \"Ward\"", 1)
        .replacen("zh-CN = \"缺药\"", "fr = \"Épuisé\", zh-CN = \"缺药\"", 1)
        .replacen("questionnaire = \"recommendation@1\"", "questionnaire = \"overall@1\"", 1);
    let loaded = hospital(&text).unwrap();
    let whats: Vec<&str> = loaded.warnings.0.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        whats,
        [
            "two touchpoints are called `Ward`",
            "nothing in this file uses questionnaire `recommendation@1`",
            "nobody will see this text: `fr` is not one of the hospital's languages",
        ]
    );
    assert!(loaded.warnings.0.iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn an_old_version_of_a_questionnaire_may_stay() {
    let text = EXAMPLE_TOUCHPOINTS.replacen("id = \"payment@1\"", "id = \"payment@2\"", 1)
        + "\n[[questionnaire]]\nid = \"payment@1\"\n[[questionnaire.question]]\nid = \"ease\"\n\
           text = { zh-CN = \"缴费方便吗？\", en = \"Easy to pay?\" }\nscale = \"ces5\"\n";
    let loaded =
        hospital(&text.replace("questionnaire = \"payment@1\"", "questionnaire = \"payment@2\"")).unwrap();
    assert!(loaded.warnings.0.is_empty(), "{}", loaded.warnings);
}

#[cfg(feature = "terminal")]
#[test]
fn characters_the_font_lacks_are_named() {
    let fonts = xinsheng::fonts::Fonts::shipped();
    let glyphs = Glyphs::new(&fonts);
    let loaded = |text: &str| {
        let path = Path::new("touchpoints.toml");
        config::load_hospital(path, &files("touchpoints.toml", text), &glyphs)
    };
    let good = loaded(EXAMPLE_TOUCHPOINTS);
    assert!(good.is_ok(), "{}", good.unwrap_err());
    let text = EXAMPLE_TOUCHPOINTS.replacen("zh-CN = \"缺药\"", "zh-CN = \"缺药😀𠮷\"", 1);
    let findings = loaded(&text).unwrap_err();
    assert_eq!(findings.0.len(), 1, "{findings}");
    assert!(findings.0[0].what.contains("`😀` (U+1F600), `𠮷` (U+20BB7)"), "{findings}");
}

#[cfg(feature = "terminal")]
#[test]
fn a_text_is_looked_up_in_the_font_of_its_own_language() {
    let fonts = xinsheng::fonts::Fonts::shipped();
    let text = example_six().replacen("bo = \"གཞན་དག\"", "bo = \"གཞན་དག其\"", 1);
    let glyphs = Glyphs::new(&fonts);
    let read = files("touchpoints.toml", &text);
    let findings = config::load_hospital(Path::new("touchpoints.toml"), &read, &glyphs).unwrap_err();
    assert_eq!(findings.0.len(), 1, "{findings}");
    assert!(findings.0[0].what.contains("`bo`, Xinsheng Tibetan, cannot draw `其`"), "{findings}");
}

#[cfg(feature = "terminal")]
#[test]
fn the_example_in_six_languages_has_nothing_to_find_and_every_scale() {
    let fonts = xinsheng::fonts::Fonts::shipped();
    let text = example_six();
    let read = files("touchpoints.toml", &text);
    let loaded = config::load_hospital(Path::new("touchpoints.toml"), &read, &Glyphs::new(&fonts))
        .unwrap_or_else(|findings| panic!("{findings}"));
    assert!(loaded.warnings.0.is_empty(), "{}", loaded.warnings);
    let hospital = loaded.value;
    assert_eq!(hospital.languages.len(), 6);
    let questions: Vec<_> = hospital.questionnaires.iter().flat_map(|asked| &asked.questions).collect();
    for scale in xinsheng::model::Scale::ALL {
        assert!(questions.iter().any(|question| question.scale == scale), "{scale}");
    }
    assert!(questions.iter().flat_map(|question| &question.reasons).any(|group| group.reasons.len() >= 6));
}

/// The second example, whose many languages try every font.
#[cfg(feature = "terminal")]
fn example_six() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/touchpoints-six-languages.toml");
    std::fs::read_to_string(path).unwrap()
}

// ── Any file at all ──

/// What a hand can do to a line.
#[derive(Clone, Debug)]
enum Slip {
    Delete,
    RenameKey,
    Number,
    Text,
    List,
    CutHalf,
    Swap,
    Insert(String),
}

fn slip() -> impl Strategy<Value = Slip> {
    prop_oneof![
        Just(Slip::Delete),
        Just(Slip::RenameKey),
        Just(Slip::Number),
        Just(Slip::Text),
        Just(Slip::List),
        Just(Slip::CutHalf),
        Just(Slip::Swap),
        "[\\[\\]{}=\"'#,.a-z0-9 药“\\\\]{0,12}".prop_map(Slip::Insert),
    ]
}

fn slipped(text: &str, line: usize, slip: &Slip) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = line % lines.len();
    let value = |with: &str| match lines[at].split_once('=') {
        Some((key, _)) => format!("{key}= {with}"),
        None => with.to_owned(),
    };
    let changed = match slip {
        Slip::Delete => String::new(),
        Slip::RenameKey => format!("x{}", lines[at]),
        Slip::Number => value("-9223372036854775808"),
        Slip::Text => value("\"qq\""),
        Slip::List => value("[[1], {}]"),
        Slip::CutHalf => lines[at].chars().take(lines[at].chars().count() / 2).collect(),
        Slip::Swap => lines[(at + 1) % text.lines().count()].clone(),
        Slip::Insert(what) => what.clone(),
    };
    lines[at] = changed;
    lines.join("\n")
}

proptest! {
    // A case reads the whole example; two hundred keep this test under a few seconds.
    #![proptest_config(chance::cases(200))]

    #[test]
    fn any_slips_give_a_value_or_a_finding_inside_the_file(
        kind in prop_oneof![Just(Touchpoints), Just(Kiosk), Just(Central)],
        slips in prop::collection::vec((any::<usize>(), slip()), 1..4),
    ) {
        let text = slips.iter().fold(example(kind).to_owned(), |text, (line, slip)| slipped(&text, *line, slip));
        let name = format!("{}.toml", kind.name());
        let (path, read, glyphs) = (PathBuf::from(&name), files(&name, &text), Glyphs::default());
        let refused = match kind {
            Touchpoints => config::load_hospital(&path, &read, &glyphs).err(),
            Kiosk => config::load_kiosk(&path, &read, &glyphs).err(),
            Central => config::load_central(&path, &read, &glyphs).err(),
        };
        for finding in refused.iter().flat_map(|findings| &findings.0) {
            let line = text.split('\n').nth(finding.line - 1);
            prop_assert!(line.is_some_and(|line| finding.column <= line.chars().count() + 1), "{finding}");
            prop_assert!(!finding.what.is_empty() && !finding.fix.is_empty(), "{finding}");
        }
        prop_assert!(refused.is_none_or(|findings| findings.any_error()));
    }
}

#[test]
fn lines_can_go_missing() {
    for kind in Kind::ALL {
        // Every tenth line: sections are alike, and all lines would take longer than the other tests together.
        for line in (0..example(kind).lines().count()).step_by(10) {
            let text = slipped(example(kind), line, &Slip::Delete);
            for finding in check(kind, &text).0 {
                assert!(finding.line <= text.lines().count().max(1), "{finding}");
            }
        }
    }
}
