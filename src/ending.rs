//! How a program ends, by its exit status, and which panics do not end it. See docs/service.md.
//!
//! Invariants:
//! - a program runs whole or not at all. A thread that dies ends the program, and its service manager starts it anew: taps that nobody
//!   stores, or a journal that nobody sends, would go unnoticed for weeks;
//! - a library that panics over a damaged file ends only the reading of that file: see [`contained`].

use std::{
    any::Any,
    cell::Cell,
    io::Write as _,
    panic::{self, AssertUnwindSafe},
};

/// Staff asked for a restart (`EX_TEMPFAIL`).
pub const RESTART: u8 = 75;
/// There is no display, or no longer (`EX_UNAVAILABLE`).
pub const NO_DISPLAY: u8 = 69;
/// A thread died (`EX_SOFTWARE`).
pub(crate) const THREAD_DIED: u8 = 70;

thread_local! {
    /// Whether this thread does contained work.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// A library panicked over a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the library that reads it failed: {0}")]
pub struct Panicked(String);

/// From now on a panic on any thread ends the program with [`THREAD_DIED`], unless the work is [`contained`].
pub fn end_on_panic() {
    let say = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if is_contained() {
            return;
        }
        say(info);
        let thread = std::thread::current();
        // Where standard error is closed too, the status has to be enough.
        let _ = writeln!(
            std::io::stderr(),
            "error: the thread `{}` died",
            thread.name().unwrap_or("without a name")
        );
        std::process::exit(THREAD_DIED.into());
    }));
}

/// Does work that reads a file with a library that may panic over a damaged one. A panic ends this work and nothing else. What the work
/// changes must be thrown away then. Threads that the work starts are not contained.
///
/// # Errors
/// The library panicked, with its words.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let outer = CONTAINED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    done.map_err(|cause| Panicked(words(&*cause).to_owned()))
}

/// Tells whether this thread does contained work, to other hooks than that of [`end_on_panic`].
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// What a panic said; always a text, unless somebody panicked with another value on purpose.
fn words(cause: &(dyn Any + Send)) -> &str {
    let literal = cause.downcast_ref::<&str>().copied();
    cause.downcast_ref::<String>().map(String::as_str).or(literal).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Command, Stdio},
        thread,
        time::Duration,
    };

    use super::*;
    use crate::faults::survived;

    /// Set in the process that is to die.
    const CHILD: &str = "XINSHENG_TEST_DIES";

    #[test]
    fn fault_42_a_thread_that_dies_ends_the_program_with_a_status_of_its_own() {
        if std::env::var_os(CHILD).is_some() {
            end_on_panic();
            thread::Builder::new().name("journal".into()).spawn(|| panic!("a fault")).unwrap();
            // What a program does whose other threads go on: without the hook it would stay here.
            thread::park_timeout(Duration::from_secs(20));
            std::process::exit(0);
        }
        let name = "ending::tests::fault_42_a_thread_that_dies_ends_the_program_with_a_status_of_its_own";
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(died.status.code(), Some(THREAD_DIED.into()), "{died:?}");
        let said = String::from_utf8_lossy(&died.stderr);
        assert!(said.contains("the thread `journal` died"), "{said}");
        survived!(42; 1, "dead thread");
    }

    #[test]
    fn contained_work_that_panics_is_an_error_in_the_panics_words_and_the_next_panic_is_not_contained() {
        let broke = contained(|| -> u8 { panic!("glyph {}", 7) });
        assert_eq!(broke.unwrap_err().to_string(), "the library that reads it failed: glyph 7");
        assert_eq!(contained(|| contained(|| -> u8 { panic!("inner") }).is_err()), Ok(true));
        assert!(!CONTAINED.get());
    }
}
