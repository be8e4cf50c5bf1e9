//! Every page on every panel, in every language and theme, measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "simulator")]

use std::collections::BTreeMap;

use slint::{ComponentHandle, Model};
use xinsheng::{
    audit::{
        self, Reading, Rule, Table,
        gallery::{Gallery, Group},
        stage::Stage,
    },
    panel::{Panel, Rotation},
    theme::{Color, Palette, Theme},
    ui::{Metrics, OptionItem, Question},
};

/// How many readings may still break each rule: what is to be mended. The numbers may only go down, and whoever mends a page lowers them.
const TO_BE_MENDED: [(Rule, usize); 13] = [
    (Rule::TargetSize, 6852),
    (Rule::TargetGap, 1232),
    (Rule::Heading, 2285),
    (Rule::Text, 18386),
    (Rule::TextContrast, 10),
    (Rule::TextContrast565, 10),
    (Rule::EdgeContrast, 8),
    (Rule::EdgeContrast565, 8),
    (Rule::Clipped, 5796),
    (Rule::Overlap, 1663),
    (Rule::LineLength, 1181),
    (Rule::Focus, 520),
    (Rule::Reach, 787),
];

/// Geometry on every panel in every language; contrast, which no language and no rotation changes, on the smallest and the usual panel in
/// every theme. `XINSHENG_AUDIT=all` looks at everything in everything, which takes a quarter of an hour.
#[test]
fn no_page_breaks_more_rules_than_the_list_of_what_is_to_be_mended() {
    let panels = panels();
    let halves: Vec<Vec<Panel>> =
        (0..2).map(|n| panels.iter().skip(n).step_by(2).copied().collect()).collect();
    let threads: Vec<_> =
        halves.into_iter().map(|half| std::thread::spawn(move || audit_panels(&half))).collect();
    let mut table = Table::default();
    for thread in threads {
        table.join(thread.join().unwrap());
    }
    println!("{table}");
    let mut broken: BTreeMap<Rule, usize> = BTreeMap::new();
    for (reading, _) in table.broken() {
        *broken.entry(reading.rule).or_default() += 1;
    }
    let known: BTreeMap<Rule, usize> = TO_BE_MENDED.into_iter().collect();
    if !everything() {
        for (rule, count) in broken {
            let allowed = known.get(&rule).copied().unwrap_or(0);
            assert!(count <= allowed, "{}: {count} readings break it, {allowed} did before", rule.name());
        }
    }
}

/// A sound page passes each rule; damaged in the way that the rule is there for, it does not.
#[test]
fn a_page_broken_on_purpose_is_seen() {
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let panel = Panel::new(10.1, 1280, 800);
    let voice = gallery.voices().into_iter().find(|voice| voice.lang.as_str() == "zh-CN").unwrap();
    let mut unseen = Vec::new();
    for rule in Rule::ALL {
        stage.lay_out(&panel, rule == Rule::Reach);
        stage.paint(&Theme::Standard.palette(None));
        let name = if rule == Rule::Reach { "reasons-6" } else { "question-csat5" };
        let scene = Gallery::scenes().into_iter().find(|scene| scene.name == name).unwrap();
        gallery.show(&mut stage, &scene, &voice);
        let sound = readings_of(rule, &mut stage, &panel);
        assert!(!sound.is_empty(), "{}: nothing is measured", rule.name());
        assert!(sound.iter().all(Reading::passes), "{}: broken already: {sound:?}", rule.name());
        damage(rule, &stage);
        let damaged = readings_of(rule, &mut stage, &panel);
        if damaged.iter().all(Reading::passes) {
            unseen.push(rule.name());
        }
    }
    assert!(unseen.is_empty(), "damage that is not seen: {unseen:?}");
}

fn readings_of(rule: Rule, stage: &mut Stage, panel: &Panel) -> Vec<Reading> {
    let sketch = stage.sketch();
    let mut readings = audit::geometry(&sketch, panel);
    readings.extend(audit::reach(&sketch, panel));
    readings.extend(audit::contrast(&sketch, &stage.frame()));
    readings.extend(audit::focus(stage, false));
    readings.into_iter().filter(|reading| reading.rule == rule).collect()
}

