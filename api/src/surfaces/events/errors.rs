//! The errors of the events API.

use axum::http::StatusCode;
use runtime::http::ApiError;
use serde_json::json;
use std::borrow::Cow;

/// 400 for a request to the events API that breaks a rule.
pub(super) fn invalid(rule: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError {
        message: rule.into(),
        ..ApiError::bad_request("events.invalid", "")
    }
}

/// 400 for members of a body on the events API that break rules. `error` has the problems.
pub(super) fn body_invalid(error: ApiError) -> ApiError {
    ApiError {
        code: "events.body_invalid",
        message: "Members of the body are invalid; see details.".into(),
        ..error
    }
}

/// 400 on the events API for a code that another link has, or had in another workspace.
pub(super) fn code_taken() -> ApiError {
    invalid("shortCode is taken: choose another one.")
}

/// 402 on the events API for one more link than the plan allows.
pub(super) fn quota_exceeded(max: u32) -> ApiError {
    let refused = ApiError::forbidden(
        "events.quota_exceeded",
        "The plan of this workspace allows no more links.",
    );
    ApiError {
        status: StatusCode::PAYMENT_REQUIRED,
        ..refused
    }
    .with_vars(json!({ "kind": "quota_exceeded", "quota": "links", "limit": max }))
}

/// 429 for a key that has spent the limit of a scope.
pub(super) fn scope_spent(scope: &'static str, per_minute: u32, retry_after: u32) -> ApiError {
    ApiError {
        code: "events.rate_limited",
        message: "Rate limit exceeded".into(),
        ..ApiError::rate_limited(retry_after)
    }
    .with_vars(json!({
        "kind": "rate_limit_exceeded",
        "scope": scope,
        "limitPerMin": per_minute,
        "retryAfterSeconds": retry_after,
    }))
}
