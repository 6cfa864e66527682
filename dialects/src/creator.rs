//! The creators' dialect (`/api/v1/...`): `{"success":true,"data":…}`; errors have an `i18nKey`.
//!
//! An error's `code` depends on its status; the `i18nKey` is its specific code.

use axum::http::{HeaderValue, StatusCode};
use runtime::{
    http::{ApiError, Dialect},
    openapi::{
        Described, Schema, any_object, anything, constant, list, object, optional, required, text,
        uuid,
    },
};
use serde_json::{Value, json};

/// The dialect of creators.
#[derive(Clone, Copy, Debug)]
pub struct Creator;

/// The code of an error, in upper snake case.
const fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "VALIDATION_ERROR",
        StatusCode::UNAUTHORIZED => "AUTH_UNAUTHORIZED",
        StatusCode::FORBIDDEN => "AUTH_FORBIDDEN",
        StatusCode::NOT_FOUND => "RESOURCE_NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
        StatusCode::CONFLICT => "RESOURCE_CONFLICT",
        StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
        StatusCode::URI_TOO_LONG => "URI_TOO_LONG",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMITED",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    }
}

impl Dialect for Creator {
    fn data(&self, status: StatusCode, data: &[u8]) -> Vec<u8> {
        // Concatenated by hand, because the data is JSON text already and every beacon passes here.
        let start: &[u8] = if status.is_success() {
            b"{\"success\":true,\"data\":"
        } else {
            b"{\"success\":false,\"data\":"
        };
        [start, data, b"}"].concat()
    }

    fn done(&self) -> Vec<u8> {
        b"{\"success\":true}".to_vec()
    }

    fn error(&self, error: &ApiError, correlation_id: &str) -> Value {
        let mut told = json!({
            "code": code(error.status),
            "message": error.message,
            "i18nKey": error.code,
            "correlationId": correlation_id,
        });
        // Without a value, these members are absent instead of null.
        if let Some(members) = told.as_object_mut() {
            if let Some(vars) = &error.vars {
                members.insert("i18nVars".to_owned(), Value::clone(vars));
            }
            if !error.details.is_empty() {
                let lines = error.listed_details().into_iter();
                let details = lines.map(|message| json!({ "message": message }));
                members.insert("details".to_owned(), details.collect());
            }
        }
        json!({ "success": false, "error": told })
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}

impl Described for Creator {
    fn prefix(&self) -> &'static str {
        ""
    }

    fn about(&self) -> &'static str {
        "A success is `{\"success\": true, \"data\": …}`, or `{\"success\": true}` if there is nothing to return. An error is \
         `{\"success\": false, \"error\": {…}}`: `code` depends on the status, `i18nKey` is the specific name, `details` has a line for each broken \
         rule: the first ten, then the number of the others."
    }

    fn data_schema(&self, status: StatusCode, data: Schema) -> Schema {
        object([
            required("success", constant(status.is_success())),
            required("data", data),
        ])
    }

    fn done_schema(&self) -> Schema {
        object([required("success", constant(true))])
    }

    fn error_schema(&self) -> Schema {
        let word = |about: &str| text(usize::MAX).about(about);
        let detail = object([required("message", word("A broken rule."))]);
        let error = object([
            required("code", word("The error, by status.")),
            required("message", word("A message for people.")),
            required(
                "i18nKey",
                word("The specific name of the error, for translations."),
            ),
            required(
                "correlationId",
                uuid().about("Also the `X-Request-Id` header."),
            ),
            optional(
                "i18nVars",
                any_object().about("Values for the translated text."),
            ),
            optional(
                "details",
                list(detail).about(
                    "One for each broken rule: the first ten, then the number of the others.",
                ),
            ),
        ]);
        object([
            required("success", constant(false)),
            required("error", error),
        ])
        .about("The form of every error.")
    }

    fn narrowed(&self, errors: &[ApiError]) -> Schema {
        let code = errors.first().map_or("", |error| code(error.status));
        let keys: Vec<&str> = errors.iter().map(|error| error.code).collect();
        let key = match keys.as_slice() {
            [one] => constant(*one),
            _ => anything().with("enum", keys),
        };
        let error = members([("code", constant(code)), ("i18nKey", key)]);
        members([("error", error)])
    }
}

/// Conditions on members that are present, without a type of their object.
fn members<const N: usize>(of: [(&str, Schema); N]) -> Schema {
    let properties = of.map(|(name, schema)| (name.to_owned(), Value::from(schema)));
    let properties: serde_json::Map<String, Value> = properties.into_iter().collect();
    anything().with("properties", properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192e000-0000-7000-8000-00000000000f";

    fn error(error: &ApiError) -> String {
        Creator.error(error, ID).to_string()
    }

    #[test]
    fn answers_are_these_bytes() {
        let data = |status| String::from_utf8(Creator.data(status, b"[1]")).unwrap();
        assert_eq!(data(StatusCode::OK), r#"{"success":true,"data":[1]}"#);
        assert_eq!(data(StatusCode::CREATED), r#"{"success":true,"data":[1]}"#);
        assert_eq!(
            data(StatusCode::SERVICE_UNAVAILABLE),
            r#"{"success":false,"data":[1]}"#
        );
        assert_eq!(Creator.done(), br#"{"success":true}"#);
    }

    #[test]
    fn errors_are_these_bytes() {
        assert_eq!(
            error(&ApiError::not_found("thing.not_found", "No such thing.")),
            format!(
                r#"{{"error":{{"code":"RESOURCE_NOT_FOUND","correlationId":"{ID}","i18nKey":"thing.not_found","message":"No such thing."}},"success":false}}"#
            )
        );
        let vars = ApiError::bad_request("thing.limit", "Too many.").with_vars(json!({"max": 3}));
        assert_eq!(
            error(&vars),
            format!(
                r#"{{"error":{{"code":"VALIDATION_ERROR","correlationId":"{ID}","i18nKey":"thing.limit","i18nVars":{{"max":3}},"message":"Too many."}},"success":false}}"#
            )
        );
        let rules = ApiError::validation(vec!["a is required".to_owned()]);
        assert_eq!(
            error(&rules),
            format!(
                r#"{{"error":{{"code":"VALIDATION_ERROR","correlationId":"{ID}","details":[{{"message":"a is required"}}],"i18nKey":"error.validation","message":"The request is invalid; see details."}},"success":false}}"#
            )
        );
    }

    #[test]
    fn every_error_status_has_its_code() {
        for (error, code) in [
            (ApiError::unauthorized(), "AUTH_UNAUTHORIZED"),
            (ApiError::forbidden("a", ""), "AUTH_FORBIDDEN"),
            (ApiError::conflict("a", ""), "RESOURCE_CONFLICT"),
            (ApiError::rate_limited(1), "RATE_LIMITED"),
            (ApiError::unavailable(""), "SERVICE_UNAVAILABLE"),
            (ApiError::internal(""), "INTERNAL_ERROR"),
        ] {
            assert_eq!(Creator.error(&error, ID)["error"]["code"], code);
        }
        for (status, code) in [
            (405, "METHOD_NOT_ALLOWED"),
            (408, "REQUEST_TIMEOUT"),
            (413, "PAYLOAD_TOO_LARGE"),
            (414, "URI_TOO_LONG"),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
        ] {
            let error = ApiError::from_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(Creator.error(&error, ID)["error"]["code"], code);
        }
    }
}
