//! What a request that failed is told: a status, a stable code, an outside text.
//!
//! The inside text is for the log and never leaves the program. The body is written by
//! [`finish`](super::finish), which knows the correlation id.

use crate::database;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{borrow::Cow, fmt::Display};

/// An error as a client sees it, and what the log says of it.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable code in upper snake case, by status.
    pub code: &'static str,
    /// What a person reads.
    pub message: Cow<'static, str>,
    /// Dotted key for translations; the specific name of the error.
    pub i18n_key: &'static str,
    /// Values for the translated text.
    pub i18n_vars: Option<Box<Value>>,
    /// One line per problem of a validation.
    pub details: Vec<String>,
    /// Seconds after which trying again makes sense.
    pub retry_after_seconds: Option<u32>,
    /// For the log only.
    pub inside: Option<Box<str>>,
}

impl ApiError {
    fn new(
        status: StatusCode,
        code: &'static str,
        i18n_key: &'static str,
        message: &'static str,
    ) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            i18n_key,
            i18n_vars: None,
            details: Vec::new(),
            retry_after_seconds: None,
            inside: None,
        }
    }

    /// The error of a bare status, as routers and libraries give them.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => {
                Self::bad_request("error.bad_request", "The request cannot be read.")
            }
            StatusCode::NOT_FOUND => {
                Self::not_found("error.route_not_found", "There is nothing at this path.")
            }
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "METHOD_NOT_ALLOWED",
                "error.method_not_allowed",
                "This path does not take this method; see the Allow header.",
            ),
            StatusCode::REQUEST_TIMEOUT => Self::new(
                status,
                "REQUEST_TIMEOUT",
                "error.request_timeout",
                "The request did not arrive in time.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                status,
                "PAYLOAD_TOO_LARGE",
                "error.payload_too_large",
                "The request body is too large.",
            ),
            StatusCode::URI_TOO_LONG => Self::new(
                status,
                "URI_TOO_LONG",
                "error.uri_too_long",
                "The path and query are longer than 8192 bytes.",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                status,
                "UNSUPPORTED_MEDIA_TYPE",
                "error.unsupported_media_type",
                "Send JSON as application/json or text/plain.",
            ),
            _ => Self::internal(format!("a library answered {status}")),
        }
    }

    /// 400 with a specific key.
    #[must_use]
    pub fn bad_request(i18n_key: &'static str, message: &'static str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "VALIDATION_ERROR",
            i18n_key,
            message,
        )
    }

    /// 400 with one line per problem.
    #[must_use]
    pub fn validation(details: Vec<String>) -> Self {
        let error = Self::bad_request(
            "error.validation",
            "The request breaks the rules listed in details.",
        );
        Self { details, ..error }
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "AUTH_UNAUTHORIZED",
            "auth.unauthorized",
            "Send a valid token as Authorization: Bearer <token>.",
        )
    }

    /// 403 with a specific key.
    #[must_use]
    pub fn forbidden(i18n_key: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AUTH_FORBIDDEN", i18n_key, message)
    }

    /// 404 with a specific key.
    #[must_use]
    pub fn not_found(i18n_key: &'static str, message: &'static str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "RESOURCE_NOT_FOUND",
            i18n_key,
            message,
        )
    }

    /// 409 with a specific key.
    #[must_use]
    pub fn conflict(i18n_key: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, "RESOURCE_CONFLICT", i18n_key, message)
    }

    /// 429.
    #[must_use]
    pub fn rate_limited(retry_after_seconds: u32) -> Self {
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            "error.rate_limited",
            "Too many requests; try again after the seconds in Retry-After.",
        );
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..error
        }
    }

    /// 503: the request changed nothing, or changes nothing more when it is sent again.
    #[must_use]
    pub fn unavailable(inside: impl Display) -> Self {
        let error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SERVICE_UNAVAILABLE",
            "error.service_unavailable",
            "Not available right now; send the same request again after the seconds in Retry-After.",
        );
        Self {
            retry_after_seconds: Some(2),
            inside: Some(inside.to_string().into()),
            ..error
        }
    }

    /// 500: a defect. The outside learns nothing but the correlation id.
    #[must_use]
    pub fn internal(inside: impl Display) -> Self {
        let error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "error.internal",
            "Something went wrong on our side; quote the correlationId when you report it.",
        );
        Self {
            inside: Some(inside.to_string().into()),
            ..error
        }
    }

    /// The same error with values for its translated text.
    #[must_use]
    pub fn with_vars(self, vars: Value) -> Self {
        Self {
            i18n_vars: Some(Box::new(vars)),
            ..self
        }
    }

    /// The body in the creator surface's envelope.
    #[must_use]
    pub fn body(&self, correlation_id: &str) -> Value {
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "i18nKey": self.i18n_key,
            "correlationId": correlation_id,
        });
        if let Some(members) = error.as_object_mut() {
            if let Some(vars) = &self.i18n_vars {
                members.insert("i18nVars".to_owned(), Value::clone(vars));
            }
            if !self.details.is_empty() {
                let lines = listed(&self.details).into_iter();
                let details = lines.map(|message| json!({ "message": message }));
                members.insert("details".to_owned(), details.collect());
            }
        }
        json!({ "success": false, "error": error })
    }
}

/// Most problems that one error lists.
const MAX_DETAILS: usize = 10;
/// Longest line about a problem, in Unicode scalar values. Lines may repeat what was sent.
const MAX_DETAIL_CHARS: usize = 300;

/// The problems as they are answered: however many and however long they are, the answer stays short.
fn listed(problems: &[String]) -> Vec<Cow<'_, str>> {
    let mut lines: Vec<Cow<'_, str>> = problems.iter().take(MAX_DETAILS).map(shortened).collect();
    let more = problems.len() - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more").into());
    }
    lines
}

fn shortened(line: &String) -> Cow<'_, str> {
    match line.char_indices().nth(MAX_DETAIL_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]).into(),
        None => line.into(),
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        let message = database::message(&error);
        if database::is_away(&error) {
            Self::unavailable(message)
        } else {
            Self::internal(message)
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

/// `{"success": true, "data": …}`
pub fn ok<T: Serialize>(data: T) -> Json<Success<T>> {
    Json(Success {
        success: true,
        data,
    })
}

/// `{"success": true}`, for changes that have nothing to return.
#[must_use]
pub fn success() -> Response {
    Json(json!({ "success": true })).into_response()
}

/// The envelope of an answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Success<T> {
    success: bool,
    data: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(problems: Vec<String>) -> Vec<String> {
        let body = ApiError::validation(problems).body("id");
        let details = body["error"]["details"].as_array().unwrap().iter();
        details
            .map(|detail| detail["message"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn an_error_lists_ten_problems_and_counts_the_others() {
        let problems = |count: usize| (1..=count).map(|n| format!("problem {n}")).collect();
        assert_eq!(messages(problems(10)).len(), 10);
        let lines = messages(problems(30_000));
        assert_eq!(lines.len(), 11);
        assert_eq!(lines[9], "problem 10");
        assert_eq!(lines[10], "and 29990 more");
    }

    #[test]
    fn a_line_that_repeats_a_long_value_is_cut() {
        let lines = messages(vec!["ü".repeat(300), "ü".repeat(301)]);
        assert_eq!(lines[0], "ü".repeat(300));
        assert_eq!(lines[1], format!("{}…", "ü".repeat(300)));
    }
}
