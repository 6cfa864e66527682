//! Example values that satisfy a schema, for people.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// The target of a reference, or the schema itself.
pub(super) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    match pointer.and_then(|pointer| document.pointer(pointer)) {
        Some(found) => resolve(document, found),
        None => schema,
    }
}

/// The example of a schema, or a value made from its rules. A made object has the required members,
/// and those with an example of their own.
pub(super) fn of(document: &Value, schema: &Value) -> Value {
    let schema = resolve(document, schema);
    let said = [
        &schema["const"],
        &schema["examples"][0],
        &schema["default"],
        &schema["enum"][0],
    ];
    if let Some(value) = said.into_iter().find(|value| !value.is_null()) {
        return value.clone();
    }
    for word in ["oneOf", "anyOf"] {
        let first = &schema[word][0];
        // Beside `properties`, these are conditions on the members and not alternatives.
        if !first.is_null() && schema["properties"].is_null() {
            return of(document, first);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => object(document, schema),
        Some("array") => json!([of(document, &schema["items"])]),
        Some("string") => text(schema["format"].as_str()),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

/// The example of a form as it is sent: `name=value&name=value`.
pub(super) fn form(document: &Value, schema: &Value) -> String {
    let example = of(document, schema);
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in example.as_object().into_iter().flatten() {
        form.append_pair(name, value.as_str().unwrap_or_default());
    }
    form.finish()
}

fn object(document: &Value, schema: &Value) -> Value {
    let mut value = Map::new();
    for (name, member) in members(schema) {
        let shown = resolve(document, member);
        if is_required(schema, name) || shown.get("examples").is_some() {
            value.insert(name.clone(), of(document, member));
        }
    }
    value.into()
}

fn text(format: Option<&str>) -> Value {
    json!(match format {
        Some("uuid") => "0192e000-0000-7000-8000-00000000000a",
        Some("date-time") => "2026-02-20T10:30:00.123Z",
        _ => "text",
    })
}

/// The members of an object: the required ones in their declared order, then the others.
pub(super) fn members(schema: &Value) -> Vec<(&String, &Value)> {
    let Some(properties) = schema["properties"].as_object() else {
        return Vec::new();
    };
    let place = |name: &String| {
        let required = schema["required"].as_array()?;
        required.iter().position(|required| required == name)
    };
    let mut members: Vec<_> = properties.iter().collect();
    members.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    members
}

/// True when a member is always present.
pub(super) fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema["required"].as_array();
    required.is_some_and(|names| names.iter().any(|required| required == name))
}
