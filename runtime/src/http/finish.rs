//! The outermost layer: gives each request a correlation id, and each answer its body.
//!
//! Every answer passes through here, where failures are logged and requests counted. The body is
//! written in the dialect of the request's path.

use super::{ApiError, Dialect, Surfaces, cors, reply};
use crate::{Clock, IdSource, metrics::NO_ROUTE};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};
use tracing::{Instrument, error, info_span, warn};
use uuid::Uuid;

/// Header with the correlation id, in requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Header with an API key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// The id that links an answer, its error body and its log lines.
#[derive(Clone, Copy, Debug)]
pub struct CorrelationId(pub Uuid);

/// The dependencies of the layer.
#[derive(Clone, Debug)]
pub struct Finisher {
    /// For fresh correlation ids.
    pub clock: Arc<dyn Clock>,
    /// For fresh correlation ids.
    pub ids: Arc<dyn IdSource>,
    /// The dialect of each path.
    pub surfaces: Surfaces,
}

/// Gives each request a correlation id and each answer its body. A UUID in the request's
/// `X-Request-Id` becomes its correlation id. A handler that panics is answered 500.
pub async fn finish(finisher: State<Finisher>, request: Request, next: Next) -> Response {
    around(finisher, request, |request| next.run(request)).await
}

/// [`finish`] around any handler.
pub(super) async fn around<F: Future<Output = Response>>(
    State(finisher): State<Finisher>,
    mut request: Request,
    handle: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let dialect = finisher.surfaces.of(request.uri().path());
    // Read now, because the handler consumes the request.
    let bearer = [header::AUTHORIZATION, API_KEY];
    let bearer = bearer
        .iter()
        .any(|name| request.headers().contains_key(name));
    let given = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let id: Uuid = given.unwrap_or_else(|| finisher.ids.uuid_v7(finisher.clock.now()));
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(NO_ROUTE, MatchedPath::as_str);
    let route: Arc<str> = Arc::from(route);
    let span = info_span!("http.request", request.id = %id, http.route = %route);
    request.extensions_mut().insert(CorrelationId(id));

    // An uncaught panic would end the connection without an answer.
    let answered = AssertUnwindSafe(handle(request))
        .catch_unwind()
        .instrument(span.clone())
        .await;
    let response =
        answered.unwrap_or_else(|_| ApiError::internal("the handler panicked").into_response());
    let mut response = span.in_scope(|| render(response, id, dialect));
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    if bearer || is_error {
        // A cache must not pass one caller's answer to another, and without a policy it may keep
        // 404, 405, 410 and 414 as long as it likes. Routes may set a policy of their own.
        let headers = response.headers_mut();
        headers.entry(header::CACHE_CONTROL).or_insert(PRIVATE);
    }

    let class = match response.status().as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("http_requests_total", "route" => Arc::clone(&route), "status" => class)
        .increment(1);
    metrics::histogram!("http_request_seconds", "route" => route)
        .record(started.elapsed().as_secs_f64());
    response
}

fn render(mut response: Response, id: Uuid, dialect: &dyn Dialect) -> Response {
    let text = id.to_string();
    if let Some(body) = reply::take(&mut response, dialect) {
        write(&mut response, body);
    }
    let told = response
        .extensions_mut()
        .remove::<Box<ApiError>>()
        .map(|error| *error);
    let status = response.status();
    // Routers answer 404 and 405 with an empty body. Any other error without a body gets one too.
    let told = told.or_else(|| {
        let bare = status.is_client_error() || status.is_server_error();
        let ours = response.headers().contains_key(header::CONTENT_TYPE);
        (bare && !ours).then(|| ApiError::from_status(status))
    });
    if let Some(error) = told {
        match (&error.inside, error.status) {
            (Some(inside), StatusCode::INTERNAL_SERVER_ERROR) => error!("request failed: {inside}"),
            (Some(inside), _) => warn!("request answered {}: {inside}", error.status.as_u16()),
            (None, _) => {}
        }
        *response.status_mut() = error.status;
        if error.status == StatusCode::UNAUTHORIZED {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, dialect.challenge());
        }
        // Routes for people have written their error as a page already.
        if !response.headers().contains_key(header::CONTENT_TYPE) {
            let body = dialect.error(&error, &text).to_string();
            write(&mut response, body.into_bytes());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    cors::expose(&mut response);
    response
}

/// Gives an answer this JSON as its body.
fn write(response: &mut Response, body: Vec<u8>) {
    let headers = response.headers_mut();
    // The router has set the length of the empty body.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, JSON);
    *response.body_mut() = Body::from(body);
}
