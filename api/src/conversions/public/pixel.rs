//! `GET /api/conversions/pixel.gif`: a picture on a shop's last page reports a conversion.

use super::{of_query, receive};
use crate::{app::App, extract::Query};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use runtime::http::ApiError;
use schemas::events::ConversionSource;
use std::sync::Arc;

/// A transparent picture of one pixel.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// Records a conversion of a click. The answer is always the picture, because a page can do nothing
/// about an error; the outcome is in the metric. It is not cached, so that every order is seen.
pub(super) async fn send_pixel(
    State(app): State<Arc<App>>,
    method: Method,
    query: Result<Query, ApiError>,
) -> Response {
    if method != Method::HEAD {
        match query {
            Ok(query) => drop(receive(&app, ConversionSource::Pixel, of_query(&query), None).await),
            Err(_) => super::count(ConversionSource::Pixel, "invalid"),
        }
    }
    picture()
}

/// Answers with the picture where the guard refused: a page can do nothing about that either.
pub(super) async fn as_picture(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status().is_success() {
        return response;
    }
    let outcome = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => "throttled",
        status if status.is_client_error() => "invalid",
        _ => "failed",
    };
    super::count(ConversionSource::Pixel, outcome);
    picture()
}

fn picture() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/gif")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, GIF).into_response()
}
