//! How the terminal program ends, by its exit status. See docs/service.md.
//!
//! Invariant: the program runs whole or not at all. A thread that dies ends the program, and its service manager starts it anew: taps that
//! nobody stores, or a journal that nobody sends, would go unnoticed for weeks.

use std::{io::Write as _, panic};

/// Staff asked for a restart (`EX_TEMPFAIL`).
pub const RESTART: u8 = 75;
/// There is no display, or no longer (`EX_UNAVAILABLE`).
pub const NO_DISPLAY: u8 = 69;
/// A thread died (`EX_SOFTWARE`).
pub(crate) const THREAD_DIED: u8 = 70;

/// From now on a panic on any thread ends the program with [`THREAD_DIED`].
pub fn end_on_panic() {
    let say = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        say(info);
        let thread = std::thread::current();
        // Where standard error is closed too, the status has to be enough.
        let _ = writeln!(
            std::io::stderr(),
            "error: the thread `{}` of the terminal died",
            thread.name().unwrap_or("without a name")
        );
        std::process::exit(THREAD_DIED.into());
    }));
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
        let name =
            "terminal::ending::tests::fault_42_a_thread_that_dies_ends_the_program_with_a_status_of_its_own";
        let died = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(died.status.code(), Some(THREAD_DIED.into()), "{died:?}");
        let said = String::from_utf8_lossy(&died.stderr);
        assert!(said.contains("the thread `journal` of the terminal died"), "{said}");
        survived!(42; 1, "dead thread");
    }
}
