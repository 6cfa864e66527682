//! The error of a request: a status, a stable code, an outside text, an inside text.
//!
//! Has no form of its own: the [`Dialect`](super::Dialect) of the path writes the body, with the
//! codes and members of its surface. The inside text is for the log and never leaves the program.

use crate::database;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::{borrow::Cow, fmt::Display};

/// An error before a surface formats it, with a text for the log.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Specific code: dotted, stable, the same on every surface.
    pub code: &'static str,
    /// Text for people.
    pub message: Cow<'static, str>,
    /// Values in the message, for translated texts.
    pub vars: Option<Box<Value>>,
    /// One line per broken rule of a validation.
    pub details: Vec<String>,
    /// For faults of a list: the index of the entry that each line of `details` is about.
    pub indexes: Option<Box<[usize]>>,
    /// Seconds after which a retry makes sense.
    pub retry_after_seconds: Option<u32>,
    /// For the log only.
    pub inside: Option<Box<str>>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            vars: None,
            details: Vec::new(),
            indexes: None,
            retry_after_seconds: None,
            inside: None,
        }
    }

    /// The error for a bare status from a router or a library.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        match status {
            StatusCode::BAD_REQUEST => {
                Self::bad_request("error.bad_request", "The request cannot be read.")
            }
            StatusCode::NOT_FOUND => Self::not_found("error.route_not_found", "Unknown path."),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "error.method_not_allowed",
                "This path does not support this method; see the Allow header.",
            ),
            StatusCode::REQUEST_TIMEOUT => Self::new(
                status,
                "error.request_timeout",
                "The request did not arrive in time.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                status,
                "error.payload_too_large",
                "The request body is too large.",
            ),
            StatusCode::URI_TOO_LONG => Self::new(
                status,
                "error.uri_too_long",
                "The path and query are longer than 8192 bytes.",
            ),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(
                status,
                "error.service_unavailable",
                "Temporarily unavailable; retry after the seconds in Retry-After.",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                status,
                "error.unsupported_media_type",
                "Send JSON as application/json or text/plain.",
            ),
            _ => Self::internal(format!("a library answered {status}")),
        }
    }

    /// 400 with a specific code.
    #[must_use]
    pub fn bad_request(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 400 with one line per problem.
    #[must_use]
    pub fn validation(details: Vec<String>) -> Self {
        let error = Self::bad_request("error.validation", "The request is invalid; see details.");
        Self { details, ..error }
    }

    /// 400 with one line per problem of an entry of a list, each with the index of its entry.
    #[must_use]
    pub fn faults(faults: Vec<(usize, String)>) -> Self {
        let (indexes, details): (Vec<usize>, Vec<String>) = faults.into_iter().unzip();
        Self {
            indexes: Some(indexes.into()),
            ..Self::validation(details)
        }
    }

    /// 401.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "auth.unauthorized",
            "Send a valid token as Authorization: Bearer <token>.",
        )
    }

    /// 403 with a specific code.
    #[must_use]
    pub fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404 with a specific code.
    #[must_use]
    pub fn not_found(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 409 with a specific code.
    #[must_use]
    pub fn conflict(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 429.
    #[must_use]
    pub fn rate_limited(retry_after_seconds: u32) -> Self {
        let error = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "error.rate_limited",
            "Too many requests; retry after the seconds in Retry-After.",
        );
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..error
        }
    }

    /// 503: safe to retry; a repeat has no further effect.
    #[must_use]
    pub fn unavailable(inside: impl Display) -> Self {
        Self {
            retry_after_seconds: Some(2),
            inside: Some(inside.to_string().into()),
            ..Self::from_status(StatusCode::SERVICE_UNAVAILABLE)
        }
    }

    /// 500: a defect. The client learns only the correlation id.
    #[must_use]
    pub fn internal(inside: impl Display) -> Self {
        let error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "error.internal",
            "Something went wrong on our side; quote its X-Request-Id when you report it.",
        );
        Self {
            inside: Some(inside.to_string().into()),
            ..error
        }
    }

    /// The same error with the values in its message.
    #[must_use]
    pub fn with_vars(self, vars: Value) -> Self {
        Self {
            vars: Some(Box::new(vars)),
            ..self
        }
    }

    /// The broken rules as answers list them: the first ten, then the number of the others. Each
    /// line is cut at 300 characters, so that no request makes the answer long.
    #[must_use]
    pub fn listed_details(&self) -> Vec<Cow<'_, str>> {
        let most = self.indexes.as_ref().map_or(MAX_DETAILS, |_| MAX_FAULTS);
        let lines = self.details.iter().take(most);
        let mut lines: Vec<Cow<'_, str>> = lines.map(shortened).collect();
        let more = self.details.len() - lines.len();
        if more > 0 {
            lines.push(format!("and {more} more").into());
        }
        lines
    }

    /// The index of the list's entry that this line of the details is about.
    #[must_use]
    pub fn index(&self, line: usize) -> Option<usize> {
        self.indexes
            .as_ref()?
            .get(line)
            .copied()
            .filter(|_| line < MAX_FAULTS)
    }
}

/// Most problems that one error lists.
const MAX_DETAILS: usize = 10;
/// Most problems that one error lists for the entries of a list, so that each entry has its own.
const MAX_FAULTS: usize = 100;
/// Longest line about a problem, in Unicode scalar values. Lines may repeat text of the request.
const MAX_DETAIL_CHARS: usize = 300;

fn shortened(line: &String) -> Cow<'_, str> {
    // Cut between characters, because a slice inside one panics.
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
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(problems: Vec<String>) -> Vec<String> {
        let error = ApiError::validation(problems);
        let lines = error.listed_details().into_iter();
        lines.map(Cow::into_owned).collect()
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
