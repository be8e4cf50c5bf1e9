//! The log of the programs: lines on standard error, which systemd keeps.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Sends what the program logs to standard error; `XINSHENG_LOG` says how much of it, and `usual` if that is not set.
///
/// A line that cannot be written is dropped without a word: a full log partition, or a reader of a pipe that has gone, must not end a
/// terminal that still takes ratings, and telling of it would need the very same way out.
pub fn to_stderr(usual: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("XINSHENG_LOG").unwrap_or_else(|_| usual.into()))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .log_internal_errors(false)
        .init();
}
