//! The audit log: who saw rows, exported, changed something, signed in, or failed to.
//!
//! A line is the JSON of a [`Line`], with its fields in the order of the struct, and is stored as those bytes. Its hash is that of a journal's
//! entry: `SHA-256(hash of the line before || SHA-256(line))`, and the hash before the first line is SHA-256 of `xinsheng audit 1:` and the
//! store's id. So a line that is changed, taken out or put in breaks everything after it. What the chain alone cannot show is that the last
//! lines were cut off: the head is kept apart from the lines and is written to central's log, and an exported copy shows it too.
//!
//! Lines hold names of people and terminals and what was asked for; no password, no secret, no answer of a patient, and no text that a stranger
//! typed as a name (it may be a password).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Grant, LinkPurpose, SessionKind};
use crate::{
    chain,
    model::{EntryId, Hash, PersonId, SessionId, SiteId, StoreId, TerminalId, TokenId, TouchpointId, millis},
};

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A person, under the name of that time.
    Person {
        /// Who.
        id: PersonId,
        /// The name to sign in with.
        name: String,
    },
    /// A program with an API token.
    Token {
        /// Which token.
        id: TokenId,
        /// What it is for.
        label: String,
    },
    /// Somebody at central's machine.
    CommandLine {
        /// The user of the system.
        user: String,
    },
    /// Somebody who has not signed in.
    Stranger,
    /// Central by itself.
    Central,
}

/// What was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody signed in.
    SignedIn {
        /// How.
        how: SessionKind,
    },
    /// A password was wrong, or nobody has the name that was typed.
    SignInFailed {
        /// The name, if it is somebody's.
        name: Option<String>,
    },
    /// Somebody signed out.
    SignedOut,
    /// A session was ended from elsewhere.
    SessionEnded {
        /// Whose.
        name: String,
        /// Which.
        session: SessionId,
    },
    /// Somebody was added.
    PersonAdded {
        /// Who.
        name: String,
        /// With which roles.
        grants: Vec<Grant>,
    },
    /// Somebody's roles were changed.
    RolesSet {
        /// Whose.
        name: String,
        /// From these.
        before: Vec<Grant>,
        /// To these.
        after: Vec<Grant>,
    },
    /// Somebody may not sign in any more; all sessions ended.
    PersonDisabled {
        /// Who.
        name: String,
    },
    /// Somebody may sign in again.
    PersonEnabled {
        /// Who.
        name: String,
    },
    /// A link was made.
    LinkMade {
        /// For whom.
        name: String,
        /// What for.
        purpose: LinkPurpose,
    },
    /// Somebody set a password; all other sessions ended.
    PasswordSet {
        /// Whether by a link, or by somebody who knew the old one.
        by_link: bool,
    },
    /// An API token was made.
    TokenMade {
        /// Which.
        token: TokenId,
        /// What it is for.
        label: String,
        /// What it may.
        grants: Vec<Grant>,
        /// Until when.
        #[serde(with = "millis")]
        expires_at: DateTime<Utc>,
    },
    /// An API token was revoked.
    TokenRevoked {
        /// Which.
        token: TokenId,
        /// What it was for.
        label: String,
    },
    /// Single answers, or figures that are not released, were looked at.
    RowsSeen {
        /// Path and query of the request.
        asked: String,
    },
    /// Answers left central as a file.
    Exported {
        /// Path and query of the request, or the command.
        asked: String,
    },
    /// A call for help was marked answered.
    HelpAnswered {
        /// Where.
        site: SiteId,
        /// Which call.
        call: EntryId,
    },
    /// A one-time code for a terminal was made.
    CodeMade {
        /// Where.
        site: SiteId,
        /// For which place.
        touchpoint: TouchpointId,
    },
    /// A terminal's key was revoked.
    TerminalRevoked {
        /// Which.
        terminal: TerminalId,
    },
}

/// What is to be written: who did what when and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// From which address; none at central's machine.
    pub from: Option<String>,
    /// What.
    pub event: Event,
}

/// A line of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The format, 1.
    pub v: u8,
    /// Its place, from 1.
    pub seq: u64,
    /// When.
    #[serde(with = "millis")]
    pub at: DateTime<Utc>,
    /// Who.
    pub actor: Actor,
    /// From which address.
    pub from: Option<String>,
    /// What.
    pub event: Event,
}

/// The end of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many lines there are.
    pub seq: u64,
    /// The hash of the last.
    pub hash: Hash,
}

/// A line as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its place.
    pub seq: u64,
    /// Its bytes.
    pub text: String,
    /// The hash up to it.
    pub hash: Hash,
}

impl Head {
    /// Before the first line.
    pub fn start(store: StoreId) -> Self {
        Self { seq: 0, hash: chain::sha256(format!("xinsheng audit 1:{store}").as_bytes()) }
    }

    /// The next line, with its hash.
    pub fn append(&self, deed: &Deed) -> Result<Stored, serde_json::Error> {
        let Deed { at, actor, from, event } = deed.clone();
        let seq = self.seq + 1;
        let text = serde_json::to_string(&Line { v: 1, seq, at, actor, from, event })?;
        let hash = chain::link(self.hash, chain::leaf(text.as_bytes()));
        Ok(Stored { seq, text, hash })
    }
}

impl Stored {
    /// The head that ends with this line.
    pub const fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }

    /// What it says; `None` if its bytes are no line.
    pub fn line(&self) -> Option<Line> {
        serde_json::from_str(&self.text).ok()
    }
}

