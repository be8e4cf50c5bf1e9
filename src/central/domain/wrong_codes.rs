//! How many wrong enrolment codes are listened to.
//!
//! Only wrong codes cost, so a hundred terminals can be enrolled in a minute from one installer's machine. Each address may send a few at once
//! and then one a minute; all together may send many more. Beyond that nobody is refused who has sent no wrong code: a flood from thousands of
//! addresses keeps no installer with a right code away.
//!
//! The dates are those of the virtual-scheduling form of a leaky bucket: an address is paid up at its date, each wrong code moves that date on
//! by the time one costs. It is our own because a code is judged first and charged afterwards, and the rate limiters at hand charge before.
//!
//! Invariants:
//! - at most [`ADDRESSES_MAX`] addresses are remembered; those paid up soonest are forgotten first;
//! - nobody waits longer than [`DEBT_MAX`].

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use chrono::{DateTime, TimeDelta, Utc};

/// What one wrong code costs its address.
const ADDRESS_COST: TimeDelta = TimeDelta::minutes(1);

/// Wrong codes of an address at once: an installer who mistypes one digit after the other does not get there.
const ADDRESS_TRIES: i32 = 10;

/// What one wrong code costs all together.
const COST: TimeDelta = TimeDelta::seconds(3);

/// Wrong codes of all together at once.
const TRIES: i32 = 600;

/// A crowd behind one address is back within the hour, whatever one of them did.
const DEBT_MAX: TimeDelta = TimeDelta::hours(1);

/// Addresses that are remembered, of some hundred bytes each.
const ADDRESSES_MAX: usize = 50_000;

/// The wrong codes of the last hour, as far as they still count.
#[derive(Default)]
pub(in crate::central) struct WrongCodes {
    by_address: HashMap<IpAddr, DateTime<Utc>>,
    by_date: BTreeSet<(DateTime<Utc>, IpAddr)>,
    all: DateTime<Utc>,
}

