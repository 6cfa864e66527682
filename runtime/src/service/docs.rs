//! `GET /openapi.json` and `GET /docs`: the document for programs and for people.
//!
//! Both are made and compressed once, at the first request.

use super::json_schemas;
use crate::{
    http::{Prepared, cors},
    openapi::{
        Document, Operation, any_object,
        page::{self, STYLE},
        text,
    },
};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::from_fn,
    response::Response,
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::{Arc, LazyLock};
use tracing::error;

/// Clients see a new version after at most five minutes, and send its tag before they fetch it
/// again.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

type Made = LazyLock<Texts, Box<dyn FnOnce() -> Texts + Send>>;

struct Texts {
    json: Prepared,
    html: Prepared,
}

/// The two routes, and those of the JSON Schemas. The page's examples send requests to `base`.
pub fn router(document: impl FnOnce() -> Value + Send + 'static, base: String) -> Router {
    let texts: Made = LazyLock::new(Box::new(move || Texts::new(&document(), &base)));
    Router::new()
        .route(
            "/openapi.json",
            get(get_document).layer(from_fn(cors::beacons)),
        )
        .route("/docs", get(show_docs))
        .with_state(Arc::new(texts))
        .merge(json_schemas::router())
}

/// Describes the two routes.
pub(super) fn describe(document: &mut Document, tag: &'static str) {
    let known = || text(usize::MAX).about("ETags of the client's copies; 304 if one matches.");
    let answers = |operation: Operation, about, media_type, schema| {
        operation
            .header_parameter("If-None-Match", known())
            .answers_as(StatusCode::OK, about, media_type, schema)
            .answers_nothing(StatusCode::NOT_MODIFIED, "The client's copy is current.")
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
            error!("cannot render the page about the routes: {failure}");
            String::new()
        });
        Self {
            json: Prepared::new(JSON, json),
            html: Prepared::new(HTML, html),
        }
    }
}

/// The content security policy of a page with [`STYLE`] in it: nothing else is loaded, run or sent.
pub(super) fn page_policy() -> HeaderValue {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(STYLE))
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(""))
}

async fn get_document(State(texts): State<Arc<Made>>, headers: HeaderMap) -> Response {
    texts.json.answer(&headers, CACHE)
}

async fn show_docs(State(texts): State<Arc<Made>>, headers: HeaderMap) -> Response {
    let mut response = texts.html.answer(&headers, CACHE);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, page_policy());
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}
