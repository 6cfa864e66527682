//! Texts as PostgreSQL can hold them.

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
