//! Whole visits in every language there is, by what the buttons are announced as and by where they are drawn, with the real journal
//! behind the glass.
//!
//! Each behaviour is one body that runs once for each language of the six-language example; what fails names the language.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    reason = "a test that cannot go on fails, and says what it met"
)]

use std::collections::BTreeSet;

use xinsheng::kiosk::staff::tested::pages_under_test;
use xinsheng::lang::Text;
use xinsheng::model::{Lang, Value};
use xinsheng::page_audit::Area;
use xinsheng::panel::{Grid, Panel};
use xinsheng::staff::lockout::TRIES;
use xinsheng::ui;
use xinsheng::wire::{Body, EndOutcome};

use crate::visits::backstage::PIN;
use crate::visits::{
    Glass, LANGUAGES, LOOK_MS, PLACES, RATED, TICKED, Terminal, UNDO_MS, another_than, differ,
    in_each_language, is_mirrored, level, place, question, rated, read, say, say_n,
};

/// What the other waits are to a visitor, whatever the program calls them.
const IDLE_MS: u64 = 30_000;
const WARNING_MS: u64 = 20_000;
const HELP_WAIT_MS: u64 = 8_000;
const HELP_SHOWN_MS: u64 = 20_000;
const CLEANING_MS: u64 = 30_000;
const MINUTE_MS: u64 = 60_000;

fn visit_by_label(visitors: &Lang, glass: Glass) {
    let resting = another_than(visitors);
    let (place, ..) = rated();
    let mut terminal = Terminal::new(&resting, &PLACES, glass);
    terminal.choose_language(&resting, visitors);
    terminal.assert_shows(&say(visitors, Text::AttractTitle));
    let corner = terminal.panel.find(&say(visitors, Text::LanguageButton)).unwrap();
    terminal.assert_corner(corner, visitors);
    terminal.press(&say(visitors, Text::AttractStart));
    terminal.assert_shows(&say(visitors, Text::ChoiceTitle));
    terminal.press(&read(visitors, &place.name));
    terminal.assert_asks(visitors);
    terminal.rate_and_say_why(visitors);
    terminal.assert_visit_recorded(visitors);
    terminal.assert_ends_by_itself(&resting);
}

#[test]
fn a_visit_is_made_by_label_on_a_wide_panel() {
    in_each_language(|lang| visit_by_label(lang, Glass::Landscape));
}

#[test]
fn a_visit_is_made_by_label_on_a_tall_panel() {
    in_each_language(|lang| visit_by_label(lang, Glass::Portrait));
}

fn visit_by_pixel(visitors: &Lang, glass: Glass) {
    let resting = another_than(visitors);
    let (_, question, group) = rated();
    let mut terminal = Terminal::new(&resting, &PLACES, glass);

    let rows = terminal.rows(&resting);
    let language_button = *rows[0].last().unwrap();
    terminal.assert_corner(language_button, &resting);
    terminal.touch(language_button);

    let rows = terminal.rows(&resting);
    let languages = rows[..rows.len() - 1].concat();
    assert_eq!(languages.len(), LANGUAGES.len(), "{rows:?}");
    let on_offer = terminal.panel.kiosk().with_survey(|survey| survey.plan().languages.clone());
    terminal.touch(languages[on_offer.iter().position(|lang| lang == visitors).unwrap()]);

    let rows = terminal.rows(visitors);
    terminal.assert_corner(*rows[0].last().unwrap(), visitors);
    assert_eq!(rows.len(), 2, "the corner and one large button: {rows:?}");
    terminal.touch(rows[1][0]);

    let places = terminal.rows(visitors)[1..].concat();
    assert_eq!(places.len(), PLACES.len(), "{places:?}");
    terminal.touch(places[RATED]);

    let rows = terminal.rows(visitors);
    terminal.assert_corner(*rows[0].last().unwrap(), visitors);
    let levels = rows[1..].concat();
    assert_eq!(levels.len(), question.scale.levels().len(), "{rows:?}");
    let (worst, before) = (levels[0], terminal.pixels(levels[0]));
    terminal.wait(LOOK_MS);
    terminal.panel.press_at(worst.center());
    assert_ne!(before, terminal.pixels(worst), "the card must answer at once");
    assert_eq!(terminal.kinds(), Vec::<&str>::new(), "a finger that is still down has said nothing");
    terminal.panel.release_at(worst.center());
    terminal.settle();

    let rows = terminal.rows(visitors);
    let (foot, above) = rows.split_last().unwrap();
    let reasons = above[1..].concat();
    assert_eq!(reasons.len(), group.reasons.len(), "{rows:?}");
    for reason in TICKED {
        terminal.touch(reasons[reason]);
    }
    assert_eq!(foot.len(), 2, "back, and done at the end of the line: {foot:?}");
    terminal.touch(foot[1]);

    assert_eq!(terminal.page(), ui::Page::Thanks);
    terminal.assert_visit_recorded(visitors);
    terminal.assert_ends_by_itself(&resting);
}

