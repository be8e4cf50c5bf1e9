//! Whether a signed request is a new sign of life of its terminal, or an old one that somebody plays back.

use chrono::{DateTime, Utc};

use crate::model::{BootId, Moment};

/// The terminal's own clock at a signed request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BootTime {
    /// The boot.
    pub boot: BootId,
    /// Milliseconds into it.
    pub up_ms: u64,
}

/// A sign of life to be noted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Contact {
    /// When central heard it.
    pub(crate) at: DateTime<Utc>,
    /// When the terminal said it.
    pub(crate) sent: BootTime,
}

/// The sign of life in a request, if it is a new one: within a boot its up time is later than the last one's, and a boot that was known
/// before the last one began is over. `last` is the last one noted, `boot_is_known` whether the request's boot was known before it.
pub(crate) fn contact(
    last: Option<BootTime>,
    boot_is_known: bool,
    sent: &Moment,
    at: DateTime<Utc>,
) -> Option<Contact> {
    let is_new = match last {
        None => true,
        Some(last) if last.boot == sent.boot => last.up_ms < sent.up_ms,
        Some(_) => !boot_is_known,
    };
    is_new.then_some(Contact { at, sent: BootTime { boot: sent.boot, up_ms: sent.up_ms } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TimeQuality;

    fn is_new(last: Option<(u64, u64)>, boot_is_known: bool, (boot, up_ms): (u64, u64)) -> bool {
        let boot_of = |number| BootId::from_parts(number, [0; 10]);
        let last = last.map(|(boot, up_ms)| BootTime { boot: boot_of(boot), up_ms });
        let at = DateTime::UNIX_EPOCH;
        let sent = Moment { wall: at, boot: boot_of(boot), up_ms, quality: TimeQuality::Unset };
        contact(last, boot_is_known, &sent, at).is_some()
    }

    #[test]
    fn the_first_request_of_a_terminal_is_a_sign_of_life() {
        assert!(is_new(None, false, (1, 5)));
        assert!(is_new(None, true, (1, 5)));
    }

    #[test]
    fn within_a_boot_only_a_later_request_is_a_sign_of_life() {
        assert!(is_new(Some((1, 5)), true, (1, 6)));
        assert!(!is_new(Some((1, 5)), true, (1, 5)), "the same request again");
        assert!(!is_new(Some((1, 5)), true, (1, 4)), "an earlier one");
    }

    #[test]
    fn a_request_of_another_boot_is_a_sign_of_life_unless_that_boot_was_known_and_is_over() {
        assert!(is_new(Some((1, 5)), false, (2, 0)));
        assert!(!is_new(Some((2, 0)), true, (1, 900)));
    }
}
