//! The formulas.

use super::interval::{self, Interval, float, wilson};
use crate::model::{Polarity, Scale, Value};

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
pub(crate) enum Yardstick {
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
            Self::CesMean => {
                "mean of 1-5 (5 is very easy), Bayesian 95 % interval (multinomial, Perks prior)"
            }
            Self::Nps => {
                "100 (share of 9-10 - share of 0-6), Bayesian 95 % interval (multinomial, Perks prior)"
            }
            Self::FftPositive => "very good and good over all answers with don't know, Wilson 95 % interval",
            Self::FftNegative => "poor and very poor over all answers with don't know, Wilson 95 % interval",
            Self::Index => {
                "mean of the levels at even steps from 0 to 100, Bayesian 95 % interval (multinomial, Perks prior)"
            }
            Self::Positive => "share of the two best faces, Wilson 95 % interval",
            Self::GoodRate => "good-rating rate: levels 3-5 of 5, Wilson 95 % interval",
            Self::Yes => "share of yes, Wilson 95 % interval",
        }
    }

    /// What stands behind the number: `%`, or nothing for points and steps.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Csat
            | Self::Ces
            | Self::FftPositive
            | Self::FftNegative
            | Self::Positive
            | Self::GoodRate
            | Self::Yes => "%",
            Self::CesMean | Self::Nps | Self::Index => "",
        }
    }

    /// Digits behind the point, as it is written for people.
    pub const fn digits(self) -> usize {
        match self {
            Self::CesMean => 2,
            Self::Nps => 0,
            Self::Csat
            | Self::Ces
            | Self::FftPositive
            | Self::FftNegative
            | Self::Index
            | Self::Positive
            | Self::GoodRate
            | Self::Yes => 1,
        }
    }

    /// The number as it is written for people, without its unit: `78.2`, `100`, `+31`, `-5`.
    pub fn written(self, value: f64) -> String {
        let (_, most) = self.range();
        let text = format!("{value:.*}", self.digits());
        let zero = text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.'));
        if zero {
            return text.trim_start_matches('-').to_owned();
        }
        if self == Self::Nps && value > 0.0 {
            return format!("+{text}");
        }
        // 100.0 is the one figure with four digits.
        text.strip_suffix(".0")
            .filter(|whole| (most - 100.0).abs() < 1.0 && *whole == "100")
            .map_or(text.clone(), str::to_owned)
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
    pub(crate) fn measure(self, tally: &Tally) -> Option<Measured> {
        let positive = || share(tally.polarity(Polarity::Positive), tally.n());
        match self {
            Self::Csat | Self::Ces | Self::FftPositive | Self::Positive | Self::Yes => positive(),
            Self::FftNegative => share(tally.polarity(Polarity::Negative), tally.n()),
            Self::GoodRate => share(tally.count(|value| value.0 >= 3), tally.n()),
            Self::Nps => nps(tally),
            Self::Index => {
                let step = |(value, n): &(Value, u64)| Some((tally.scale.level(*value)?.index?, *n));
                mean(&tally.counts.iter().filter_map(step).collect::<Vec<_>>())
            }
            Self::CesMean => {
                mean(&tally.counts.iter().map(|(v, n)| (f64::from(v.0), *n)).collect::<Vec<_>>())
            }
        }
    }
}

/// One number with its uncertainty.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Measured {
    /// Percent for shares and the index, points for NPS, the scale's own steps for a mean.
    pub value: f64,
    /// Two-sided 95 %.
    pub interval: Interval,
}

pub(super) fn share(x: u64, n: u64) -> Option<Measured> {
    let Interval { low, high } = wilson(x, n);
    (n > 0).then(|| Measured {
        value: 100.0 * float(x) / float(n),
        interval: Interval { low: 100.0 * low, high: 100.0 * high },
    })
}

/// Promoters minus detractors is the mean of 100, 0 and -100.
fn nps(tally: &Tally) -> Option<Measured> {
    let (promoters, detractors) = (tally.polarity(Polarity::Positive), tally.polarity(Polarity::Negative));
    mean(&[(-100.0, detractors), (0.0, tally.n() - promoters - detractors), (100.0, promoters)])
}

fn mean(weighted: &[(f64, u64)]) -> Option<Measured> {
    interval::mean(weighted).map(|(value, interval)| Measured { value, interval })
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

    /// Half the width of the interval, in whole points; promoters 50 %, detractors 20 %.
    fn nps_margin(n: u64) -> f64 {
        let answers = tally(Scale::Nps11, &[(10, n / 2), (7, n - n / 2 - n / 5), (0, n / 5)]);
        let Interval { low, high } = Yardstick::Nps.measure(&answers).unwrap().interval;
        ((high - low) / 2.0).round()
    }

    #[test]
    fn the_margin_of_nps_shrinks_as_published_and_is_narrower_where_the_normal_one_is_too_wide() {
        // The published margins are those of the normal formula, which for few answers reaches beyond the scale.
        let normal = |n: f64| (1.959_964 * 100.0 * ((0.7 - 0.09) / n).sqrt()).round();
        for (n, published) in [(10, 48.0), (30, 28.0), (100, 15.0), (400, 8.0), (1000, 5.0)] {
            assert!((normal(float(n)) - published).abs() < f64::EPSILON, "n {n}");
            let narrower = published - nps_margin(n);
            let fits = if n < 100 { 0.0..5.0 } else { -0.5..0.5 };
            assert!(fits.contains(&narrower), "n {n}: {}", nps_margin(n));
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

    #[test]
    fn figures_are_written_with_their_unit_and_digits() {
        for (yardstick, value, text) in [
            (Yardstick::Csat, 80.0, "80.0"),
            (Yardstick::Csat, 99.96, "100"),
            (Yardstick::Index, 0.0, "0.0"),
            (Yardstick::CesMean, 4.5, "4.50"),
            (Yardstick::Nps, 30.6, "+31"),
            (Yardstick::Nps, -0.2, "0"),
            (Yardstick::Nps, -4.6, "-5"),
        ] {
            assert_eq!(yardstick.written(value), text);
        }
        for yardstick in Scale::ALL.into_iter().flat_map(Yardstick::of) {
            assert_eq!(
                yardstick.unit() == "%",
                yardstick.formula().contains("Wilson"),
                "{}",
                yardstick.name()
            );
        }
    }
}
