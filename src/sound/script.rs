//! What each page would say: the words of the screens and the hospital's questions, by the name of their clip.

use crate::{
    lang::{Catalogue, Text, unbroken},
    model::Lang,
    questionnaire::{Hospital, Texts},
    sound::PageName,
};

/// The words of the pages that are the same everywhere. Each is a sentence of its own.
const PAGES: [(PageName, &[Text]); 17] = [
    (PageName::Attract, &[Text::AttractTitle, Text::AttractStart]),
    (PageName::Choice, &[Text::ChoiceTitle]),
    (PageName::Thanks, &[Text::ThanksTitle]),
    (PageName::StillSaving, &[Text::SavingTitle, Text::HelpCallingExplanation]),
    (PageName::Held, &[Text::HeldTitle, Text::HeldSending]),
    (PageName::HeldReceived, &[Text::HeldReceivedTitle, Text::HeldReceived]),
    // Its sentence has a number in it, which no clip can say.
    (PageName::HeldWaiting, &[Text::HeldTitle]),
    (PageName::NotRecorded, &[Text::NotStoredTitle, Text::OutOfServiceStorage]),
    (PageName::StillThere, &[Text::StillThereTitle, Text::StillThereExplanation]),
    (PageName::Language, &[Text::LanguageTitle]),
    (PageName::Help, &[Text::HelpCalling, Text::HelpCallingExplanation]),
    (PageName::HelpTold, &[Text::HelpTold, Text::HelpToldExplanation]),
    (PageName::HelpUntold, &[Text::HelpUntold, Text::HelpUntoldExplanation]),
    (PageName::Cleaning, &[Text::CleaningTitle, Text::CleaningExplanation]),
    (PageName::Closed, &[Text::ClosedTitle, Text::ClosedExplanation]),
    (PageName::ClosedRate, &[Text::ClosedTitle, Text::ClosedStillRate]),
    (PageName::OutOfService, &[Text::OutOfServiceTitle]),
];

/// What a page says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The clip's file name without ending.
    pub clip: String,
    /// Its words, a sentence a line; empty if the language lacks them.
    pub text: String,
}

/// What every page of a hospital's terminals says in a language.
pub fn lines(hospital: &Hospital, catalogue: &Catalogue, lang: &Lang) -> Vec<Line> {
    let missing = catalogue.missing(lang.as_str());
    let pages = PAGES.iter().map(|(page, texts)| {
        let whole = texts.iter().all(|text| !missing.contains(text));
        let words = texts.iter().map(|text| spoken(catalogue.text(lang.as_str(), *text)));
        line(page, if whole { words.collect::<Vec<_>>().join("\n") } else { String::new() })
    });
    // An older version stays in the file for the record; nobody is asked it.
    let in_use = |id| hospital.touchpoints.iter().any(|touchpoint| &touchpoint.questionnaire == id);
    let asked = hospital.questionnaires.iter().filter(|asked| in_use(&asked.id)).flat_map(|asked| {
        asked.questions.iter().flat_map(|question| {
            let text = of(&question.text, lang);
            let reasons = question
                .reasons
                .iter()
                .map(|group| line(&PageName::reasons(&asked.id, question, group), of(&group.prompt, lang)));
            std::iter::once(line(&PageName::question(&asked.id, question), text)).chain(reasons)
        })
    });
    pages.chain(asked).collect()
}

fn line(page: &PageName, text: String) -> Line {
    Line { clip: page.clips().into_iter().next().unwrap_or_default(), text }
}

/// A text in the language itself: another language's words would be spoken by the wrong voice.
fn of(texts: &Texts, lang: &Lang) -> String {
    if texts.has(lang) { spoken(texts.get(lang)) } else { String::new() }
}

fn spoken(text: &str) -> String {
    unbroken(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_and_every_question_of_the_example_has_its_words_in_every_language() {
        let hospital = crate::config::example().value.hospital;
        let catalogue = Catalogue::shipped().unwrap();
        for lang in &hospital.languages {
            let lines = lines(&hospital, &catalogue, lang);
            let names: std::collections::BTreeSet<&str> =
                lines.iter().map(|line| line.clip.as_str()).collect();
            assert_eq!(names.len(), lines.len(), "no two lines share a clip");
            assert!(names.contains("attract") && names.contains("closed-rate"));
            let questions = hospital.questionnaires.iter().map(|asked| asked.questions.len()).sum::<usize>();
            assert_eq!(names.iter().filter(|name| name.starts_with("question-")).count(), questions);
            for line in &lines {
                assert!(!line.text.is_empty() && !line.text.contains('\u{2060}'), "{line:?}");
            }
        }
    }

    #[test]
    fn what_a_language_lacks_is_not_said_in_another() {
        let hospital = crate::config::example().value.hospital;
        let lines = lines(&hospital, &Catalogue::shipped().unwrap(), &"fr".parse().unwrap());
        assert!(lines.iter().all(|line| line.text.is_empty()));
    }
}
