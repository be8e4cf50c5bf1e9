//! What central runs with until its configuration changes: a value that is exchanged as a whole, so that one request never sees two
//! configurations.

use std::{collections::BTreeSet, sync::Arc};

use super::{domain::scores::Suppression, settings::Settings, store::Remembered};
use crate::{
    chain,
    model::TouchpointId,
    questionnaire::{Hospital, Questionnaire},
};

/// The delivered configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Delivered {
    pub(super) etag: String,
    pub(super) text: Vec<u8>,
}

/// A configuration in force.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    /// What is asked where.
    pub(super) hospital: Arc<Hospital>,
    /// The same with what was configured once.
    pub(super) history: History,
    /// What terminals are given that ask for a configuration.
    pub(super) delivered: Option<Delivered>,
    /// The rule for small counts.
    pub(super) suppression: Suppression,
    /// When terminals come again if they have nothing to say, in seconds.
    pub(super) next_sync_after_s: u32,
}

impl InForce {
    /// What these settings say; `remembered` is what the store kept of earlier configurations.
    pub(super) fn new(settings: &Settings, hospital: Arc<Hospital>, remembered: Vec<Remembered>) -> Self {
        let deliver =
            |text: &Vec<u8>| Delivered { etag: format!("\"{}\"", chain::sha256(text)), text: text.clone() };
        Self {
            history: History::new(&hospital, remembered),
            hospital,
            delivered: settings.delivered.as_ref().map(deliver),
            suppression: settings.suppression(),
            next_sync_after_s: settings.next_sync_after_s(),
        }
    }
}

/// The hospital of every score: the configured places first, in their order, then those that were configured once. A place that was
/// closed keeps its answers in every total, under the name it had last.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct History {
    /// Configured and closed places; the questionnaires that the configuration has, and those that it had.
    pub(super) hospital: Hospital,
    /// The closed ones.
    pub(super) closed: BTreeSet<TouchpointId>,
}

impl History {
    pub(super) fn new(configured: &Hospital, remembered: Vec<Remembered>) -> Self {
        let mut hospital = configured.clone();
        let mut closed = BTreeSet::new();
        let mut earlier: Vec<Questionnaire> = Vec::new();
        for Remembered { places, questionnaires } in remembered {
            for place in places {
                if hospital.touchpoint(&place.id).is_none() && hospital.site(&place.site).is_some() {
                    closed.insert(place.id.clone());
                    hospital.touchpoints.push(place);
                }
            }
            for questionnaire in questionnaires {
                let known = |list: &[Questionnaire]| list.iter().any(|one| one.id == questionnaire.id);
                if !known(&hospital.questionnaires) && !known(&earlier) {
                    earlier.push(questionnaire);
                }
            }
        }
        // The latest wording of a question is looked for from the end: what is configured stays there.
        earlier.append(&mut hospital.questionnaires);
        hospital.questionnaires = earlier;
        Self { hospital, closed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{EXAMPLE_TOUCHPOINTS, Glyphs, load_hospital},
        model::SiteId,
    };

    #[test]
    fn a_closed_place_comes_last_and_a_place_that_is_open_is_as_configured() {
        let read = |_: &std::path::Path| Ok(EXAMPLE_TOUCHPOINTS.as_bytes().to_vec());
        let before = load_hospital("t.toml".as_ref(), &read, &Glyphs::default()).unwrap().value;
        let mut now = before.clone();
        let gone = now.touchpoints.remove(0);
        now.questionnaires.retain(|questionnaire| questionnaire.id != gone.questionnaire);
        now.touchpoints.retain(|place| place.questionnaire != gone.questionnaire);
        let remembered =
            Remembered { places: before.touchpoints.clone(), questionnaires: before.questionnaires.clone() };
        let history = History::new(&now, vec![remembered.clone(), remembered]);
        assert!(history.closed.contains(&gone.id));
        assert_eq!(history.hospital.touchpoints.len(), before.touchpoints.len());
        assert_eq!(history.hospital.touchpoints[..now.touchpoints.len()], now.touchpoints);
        assert_eq!(history.hospital.questionnaires.len(), before.questionnaires.len());
        assert!(history.hospital.questionnaire(&gone.questionnaire).is_some());
        let elsewhere: SiteId = "another-site".parse().unwrap();
        let stranger = crate::questionnaire::Touchpoint { site: elsewhere, id: "x".parse().unwrap(), ..gone };
        let odd = Remembered { places: vec![stranger], questionnaires: Vec::new() };
        assert!(
            History::new(&before, vec![odd]).closed.is_empty(),
            "a place of a site that is gone has no total"
        );
    }
}
