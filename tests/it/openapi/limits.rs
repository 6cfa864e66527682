//! Used-up limits, unavailable parts and heads that are too large, as the document describes them.

use super::checker::Checker;
use crate::{noise::redirect::exchange, workspaces::objects::make_key};
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
        // A page tells of too many wrong passwords, which is no limit of a route.
        let spent = checker.resolve(&operation["responses"]["429"]);
        if spent["content"]["application/json"].is_null() {
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
async fn every_operation_refuses_a_long_address_and_a_large_head_as_documented() {
    let system = System::start().await;
    let checker = Checker::new(&system);
    for (template, method, operation) in checker.operations() {
        let path = template.replace(['{', '}'], "");
        let long = format!("{path}?x={}", "x".repeat(9_000));
        let request = system.client.request(method.clone(), &long);
        let answer = checker.send(request).await;
        assert_eq!(answer.status, 414, "{method} {path}: {}", answer.text);
        assert_eq!(answer.headers["cache-control"], "private, no-store");
        let documented = checker.resolve(&operation["responses"]["431"]);
        assert!(documented["description"].is_string(), "{method} {path}");
        assert_eq!(documented.get("content"), None);
    }
    // Sent as bytes: the connection ends while the client still sends.
    let address = system.client.address().parse().unwrap();
    let large = "x".repeat(100_000);
    let many = "X-Many: a\r\n".repeat(101);
    for (target, fields) in [
        (format!("/api/links?x={large}"), String::new()),
        ("/api/links".to_owned(), format!("X-Large: {large}\r\n")),
        ("/api/links".to_owned(), many),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        let answer = exchange(address, head.as_bytes()).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
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
