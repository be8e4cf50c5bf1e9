//! How long a page takes from the moment the program fills it to the last pixel: `cargo bench --bench pages`.
//!
//! Every page there is, on the software renderer, 1280 x 800, drawn whole, which is what a change of pages costs on a panel without
//! graphics hardware; a press redraws a part of that. The limit is one frame of a 60 Hz panel. The floor is one copy of the same frame in
//! memory, in the same run: no renderer is faster. A benchmark and no test: what a shared machine measures does not decide about a change.
#![allow(
    clippy::unwrap_used,
    clippy::pedantic,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and fails if it cannot go on"
)]

use std::time::{Duration, Instant};

use xinsheng::{
    page_audit::{
        gallery::{Gallery, Group, Scene, Voice},
        stage::Stage,
    },
    panel::Panel,
    theme::Theme,
};

/// One frame at 60 Hz.
const FRAME: Duration = Duration::from_nanos(16_666_667);
const ROUNDS: usize = 30;

fn main() {
    let gallery = Gallery::shipped().unwrap();
    let mut stage = Stage::new(gallery.fonts()).unwrap();
    let panel = Panel::new(10.1, 1280, 800);
    stage.lay_out(&panel, false);
    stage.paint(&Theme::Standard.palette(None));
    println!("1280 x 800, software renderer, {ROUNDS} rounds; times in milliseconds, limit {:.2}", ms(FRAME));
    println!("floor, one copy of a frame: {:.2}", ms(copy_of_a_frame(&mut stage)));
    let mut worst: Option<(Duration, String)> = None;
    for voice in gallery.voices() {
        let title = format!("page ({})", voice.lang);
        println!("\n{title:<22} {:>7} {:>7} {:>7} {:>7}", "first", "median", "p90", "of 1/60");
        // Under a finger or a ring a page is the same page.
        for scene in Gallery::scenes().into_iter().filter(|scene| scene.group != Group::Touched) {
            let (first, times) = times(&gallery, &mut stage, &scene, &voice);
            let (median, p90) = (times[ROUNDS / 2], times[ROUNDS * 9 / 10]);
            let part = 100.0 * median.as_secs_f64() / FRAME.as_secs_f64();
            println!(
                "{:<22} {:>7.2} {:>7.2} {:>7.2} {part:>5.0} %",
                scene.name,
                ms(first),
                ms(median),
                ms(p90)
            );
            if worst.as_ref().is_none_or(|(known, _)| median > *known) {
                worst = Some((median, format!("{} in {}", scene.name, voice.lang)));
            }
        }
    }
    let (median, name) = worst.unwrap();
    let verdict = if median <= FRAME { "within" } else { "NOT within" };
    println!("\nslowest: {name}, {:.2} ms: {verdict} one frame", ms(median));
}

/// The first time, in which new glyphs are drawn, and all of them, shortest first.
fn times(gallery: &Gallery, stage: &mut Stage, scene: &Scene, voice: &Voice) -> (Duration, Vec<Duration>) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            gallery.show(stage, scene, voice);
            std::hint::black_box(stage.frame().pixels().len());
            started.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort();
    (first, times)
}

fn copy_of_a_frame(stage: &mut Stage) -> Duration {
    let frame = stage.frame().pixels().to_vec();
    let mut copy = frame.clone();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            copy.copy_from_slice(std::hint::black_box(&frame));
            std::hint::black_box(&copy);
            started.elapsed()
        })
        .collect();
    times.sort();
    times[ROUNDS / 2]
}

fn ms(time: Duration) -> f64 {
    1_000.0 * time.as_secs_f64()
}
