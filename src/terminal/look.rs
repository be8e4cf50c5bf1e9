//! How the pages look, and what of it follows the time of day: the theme, and whether a rated place is open.

use std::path::PathBuf;

use crate::{
    config::NightHours,
    model::{Moment, TimeQuality},
    survey::Plan,
    theme::{self, Color},
};

/// How the pages look.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Look {
    /// By day.
    pub theme: theme::Theme,
    /// When the night theme shows instead; never, if there is none.
    pub night: Option<NightHours>,
    /// The hospital's own colour, in the standard theme.
    pub accent: Option<Color>,
    /// The hospital's picture on the page that invites.
    pub logo: Option<PathBuf>,
}

/// What the time of day decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ambient {
    /// The theme now.
    pub theme: theme::Theme,
    /// A place that is rated here is open.
    pub open: bool,
}

impl Ambient {
    /// What holds at a moment. A clock that was never set decides nothing: open, and the theme of the day.
    pub fn at(now: &Moment, plan: &Plan, look: &Look) -> Self {
        let rated = || plan.touchpoints.iter().filter_map(|id| plan.hospital.touchpoint(id));
        let zone = rated().find_map(|place| plan.hospital.site(&place.site)).map(|site| site.time_zone);
        let (Some(zone), true) = (zone, now.quality != TimeQuality::Unset) else {
            return Self { theme: look.theme, open: true };
        };
        let local = now.wall.with_timezone(&zone).time();
        let night = look.night.is_some_and(|hours| hours.contains(local));
        Self {
            theme: if night { theme::Theme::Night } else { look.theme },
            open: rated().any(|place| place.hours.open_at(now.wall, zone)),
        }
    }
}