#[test]
fn a_visit_is_made_by_pixel_on_a_wide_panel() {
    in_each_language(|lang| visit_by_pixel(lang, Glass::Landscape));
}

#[test]
fn a_visit_is_made_by_pixel_on_a_tall_panel() {
    in_each_language(|lang| visit_by_pixel(lang, Glass::Portrait));
}

/// Touches each level of the one question of a terminal, and has what the journal holds of it.
fn values_from_the_start_of_the_line(lang: &Lang, id: &str) -> Vec<u8> {
    let mut terminal = Terminal::new(lang, &[id], Glass::Landscape);
    let rows = terminal.rows(lang);
    let [worst, next] =
        [0, 1].map(|at| terminal.panel.find(&level(lang, question(place(id)), at)).unwrap().center());
    assert_eq!(worst.1, next.1, "both are in the first row");
    assert_eq!(worst.0 > next.0, is_mirrored(lang), "the worst at {worst:?}, the next at {next:?}");
    for level in rows[1..].concat() {
        terminal.touch(level);
        // Back to the question, from the reasons or from the thanks.
        let [back, undo] = [Text::ReasonsBack, Text::ThanksUndo].map(|text| say(lang, text));
        terminal.press(if terminal.offers(&undo) { &undo } else { &back });
    }
    let answers = terminal.answers();
    for answer in &answers {
        let order: Vec<Value> = answers.iter().map(|answer| answer.value).collect();
        assert_eq!(answer.order, order, "{id}: the order that is noted is not the one on the glass");
    }
    answers.iter().map(|answer| answer.value.0).collect()
}

