//! `/health` (the process lives), `/ready` (it can serve), `/metrics` (Prometheus text).

use super::ok;
use crate::Readiness;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};

/// The three routes.
pub fn router(readiness: Readiness, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/health", get(|| async { ok(json!({ "status": "ok" })) }))
        .route("/ready", get(get_ready).with_state(readiness))
        .route("/metrics", get(get_metrics).with_state(metrics))
}

async fn get_ready(State(readiness): State<Readiness>) -> Response {
    let parts: Map<String, Value> = readiness
        .parts()
        .into_iter()
        .map(|(part, missing)| {
            (
                part.to_owned(),
                Value::from(missing.unwrap_or_else(|| "ready".to_owned())),
            )
        })
        .collect();
    let ready = readiness.is_ready();
    let body = Json(json!({ "success": ready, "data": { "ready": ready, "parts": parts } }));
    if ready {
        return body.into_response();
    }
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
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
