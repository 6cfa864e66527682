//! CORS: any page may send beacons; only listed origins may use routes with a Bearer.
//!
//! Not `tower-http`'s layer, which answers a preflight with 200 instead of 204, and lists methods
//! and headers even for origins that may not call.

use crate::{Settings, settings::Setting};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-encoding, content-type, x-api-key, x-request-id, x-workspace-id",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "content-disposition, retry-after, x-request-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset",
);
/// How long a browser may remember the answer to a preflight: one day.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

pub(super) const ORIGINS: Setting = Setting::new(
    "CORS_ORIGINS",
    "none",
    "origins whose pages may call routes with a Bearer, separated by commas",
);

/// Origins whose pages may call routes with a Bearer.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<Vec<HeaderValue>>);

impl Origins {
    /// Reads `CORS_ORIGINS`.
    pub fn read(settings: &mut Settings) -> Self {
        let mut origins = Vec::new();
        for origin in settings.text(ORIGINS).unwrap_or_default().split(',') {
            // Browsers send an origin without a slash at its end.
            let origin = origin.trim().trim_end_matches('/');
            if origin.is_empty() {
                continue;
            }
            // Browsers send an origin with its scheme, so one without a scheme would never match.
            let scheme = origin.starts_with("https://") || origin.starts_with("http://");
            match HeaderValue::from_str(origin) {
                Ok(value) if scheme => origins.push(value),
                _ => settings.problem(
                    ORIGINS,
                    format!("contains {origin:?}; give origins such as https://app.example.com"),
                ),
            }
        }
        Self(Arc::new(origins))
    }
}

/// For beacons: any origin, no credentials.
pub async fn beacons(request: Request, next: Next) -> Response {
    let preflight = is_preflight(&request);
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    if preflight {
        allow(response.headers_mut());
    }
    response
}

/// For routes with a Bearer: the listed origins.
pub async fn bearer(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = request
        .headers()
        .get(header::ORIGIN)
        .filter(|origin| origins.0.contains(origin))
        .cloned();
    let preflight = is_preflight(&request);
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // Without an origin too: a cache must not give that answer to a listed origin.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            allow(headers);
        }
    }
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
}

fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
}

/// Exposes an answer's headers to pages that may read the answer.
pub(super) fn expose(response: &mut Response) {
    if response
        .headers()
        .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
