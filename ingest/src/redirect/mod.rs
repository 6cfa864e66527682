//! Redirects short URLs from memory: `GET` and `HEAD` of `/{shortCode}`.
//!
//! Owns the HTTP around [`decide`]. It answers only paths that no route of the program has, so a
//! code never hides a page or a route. The one rule: the answer waits for nothing; the click goes
//! to the log afterwards.

mod click;
pub mod code;
pub mod decide;
pub mod host;
mod openapi;
mod outcome;
pub mod query;

pub(crate) use openapi::describe;
pub use outcome::{ClickOutcomes, Outcome};

use crate::{directory::Found, intake::Intake, request::Seen, sink::Outgoing};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{self, HeaderName},
        request::Parts,
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use click::Shown;
use code::Asked;
use decide::{Decision, NEVER_KEEP, Question, Record, decide};
use outcome::Ticket;
use query::Wishes;
use runtime::http::Peer;
use std::{borrow::Cow, sync::Arc, time::Instant};
use tracing::warn;

/// The path of short URLs, for the OpenAPI document.
pub const PATH: &str = "/{shortCode}";

/// The methods of a short URL.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET,HEAD");

/// Puts the short URLs of an instance around all routes of a program.
pub fn around(router: Router, intake: &Arc<Intake>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(intake), open_link))
}

/// Answers a request whose path no route has, if it is a short URL.
async fn open_link(State(intake): State<Arc<Intake>>, request: Request, next: Next) -> Response {
    if request.extensions().get::<MatchedPath>().is_some() {
        return next.run(request).await;
    }
    let Some(asked) = Asked::read(request.uri().path()) else {
        return next.run(request).await;
    };
    let started = Instant::now();
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return refuse_method();
    }
    let opened = find(&intake, &request, &asked);
    let (host, found) = opened.unzip();
    let (parts, body) = request.into_parts();
    let seen = Seen::of(&intake, &parts);
    let mut wishes = Wishes::read(parts.uri.query());
    wishes.is_untracked |= parts.headers.contains_key("x-no-track");
    let question = Question {
        is_head: parts.method == Method::HEAD,
        is_ahead: seen.is_ahead(),
        wishes,
    };
    let decision = decide(question, found);
    if let (Some(answer), Decision::Redirect(found, record) | Decision::Later(found, record)) =
        (decision.answer(), decision)
    {
        let micros = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
        let shown = shown(&intake, &parts, &seen, (host.unwrap_or_default(), micros));
        record_click(&intake, found, shown, record);
        intake.clicks().seconds.record(started.elapsed());
        return answer;
    }
    intake.clicks().add(Outcome::Unknown);
    never_keep(next.run(Request::from_parts(parts, body)).await)
}

/// The link of a request, with the host that it was found on.
fn find(intake: &Intake, request: &Request, asked: &Asked<'_>) -> Option<(String, Found)> {
    let host = requested_host(intake, request)?;
    let found = intake.directory().short_link(&host, asked.codes())?;
    Some((host.into_owned(), found))
}

/// The host of a request, normalised. A request for a whole address has it there.
fn requested_host<'a>(intake: &Intake, request: &'a Request) -> Option<Cow<'a, str>> {
    let peer = request.extensions().get::<Peer>();
    let given = request.uri().host();
    host::normalised(given.or_else(|| intake.host(peer, request.headers()))?)
}

fn shown(
    intake: &Intake,
    parts: &Parts,
    seen: &Seen<'_>,
    (host, redirect_micros): (String, u32),
) -> Shown {
    let headers = &parts.headers;
    // `to_str` would drop a text with bytes that are not ASCII.
    let text = |name: HeaderName| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Shown {
        at: intake.now(),
        address: seen.address,
        user_agent: seen.user_agent.as_deref().map(str::to_owned),
        referrer: text(header::REFERER),
        language: text(header::ACCEPT_LANGUAGE),
        query: parts.uri.query().map(str::to_owned),
        host,
        wants_privacy: wants_privacy(headers),
        redirect_micros,
    }
}

/// Global Privacy Control or Do Not Track.
fn wants_privacy(headers: &HeaderMap) -> bool {
    ["sec-gpc", "dnt"].iter().any(|name| {
        let value = headers.get(*name);
        value.is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
    })
}

/// Sends the click to the log in a task of its own, which a stop of the program waits for.
fn record_click(intake: &Arc<Intake>, found: Found, shown: Shown, record: Record) {
    if record == Record::Nothing {
        intake.clicks().add(Outcome::Untracked);
        return;
    }
    let ticket = Ticket::new(Arc::clone(intake.clicks()));
    let owner = Arc::clone(intake);
    intake.deliver_later(async move {
        let known = record.bot_reason();
        let event = click::event(&owner.acceptor(), owner.ids(), &found, shown, known);
        let is_bot =
            matches!(&event.body, schemas::Body::LinkClicked(click) if click.bot_reason.is_some());
        let published = match Outgoing::of(&event) {
            Ok(outgoing) => owner.publish_one(&outgoing).await,
            Err(lost) => Err(lost),
        };
        match published {
            Ok(()) if is_bot => ticket.settle(Outcome::Bot),
            Ok(()) => ticket.settle(Outcome::Recorded),
            Err(lost) => {
                let link = found.link.link_id;
                warn!(link.id = %link, "a click of link {link} is lost: {lost}");
                ticket.settle(Outcome::Lost);
            }
        }
    });
}

fn refuse_method() -> Response {
    let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
    response.headers_mut().insert(header::ALLOW, ALLOWED);
    never_keep(response)
}

fn never_keep(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NEVER_KEEP);
    response
}
