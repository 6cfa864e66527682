//! Errors as answers of the document, made by the very functions that handlers answer with.

use super::schema::{self, Schema, object, optional, reference, required};
use crate::http::ApiError;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Name of the schema that every error has.
pub(super) const ERROR: &str = "Error";
/// The correlation id in examples.
const EXAMPLE_ID: &str = "0192e000-0000-7000-8000-00000000000f";

/// Errors that any route may have, under the names that routes refer to.
const SHARED: [(&str, &[&str]); 11] = [
    ("Invalid", &["error.validation"]),
    ("InvalidBody", &["error.bad_request", "error.validation"]),
    ("Unauthorized", &["auth.unauthorized"]),
    ("RequestTimeout", &["error.request_timeout"]),
    ("PayloadTooLarge", &["error.payload_too_large"]),
    ("UnsupportedMediaType", &["error.unsupported_media_type"]),
    ("RateLimited", &["error.rate_limited"]),
    (
        "RateLimitedOrBusy",
        &["error.rate_limited", "error.report.busy"],
    ),
    ("InternalError", &["error.internal"]),
    ("Unavailable", &["error.service_unavailable"]),
    (
        "UnavailableOrTooSlow",
        &["error.report.timeout", "error.service_unavailable"],
    ),
];

/// What a body may be refused for before anything is read in it.
pub(super) fn of_bodies() -> [ApiError; 5] {
    [
        of_rules(),
        ApiError::from_status(StatusCode::BAD_REQUEST),
        ApiError::from_status(StatusCode::REQUEST_TIMEOUT),
        ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE),
        ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ]
}

/// What a broken rule is refused with.
pub(super) fn of_rules() -> ApiError {
    ApiError::validation(vec!["bioPageId must be a UUID".to_owned()])
}

/// The name that these errors of one status share with other routes; they are sorted by key.
pub(super) fn shared_name(errors: &[ApiError]) -> Option<&'static str> {
    let keys: Vec<&str> = errors.iter().map(|error| error.i18n_key).collect();
    let known = SHARED.iter().find(|(_, shared)| *shared == keys)?;
    Some(known.0)
}

/// The answer for these errors of one status.
pub(super) fn response(errors: &[ApiError], headers: &Value) -> Value {
    let mut about = String::new();
    let mut examples = Map::new();
    for error in errors {
        // Writing into a string cannot fail.
        let _ = writeln!(about, "- `{}`: {}", error.i18n_key, error.message);
        let example = json!({ "value": error.body(EXAMPLE_ID) });
        examples.insert(error.i18n_key.to_owned(), example);
    }
    let keys: Vec<&str> = errors.iter().map(|error| error.i18n_key).collect();
    let code = errors.first().map_or("", |error| error.code);
    json!({
        "description": about.trim_end(),
        "headers": headers,
        "content": { "application/json": { "schema": narrowed(code, &keys), "examples": examples } },
    })
}

/// The answer for these errors of one status, where people look at it.
pub(super) fn page(errors: &[ApiError], headers: &Value) -> Value {
    let about: Vec<&str> = errors.iter().map(|error| &*error.message).collect();
    json!({
        "description": about.join(" "),
        "headers": headers,
        "content": { "text/html": { "schema": Value::from(schema::text(usize::MAX)) } },
    })
}

/// Every error, and of this code and these keys.
fn narrowed(code: &str, keys: &[&str]) -> Value {
    let key = match keys {
        [one] => schema::constant(*one),
        _ => schema::anything().with("enum", keys),
    };
    let (code, key) = (Value::from(schema::constant(code)), Value::from(key));
    json!({ "allOf": [
        Value::from(reference(ERROR)),
        { "properties": { "error": { "properties": { "code": code, "i18nKey": key } } } },
    ] })
}

/// The error envelope.
pub(super) fn envelope() -> Schema {
    let detail = object([required(
        "message",
        schema::text(usize::MAX).about("A broken rule."),
    )]);
    let error = object([
        required(
            "code",
            schema::text(usize::MAX).about("What went wrong, by status."),
        ),
        required("message", schema::text(usize::MAX).about("For people.")),
        required(
            "i18nKey",
            schema::text(usize::MAX).about("The specific name of the error, for translations."),
        ),
        required(
            "correlationId",
            schema::uuid().about("Also the `X-Request-Id` header."),
        ),
        optional(
            "i18nVars",
            schema::any_object().about("Values for the translated text."),
        ),
        optional(
            "details",
            schema::list(detail)
                .about("One for each broken rule: the first ten, then the number of the others."),
        ),
    ]);
    object([
        required("success", schema::constant(false)),
        required("error", error),
    ])
    .about("How every error is told.")
}
