//! Every page on every panel, in every language and theme, measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::pedantic,
    reason = "a test that cannot go on fails"
)]
#![cfg(feature = "simulator")]

use xinsheng::{
    config,
    lang::Catalogue,
    panel::{Panel, Rotation},
    simulator::{
        audit::{self, Table},
        gallery::{Gallery, Group},
        stage::Stage,
    },
    theme::Theme,
};

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
    assert!(table.broken().is_empty(), "{} broken", table.broken().len());
}

fn audit_panels(panels: &[Panel]) -> Table {
    let gallery = Gallery::new(config::example().value.hospital, Catalogue::shipped().unwrap()).unwrap();
    let mut stage = Stage::new().unwrap();
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
                    } else {
                        for theme in Theme::ALL {
                            stage.paint(&theme.palette(None));
                            let frame = stage.frame();
                            table.take(audit::contrast(&sketch, &frame), || {
                                place(&format!(", {}", theme.name()))
                            });
                        }
                    }
                    if scene.group != Group::Touched {
                        table.take(audit::focus(&mut stage, false), || place(""));
                    }
                }
            }
        }
    }
    table
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
