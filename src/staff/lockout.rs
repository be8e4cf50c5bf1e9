//! How many wrong PINs are looked at: a pure counter that neither a power cut nor a clock resets.
//!
//! Invariants, held by the property test below:
//! - a try is charged and written down before its PIN is looked at, so that a power cut during the look gives nothing away;
//! - after [`TRIES`] tries without the right PIN the next one has to wait, each time twice as long, up to [`LOCK_MS_MAX`];
//! - only time with the power on counts, by the boot clock; the wall clock is never asked;
//! - after a start of the machine the whole wait begins again. So however often somebody cuts the power or sets the clock, within any
//!   stretch `T` of powered-on time at most `TRIES + k` wrong PINs are looked at, where the first `k` waits together are no longer than
//!   `T`.
//!
//! A start of the program alone changes nothing. Writing another PIN into kiosk.toml lifts the lock: who can do that needs no keypad.

use serde::{Deserialize, Serialize};

use crate::model::{BootId, Moment};

/// Tries before the first wait: a slip of the finger, a second one, and a PIN mixed up with another.
pub const TRIES: u32 = 5;

/// The first wait, in milliseconds.
pub const LOCK_MS: u64 = 5 * 60_000;

/// The longest wait: at six tries a day, half of all four-digit PINs take more than two years.
pub(crate) const LOCK_MS_MAX: u64 = 4 * 3_600_000;

/// How often the wait is doubled at most; the next one would be longer than [`LOCK_MS_MAX`].
const DOUBLINGS_MAX: u32 = 6;

/// What came of a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinVerdict {
    /// It is the PIN.
    Right,
    /// It is not.
    Wrong {
        /// Tries before the keypad is locked.
        left: u32,
    },
    /// It was not looked at, or was wrong once too often.
    Locked {
        /// Until the next try, in milliseconds.
        left_ms: u64,
    },
    /// kiosk.toml has no PIN.
    NoPin,
    /// The try cannot be written down, so the PIN is not looked at.
    NotPossible,
}

/// The count of tries since the last right PIN.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lockout {
    /// Which PIN the tries were for; see [`crate::pin::PinHash::fingerprint`].
    pin: String,
    tries: u32,
    /// When the wait began: at the last try, or at the first look after a start.
    boot: BootId,
    up_ms: u64,
}

impl Lockout {
    /// Reads what was written down, at the start of the program. What cannot be read counts as locked.
    pub fn read(text: Option<&str>, pin: &str, now: &Moment) -> Self {
        let fresh = |tries| Self { pin: pin.to_owned(), tries, boot: now.boot, up_ms: now.up_ms };
        let Some(text) = text else { return fresh(0) };
        match serde_json::from_str::<Self>(text) {
            Ok(kept) if kept.pin != pin => fresh(0),
            Ok(kept) if kept.boot == now.boot => kept,
            Ok(kept) => fresh(kept.tries),
            Err(_) => fresh(TRIES),
        }
    }

