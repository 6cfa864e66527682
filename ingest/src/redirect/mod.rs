//! Redirects short URLs from memory: `GET` and `HEAD` of `/{shortCode}`, and `POST` of a password.
//!
//! Owns the HTTP around [`decide`]. It answers only paths that no route of the program has, so a
//! code never hides a page or a route. The one rule: the answer waits for nothing; the click goes
//! to the log afterwards.

mod answer;
mod apps;
mod click;
pub mod code;
pub mod decide;
mod facts;
mod headers;
pub mod host;
mod limits;
mod openapi;
mod outcome;
mod own;
mod pages;
mod password;
pub(crate) mod past;
pub mod query;
mod recent;
pub mod splice;
mod state;

pub use facts::{RequestFacts, Shown};
pub use limits::{ClickLimits, Limit};
pub(crate) use openapi::describe;
pub use outcome::{ClickOutcomes, Outcome};
pub use password::Passwords;
pub use state::Redirects;

use crate::{accept::Acceptor, directory::Found, intake::Intake, request::Seen, sink::Outgoing};
use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{self, HeaderName},
        request::Parts,
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use click::{Clicked, Request as ClickRequest};
use code::Asked;
use decide::{Decision, Question, Record, decide};
use headers::NEVER_KEEP;
use outcome::Ticket;
use password::Tried;
use query::Wishes;
use runtime::http::Peer;
use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Instant};
use tracing::warn;

/// The path of short URLs, for the OpenAPI document.
pub const PATH: &str = "/{shortCode}";

/// The methods of a short URL.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET,HEAD");
/// Those of one with a password.
const ALLOWED_WITH_PASSWORD: HeaderValue = HeaderValue::from_static("GET,HEAD,POST");

/// Seconds after which a blocked address may try again.
const TRY_AGAIN: HeaderValue = HeaderValue::from_static("900");

/// The model of a browser's device.
const DEVICE_MODEL: HeaderName = HeaderName::from_static("sec-ch-ua-model");

/// Puts the short URLs of an instance around all routes of a program.
pub fn around(router: Router, redirects: &Arc<Redirects>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(redirects), open_link))
}

/// Answers a request whose path no route has, if it is a short URL.
async fn open_link(
    State(redirects): State<Arc<Redirects>>,
    request: Request,
    next: Next,
) -> Response {
    let intake = &redirects.intake;
    if request.extensions().get::<MatchedPath>().is_some() {
        return next.run(request).await;
    }
    let is_read = [Method::GET, Method::HEAD].contains(request.method());
    let host = requested_host(intake, &request).map(Cow::into_owned);
    if let Some(host) = &host
        && is_read
        && let Some(answer) = own::answer(intake.directory(), host, request.uri().path())
    {
        return answer;
    }
    let Some(asked) = Asked::read(request.uri().path()) else {
        return next.run(request).await;
    };
    let started = Instant::now();
    let directory = intake.directory();
    let found = host.and_then(|host| {
        let found = directory.short_link(&host, asked.codes())?;
        Some((host, found))
    });
    let has_password = found
        .as_ref()
        .is_some_and(|(_, found)| hash(found).is_some());
    let is_try = has_password && request.method() == Method::POST;
    if !is_read && !is_try {
        return refuse_method(has_password);
    }
    let (parts, body) = request.into_parts();
    let wants_html = wants_html(&parts.headers);
    let Some((host, found)) = found else {
        return unknown(
            &redirects,
            Request::from_parts(parts, body),
            next,
            wants_html,
        )
        .await;
    };
    let acceptor = intake.acceptor();
    let (asking, address) = Asking::of(&redirects, &acceptor, &parts, &found);
    let mut decision = asking.decide(false);
    let mut body = Some(body);
    if is_try && matches!(decision, Decision::Locked) {
        let hash = hash(&found).unwrap_or_default();
        let form = body.take().unwrap_or_default();
        let link = (&*found.link, hash);
        let tried = redirects.passwords.try_form(intake, link, address, form);
        match tried.await {
            Ok(Tried::Right) => decision = asking.decide(true),
            Ok(tried) => return refuse_password(tried, &found),
            Err(error) => return never_keep(error.into_response()),
        }
    }
    let Some(mut answer) = answer::write(&decision, &found, (&host, wants_html)) else {
        let request = Request::from_parts(parts, body.unwrap_or_default());
        return unknown(&redirects, request, next, wants_html).await;
    };
    if parts.method == Method::HEAD {
        *answer.body_mut() = Body::empty();
    }
    let micros = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
    settle(&redirects, decision, &found, || asking.owned(host, micros));
    redirects.outcomes.seconds.record(started.elapsed());
    answer
}

/// One request for a link, from which facts are made as often as it is decided.
struct Asking<'a> {
    redirects: &'a Redirects,
    acceptor: &'a Acceptor,
    found: &'a Found,
    seen: Seen<'a>,
    texts: [Option<Cow<'a, str>>; 3],
    parts: &'a Parts,
    at: jiff::Timestamp,
}

