//! `GET /@{username}` and `GET /@{username}/{slug}`: shows a page as HTML.
//!
//! Owns the document around a page's body: the parts that are new in each response (nonce, tracking
//! token), and the policy for browsers. The one rule: nothing runs, loads or is styled without the
//! nonce.

use super::{
    Public,
    body::Body,
    name::PageName,
    page::{self, PublicPage},
};
use crate::app::App;
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use runtime::http::ApiError;
use schemas::{PageId, tracker, tracking_token};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

#[derive(Template)]
#[template(path = "page.html")]
struct Document<'a> {
    body: &'a Body,
    nonce: &'a str,
    page_id: Uuid,
    tracking_token: &'a str,
    tracker_path: &'static str,
    asks_consent: bool,
    canonical: &'a str,
}

/// The page of that name, with the tracker.
pub(super) async fn show_page(
    State(public): State<Arc<Public>>,
    name: PageName,
) -> Result<Response, ApiError> {
    let page = page::find(&public, &name).await?;
    let app = &public.app;
    let now = app.clock.now();
    let token = tracking_token::make(&public.tracking, PageId(page.page.id), now);
    let (html, policy) = document(&page, now, &nonce(app), &token, &public.origin)?;
    // Each response has its own nonce and token, so no cache may reuse it unasked.
    let no_cache = HeaderValue::from_static("no-cache");
    let headers = [
        (header::CONTENT_TYPE, HTML),
        (header::CACHE_CONTROL, no_cache),
    ];
    let mut response = (headers, html).into_response();
    set_security_headers(response.headers_mut(), policy);
    Ok(response)
}

/// A page as HTML, with its content security policy.
pub(super) fn document(
    public: &PublicPage,
    now: Timestamp,
    nonce: &str,
    tracking_token: &str,
    origin: &str,
) -> Result<(String, String), ApiError> {
    let body = public.body(now, origin)?;
    let page = &public.page;
    let canonical = if page.is_first {
        format!("{origin}/@{}", page.username)
    } else {
        format!("{origin}/@{}/{}", page.username, page.slug)
    };
    let document = Document {
        body: &body,
        nonce,
        page_id: page.id,
        tracking_token,
        tracker_path: tracker::versioned_path(),
        // Every value but `assumed` asks, so that a new one cannot skip the question.
        asks_consent: page.consent != "assumed",
        canonical: &canonical,
    };
    let html = document.render().map_err(ApiError::internal)?;
    let hosts: BTreeSet<&str> = body.player_hosts().collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    Ok((html, csp(nonce, &hosts, page.embed_enabled)))
}

/// A new nonce for each response.
pub(super) fn nonce(app: &App) -> String {
    format!("{:032x}", u128::from_be_bytes(app.ids.random_16()))
}

/// The content security policy of a page: content with the nonce, its own images and beacons, and
/// players from these hosts, which load only when a visitor asks for them.
pub(super) fn csp(nonce: &str, player_hosts: &[&str], embed_enabled: bool) -> String {
    let frames = if player_hosts.is_empty() {
        "'none'".to_owned()
    } else {
        let hosts = player_hosts.iter().map(|host| format!("https://{host}"));
        hosts.collect::<Vec<_>>().join(" ")
    };
    let ancestors = if embed_enabled { "*" } else { "'none'" };
    format!(
        "default-src 'none'; img-src 'self'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
         connect-src 'self'; frame-src {frames}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
}

/// The headers of every page: the policy, and a referrer policy that gives other sites only the
/// origin. `X-Content-Type-Options` is set on every answer.
pub(super) fn set_security_headers(headers: &mut HeaderMap, policy: String) {
    // Nonces are hexadecimal and hosts are our own, so the policy is always a valid header.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin-when-cross-origin"),
    );
    headers.insert(
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    );
}