fn damage(rule: Rule, stage: &Stage) {
    let (metrics, question) = (stage.window().global::<Metrics>(), stage.window().global::<Question>());
    let retitle = |words: &str| {
        let title = question.get_title();
        question.set_title(xinsheng::ui::Line { text: words.into(), spoken: words.into(), ..title });
    };
    let (pale, standard) = (Color::hex(0x00c4_c4c4), Theme::Standard.palette(None));
    match rule {
        Rule::TargetSize => metrics.set_target(metrics.get_target() / 2.0),
        Rule::TargetGap => metrics.set_gap(0.0),
        Rule::Heading => {
            metrics.set_question_em(metrics.get_question_em() / 2.0);
            metrics.set_question_least_em(metrics.get_question_least_em() / 2.0);
        }
        Rule::Text => metrics.set_text_em(metrics.get_text_em() / 2.0),
        Rule::Second => metrics.set_second_em(metrics.get_second_em() / 2.0),
        Rule::TextContrast | Rule::TextContrast565 => {
            stage.paint(&Palette { ink: pale, quiet: pale, ..standard });
        }
        Rule::EdgeContrast | Rule::EdgeContrast565 => stage.paint(&Palette { edge: pale, ..standard }),
        // Letters that are taken to stand lower in their lines than they do: all are drawn too high.
        Rule::Clipped => metrics.set_low_em(3.0),
        Rule::LineSpacing => metrics.set_line_factor(metrics.get_line_factor() * 0.9),
        Rule::Overlap => metrics.set_line_factor(metrics.get_line_factor() / 2.0),
        Rule::Glyphs => retitle("您对这里的服务满意吗\u{1f642}"),
        Rule::LineLength => {
            metrics.set_line_max_em(100.0);
            metrics.set_question_em(metrics.get_question_em() / 3.0);
            metrics.set_question_least_em(metrics.get_question_least_em() / 3.0);
            retitle(&"您对这里的服务满意吗".repeat(4));
        }
        Rule::Label => {
            let options = question.get_options();
            let option = options.row_data(2).unwrap();
            let line = xinsheng::ui::Line { spoken: "".into(), ..option.line };
            options.set_row_data(2, OptionItem { line, ..option });
        }
        // Mirrored, although its script runs from left to right.
        Rule::Focus => metrics.set_rtl(true),
        Rule::Reach => metrics.set_low_reach(false),
    }
}

fn everything() -> bool {
    std::env::var_os("XINSHENG_AUDIT").is_some_and(|what| what == "all")
}

fn audit_panels(panels: &[Panel]) -> Table {
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let mut table = Table::default();
    for panel in panels {
        for low_reach in [false, true] {
            for voice in gallery.voices() {
                stage.lay_out(panel, low_reach);
                for scene in Gallery::scenes() {
                    let place = |theme: &str| {
                        let low = if low_reach { ", low reach" } else { "" };
                        format!("{}, {} {}{low}{theme}", scene.name, name(panel), voice.lang)
                    };
                    gallery.show(&mut stage, &scene, &voice);
                    let sketch = stage.sketch();
                    if let Ok(wanted) = std::env::var("XINSHENG_AUDIT_SHOW")
                        && wanted == place("")
                    {
                        println!("{sketch:#?}");
                    }
                    table.take(audit::geometry(&sketch, panel), || place(""));
                    if low_reach {
                        table.take(audit::reach(&sketch, panel), || place(""));
                    } else if shows_contrast(panel, voice.lang.as_str()) {
                        for theme in Theme::ALL {
                            stage.paint(&theme.palette(None));
                            let frame = stage.frame();
                            table.take(audit::contrast(&sketch, &frame), || {
                                place(&format!(", {}", theme.name()))
                            });
                        }
                    }
                    if scene.group != Group::Touched && follows_focus(panel, voice.lang.as_str()) {
                        table.take(audit::focus(&mut stage, gallery.right_to_left(&voice)), || place(""));
                    }
                }
            }
        }
    }
    table
}

/// Colours depend on the theme alone, and strokes get thinnest on the smallest panel.
fn shows_contrast(panel: &Panel, lang: &str) -> bool {
    let chosen = panel.rotation == Rotation::None && matches!(panel.width_px, 800 | 1280);
    everything() || (chosen && matches!(lang, "zh-CN" | "ug"))
}

/// The order of the keyboard depends on where things stand: on the orientation and on the direction of the script.
fn follows_focus(panel: &Panel, lang: &str) -> bool {
    everything() || (panel.width_px == 1280 && matches!(lang, "zh-CN" | "ug"))
}

fn name(panel: &Panel) -> String {
    let (width, height) = panel.page_px();
    format!("{}\" {width}x{height}", panel.diagonal_in)
}

/// The panels of the requirements, and each turned by a quarter.
fn panels() -> Vec<Panel> {
    let built = [
        (7.0, 1024, 600),
        (7.0, 800, 480),
        (7.0, 720, 1280),
        (10.1, 1280, 800),
        (15.6, 1920, 1080),
        (21.5, 1920, 1080),
    ];
    built
        .into_iter()
        .map(|(diagonal, width, height)| Panel::new(diagonal, width, height))
        .flat_map(|panel| [panel, Panel { rotation: Rotation::Quarter, ..panel }])
        .collect()
}
