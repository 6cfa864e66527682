//! `GET /openapi.json` and `GET /docs`: the document for programs and for people.
//!
//! Both are made once, when they are first asked for.

use super::{
    Document, Operation,
    page::{self, STYLE},
    schema::{any_object, text},
};
use crate::http::{cors, etag};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use tower_http::compression::CompressionLayer;
use tracing::error;

/// A new version is seen after five minutes at most, and asked for by its tag before it is sent.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

type Made = LazyLock<Texts, Box<dyn FnOnce() -> Texts + Send>>;

struct Texts {
    json: String,
    json_tag: HeaderValue,
    html: String,
    html_tag: HeaderValue,
    policy: HeaderValue,
}

/// The two routes. `base` is what the page's examples send requests to.
pub fn router(document: impl FnOnce() -> Value + Send + 'static, base: String) -> Router {
    let texts: Made = LazyLock::new(Box::new(move || Texts::new(&document(), &base)));
    Router::new()
        .route(
            "/openapi.json",
            get(get_document).layer(from_fn(cors::beacons)),
        )
        .route("/docs", get(show_docs))
        .layer(CompressionLayer::new())
        .with_state(Arc::new(texts))
}

/// Describes the two routes.
pub(super) fn describe(document: &mut Document, tag: &'static str) {
    let known =
        || text(usize::MAX).about("Tags of what the client has already; 304 when one fits.");
    let answers = |operation: Operation, about, media_type, schema| {
        operation
            .header_parameter("If-None-Match", known())
            .answers_as(StatusCode::OK, about, media_type, schema)
            .answers_nothing(StatusCode::NOT_MODIFIED, "The client has it already.")
            .answer_header("ETag", true, text(usize::MAX))
            .answer_header("Cache-Control", true, text(usize::MAX))
    };
    let json =
        Operation::new(Method::GET, "/openapi.json", tag, "get_document").summary("This document.");
    document.add(answers(
        json,
        "An OpenAPI 3.1 document.",
        "application/json",
        any_object(),
    ));
    let html = Operation::new(Method::GET, "/docs", tag, "show_docs")
        .summary("This document as a page for people.");
    let page = text(usize::MAX).example("<!doctype html>…");
    document.add(answers(html, "A page.", "text/html", page));
}

impl Texts {
    fn new(document: &Value, base: &str) -> Self {
        let json = document.to_string();
        let html = page::render(document, base).unwrap_or_else(|failure| {
            error!("the page about the routes cannot be written: {failure}");
            String::new()
        });
        // The style sheet stands in the page; nothing else is loaded, run or sent by it.
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            STANDARD.encode(Sha256::digest(STYLE))
        );
        Self {
            json_tag: etag::of(json.as_bytes()),
            json,
            html_tag: etag::of(html.as_bytes()),
            html,
            policy: HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("")),
        }
    }
}

async fn get_document(State(texts): State<Arc<Made>>, headers: HeaderMap) -> Response {
    answer(&headers, &texts.json_tag, JSON, &texts.json)
}

async fn show_docs(State(texts): State<Arc<Made>>, headers: HeaderMap) -> Response {
    let mut response = answer(&headers, &texts.html_tag, HTML, &texts.html);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, texts.policy.clone());
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

fn answer(headers: &HeaderMap, tag: &HeaderValue, kind: HeaderValue, text: &str) -> Response {
    let known = etag::is_known(headers, tag);
    let headers = [(header::CACHE_CONTROL, CACHE), (header::ETAG, tag.clone())];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, kind)], text.to_owned()).into_response()
}
