//! The rating scales and what each value of them means.
//!
//! A stored answer is the scale's own code (see [`Scale::levels`]), never a position on the screen: the same answer can be
//! scored by every yardstick that fits its scale, and the layout may change without touching it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An answer as its scale's code, for example 5 on `csat5` or 6 ("don't know") on `fft6`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Value(pub u8);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The side of a scale that a value stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Something hurt: counts as negative in pain points and alarms.
    Negative,
    /// In the middle.
    Neutral,
    /// Good.
    Positive,
    /// "Don't know": an answer, but no opinion.
    Unknown,
}

/// One value of a scale with its meaning.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Level {
    /// The stored code.
    pub value: Value,
    /// Which side it stands on.
    pub polarity: Polarity,
    /// 0 (worst) to 100 (best) in even steps; `None` for "don't know".
    pub index: Option<f64>,
}

/// A rating scale.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Four faces, 1 (worst) to 4 (best).
    Face4,
    /// Five faces, 1 (worst) to 5 (best).
    Face5,
    /// Satisfaction, 1 (very dissatisfied) to 5 (very satisfied).
    Csat5,
    /// Effort, 1 (very difficult) to 5 (very easy).
    Ces5,
    /// NHS Friends and Family Test: 1 very good, 2 good, 3 neither, 4 poor, 5 very poor, 6 don't know.
    Fft6,
    /// Recommendation, 0 (not at all likely) to 10 (extremely likely).
    Nps11,
    /// 0 no, 1 yes.
    YesNo,
}

impl Scale {
    /// Every scale, in the order of the documentation.
    pub const ALL: [Self; 7] =
        [Self::Face4, Self::Face5, Self::Csat5, Self::Ces5, Self::Fft6, Self::Nps11, Self::YesNo];

    /// The name used in config files, requests and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face4 => "face4",
            Self::Face5 => "face5",
            Self::Csat5 => "csat5",
            Self::Ces5 => "ces5",
            Self::Fft6 => "fft6",
            Self::Nps11 => "nps11",
            Self::YesNo => "yes_no",
        }
    }

    /// The scale with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scale| scale.name() == name)
    }

    /// Whether the value is one of this scale's codes.
    pub fn holds(self, value: Value) -> bool {
        self.level(value).is_some()
    }

    /// The meaning of a value; `None` if the scale does not have it.
    pub fn level(self, value: Value) -> Option<Level> {
        self.levels().into_iter().find(|level| level.value == value)
    }

    /// All levels from worst to best, "don't know" last.
    pub fn levels(self) -> Vec<Level> {
        use Polarity::{Negative, Neutral, Positive};
        match self {
            Self::Face4 => even(&[(1, Negative), (2, Negative), (3, Positive), (4, Positive)]),
            Self::Face5 | Self::Csat5 | Self::Ces5 => {
                even(&[(1, Negative), (2, Negative), (3, Neutral), (4, Positive), (5, Positive)])
            }
            Self::Fft6 => {
                let mut levels =
                    even(&[(5, Negative), (4, Negative), (3, Neutral), (2, Positive), (1, Positive)]);
                levels.push(Level { value: Value(6), polarity: Polarity::Unknown, index: None });
                levels
            }
            Self::Nps11 => {
                let side = |v| match v {
                    0..=6 => Negative,
                    7 | 8 => Neutral,
                    _ => Positive,
                };
                even(&(0..=10).map(|v| (v, side(v))).collect::<Vec<_>>())
            }
            Self::YesNo => even(&[(0, Negative), (1, Positive)]),
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Spreads levels evenly over 0 to 100.
fn even(levels: &[(u8, Polarity)]) -> Vec<Level> {
    let steps = u32::try_from(levels.len().saturating_sub(1)).unwrap_or(u32::MAX);
    (0u32..)
        .zip(levels)
        .map(|(i, &(value, polarity))| Level {
            value: Value(value),
            polarity,
            index: Some(100.0 * f64::from(i) / f64::from(steps)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_and_in_code_are_the_same() {
        for scale in Scale::ALL {
            let json = serde_json::to_string(&scale).unwrap_or_default();
            assert_eq!(json, format!("\"{}\"", scale.name()));
            assert_eq!(Scale::from_name(scale.name()), Some(scale));
        }
    }

    #[test]
    fn four_faces_step_by_a_third() {
        let index: Vec<f64> = Scale::Face4.levels().iter().filter_map(|l| l.index).collect();
        assert_eq!(index.len(), 4);
        assert!((index[1] - 33.333).abs() < 0.001 && (index[3] - 100.0).abs() < 1e-9);
    }

    #[test]
    fn dont_know_is_an_answer_without_an_index() {
        let level = Scale::Fft6.level(Value(6));
        assert!(level.is_some_and(|l| l.index.is_none() && l.polarity == Polarity::Unknown));
        assert!(!Scale::Fft6.holds(Value(7)));
        assert!(!Scale::Nps11.holds(Value(11)));
    }
}
