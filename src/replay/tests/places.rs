//! Names of places: which are one place, and what they are called.

use super::*;

#[test]
fn names_that_differ_by_width_case_or_blanks_are_one_place_and_it_is_said() {
    let read = plan(&format!(
        "{HEAD}a,2026-01-30,Ward 3,1\nb,2026-01-30,  ward   3,1\nc,2026-01-30,Ｗard　３,1\nd,2026-01-30,Ward3,1\n"
    ));
    assert_eq!(read.places, ["Ward 3", "Ward3"]);
    assert!(
        read.notes.contains(&"`Ward 3` and `ward 3` and `Ｗard ３` are taken for one place".to_owned()),
        "{:?}",
        read.notes
    );
    assert!(
        read.notes.iter().any(|note| note.starts_with("`Ward 3` and `Ward3` differ by blanks only")),
        "{:?}",
        read.notes
    );
}

#[test]
fn chinese_cyrillic_and_mixed_names_get_valid_stable_and_unique_ids() {
    assert_eq!(
        ids(&["PTS - Patient Transport", "111", "See and Convey"]),
        ["pts-patient-transport", "111", "see-and-convey"]
    );
    let some =
        ids(&["急诊室", "内科3楼", "外科3楼", "Аптека", "3号窗口 North", "😀", "عيادة", "要方", "药方"]);
    for (id, head) in some.iter().zip(["ji-zhen-shi-", "nei-ke-3", "wai-ke-3", "apteka-", "3"]) {
        assert!(id.starts_with(head), "{id} begins with {head}");
    }
    let unique: std::collections::BTreeSet<&String> = some.iter().collect();
    assert_eq!(unique.len(), some.len(), "{some:?}");
    // Alone or among others, a name has the same id.
    assert_eq!(ids(&["药方"])[0], some[8]);
    assert_eq!(ids(&["A&E"])[0], "a-e");
    let alike = ids(&["A&E", "A E"]);
    assert!(alike[0] != alike[1] && alike.iter().all(|id| id.starts_with("a-e-")), "{alike:?}");
    let long = ids(&[&"Very long name of a ward ".repeat(8), &"长".repeat(150)]);
    assert!(long.iter().all(|id| id.len() <= 64), "{long:?}");
}

#[test]
fn names_of_the_example_hospital_are_its_places() {
    assert_eq!(
        ids(&["Pharmacy", "药房取药", "ＰＨＡＲＭＡＣＹ", "手术等候区", "ward"]),
        ["pharmacy", "pharmacy", "pharmacy", "surgery-waiting", "ward"]
    );
}

#[test]
fn a_shown_name_fits_its_button_and_holds_no_sign_without_a_glyph() {
    let all = |_: &str| Vec::new();
    assert_eq!(names::shown("North", &all), "North");
    let long =
        names::shown("Department of Respiratory and Critical Care Medicine, Building 7, Floor 3", &all);
    assert!(long.chars().count() <= 32 && long.contains('…') && long.ends_with("Floor 3"), "{long}");
    assert_eq!(
        names::shown("Ward 😀", &|text| text.chars().filter(|c| *c == '😀').collect()),
        "Ward grinning"
    );
    assert_eq!(names::shown("a\tb\u{200b}c", &all), "a bc");
}

#[test]
fn a_long_name_is_another_place_than_one_that_is_shortened_to_the_same() {
    let head = "Outpatient department of the Second Affiliated Hospital, building";
    let [a, b] = ["A", "B"].map(|wing| format!("{head} {wing}, desk north of the river"));
    let (one, other) = (ids(&[&a]), ids(&[&b]));
    assert_ne!(one, other);
    assert_eq!(
        ids(&[&a, &b]),
        [one[0].clone(), other[0].clone()],
        "alone or among others, a name has the same id"
    );
    let id = one[0].parse().unwrap();
    let all = |_: &str| Vec::new();
    let shown = names::shown(&a, &all);
    assert_eq!(shown, names::shown(&b, &all));
    let apart = names::told_apart(&shown, &id);
    assert!(
        apart.chars().count() <= 32 && apart != shown && apart.ends_with(&one[0][one[0].len() - 4..]),
        "{apart}"
    );
    let wide = names::told_apart(&"长".repeat(16), &id);
    assert!(wide.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() <= 32, "{wide}");
}
