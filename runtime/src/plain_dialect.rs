//! The dialect of this crate's tests: `{"response":…}` for data, `{"errors":[…]}` for errors.

use crate::{
    http::{ApiError, Dialect},
    openapi::{Described, Schema, list, object, optional, required, text},
};
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

/// The dialect.
#[derive(Debug)]
pub(crate) struct Plain;

impl Dialect for Plain {
    fn data(&self, _: StatusCode, data: &[u8]) -> Vec<u8> {
        [b"{\"response\":", data, b"}"].concat()
    }

    fn done(&self) -> Vec<u8> {
        b"{}".to_vec()
    }

    fn error(&self, error: &ApiError, _: &str) -> Value {
        let mut told = json!({ "code": code(error), "message": error.message });
        if !error.details.is_empty() {
            told["details"] = json!(error.listed_details());
        }
        json!({ "errors": [told] })
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Key")
    }
}

fn code(error: &ApiError) -> String {
    format!("P{}", error.status.as_u16())
}

impl Described for Plain {
    fn prefix(&self) -> &'static str {
        "Plain"
    }

    fn about(&self) -> &'static str {
        "Answers are plain."
    }

    fn data_schema(&self, _: StatusCode, data: Schema) -> Schema {
        object([required("response", data)])
    }

    fn done_schema(&self) -> Schema {
        object([])
    }

    fn error_schema(&self) -> Schema {
        let error = object([
            required("code", text(9)),
            required("message", text(usize::MAX)),
            optional("details", list(text(usize::MAX))),
        ]);
        object([required("errors", list(error))])
    }

    fn narrowed(&self, errors: &[ApiError]) -> Schema {
        let codes: Vec<String> = errors.iter().map(code).collect();
        object([]).with("x-codes", codes)
    }
}
