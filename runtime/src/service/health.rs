//! `/health` (the process runs), `/ready` (it can serve), `/metrics` (Prometheus text).

use crate::{
    Readiness,
    http::ok,
    openapi::{Document, Operation, any_object, constant, object, required, text, whole},
};
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

/// The three routes.
pub fn router(readiness: Readiness, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health", get(|| async { ok(json!({ "status": "ok" })) }))
        .route("/ready", get(get_ready).with_state(readiness))
        .route("/metrics", get(get_metrics).with_state(metrics))
}

async fn get_ready(State(readiness): State<Readiness>) -> Response {
    let parts = readiness.texts();
    let ready = readiness.is_ready();
    let mut response = ok(json!({ "ready": ready, "parts": parts }));
    if ready {
        return response;
    }
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

async fn get_metrics(State(handle): State<PrometheusHandle>) -> Response {
    handle.run_upkeep();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], handle.render()).into_response()
}

/// Describes the three routes.
pub(super) fn describe(document: &mut Document, tag: &'static str) {
    let get = |path, id| Operation::new(Method::GET, path, tag, id);
    let alive = object([required("status", constant("ok"))]);
    document.add(
        get("/health", "get_health")
            .summary("Whether the process runs.")
            .answers(StatusCode::OK, "It runs.", alive),
    );
    let parts = any_object()
        .with(
            "additionalProperties",
            serde_json::Value::from(text(usize::MAX)),
        )
        .about("What each part lacks; `ready` when it lacks nothing, `ready, but ...` when only some of its work is affected.")
        .example(json!({ "log": "ready", "main database": "ready" }));
    let standing = |ready: bool| {
        object([
            required("ready", constant(ready)),
            required("parts", parts.clone()),
        ])
    };
    document.add(
        get("/ready", "get_ready")
            .summary("Whether the program can serve, part by part.")
            .answers(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not yet; retry after the seconds in `Retry-After`.",
                standing(false),
            )
            .answer_header("Retry-After", true, whole(1..=1))
            .answers(StatusCode::OK, "It can.", standing(true)),
    );
    let metrics = text(usize::MAX).example("# TYPE http_requests_total counter\n…");
    document.add(
        get("/metrics", "get_metrics")
            .summary("Metrics for Prometheus.")
            .answers_as(StatusCode::OK, "Prometheus text.", "text/plain", metrics),
    );
}
