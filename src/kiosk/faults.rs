//! What is wrong with central or with storage, in the language of staff.
//!
//! A language with a sentence of its own says that and no more: what the English words add is for the log. English itself, and a language
//! that lacks the sentence, shows the words.

use super::pages::Speaker;
use crate::{
    lang::Text,
    staff::{EnrolFault, ExportFault, Failure, Reached, Storage},
    sync::{Diagnosis, Fault},
};

/// Why central is not in contact, and what to do.
pub(crate) fn of_central(speaker: &Speaker, diagnosis: &Diagnosis) -> String {
    own_or(speaker, text_of(diagnosis.fault), "", &diagnosis.words)
}

/// What central said when it was asked as a test.
pub(super) fn answer(speaker: &Speaker, reached: &Reached) -> String {
    match reached.held {
        Some(held) => own_or(speaker, Text::NetworkHolds, &held.to_string(), &reached.words),
        None => own_or(speaker, Text::DiagnosisNotEnrolled, "", &reached.words),
    }
}

/// Why the export failed, and what to do.
pub(crate) fn of_export(speaker: &Speaker, failure: &Failure<ExportFault>) -> String {
    let text = match failure.fault {
        ExportFault::TakenOut => Text::ExportTakenOut,
        ExportFault::Full => Text::ExportFull,
        ExportFault::ReadOnly => Text::ExportReadOnly,
        ExportFault::Stick => Text::ExportStick,
        ExportFault::Journal => Text::ExportJournal,
    };
    own_or(speaker, text, "", &failure.words)
}

/// Why the terminal was not enrolled, and what to do.
pub(crate) fn of_enrolment(speaker: &Speaker, failure: &Failure<EnrolFault>) -> String {
    let text = match failure.fault {
        EnrolFault::Code => Text::EnrolCode,
        EnrolFault::Storage => Text::EnrolStorage,
        EnrolFault::Central(fault) => text_of(fault),
    };
    own_or(speaker, text, "", &failure.words)
}

/// How the journal's storage is.
pub(crate) fn storage(speaker: &Speaker, storage: &Storage) -> String {
    let said = |text: Text| speaker.words(text);
    match storage {
        Storage::Good => said(Text::StatusGood).spoken,
        Storage::Full => said(Text::StorageFull).spoken,
        Storage::InMemory(count) => said(Text::StorageInMemory).with(&count.to_string()).spoken,
        Storage::NotStored(count) => said(Text::StorageNotStored).with(&count.to_string()).spoken,
        Storage::Damaged => said(Text::StorageDamaged).spoken,
        Storage::Broken(why) => own_or(speaker, Text::StorageBroken, "", why),
    }
}

const fn text_of(fault: Fault) -> Text {
    match fault {
        Fault::NameUnresolved => Text::DiagnosisName,
        Fault::Unreached => Text::DiagnosisUnreached,
        Fault::CertificateTime => Text::DiagnosisCertificateTime,
        Fault::CertificateIssuer => Text::DiagnosisCertificateIssuer,
        Fault::CertificateName => Text::DiagnosisCertificateName,
        Fault::NoAnswer => Text::DiagnosisNoAnswer,
        Fault::Busy => Text::DiagnosisBusy,
        Fault::InBetween => Text::DiagnosisInBetween,
        Fault::NotAccepted => Text::DiagnosisNotAccepted,
        Fault::Misconfigured => Text::DiagnosisMisconfigured,
        Fault::NotEnrolled => Text::DiagnosisNotEnrolled,
        Fault::Cloned => Text::DiagnosisCloned,
        Fault::Other => Text::DiagnosisOther,
    }
}

/// The language's own sentence with a number, or the English words where it has none.
fn own_or(speaker: &Speaker, text: Text, n: &str, words: &str) -> String {
    if speaker.text(text) == text.source() { words.to_owned() } else { speaker.words(text).with(n).spoken }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fonts::Fonts, lang::Catalogue, model::Lang};

    fn with_speaker<T>(tag: &str, say: impl FnOnce(&Speaker) -> T) -> T {
        let lang: Lang = tag.parse().unwrap();
        let (catalogue, fonts) = (Catalogue::shipped().unwrap(), Fonts::shipped());
        say(&Speaker { catalogue: &catalogue, fonts: &fonts, lang: &lang, second: None })
    }

    #[test]
    fn every_fault_has_a_sentence_of_its_own_in_every_language() {
        let words = "exact and English";
        for tag in ["zh-CN", "zh-TW", "ug", "bo", "ja"] {
            let say = |fault| with_speaker(tag, |speaker| of_central(speaker, &Diagnosis::new(fault, words)));
            let said = Fault::ALL.map(say);
            for (i, sentence) in said.iter().enumerate() {
                assert!(!sentence.contains(words) && !sentence.is_ascii(), "{tag}: {sentence}");
                assert!(!said[..i].contains(sentence), "{tag}: {sentence} twice");
            }
        }
    }

    #[test]
    fn every_failure_of_an_export_or_an_enrolment_has_a_sentence_of_its_own_in_every_language() {
        let words = "exact and English";
        for tag in ["zh-CN", "zh-TW", "ug", "bo", "ja"] {
            let export = |fault| with_speaker(tag, |speaker| of_export(speaker, &Failure::new(fault, words)));
            let enrol =
                |fault| with_speaker(tag, |speaker| of_enrolment(speaker, &Failure::new(fault, words)));
            let mut said: Vec<String> = ExportFault::ALL.map(export).into();
            said.push(enrol(EnrolFault::Code));
            said.push(enrol(EnrolFault::Storage));
            said.push(enrol(EnrolFault::Central(Fault::Unreached)));
            for (i, sentence) in said.iter().enumerate() {
                assert!(!sentence.contains(words) && !sentence.is_ascii(), "{tag}: {sentence}");
                assert!(!said[..i].contains(sentence), "{tag}: {sentence} twice");
            }
        }
    }

    #[test]
    fn english_and_a_language_without_the_sentence_say_the_exact_words() {
        let found =
            Diagnosis::new(Fault::NotAccepted, "central does not accept this terminal (403): revoked");
        for tag in ["en", "fr"] {
            assert_eq!(with_speaker(tag, |speaker| of_central(speaker, &found)), found.words);
        }
        let broken = Storage::Broken("disk I/O error".into());
        assert_eq!(with_speaker("en", |speaker| storage(speaker, &broken)), "disk I/O error");
        assert_eq!(with_speaker("zh-CN", |speaker| storage(speaker, &broken)), "无法读取，请重启");
    }

    #[test]
    fn what_central_has_and_what_storage_lost_are_counted() {
        let reached = Reached { held: Some(42), words: "https://a holds 42 entries".into() };
        with_speaker("zh-CN", |speaker| {
            assert_eq!(answer(speaker, &reached), "服务器已收到本机 42 条记录");
            assert_eq!(storage(speaker, &Storage::NotStored(3)), "3 条丢失，请换磁盘");
        });
        assert_eq!(with_speaker("en", |speaker| answer(speaker, &reached)), reached.words);
    }
}
