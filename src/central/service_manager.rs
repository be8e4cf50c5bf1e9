//! What systemd is told about this service: ready, alive, stopping. Where nobody listens (no `NOTIFY_SOCKET`) nothing is said.

use std::{net::SocketAddr, time::Duration};

use sd_notify::NotifyState;

/// Connections are accepted, and the database is open.
pub(super) fn ready(address: SocketAddr) {
    let status = format!("serves {address}");
    say(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// How often [`alive`] must be said, if somebody waits for it: three times before patience ends.
pub(super) fn watched_every() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|patience| patience / 3)
}

/// The loop that accepts connections goes round.
pub(super) fn alive() {
    say(&[NotifyState::Watchdog]);
}

/// A stop has begun.
pub(super) fn stopping() {
    say(&[NotifyState::Stopping, NotifyState::Status("stops; requests in flight end")]);
}

fn say(words: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::warn!(%error, "systemd cannot be told; it may take central for dead");
    }
}
