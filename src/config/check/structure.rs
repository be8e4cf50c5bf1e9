//! Holds a TOML tree against the JSON schema of its structs, and keeps what fits.
//!
//! The structs are the only description of a file's shape: their schema is published for editors, and the same schema drives this
//! check, so that one run names every unknown key, wrong type, missing key and unknown choice instead of the first. What does not fit
//! is cut out (a wrong optional key alone, a wrong required key with its table), so that the rest can still be read and checked for
//! meaning. The keywords understood are `KEYWORDS_CHECKED`; a test holds the schemas to them.

use serde_json::Value as Json;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    finding::{Finding, Severity, Source},
    key_path::{KeyPath, Step},
    located::Span,
    suggest,
};

/// Schema keywords that are checked here.
#[cfg(test)]
pub(crate) const KEYWORDS_CHECKED: [&str; 14] = [
    "$ref",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "oneOf",
    "const",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
];

/// Schema keywords that say nothing about the shape, or whose rule the check for meaning knows better.
#[cfg(test)]
pub(crate) const KEYWORDS_LEFT: [&str; 11] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "examples",
    "format",
    "pattern",
    "propertyNames",
    "minProperties",
    "uniqueItems",
];

/// Most findings here: a file of nothing but mistakes must not take minutes.
const FINDINGS_MAX: usize = 100;

/// Cuts what does not fit out of a tree; `None` if a required key of the root itself is missing or wrong.
pub(crate) fn keep_what_fits<'d>(
    source: &Source<'_>,
    schema: &Json,
    tree: Spanned<DeTable<'d>>,
    findings: &mut Vec<Finding>,
) -> Option<Spanned<DeTable<'d>>> {
    let span = tree.span();
    let mut walk = Walk { source, root: schema, path: KeyPath::default(), findings };
    let table = walk.table(tree.into_inner(), &span, schema)?;
    Some(Spanned::new(span, table))
}

struct Walk<'s> {
    source: &'s Source<'s>,
    root: &'s Json,
    path: KeyPath,
    findings: &'s mut Vec<Finding>,
}

impl<'s> Walk<'s> {
    fn value<'d>(&mut self, value: Spanned<DeValue<'d>>, schema: &'s Json) -> Option<Spanned<DeValue<'d>>> {
        let schema = self.resolve(schema);
        let span = value.span();
        let kind = schema.get("type").and_then(Json::as_str).unwrap_or_default();
        let known = choices(schema);
        if !known.is_empty() {
            return self.choice(value, &known);
        }
        let kept = match (kind, value.into_inner()) {
            ("object", DeValue::Table(table)) => DeValue::Table(self.table(table, &span, schema)?),
            ("array", DeValue::Array(array)) => DeValue::Array(self.array(array, &span, schema)?),
            ("string", DeValue::String(text)) => {
                self.text_fits(&text, &span, schema)?;
                DeValue::String(text)
            }
            ("integer" | "number", number @ DeValue::Integer(_)) | ("number", number @ DeValue::Float(_)) => {
                self.number_fits(&number, &span, schema)?;
                number
            }
            ("boolean", DeValue::Boolean(yes)) => DeValue::Boolean(yes),
            (_, other) => {
                self.wrong_type(&other, &span, schema);
                return None;
            }
        };
        Some(Spanned::new(span, kept))
    }