impl WrongCodes {
    /// Whether a code from an address is looked at; else how long it must wait. `None` is somebody whose address is not known.
    pub(in crate::central) fn admit(
        &self,
        address: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Result<(), TimeDelta> {
        let debt = address.map_or(TimeDelta::zero(), |address| self.debt_of(address, now));
        let wait = over(debt, ADDRESS_COST, ADDRESS_TRIES);
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        let crowded = over(debt_until(self.all, now), COST, TRIES);
        let is_clean = address.is_some() && debt == TimeDelta::zero();
        if crowded > TimeDelta::zero() && !is_clean { Err(crowded) } else { Ok(()) }
    }

    /// A code from this address was wrong.
    pub(in crate::central) fn charge(&mut self, address: Option<IpAddr>, now: DateTime<Utc>) {
        self.all = later(self.all, now, COST);
        let Some(address) = address else { return };
        let next = later(self.date_of(address), now, ADDRESS_COST);
        self.forget(address);
        while self.by_address.len() >= ADDRESSES_MAX
            && let Some(&(_, soonest)) = self.by_date.first()
        {
            self.forget(soonest);
        }
        while let Some(&(date, paid)) = self.by_date.first()
            && date <= now
        {
            self.forget(paid);
        }
        self.by_address.insert(address, next);
        self.by_date.insert((next, address));
    }

    fn date_of(&self, address: IpAddr) -> DateTime<Utc> {
        self.by_address.get(&address).copied().unwrap_or_default()
    }

    fn debt_of(&self, address: IpAddr, now: DateTime<Utc>) -> TimeDelta {
        debt_until(self.date_of(address), now)
    }

    fn forget(&mut self, address: IpAddr) {
        if let Some(date) = self.by_address.remove(&address) {
            self.by_date.remove(&(date, address));
        }
    }
}

/// A clock that was set back lets nobody wait for the time it lost.
fn debt_until(date: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (date - now).clamp(TimeDelta::zero(), DEBT_MAX)
}

fn later(date: DateTime<Utc>, now: DateTime<Utc>, cost: TimeDelta) -> DateTime<Utc> {
    now + (debt_until(date, now) + cost).min(DEBT_MAX)
}

/// The time until one more is allowed.
fn over(debt: TimeDelta, cost: TimeDelta, tries: i32) -> TimeDelta {
    (debt - cost * (tries - 1)).max(TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(seconds)
    }

    #[test]
    fn ten_wrong_codes_are_free_and_then_one_a_minute_is() {
        let mut wrong = WrongCodes::default();
        for _ in 0..ADDRESS_TRIES {
            assert_eq!(wrong.admit(Some(address(1)), at(0)), Ok(()));
            wrong.charge(Some(address(1)), at(0));
        }
        assert_eq!(wrong.admit(Some(address(1)), at(0)), Err(TimeDelta::minutes(1)));
        assert_eq!(wrong.admit(Some(address(2)), at(0)), Ok(()), "another address has its own");
        assert!(wrong.admit(Some(address(1)), at(59)).is_err());
        assert_eq!(wrong.admit(Some(address(1)), at(60)), Ok(()));
        wrong.charge(Some(address(1)), at(60));
        assert!(wrong.admit(Some(address(1)), at(60)).is_err());
        assert_eq!(wrong.admit(Some(address(1)), at(24 * 3_600)), Ok(()));
    }

    #[test]
    fn a_day_of_guessing_from_one_address_is_one_guess_a_minute() {
        let mut wrong = WrongCodes::default();
        let mut guesses = 0;
        for second in 0..86_400 {
            while wrong.admit(Some(address(1)), at(second)).is_ok() {
                wrong.charge(Some(address(1)), at(second));
                guesses += 1;
            }
        }
        assert_eq!(guesses, 1_440 + ADDRESS_TRIES - 1);
    }

    #[test]
    fn a_flood_from_many_addresses_keeps_away_those_who_were_wrong_and_nobody_else() {
        let mut wrong = WrongCodes::default();
        for n in 0..2_000 {
            if wrong.admit(Some(address(n)), at(0)).is_ok() {
                wrong.charge(Some(address(n)), at(0));
            }
        }
        assert!(
            wrong.admit(Some(address(5)), at(0)).is_err(),
            "one wrong code is enough while all are too many"
        );
        assert_eq!(wrong.admit(Some(address(9_999)), at(0)), Ok(()), "an installer");
        assert!(wrong.admit(None, at(0)).is_err(), "somebody behind a proxy that names nobody");
        assert_eq!(wrong.admit(Some(address(5)), at(3_601)), Ok(()));
        assert_eq!(wrong.admit(None, at(3_601)), Ok(()));
    }

    #[test]
    fn whoever_guessed_in_parallel_waits_an_hour_at_most_and_so_does_everybody_after_the_clock_was_set_back()
    {
        let mut wrong = WrongCodes::default();
        (0..500).for_each(|_| wrong.charge(Some(address(1)), at(0)));
        let wait = wrong.admit(Some(address(1)), at(0)).unwrap_err();
        assert_eq!(wait, DEBT_MAX - ADDRESS_COST * (ADDRESS_TRIES - 1));
        assert!(wrong.admit(Some(address(1)), at(-100_000)).unwrap_err() <= DEBT_MAX);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_paid_up_is_forgotten() {
        let mut wrong = WrongCodes::default();
        for n in 0..u32::try_from(ADDRESSES_MAX).unwrap() + 1_000 {
            wrong.charge(Some(address(n)), at(0));
        }
        assert_eq!(wrong.by_address.len(), ADDRESSES_MAX);
        assert_eq!(wrong.by_date.len(), ADDRESSES_MAX);
        wrong.charge(Some(address(7)), at(61));
        assert_eq!(wrong.by_address.len(), 1);
        assert_eq!(wrong.by_date.len(), 1);
    }
}
