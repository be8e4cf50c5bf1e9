//! Intervals: what the answers leave open about everybody who might have answered.
//!
//! Invariants: an interval never has width 0 (equal answers do not prove certainty), never leaves its scale, and always holds the score
//! it belongs to. Their coverage is held by simulation in this file's tests.

use statrs::function::beta::checked_beta_reg;

/// The 97.5 % point of the normal distribution: intervals are two-sided 95 %.
pub(super) const Z: f64 = 1.959_964;

/// Probability below the lower and above the upper end.
const TAIL: f64 = 0.025;

/// Halvings that bring an end of an interval within a billionth of its scale.
const HALVINGS: u32 = 30;

/// Two-sided 95 %.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Wilson score interval of x of n, as shares from 0 to 1. (0, 1) without answers.
pub(crate) fn wilson(x: u64, n: u64) -> Interval {
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

/// Mean and interval of answers given as (value, how often), for every value that can be answered; `None` without answers.
///
/// The counts are multinomial. Their prior is a Dirichlet distribution worth one answer, spread evenly over the values (W. Perks, "Some
/// observations on inverse probability including a new indifference rule", Journal of the Institute of Actuaries 73, 1947), so that the
/// mean has a posterior distribution on its scale whatever was answered. That distribution is taken as the beta distribution on the scale
/// with the same mean and variance, exact for two values; the interval lies between its 2.5 % and 97.5 % points, and reaches to the mean
/// of the answers where that lies outside (equal answers at an end of the scale). Averaged over small neighbourhoods of the true shares
/// (L. Brown, T. Cai, A. `DasGupta`, "Interval estimation for a binomial proportion", Statistical Science 16, 2001, judge intervals so)
/// it covers 93 to 97 % from ten answers on; see the tests for where it is more cautious than that.
pub(super) fn mean(weighted: &[(f64, u64)]) -> Option<(f64, Interval)> {
    let n = float(weighted.iter().map(|(_, n)| n).sum());
    if n < 1.0 {
        return None;
    }
    let mean = weighted.iter().map(|(value, count)| value * float(*count)).sum::<f64>() / n;
    let posterior = Posterior::of(weighted)?;
    let interval =
        Interval { low: posterior.point(TAIL).min(mean), high: posterior.point(1.0 - TAIL).max(mean) };
    Some((mean, interval))
}

/// What is known of a mean: a beta distribution between the ends of its scale.
#[derive(Clone, Copy, Debug)]
struct Posterior {
    low: f64,
    width: f64,
    a: f64,
    b: f64,
}

impl Posterior {
    fn of(weighted: &[(f64, u64)]) -> Option<Self> {
        let low = weighted.iter().map(|(value, _)| *value).reduce(f64::min)?;
        let width = weighted.iter().map(|(value, _)| *value).reduce(f64::max)? - low;
        let prior = 1.0 / float(weighted.len() as u64);
        let total = float(weighted.iter().map(|(_, n)| n).sum()) + 1.0;
        let moment = |power: i32| {
            let part = |(value, n): &(f64, u64)| ((value - low) / width).powi(power) * (float(*n) + prior);
            weighted.iter().map(part).sum::<f64>() / total
        };
        let (mean, square) = (moment(1), moment(2));
        // Not zero: the prior puts something on both ends.
        let variance = (square - mean * mean) / (total + 1.0);
        let size = mean * (1.0 - mean) / variance - 1.0;
        (size.is_finite() && size > 0.0).then_some(Self {
            low,
            width,
            a: mean * size,
            b: (1.0 - mean) * size,
        })
    }

    /// The probability that the mean is at most this.
    fn below(self, value: f64) -> f64 {
        let share = ((value - self.low) / self.width).clamp(0.0, 1.0);
        // The shapes are positive and the share lies between 0 and 1.
        checked_beta_reg(self.a, self.b, share).unwrap_or(share)
    }

    /// The value that the mean stays below with this probability.
    fn point(self, probability: f64) -> f64 {
        let (mut low, mut high) = (self.low, self.low + self.width);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.below(middle) < probability { low = middle } else { high = middle }
        }
        f64::midpoint(low, high)
    }
}

