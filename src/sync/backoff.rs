//! How long to wait after something went wrong: pure functions of how often it did, and of chance.

/// Waits between attempts, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// The shortest wait: even an unlucky draw is no busy loop.
    pub floor_ms: u64,
    /// Upper end of the first draw; doubles with each failure.
    pub base_ms: u64,
    /// Where doubling ends.
    pub cap_ms: u64,
}

impl Default for Backoff {
    /// From 5 s, when most interruptions are over, to 15 min, which finds a repaired network within a visit of the technician.
    fn default() -> Self {
        Self { floor_ms: 1_000, base_ms: 5_000, cap_ms: 15 * 60_000 }
    }
}

impl Backoff {
    /// Full jitter: uniform up to a ceiling that doubles with each failure, so that a hospital's terminals do not come back in step after
    /// an outage. `random` is from 0 up to but not including 1. See "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    pub fn after(&self, failures: u32, random: f64) -> u64 {
        let doublings = failures.saturating_sub(1).min(63);
        let ceiling = self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms);
        scaled(ceiling, random).max(self.floor_ms)
    }

    /// For what staff must repair (a revoked terminal, a wrong address): between a third of the cap and the cap.
    pub fn slow(&self, random: f64) -> u64 {
        let least = self.cap_ms / 3;
        least + scaled(self.cap_ms - least, random)
    }
}

/// A wait that was asked for, spread by a tenth to both sides.
pub(crate) fn spread(ms: u64, random: f64) -> u64 {
    ms - ms / 10 + scaled(ms / 5, random)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "waits are far below 2^52 ms and chance is not negative"
)]
fn scaled(ms: u64, random: f64) -> u64 {
    (ms as f64 * random.clamp(0.0, 1.0)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::survived;

    #[test]
    fn the_ceiling_doubles_from_five_seconds_to_fifteen_minutes() {
        let backoff = Backoff::default();
        let ceilings: Vec<u64> = (1..=10).map(|n| backoff.after(n, 1.0) / 1000).collect();
        assert_eq!(ceilings, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(backoff.after(u32::MAX, 1.0), 900_000);
        survived!(18; ceilings.len(), "failures in a row");
    }

    #[test]
    fn no_draw_is_a_busy_loop() {
        let backoff = Backoff::default();
        let failures = 0..100;
        for failures in failures.clone() {
            assert!(backoff.after(failures, 0.0) >= 1_000);
        }
        survived!(18; failures.len(), "failures in a row");
    }

    #[test]
    fn waits_are_spread() {
        assert_eq!(spread(1000, 0.0), 900);
        assert_eq!(spread(1000, 1.0), 1100);
        let backoff = Backoff::default();
        assert_eq!((backoff.slow(0.0), backoff.slow(1.0)), (300_000, 900_000));
    }
}
