//! Writes a decision as an HTTP answer.

use super::{
    decide::{Decision, Way},
    headers::{NEVER_KEEP, NO_INDEX, ROBOTS},
    pages,
};
use crate::directory::Found;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};

/// Asks browsers for the model of the device, which their agents no longer name. They send it from
/// their next visit on.
const ACCEPT_HINTS: HeaderName = HeaderName::from_static("accept-ch");
const HINTS: HeaderValue = HeaderValue::from_static("Sec-CH-UA-Model");
/// Seconds after which a browser that fetched ahead may ask again.
const AGAIN: HeaderValue = HeaderValue::from_static("1");

/// The answer; `None` for an unknown link, which other routes may know.
pub(super) fn write(
    decision: &Decision,
    found: &Found,
    (host, wants_html): (&str, bool),
) -> Option<Response<Body>> {
    let settings = found.link.settings.as_ref();
    let given = settings.map(|settings| &settings.given);
    let title = given.and_then(|given| given.title.as_deref());
    Some(match decision {
        Decision::Unknown => return None,
        Decision::Closed(why) => pages::closed(*why, title, wants_html),
        Decision::Locked => pages::password(StatusCode::OK, title, None),
        Decision::Later(_) => later(),
        Decision::Preview(_) => {
            let url = format!("https://{host}/{}", found.link.short_code);
            pages::preview(&url, given?.preview.as_ref()?)
        }
        Decision::Open(opened) => match &opened.way {
            Way::Redirect(status, location) => {
                let mut response = empty(*status);
                let location = location.clone();
                response.headers_mut().insert(header::LOCATION, location);
                response.headers_mut().insert(ACCEPT_HINTS, HINTS);
                response
            }
            Way::Wait { url, seconds } => pages::wait(url, *seconds),
            Way::App { app, fallback } => pages::app(app, fallback),
            Way::Nowhere => empty(StatusCode::NO_CONTENT),
        },
    })
}

/// Safe to ask again in a second.
pub(super) fn later() -> Response<Body> {
    let mut response = empty(StatusCode::SERVICE_UNAVAILABLE);
    response.headers_mut().insert(header::RETRY_AFTER, AGAIN);
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NEVER_KEEP);
    headers.insert(ROBOTS, NO_INDEX);
    response
}