/// Exact up to 2^53 answers.
#[expect(clippy::cast_precision_loss, reason = "counts of answers stay far below 2^53")]
pub(super) fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE: [f64; 5] = [0.0, 25.0, 50.0, 75.0, 100.0];
    const FOUR: [f64; 4] = [0.0, 100.0 / 3.0, 200.0 / 3.0, 100.0];
    const STEPS: [f64; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];
    const NET: [f64; 3] = [-100.0, 0.0, 100.0];

    /// True shares of the levels, worst first: in the middle, polarised, and close to the ends.
    const OF_FIVE: [[f64; 5]; 10] = [
        [0.2, 0.2, 0.2, 0.2, 0.2],
        [0.03, 0.05, 0.12, 0.3, 0.5],
        [0.3, 0.1, 0.1, 0.1, 0.4],
        [0.05, 0.2, 0.5, 0.2, 0.05],
        [0.5, 0.0, 0.0, 0.0, 0.5],
        [0.01, 0.01, 0.03, 0.15, 0.8],
        [0.005, 0.005, 0.01, 0.03, 0.95],
        [0.0, 0.0, 0.0, 0.02, 0.98],
        [0.05, 0.0, 0.0, 0.0, 0.95],
        [0.8, 0.1, 0.05, 0.03, 0.02],
    ];
    const OF_FOUR: [[f64; 4]; 6] = [
        [0.25, 0.25, 0.25, 0.25],
        [0.05, 0.1, 0.25, 0.6],
        [0.35, 0.1, 0.1, 0.45],
        [0.01, 0.03, 0.16, 0.8],
        [0.01, 0.01, 0.03, 0.95],
        [0.9, 0.05, 0.03, 0.02],
    ];
    const OF_NET: [[f64; 3]; 6] = [
        [0.2, 0.3, 0.5],
        [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
        [0.45, 0.1, 0.45],
        [0.02, 0.08, 0.9],
        [0.01, 0.04, 0.95],
        [0.9, 0.07, 0.03],
    ];
    const SIZES: [u32; 6] = [10, 15, 20, 50, 100, 400];

    /// Chance that is the same in every run (`SplitMix64`).
    struct Dice(u64);

    impl Dice {
        /// Evenly from 0 to 1.
        fn throw(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            float((z ^ (z >> 31)) >> 11) / float(1 << 53)
        }

        /// Shares close to these: each times something between 0.6 and 1.65.
        fn near(&mut self, shares: &[f64]) -> Vec<f64> {
            let moved: Vec<f64> = shares.iter().map(|p| p * (self.throw() - 0.5).exp()).collect();
            let total: f64 = moved.iter().sum();
            moved.iter().map(|p| p / total).collect()
        }

        fn answers(&mut self, shares: &[f64], values: &[f64], n: u32) -> Vec<(f64, u64)> {
            let mut counts: Vec<(f64, u64)> = values.iter().map(|value| (*value, 0)).collect();
            for _ in 0..n {
                let mut left = self.throw();
                let level = shares.iter().position(|p| {
                    left -= p;
                    left < 0.0
                });
                counts[level.unwrap_or(shares.len() - 1)].1 += 1;
            }
            counts
        }

        /// How often the interval holds the truth, in percent. The ends of the interval are where `below` is 2.5 % and 97.5 %, so that asking
        /// `below` of the truth gives the same answer in a thirtieth of the time.
        fn coverage(&mut self, shares: &[f64], values: &[f64], n: u32, draws: u32) -> f64 {
            let mut held = 0_u32;
            for _ in 0..draws {
                let truth = self.near(shares);
                let counts = self.answers(&truth, values, n);
                let truth: f64 = truth.iter().zip(values).map(|(p, value)| p * value).sum();
                let mean = counts.iter().map(|(value, n)| value * float(*n)).sum::<f64>() / f64::from(n);
                let below = Posterior::of(&counts).unwrap().below(truth);
                held += u32::from((below >= TAIL || truth >= mean) && (below <= 1.0 - TAIL || truth <= mean));
            }
            100.0 * f64::from(held) / f64::from(draws)
        }
    }

    #[test]
    fn ninety_five_percent_intervals_of_means_and_nps_cover_93_to_97_percent() {
        let mut dice = Dice(1);
        let mut cells = Vec::new();
        for n in SIZES {
            let five = OF_FIVE.iter().flat_map(|p| [(&p[..], &FIVE[..]), (&p[..], &STEPS[..])]);
            let four = OF_FOUR.iter().map(|p| (&p[..], &FOUR[..]));
            let net = OF_NET.iter().map(|p| (&p[..], &NET[..]));
            for (shares, values) in five.chain(four).chain(net) {
                cells.push((dice.coverage(shares, values, n, 12_000), n, shares, values.len()));
            }
        }
        let wrong: Vec<_> = cells.iter().filter(|cell| !(92.5..97.5).contains(&cell.0)).collect();
        assert!(wrong.is_empty(), "not 93 to 97 in whole percent: {wrong:?}");
        let average = cells.iter().map(|cell| cell.0).sum::<f64>() / float(cells.len() as u64);
        assert!((94.5..95.7).contains(&average), "{average}");
    }

    /// Where nearly everybody is a passive, ten answers are mostly ten passives: the interval is then wider than it need be, never narrower.
    #[test]
    fn the_interval_of_a_lone_middle_level_errs_on_the_wide_side() {
        let mut dice = Dice(2);
        for n in SIZES {
            let coverage = dice.coverage(&[0.05, 0.9, 0.05], &NET, n, 12_000);
            assert!(coverage > 94.0, "n {n}: {coverage}");
        }
    }

    #[test]
    fn the_ends_of_an_interval_are_the_points_that_the_simulation_asks_for() {
        let mut dice = Dice(3);
        for n in [1, 2, 10, 37, 400, 100_000] {
            let counts = dice.answers(&OF_FIVE[1], &FIVE, n);
            let posterior = Posterior::of(&counts).unwrap();
            let (mean, interval) = mean(&counts).unwrap();
            assert!((posterior.below(posterior.point(TAIL)) - TAIL).abs() < 1e-6, "{counts:?}");
            assert!((posterior.below(posterior.point(1.0 - TAIL)) - (1.0 - TAIL)).abs() < 1e-6, "{counts:?}");
            assert!(interval.low <= mean && mean <= interval.high);
        }
    }

    #[test]
    fn equal_answers_never_prove_certainty() {
        for (values, n) in
            [(&FIVE[..], 12), (&FOUR[..], 12), (&STEPS[..], 40), (&NET[..], 400), (&FIVE[..], 2_000_000)]
        {
            for level in 0..values.len() {
                let counts: Vec<(f64, u64)> =
                    values.iter().enumerate().map(|(i, v)| (*v, if i == level { n } else { 0 })).collect();
                let (value, interval) = mean(&counts).unwrap();
                let (first, last) = (values[0], values[values.len() - 1]);
                assert!((value - values[level]).abs() < 1e-9);
                assert!(first <= interval.low && interval.high <= last, "{interval:?}");
                assert!(interval.high - interval.low > 1e-7 * (last - first), "{n} x {value}: {interval:?}");
            }
        }
        let (_, twelve) = mean(&[(0.0, 0), (25.0, 0), (50.0, 0), (75.0, 0), (100.0, 12)]).unwrap();
        assert!((75.0..90.0).contains(&twelve.low) && (twelve.high - 100.0).abs() < 1e-9, "{twelve:?}");
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
}
