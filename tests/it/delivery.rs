//! From a beacon to the reports: which beacons arrive, which count, and the effect of a retry.

use ingest::outcome::Outcome;
use jiff::SignedDuration;
use kit::{System, oracle};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn beacons_reach_all_three_reports_with_the_expected_numbers() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let other = client.creator("bob").await;
    let shop = client.link(&creator, "Shop", "https://shop.example").await;
    let blog = client
        .link(&creator, "Blog", "https://blog.example/a?b=c")
        .await;
    let referrers = [
        None,
        Some("https://www.instagram.com/p/1"),
        Some("https://instagram.com"),
        Some("https://l.wl.co/l?u=x"),
        Some("not a url"),
        Some("https://news.ycombinator.com:443/item?id=1"),
        Some("HTTPS://WWW.YouTube.com/watch"),
    ];
    for (index, referrer) in referrers.iter().cycle().take(40).enumerate() {
        let mut body = client.session_body(creator.page, &format!("visitor {}", index % 11));
        body["referrer"] = json!(referrer);
        let session = client.post("/api/v1/analytics/session", &body).await.id();
        client.view(session, None).await;
        if index % 3 == 0 {
            client
                .view(session, Some(if index % 2 == 0 { shop } else { blog }))
                .await;
        }
        if index % 10 == 0 {
            client.view(session, Some(Uuid::from_u128(77))).await;
        }
        system.clock.advance(SignedDuration::from_mins(53));
    }
    let elsewhere = client.session(other.page, "visitor 0").await;
    client.view(elsewhere, Some(shop)).await;
    system.settle().await;

    oracle::assert_reports(&system, &creator).await;
    oracle::assert_reports(&system, &other).await;
    let overview = client.report(&creator, "overview").await;
    assert_eq!(overview["totalViews"], 40 + 14 + 4);
    assert_eq!(overview["uniqueVisitors"], 11);
    assert_eq!(overview["totalClicks"], 18);
    let links = client.report(&creator, "links").await;
    assert_eq!(links["links"].as_array().unwrap().len(), 3);
    let traffic = client.report(&creator, "traffic").await;
    assert_eq!(traffic["sources"][0]["source"], "direct");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_traffic_has_empty_reports() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let overview =
        json!({"totalViews": 0, "uniqueVisitors": 0, "totalClicks": 0, "ctr": 0, "days": 30});
    assert_eq!(system.client.report(&creator, "overview").await, overview);
    assert_eq!(
        system.client.report(&creator, "traffic").await,
        json!({"sources": []})
    );
    assert_eq!(
        system.client.report(&creator, "links").await,
        json!({"links": [], "totalViews": 0})
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_id_three_times_counts_once_and_gets_the_same_answer() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let mut session_body = client.session_body(creator.page, "v");
    session_body["eventId"] = json!(Uuid::from_u128(1));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(
            client
                .post("/api/v1/analytics/session", &session_body)
                .await
                .id(),
        );
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let view_body = json!({"sessionId": ids[0], "eventId": Uuid::from_u128(2)});
    let mut views = Vec::new();
    for _ in 0..3 {
        views.push(
            client
                .post("/api/v1/analytics/pageview", &view_body)
                .await
                .id(),
        );
        let beat = json!({"eventId": Uuid::from_u128(3)});
        client
            .post(
                &format!("/api/v1/analytics/session/{}/heartbeat", ids[0]),
                &beat,
            )
            .await
            .assert_ok();
    }
    assert!(views.iter().all(|id| *id == views[0]), "{views:?}");
    system.settle().await;

    let overview = client.report(&creator, "overview").await;
    assert_eq!(
        (&overview["totalViews"], &overview["uniqueVisitors"]),
        (&json!(1), &json!(1))
    );
    let row: (i32, i32, f64) = session_state(&system, ids[0]).await;
    assert_eq!(row, (1, 1, 30.0));
    assert_eq!(
        system.log.read(schemas::topics::EVENTS).await.len(),
        9,
        "the log may hold the retries"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_arrives_before_its_session_waits_and_counts_when_the_session_arrives() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let mut session_body = client.session_body(creator.page, "v");
    session_body["type"] = json!("session");
    session_body["eventId"] = json!(Uuid::from_u128(1));
    // An event may name its session or view by the `eventId` of a beacon that has not been sent
    // yet.
    let token = client.tracking_token(creator.page);
    let early = json!({"events": [
        {"type": "leave", "pageviewEventId": Uuid::from_u128(2), "bioPageId": creator.page, "trackingToken": token,
         "duration": 12.5, "eventId": Uuid::from_u128(3)},
        {"type": "pageview", "sessionEventId": Uuid::from_u128(1), "bioPageId": creator.page, "trackingToken": token,
         "eventId": Uuid::from_u128(2)},
    ]});
    // The page is new: until ingest learns of it, the client gets a 503 and retries.
    loop {
        let answer = client.post("/api/v1/analytics/events", &early).await.data();
        match answer["results"][1]["status"].as_str() {
            Some("retry") => {}
            status => {
                assert_eq!(status, Some("ok"), "{answer}");
                break;
            }
        }
    }
    system.settle().await;
    assert_eq!(client.report(&creator, "overview").await["totalViews"], 0);

    client
        .post(
            "/api/v1/analytics/events",
            &json!({"events": [session_body]}),
        )
        .await
        .assert_ok();
    system.settle().await;
    let overview = client.report(&creator, "overview").await;
    assert_eq!(
        (&overview["totalViews"], &overview["uniqueVisitors"]),
        (&json!(1), &json!(1))
    );
    oracle::assert_reports(&system, &creator).await;
    let duration: f64 = sqlx::query_scalar("SELECT duration_seconds FROM sessions")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(duration.to_bits(), 12.5f64.to_bits());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeats_leaves_and_users_change_the_session_as_the_contract_says() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let session = client.session(creator.page, "v").await;
    let first = client.view(session, None).await;
    system.clock.advance(SignedDuration::from_millis(10_499));
    let second = client.view(session, None).await;
    client.leave(second, 7.25).await.assert_ok();
    system.settle().await;
    assert_eq!(
        session_state(&system, session).await,
        (0, 2, 17.25),
        "back-filled 10 s and left after 7.25 s"
    );

    client.leave(first, 1.5).await.assert_ok();
    client.heartbeat(session).await.assert_ok();
    client.heartbeat(session).await.assert_ok();
    let path = format!("/api/v1/analytics/session/{session}/identify");
    for user in ["one", "two"] {
        system.clock.advance(SignedDuration::from_secs(1));
        let request = client
            .request(Method::PATCH, &path)
            .bearer_auth(client.token(user));
        assert_eq!(client.send(request).await.data(), json!({"ok": true}));
    }
    system.settle().await;
    assert_eq!(session_state(&system, session).await, (2, 2, 60.0));
    let bound: Vec<u8> = sqlx::query_scalar("SELECT user_hash FROM sessions")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    let hashes = identified(&system).await;
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(bound, hashes[1], "the later user counts");
    let bounced: bool = sqlx::query_scalar("SELECT bounced FROM sessions")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert!(!bounced);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_and_no_raw_id_is_in_the_log_or_any_table() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let session = client.session(creator.page, "raw-visitor-id").await;
    client.view(session, None).await;
    let path = format!("/api/v1/analytics/session/{session}/identify");
    client
        .send(
            client
                .request(Method::PATCH, &path)
                .bearer_auth(client.token("raw-user-id")),
        )
        .await
        .assert_ok();
    let track = json!({"event": "signup", "sessionId": session, "properties": {"step": 2}});
    client
        .post_as(
            &client.token("raw-user-id"),
            "/api/v1/analytics/track",
            &track,
        )
        .await
        .assert_ok();
    system.settle().await;

    let mut haystack = String::new();
    for topic in [
        schemas::topics::EVENTS,
        schemas::topics::DIRECTORY,
        schemas::topics::DEAD_LETTERS,
    ] {
        for record in system.log.read(topic).await {
            haystack.push_str(&record.key);
            haystack.push_str(&String::from_utf8_lossy(&record.payload));
        }
    }
    assert!(haystack.contains("session.started") && haystack.contains("custom.tracked"));
    for table in [
        "seen",
        "hits",
        "custom_events",
        "waiting",
        "sessions",
        "log_partitions",
    ] {
        let statement = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} AS t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_one(&system.analytics)
            .await
            .unwrap();
        haystack.push_str(&text);
    }
    for secret in [
        "127.0.0.1",
        "raw-visitor-id",
        "raw-user-id",
        "7261772d",
        "Mozilla/5.0",
    ] {
        assert!(!haystack.contains(secret), "{secret} is stored");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_beacon_ends_in_exactly_one_outcome() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let session = client.session(creator.page, "v").await;
    client.view(session, None).await;
    client.heartbeat(Uuid::from_u128(5)).await.assert_ok();
    let mut refused = client.session_body(creator.page, "v");
    refused["consentAnalytics"] = json!("denied");
    assert_eq!(
        client
            .post("/api/v1/analytics/session", &refused)
            .await
            .data()["id"],
        Value::Null
    );
    assert_eq!(
        client
            .post("/api/v1/analytics/session", &json!({}))
            .await
            .status,
        400
    );
    assert_eq!(
        client
            .post("/api/v1/analytics/track", &json!({"event": "x"}))
            .await
            .status,
        401
    );
    let outcomes = &system.outcomes;
    let sums = [
        Outcome::Accepted,
        Outcome::Forged,
        Outcome::Refused,
        Outcome::Invalid,
        Outcome::Unauthorized,
    ]
    .map(|outcome| outcomes.sum(outcome));
    assert_eq!(sums, [2, 1, 1, 1, 1]);
    assert_eq!(outcomes.total(), 6);
    system.finish().await;
}

/// The users of the log's `session.identified` events, in the order of the log.
async fn identified(system: &System) -> Vec<Vec<u8>> {
    let records = system.log.read(schemas::topics::EVENTS).await;
    let events = records
        .iter()
        .map(|record| schemas::Event::from_bytes(&record.payload).unwrap())
        .filter(|event| event.body.kind() == schemas::Kind::SessionIdentified);
    let users = events.map(|event| event.visitor.unwrap().user_hash.unwrap());
    users.map(|user| user.0.to_vec()).collect()
}

/// Heartbeats, views and duration of a session.
pub async fn session_state(system: &System, session: Uuid) -> (i32, i32, f64) {
    sqlx::query_as(
        "SELECT heartbeats, page_views, duration_seconds FROM sessions WHERE session_id = $1",
    )
    .bind(session)
    .fetch_one(&system.analytics)
    .await
    .unwrap()
}
