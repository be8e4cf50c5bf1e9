//! A file's rows, tapped on a panel in memory.

use std::sync::Arc;

use anyhow::Context;

use super::{home::Home, say, wait_for_sync};
use crate::{
    clock::{Clock, SimClock, SystemClock, fresh},
    lang::Catalogue,
    model::{Moment, TimeQuality},
    simulator::{
        SimPanel,
        replay::{self, Row, Setup, Tally},
        visitor::Visitor,
    },
    survey::{Plan, Start},
    terminal::{Assembly, Parts, Place},
};

pub(super) fn tap_rows(home: &Home, setup: &Setup, rows: &[Row]) -> anyhow::Result<()> {
    let first = rows.first().context("no rows")?;
    let clock = Arc::new(SimClock::new(Moment {
        wall: first.date.and_hms_opt(0, 0, 0).context("midnight exists")?.and_utc(),
        boot: fresh::boot_id(),
        up_ms: 1_000,
        quality: TimeQuality::Synced,
    }));
    let place = Place { config: home.kiosk_toml(), data: Some(home.kiosk_dir()) };
    let mut terminal = Assembly::new(place, clock.clone()).start()?;
    let parts = terminal.parts();
    let glass = parts.panel;
    let plan = Plan {
        hospital: setup.hospital.clone(),
        touchpoints: setup.touchpoints.clone(),
        start: Start::Attract,
        ..parts.plan.clone()
    };
    let mut panel = SimPanel::new(glass, clock.clone(), |_| Parts { plan, ..parts })?;
    terminal.attach(&panel.kiosk().screen())?;
    let recorder = terminal.recorder();
    // The recorder takes its commands in order: when this one was done, all before it were answered.
    let committed = move || recorder.call(|_| ()).context("the journal's thread ended");
    let words = Catalogue::shipped()?;
    let mut visitor = Visitor::new(&mut panel, &words, &committed);
    let bar = indicatif::ProgressBar::new(rows.len() as u64).with_style(
        indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} visits, {elapsed} ({eta} left)")?,
    );
    let tally = replay::run(&mut visitor, setup, rows, |_| bar.inc(1))?;
    bar.finish();
    let Tally { thanked, left } = tally;
    say(&format!("{thanked} visitors were thanked, {left} left without an answer"))?;
    clock.set_wall(SystemClock::new().now().wall.max(clock.now().wall));
    wait_for_sync(&terminal)?;
    terminal.stop();
    Ok(())
}
