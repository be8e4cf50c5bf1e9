//! The formulas.

use crate::model::{Polarity, Scale, Value};

/// The 97.5 % point of the normal distribution: intervals are two-sided 95 %.
const Z: f64 = 1.959_964;

/// Two-sided 95 %.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Answers to one question, by value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Their scale.
    pub scale: Scale,
    counts: Vec<(Value, u64)>,
}

impl Tally {
    /// No answers yet.
    pub fn new(scale: Scale) -> Self {
        Self { scale, counts: scale.levels().into_iter().map(|level| (level.value, 0)).collect() }
    }

    /// Adds answers; values that are not on the scale are left out (the store quarantines them).
    pub fn add(&mut self, value: Value, n: u64) {
        if let Some((_, count)) = self.counts.iter_mut().find(|(v, _)| *v == value) {
            *count += n;
        }
    }

    /// All answers, "don't know" included.
    pub fn n(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    /// Counts from the worst value to the best, "don't know" last.
    pub fn counts(&self) -> &[(Value, u64)] {
        &self.counts
    }

    fn count(&self, wanted: impl Fn(Value) -> bool) -> u64 {
        self.counts.iter().filter(|(value, _)| wanted(*value)).map(|(_, n)| n).sum()
    }

    fn polarity(&self, wanted: Polarity) -> u64 {
        self.count(|value| self.scale.level(value).is_some_and(|level| level.polarity == wanted))
    }
}

/// A way to make one number of a tally.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Yardstick {
    /// Customer satisfaction.
    Csat,
    /// Customer effort.
    Ces,
    /// Mean effort.
    CesMean,
    /// Net Promoter Score.
    Nps,
    /// NHS Friends and Family Test, positive.
    FftPositive,
    /// NHS Friends and Family Test, negative.
    FftNegative,
    /// Mean of the levels.
    Index,
    /// Share of the positive levels.
    Positive,
    /// Good-rating rate of the Chinese government service rating.
    GoodRate,
    /// Share of yes.
    Yes,
}

impl Yardstick {
    /// Every yardstick that fits a scale; the first is its headline.
    pub const fn of(scale: Scale) -> &'static [Self] {
        match scale {
            Scale::Csat5 => &[Self::Csat, Self::GoodRate, Self::Index],
            Scale::Ces5 => &[Self::Ces, Self::CesMean],
            Scale::Nps11 => &[Self::Nps],
            Scale::Fft6 => &[Self::FftPositive, Self::FftNegative],
            Scale::Face4 => &[Self::Index, Self::Positive],
            Scale::Face5 => &[Self::Index, Self::Positive, Self::GoodRate],
            Scale::YesNo => &[Self::Yes],
        }
    }

    /// The name in requests, tables and on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csat => "csat",
            Self::Ces => "ces",
            Self::CesMean => "ces_mean",
            Self::Nps => "nps",
            Self::FftPositive => "fft_positive",
            Self::FftNegative => "fft_negative",
            Self::Index => "index",
            Self::Positive => "positive",
            Self::GoodRate => "good_rate",
            Self::Yes => "yes",
        }
    }

    /// How it is made, in words.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Csat => "share of satisfied and very satisfied (4-5 of 5), Wilson 95 % interval",
            Self::Ces => "share of easy and very easy (4-5 of 5), Wilson 95 % interval",
            Self::CesMean => "mean of 1-5 (5 is very easy), normal 95 % interval",
            Self::Nps => "100 (share of 9-10 - share of 0-6), normal 95 % interval",
            Self::FftPositive => "very good and good over all answers with don't know, Wilson 95 % interval",
            Self::FftNegative => "poor and very poor over all answers with don't know, Wilson 95 % interval",
            Self::Index => "mean of the levels at even steps from 0 to 100, normal 95 % interval",
            Self::Positive => "share of the two best faces, Wilson 95 % interval",
            Self::GoodRate => "good-rating rate: levels 3-5 of 5, Wilson 95 % interval",
            Self::Yes => "share of yes, Wilson 95 % interval",
        }
    }

    /// Lowest and highest possible value: percent, points, or the scale's own steps.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Nps => (-100.0, 100.0),
            Self::CesMean => (1.0, 5.0),
            Self::Csat
            | Self::Ces
            | Self::FftPositive
            | Self::FftNegative
            | Self::Index
            | Self::Positive
            | Self::GoodRate
            | Self::Yes => (0.0, 100.0),
        }
    }

    /// The number with its interval; `None` without answers.
    pub fn measure(self, tally: &Tally) -> Option<Measured> {
        let positive = || share(tally.polarity(Polarity::Positive), tally.n());
        match self {
            Self::Csat | Self::Ces | Self::FftPositive | Self::Positive | Self::Yes => positive(),
            Self::FftNegative => share(tally.polarity(Polarity::Negative), tally.n()),
            Self::GoodRate => share(tally.count(|value| value.0 >= 3), tally.n()),
            Self::Nps => nps(tally),
            Self::Index => {
                let step = |value| tally.scale.level(value).and_then(|level| level.index);
                mean(tally.counts.iter().filter_map(|(v, n)| Some((step(*v)?, *n))), self.range())
            }
            Self::CesMean => mean(tally.counts.iter().map(|(v, n)| (f64::from(v.0), *n)), self.range()),
        }
    }
}

