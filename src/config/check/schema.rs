//! JSON schemas of the config files: for editors, and for the check of their structure.

use std::collections::BTreeSet;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value as Json;

/// The schema of a struct. TOML has no null, so an optional key is one that may be absent, never a key that may be null.
pub fn of<T: JsonSchema>() -> Json {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    forget_null(&mut schema);
    schema
}

/// Every key that a schema knows, wherever it stands.
pub fn keys(schema: &Json) -> BTreeSet<&str> {
    let mut known = BTreeSet::new();
    collect(schema, &mut known);
    known
}

fn collect<'s>(schema: &'s Json, known: &mut BTreeSet<&'s str>) {
    match schema {
        Json::Object(parts) => {
            if let Some(Json::Object(properties)) = parts.get("properties") {
                known.extend(properties.keys().map(String::as_str));
            }
            parts.values().for_each(|part| collect(part, known));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, known)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn forget_null(schema: &mut Json) {
    match schema {
        Json::Object(keys) => {
            if keys.get("default").is_some_and(Json::is_null) {
                keys.remove("default");
            }
            if let Some(Json::Array(types)) = keys.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    keys.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(variants)) = keys.get_mut("anyOf") {
                variants.retain(|variant| variant.get("type").is_none_or(|kind| kind != "null"));
                if let [Json::Object(only)] = variants.as_slice() {
                    let only = only.clone();
                    keys.remove("anyOf");
                    keys.extend(only);
                }
            }
            keys.values_mut().for_each(forget_null);
        }
        Json::Array(items) => items.iter_mut().for_each(forget_null),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
