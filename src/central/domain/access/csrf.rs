//! Whether a request that changes something was made by central's own pages: three layers, each for browsers that lack the one before.
//!
//! Fetch Metadata where the browser sends it; else its `Origin`; else the token that central's forms carry, since the kernels of some browsers
//! in hospitals know neither. A request that carries no cookie cannot use anybody's session, and needs none of them.

/// What a request says about where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said<'a> {
    /// `Sec-Fetch-Site`, in lower case.
    pub fetch_site: Option<&'a str>,
    /// `Origin`.
    pub origin: Origin,
    /// The form's token.
    pub token: FormToken,
    /// Whether it carries a session's cookie.
    pub has_session: bool,
}

/// `Origin`, held against central's own names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Not sent.
    Absent,
    /// The public address of central, which no other page can have.
    Public,
    /// The host that was asked.
    Own,
    /// Another.
    Foreign,
}

/// The form's token, held against the session's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FormToken {
    /// Not sent.
    Absent,
    /// The session's.
    Right,
    /// Another.
    Wrong,
}

/// Whether a change may be made.
pub fn is_own(said: Said<'_>) -> bool {
    // A form of another session, of a tab that was left open: whoever sends it does not see what it does.
    if said.token == FormToken::Wrong {
        return false;
    }
    match (said.fetch_site, said.origin) {
        (_, Origin::Public) | (None, Origin::Own) => true,
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Origin::Foreign) => false,
        (None, Origin::Absent) => !said.has_session || said.token == FormToken::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Said<'_> =
        Said { fetch_site: None, origin: Origin::Absent, token: FormToken::Absent, has_session: true };

    #[test]
    fn the_first_layer_decides_where_the_browser_says_which_site_asks() {
        for (site, good) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false)]
        {
            for origin in [Origin::Absent, Origin::Own, Origin::Foreign] {
                let said = Said { fetch_site: Some(site), origin, ..BARE };
                assert_eq!(is_own(said), good, "{said:?}");
            }
        }
        assert!(is_own(Said { fetch_site: Some("same-site"), origin: Origin::Public, ..BARE }));
    }

    #[test]
    fn the_second_layer_decides_where_it_says_only_the_origin() {
        assert!(is_own(Said { origin: Origin::Own, ..BARE }));
        assert!(!is_own(Said { origin: Origin::Foreign, ..BARE }));
        assert!(!is_own(Said { origin: Origin::Foreign, token: FormToken::Right, ..BARE }));
    }

    #[test]
    fn the_third_layer_decides_where_it_says_nothing() {
        assert!(!is_own(BARE), "a session's cookie alone proves nothing");
        assert!(is_own(Said { token: FormToken::Right, ..BARE }));
        assert!(is_own(Said { has_session: false, ..BARE }), "no browser, or nobody's session");
    }

    #[test]
    fn a_wrong_token_is_refused_whatever_else_is_said() {
        for origin in [Origin::Absent, Origin::Own, Origin::Public] {
            let said =
                Said { fetch_site: Some("same-origin"), origin, token: FormToken::Wrong, has_session: true };
            assert!(!is_own(said), "{said:?}");
        }
    }
}
