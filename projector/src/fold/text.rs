//! Converts texts and counts to values that PostgreSQL can store.

/// Replaces U+0000, which `text` and `jsonb` refuse. One such record would otherwise stop its
/// partition for ever.
#[must_use]
pub fn storable(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.to_owned()
    }
}

/// Makes JSON acceptable for `jsonb`, see [`storable`].
#[must_use]
pub fn storable_json(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(items) => Value::Array(items.iter().map(storable_json).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (storable(key), storable_json(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Converts an optional text, see [`storable`].
#[must_use]
pub fn text(text: Option<&String>) -> Option<String> {
    text.map(|text| storable(text))
}

/// Converts a count for an `int4` column. Larger counts, which no beacon reaches, are capped,
/// because an error here would stop the partition for ever.
#[must_use]
pub fn int4(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
