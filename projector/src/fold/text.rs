//! Texts and counts as PostgreSQL can hold them.

/// The text without U+0000, which `text` and `jsonb` refuse: one such record would otherwise stop
/// its partition for ever.
#[must_use]
pub fn storable(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.to_owned()
    }
}

/// JSON that `jsonb` accepts, see [`storable`].
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

/// An optional text, see [`storable`].
#[must_use]
pub fn text(text: Option<&String>) -> Option<String> {
    text.map(|text| storable(text))
}

/// A count as an `int4` column holds it. Above its range, which no beacon reaches, the range's end:
/// an error here would stop the partition for ever.
#[must_use]
pub fn int4(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
