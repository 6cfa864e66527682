//! JSON objects that a client gives and we only store, within what PostgreSQL's `jsonb` can hold.

use runtime::{
    http::Fields,
    members::Rule,
    openapi::{Schema, any_object},
};
use serde_json::Value;
use std::borrow::Cow;

/// Largest object, as compact JSON.
const MAX_BYTES: usize = 10_000;
/// Deepest nesting, the object included. People nest three or four levels; a reader may recurse.
const MAX_DEPTH: usize = 16;

/// A JSON object within the limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonObject;

impl Rule for JsonObject {
    type Value<'a> = Value;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Value> {
        // All bounds are checked, so that one answer reports every broken one.
        let object = Value::Object(fields.object(name)?.clone());
        if object.to_string().len() > MAX_BYTES {
            fields.problem(format!("{name} must have at most {MAX_BYTES} bytes"));
        }
        if depth(&object) > MAX_DEPTH {
            fields.problem(format!("{name} must have at most {MAX_DEPTH} levels"));
        }
        if holds_nul(&object) {
            fields.problem(format!("{name} must not contain the character U+0000"));
        }
        Some(object)
    }

    fn schema(&self) -> Schema {
        any_object()
    }

    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        let bounds = format!("Any object of at most {MAX_BYTES} bytes and {MAX_DEPTH} levels.");
        [about, &bounds].join(" ").trim_start().to_owned().into()
    }
}

/// The deepest nesting of containers. Recursion is safe, because the JSON reader limits the depth.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Whether a text in it has the character U+0000, which PostgreSQL cannot store.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<Option<Value>, Vec<String>> {
        let body = json!({ "x": value });
        let mut fields = Fields::new(body.as_object().unwrap());
        let object = JsonObject.read(&mut fields, "x");
        match fields.into_problems() {
            problems if problems.is_empty() => Ok(object),
            problems => Err(problems),
        }
    }

    /// Arrays and objects, nested in each other.
    fn nested(levels: usize) -> Value {
        (1..levels).fold(json!({}), |inner, level| {
            if level % 2 == 0 {
                json!({ "a": inner })
            } else {
                json!([1, inner])
            }
        })
    }

    #[test]
    fn objects_are_stored_as_given() {
        for object in [json!({}), json!({"a": {"b": [1, null, "ü"]}})] {
            assert_eq!(read(&object), Ok(Some(object.clone())));
        }
        assert_eq!(read(&Value::Null), Ok(None));
        for other in [json!([]), json!("x"), json!(1), json!(true)] {
            assert!(read(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn size_depth_and_characters_have_bounds() {
        // `{"a":""}` is eight bytes.
        let sized = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
        assert!(read(&sized(MAX_BYTES)).is_ok());
        assert!(read(&sized(MAX_BYTES + 1)).is_err());
        assert!(read(&json!({"a": "ü".repeat(5000)})).is_err());
        let deep = |levels: usize| json!({ "a": nested(levels - 1) });
        assert_eq!(depth(&deep(MAX_DEPTH)), MAX_DEPTH);
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert!(read(&deep(MAX_DEPTH + 1)).is_err());
        assert!(read(&json!({"a": ["\u{0}"]})).is_err());
        assert!(read(&json!({"a": {"\u{0}": 1}})).is_err());
    }
}
