//! What staff choose on site: the touchpoint, the language at rest, the volume.
//!
//! Choices are kept in the journal's key-value table and laid over kiosk.toml. The later decision wins: a choice says what stood in the
//! file when it was made, and is over as soon as somebody writes something else there.

use serde::{Deserialize, Serialize};

use crate::{
    config::{KioskSetup, Start},
    journal::{Journal, JournalError},
    model::{Lang, SiteId, TouchpointId},
};

/// The choices, in the journal's key-value table.
const KEY: &str = "staff_choices";

/// How loud the terminal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volume {
    /// No sound.
    Off,
    /// A third.
    Low,
    /// Two thirds.
    Medium,
    /// As loud as it gets.
    High,
}

impl Volume {
    /// Every volume, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Off, Self::Low, Self::Medium, Self::High];
}

/// One choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// What is rated here: one touchpoint, or the several that kiosk.toml names.
    Touchpoints(Vec<TouchpointId>),
    /// What is shown at rest.
    Language(Lang),
    /// How loud the terminal is.
    Volume(Volume),
}

impl Choice {
    /// For the `config` entry in the journal.
    pub fn reason(&self) -> String {
        match self {
            Self::Touchpoints(ids) => {
                let ids: Vec<&str> = ids.iter().map(TouchpointId::as_str).collect();
                format!("staff chose on site: touchpoints {}", ids.join(", "))
            }
            Self::Language(lang) => format!("staff chose on site: language {lang}"),
            Self::Volume(volume) => format!("staff chose on site: volume {volume:?}").to_lowercase(),
        }
    }
}

/// A choice with what the file said when it was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Over<T> {
    chosen: T,
    instead_of: T,
}

/// What kiosk.toml itself says, before any choice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FileSays {
    /// What is rated here.
    pub touchpoints: Vec<TouchpointId>,
    /// What is shown at rest.
    pub language: Option<Lang>,
}

impl FileSays {
    /// Of a setup as it was loaded, before [`StaffChoices::apply`].
    pub fn of(setup: &KioskSetup) -> Self {
        Self {
            touchpoints: setup.kiosk.touchpoints.clone(),
            language: setup.kiosk.languages.first().cloned(),
        }
    }
}

/// All choices in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StaffChoices {
    touchpoints: Option<Over<Vec<TouchpointId>>>,
    language: Option<Over<Lang>>,
    /// How loud the terminal is; `None`: as kiosk.toml says.
    pub volume: Option<Volume>,
}

impl StaffChoices {
    /// Reads what was chosen. What cannot be read is as if never chosen: a terminal always starts.
    pub fn load(journal: &mut Journal) -> Result<Self, JournalError> {
        let Some(text) = journal.meta(KEY)? else { return Ok(Self::default()) };
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, "what staff chose on site cannot be read; kiosk.toml is in force");
            Self::default()
        }))
    }

    /// Keeps the choices durably.
    pub fn save(&self, journal: &mut Journal) -> Result<(), JournalError> {
        let text = serde_json::to_string(self).map_err(std::io::Error::from)?;
        journal.set_meta(KEY, &text)
    }

    /// The same with one more choice; choosing what the file says is no choice.
    #[must_use]
    pub fn with(&self, choice: Choice, file: &FileSays) -> Self {
        let mut choices = self.clone();
        match choice {
            Choice::Touchpoints(chosen) => {
                let instead_of = file.touchpoints.clone();
                choices.touchpoints = (chosen != instead_of).then_some(Over { chosen, instead_of });
            }
            Choice::Language(chosen) => {
                let instead_of = file.language.clone().filter(|lang| *lang != chosen);
                choices.language = instead_of.map(|instead_of| Over { chosen, instead_of });
            }
            Choice::Volume(volume) => choices.volume = Some(volume),
        }
        choices
    }

    /// The same without what no page shows: how loud it is.
    #[must_use]
    pub(crate) fn seen_on_pages(&self) -> Self {
        Self { volume: None, ..self.clone() }
    }

    /// Lays the choices over a setup as it was loaded. What the file has overtaken, or the hospital no longer knows, is left out.
    pub fn apply(&self, setup: &mut KioskSetup) {
        let file = FileSays::of(setup);
        if let Some(over) = &self.touchpoints
            && over.instead_of == file.touchpoints
            && !over.chosen.is_empty()
            && over.chosen.iter().all(|id| is_of_this_site(id, setup))
        {
            setup.kiosk.touchpoints.clone_from(&over.chosen);
            if over.chosen.len() > 1 {
                setup.kiosk.start = Start::Attract;
            }
        }
        if let Some(over) = &self.language
            && Some(&over.instead_of) == file.language.as_ref()
            && let Some(at) = setup.kiosk.languages.iter().position(|lang| *lang == over.chosen)
        {
            setup.kiosk.languages[..=at].rotate_right(1);
            // Two languages stay two: the one that was first is now shown small.
            if setup.kiosk.second_language.as_ref() == Some(&over.chosen) {
                setup.kiosk.second_language = Some(over.instead_of.clone());
            }
        }
    }
}

/// What staff can choose to be rated here: what kiosk.toml says, and each touchpoint of the site that the terminal is enrolled for, or of the
/// file's own site before the enrolment. Central takes no answer of a terminal for another site.
pub(crate) fn places_on_offer(
    file: &FileSays,
    setup: &KioskSetup,
    enrolled_for: Option<&SiteId>,
) -> Vec<Vec<TouchpointId>> {
    let own = setup.hospital.touchpoints.iter().filter(|place| match enrolled_for {
        Some(site) => *site == place.site,
        None => is_of_this_site(&place.id, setup),
    });
    let each = own.map(|touchpoint| vec![touchpoint.id.clone()]);
    let several = Some(file.touchpoints.clone()).filter(|ids| ids.len() > 1);
    several.into_iter().chain(each).collect()
}

