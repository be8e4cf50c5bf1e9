//! What a rating's cell means.

use std::collections::BTreeMap;

use super::names::fold;
use crate::model::{Scale, Value};

/// The code of the Friends and Family Test for a visitor who left without an answer.
const FFT_NOT_ANSWERED: u8 = 7;

/// Words for no answer, folded.
const NOT_ANSWERED: [&str; 9] =
    ["not answered", "no answer", "no response", "n/a", "skipped", "未回答", "未作答", "未评价", "未答"];

/// Why a cell is no rating.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RatingFault {
    /// Nothing is written.
    Empty,
    /// A number between two levels.
    Fraction,
    /// Not a value of the scale.
    Outside,
    /// Not a number, and no word that is known.
    Word,
}

/// Why a word's meaning cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RatingsError {
    /// Not `word=value`.
    #[error("`{0}` says no meaning; write it like --ratings \"Very good\"=1")]
    Shape(String),
    /// Not a value of the scale.
    #[error(
        "`{value}` in `{text}` is not on the scale {scale}; its values are {values}, or `none` for no answer"
    )]
    Value {
        /// What was written.
        text: String,
        /// What stands for the value.
        value: String,
        /// The scale's name.
        scale: &'static str,
        /// Its values.
        values: String,
    },
}

/// The scale of a file's ratings, and what words on it mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ratings {
    scale: Scale,
    words: BTreeMap<String, Option<Value>>,
}

impl Ratings {
    /// The scale's numbers, and the words that are usual for its levels.
    pub fn new(scale: Scale) -> Self {
        let mut words: BTreeMap<String, Option<Value>> =
            usual(scale).iter().map(|(word, code)| ((*word).to_owned(), Some(Value(*code)))).collect();
        words.extend(NOT_ANSWERED.iter().map(|word| ((*word).to_owned(), None)));
        Self { scale, words }
    }

    /// The scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Adds meanings: `Very good=1`, several with commas between, `none` for no answer.
    ///
    /// # Errors
    /// A text without a meaning, or a value that the scale does not have.
    pub fn with(mut self, text: &str) -> Result<Self, RatingsError> {
        for part in split(text) {
            let (word, value) = part.rsplit_once('=').ok_or_else(|| RatingsError::Shape(part.clone()))?;
            let meaning = match fold(value).as_str() {
                "none" => None,
                number => {
                    let value = number.parse().ok().map(Value).filter(|value| self.scale.holds(*value));
                    Some(value.ok_or_else(|| RatingsError::Value {
                        text: part.clone(),
                        value: number.to_owned(),
                        scale: self.scale.name(),
                        values: self.values(),
                    })?)
                }
            };
            self.words.insert(fold(unquoted(word)), meaning);
        }
        Ok(self)
    }

    /// What a cell means; `None`: no answer.
    ///
    /// # Errors
    /// Why it is no rating.
    pub fn read(&self, cell: &str) -> Result<Option<Value>, RatingFault> {
        let text = fold(cell);
        if let Some(meaning) = self.words.get(&text) {
            return Ok(*meaning);
        }
        if text.is_empty() {
            return Err(RatingFault::Empty);
        }
        let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((&text, ""));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
            return Err(RatingFault::Word);
        }
        if fraction.bytes().any(|b| b != b'0') {
            return Err(RatingFault::Fraction);
        }
        let code: u8 = whole.parse().map_err(|_| RatingFault::Outside)?;
        if self.scale == Scale::Fft6 && code == FFT_NOT_ANSWERED {
            return Ok(None);
        }
        Some(Value(code)).filter(|value| self.scale.holds(*value)).map(Some).ok_or(RatingFault::Outside)
    }

    /// Whether the scale has this value.
    fn has(&self, number: usize) -> bool {
        u8::try_from(number).is_ok_and(|code| self.scale.holds(Value(code)))
    }

    /// How to mend a cell.
    pub(super) fn fix(&self, fault: &RatingFault, cell: &str) -> String {
        let values = self.values();
        match fault {
            RatingFault::Word if let Some(scale) = self.scale_of(cell) => {
                format!("it is a word of another scale: --scale {}", scale.name())
            }
            RatingFault::Word if let Some(number) = counted(cell).filter(|number| self.has(*number)) => {
                format!(
                    "write {number} alone, or say what the word means: --ratings \"{}\"={number}; if the highest is the best: --scale csat5",
                    cell.trim()
                )
            }
            RatingFault::Word => {
                format!("write {values}, or say what the word means: --ratings \"WORD\"=NUMBER")
            }
            RatingFault::Fraction => format!("write a whole number: {values}"),
            RatingFault::Empty => {
                format!("write {values}; for visitors who left without an answer: --ratings \"=none\"")
            }
            RatingFault::Outside if self.scale == Scale::Fft6 => format!(
                "write {values}; if 5 is the best, say which scale it is: --scale csat5, face5, ces5 or nps11"
            ),
            RatingFault::Outside => format!("write {values}, or name another scale with --scale"),
        }
    }

    /// The scale that knows a word, if this one does not.
    fn scale_of(&self, cell: &str) -> Option<Scale> {
        // Satisfaction first: faces have the same words.
        const ORDER: [Scale; 4] = [Scale::Csat5, Scale::Ces5, Scale::Fft6, Scale::YesNo];
        let word = fold(cell);
        let knows = |scale: &Scale| usual(*scale).iter().any(|(known, _)| *known == word);
        ORDER.into_iter().find(|scale| *scale != self.scale && knows(scale))
    }

    /// The values in words.
    fn values(&self) -> String {
        let mut codes: Vec<u8> = self.scale.levels().iter().map(|level| level.value.0).collect();
        codes.sort_unstable();
        let span = format!(
            "{} to {}",
            codes.first().copied().unwrap_or_default(),
            codes.last().copied().unwrap_or_default()
        );
        if self.scale == Scale::Fft6 { format!("{span}, or 7 for none") } else { span }
    }
}