    /// What is to be written down.
    pub fn text(&self) -> String {
        // Two numbers and two short texts always have a text; an unreadable one would count as locked.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Until the next try is possible, in milliseconds; 0 if it is now.
    pub fn left_ms(&self, now: &Moment) -> u64 {
        let passed = now.up_ms.saturating_sub(self.up_ms);
        wait_ms(self.tries).saturating_sub(passed)
    }

    /// One try. `write` keeps a text durably and says whether it did; `verify` looks at the PIN, and is called only after the charge was
    /// written.
    pub fn attempt(
        &mut self,
        now: &Moment,
        mut write: impl FnMut(&str) -> bool,
        verify: impl FnOnce() -> bool,
    ) -> PinVerdict {
        let left_ms = self.left_ms(now);
        if left_ms > 0 {
            return PinVerdict::Locked { left_ms };
        }
        (self.tries, self.boot, self.up_ms) = (self.tries.saturating_add(1), now.boot, now.up_ms);
        if !write(&self.text()) {
            return PinVerdict::NotPossible;
        }
        if verify() {
            self.tries = 0;
            // If this is not written the next start counts one try too many: strict, and nobody is kept out now.
            write(&self.text());
            return PinVerdict::Right;
        }
        match TRIES.saturating_sub(self.tries) {
            0 => PinVerdict::Locked { left_ms: self.left_ms(now) },
            left => PinVerdict::Wrong { left },
        }
    }
}

/// The wait after so many tries without the right PIN.
const fn wait_ms(tries: u32) -> u64 {
    if tries < TRIES {
        return 0;
    }
    let beyond = tries - TRIES;
    let ms = LOCK_MS << if beyond < DOUBLINGS_MAX { beyond } else { DOUBLINGS_MAX };
    if ms < LOCK_MS_MAX { ms } else { LOCK_MS_MAX }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::model::TimeQuality;

    const MINUTE_MS: u64 = 60_000;

    fn moment(boot: u8, up_ms: u64) -> Moment {
        let boot = BootId::from_parts(0, [boot; 10]);
        Moment { wall: DateTime::UNIX_EPOCH, boot, up_ms, quality: TimeQuality::Unset }
    }

    /// A machine somebody stands before who does not know the PIN.
    struct Machine {
        now: Moment,
        boots: u64,
        disk: Option<String>,
        lockout: Lockout,
        powered_ms: u64,
        /// When each look was, in powered-on time.
        looks: Vec<u64>,
    }

    impl Machine {
        fn new() -> Self {
            let now = moment(0, 0);
            let lockout = Lockout::read(None, "p", &now);
            Self { now, boots: 0, disk: None, lockout, powered_ms: 0, looks: Vec::new() }
        }

        fn waits(&mut self, ms: u64) {
            self.now.up_ms += ms;
            self.powered_ms += ms;
        }

        fn program_starts(&mut self) {
            self.lockout = Lockout::read(self.disk.as_deref(), "p", &self.now);
        }

        fn new_boot(&mut self) {
            self.boots += 1;
            self.now.boot = BootId::from_parts(self.boots, [9; 10]);
        }

        fn power_cut(&mut self) {
            self.new_boot();
            self.now.up_ms = 0;
            self.program_starts();
        }

        /// A wrong PIN. `disk_works` tells whether the charge reaches the disk.
        fn tries(&mut self, disk_works: bool) -> PinVerdict {
            let (disk, looks, powered_ms) = (&mut self.disk, &mut self.looks, self.powered_ms);
            let write = |text: &str| {
                if disk_works {
                    *disk = Some(text.to_owned());
                }
                disk_works
            };
            let verify = || {
                looks.push(powered_ms);
                false
            };
            self.lockout.attempt(&self.now, write, verify)
        }
    }

    /// The promise: the longest that powered-on time lets somebody try.
    fn most_looks(mut powered_ms: u64) -> usize {
        let minutes = [5, 10, 20, 40, 80, 160].into_iter().chain(std::iter::repeat(240));
        let mut looks = 5;
        for wait in minutes.map(|minutes: u64| minutes * 60_000) {
            if powered_ms < wait {
                break;
            }
            powered_ms -= wait;
            looks += 1;
        }
        looks
    }

    #[derive(Clone, Debug)]
    enum Op {
        Try,
        TryOnABrokenDisk,
        /// The power is cut while the PIN is looked at: the charge is written, the verdict is never seen.
        TryAndCut,
        PowerCut,
        ProgramStart,
        /// The same on a system that does not name its boots: each start of the program looks like one of the machine.
        ProgramStartUnderANewName,
        Wait(u64),
        ClockJump(i64),
    }

    fn op() -> impl Strategy<Value = Op> {
        let wait = prop_oneof![
            3 => 0..MINUTE_MS,
            2 => MINUTE_MS..30 * MINUTE_MS,
            1 => 240 * MINUTE_MS..300 * MINUTE_MS,
        ];
        prop_oneof![
            12 => Just(Op::Try),
            1 => Just(Op::TryOnABrokenDisk),
            3 => Just(Op::TryAndCut),
            1 => Just(Op::PowerCut),
            2 => Just(Op::ProgramStart),
            2 => Just(Op::ProgramStartUnderANewName),
            3 => wait.prop_map(Op::Wait),
            1 => (-4_000_000_000_000i64..4_000_000_000_000).prop_map(Op::ClockJump),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_cutting_of_power_and_setting_of_clocks_buys_a_try(ops in prop::collection::vec(op(), 1..80)) {
            let mut machine = Machine::new();
            for op in ops {
                match op {
                    Op::Try => drop(machine.tries(true)),
                    Op::TryOnABrokenDisk => {
                        let before = machine.looks.len();
                        machine.tries(false);
                        prop_assert_eq!(machine.looks.len(), before, "a try that was not written was looked at");
                    }
                    Op::TryAndCut => {
                        machine.tries(true);
                        machine.power_cut();
                    }
                    Op::PowerCut => machine.power_cut(),
                    Op::ProgramStart => machine.program_starts(),
                    Op::ProgramStartUnderANewName => {
                        machine.new_boot();
                        machine.program_starts();
                    }
                    Op::Wait(ms) => machine.waits(ms),
                    Op::ClockJump(ms) => {
                        let jumped = machine.now.wall.checked_add_signed(TimeDelta::milliseconds(ms));
                        machine.now.wall = jumped.unwrap_or(DateTime::UNIX_EPOCH);
                    }
                }
            }
            // Any stretch of time, not only the one since the beginning.
            for (first, from) in machine.looks.iter().enumerate() {
                for (last, until) in machine.looks.iter().enumerate().skip(first) {
                    let (looks, ms) = (last - first + 1, until - from);
                    prop_assert!(looks <= most_looks(ms), "{} looks in {} ms", looks, ms);
                }
            }
            // Who waits long enough without touching the power is never kept out for ever.
            machine.waits(LOCK_MS_MAX);
            prop_assert_eq!(machine.lockout.left_ms(&machine.now), 0);
        }
    }

    #[test]
    fn the_wait_begins_after_five_tries_and_doubles_up_to_four_hours() {
        let mut machine = Machine::new();
        for left in [4, 3, 2, 1] {
            assert_eq!(machine.tries(true), PinVerdict::Wrong { left });
        }
        for minutes in [5, 10, 20, 40, 80, 160, 240, 240] {
            let left_ms = minutes * MINUTE_MS;
            assert_eq!(machine.tries(true), PinVerdict::Locked { left_ms });
            machine.waits(left_ms - 1);
            assert_eq!(machine.tries(true), PinVerdict::Locked { left_ms: 1 }, "not looked at");
            machine.waits(1);
        }
        assert_eq!(machine.looks.len(), 12);
    }

    #[test]
    fn the_whole_wait_begins_again_after_a_power_cut_and_goes_on_after_a_start_of_the_program() {
        let mut machine = Machine::new();
        for _ in 0..5 {
            machine.tries(true);
        }
        machine.waits(4 * MINUTE_MS);
        machine.program_starts();
        assert_eq!(machine.lockout.left_ms(&machine.now), MINUTE_MS);
        machine.power_cut();
        machine.waits(4 * MINUTE_MS);
        assert_eq!(machine.lockout.left_ms(&machine.now), MINUTE_MS);
        machine.power_cut();
        assert_eq!(machine.lockout.left_ms(&machine.now), 5 * MINUTE_MS);
    }

    #[test]
    fn the_right_pin_clears_the_count_and_another_pin_begins_anew() {
        let mut machine = Machine::new();
        for _ in 0..4 {
            machine.tries(true);
        }
        let mut written = Vec::new();
        let write = |text: &str| {
            written.push(text.to_owned());
            true
        };
        assert_eq!(machine.lockout.attempt(&machine.now, write, || true), PinVerdict::Right);
        assert_eq!(written.len(), 2, "charged, then cleared");
        let charged = Lockout::read(Some(&written[0]), "p", &machine.now);
        assert!(
            charged.left_ms(&machine.now) > 0,
            "the fifth try was on the disk while the PIN was looked at"
        );
        let cleared = Lockout::read(Some(&written[1]), "p", &machine.now);
        assert_eq!(cleared.tries, 0);
        assert_eq!(Lockout::read(Some(&written[0]), "q", &machine.now).tries, 0);
    }

    #[test]
    fn what_cannot_be_read_counts_as_locked() {
        let now = moment(1, 77);
        for text in ["", "{}", "0", "null"] {
            assert_eq!(Lockout::read(Some(text), "p", &now).left_ms(&now), LOCK_MS, "{text}");
        }
    }
}
