//! Request bodies: read whole, within limits of size and time, and parsed as JSON.

use super::{ApiError, BODY_TIMEOUT};
use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde_json::{Map, Value};

/// The whole body, at most `limit_bytes`.
///
/// # Errors
/// 413 above the limit, 408 when it takes too long, 400 when it ends early.
pub async fn read(body: Body, limit_bytes: usize) -> Result<Bytes, ApiError> {
    // The head announces too much, so refuse before reading anything.
    if body.size_hint().lower() > limit_bytes as u64 {
        return Err(ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit_bytes).collect()).await {
        Err(_) => Err(ApiError::from_status(StatusCode::REQUEST_TIMEOUT)),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE))
        }
        Ok(Err(_)) => Err(ApiError::from_status(StatusCode::BAD_REQUEST)),
    }
}

/// Checks that a body may be read as JSON: `application/json`, `text/plain` (which
/// `navigator.sendBeacon` sends without a preflight) or no type at all.
///
/// # Errors
/// 415 for every other type.
pub fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or_default();
    // Parameters, such as the charset, do not matter.
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let json = essence.is_empty() || essence == "text/plain" || essence == "application/json";
    if json {
        Ok(())
    } else {
        Err(ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
    }
}

/// The JSON object in a body.
///
/// # Errors
/// 400 for invalid JSON, and for JSON that is not an object.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::validation(vec![
            "the body must be a JSON object".to_owned(),
        ])),
        Err(error) => Err(ApiError::validation(vec![format!(
            "the body is not valid JSON: {error}"
        )])),
    }
}
