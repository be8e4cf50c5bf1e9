//! A file's rows, tapped on a panel in memory.

use std::sync::Arc;

use anyhow::Context;

use super::{
    feedback::{Feedback, now},
    home::Home,
    replayed::Replayed,
    say, wait_for_sync,
};
use crate::{
    clock::{Clock, SimClock, fresh},
    lang::Catalogue,
    model::{Moment, TimeQuality},
    simulator::{
        SimPanel,
        replay::{self, Tally, Visit},
        visitor::Visitor,
    },
    survey::{Plan, Start},
    terminal::{Assembly, Parts, Place},
};

/// Taps the rows that this folder does not hold yet.
pub(super) fn tap_rows(home: &Home, feedback: &Feedback) -> anyhow::Result<()> {
    let mut replayed = Replayed::open(&home.kiosk_dir())?;
    let mut visits = replay::schedule(&feedback.plan, feedback.setup.time_zone, now());
    let all = visits.len();
    visits.retain(|visit| !replayed.holds(visit.row.identity));
    if visits.len() < all {
        say(&format!(
            "{} of {all} rows are in this folder already and are not counted again",
            all - visits.len()
        ))?;
    }
    let tally = match visits.first() {
        Some(first) => tap(home, feedback, &visits, first, &mut replayed)?,
        None => Tally::default(),
    };
    let Tally { thanked, left } = tally;
    say(&format!("{thanked} visitors were thanked, {left} left without an answer"))
}

fn tap(
    home: &Home,
    feedback: &Feedback,
    visits: &[Visit<'_>],
    first: &Visit<'_>,
    replayed: &mut Replayed,
) -> anyhow::Result<Tally> {
    let clock = Arc::new(SimClock::new(Moment {
        wall: first.at,
        boot: fresh::boot_id(),
        up_ms: 1_000,
        quality: TimeQuality::Synced,
    }));
    let place = Place { config: home.kiosk_toml(), data: Some(home.kiosk_dir()) };
    let mut terminal = Assembly::new(place, clock.clone()).start()?;
    let parts = terminal.parts();
    let glass = parts.panel;
    let plan = Plan {
        hospital: feedback.setup.hospital.clone(),
        touchpoints: feedback.setup.touchpoints(),
        start: Start::Attract,
        ..parts.plan.clone()
    };
    let mut panel = SimPanel::new(glass, clock.clone(), |_| Parts { plan, ..parts })?;
    terminal.attach(&panel.kiosk().screen())?;
    let (recorder, journal) = (terminal.recorder(), terminal.recorder());
    // The recorder takes its commands in order: when this one was done, all before it were answered.
    let committed = move || recorder.call(|_| ()).context("the journal's thread ended");
    let words = Catalogue::shipped()?;
    let mut visitor = Visitor::new(&mut panel, &words, &committed);
    let bar = indicatif::ProgressBar::new(visits.len() as u64).with_style(
        indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} visits, {elapsed} ({eta} left)")?,
    );
    let tally = replay::run(&mut visitor, &feedback.setup, visits, |row| {
        bar.inc(1);
        let seq = journal.call(|journal| journal.head().seq).context("the journal's thread ended")?;
        replayed.begin(row.identity, seq)
    })?;
    replayed.end()?;
    bar.finish();
    clock.set_wall(now().max(clock.now().wall));
    wait_for_sync(&terminal)?;
    terminal.stop();
    Ok(tally)
}