/// Whether the hospital has a touchpoint at the site that is rated here.
fn is_of_this_site(id: &TouchpointId, setup: &KioskSetup) -> bool {
    let site = |id: &TouchpointId| setup.hospital.touchpoint(id).map(|place| &place.site);
    let rated = setup.kiosk.touchpoints.iter().find_map(site);
    site(id).is_some_and(|own| rated.is_none_or(|rated| rated == own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn ids(names: &[&str]) -> Vec<TouchpointId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn lang(tag: &str) -> Lang {
        tag.parse().unwrap()
    }

    /// The example: registration in zh-CN and en, en shown small.
    fn setup() -> KioskSetup {
        config::example().value
    }

    fn applied(choices: &StaffChoices, mut setup: KioskSetup) -> KioskSetup {
        choices.apply(&mut setup);
        setup
    }

    #[test]
    fn a_choice_is_laid_over_the_file_until_the_file_says_something_else() {
        let file = FileSays::of(&setup());
        let choices = StaffChoices::default().with(Choice::Touchpoints(ids(&["pharmacy"])), &file);
        assert_eq!(applied(&choices, setup()).kiosk.touchpoints, ids(&["pharmacy"]));
        let mut edited = setup();
        edited.kiosk.touchpoints = ids(&["payment"]);
        assert_eq!(applied(&choices, edited.clone()).kiosk.touchpoints, ids(&["payment"]));
        let again = choices.with(Choice::Touchpoints(ids(&["registration"])), &file);
        assert_eq!(again, StaffChoices::default(), "what the file says is no choice");
        edited.kiosk.touchpoints = ids(&["registration"]);
        edited.hospital.touchpoints.retain(|touchpoint| touchpoint.id.as_str() != "pharmacy");
        assert_eq!(
            applied(&choices, edited).kiosk.touchpoints,
            ids(&["registration"]),
            "a place that is gone"
        );
    }

    #[test]
    fn an_exit_that_became_one_window_can_become_an_exit_again() {
        let mut exit = setup();
        exit.kiosk.touchpoints = ids(&["registration", "pharmacy"]);
        exit.kiosk.start = Start::Attract;
        let file = FileSays::of(&exit);
        let window = StaffChoices::default().with(Choice::Touchpoints(ids(&["pharmacy"])), &file);
        let now = applied(&window, exit.clone());
        let places = places_on_offer(&file, &now, None);
        assert_eq!(places.first(), Some(&file.touchpoints));
        assert_eq!(places.len(), 1 + exit.hospital.touchpoints.len());
        let back = window.with(Choice::Touchpoints(places[0].clone()), &file);
        assert_eq!(applied(&back, exit.clone()), exit);
        assert!(
            places_on_offer(&FileSays::of(&setup()), &setup(), None).iter().all(|place| place.len() == 1)
        );
    }

    #[test]
    fn places_of_another_site_than_the_one_enrolled_are_not_on_offer() {
        let mut two = setup();
        let own = two.hospital.sites[0].id.clone();
        let other =
            crate::questionnaire::Site { id: "east".parse().unwrap(), ..two.hospital.sites[0].clone() };
        two.hospital.touchpoints[3].site = other.id.clone();
        two.hospital.sites.push(other);
        let there = vec![two.hospital.touchpoints[3].id.clone()];
        let on_offer = |site: Option<&SiteId>| places_on_offer(&FileSays::of(&two), &two, site);
        assert!(!on_offer(None).contains(&there), "before the enrolment it is the file's own site");
        assert!(!on_offer(Some(&own)).contains(&there));
        assert_eq!(on_offer(Some(&own)).len(), two.hospital.touchpoints.len() - 1);
    }

    #[test]
    fn a_place_of_another_site_is_neither_offered_nor_taken() {
        let mut two = setup();
        let pharmacy =
            two.hospital.touchpoints.iter_mut().find(|place| place.id.as_str() == "pharmacy").unwrap();
        pharmacy.site = "west".parse().unwrap();
        let file = FileSays::of(&two);
        let offered = places_on_offer(&file, &two, None);
        assert_eq!(offered.len(), two.hospital.touchpoints.len() - 1);
        assert!(!offered.contains(&ids(&["pharmacy"])));
        let chosen = StaffChoices::default().with(Choice::Touchpoints(ids(&["pharmacy"])), &file);
        assert_eq!(applied(&chosen, two).kiosk.touchpoints, ids(&["registration"]));
    }

    #[test]
    fn the_chosen_language_comes_first_and_the_other_one_is_shown_small() {
        let choices = StaffChoices::default().with(Choice::Language(lang("en")), &FileSays::of(&setup()));
        let kiosk = applied(&choices, setup()).kiosk;
        assert_eq!(kiosk.languages, [lang("en"), lang("zh-CN")]);
        assert_eq!(kiosk.second_language, Some(lang("zh-CN")));
        let mut without = setup();
        without.kiosk.languages = vec![lang("zh-CN")];
        assert_eq!(applied(&choices, without).kiosk.languages, [lang("zh-CN")]);
    }

    #[test]
    fn choices_are_told_in_words() {
        assert_eq!(Choice::Touchpoints(ids(&["a", "b"])).reason(), "staff chose on site: touchpoints a, b");
        assert_eq!(Choice::Language(lang("zh-CN")).reason(), "staff chose on site: language zh-CN");
        assert_eq!(Choice::Volume(Volume::Off).reason(), "staff chose on site: volume off");
    }
}