/// One number with its uncertainty.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measured {
    /// Percent for shares and the index, points for NPS, the scale's own steps for a mean.
    pub value: f64,
    /// Two-sided 95 %.
    pub interval: Interval,
}

/// Wilson score interval of x of n, as shares from 0 to 1. (0, 1) without answers.
pub fn wilson(x: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (x, n) = (float(x), float(n));
    let p = x / n;
    let z2 = Z * Z;
    let shrink = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / shrink;
    let half = Z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / shrink;
    Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

/// Normal interval of a Net Promoter Score, in points: 100 (p - d) with margin 1.96 * 100 * sqrt((p + d - (p - d)^2) / n).
pub fn nps_interval(promoters: u64, detractors: u64, n: u64) -> Interval {
    if n == 0 {
        return Interval { low: -100.0, high: 100.0 };
    }
    let (p, d) = (float(promoters) / float(n), float(detractors) / float(n));
    let margin = 100.0 * Z * ((p + d - (p - d).powi(2)) / float(n)).max(0.0).sqrt();
    let value = 100.0 * (p - d);
    Interval { low: (value - margin).max(-100.0), high: (value + margin).min(100.0) }
}

fn share(x: u64, n: u64) -> Option<Measured> {
    let Interval { low, high } = wilson(x, n);
    (n > 0).then(|| Measured {
        value: 100.0 * float(x) / float(n),
        interval: Interval { low: 100.0 * low, high: 100.0 * high },
    })
}

fn nps(tally: &Tally) -> Option<Measured> {
    let (promoters, detractors) = (tally.polarity(Polarity::Positive), tally.polarity(Polarity::Negative));
    let n = tally.n();
    (n > 0).then(|| Measured {
        value: 100.0 * (float(promoters) - float(detractors)) / float(n),
        interval: nps_interval(promoters, detractors, n),
    })
}

/// Mean and normal interval of weighted values, cut to the ends of their range. One answer says nothing of the spread, so its
/// interval is the whole range.
fn mean(weighted: impl Iterator<Item = (f64, u64)>, range: (f64, f64)) -> Option<Measured> {
    let weighted: Vec<(f64, f64)> = weighted.map(|(value, n)| (value, float(n))).collect();
    let n: f64 = weighted.iter().map(|(_, n)| n).sum();
    if n < 1.0 {
        return None;
    }
    let mean = weighted.iter().map(|(value, n)| value * n).sum::<f64>() / n;
    if n < 2.0 {
        return Some(Measured { value: mean, interval: Interval { low: range.0, high: range.1 } });
    }
    let squares = weighted.iter().map(|(value, n)| (value - mean).powi(2) * n).sum::<f64>();
    let margin = Z * (squares / (n - 1.0) / n).sqrt();
    let interval = Interval { low: (mean - margin).max(range.0), high: (mean + margin).min(range.1) };
    Some(Measured { value: mean, interval })
}

/// Exact up to 2^53 answers.
#[expect(clippy::cast_precision_loss, reason = "counts of answers stay far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(scale: Scale, counts: &[(u8, u64)]) -> Tally {
        let mut tally = Tally::new(scale);
        for (value, n) in counts {
            tally.add(Value(*value), *n);
        }
        tally
    }

    #[test]
    fn wilson_gives_the_published_intervals() {
        for (x, n, low, high) in
            [(5, 5, 57.0, 100.0), (8, 10, 49.0, 94.0), (24, 30, 63.0, 91.0), (80, 100, 71.0, 87.0)]
        {
            let interval = wilson(x, n);
            // Published in whole percent; the upper end of 24/30 is 90.5.
            assert!((100.0 * interval.low - low).abs() < 0.6, "{x}/{n} {interval:?}");
            assert!((100.0 * interval.high - high).abs() < 0.6, "{x}/{n} {interval:?}");
        }
        assert_eq!(wilson(0, 0), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn the_margin_of_nps_shrinks_as_published() {
        for (n, margin) in [(10, 48.0), (30, 28.0), (100, 15.0), (400, 8.0), (1000, 5.0)] {
            let Interval { low, high } = nps_interval(n / 2, n / 5, n);
            assert!((((high - low) / 2.0).round() - margin).abs() < f64::EPSILON, "n {n}: {low} to {high}");
        }
    }

    #[test]
    fn faces_give_the_published_index() {
        let four =
            Yardstick::Index.measure(&tally(Scale::Face4, &[(4, 126), (3, 60), (2, 16), (1, 17)])).unwrap();
        assert!((four.value - 78.2).abs() < 0.05, "{four:?}");
        let five = Yardstick::Index
            .measure(&tally(Scale::Face5, &[(5, 51), (4, 23), (3, 12), (2, 2), (1, 4)]))
            .unwrap();
        assert!((five.value - 81.25).abs() < 1e-9, "{five:?}");
    }

    #[test]
    fn friends_and_family_counts_dont_know_below_the_line() {
        let tally = tally(Scale::Fft6, &[(1, 60), (2, 20), (3, 5), (4, 4), (5, 1), (6, 10)]);
        assert!((Yardstick::FftPositive.measure(&tally).unwrap().value - 80.0).abs() < 1e-9);
        assert!((Yardstick::FftNegative.measure(&tally).unwrap().value - 5.0).abs() < 1e-9);
    }

    #[test]
    fn every_score_lies_in_its_interval_and_there_is_none_without_answers() {
        for scale in Scale::ALL {
            for yardstick in Yardstick::of(scale) {
                assert_eq!(yardstick.measure(&Tally::new(scale)), None);
                for level in scale.levels().into_iter().filter(|level| level.index.is_some()) {
                    let one = yardstick.measure(&tally(scale, &[(level.value.0, 3)])).unwrap();
                    let (low, high) = yardstick.range();
                    assert!(low <= one.interval.low && one.interval.low <= one.value, "{scale} {one:?}");
                    assert!(one.value <= one.interval.high && one.interval.high <= high, "{scale} {one:?}");
                }
            }
        }
    }

    #[test]
    fn easy_is_the_upper_end_of_effort_and_good_starts_in_the_middle() {
        let effort = tally(Scale::Ces5, &[(5, 3), (3, 1)]);
        assert!((Yardstick::Ces.measure(&effort).unwrap().value - 75.0).abs() < 1e-9);
        assert!((Yardstick::CesMean.measure(&effort).unwrap().value - 4.5).abs() < 1e-9);
        let satisfaction = tally(Scale::Csat5, &[(3, 1), (1, 1)]);
        assert!(Yardstick::Csat.measure(&satisfaction).unwrap().value.abs() < 1e-9);
        assert!((Yardstick::GoodRate.measure(&satisfaction).unwrap().value - 50.0).abs() < 1e-9);
    }
}
