//! For which places a right holds. Every query for people takes a [`Scope`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{SiteId, TouchpointId};

/// The places a right holds for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every place, and what belongs to no place.
    Everything,
    /// These, and nothing that belongs to no place.
    Only {
        /// Whole sites, whatever touchpoints they have or get.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        sites: BTreeSet<SiteId>,
        /// Single touchpoints.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        touchpoints: BTreeSet<TouchpointId>,
    },
}

/// What somebody asks about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'a> {
    /// What belongs to no site: people, tokens, the audit log.
    Hospital,
    /// A site as a whole, all of its touchpoints together.
    Site(&'a SiteId),
    /// A touchpoint of a site.
    Touchpoint(&'a SiteId, &'a TouchpointId),
}

/// What of a site a scope covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part<'a> {
    /// All of it.
    Whole,
    /// Of its touchpoints these; the list may name touchpoints of other sites.
    Touchpoints(&'a BTreeSet<TouchpointId>),
    /// Nothing.
    Nothing,
}

impl Scope {
    /// Nothing at all.
    pub const NOTHING: Self = Self::Only { sites: BTreeSet::new(), touchpoints: BTreeSet::new() };

    /// Sites and touchpoints; everything where none is named.
    pub fn of(
        sites: impl IntoIterator<Item = SiteId>,
        touchpoints: impl IntoIterator<Item = TouchpointId>,
    ) -> Self {
        let (sites, touchpoints): (BTreeSet<_>, BTreeSet<_>) =
            (sites.into_iter().collect(), touchpoints.into_iter().collect());
        if sites.is_empty() && touchpoints.is_empty() {
            Self::Everything
        } else {
            Self::Only { sites, touchpoints }
        }
    }

    /// Whether it covers a place.
    pub fn covers(&self, place: Place<'_>) -> bool {
        match (self, place) {
            (Self::Everything, _) => true,
            (Self::Only { .. }, Place::Hospital) => false,
            (Self::Only { sites, .. }, Place::Site(site)) => sites.contains(site),
            (Self::Only { sites, touchpoints }, Place::Touchpoint(site, touchpoint)) => {
                sites.contains(site) || touchpoints.contains(touchpoint)
            }
        }
    }

    /// What of a site it covers, for queries that are about one site each.
    pub fn part_of(&self, site: &SiteId) -> Part<'_> {
        match self {
            Self::Everything => Part::Whole,
            Self::Only { sites, .. } if sites.contains(site) => Part::Whole,
            Self::Only { touchpoints, .. } if touchpoints.is_empty() => Part::Nothing,
            Self::Only { touchpoints, .. } => Part::Touchpoints(touchpoints),
        }
    }

    /// Whether it covers nothing.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Only { sites, touchpoints } if sites.is_empty() && touchpoints.is_empty())
    }

    /// What either covers.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (
                Self::Only { mut sites, mut touchpoints },
                Self::Only { sites: more_sites, touchpoints: more_touchpoints },
            ) => {
                sites.extend(more_sites.iter().cloned());
                touchpoints.extend(more_touchpoints.iter().cloned());
                Self::Only { sites, touchpoints }
            }
        }
    }
}

impl Part<'_> {
    /// Whether it holds a touchpoint of its site.
    pub fn covers(&self, touchpoint: &TouchpointId) -> bool {
        match self {
            Self::Whole => true,
            Self::Touchpoints(some) => some.contains(touchpoint),
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(id: &str) -> SiteId {
        id.parse().unwrap()
    }

    fn touchpoint(id: &str) -> TouchpointId {
        id.parse().unwrap()
    }

    #[test]
    fn a_site_covers_its_touchpoints_and_a_touchpoint_not_its_site() {
        let (main, east, ward, exit) = (site("main"), site("east"), touchpoint("ward"), touchpoint("exit"));
        let by_site = Scope::of([main.clone()], []);
        assert!(by_site.covers(Place::Site(&main)) && by_site.covers(Place::Touchpoint(&main, &ward)));
        assert!(!by_site.covers(Place::Site(&east)) && !by_site.covers(Place::Touchpoint(&east, &ward)));
        let by_touchpoint = Scope::of([], [ward.clone()]);
        assert!(by_touchpoint.covers(Place::Touchpoint(&main, &ward)));
        assert!(
            !by_touchpoint.covers(Place::Touchpoint(&main, &exit))
                && !by_touchpoint.covers(Place::Site(&main))
        );
        for scope in [&by_site, &by_touchpoint, &Scope::NOTHING] {
            assert!(!scope.covers(Place::Hospital));
        }
        assert!(Scope::Everything.covers(Place::Hospital));
        assert_eq!(by_site.part_of(&main), Part::Whole);
        assert_eq!(by_site.part_of(&east), Part::Nothing);
        assert!(by_touchpoint.part_of(&east).covers(&ward) && !by_touchpoint.part_of(&east).covers(&exit));
    }

    #[test]
    fn two_scopes_together_cover_what_either_covers_and_no_more() {
        let both = Scope::of([site("main")], []).and(&Scope::of([], [touchpoint("ward")]));
        assert!(both.covers(Place::Site(&site("main"))) && !both.covers(Place::Site(&site("east"))));
        assert!(both.covers(Place::Touchpoint(&site("east"), &touchpoint("ward"))));
        assert!(Scope::NOTHING.is_nothing() && !both.is_nothing());
        assert_eq!(Scope::NOTHING.and(&both), both);
        assert_eq!(both.and(&Scope::Everything), Scope::Everything);
        assert_eq!(Scope::of([], []), Scope::Everything);
    }

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        for scope in [Scope::Everything, Scope::NOTHING, Scope::of([site("main")], [touchpoint("ward")])] {
            let text = serde_json::to_string(&scope).unwrap();
            assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope, "{text}");
        }
    }
}
