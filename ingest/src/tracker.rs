//! Serves the tracker script: one path for the newest version, and one path per version.
//!
//! The one rule: only the path of this build's own version may be cached for ever. During a rolling
//! upgrade, clients may ask for another version. They get this one, marked to be revalidated.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use runtime::{
    http::{ApiError, Prepared, cors},
    openapi::{Document, Operation, text},
};
use schemas::tracker;
use std::sync::LazyLock;

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// Lets pages that isolate themselves (COEP) load the script.
const RESOURCE_POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderValue::from_static("cross-origin"),
);
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Builds the routes, open to every origin.
pub(crate) fn router() -> Router {
    let open = |methods: MethodRouter| methods.layer(from_fn(cors::beacons));
    Router::new()
        .route(tracker::PATH, open(get(send_newest)))
        .route(&versioned(), open(get(send_version)))
}

async fn send_newest(headers: HeaderMap) -> Response {
    script(&headers, ASK_AGAIN)
}

async fn send_version(Path(file): Path<String>, headers: HeaderMap) -> Response {
    if !tracker::is_version_file(&file) {
        return ApiError::from_status(StatusCode::NOT_FOUND).into_response();
    }
    let same = file.strip_suffix(".js") == Some(tracker::version());
    script(&headers, if same { KEEP } else { ASK_AGAIN })
}

fn script(headers: &HeaderMap, cache: HeaderValue) -> Response {
    static SCRIPT: LazyLock<Prepared> =
        LazyLock::new(|| Prepared::new(JAVASCRIPT, tracker::text()));
    let mut response = SCRIPT.answer(headers, cache);
    let (name, value) = RESOURCE_POLICY;
    response.headers_mut().insert(name, value);
    response
}

/// Describes the routes in the OpenAPI document.
pub(crate) fn describe(document: &mut Document, tag: &'static str) {
    let known = || text(usize::MAX).about("ETags of the client's copies; 304 if one matches.");
    let script = |path: &str, id: &str| {
        Operation::new(Method::GET, path, tag, id)
            .header_parameter("If-None-Match", known())
            .answers_as(
                StatusCode::OK,
                "The script.",
                "text/javascript",
                text(usize::MAX).example("…"),
            )
            .answers_nothing(StatusCode::NOT_MODIFIED, "The client's copy is current.")
            .answer_header("ETag", true, text(usize::MAX))
            .answer_header("Cache-Control", true, text(usize::MAX))
    };
    let newest = script(tracker::PATH, "send_newest").summary("The tracker, always the newest.");
    document.add(newest);
    let file = text(usize::MAX).with("pattern", "^[0-9a-f]{16}\\.js$");
    document.add(
        script(&versioned(), "send_version")
            .summary(
                "The tracker under its version; only the current version may be cached for ever.",
            )
            .path_parameter("file", file.example(format!("{}.js", tracker::version())))
            .refuses([ApiError::from_status(StatusCode::NOT_FOUND)]),
    );
}

fn versioned() -> String {
    format!("{}{{file}}", tracker::VERSIONED_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    /// The size limit of the compressed script, as docs/TRACKER.md promises.
    const MAX_GZIP_BYTES: usize = 3 * 1024 + 256;

    async fn get(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        (parts.status, parts.headers, body)
    }

    #[tokio::test]
    async fn the_newest_path_is_revalidated_and_the_versioned_path_is_cached() {
        let (status, headers, body) = get(tracker::PATH, &[]).await;
        assert_eq!((status, body), (StatusCode::OK, tracker::text().into()));
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");

        let (status, headers, body) = get(tracker::versioned_path(), &[]).await;
        assert_eq!((status, body), (StatusCode::OK, tracker::text().into()));
        assert_eq!(
            headers["cache-control"],
            "public, max-age=31536000, immutable"
        );

        let (status, headers, _) = get("/footfall-0123456789abcdef.js", &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["cache-control"], "no-cache");
        for path in [
            "/footfall-x.js",
            "/footfall-0123456789abcdef.css",
            "/footfall.css",
        ] {
            assert_eq!(get(path, &[]).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn a_client_that_has_the_script_gets_304() {
        let (_, headers, _) = get(tracker::PATH, &[]).await;
        let tag = headers["etag"].to_str().unwrap().to_owned();
        let strong = tag.trim_start_matches("W/").to_owned();
        for known in [&tag, &strong, &format!("\"other\", {tag}"), "*"] {
            let (status, headers, body) = get(tracker::PATH, &[("if-none-match", known)]).await;
            assert_eq!(
                (status, body.len()),
                (StatusCode::NOT_MODIFIED, 0),
                "{known}"
            );
            assert_eq!(headers["etag"], tag.as_str());
            assert_eq!(headers["access-control-allow-origin"], "*");
        }
        let (status, ..) = get(tracker::PATH, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn the_compressed_script_is_small() {
        let (_, headers, body) = get(tracker::PATH, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(body.len() <= MAX_GZIP_BYTES, "{} bytes", body.len());
    }
}
