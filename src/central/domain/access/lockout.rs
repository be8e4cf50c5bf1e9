//! How often somebody may try a password.
//!
//! A try is counted before it is looked at, so that a thousand at once are a thousand. Every wait ends, and a try that is turned away for it
//! counts nothing: whoever keeps trying makes it no longer than [`Rule::longest`].
//!
//! Strangers can keep an account's wait at its longest for as long as they like. So what they do is counted apart from what a browser does
//! that has signed in to the account before ([`Source::Device`]): an admin gets in from the usual desk at any time, and from anywhere
//! by a link of `xinsheng-central people reset`, which asks for no password.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{chain, model::Hash};

/// How tries of one kind are limited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rule {
    /// So many are free.
    free: u32,
    /// Each one more makes the wait twice as long, up to this.
    longest: TimeDelta,
    /// So long after the last one everything is forgotten.
    forgotten_after: TimeDelta,
}

/// For one account: five slips of the finger, then at most 100 tries a day. A password of twelve characters that is none of the commonest
/// is not among the first 36,500 of a year.
pub const ACCOUNT: Rule =
    Rule { free: 5, longest: TimeDelta::minutes(15), forgotten_after: TimeDelta::hours(24) };

/// For one address, over all accounts: a whole ward may sit behind one.
pub const ADDRESS: Rule =
    Rule { free: 30, longest: TimeDelta::minutes(5), forgotten_after: TimeDelta::hours(1) };

/// What was tried so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tries {
    /// How often without success.
    pub count: u32,
    /// The last time.
    pub last_at: DateTime<Utc>,
}

/// Tries that are counted together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// What the store keeps it under; neither names nor addresses are kept in clear.
    pub key: Hash,
    /// How it is limited.
    pub rule: Rule,
}

/// Who tries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A browser that signed in to this very account before.
    Device(Hash),
    /// Anybody else, at this address.
    Stranger(IpAddr),
}

/// What a try at an account counts in. The name is as it was typed, whether there is such an account or not.
pub fn buckets(name: &str, source: Source) -> Vec<Bucket> {
    let key = |text: String| chain::sha256(text.as_bytes());
    match source {
        Source::Device(device) => {
            vec![Bucket { key: key(format!("device {device} {name}")), rule: ACCOUNT }]
        }
        Source::Stranger(address) => vec![
            Bucket { key: key(format!("address {}", network_of(address))), rule: ADDRESS },
            Bucket { key: key(format!("account {name}")), rule: ACCOUNT },
        ],
    }
}

/// An IPv6 machine has a whole network of addresses.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl Rule {
    /// How long is still to be waited; none if one more try may be made.
    pub fn wait(&self, tries: Option<Tries>, now: DateTime<Utc>) -> Option<TimeDelta> {
        let tries = self.remembered(tries, now)?;
        let over = tries.count.checked_sub(self.free)?;
        // 2^16 seconds are longer than any of the rules' longest.
        let wait = TimeDelta::seconds(1 << over.min(16)).min(self.longest);
        // A clock that was set back makes nobody wait longer than the wait.
        let left = (tries.last_at + wait - now).min(wait);
        (left > TimeDelta::zero()).then_some(left)
    }

    /// What is written down when one more try is made.
    pub fn counted(&self, tries: Option<Tries>, now: DateTime<Utc>) -> Tries {
        let before = self.remembered(tries, now).map_or(0, |tries| tries.count);
        Tries { count: before.saturating_add(1), last_at: now }
    }

    /// When what was written down may be deleted.
    pub fn forgets_at(&self, tries: Tries) -> DateTime<Utc> {
        tries.last_at + self.forgotten_after
    }

    fn remembered(&self, tries: Option<Tries>, now: DateTime<Utc>) -> Option<Tries> {
        tries.filter(|tries| now < self.forgets_at(*tries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// How many tries somebody gets in a span who tries whenever it is allowed.
    fn tries_within(rule: Rule, span: TimeDelta) -> u32 {
        let (mut held, mut now, mut made) = (None, at(0), 0);
        while now < at(0) + span {
            if let Some(wait) = rule.wait(held, now) {
                now += wait;
            } else {
                held = Some(rule.counted(held, now));
                made += 1;
            }
        }
        made
    }

    #[test]
    fn five_are_free_and_then_the_wait_grows_up_to_a_quarter_of_an_hour() {
        let mut held = None;
        for _ in 0..5 {
            assert_eq!(ACCOUNT.wait(held, at(0)), None);
            held = Some(ACCOUNT.counted(held, at(0)));
        }
        let waits: Vec<i64> = (5..17)
            .map(|count| ACCOUNT.wait(Some(Tries { count, last_at: at(0) }), at(0)).unwrap().num_seconds())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(
            ACCOUNT.wait(Some(Tries { count: u32::MAX - 1, last_at: at(0) }), at(0)),
            Some(ACCOUNT.longest)
        );
    }

    #[test]
    fn who_never_stops_trying_gets_about_a_hundred_tries_a_day_at_an_account() {
        let day = tries_within(ACCOUNT, TimeDelta::hours(24));
        assert!((100..=112).contains(&day), "{day}");
        let hour = tries_within(ADDRESS, TimeDelta::hours(1));
        assert!((35..=60).contains(&hour), "{hour}");
    }

    #[test]
    fn every_wait_ends_and_what_is_long_ago_is_forgotten() {
        let tries = Tries { count: 1_000, last_at: at(0) };
        assert_eq!(ACCOUNT.wait(Some(tries), at(15 * 60)), None);
        assert_eq!(ACCOUNT.counted(Some(tries), at(24 * 3_600)), Tries { count: 1, last_at: at(24 * 3_600) });
        assert_eq!(ACCOUNT.wait(Some(tries), at(-3_600)), Some(ACCOUNT.longest), "the clock was set back");
    }

    #[test]
    fn strangers_and_the_usual_desk_are_counted_apart() {
        let (one, two) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let stranger = |address| buckets("li", Source::Stranger(address));
        let desk = buckets("li", Source::Device(Hash([7; 32])));
        assert!(desk.iter().all(|bucket| !stranger(one).contains(bucket)), "a stranger fills none of these");
        let shared: Vec<_> =
            stranger(one).into_iter().filter(|bucket| stranger(two).contains(bucket)).collect();
        assert_eq!(shared.len(), 1, "many addresses share the account's");
        assert_eq!(shared[0].rule, ACCOUNT);
        assert_ne!(
            buckets("li", Source::Device(Hash([7; 32]))),
            buckets("wu", Source::Device(Hash([7; 32])))
        );
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |address: &str| buckets("li", Source::Stranger(address.parse().unwrap()));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
