//! The tracker's routes: one path that is always the newest, one for each version.
//!
//! The one rule: only the path that names this very text may be kept. Asked for another version, as
//! happens while instances are replaced one by one, it gives this one, for now.

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use runtime::{
    http::{ApiError, cors, etag},
    openapi::{Document, Operation, text},
};
use schemas::tracker;
use tower_http::compression::CompressionLayer;

const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
/// Pages that isolate themselves (COEP) may load it as well.
const RESOURCE_POLICY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderValue::from_static("cross-origin"),
);
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The routes, for every origin.
pub(crate) fn router() -> Router {
    let open = |methods: MethodRouter| {
        methods
            .layer(CompressionLayer::new())
            .layer(from_fn(cors::beacons))
    };
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
    // Weak: the same text, whatever it is compressed with.
    let tag = format!("W/\"{}\"", tracker::version());
    let tag = HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static(""));
    let known = etag::is_known(headers, &tag);
    let headers = [
        (header::CACHE_CONTROL, cache),
        RESOURCE_POLICY,
        (header::ETAG, tag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, JAVASCRIPT)];
        (headers, kind, tracker::text()).into_response()
    }
}

/// Describes the routes.
pub(crate) fn describe(document: &mut Document, tag: &'static str) {
    let known =
        || text(usize::MAX).about("Tags of what the client has already; 304 when one fits.");
    let script = |path: &str, id: &str| {
        Operation::new(Method::GET, path, tag, id)
            .header_parameter("If-None-Match", known())
            .answers_as(
                StatusCode::OK,
                "The script.",
                "text/javascript",
                text(usize::MAX).example("…"),
            )
            .answers_nothing(StatusCode::NOT_MODIFIED, "The client has it already.")
            .answer_header("ETag", true, text(usize::MAX))
            .answer_header("Cache-Control", true, text(usize::MAX))
    };
    let newest = script(tracker::PATH, "send_newest").summary("The tracker, always the newest.");
    document.add(newest);
    let file = text(usize::MAX).with("pattern", "^[0-9a-f]{16}\\.js$");
    document.add(
        script(&versioned(), "send_version")
            .summary("The tracker of a version, to be kept where it is this one.")
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

    /// The script's whole budget on the wire; docs/TRACKER.md promises it.
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
    async fn the_newest_is_asked_for_again_and_the_named_one_is_kept() {
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
    async fn who_has_it_is_told_so() {
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
    async fn it_is_small_on_the_wire() {
        let (_, headers, body) = get(tracker::PATH, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["vary"], "accept-encoding");
        assert!(body.len() <= MAX_GZIP_BYTES, "{} bytes", body.len());
    }
}
