//! Every page on every panel, in every language and theme, measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "simulator")]

use std::collections::BTreeMap;

use xinsheng::{
    panel::{Panel, Rotation},
    simulator::{
        audit::{self, Rule, Table},
        gallery::{Gallery, Group},
        stage::Stage,
    },
    theme::Theme,
};

/// Readings that break a rule today, by rule: the list of what is still to be mended. It may only get shorter, and whoever mends a page
/// shortens it here.
const TO_BE_MENDED: &[(Rule, usize)] = &[];

/// Geometry on every panel in every language; contrast, which no language and no rotation changes, on the smallest and the usual panel in
/// every theme. `XINSHENG_AUDIT=all` looks at everything in everything, which takes a quarter of an hour.
#[test]
fn every_page_on_every_panel_in_every_language_keeps_the_rules() {
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
    let known: BTreeMap<Rule, usize> = TO_BE_MENDED.iter().copied().collect();
    if !everything() {
        assert_eq!(broken, known, "the left side is what breaks a rule now, by rule");
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
                for scene in gallery.scenes(panel) {
                    let place = |theme: &str| {
                        let low = if low_reach { ", low reach" } else { "" };
                        format!("{}, {} {}{low}{theme}", scene.name, name(panel), voice.lang)
                    };
                    gallery.show(&mut stage, &scene, panel, &voice);
                    let sketch = stage.sketch();
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
                        table.take(audit::focus(&mut stage, false), || place(""));
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
