//! What is heard during a visit, and when nothing is.

use xinsheng::sound::{Event, PageName, RATE};

use super::Terminal;

/// A clip's value as it is heard at a volume.
fn at_percent(value: i16, percent: u32) -> i16 {
    let gain = (percent as f32 / 100.0).powi(2);
    (f32::from(value) * gain).round() as i16
}

#[test]
fn a_click_and_the_thanks_are_heard_softly_and_shortly() {
    let terminal = Terminal::new();
    let mut played = terminal.desk("");
    played.tell(Event::Click);
    played.pass(10_000);
    drop(played);
    let click = terminal.heard();
    assert!((1_000..5_000).contains(&click.peak()), "{}", click.peak());
    assert!(click.ms_between_first_and_last() <= 50);

    let mut played = terminal.desk("");
    played.page(PageName::Thanks, "zh-CN");
    played.pass(10_000);
    drop(played);
    let thanks = terminal.heard();
    assert!((1_000..6_000).contains(&thanks.peak()), "{}", thanks.peak());
    assert!((300..600).contains(&thanks.ms_between_first_and_last()));
}

#[test]
fn a_page_is_spoken_once_in_the_visitors_language() {
    let terminal = Terminal::new();
    terminal.clip("zh-CN/language.wav", 8_000, 400);
    terminal.clip("en/language.wav", -8_000, 400);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    for _ in 0..60 {
        played.page(PageName::Language, "zh-CN");
        played.pass(16);
    }
    for _ in 0..60 {
        played.page(PageName::Language, "en");
        played.pass(16);
    }
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(8_000), heard.ms_at(-8_000)), (400, 400));
}

#[test]
fn a_new_prompt_ends_the_old_one_and_a_click_does_not() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 8_000, 3_000);
    terminal.clip("en/language.wav", -8_000, 500);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Choice, "en");
    played.pass(600);
    played.tell(Event::Click);
    played.pass(600);
    played.page(PageName::Language, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    // The first ran on under the click for as long as its page was shown, but for the pause before it.
    assert!((800..1_100).contains(&heard.ms_at(8_000)), "{}", heard.ms_at(8_000));
    assert!(heard.peak() > 10_000, "the click is on top");
    assert_eq!(heard.ms_at(-8_000), 500);
    let second = heard.begins(-8_000).unwrap() * RATE as usize / 1000;
    assert!(!heard.0[second..].contains(&8_000), "nothing of the first is left");
}

#[test]
fn the_words_of_thanks_follow_the_tones() {
    let terminal = Terminal::new();
    terminal.clip("thanks.wav", 4_000, 300);
    terminal.clip("en/thanks.wav", 8_000, 300);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Thanks, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(4_000), heard.ms_at(8_000)), (300, 300), "the hospital's own tones are played");
    assert!(heard.begins(8_000).unwrap() >= heard.begins(4_000).unwrap() + 500);
    assert_eq!(heard.peak(), 8_000, "never both at once");
}

#[test]
fn a_question_is_spoken_by_its_own_clip_else_by_the_general_one() {
    let terminal = Terminal::new();
    terminal.clip("en/question.wav", 4_000, 200);
    terminal.clip("en/question-outpatient@1-overall.wav", 8_000, 200);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    let question = |version: &str| PageName::Question(version.parse().unwrap(), "overall".parse().unwrap());
    played.page(question("outpatient@1"), "en");
    played.pass(1_000);
    played.page(question("outpatient@2"), "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    assert_eq!((heard.ms_at(8_000), heard.ms_at(4_000)), (200, 200));
    assert!(heard.begins(8_000) < heard.begins(4_000));
}

#[test]
fn at_night_nothing_is_mixed_and_nothing_is_opened() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 8_000, 500);
    let mut played = terminal.desk("");
    played.hour = 22;
    played.page(PageName::Choice, "en");
    played.tell(Event::Click);
    played.page(PageName::Thanks, "en");
    assert_eq!(played.pass(10_000), 0);
    drop(played);
    assert!(!terminal.recording().exists());
}

#[test]
fn at_rest_the_voice_stops_nothing_repeats_and_nothing_wakes() {
    let terminal = Terminal::new();
    terminal.clip("en/attract.wav", 8_000, 5_000);
    let mut played = terminal.desk("volume = \"07:00-21:00 100%\"");
    played.page(PageName::Attract, "en");
    played.pass(1_000);
    played.tell(Event::Rest);
    // What is left of the silence after the last sound, then nothing for a day.
    assert!(played.pass(10_000) < 300);
    assert_eq!(played.pass(86_400_000), 0);
    drop(played);
    let heard = terminal.heard();
    assert!(heard.ms_at(8_000) < 1_000);
    assert!(heard.0.len() < 6 * RATE as usize, "the output was closed soon after");
}

#[test]
fn the_volume_goes_by_the_hour_and_by_the_people() {
    let terminal = Terminal::new();
    terminal.clip("en/choice.wav", 16_000, 300);
    terminal.clip("en/language.wav", 16_000, 300);
    let mut played = terminal.desk("volume = \"07:00-12:00 60%, 12:00-14:00 20%, 14:00-21:00 60%\"");
    played.page(PageName::Choice, "en");
    played.pass(1_000);
    played.hour = 13;
    played.page(PageName::Language, "en");
    played.pass(1_000);
    played.tell(Event::VisitorTurns { louder: true });
    played.page(PageName::Choice, "en");
    played.pass(1_000);
    // The next visitor finds what staff left.
    played.tell(Event::Rest);
    played.page(PageName::Language, "en");
    played.pass(10_000);
    drop(played);
    let heard = terminal.heard();
    for (percent, ms) in [(60, 300), (20, 600), (30, 300)] {
        let found = heard.ms_at(at_percent(16_000, percent));
        assert!(found.abs_diff(ms) < 20, "{found} ms at {percent} %");
    }
}