    fn table<'d>(&mut self, table: DeTable<'d>, span: &Span, schema: &'s Json) -> Option<DeTable<'d>> {
        let properties = schema.get("properties").and_then(Json::as_object);
        let any_other = schema.get("additionalProperties").filter(|other| other.is_object());
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let id = table.get("id").and_then(|id| id.get_ref().as_str()).map(str::to_owned);
        self.path.name_last(id);
        let present: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
        let mut fits = true;
        let mut kept = DeTable::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let Some(wanted) = properties.and_then(|keys| keys.get(&name)).or(any_other) else {
                self.unknown_key(&name, &key.span(), properties, &present);
                continue;
            };
            self.path.push(Step::Key(name.clone()));
            match self.value(value, wanted) {
                Some(value) => drop(kept.insert(key, value)),
                None => fits &= !required.contains(&name.as_str()),
            }
            self.path.pop();
        }
        for name in required.iter().filter(|name| !present.iter().any(|key| key == *name)) {
            self.missing_key(name, span, properties.and_then(|keys| keys.get(*name)));
            fits = false;
        }
        fits.then_some(kept)
    }

    fn array<'d>(
        &mut self,
        array: toml::de::DeArray<'d>,
        span: &Span,
        schema: &'s Json,
    ) -> Option<toml::de::DeArray<'d>> {
        let bound = |name| schema.get(name).and_then(Json::as_u64).and_then(|n| usize::try_from(n).ok());
        let (least, most) = (bound("minItems").unwrap_or(0), bound("maxItems").unwrap_or(usize::MAX));
        if array.len() < least {
            let hint = example_of(schema).map_or(String::new(), |example| format!(", like {example}"));
            self.error(span, "the list is empty".to_owned(), format!("name at least {least}{hint}"));
            return None;
        }
        if array.len() > most {
            let what = format!("the list has {} items, which is more than {most}", array.len());
            self.error(span, what, format!("keep the {most} most important ones"));
            return None;
        }
        let items = schema.get("items")?;
        let mut kept = Vec::new();
        for (index, item) in array.into_iter().enumerate() {
            self.path.push(Step::Item(index, None));
            kept.extend(self.value(item, items));
            self.path.pop();
        }
        Some(kept.into_iter().collect())
    }

    fn choice<'d>(&mut self, value: Spanned<DeValue<'d>>, known: &[Json]) -> Option<Spanned<DeValue<'d>>> {
        let given = match value.get_ref() {
            DeValue::String(text) => Json::String(text.to_string()),
            DeValue::Integer(number) => number.to_string().parse::<i64>().map_or(Json::Null, Json::from),
            DeValue::Boolean(yes) => Json::Bool(*yes),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Json::Null,
        };
        if known.contains(&given) {
            return Some(value);
        }
        let list = known.iter().map(toml_text).collect::<Vec<_>>().join(", ");
        let shown = excerpt(self.source, &value.span());
        let near =
            given.as_str().and_then(|word| suggest::nearest(word, known.iter().filter_map(Json::as_str)));
        let fix = match near {
            Some(near) => format!("did you mean \"{near}\"? Known: {list}"),
            None => format!("choose one of {list}"),
        };
        let what = format!("{shown} is not known for `{}`{}", self.path.last_key(), self.path.inside());
        self.error(&value.span(), what, fix);
        None
    }

    fn text_fits(&mut self, text: &str, span: &Span, schema: &Json) -> Option<()> {
        let least = schema.get("minLength").and_then(Json::as_u64).unwrap_or(0);
        if text.trim().is_empty() && least > 0 {
            let hint = example_of(schema).map_or(String::new(), |example| format!(", like {example}"));
            let what = format!("`{}` is empty{}", self.path.last_key(), self.path.inside());
            self.error(span, what, format!("write a text between the quotes{hint}"));
            return None;
        }
        Some(())
    }

    fn number_fits(&mut self, number: &DeValue<'_>, span: &Span, schema: &Json) -> Option<()> {
        let (least, most) =
            (schema.get("minimum").and_then(Json::as_f64), schema.get("maximum").and_then(Json::as_f64));
        let given = match number {
            DeValue::Integer(number) => whole_number(number.as_str(), number.radix()),
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let inside =
            |given: f64| least.is_none_or(|least| given >= least) && most.is_none_or(|most| given <= most);
        if given.is_some_and(inside) {
            return Some(());
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("write a number from {least} to {most}"),
            (Some(least), None) => format!("write a number of at least {least}"),
            (None, Some(most)) => format!("write a number of at most {most}"),
            (None, None) => "write a plain number".to_owned(),
        };
        let shown = excerpt(self.source, span);
        let what = format!("{shown} is out of range for `{}`{}", self.path.last_key(), self.path.inside());
        self.error(span, what, range);
        None
    }

    fn wrong_type(&mut self, found: &DeValue<'_>, span: &Span, schema: &'s Json) {
        let (wanted, shape) = match schema.get("type").and_then(Json::as_str).unwrap_or_default() {
            "string" => ("a text in quotes", "\"...\""),
            "integer" => ("a whole number without quotes", "30"),
            "number" => ("a number without quotes", "10.1"),
            "boolean" => ("true or false without quotes", "true"),
            "array" => ("a list in square brackets", "[\"...\"]"),
            _ => ("a table", "{ ... }"),
        };
        let mut example = example_of(schema).unwrap_or_else(|| shape.to_owned());
        if let Some(items) = schema.get("items").map(|items| self.resolve(items))
            && items.get("type").and_then(Json::as_str) == Some("object")
        {
            example = format!("a section [[{}]]", self.path.last_key());
        }
        if let ("a table", DeValue::Array(_)) = (wanted, found) {
            example = format!("a section [{}], with one bracket on each side", self.path.last_key());
        }
        let found = match found {
            DeValue::String(_) => "a text in quotes",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let what =
            format!("`{}` must be {wanted}, but is {found}{}", self.path.last_key(), self.path.inside());
        self.error(span, what, format!("write it like {example}"));
    }

    fn unknown_key(
        &mut self,
        name: &str,
        span: &Span,
        properties: Option<&serde_json::Map<String, Json>>,
        present: &[String],
    ) {
        if self.is_full() {
            return;
        }
        let known: Vec<&str> =
            properties.into_iter().flat_map(|keys| keys.keys().map(String::as_str)).collect();
        let at_root = |key: &str| self.root.get("properties").is_some_and(|keys| keys.get(key).is_some());
        let free = known.iter().copied().filter(|key| !present.iter().any(|p| p == key));
        let fix = if let Some(near) = suggest::nearest(name, free) {
            format!("did you mean `{near}`?")
        } else if at_root(name) {
            format!("move the line with `{name}` to the top of the file, above the first line in [ ]")
        } else {
            format!("remove it, or use one of the keys known here: {}", known.join(", "))
        };
        self.path.push(Step::Key(name.to_owned()));
        let what = format!("unknown key `{name}`{}", self.path.inside());
        self.error(span, what, fix);
        self.path.pop();
    }

    fn missing_key(&mut self, name: &str, span: &Span, schema: Option<&'s Json>) {
        if self.is_full() {
            return;
        }
        let resolved = schema.map_or(self.root, |schema| self.resolve(schema));
        let sentence = |s: &Json| s.get("description").and_then(Json::as_str).map(first_sentence);
        let meaning = schema.and_then(sentence).map_or(String::new(), |words| format!(" ({words})"));
        let first_choice = || choices(resolved).first().map(toml_text);
        let example = schema.and_then(example_of).or_else(|| example_of(resolved)).or_else(first_choice);
        let of_tables =
            resolved.get("items").map(|items| self.resolve(items)).and_then(|items| items.get("type"));
        let line = match (resolved.get("type").and_then(Json::as_str), of_tables.and_then(Json::as_str)) {
            (Some("array"), Some("object")) => format!("a section [[{name}]]"),
            (Some("object"), _) if example.is_none() => format!("a section [{name}]"),
            _ => format!("a line like {name} = {}", example.unwrap_or_else(|| "\"...\"".to_owned())),
        };
        self.path.push(Step::Key(name.to_owned()));
        let what = format!("`{name}` is missing{}", self.path.inside());
        let at_header =
            span.start..span.end.min(span.start + first_line_len(&self.source.text[span.start..]));
        self.error(&at_header, what, format!("add {line}{meaning}"));
        self.path.pop();
    }

    fn resolve(&self, schema: &'s Json) -> &'s Json {
        let Some(target) = schema.get("$ref").and_then(Json::as_str) else { return schema };
        self.root.pointer(target.trim_start_matches('#')).unwrap_or(schema)
    }

    fn is_full(&self) -> bool {
        self.findings.len() >= FINDINGS_MAX
    }

    fn error(&mut self, span: &Span, what: String, fix: String) {
        if self.is_full() {
            return;
        }
        self.findings.push(self.source.finding(span, Severity::Error, self.path.to_string(), what, fix));
    }
}

/// The values a schema allows, when it is a choice.
fn choices(schema: &Json) -> Vec<Json> {
    let list = schema.get("enum").and_then(Json::as_array).cloned().unwrap_or_default();
    let variants = schema.get("oneOf").and_then(Json::as_array).into_iter().flatten().flat_map(|variant| {
        let many = variant.get("enum").and_then(Json::as_array).cloned().unwrap_or_default();
        variant.get("const").cloned().into_iter().chain(many)
    });
    list.into_iter().chain(variants).collect()
}

fn whole_number(digits: &str, radix: u32) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "bounds are small; a number too large for i64 is out of every range"
    )]
    i64::from_str_radix(&digits.replace('_', ""), radix).ok().map(|number| number as f64)
}

fn excerpt(source: &Source<'_>, span: &Span) -> String {
    source.quoted(span).chars().take(40).collect()
}

fn first_line_len(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn first_sentence(text: &str) -> String {
    let end = text.find(['.', '\n', ':', ';']).unwrap_or(text.len());
    text[..end].to_owned()
}

fn example_of(schema: &Json) -> Option<String> {
    let example = schema.get("examples").and_then(Json::as_array).and_then(|list| list.first());
    example.or_else(|| schema.get("default")).map(toml_text)
}

/// A JSON value as one would write it in TOML.
fn toml_text(value: &Json) -> String {
    match value {
        Json::Null => "\"\"".to_owned(),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => value.to_string(),
        Json::Array(items) => format!("[{}]", items.iter().map(toml_text).collect::<Vec<_>>().join(", ")),
        Json::Object(table) => {
            let pairs: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} = {}", toml_text(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}
