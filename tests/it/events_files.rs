//! Files of the events API, and its limits.

use crate::{
    events_api::{EventsApi, LIST, id},
    random_log::at,
};
use jiff::SignedDuration;
use kit::{Answer, System, SystemBuilder};
use projector::Store;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

/// Many clicks, straight into the tables.
async fn fill(system: &System, rows: u32) {
    let statement = format!(
        "INSERT INTO hits (workspace_no, seq, visible_seq, event_id, occurred_at, received_at, link_id, click_id, trigger,
            short_code, host, destination, referrer, city, region)
        SELECT 1, n, n, lpad(to_hex(n), 32, '0')::uuid, at, at, md5('link')::uuid, md5('click' || n)::uuid, 'link', 'Promo',
            'go.example', 'https://shop.example/', 'https://a.example/' || repeat('x', 200), '-1+cmd', '-12.50'
        FROM generate_series(1, {rows}) AS n, LATERAL (SELECT timestamptz '2027-01-15' + n / 3 * interval '1 second') AS t (at);
        INSERT INTO seen (seq, workspace_no, month, event_id)
        SELECT seq, workspace_no, '2027-01-01', event_id FROM hits;
        ANALYZE hits"
    );
    let store = Store::new(system.analytics.clone());
    store.provide_months([at(0)]).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&system.analytics)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_has_every_event_and_can_be_resumed() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    let window = "from=2027-01-01&to=2027-01-31";
    let empty = api.export(window).await;
    assert_eq!(empty.text, "");
    let empty_csv = api.export(&format!("{window}&format=csv")).await;
    assert!(
        empty_csv
            .text
            .starts_with("eventId,schemaVersion,createdAt,shortCode,")
    );
    assert_eq!(empty_csv.text.lines().count(), 1);

    fill(&system, 12_001).await;
    let name = |answer: &Answer, name: &str| answer.headers[name].to_str().unwrap().to_owned();
    // A state without events stays without them.
    let query = format!("{window}&snapshot={}", name(&empty, "x-snapshot-id"));
    assert_eq!(api.export(&query).await.text, "");

    let whole = api.export(window).await;
    assert_eq!(name(&whole, "content-type"), "application/x-ndjson");
    let disposition = "attachment; filename=\"analytics-2027-01-01_2027-01-31.ndjson\"";
    assert_eq!(name(&whole, "content-disposition"), disposition);
    let lines: Vec<&str> = whole.text.lines().collect();
    assert_eq!(lines.len(), 12_001);
    let parsed = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    for (number, line) in (1u128..).zip(&lines) {
        assert_eq!(parsed(line)["eventId"], id(number));
    }
    let csv = api
        .export(&format!("{window}&format=csv&limit=1&cursor=x"))
        .await;
    assert_eq!(name(&csv, "content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text.matches("\r\n").count(), 12_002);
    let second = csv.text.lines().nth(1).unwrap();
    assert!(
        second.contains(",'-1+cmd,-12.50,") && second.ends_with(",,,"),
        "{second}"
    );

    // Later events are not in the resumed part, and nothing is missing or repeated.
    let later = "INSERT INTO hits (workspace_no, seq, visible_seq, event_id, occurred_at, received_at, link_id, trigger, short_code)
        SELECT 1, 20000, 20000, 'ffffffff-0000-0000-0000-000000000000', '2027-01-15 00:30:00.5', now(), md5('link')::uuid, 'link', 'Promo';
        INSERT INTO seen (seq, workspace_no, month, event_id) VALUES (20000, 1, '2027-01-01', 'ffffffff-0000-0000-0000-000000000000')";
    sqlx::raw_sql(later)
        .execute(&system.analytics)
        .await
        .unwrap();
    let snapshot = name(&whole, "x-snapshot-id");
    for kept in [1, 4_999, 5_000, 5_001, 12_000, 12_001] {
        let last = parsed(lines[kept - 1])["eventId"]
            .as_str()
            .unwrap()
            .to_owned();
        let query = format!("{window}&snapshot={snapshot}&afterEventId={last}");
        let rest = api.export(&query).await;
        assert_eq!(
            rest.text.lines().collect::<Vec<_>>(),
            lines[kept..],
            "{kept}"
        );
        let csv_rest = api.export(&format!("{query}&format=csv")).await;
        assert_eq!(csv_rest.text.lines().count(), 12_001 - kept);
    }
    assert_eq!(api.export(window).await.text.lines().count(), 12_002);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_compressed_when_asked_for_and_a_failure_breaks_it() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    fill(&system, 60_000).await;
    let path = format!("{LIST}/export?from=2027-01-01&to=2027-01-31");
    let request = |encoding: &str| {
        let request = system.client.request(Method::GET, &path);
        request
            .header("X-API-KEY", &api.key)
            .header("Accept-Encoding", encoding)
    };
    for encoding in ["gzip", "zstd"] {
        let response = request(encoding).send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], encoding);
        let bytes = response.bytes().await.unwrap();
        assert!(bytes.len() < 10_000_000, "{encoding}: {}", bytes.len());
    }
    for encoding in ["identity", "gzip"] {
        let mut response = request(encoding).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let first = response.chunk().await.unwrap().unwrap();
        assert!(!first.is_empty());
        sqlx::raw_sql("ALTER TABLE hits RENAME TO gone")
            .execute(&system.analytics)
            .await
            .unwrap();
        let mut ended = response.chunk().await;
        while let Ok(Some(_)) = ended {
            ended = response.chunk().await;
        }
        assert!(ended.is_err(), "{encoding}: the file looks complete");
        sqlx::raw_sql("ALTER TABLE gone RENAME TO hits")
            .execute(&system.analytics)
            .await
            .unwrap();
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_and_scope_has_a_limit_that_instances_share() {
    let system = SystemBuilder::default()
        .without_projector()
        .set("RATE_LIMITS", "on")
        .start()
        .await;
    let api = EventsApi::of(&system).await;
    let other = SystemBuilder::default()
        .without_projector()
        .set("RATE_LIMITS", "on")
        .log(system.log.shared())
        .databases(system.databases.clone())
        .seed(1_000_000)
        .start()
        .await;
    let elsewhere = EventsApi {
        client: other.client.clone(),
        ..api.clone()
    };
    let export = "/export?from=2027-01-01&to=2027-01-31";
    for number in 0..5u32 {
        let instance = if number % 2 == 0 { &api } else { &elsewhere };
        let answer = instance.get(export).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-ratelimit-limit"], "5");
        assert_eq!(
            answer.headers["x-ratelimit-remaining"],
            (4 - number).to_string()
        );
    }
    for instance in [&api, &elsewhere] {
        let refused = instance.get(export).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["retry-after"], "12");
        let expected = json!({"errors": [{
            "code": "SML005",
            "message": "Rate limit exceeded",
            "details": {"kind": "rate_limit_exceeded", "scope": "analytics_export", "limitPerMin": 5, "retryAfterSeconds": 12},
        }]});
        assert_eq!(refused.json(), expected);
    }
    // The other scope has its own.
    assert_eq!(api.get("?since=2027-01-01").await.status, 200);
    system.clock.advance(SignedDuration::from_secs(11));
    assert_eq!(api.get(export).await.headers["retry-after"], "1");
    system.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(api.get(export).await.status, 200);
    assert_eq!(api.get(export).await.status, 429);
    // Invalid requests spend too.
    for _ in 0..30 {
        api.get("?since=x").await;
    }
    assert_eq!(api.refused("?since=x").await.0, 429);
    other.stop().await;
    system.finish().await;
}
