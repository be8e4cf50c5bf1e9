//! The gesture that opens the PIN page of the staff area: several quick touches on the head of a page.

/// So many touches on the head of a page, all within so long, ask for the PIN page.
const TAPS: usize = 5;
const TAPS_WITHIN_MS: u64 = 3_000;

/// Touches on the head of a page, remembered for three seconds.
#[derive(Clone, Debug, Default)]
pub struct HeadTaps(Vec<u64>);

impl HeadTaps {
    /// Whether this touch is the last that was needed.
    pub fn tap(&mut self, now_ms: u64) -> bool {
        self.0.retain(|at| now_ms.saturating_sub(*at) < TAPS_WITHIN_MS);
        self.0.push(now_ms);
        let enough = self.0.len() >= TAPS;
        if enough {
            self.0.clear();
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_quick_touches_on_the_head_open_the_pin_page_and_slow_ones_do_not() {
        let mut taps = HeadTaps::default();
        let enough: Vec<bool> = (0..5).map(|n| taps.tap(1_000 + n * 400)).collect();
        assert_eq!(enough, [false, false, false, false, true]);
        let slow: Vec<bool> = (0..20).map(|n| taps.tap(100_000 + n * 1_000)).collect();
        assert!(!slow.contains(&true));
    }
}