impl<'a> Asking<'a> {
    fn of(
        redirects: &'a Redirects,
        acceptor: &'a Acceptor,
        parts: &'a Parts,
        found: &'a Found,
    ) -> (Self, IpAddr) {
        let intake = &*redirects.intake;
        let seen = Seen::of(intake, parts);
        // `to_str` would drop a text with bytes that are not ASCII.
        let text = |name: HeaderName| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()))
        };
        let address = seen.address;
        let asking = Self {
            redirects,
            acceptor,
            found,
            seen,
            texts: [
                text(header::REFERER),
                text(header::ACCEPT_LANGUAGE),
                text(DEVICE_MODEL),
            ],
            parts,
            at: intake.now(),
        };
        (asking, address)
    }

    fn shown(&self) -> Shown<'_> {
        let [referrer, language, model] = &self.texts;
        Shown {
            at: self.at,
            address: self.seen.address,
            user_agent: self.seen.user_agent.as_deref(),
            model: model.as_deref(),
            referrer: referrer.as_deref(),
            language: language.as_deref(),
            query: self.parts.uri.query(),
            wants_privacy: wants_privacy(&self.parts.headers),
        }
    }

    fn decide(&self, has_password: bool) -> Decision {
        let (intake, found) = (&self.redirects.intake, self.found);
        let enricher = self.acceptor.enricher();
        let facts = RequestFacts::new(self.shown(), enricher, found.workspace_id);
        let mut wishes = Wishes::read(self.parts.uri.query());
        wishes.is_untracked |= self.parts.headers.contains_key("x-no-track");
        let question = Question {
            is_head: self.parts.method == Method::HEAD,
            is_ahead: self.seen.is_ahead(),
            has_password,
            wishes,
            facts: &facts,
            limits: &self.redirects.limits,
            elapsed: intake.elapsed(),
        };
        let mint = || {
            let random = intake.ids().random_16();
            let ids = self.acceptor.ids();
            ids.click(found.link.workspace_no, self.at, random)
        };
        decide(question, found, &mint)
    }

    /// What the event of the click needs, after the request is gone.
    fn owned(&self, host: String, redirect_micros: u32) -> ClickRequest {
        let shown = self.shown();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        ClickRequest {
            at: shown.at,
            address: shown.address,
            user_agent: owned(shown.user_agent),
            model: owned(shown.model),
            referrer: owned(shown.referrer),
            language: owned(shown.language),
            query: owned(shown.query),
            host,
            visitor_id: None,
            wants_privacy: shown.wants_privacy,
            redirect_micros,
        }
    }
}

/// The host of a request, normalised. A request for a whole address has it there.
fn requested_host<'a>(intake: &Intake, request: &'a Request) -> Option<Cow<'a, str>> {
    let peer = request.extensions().get::<Peer>();
    let given = request.uri().host();
    host::normalised(given.or_else(|| intake.host(peer, request.headers()))?)
}

fn hash(found: &Found) -> Option<&str> {
    let settings = found.link.settings.as_ref()?;
    settings.given.password_hash.as_deref()
}

/// Global Privacy Control or Do Not Track.
fn wants_privacy(headers: &HeaderMap) -> bool {
    ["sec-gpc", "dnt"].iter().any(|name| {
        let value = headers.get(*name);
        value.is_some_and(|value| value.as_bytes().trim_ascii() == b"1")
    })
}

/// A browser asks for a page. Programs ask for anything.
fn wants_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    let mut texts = values.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.to_ascii_lowercase().contains("text/html"))
}

/// Counts a request, and sends its click to the log in a task of its own, which a stop of the
/// program waits for.
fn settle(
    redirects: &Redirects,
    decision: Decision,
    found: &Found,
    request: impl FnOnce() -> ClickRequest,
) {
    let Some(record) = decision.record() else {
        let outcome = match decision {
            Decision::Locked => Outcome::Locked,
            _ => Outcome::Closed,
        };
        redirects.outcomes.add(outcome);
        return;
    };
    if record == Record::Nothing {
        redirects.outcomes.add(Outcome::Untracked);
        return;
    }
    let clicked = match decision {
        Decision::Open(opened) => Clicked::opened(opened),
        _ => Clicked::unopened(record, found),
    };
    let (request, found) = (request(), found.clone());
    let ticket = Ticket::new(Arc::clone(&redirects.outcomes));
    let owner = Arc::clone(&redirects.intake);
    redirects.intake.deliver_later(async move {
        let link = found.link.link_id;
        let event = click::event(&owner.acceptor(), owner.ids(), &found, request, clicked);
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
                warn!(link.id = %link, "a click of link {link} is lost: {lost}");
                ticket.settle(Outcome::Lost);
            }
        }
    });
}

/// Lets the other routes answer; a browser gets a page instead of their 404.
async fn unknown(
    redirects: &Redirects,
    request: Request,
    next: Next,
    wants_html: bool,
) -> Response {
    redirects.outcomes.add(Outcome::Unknown);
    let is_head = request.method() == Method::HEAD;
    let mut answer = next.run(request).await;
    if wants_html && answer.status() == StatusCode::NOT_FOUND {
        answer = pages::unknown();
        if is_head {
            *answer.body_mut() = Body::empty();
        }
    }
    never_keep(answer)
}

/// Answers a password that is not accepted.
fn refuse_password(tried: Tried, found: &Found) -> Response {
    let settings = found.link.settings.as_ref();
    let title = settings.and_then(|settings| settings.given.title.as_deref());
    let page = |status, complaint| pages::password(status, title, Some(complaint));
    match tried {
        Tried::Blocked => {
            let complaint = "Too many wrong passwords. Try again in a quarter of an hour.";
            let mut answer = page(StatusCode::TOO_MANY_REQUESTS, complaint);
            answer.headers_mut().insert(header::RETRY_AFTER, TRY_AGAIN);
            answer
        }
        Tried::Busy => answer::later(),
        Tried::Wrong | Tried::Right => page(StatusCode::FORBIDDEN, "This is not the password."),
    }
}

fn refuse_method(has_password: bool) -> Response {
    let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
    let allowed = if has_password {
        ALLOWED_WITH_PASSWORD
    } else {
        ALLOWED
    };
    response.headers_mut().insert(header::ALLOW, allowed);
    never_keep(response)
}

fn never_keep(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NEVER_KEEP);
    response
}
