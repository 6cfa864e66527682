//! Schemas as table lines: one for each member, and nested members below it.

use super::text;
use crate::openapi::example::{is_required, members, resolve};
use serde_json::Value;

/// Deepest nesting that is shown, because a schema may contain itself.
const MAX_DEPTH: usize = 5;

/// A line of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    /// Depth of nesting.
    pub(super) depth: usize,
    /// Name of the member; for a heading, what distinguishes the lines below it.
    pub(super) name: String,
    /// Type of its values.
    pub(super) kind: String,
    /// Whether it is always present.
    pub(super) required: bool,
    /// Whether the line is a heading for those below.
    pub(super) heading: bool,
    /// Rules that its values keep.
    pub(super) rules: String,
    /// Description, as HTML.
    pub(super) about: String,
}

/// The lines of a schema's members.
pub(super) fn of(document: &Value, schema: &Value) -> Vec<Field> {
    let mut fields = Vec::new();
    collect(document, schema, 0, &mut fields);
    fields
}

fn collect(document: &Value, schema: &Value, depth: usize, fields: &mut Vec<Field>) {
    let schema = resolve(document, schema);
    if depth > MAX_DEPTH {
        return;
    }
    // A list shows the members of its items, at its own depth.
    if schema["type"] == "array" {
        return collect(document, &schema["items"], depth, fields);
    }
    let variants = variants(document, schema);
    for (index, variant) in variants.iter().enumerate() {
        fields.push(heading(
            document,
            variant,
            depth,
            (index + 1, variants.len()),
        ));
        collect(document, variant, depth + 1, fields);
    }
    for (name, member) in members(schema) {
        fields.push(line(document, schema, (name, member), depth));
        collect(document, member, depth + 1, fields);
    }
}

/// The alternatives of a schema that have members to show.
fn variants<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let all = ["oneOf", "anyOf"]
        .into_iter()
        .find_map(|word| schema[word].as_array());
    let with_members = |variant: &&Value| !members(resolve(document, variant)).is_empty();
    all.into_iter().flatten().filter(with_members).collect()
}

fn heading(document: &Value, variant: &Value, depth: usize, (number, of): (usize, usize)) -> Field {
    let schema = resolve(document, variant);
    // A member with one or few values distinguishes the variants.
    let telling = members(schema).into_iter().find_map(|(name, member)| {
        let rules = rules(member);
        (rules.starts_with("always") || rules.starts_with("one of"))
            .then(|| format!("{name}: {rules}"))
    });
    Field {
        depth,
        name: telling.unwrap_or_else(|| format!("{number} of {of}")),
        kind: String::new(),
        required: false,
        heading: true,
        rules: String::new(),
        about: text::inline(schema["description"].as_str().unwrap_or_default()),
    }
}

fn line(document: &Value, of: &Value, (name, member): (&str, &Value), depth: usize) -> Field {
    let shown = resolve(document, member);
    let about = [member, shown]
        .into_iter()
        .find_map(|schema| schema["description"].as_str());
    Field {
        depth,
        name: name.to_owned(),
        kind: kind(document, member),
        required: is_required(of, name),
        heading: false,
        rules: rules(shown),
        about: text::inline(about.unwrap_or_default()),
    }
}

/// The type of a schema's values, in words.
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let schema = resolve(document, schema);
    let one = |word: &str| match (word, schema["format"].as_str()) {
        ("string", Some("uuid")) => "UUID".to_owned(),
        ("string", Some("date-time")) => "date and time".to_owned(),
        ("string", _) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("array", _) => format!("list of {}s", kind(document, &schema["items"])),
        (word, _) => word.to_owned(),
    };
    match &schema["type"] {
        Value::String(kind) => one(kind),
        Value::Array(kinds) => {
            let kinds: Vec<String> = kinds.iter().filter_map(Value::as_str).map(one).collect();
            kinds.join(" or ")
        }
        _ => match ["oneOf", "anyOf"]
            .into_iter()
            .find_map(|word| schema[word].as_array())
        {
            Some(all) => {
                let mut kinds: Vec<String> = all.iter().map(|one| kind(document, one)).collect();
                kinds.dedup();
                kinds.join(" or ")
            }
            None => String::new(),
        },
    }
}

/// The rules of a schema's values, in words.
pub(super) fn rules(schema: &Value) -> String {
    let mut rules = Vec::new();
    let mut rule = |word: &str, say: &dyn Fn(&str) -> String| {
        if let Some(value) = schema.get(word) {
            rules.push(say(&literal(value)));
        }
    };
    rule("const", &|value| format!("always {value}"));
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .filter(|value| !value.is_null())
            .map(literal)
            .collect();
        let said = format!("one of {}", values.join(", "));
        rule("enum", &|_| said.clone());
    }
    rule("default", &|value| format!("default {value}"));
    rule("minLength", &|count| match count {
        "1" => "not empty".to_owned(),
        count => format!("at least {count} characters"),
    });
    rule("maxLength", &|count| format!("at most {count} characters"));
    // Two bounds read better as one rule.
    if let (Some(from), Some(_)) = (schema.get("minimum"), schema.get("maximum")) {
        let from = literal(from);
        rule("maximum", &|to| format!("from {from} to {to}"));
    } else {
        rule("minimum", &|from| format!("at least {from}"));
        rule("maximum", &|to| format!("at most {to}"));
    }
    rule("minItems", &|count| format!("at least {count} of them"));
    rule("maxItems", &|count| format!("at most {count} of them"));
    rule("uniqueItems", &|_| "all different".to_owned());
    rule("pattern", &|pattern| format!("matches {pattern}"));
    rules.join("; ")
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
