//! The workspaces' dialect (`/api/links`, `/api/keys`, ...): `{"success":true,"data":…}`; errors have a `code`.
//!
//! Lists have `pagination` beside their data, reports `meta`. The code of an error follows from its
//! status, unless clients branch on the specific error.

use axum::http::{HeaderValue, StatusCode};
use runtime::{
    http::{ApiError, Dialect},
    openapi::{
        Described, Member, Schema, any_object, anything, constant, list, object, optional,
        required, text, whole,
    },
};
use serde_json::{Map, Value, json};

/// The dialect of workspaces.
#[derive(Clone, Copy, Debug)]
pub struct Workspace;

/// The paths of this dialect, each with all paths below it.
pub(crate) static PATHS: [&str; 16] = [
    "/api/links",
    "/api/rules",
    "/api/campaigns",
    "/api/folders",
    "/api/tags",
    "/api/qr",
    "/api/customers",
    "/api/conversions",
    "/conversions",
    "/api/domains",
    "/api/mobile-apps",
    "/api/workspaces",
    "/api/keys",
    "/api/members",
    "/api/webhooks",
    "/api/analytics",
];

/// Errors with a code of their own, by their key.
const SPECIFIC: [(&str, &str); 9] = [
    ("auth.api_key_invalid", "INVALID_API_KEY"),
    ("error.bad_request", "BAD_REQUEST"),
    ("links.short_code_exists", "SHORT_CODE_EXISTS"),
    ("plan.feature_not_available", "FEATURE_NOT_AVAILABLE"),
    ("plan.limit_exceeded", "LIMIT_EXCEEDED"),
    ("qr.code_exists", "DUPLICATE_CODE"),
    ("report.failed", "ANALYTICS_ERROR"),
    ("workspaces.of_creator", "WORKSPACE_OF_CREATOR"),
    ("workspaces.plan_not_offered", "PLAN_NOT_OFFERED"),
];

/// The code of an error, in upper snake case.
fn code(error: &ApiError) -> &'static str {
    let specific = SPECIFIC.iter().find(|(key, _)| *key == error.code);
    specific.map_or_else(|| by_status(error.status), |(_, code)| code)
}

const fn by_status(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "VALIDATION_ERROR",
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::PAYMENT_REQUIRED => "INSUFFICIENT_CREDITS",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
        StatusCode::CONFLICT => "CONFLICT",
        StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
        StatusCode::URI_TOO_LONG => "URI_TOO_LONG",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::UPGRADE_REQUIRED => "UPGRADE_REQUIRED",
        StatusCode::TOO_MANY_REQUESTS => "RATE_LIMITED",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_ERROR",
    }
}

impl Dialect for Workspace {
    fn data(&self, status: StatusCode, data: &[u8]) -> Vec<u8> {
        self.data_beside(status, data, b"{}")
    }

    fn data_beside(&self, status: StatusCode, data: &[u8], beside: &[u8]) -> Vec<u8> {
        let start: &[u8] = if status.is_success() {
            b"{\"success\":true,\"data\":"
        } else {
            b"{\"success\":false,\"data\":"
        };
        // The members of `beside` continue the envelope's own object.
        let members = beside.strip_prefix(b"{").unwrap_or(b"}");
        let comma: &[u8] = if members == b"}" { b"" } else { b"," };
        [start, data, comma, members].concat()
    }

    fn done(&self) -> Vec<u8> {
        b"{\"success\":true,\"data\":{}}".to_vec()
    }

    fn error(&self, error: &ApiError, _: &str) -> Value {
        let mut told = Map::new();
        told.insert("code".to_owned(), code(error).into());
        told.insert("message".to_owned(), json!(error.message));
        let mut details = Vec::new();
        for (index, message) in error.listed_details().into_iter().enumerate() {
            details.push(match error.index(index) {
                Some(entry) => json!({ "index": entry, "message": message }),
                None => json!({ "message": message }),
            });
        }
        // Values of the message, such as the limit that is reached.
        details.extend(error.vars.as_deref().cloned());
        if !details.is_empty() {
            told.insert("details".to_owned(), details.into());
        }
        json!({ "success": false, "error": told })
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}

impl Described for Workspace {
    fn prefix(&self) -> &'static str {
        "Workspace"
    }

