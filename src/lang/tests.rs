//! The words of the terminal's pages that come with the program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says what it met"
)]

use super::*;
use crate::fonts::Fonts;

fn shipped() -> Catalogue {
    Catalogue::shipped().expect("the shipped languages are readable")
}

#[test]
fn every_shipped_language_has_every_text() {
    let catalogue = shipped();
    for tag in catalogue.tags() {
        assert_eq!(catalogue.missing(tag), [], "{tag}");
    }
}

#[test]
fn no_shipped_language_has_a_text_that_is_not_in_the_list() {
    for (tag, po) in SHIPPED {
        for entry in read_po(po.as_bytes()).expect("readable").entries {
            let known = |text: &Text| text.context() == entry.context && text.source() == entry.id;
            assert!(Text::ALL.iter().any(known), "{tag}, line {}: {:?}", entry.line, entry.id);
        }
    }
}

/// The program's own source, without the list of texts itself.
fn source_of(folder: &std::path::Path, all: &mut String) {
    for path in
        std::fs::read_dir(folder).expect("the source is there").map(|entry| entry.expect("readable").path())
    {
        if path.is_dir() {
            source_of(&path, all);
        } else if !path.ends_with("tests.rs")
            && !path.starts_with(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lang"))
        {
            all.push_str(&std::fs::read_to_string(&path).expect("readable"));
        }
    }
}

#[test]
fn there_is_no_text_that_no_page_asks_for() {
    let mut source = String::new();
    source_of(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut source);
    let words: std::collections::HashSet<&str> = source
        .split("Text::")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        .collect();
    let scales = ["face4", "face5", "csat5", "ces5", "fft6", "yes_no"];
    let labels: Vec<Text> =
        scales.iter().flat_map(|scale| (1..=6).filter_map(|place| Text::level(scale, place))).collect();
    for text in Text::ALL {
        let name = format!("{text:?}");
        assert!(labels.contains(&text) || words.contains(name.as_str()), "no page asks for {name}");
    }
}

#[test]
fn two_texts_never_share_a_page_and_a_source() {
    let mut seen = std::collections::HashSet::new();
    for text in Text::ALL {
        assert!(seen.insert((text.context(), text.source())), "{text:?}");
    }
}

#[test]
fn every_text_can_be_drawn_in_the_font_of_its_language_alone() {
    let (catalogue, fonts) = (shipped(), Fonts::shipped());
    for tag in catalogue.tags() {
        let texts = Text::ALL.into_iter().map(|text| Words::new(catalogue.text(tag, text), None).text);
        for text in texts.chain([catalogue.name(tag).to_owned()]) {
            assert_eq!(String::from_iter(fonts.missing(tag, &text)), "", "{tag}: {text}");
        }
    }
}

#[test]
fn a_number_to_be_filled_in_is_never_lost_in_translation() {
    let catalogue = shipped();
    for (tag, text) in catalogue.tags().flat_map(|tag| Text::ALL.map(|text| (tag, text))) {
        let holds = |text: &str| text.matches("{n}").count();
        assert_eq!(holds(catalogue.text(tag, text)), holds(text.source()), "{tag} {text:?}");
    }
}

#[test]
fn a_number_is_filled_in_wherever_the_text_stands() {
    let words = shipped().words("zh-CN", Some("en"), Text::StaffPinWrong).with("3");
    assert_eq!(words.spoken, "密码不对，还能试 3 次");
    assert!(words.text.contains("3\u{a0}次") && !words.text.contains('{'), "{}", words.text);
    assert_eq!(words.second, "Wrong PIN, 3 tries left");
}

#[test]
fn the_headers_say_which_languages_run_from_right_to_left_and_which_are_drafts() {
    let catalogue = shipped();
    let those = |is: fn(&Catalogue, &str) -> bool| -> Vec<&str> {
        catalogue.tags().filter(|tag| is(&catalogue, tag)).collect()
    };
    assert_eq!(those(Catalogue::right_to_left), ["ug"]);
    assert_eq!(those(Catalogue::is_draft), ["ug", "bo", "ja"]);
}

#[test]
fn a_label_of_a_scale_is_short_in_every_language() {
    let catalogue = shipped();
    let scales = ["face5", "ces5", "fft6", "yes_no"];
    let labels = scales.iter().flat_map(|scale| (1..=6).filter_map(|place| Text::level(scale, place)));
    for (tag, text) in
        labels.flat_map(|text| catalogue.tags().map(move |tag| (tag, text)).collect::<Vec<_>>())
    {
        for line in catalogue.text(tag, text).split(['\n', ' ']) {
            assert!(crate::config::cells(line) <= 12, "{tag} {text:?}: {line}");
        }
    }
}

#[test]
fn every_chinese_speaks_the_script_it_reads() {
    let catalogue = shipped();
    for (tag, speaks) in [
        ("zh-HK", "zh-TW"),
        ("zh-MO", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-SG", "zh-CN"),
        ("zh", "zh-CN"),
        ("en-GB", "en"),
    ] {
        assert_eq!(catalogue.speaks(tag), Some(speaks), "{tag}");
        assert_eq!(catalogue.text(tag, Text::AttractStart), catalogue.text(speaks, Text::AttractStart));
    }
    assert!(catalogue.right_to_left("ug-CN"));
    assert_eq!(catalogue.speaks("fr"), None);
}

#[test]
fn every_scale_of_words_has_a_label_for_each_level() {
    for (scale, levels) in [("face4", 4), ("face5", 5), ("csat5", 5), ("ces5", 5), ("fft6", 6), ("yes_no", 2)]
    {
        for place in 1..=levels {
            assert!(Text::level(scale, place).is_some(), "{scale} {place}");
        }
        assert_eq!(Text::level(scale, 0), None);
        assert_eq!(Text::level(scale, levels + 1), None);
    }
    assert_eq!(Text::level("nps11", 1), None);
}
