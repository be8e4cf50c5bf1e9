//! How many entries pass in one batch: halved when central finds a batch too large, and grown again by what passes.
//!
//! Invariants: from 1 to the most that the protocol allows; a size that was found too large twice is tried again more and more rarely, so
//! that a central with a small limit costs one refused request now and then, and one with a limit that was raised is found out.

/// Batches that must pass before a larger one is tried, after that was too large.
const PATIENCE_FIRST: u32 = 8;

/// The most of them.
const PATIENCE_MAX: u32 = 512;

#[derive(Clone, Debug)]
pub(super) struct BatchSize {
    max: usize,
    limit: usize,
    /// The last size that passed before a larger one was tried.
    grown_from: Option<usize>,
    /// Batches that must pass before the next larger one is tried.
    patience: u32,
    passed: u32,
}

impl BatchSize {
    /// `known` is a size remembered from before.
    pub(super) fn new(max: usize, known: Option<usize>) -> Self {
        let limit = known.unwrap_or(max).clamp(1, max);
        Self { max, limit, grown_from: None, patience: 1, passed: 0 }
    }

    /// Most entries to send.
    pub(super) fn now(&self) -> usize {
        self.limit
    }

    /// Central found a batch of `count` entries, more than one, too large. Returns the new size.
    pub(super) fn too_large(&mut self, count: usize) -> usize {
        self.passed = 0;
        self.limit = match self.grown_from.take() {
            Some(before) if before < count => {
                self.patience = (self.patience * 8).clamp(PATIENCE_FIRST, PATIENCE_MAX);
                before
            }
            Some(_) | None => (count / 2).max(1),
        };
        self.limit
    }

    /// A batch passed. Returns the new size if that changes it.
    pub(super) fn passed(&mut self) -> Option<usize> {
        if self.limit >= self.max {
            (self.patience, self.grown_from) = (1, None);
            return None;
        }
        self.passed += 1;
        if self.passed < self.patience {
            return None;
        }
        self.passed = 0;
        self.grown_from = Some(self.limit);
        self.limit = (self.limit * 2).min(self.max);
        Some(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends full batches to a central that takes at most `fits` entries; returns how often it refused.
    fn send(size: &mut BatchSize, batches: usize, fits: usize) -> usize {
        let mut refused = 0;
        for _ in 0..batches {
            if size.now() > fits {
                refused += 1;
                size.too_large(size.now());
            } else {
                size.passed();
            }
        }
        refused
    }

    #[test]
    fn a_halved_batch_grows_again_after_success() {
        let mut size = BatchSize::new(500, Some(1));
        assert_eq!(send(&mut size, 12, 500), 0);
        assert_eq!(size.now(), 500);
    }

    #[test]
    fn a_limit_that_stays_is_tried_ever_more_rarely() {
        let mut size = BatchSize::new(500, None);
        let early = send(&mut size, 100, 60);
        assert!((4..=7).contains(&early), "{early}");
        assert!(size.now() <= 124 && size.now() >= 31, "{}", size.now());
        let late = send(&mut size, 5_000, 60);
        assert!(late <= 12, "{late}");
    }

    #[test]
    fn a_limit_that_is_raised_is_found_out_and_then_forgotten() {
        let mut size = BatchSize::new(500, None);
        send(&mut size, 2_000, 60);
        assert_eq!(send(&mut size, 3_000, 500), 0);
        assert_eq!(size.now(), 500);
        size.too_large(500);
        assert_eq!(size.passed(), Some(500), "patience is back at its start");
    }

    #[test]
    fn one_entry_is_the_least() {
        let mut size = BatchSize::new(500, Some(0));
        assert_eq!(size.now(), 1);
        assert_eq!(size.too_large(1), 1);
    }
}
