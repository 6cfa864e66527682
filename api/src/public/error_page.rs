//! Error pages for people, below `/@`.
//!
//! The one rule: the answer keeps the error itself, so that it is logged like any other.

use super::html::{HTML, csp, nonce, set_security_headers};
use crate::app::App;
use askama::Template;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use runtime::http::{ApiError, finish::CorrelationId};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    nonce: &'a str,
    status: u16,
    title: &'static str,
    text: &'static str,
    /// The id that a person quotes; only for errors on our side.
    id: Option<Uuid>,
}

/// Writes every error of these routes as a page.
pub(super) async fn as_page(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let id = request.extensions().get::<CorrelationId>().copied();
    let response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if failed {
        write(&app, response, id)
    } else {
        response
    }
}

/// Writes a page into an error's answer; status and headers stay.
pub(super) fn write(app: &App, mut response: Response, id: Option<CorrelationId>) -> Response {
    let status = response.status();
    let nonce = nonce(app);
    let (title, text) = words(status);
    let page = ErrorPage {
        nonce: &nonce,
        status: status.as_u16(),
        title,
        text,
        id: id
            .filter(|_| status.is_server_error())
            .map(|CorrelationId(id)| id),
    };
    let html = match page.render() {
        Ok(html) => html,
        // Without a page, the error goes out in the envelope.
        Err(error) => {
            let told = Box::new(ApiError::internal(error));
            response.extensions_mut().insert(told);
            return response;
        }
    };
    let headers = response.headers_mut();
    // The length was that of the former body.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HTML);
    // No cache may keep an error after its cause is gone.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_security_headers(headers, csp(&nonce, &[], false));
    *response.body_mut() = Body::from(html);
    response
}

/// Title and text for people.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (
            "There is no page here",
            "Perhaps the address has a typing mistake, or the page was taken down.",
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "One moment, please",
            "Many requests came from your network just now. Try again in a minute.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "Back in a moment",
            "The page cannot be shown right now. Try again in a few seconds.",
        ),
        status if status.is_client_error() => {
            ("This does not work here", "This page is read-only.")
        }
        _ => (
            "Something went wrong",
            "The error is on our side. Try again, and tell us if it persists.",
        ),
    }
}
