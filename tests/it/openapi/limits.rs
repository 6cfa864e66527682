//! Used-up limits and unavailable parts, as the document describes them.

use super::checker::Checker;
use crate::workspaces::objects::make_key;
use kit::{System, SystemBuilder};
use reqwest::Method;
use runtime::throttle::setting_name;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn every_route_with_a_limit_reports_when_it_is_used_up() {
    let mut builder = SystemBuilder::default().set("RATE_LIMITS", "on");
    let limits = api::published_limits().into_iter().map(|limit| limit.route);
    for route in limits.chain([ingest::limits::FLOOD, ingest::limits::BATCH]) {
        builder = builder.set(&setting_name(route), "1/3600");
    }
    let system = builder.start().await;
    let checker = Checker::new(&system);
    let token = system.client.creator("ada").await.token;
    let scopes = ["analytics:read", "links:read", "links:write"];
    let (_, key) = make_key(&system.client, &token, &scopes).await;
    let id = Uuid::from_u128(1).to_string();
    let mut throttled = 0;
    for (template, method, operation) in checker.operations() {
        if operation["responses"]["429"].is_null() {
            continue;
        }
        let parts = template.split(['{', '}']).enumerate();
        let path: String = parts
            .map(|(index, part)| if index % 2 == 1 { &*id } else { part })
            .collect();
        let ask = async || {
            let body = if method == Method::GET {
                Value::Null
            } else {
                json!({"events": [{}]})
            };
            if path.starts_with("/link/") {
                let request = system.client.request(method.clone(), &path);
                return checker.send(request.header("X-API-KEY", &key)).await;
            }
            checker.ask(method.clone(), &path, Some(&token), body).await
        };
        // The limit is one: the first request may get any response, the second exceeds the limit.
        ask().await;
        let answer = ask().await;
        assert_eq!(answer.status, 429, "{method} {path}: {}", answer.text);
        assert_eq!(answer.headers["x-ratelimit-remaining"], "0");
        throttled += 1;
    }
    assert!(throttled > 25, "{throttled}");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beacon_that_cannot_be_stored_gets_a_retry_after() {
    if kit::log::is_given() {
        eprintln!("skipped: the cluster is not ours to stop");
        return;
    }
    let mut system = System::start().await;
    let creator = system.client.creator("ada").await;
    let session = system.client.session(creator.page, "v").await;
    system.log.stop().await;
    let checker = Checker::new(&system);
    let post = async |path: &str, body: Value| checker.ask(Method::POST, path, None, body).await;
    let view = json!({"sessionId": session});
    let member = json!({"type": "pageview", "sessionId": session});
    let (alone, batch) = futures::join!(
        post("/api/v1/analytics/pageview", view),
        post("/api/v1/analytics/events", json!({"events": [member]})),
    );
    assert_eq!(alone.error().2, "error.service_unavailable");
    assert_eq!(batch.data()["results"][0]["status"], "retry");
    assert!(batch.headers.contains_key("retry-after"));
    system.stop().await;
}
