//! Reads the body of a beacon or batch into a JSON object: inflates, bounds and repairs it.
//!
//! The one rule: a limit holds for the bytes received and for the inflated bytes.

use crate::accept::json;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use flate2::read::MultiGzDecoder;
use runtime::http::{ApiError, body};
use serde_json::{Map, Value};
use std::io::Read;

pub(crate) use runtime::http::body::check_type;

/// Reads the whole body: at most `limit_bytes`, before and after inflation.
///
/// # Errors
/// 415 for a `Content-Encoding` other than `gzip` and `identity`, 413 above the limit, 408 when the
/// body takes too long, 400 when it breaks off or does not match its encoding.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit_bytes: usize,
) -> Result<Bytes, ApiError> {
    let gzip = is_gzip(headers)?;
    let bytes = body::read(body, limit_bytes).await?;
    // An empty body has nothing to inflate, although some client libraries send the header.
    if !gzip || bytes.is_empty() {
        return Ok(bytes);
    }
    inflate(&bytes, limit_bytes).map(Bytes::from)
}

/// True for a body that must be inflated. A second gzip coding is an error.
fn is_gzip(headers: &HeaderMap) -> Result<bool, ApiError> {
    let mut gzip = false;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for coding in value.to_str().unwrap_or("?").split(',').map(str::trim) {
            match coding.to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                // RFC 9110, section 8.4.1.3: both names mean the same.
                "gzip" | "x-gzip" if !gzip => gzip = true,
                _ => {
                    let error = ApiError::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
                    return Err(ApiError {
                        message: "Send the body uncompressed, or compressed once with gzip.".into(),
                        ..error
                    });
                }
            }
        }
    }
    Ok(gzip)
}

fn inflate(bytes: &[u8], limit_bytes: usize) -> Result<Vec<u8>, ApiError> {
    let mut inflated = Vec::new();
    // One byte above the limit proves that the body is longer.
    let most = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
    let mut reader = MultiGzDecoder::new(bytes).take(most.saturating_add(1));
    if reader.read_to_end(&mut inflated).is_err() {
        return Err(ApiError::validation(vec![
            "the body is not valid gzip".to_owned(),
        ]));
    }
    if inflated.len() > limit_bytes {
        return Err(ApiError::from_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(inflated)
}

/// Parses the JSON object in a body, see [`json::parse`].
///
/// # Errors
/// 400 when the body is not JSON, or not an object.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match json::parse(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::validation(vec![
            "the body must be a JSON object".to_owned(),
        ])),
        Err(error) => Err(ApiError::validation(vec![format!(
            "the body is not JSON: {error}"
        )])),
    }
}

/// True when a body is empty, or has only white space and a byte order mark.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(json::BYTE_ORDER_MARK).unwrap_or(bytes);
    bytes.trim_ascii().is_empty()
}
