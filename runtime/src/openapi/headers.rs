//! Headers of answers in the document.

use super::schema::Schema;
use serde_json::{Map, Value, json};

/// The headers of answers: the correlation id and, where shown, the state of a limit.
pub(super) fn standing(limit: bool) -> Map<String, Value> {
    let told = [
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
    ];
    let told = told.into_iter().filter(|_| limit);
    let names = ["X-Request-Id"].into_iter().chain(told);
    names
        .map(|name| (name.to_owned(), reference(name)))
        .collect()
}

/// A reference to a shared header.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

/// A header object. The schema's description moves to the object.
pub(super) fn header(required: bool, schema: Schema) -> Value {
    let mut schema = Value::from(schema);
    let about = schema
        .as_object_mut()
        .and_then(|words| words.remove("description"));
    let mut header = json!({ "required": required, "schema": schema });
    if let Some(about) = about {
        header["description"] = about;
    }
    header
}