impl Event {
    /// Its kind, as it stands in the line.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SignedIn { .. } => "signed_in",
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::SessionEnded { .. } => "session_ended",
            Self::PersonAdded { .. } => "person_added",
            Self::RolesSet { .. } => "roles_set",
            Self::PersonDisabled { .. } => "person_disabled",
            Self::PersonEnabled { .. } => "person_enabled",
            Self::LinkMade { .. } => "link_made",
            Self::PasswordSet { .. } => "password_set",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::RowsSeen { .. } => "rows_seen",
            Self::Exported { .. } => "exported",
            Self::HelpAnswered { .. } => "help_answered",
            Self::CodeMade { .. } => "code_made",
            Self::TerminalRevoked { .. } => "terminal_revoked",
        }
    }
}

/// Goes through the log a page at a time and finds where it is not what was written.
#[derive(Debug)]
pub struct Check {
    at: Head,
    damage: Vec<String>,
}

/// Breaks that are named one by one.
const DAMAGE_MAX: usize = 20;

impl Check {
    /// From the first line.
    pub fn new(store: StoreId) -> Self {
        Self { at: Head::start(store), damage: Vec::new() }
    }

    /// The last line gone through.
    pub const fn seq(&self) -> u64 {
        self.at.seq
    }

    /// Takes the next lines.
    pub fn take(&mut self, lines: &[Stored]) {
        for line in lines {
            if line.seq != self.at.seq + 1 {
                self.report(format!(
                    "lines {} to {} are missing",
                    self.at.seq + 1,
                    line.seq.saturating_sub(1)
                ));
            }
            let hash = chain::link(self.at.hash, chain::leaf(line.text.as_bytes()));
            if hash != line.hash {
                self.report(format!("line {} is not what was written", line.seq));
            } else if line.line().is_none_or(|said| said.seq != line.seq) {
                self.report(format!("line {} does not say what it is", line.seq));
            }
            // Go on from the stored hash, so that one changed line is reported once.
            self.at = line.head();
        }
    }

    /// Ends with the head that is kept apart from the lines; gives what is wrong, in words.
    pub fn end(mut self, kept: Head) -> Vec<String> {
        if kept != self.at {
            self.report(format!("the head stands at {}, the lines end at {}", kept.seq, self.at.seq));
        }
        self.damage
    }

    fn report(&mut self, what: String) {
        if self.damage.len() < DAMAGE_MAX {
            self.damage.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> StoreId {
        StoreId::from_parts(1, [1; 10])
    }

    fn log(count: u64) -> Vec<Stored> {
        let mut head = Head::start(store());
        let mut lines = Vec::new();
        for n in 0..count {
            let deed = Deed {
                at: DateTime::UNIX_EPOCH,
                actor: Actor::CommandLine { user: "root".into() },
                from: None,
                event: Event::PersonAdded { name: format!("p{n}"), grants: vec![] },
            };
            let line = head.append(&deed).unwrap();
            head = line.head();
            lines.push(line);
        }
        lines
    }

    fn damage(lines: &[Stored], kept: Head) -> Vec<String> {
        let mut check = Check::new(store());
        lines.chunks(2).for_each(|page| check.take(page));
        check.end(kept)
    }

    #[test]
    fn a_log_as_it_was_written_is_whole() {
        let lines = log(5);
        assert_eq!(damage(&lines, lines[4].head()), Vec::<String>::new());
        assert_eq!(damage(&[], Head::start(store())), Vec::<String>::new());
        assert_eq!(
            lines[0].text,
            r#"{"v":1,"seq":1,"at":"1970-01-01T00:00:00.000Z","actor":{"kind":"command_line","user":"root"},"from":null,"event":{"kind":"person_added","name":"p0","grants":[]}}"#
        );
    }

    #[test]
    fn a_line_that_was_changed_taken_out_put_in_or_cut_off_is_found() {
        let whole = log(5);
        let head = whole[4].head();
        let mut changed = whole.clone();
        changed[2].text = changed[2].text.replace("p2", "p9");
        assert_eq!(damage(&changed, head), ["line 3 is not what was written"]);
        let mut out = whole.clone();
        out.remove(2);
        assert_eq!(damage(&out, head), ["lines 3 to 3 are missing", "line 4 is not what was written"]);
        assert_eq!(damage(&whole[..4], head), ["the head stands at 5, the lines end at 4"]);
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert!(!damage(&swapped, head).is_empty());
        // Whoever writes the whole chain anew still stands before the head that was kept.
        let mut forged = log(5);
        let forged_line = whole[3].head().append(&Deed {
            at: DateTime::UNIX_EPOCH,
            actor: Actor::Central,
            from: None,
            event: Event::SignedOut,
        });
        forged[4] = forged_line.unwrap();
        assert_eq!(damage(&forged, head), ["the head stands at 5, the lines end at 5"]);
        let other = Check::new(StoreId::from_parts(2, [2; 10]));
        assert_ne!(other.at, Head::start(store()), "another store's log is another chain");
    }

    #[test]
    fn the_kind_in_the_list_is_the_kind_in_the_line() {
        let events = [
            Event::SignedIn { how: SessionKind::Password },
            Event::SignInFailed { name: None },
            Event::SignedOut,
            Event::PersonDisabled { name: "li".into() },
            Event::PasswordSet { by_link: true },
            Event::RowsSeen { asked: "/v1/scores".into() },
            Event::Exported { asked: "/v1/export.csv".into() },
            Event::TerminalRevoked { terminal: "t-1".parse().unwrap() },
        ];
        for event in events {
            let text = serde_json::to_value(&event).unwrap();
            assert_eq!(text["kind"], event.kind());
        }
    }
}
