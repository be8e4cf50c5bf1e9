//! How the terminal is, for the status page: from what the journal and the sync thread know to what staff want to hear.

use chrono::{DateTime, Utc};

use crate::{
    journal::{JournalError, Stats},
    model::{Moment, TerminalId},
    sync::{Diagnosis, SyncStatus},
};

const MINUTES_A_DAY: u64 = 24 * 60;

/// Up to two hours are said in minutes, up to two days in hours: nobody has to count further than to 120.
const MINUTES_SAID_MAX: u64 = 120;
const HOURS_SAID_MAX: u64 = 48;

/// A time in the past, as people say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ago {
    /// Up to two hours.
    Minutes(u64),
    /// Up to two days.
    Hours(u64),
    /// Longer.
    Days(u64),
}

impl Ago {
    fn of_ms(ms: u64) -> Self {
        let minutes = ms / 60_000;
        if minutes < MINUTES_SAID_MAX {
            Self::Minutes(minutes)
        } else if minutes < HOURS_SAID_MAX * 60 {
            Self::Hours(minutes / 60)
        } else {
            Self::Days(minutes / MINUTES_A_DAY)
        }
    }

    /// By the wall clock; a time that lies ahead because a clock was wrong counts as now.
    fn by_wall(then: DateTime<Utc>, now: &Moment) -> Self {
        Self::of_ms(u64::try_from((now.wall - then).num_milliseconds()).unwrap_or(0))
    }
}

/// How the journal's storage is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Storage {
    /// All is well.
    Good,
    /// The ballast is gone.
    Full,
    /// The disk refuses; so many entries are held in memory alone.
    InMemory(u64),
    /// Taps nobody was thanked for, since the program started.
    NotStored(u64),
    /// Entries may have been lost, and central has not been told yet.
    Damaged,
    /// Nothing can be read; why not, in English.
    Broken(String),
}

/// What the status page says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusFacts {
    /// Entries central has not signed for; `None` if that cannot be read.
    pub unsent: Option<u64>,
    /// Entries that central keeps and cannot read, so that they are not counted.
    pub not_counted: u64,
    /// Since when the oldest of them waits; `None` if there is none, or none that can be read.
    pub oldest_unsent: Option<Ago>,
    /// When central last answered as itself since the program started.
    pub last_contact: Option<Ago>,
    /// Why central is not in contact; `None` if it is.
    pub trouble: Option<Diagnosis>,
    /// The terminal's name; `None` before it is enrolled.
    pub terminal: Option<TerminalId>,
    /// The program's version.
    pub version: &'static str,
    /// How the journal's storage is.
    pub storage: Storage,
}

impl StatusFacts {
    /// Puts together what journal and sync thread know.
    pub fn new(sync: &SyncStatus, journal: &Result<Stats, JournalError>, now: &Moment) -> Self {
        let stats = journal.as_ref().ok();
        Self {
            unsent: stats.map(|stats| stats.queue_depth),
            not_counted: stats.map_or(0, |stats| stats.quarantined),
            oldest_unsent: stats
                .and_then(|stats| stats.oldest_unsent)
                .and_then(|then| then.age_ms(now))
                .map(Ago::of_ms),
            last_contact: sync.last_contact.map(|then| Ago::by_wall(then, now)),
            trouble: sync.last_error.clone(),
            terminal: sync.terminal.clone(),
            version: env!("CARGO_PKG_VERSION"),
            storage: storage(journal),
        }
    }
}

fn storage(journal: &Result<Stats, JournalError>) -> Storage {
    match journal {
        Err(error) => Storage::Broken(error.to_string()),
        Ok(Stats { unsaved: Some(count), .. }) => Storage::InMemory(*count),
        Ok(stats) if !stats.ballast => Storage::Full,
        Ok(stats) if stats.not_stored > 0 => Storage::NotStored(stats.not_stored),
        Ok(stats) if stats.lost_after.is_some() => Storage::Damaged,
        Ok(_) => Storage::Good,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        journal::Head,
        model::{BootId, ChainId, EntryId, Hash, TimeQuality},
    };

    fn at(boot: u8, minutes: u64) -> Moment {
        let wall =
            DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes.try_into().unwrap());
        let boot = BootId::from_parts(0, [boot; 10]);
        Moment { wall, boot, up_ms: minutes * 60_000, quality: TimeQuality::Synced }
    }

    fn stats() -> Stats {
        Stats {
            head: Head { chain: ChainId([1; 16]), seq: 9, hash: Hash([0; 32]) },
            cursor: 9,
            queue_depth: 0,
            oldest_unsent: None,
            refused: 0,
            quarantined: 0,
            not_stored: 0,
            unsaved: None,
            restarts: 1,
            lost_after: None,
            db_bytes: 0,
            wal_bytes: 0,
            ballast: true,
        }
    }

    #[test]
    fn a_terminal_in_contact_has_no_trouble_to_tell() {
        let sync = SyncStatus { last_contact: Some(at(1, 10).wall), ..SyncStatus::default() };
        let facts = StatusFacts::new(&sync, &Ok(stats()), &at(1, 12));
        assert_eq!((facts.unsent, facts.oldest_unsent, facts.trouble), (Some(0), None, None));
        assert_eq!((facts.last_contact, facts.storage), (Some(Ago::Minutes(2)), Storage::Good));
        assert_eq!(facts.terminal, None, "not enrolled");
    }

    #[test]
    fn the_age_of_the_oldest_entry_is_not_moved_by_a_clock_that_jumps() {
        let waiting = |then| Ok(Stats { queue_depth: 3, oldest_unsent: Some(then), ..stats() });
        let mut now = at(1, 200);
        now.wall += TimeDelta::days(-9_000);
        let facts = StatusFacts::new(&SyncStatus::default(), &waiting(at(1, 10)), &now);
        assert_eq!(facts.oldest_unsent, Some(Ago::Hours(3)));
        let facts = StatusFacts::new(&SyncStatus::default(), &waiting(at(2, 10)), &now);
        assert_eq!(facts.oldest_unsent, Some(Ago::Minutes(0)), "a time ahead is no age");
    }

    #[test]
    fn a_time_is_said_in_the_unit_people_would_take() {
        let minutes = |n: u64| Ago::of_ms(n * 60_000);
        assert_eq!([0, 119].map(minutes), [Ago::Minutes(0), Ago::Minutes(119)]);
        assert_eq!([120, 2879].map(minutes), [Ago::Hours(2), Ago::Hours(47)]);
        assert_eq!([2880, 43_200].map(minutes), [Ago::Days(2), Ago::Days(30)]);
    }

    #[test]
    fn the_worst_of_storage_is_said() {
        let said = |stats| storage(&Ok(stats));
        let held = Stats { unsaved: Some(7), ballast: false, not_stored: 2, ..stats() };
        assert_eq!(said(held), Storage::InMemory(7));
        assert_eq!(said(Stats { ballast: false, not_stored: 2, ..stats() }), Storage::Full);
        assert_eq!(said(Stats { not_stored: 2, ..stats() }), Storage::NotStored(2));
        let lost = EntryId::from_parts(0, [1; 10]);
        assert_eq!(said(Stats { lost_after: Some(lost), ..stats() }), Storage::Damaged);
        let broken = Err(JournalError::Io(std::io::ErrorKind::Other.into()));
        assert!(matches!(storage(&broken), Storage::Broken(why) if why.contains("database")));
    }
}
