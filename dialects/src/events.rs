//! The dialect of the events API (`/link/external/v1/...`): `{"response":…}`; errors are a list.
//!
//! Lists of events have no envelope: their handler writes the body itself.

use axum::http::{HeaderValue, StatusCode};
use runtime::{
    http::{ApiError, Dialect},
    openapi::{Described, Schema, any_object, anything, list, object, optional, required, text},
};
use serde_json::{Value, json};

/// The paths of the events API.
pub(crate) static PATHS: [&str; 1] = ["/link/external/v1"];

/// The dialect of the events API.
#[derive(Clone, Copy, Debug)]
pub struct Events;

/// The code of an error: by its status, but members of a body and unknown apps have their own.
fn code(error: &ApiError) -> &'static str {
    match error.code {
        "events.body_invalid" => "SML002",
        "events.unknown_app" => "DL001",
        _ => by_status(error.status),
    }
}

const fn by_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "VE001",
        StatusCode::UNAUTHORIZED => "SML003",
        StatusCode::PAYMENT_REQUIRED => "QE001",
        StatusCode::NOT_FOUND => "EN001",
        StatusCode::GONE => "EN002",
        StatusCode::TOO_MANY_REQUESTS => "SML005",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
        StatusCode::CONFLICT => "CONFLICT",
        StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
        StatusCode::URI_TOO_LONG => "URI_TOO_LONG",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    }
}

impl Dialect for Events {
    fn data(&self, _status: StatusCode, data: &[u8]) -> Vec<u8> {
        [b"{\"response\":", data, b"}"].concat()
    }

    fn done(&self) -> Vec<u8> {
        b"{\"response\":{}}".to_vec()
    }

    fn error(&self, error: &ApiError, _correlation_id: &str) -> Value {
        let mut told = json!({ "code": code(error), "message": error.message });
        if let Some(members) = told.as_object_mut() {
            if let Some(vars) = &error.vars {
                members.insert("details".to_owned(), Value::clone(vars));
            } else if !error.details.is_empty() {
                let rules = error.listed_details();
                let details = if error.indexes.is_some() {
                    let fault =
                        |(line, rule)| json!({ "index": error.index(line), "message": rule });
                    json!({ "faults": rules.iter().enumerate().map(fault).collect::<Vec<_>>() })
                } else {
                    json!({ "rules": rules })
                };
                members.insert("details".to_owned(), details);
            }
        }
        json!({ "errors": [told] })
    }

    fn challenge(&self) -> HeaderValue {
        // A key may also be sent as a bearer token; there is no registered scheme for its header.
        HeaderValue::from_static("Bearer")
    }
}

impl Described for Events {
    fn prefix(&self) -> &'static str {
        "Events"
    }

    fn about(&self) -> &'static str {
        "The events API: a success is `{\"response\": …}`, except lists of events, which have no envelope. An error is \
         `{\"errors\": [{\"code\", \"message\", \"details\"}]}`, with `details` only where there are some. \
         The key of a workspace is sent as `X-API-KEY`."
    }

    fn data_schema(&self, _status: StatusCode, data: Schema) -> Schema {
        object([required("response", data)])
    }

    fn done_schema(&self) -> Schema {
        object([required("response", any_object())])
    }

    fn error_schema(&self) -> Schema {
        let word = |about: &str| text(usize::MAX).about(about);
        let error = object([
            required("code", word("The error, by status.")),
            required("message", word("A message for people.")),
            optional(
                "details",
                any_object().about("Values for programs, where there are some."),
            ),
        ]);
        object([required("errors", list(error))])
            .about("The form of every error of the events API.")
    }

    fn narrowed(&self, errors: &[ApiError]) -> Schema {
        let mut codes: Vec<&str> = errors.iter().map(code).collect();
        codes.sort_unstable();
        codes.dedup();
        let code = match codes.as_slice() {
            [only] => json!({ "const": only }),
            _ => json!({ "enum": codes }),
        };
        let code = json!({ "properties": { "code": code } });
        let errors = json!({ "errors": { "items": code } });
        anything().with("properties", errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(error: &ApiError) -> String {
        Events.error(error, "id").to_string()
    }

    #[test]
    fn answers_are_these_bytes() {
        assert_eq!(Events.data(StatusCode::OK, b"[1]"), br#"{"response":[1]}"#);
        assert_eq!(Events.done(), br#"{"response":{}}"#);
    }

    #[test]
    fn errors_are_these_bytes() {
        assert_eq!(
            error(&ApiError::not_found("a", "Not found.")),
            r#"{"errors":[{"code":"EN001","message":"Not found."}]}"#
        );
        let vars = ApiError::rate_limited(1).with_vars(json!({ "scope": "crud" }));
        assert!(error(&vars).contains(r#""code":"SML005","details":{"scope":"crud"}"#));
        let rules = ApiError::validation(vec!["a is required".to_owned()]);
        assert!(error(&rules).contains(r#""code":"VE001","details":{"rules":["a is required"]}"#));
        let faults = ApiError::faults(vec![(2, "a is required".to_owned())]);
        let told = r#""details":{"faults":[{"index":2,"message":"a is required"}]}"#;
        assert!(error(&faults).contains(told), "{}", error(&faults));
    }

    #[test]
    fn every_status_has_its_code() {
        for (status, code) in [
            (401, "SML003"),
            (402, "QE001"),
            (410, "EN002"),
            (403, "FORBIDDEN"),
            (405, "METHOD_NOT_ALLOWED"),
            (503, "SERVICE_UNAVAILABLE"),
            (500, "INTERNAL_ERROR"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(by_status(status), code);
        }
        let body = ApiError::bad_request("events.body_invalid", "");
        assert_eq!(super::code(&body), "SML002");
        let app = ApiError::bad_request("events.unknown_app", "");
        assert_eq!(super::code(&app), "DL001");
    }
}