#[test]
fn levels_lie_from_the_start_of_the_line_in_the_order_of_their_values() {
    in_each_language(|lang| {
        assert_eq!(values_from_the_start_of_the_line(lang, "registration"), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn number_keys_lie_from_the_start_of_the_line_in_the_order_of_their_values() {
    in_each_language(|lang| {
        assert_eq!(values_from_the_start_of_the_line(lang, "exit"), Vec::from_iter(0..=10));
    });
}

#[test]
fn an_answer_can_be_changed_for_five_seconds() {
    in_each_language(|visitors| {
        let mut terminal = Terminal::spoken_to_in(visitors);
        let (_, question, _) = rated();
        let undo = say(visitors, Text::ThanksUndo);
        terminal.rate_and_say_why(visitors);
        terminal.wait(UNDO_MS - LOOK_MS - 1);
        terminal.press(&undo);
        terminal.assert_asks(visitors);
        let first = terminal.answers().remove(0).response;
        assert_eq!(terminal.kinds(), ["answer", "reasons", "response_end"]);
        assert_eq!((terminal.ends()[0].response, terminal.ends()[0].outcome), (first, EndOutcome::Undone));

        // The middle of the scale is asked no reasons for.
        terminal.press(&level(visitors, question, 2));
        terminal.assert_shows(&say(visitors, Text::ThanksTitle));
        terminal.just_before(UNDO_MS, |terminal| assert!(terminal.offers(&undo)));
        assert!(!terminal.offers(&undo) && !terminal.shows(&say(visitors, Text::ThanksTitle)));
        terminal.assert_asks(&another_than(visitors));
        let (second, end) = (terminal.answers().remove(1), terminal.ends().remove(1));
        assert_eq!((second.value, &second.lang), (Value(3), visitors));
        assert_eq!((end.response, end.outcome), (second.response, EndOutcome::Completed));
        assert_eq!(end.replaces, Some(first));
    });
}

#[test]
fn who_falls_silent_is_asked_and_keeps_the_answers_or_is_forgotten() {
    in_each_language(|visitors| {
        let mut terminal = Terminal::spoken_to_in(visitors);
        let (_, question, group) = rated();
        let reason = read(visitors, &group.reasons[TICKED[0]].text);
        let still_there = say(visitors, Text::StillThereTitle);
        terminal.press(&level(visitors, question, 0));
        terminal.press(&reason);
        terminal.just_before(IDLE_MS, |terminal| assert!(!terminal.shows(&still_there)));
        terminal.assert_shows(&still_there);
        terminal.assert_shows(&say(visitors, Text::StillThereExplanation));
        for left in (15..=20).rev() {
            terminal.assert_shows(&left.to_string());
            terminal.wait(1_000);
        }

        terminal.press(&say(visitors, Text::StillThereHere));
        terminal.assert_shows(&read(visitors, &group.prompt));
        assert_eq!(terminal.button(&reason).accessible_checked(), Some(true), "the tick is kept");
        terminal.wait(IDLE_MS);
        terminal.just_before(WARNING_MS, |terminal| terminal.assert_shows(&still_there));
        assert!(terminal.panel.kiosk().at_rest());
        terminal.assert_asks(&another_than(visitors));
        let (answer, end) = (terminal.answers().remove(0), terminal.ends().remove(0));
        assert_eq!((end.response, end.outcome), (answer.response, EndOutcome::TimedOut));
        assert_eq!(terminal.kinds(), ["answer", "response_end"], "what was not confirmed is not told");
    });
}

#[test]
fn a_call_for_help_says_what_became_of_it() {
    in_each_language(|visitors| {
        let mut terminal = Terminal::spoken_to_in(visitors);
        let (help, back) = (say(visitors, Text::HelpButton), say(visitors, Text::LanguageBack));
        let [calling, told, untold] = [
            [Text::HelpCalling, Text::HelpCallingExplanation],
            [Text::HelpTold, Text::HelpToldExplanation],
            [Text::HelpUntold, Text::HelpUntoldExplanation],
        ]
        .map(|texts| texts.map(|text| say(visitors, text)));
        let says = |terminal: &Terminal, words: &[String; 2]| words.iter().all(|text| terminal.shows(text));

        terminal.press(&help);
        terminal.just_before(HELP_WAIT_MS, |terminal| assert!(says(terminal, &calling)));
        assert!(says(&terminal, &untold) && !says(&terminal, &told));
        terminal.press(&back);
        terminal.assert_asks(visitors);

        terminal.press(&help);
        assert!(says(&terminal, &calling));
        terminal.panel.kiosk().screen().delivered(terminal.behind.end());
        terminal.settle();
        assert!(says(&terminal, &told) && !says(&terminal, &untold));
        terminal.just_before(HELP_SHOWN_MS, |terminal| assert!(says(terminal, &told)));
        terminal.assert_asks(visitors);

        let entries = terminal.behind.entries();
        assert_eq!(entries.len(), 2, "{entries:?}");
        for entry in entries {
            let Body::HelpCalled(call) = entry else { panic!("{entry:?}") };
            assert_eq!((call.touchpoint.as_str(), &call.lang), (PLACES[RATED], visitors));
        }
    });
}

#[test]
fn while_the_screen_is_wiped_no_touch_counts() {
    in_each_language(|lang| {
        let mut terminal = Terminal::new(lang, &[PLACES[RATED]], Glass::Landscape);
        let (_, question, _) = rated();
        terminal.knock();
        terminal.press(&say(lang, Text::StaffWipe));
        let ends_ms = terminal.up_ms() + CLEANING_MS;
        let cleaning = say(lang, Text::CleaningTitle);
        terminal.assert_shows(&cleaning);
        terminal.assert_shows(&say(lang, Text::CleaningExplanation));

        // The cloth: all of the glass, closer than any target is wide.
        let (across, down) = (12, 8);
        for n in 0..across * down {
            let (x, y) = ((n % across) as f32 + 0.5, (n / across) as f32 + 0.5);
            let (width, height) = (terminal.size.0 as f32, terminal.size.1 as f32);
            terminal.panel.tap_at((x * width / across as f32, y * height / down as f32));
            assert_eq!(terminal.page(), ui::Page::Notice, "a touch at {x} of {across}, {y} of {down}");
            terminal.panel.advance(200);
        }
        let left_ms = ends_ms - terminal.up_ms();
        terminal.just_before(left_ms, |terminal| terminal.assert_shows(&cleaning));
        assert!(!terminal.shows(&cleaning));
        terminal.assert_asks(lang);
        assert_eq!(terminal.kinds(), ["cleaning"]);

        terminal.press(&level(lang, question, 0));
        assert_eq!(terminal.kinds(), ["cleaning", "answer"], "afterwards a tap counts as ever");
    });
}

#[test]
fn wrong_pins_lock_the_staff_area_and_time_unlocks_it() {
    in_each_language(|lang| {
        let mut terminal = Terminal::new(lang, &[PLACES[RATED]], Glass::Landscape);
        let locked = |minutes: u64| say_n(lang, Text::StaffLocked, minutes);
        terminal.knock();
        terminal.assert_shows(&say(lang, Text::StaffPin));
        for left in (1..TRIES).rev() {
            terminal.type_pin(lang, "1111");
            terminal.assert_shows(&say_n(lang, Text::StaffPinWrong, left));
        }
        terminal.type_pin(lang, "1111");
        terminal.assert_shows(&locked(5));

        terminal.wait(2 * MINUTE_MS);
        terminal.assert_asks(lang);
        terminal.knock();
        terminal.type_pin(lang, PIN);
        terminal.assert_shows(&locked(3));
        terminal.press(&say(lang, Text::StaffButton));
        terminal.assert_asks(lang);

        terminal.wait(3 * MINUTE_MS);
        terminal.knock();
        terminal.type_pin(lang, PIN);
        terminal.assert_shows(&say(lang, Text::StaffMenu));
        assert_eq!(terminal.kinds(), Vec::<&str>::new(), "a try at the PIN is nobody's answer");
    });
}

#[test]
fn every_button_under_test_is_stored_and_wears_a_tick() {
    in_each_language(|lang| {
        let mut terminal = Terminal::new(lang, &[PLACES[RATED]], Glass::Landscape);
        let (place, question, _) = rated();
        terminal.knock();
        terminal.type_pin(lang, PIN);
        terminal.press(&say(lang, Text::StaffSelfTest));
        let all = buttons_in_all(&terminal);
        terminal.assert_shows(&say_n(lang, Text::SelfTestTitle, all));
        terminal.press(&say(lang, Text::ChoiceNext));
        let levels = question.scale.levels();
        for at in 0..levels.len() {
            terminal.assert_shows(&say_n(lang, Text::SelfTestLeft, all - at));
            let label = level(lang, question, at);
            let card = terminal.panel.find(&label).unwrap();
            // With the gaps beside it, 3 mm each.
            let gap = 18.0;
            let around = Area { x: card.x - gap, width: card.width + 2.0 * gap, ..card };
            let before = terminal.pixels(around);
            terminal.press(&label);
            // Nothing has changed but the upper part of the edge where the line ends.
            let after = terminal.pixels(around);
            let drawn: Vec<_> = before.iter().zip(&after).filter(|(a, b)| differ(a.1, b.1)).collect();
            assert!(!drawn.is_empty(), "`{label}` wears no tick");
            let middle = card.center();
            let on_the_edge =
                |(x, y): (u32, u32)| (y as f32) < middle.1 && ((x as f32) < middle.0) == is_mirrored(lang);
            assert!(
                drawn.iter().all(|(pixel, _)| on_the_edge(pixel.0)),
                "`{label}` changed elsewhere than on its edge"
            );
        }
        let language = say(lang, Text::LanguageButton);
        let corner = terminal.panel.find(&language).unwrap();
        let before = terminal.pixels(corner);
        terminal.press(&language);
        assert_ne!(before, terminal.pixels(corner), "the language button looks as before");
        assert_eq!(terminal.page(), ui::Page::Question, "help is left here");
        terminal.press(&say(lang, Text::HelpButton));
        assert_eq!(terminal.page(), ui::Page::Reasons, "nothing is left of the question");
        terminal.assert_shows(&say_n(lang, Text::SelfTestLeft, all - levels.len() - 2));

        let expected: Vec<String> = levels
            .iter()
            .map(|level| format!("{}:{}", question.id, level.value))
            .chain(["language".to_owned(), "help".to_owned()])
            .collect();
        let tested = |body| match body {
            Body::SelfTest(test) if test.touchpoint == place.id => test.target,
            other => panic!("{other:?}"),
        };
        assert_eq!(terminal.behind.entries().into_iter().map(tested).collect::<Vec<_>>(), expected);
        assert!(terminal.panel.kiosk().at_rest(), "no answer, no visit");
        assert_eq!(terminal.lang(), *lang);
    });
}

/// How many buttons the pages of a terminal have that asks about one place.
fn buttons_in_all(terminal: &Terminal) -> usize {
    terminal.panel.kiosk().with_survey(|survey| {
        let panel = Panel::new(10.1, 1280, 800);
        let pages = pages_under_test(survey.plan(), &panel, Grid { columns: 1, rows: 1 });
        let names: BTreeSet<String> = pages.into_iter().flat_map(|(_, names)| names).collect();
        names.len()
    })
}