    fn about(&self) -> &'static str {
        "The routes of workspaces (`/api/links`, `/api/keys` and so on, without `/v1`) take a user's token or an API key, the key as a Bearer or as \
         `X-API-Key`. `X-Workspace-Id` picks the workspace of a token; without it, it is the token's own or the user's first. A success is \
         `{\"success\": true, \"data\": …}`, with `pagination` for lists and `meta` for reports. An error is `{\"success\": false, \"error\": {\"code\", \"message\", \"details\"}}`: \
         `details` has an object for each broken rule, with the `index` of its entry in a list. Ids of another workspace are answered 404, \
         another workspace in `X-Workspace-Id` 403. All requests of a workspace share one limit, which depends on its plan."
    }

    fn data_schema(&self, status: StatusCode, data: Schema) -> Schema {
        self.data_schema_beside(status, data, Vec::new())
    }

    fn data_schema_beside(&self, status: StatusCode, data: Schema, beside: Vec<Member>) -> Schema {
        let own = [
            required("success", constant(status.is_success())),
            required("data", data),
        ];
        object(own.into_iter().chain(beside))
    }

    fn done_schema(&self) -> Schema {
        object([
            required("success", constant(true)),
            required("data", object([])),
        ])
    }

    fn error_schema(&self) -> Schema {
        let detail = any_object();
        let error = object([
            required("code", text(usize::MAX).about("The error.")),
            required("message", text(usize::MAX).about("A message for people.")),
            optional(
                "details",
                list(detail).about(
                    "One for each broken rule, with its `message` and, in a list, its `index`; or the values of the message.",
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
        let mut codes: Vec<&str> = errors.iter().map(code).collect();
        codes.sort_unstable();
        codes.dedup();
        let code = match codes.as_slice() {
            [one] => constant(*one),
            _ => anything().with("enum", codes),
        };
        let error = members("code", code);
        members("error", error)
    }
}

/// `pagination` beside the data of a list.
#[must_use]
pub fn pagination() -> Member {
    let count = |about: &str| whole(0..=i64::MAX).about(about);
    required(
        "pagination",
        object([
            required("total", count("How many there are.")),
            required("page", count("This page; the first is 1.")),
            required("limit", count("The size of a page.")),
            required(
                "hasMore",
                anything()
                    .with("type", "boolean")
                    .about("Whether a further page has any."),
            ),
        ]),
    )
}

/// A condition on a member that is present, without a type of its object.
fn members(name: &str, schema: Schema) -> Schema {
    let properties = Map::from_iter([(name.to_owned(), Value::from(schema))]);
    anything().with("properties", properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0192e000-0000-7000-8000-00000000000f";

    fn error(error: &ApiError) -> String {
        Workspace.error(error, ID).to_string()
    }

    #[test]
    fn answers_are_these_bytes() {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let plain = text(Workspace.data(StatusCode::OK, b"[1]"));
        assert_eq!(plain, r#"{"success":true,"data":[1]}"#);
        let beside = br#"{"pagination":{"total":1}}"#;
        let listed = text(Workspace.data_beside(StatusCode::OK, b"[1]", beside));
        assert_eq!(
            listed,
            r#"{"success":true,"data":[1],"pagination":{"total":1}}"#
        );
        assert_eq!(text(Workspace.done()), r#"{"success":true,"data":{}}"#);
    }

    #[test]
    fn errors_are_these_bytes() {
        assert_eq!(
            error(&ApiError::not_found("link.not_found", "Link not found")),
            r#"{"error":{"code":"NOT_FOUND","message":"Link not found"},"success":false}"#
        );
        let limit = ApiError::forbidden("plan.limit_exceeded", "Too many.");
        assert_eq!(
            error(&limit.with_vars(json!({"max": 3}))),
            r#"{"error":{"code":"LIMIT_EXCEEDED","details":[{"max":3}],"message":"Too many."},"success":false}"#
        );
        let rules = ApiError::validation(vec!["a is required".to_owned()]);
        assert_eq!(
            Workspace.error(&rules, ID)["error"]["details"],
            json!([{"message": "a is required"}])
        );
        let faults = [(2, "a is required".to_owned()), (2, "b is".to_owned())];
        let faults = ApiError::faults(faults.into());
        assert_eq!(
            Workspace.error(&faults, ID)["error"]["details"],
            json!([{"index": 2, "message": "a is required"}, {"index": 2, "message": "b is"}])
        );
    }

    #[test]
    fn every_error_has_its_code() {
        for (error, code) in [
            (ApiError::validation(Vec::new()), "VALIDATION_ERROR"),
            (ApiError::unauthorized(), "UNAUTHORIZED"),
            (ApiError::forbidden("a", ""), "FORBIDDEN"),
            (ApiError::conflict("a", ""), "CONFLICT"),
            (
                ApiError::conflict("links.short_code_exists", ""),
                "SHORT_CODE_EXISTS",
            ),
            (ApiError::rate_limited(1), "RATE_LIMITED"),
            (ApiError::unavailable(""), "SERVICE_UNAVAILABLE"),
            (ApiError::internal(""), "INTERNAL_ERROR"),
        ] {
            assert_eq!(Workspace.error(&error, ID)["error"]["code"], code);
        }
        for (status, code) in [
            (400, "BAD_REQUEST"),
            (404, "NOT_FOUND"),
            (405, "METHOD_NOT_ALLOWED"),
            (413, "PAYLOAD_TOO_LARGE"),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
        ] {
            let error = ApiError::from_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(Workspace.error(&error, ID)["error"]["code"], code);
        }
    }
}
