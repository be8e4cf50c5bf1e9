//! What needs the inner parts; what users see is tested in `tests/config_check.rs`.

use serde_json::Value as Json;

use super::*;

fn schema_of(kind: Kind) -> Json {
    serde_json::from_str(&schema_text(kind)).unwrap()
}

/// Every keyword of a schema, and of the schemas inside it.
fn keywords(schema: &Json, found: &mut Vec<String>) {
    let Some(keys) = schema.as_object() else { return };
    for (key, inner) in keys {
        found.push(key.clone());
        match key.as_str() {
            "properties" | "$defs" => {
                inner.as_object().unwrap().values().for_each(|inner| keywords(inner, found));
            }
            "oneOf" => {
                inner.as_array().unwrap().iter().for_each(|inner| keywords(inner, found));
            }
            "items" | "additionalProperties" | "propertyNames" => keywords(inner, found),
            _ => {}
        }
    }
}

#[test]
fn the_check_of_the_structure_understands_every_keyword_of_the_schemas() {
    for kind in Kind::ALL {
        let mut found = Vec::new();
        keywords(&schema_of(kind), &mut found);
        for keyword in found {
            let known = check::KEYWORDS_CHECKED.contains(&keyword.as_str())
                || check::KEYWORDS_LEFT.contains(&keyword.as_str());
            assert!(known, "the schema of {} uses `{keyword}`, which the check does not know", kind.name());
        }
    }
}

#[test]
fn every_key_is_described_and_every_number_bounded() {
    fn look(schema: &Json, path: &str) {
        for (key, inner) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            assert!(inner.get("description").is_some(), "{path}.{key} has no description");
            let number = inner.get("type").is_some_and(|kind| kind == "integer" || kind == "number");
            let bounded = inner.get("minimum").is_some() && inner.get("maximum").is_some();
            assert!(!number || bounded || inner.get("enum").is_some(), "{path}.{key} has no bounds");
        }
        for (name, inner) in schema.get("$defs").and_then(Json::as_object).into_iter().flatten() {
            look(inner, name);
        }
    }
    for kind in Kind::ALL {
        look(&schema_of(kind), kind.name());
    }
}

#[test]
fn a_kind_is_known_by_its_schema_its_name_or_its_content() {
    let kind = |path: &str, text: &str| Kind::of(std::path::Path::new(path), text);
    assert_eq!(kind("a.toml", "#:schema schema/kiosk.schema.json\n"), Some(Kind::Kiosk));
    assert_eq!(kind("exit-kiosk.toml", ""), Some(Kind::Kiosk));
    assert_eq!(kind("a.toml", "[[touchpoint]]\n"), Some(Kind::Touchpoints));
    assert_eq!(kind("a.toml", "listen = \"127.0.0.1:1\"\n"), Some(Kind::Central));
    assert_eq!(kind("a.toml", "x = 1"), None);
}

#[test]
fn the_example_is_what_it_says() {
    let loaded = example();
    assert!(loaded.warnings.0.is_empty(), "{}", loaded.warnings);
    assert_eq!(loaded.value.kiosk.touchpoints.len(), 1);
    assert_eq!(loaded.value.kiosk.start, Start::Question);
    assert_eq!(loaded.config_hash.len(), 64);
}

fn pointed(key: &KeyAt) -> (usize, String, String) {
    let finding = example().error_at(key, "wrong".into(), "right".into());
    (finding.line, finding.key, finding.excerpt)
}

#[test]
fn a_key_is_found_by_names_ids_and_numbers() {
    let (_, key, line) = pointed(&KeyAt::kiosk(&["panel", "width_px"]));
    assert_eq!((key.as_str(), line.as_str()), ("panel.width_px", "width_px = 1280"));
    let name = KeyAt::hospital(&["touchpoint", "pharmacy", "name"]).then("en");
    let (_, key, line) = pointed(&name);
    assert!(key == "touchpoint[pharmacy].name.en" && line.starts_with("name = {"), "{key}: {line}");
    let (_, key, _) = pointed(&KeyAt::kiosk(&["languages", "1"]));
    assert_eq!(key, "languages[1]");
}

#[test]
fn what_is_not_there_is_pointed_at_as_near_as_it_goes() {
    let (line, key, _) = pointed(&KeyAt::kiosk(&["look", "large_text"]));
    assert!(line > 1 && key == "look", "{line}: {key}");
    assert_eq!(pointed(&KeyAt::kiosk(&["nothing"])).0, 1);
}