/// The number of `5分`, `5 stars` or `★★★★★`.
fn counted(cell: &str) -> Option<usize> {
    let text = fold(cell);
    let stars = text.chars().filter(|c| *c == '★').count();
    if stars > 0 && text.chars().all(|c| matches!(c, '★' | '☆' | ' ')) {
        return Some(stars);
    }
    ["分", "星", "颗星", "stars", "star", "points"]
        .iter()
        .find_map(|unit| text.strip_suffix(unit)?.trim().parse().ok())
}

/// Parts between commas; a comma within a word stays if no value stands before it.
fn split(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split(',') {
        match parts.last_mut() {
            Some(open) if !open.contains('=') => {
                open.push(',');
                open.push_str(piece);
            }
            Some(_) | None => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Without the quotes that a shell left in place, or that an input method made.
pub(super) fn unquoted(text: &str) -> &str {
    const PAIRS: [(char, char); 7] =
        [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('「', '」'), ('＂', '＂'), ('《', '》')];
    let text = text.trim();
    let within = |(open, close)| text.strip_prefix(open)?.strip_suffix(close);
    PAIRS.into_iter().find_map(within).unwrap_or(text)
}

/// The usual words of a scale's levels, folded: what this product's pages say, and what published files hold.
const fn usual(scale: Scale) -> &'static [(&'static str, u8)] {
    match scale {
        Scale::Fft6 => &[
            ("very good", 1),
            ("good", 2),
            ("neither good nor poor", 3),
            ("neither", 3),
            ("so-so", 3),
            ("poor", 4),
            ("very poor", 5),
            ("don't know", 6),
            ("don’t know", 6),
            ("dont know", 6),
            ("do not know", 6),
            ("unsure", 6),
            ("很好", 1),
            ("较好", 2),
            ("一般", 3),
            ("较差", 4),
            ("很差", 5),
            ("说不清", 6),
            ("不知道", 6),
        ],
        Scale::Csat5 | Scale::Face5 => &[
            ("very dissatisfied", 1),
            ("very unsatisfied", 1),
            ("dissatisfied", 2),
            ("unsatisfied", 2),
            ("neutral", 3),
            ("neither satisfied nor dissatisfied", 3),
            ("satisfied", 4),
            ("very satisfied", 5),
            ("very bad", 1),
            ("bad", 2),
            ("ok", 3),
            ("good", 4),
            ("very good", 5),
            ("非常不满意", 1),
            ("很不满意", 1),
            ("不满意", 2),
            ("一般", 3),
            ("满意", 4),
            ("很满意", 5),
            ("非常满意", 5),
        ],
        Scale::Ces5 => &[
            ("very difficult", 1),
            ("very hard", 1),
            ("difficult", 2),
            ("hard", 2),
            ("neutral", 3),
            ("so-so", 3),
            ("easy", 4),
            ("very easy", 5),
            ("非常困难", 1),
            ("困难", 2),
            ("一般", 3),
            ("容易", 4),
            ("非常容易", 5),
        ],
        Scale::YesNo => &[("no", 0), ("yes", 1), ("否", 0), ("是", 1)],
        Scale::Face4 | Scale::Nps11 => &[],
    }
}
