//! Who may see and do what: roles and their rights, scopes, sessions, passwords, links, API tokens, and the audit log.
//!
//! Pure: time, dice and outcomes are arguments. Invariants:
//! - what a role may is asked from one constant table ([`Role::may`]), from nowhere else;
//! - a secret (session, link, API token) is 256 bits; only its SHA-256 is kept, so that whoever reads the database can use none of them;
//! - no wait that strangers cause keeps a person out for good: see [`lockout`];
//! - a line of the audit log is never changed: each carries the hash of all before it.

pub mod audit;
pub mod csrf;
pub mod lockout;
mod password;
mod person;
mod roles;
mod scope;
mod secret;
mod session;
mod viewer;

pub use password::{Password, PasswordHash, PasswordHashError, Weakness, weakness_of};
pub use person::{Grant, GrantError, NameError, Person, PersonName};
pub use roles::{Right, Role};
pub use scope::{Part, Place, Scope};
pub use secret::{ApiToken, LINK_LIFETIME, Link, LinkPurpose, Secret};
pub use session::{Activity, SEEN_EVERY, Session, SessionKind, Times};
pub use viewer::{Viewer, Who};
