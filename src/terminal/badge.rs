//! What the corner of every page says about the way to central.

use crate::{lang::Text, sync::engine::Badge};

/// The corner has room for a word; the staff area says the rest.
pub(super) const fn of(badge: &Badge) -> Text {
    match badge {
        Badge::NoContact(_) | Badge::Misconfigured(_) => Text::BadgeOffline,
        Badge::NotAllowed(_) => Text::StatusNotEnrolled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Catalogue;

    #[test]
    fn the_corner_tells_a_terminal_that_has_to_be_enrolled_from_one_that_is_offline() {
        let catalogue = Catalogue::shipped().unwrap();
        let said = |found: Badge| catalogue.text("zh-CN", of(&found)).to_owned();
        assert_eq!(said(Badge::NoContact("why".into())), "离线");
        assert_eq!(said(Badge::Misconfigured("why".into())), "离线");
        assert_eq!(said(Badge::NotAllowed("why".into())), "未登记");
    }
}
