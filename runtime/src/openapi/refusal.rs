//! Errors in the document, made by the same functions that handlers use.

use super::{
    Described,
    schema::{self, reference},
};
use crate::http::{ApiError, MAX_HEAD_BYTES, MAX_HEAD_FIELDS};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// The correlation id in examples.
const EXAMPLE_ID: &str = "0192e000-0000-7000-8000-00000000000f";

/// A name, and the codes of the errors of one status that it stands for.
pub(super) type Shared = (&'static str, &'static [&'static str]);

/// Errors that any route may have, under their shared names.
pub(super) const SHARED: [Shared; 10] = [
    ("Invalid", &["error.validation"]),
    ("InvalidBody", &["error.bad_request", "error.validation"]),
    ("Unauthorized", &["auth.unauthorized"]),
    ("RequestTimeout", &["error.request_timeout"]),
    ("PayloadTooLarge", &["error.payload_too_large"]),
    ("UriTooLong", &["error.uri_too_long"]),
    ("UnsupportedMediaType", &["error.unsupported_media_type"]),
    ("RateLimited", &["error.rate_limited"]),
    ("InternalError", &["error.internal"]),
    ("Unavailable", &["error.service_unavailable"]),
];

/// Name of the answer to a head that is too large.
const HEAD_TOO_LARGE: &str = "HeadTooLarge";

/// Suffix of the names of the dialects' error schemas.
pub(super) const ERROR: &str = "Error";

/// Name of a dialect's error schema.
pub(super) fn error_name(dialect: &dyn Described) -> String {
    format!("{}{ERROR}", dialect.prefix())
}

/// The errors of any JSON body.
pub(super) fn of_bodies() -> [ApiError; 5] {
    [
        of_rules(),
        ApiError::from_status(StatusCode::BAD_REQUEST),
        ApiError::from_status(StatusCode::REQUEST_TIMEOUT),
        ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE),
        ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ]
}

/// The errors of any HTML form.
pub(super) fn of_forms() -> [ApiError; 2] {
    [
        ApiError::from_status(StatusCode::REQUEST_TIMEOUT),
        ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE),
    ]
}

/// The error for a broken rule.
pub(super) fn of_rules() -> ApiError {
    ApiError::validation(vec!["id must be a UUID".to_owned()])
}

/// The shared name of these errors of one status, which are sorted by code; `None` without one.
pub(super) fn shared_name(
    errors: &[ApiError],
    dialect: &dyn Described,
    shared: &[Shared],
) -> Option<String> {
    let codes: Vec<&str> = errors.iter().map(|error| error.code).collect();
    let (name, _) = shared.iter().find(|(_, shared)| *shared == codes)?;
    Some(format!("{}{name}", dialect.prefix()))
}

/// The answer for these errors of one status.
pub(super) fn response(errors: &[ApiError], dialect: &dyn Described, headers: &Value) -> Value {
    let mut about = String::new();
    let mut examples = Map::new();
    for error in errors {
        // Writing into a string cannot fail.
        let _ = writeln!(about, "- `{}`: {}", error.code, error.message);
        let example = json!({ "value": dialect.error(error, EXAMPLE_ID) });
        examples.insert(error.code.to_owned(), example);
    }
    let every = Value::from(reference(&error_name(dialect)));
    let schema = json!({ "allOf": [every, Value::from(dialect.narrowed(errors))] });
    json!({
        "description": about.trim_end(),
        "headers": headers,
        "content": { "application/json": { "schema": schema, "examples": examples } },
    })
}

/// The answer to a head that is too large: a reference, after the answer is in `shared`. It comes from
/// the HTTP library before any code of ours, so it is bare.
pub(super) fn head_too_large(shared: &mut Map<String, Value>) -> Value {
    let about = format!(
        "The head has more than {} KiB, or more than {MAX_HEAD_FIELDS} fields. The answer has no body, and the connection ends.",
        MAX_HEAD_BYTES / 1024
    );
    shared.insert(
        HEAD_TOO_LARGE.to_owned(),
        json!({ "description": about, "headers": {} }),
    );
    json!({ "$ref": format!("#/components/responses/{HEAD_TOO_LARGE}") })
}

/// Adds a page for people to an answer.
pub(super) fn add_page(response: &mut Value) {
    let schema = Value::from(schema::text(usize::MAX));
    response["content"]["text/html"] = json!({ "schema": schema });
}

/// The answer for these errors of one status, on routes that show pages to people.
pub(super) fn page(errors: &[ApiError], headers: &Value) -> Value {
    let about: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    json!({
        "description": about.join(" "),
        "headers": headers,
        "content": { "text/html": { "schema": Value::from(schema::text(usize::MAX)) } },
    })
}
