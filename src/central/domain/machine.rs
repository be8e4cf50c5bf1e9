//! Which machine stands behind a terminal's name. A machine that enrols again gets another name and keeps what it wrote.

use crate::{model::TerminalId, wire::HARDWARE_UNKNOWN};

/// A terminal, and what its machine calls itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// The terminal's name.
    pub terminal: TerminalId,
    /// What its machine calls itself; `None` where no such terminal is enrolled.
    pub hardware: Option<String>,
}

impl Machine {
    /// Whether both are one machine: the same terminal, or the same hardware enrolled again. A machine that has no name for itself is
    /// never the same as another.
    pub(crate) fn is(&self, other: &Self) -> bool {
        if self.terminal == other.terminal {
            return true;
        }
        match (self.hardware.as_deref(), other.hardware.as_deref()) {
            (Some(one), Some(other)) => one == other && !one.is_empty() && one != HARDWARE_UNKNOWN,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(terminal: &str, hardware: Option<&str>) -> Machine {
        Machine { terminal: terminal.parse().unwrap(), hardware: hardware.map(str::to_owned) }
    }

    #[test]
    fn a_machine_is_itself_under_every_name_it_enrols_by() {
        assert!(machine("t-1", None).is(&machine("t-1", None)));
        assert!(machine("t-1", Some("pi-7")).is(&machine("t-2", Some("pi-7"))));
        assert!(!machine("t-1", Some("pi-7")).is(&machine("t-2", Some("pi-8"))));
    }

    #[test]
    fn machines_that_do_not_know_what_they_are_are_not_one() {
        for unknown in [None, Some(""), Some(HARDWARE_UNKNOWN)] {
            assert!(!machine("t-1", unknown).is(&machine("t-2", unknown)));
        }
        assert!(!machine("t-1", Some("pi-7")).is(&machine("t-2", None)));
    }
}
