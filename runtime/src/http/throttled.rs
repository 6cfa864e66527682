//! Rate limits in HTTP: the 429 answer and the `X-RateLimit-*` headers.

use super::ApiError;
use crate::throttle::Standing;
use axum::{
    http::HeaderValue,
    response::{IntoResponse, Response},
};

/// The 429 for a key that has spent its limit.
#[must_use]
pub fn refuse(route: &'static str, standing: Standing) -> Response {
    metrics::counter!("http_throttled_total", "route" => route).increment(1);
    let response = ApiError::rate_limited(standing.retry_after_seconds).into_response();
    with_headers(response, standing)
}

/// Adds `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds since 1970) to an answer.
#[must_use]
pub fn with_headers(mut response: Response, standing: Standing) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(standing.limit));
    headers.insert(
        "x-ratelimit-remaining",
        HeaderValue::from(standing.remaining),
    );
    headers.insert(
        "x-ratelimit-reset",
        HeaderValue::from(standing.reset_epoch_seconds),
    );
    response
}
