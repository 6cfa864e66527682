//! `GET /`: a page for browsers, and the same as JSON for programs.

use super::docs::page_policy;
use crate::{
    http::{Prepared, accept::Wishes, ok},
    openapi::{Document, Operation, list, object, page::STYLE, required, text},
};
use askama::Template;
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use tracing::error;

const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// A route that the page links to.
#[derive(Clone, Copy, Debug, Serialize)]
struct Link {
    path: &'static str,
    about: &'static str,
}

const DOCS: [Link; 3] = [
    Link {
        path: "/docs",
        about: "every route, with examples",
    },
    Link {
        path: "/openapi.json",
        about: "the same for programs, as an OpenAPI document",
    },
    Link {
        path: "/schemas",
        about: "JSON Schemas of the events in the log",
    },
];
const STATE: [Link; 3] = [
    Link {
        path: "/health",
        about: "whether the process is running",
    },
    Link {
        path: "/ready",
        about: "whether it can serve, and what is missing",
    },
    Link {
        path: "/metrics",
        about: "counters and times, for Prometheus",
    },
];

/// Describes the program at this address.
#[derive(Clone, Copy, Debug, Template)]
#[template(path = "home.html")]
pub struct Home {
    /// The program's name for people.
    pub program: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Whether `/docs` exists.
    pub has_docs: bool,
}

impl Home {
    const fn style() -> &'static str {
        STYLE
    }

    const fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn links(&self) -> impl Iterator<Item = Link> {
        let docs = DOCS.into_iter().filter(|_| self.has_docs);
        docs.chain(STATE)
    }
}

/// The route.
pub fn router(home: Home) -> Router {
    let html = home.render().unwrap_or_else(|failure| {
        error!("the page at / cannot be written: {failure}");
        String::new()
    });
    let page = Prepared::new(HTML, html);
    let policy = page_policy();
    let show = move |headers: HeaderMap| async move {
        let mut response = if wants_page(&headers) {
            let mut response = page.answer(&headers, CACHE);
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            headers.insert(
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            );
            response
        } else {
            ([(header::CACHE_CONTROL, CACHE)], told(home)).into_response()
        };
        // Page and JSON have one address, so a cache must keep them apart.
        let vary = HeaderValue::from_static("accept");
        response.headers_mut().append(header::VARY, vary);
        response
    };
    Router::new().route("/", get(show))
}

#[derive(Serialize)]
struct Told {
    program: &'static str,
    version: &'static str,
    about: &'static str,
    links: Vec<Link>,
}

fn told(home: Home) -> Response {
    ok(Told {
        program: home.program,
        version: Home::version(),
        about: home.about,
        links: home.links().collect(),
    })
}

/// Browsers list HTML and prefer it; programs accept anything or ask for JSON.
fn wants_page(headers: &HeaderMap) -> bool {
    let wishes = Wishes::read(headers, &header::ACCEPT);
    let page = wishes.weight(&["text/html", "text/*"]).unwrap_or(0.0);
    let json = wishes.weight(&["application/json", "application/*", "*/*"]);
    page > 0.0 && page >= json.unwrap_or(0.0)
}

/// Describes the route.
pub(super) fn describe(document: &mut Document, tag: &'static str) {
    let link = object([
        required("path", text(usize::MAX).example("/docs")),
        required("about", text(usize::MAX)),
    ]);
    let told = object([
        required("program", text(usize::MAX).example("Footfall")),
        required("version", text(usize::MAX)),
        required("about", text(usize::MAX)),
        required("links", list(link)),
    ]);
    document.add(
        Operation::new(Method::GET, "/", tag, "show_home")
            .summary("Names the program and its links: as a page for browsers, as JSON for others.")
            .answers(
                StatusCode::OK,
                "The program, its version and its links.",
                told,
            )
            .answer_header("Cache-Control", true, text(usize::MAX)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SeededIds, SystemClock,
        http::{
            Surfaces,
            finish::{Finisher, finish},
        },
        plain_dialect::Plain,
    };
    use axum::{body::Body, http::Request, middleware::from_fn_with_state};
    use http_body_util::BodyExt;
    use std::sync::Arc;
    use tower::ServiceExt;

    async fn ask(home: Home, accept: Option<&str>) -> (HeaderMap, String) {
        let mut request = Request::get("/");
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        let request = request.body(Body::empty()).unwrap();
        let finisher = Finisher {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SeededIds::new(1)),
            surfaces: Surfaces::new(&Plain),
        };
        let router = router(home).layer(from_fn_with_state(finisher, finish));
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (parts.headers, String::from_utf8(body).unwrap())
    }

    const HOME: Home = Home {
        program: "Footfall",
        about: "Analytics for bio pages & short links.",
        has_docs: true,
    };

    #[tokio::test]
    async fn browsers_get_a_page_and_programs_get_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let (headers, page) = ask(HOME, Some(browser)).await;
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
        for part in [
            "<h1>Footfall</h1>",
            "bio pages &#38; short links",
            "href=\"/docs\"",
            "href=\"/health\"",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let none_of_it = "text/html;q=0, */*";
        let json_first = "application/json, text/html;q=0.9";
        for accept in [
            None,
            Some("*/*"),
            Some("application/json"),
            Some("text/html;q=0"),
            Some("text/html; Q=0.000"),
            Some(none_of_it),
            Some(json_first),
        ] {
            let (headers, text) = ask(HOME, accept).await;
            assert_eq!(headers["content-type"], "application/json");
            let told: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(told["response"]["program"], "Footfall");
            assert_eq!(told["response"]["links"][0]["path"], "/docs");
        }
        for accept in ["text/*", "text/html;q=0.5, application/json;q=0.4"] {
            let (headers, _) = ask(HOME, Some(accept)).await;
            assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        }
        let varies: Vec<_> = headers.get_all("vary").iter().collect();
        assert_eq!(varies, ["accept-encoding", "accept"]);
    }

    #[tokio::test]
    async fn a_program_without_docs_does_not_link_to_them() {
        let home = Home {
            has_docs: false,
            ..HOME
        };
        let (_, page) = ask(home, Some("text/html")).await;
        assert!(!page.contains("/docs") && page.contains("/ready"), "{page}");
    }
}
