//! How long somebody stays signed in.

use chrono::{DateTime, TimeDelta, Utc};

use super::Role;
use crate::model::{PersonId, SessionId};

/// A request is written down as the last one only this long after the one before: a page that asks often costs no write each time.
pub const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// How a session began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// With name and password.
    Password,
    /// With a link that works once.
    Link,
    /// At an external provider.
    External,
}

/// Somebody who is signed in, on one browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its name in lists; its secret is another.
    pub id: SessionId,
    /// Whose.
    pub person: PersonId,
    /// How it began.
    pub kind: SessionKind,
    /// When it began.
    pub made_at: DateTime<Utc>,
    /// The last request by the person, to about [`SEEN_EVERY`].
    pub seen_at: DateTime<Utc>,
    /// From where it began.
    pub address: String,
    /// With which browser, in its own words.
    pub agent: String,
}

/// Who made a request: the person, or a page that is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Activity {
    /// Somebody opened a page or sent a form.
    Person,
    /// A script of an open page asked by itself, as it does for as long as it is open.
    Page,
}

impl Activity {
    /// From what the browser says of a request; a browser that says nothing is taken for a person.
    pub fn of(is_change: bool, fetch_dest: Option<&str>) -> Self {
        if is_change || fetch_dest.is_none_or(|dest| dest == "document") { Self::Person } else { Self::Page }
    }
}

/// When sessions end by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    /// After the last request.
    pub idle: TimeDelta,
    /// After the sign-in, whatever is asked.
    pub absolute: TimeDelta,
    /// Whether a page that is merely open keeps the session.
    pub page_keeps_it: bool,
}

/// Who sees single answers, people or the audit log: a desk that was left alone for half an hour is another's, and every shift signs in.
const SENSITIVE: Times =
    Times { idle: TimeDelta::minutes(30), absolute: TimeDelta::hours(12), page_keeps_it: false };

/// Who sees released figures and calls for help: a shift, and a screen on the wall of a ward for a month.
const PLAIN: Times = Times { idle: TimeDelta::hours(8), absolute: TimeDelta::days(30), page_keeps_it: true };

impl Times {
    /// The times for somebody with these roles.
    pub fn of(roles: impl IntoIterator<Item = Role>) -> Self {
        if roles.into_iter().any(Role::is_sensitive) { SENSITIVE } else { PLAIN }
    }

    /// Whether a session goes on.
    pub fn is_live(&self, session: &Session, now: DateTime<Utc>) -> bool {
        now - session.seen_at < self.idle && now - session.made_at < self.absolute
    }

    /// Whether this request is to be written down as the last one.
    pub fn renews(&self, session: &Session, activity: Activity, now: DateTime<Utc>) -> bool {
        (activity == Activity::Person || self.page_keeps_it) && now - session.seen_at >= SEEN_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn session(made: i64, seen: i64) -> Session {
        Session {
            id: SessionId::from_parts(1, [1; 10]),
            person: PersonId::from_parts(1, [1; 10]),
            kind: SessionKind::Password,
            made_at: at(made),
            seen_at: at(seen),
            address: String::new(),
            agent: String::new(),
        }
    }

    #[test]
    fn an_admin_is_signed_out_after_half_an_hour_and_after_a_shift() {
        let times = Times::of([Role::Viewer, Role::Admin]);
        assert!(times.is_live(&session(0, 0), at(29)) && !times.is_live(&session(0, 0), at(30)));
        assert!(times.is_live(&session(0, 700), at(719)) && !times.is_live(&session(0, 719), at(720)));
    }

    #[test]
    fn a_ward_s_screen_stays_signed_in_for_a_month() {
        let times = Times::of([Role::Viewer]);
        assert!(times.is_live(&session(0, 0), at(8 * 60 - 1)) && !times.is_live(&session(0, 0), at(8 * 60)));
        let month = 30 * 24 * 60;
        assert!(times.is_live(&session(0, month - 2), at(month - 1)));
        assert!(!times.is_live(&session(0, month - 1), at(month)));
    }

    #[test]
    fn an_open_page_keeps_a_viewer_signed_in_and_no_admin() {
        let (page, person) = (Activity::of(false, Some("empty")), Activity::of(false, Some("document")));
        assert_eq!((page, person), (Activity::Page, Activity::Person));
        assert_eq!((Activity::of(true, Some("empty")), Activity::of(false, None)), (person, person));
        let (admin, viewer) = (Times::of([Role::Admin]), Times::of([Role::Viewer]));
        assert!(viewer.renews(&session(0, 0), page, at(1)) && !admin.renews(&session(0, 0), page, at(1)));
        assert!(admin.renews(&session(0, 0), person, at(1)));
        assert!(!viewer.renews(&session(0, 0), person, at(0)), "not every request is a write");
    }

    #[test]
    fn a_clock_that_was_set_back_ends_nothing() {
        assert!(Times::of([Role::Admin]).is_live(&session(60, 60), at(0)));
    }
}
