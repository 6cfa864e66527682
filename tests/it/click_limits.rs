//! Click limits in a whole system: what was counted outlives ingest.

use crate::{
    clicks::{open, until_folded},
    program,
};
use kit::{Client, System, home::Home, system::PATIENCE};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Opens a link as a person. Nothing about them is recorded, so each of these clicks counts.
async fn status(client: &Client, host: &str) -> u16 {
    let answer = open(client, host, "/limited", &[("sec-gpc", "1")]).await;
    answer.status.as_u16()
}

/// Opens a link as a machine, which takes no click, until it has this status.
async fn until_status(client: &Client, host: &str, wanted: u16) {
    let begun = Instant::now();
    loop {
        let machine = [("user-agent", "Twitterbot/1.0")];
        let answer = open(client, host, "/limited", &machine).await;
        if answer.status == wanted {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", answer.status);
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until that many clicks of a link are published.
async fn until_published(main: &PgPool, link: Uuid, wanted: i32) {
    let begun = Instant::now();
    loop {
        let found: (i32, bool) = sqlx::query_as(
            "SELECT clicks_used, EXISTS (SELECT FROM outbox) FROM links WHERE id = $1",
        )
        .bind(link)
        .fetch_one(main)
        .await
        .unwrap();
        if found == (wanted, false) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn main_of(run: &Value) -> PgPool {
    let url = run["databaseUrl"].as_str().unwrap();
    PgPool::connect(url).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_does_not_give_the_clicks_of_a_limit_again() {
    let folder = Home::new();
    let host = "127.0.0.1";
    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    let client = program::client(&run);
    let ada = client.creator("ada").await;
    let body = json!({"destinationUrl": "https://shop.example/", "shortCode": "limited", "clicksLimit": 3});
    let answer = client.post_as(&ada.token, "/api/links", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let link = answer.id();
    until_status(&client, host, 302).await;
    for _ in 0..2 {
        assert_eq!(status(&client, host).await, 302);
    }
    let main = main_of(&run).await;
    until_published(&main, link, 2).await;
    main.close().await;
    program.kill();

    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    let client = program::client(&run);
    assert_eq!(status(&client, host).await, 302);
    assert_eq!(status(&client, host).await, 410);
    let main = main_of(&run).await;
    until_published(&main, link, 3).await;
    main.close().await;
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_before_a_limit_count_and_a_raised_limit_opens_the_link() {
    const HOST: &str = "footfall.test";
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({"destinationUrl": "https://shop.example/", "shortCode": "limited"});
    let link = client.post_as(&ada.token, "/api/links", &body).await.id();
    let limit = async |limit: Value| {
        let path = format!("/api/links/{link}");
        let body = json!({ "clicksLimit": limit });
        client.patch_as(&ada.token, &path, &body).await.assert_ok();
    };
    crate::clicks::until_known(&system, "limited").await;
    for rows in 1..=2 {
        assert_eq!(status(client, HOST).await, 302);
        until_folded(&system.analytics, link, rows).await;
    }
    limit(json!(2)).await;
    until_status(client, HOST, 410).await;
    limit(json!(4)).await;
    until_status(client, HOST, 302).await;
    assert_eq!(status(client, HOST).await, 302);
    until_published(&system.main, link, 3).await;
    assert_eq!(status(client, HOST).await, 302);
    assert_eq!(status(client, HOST).await, 410);
    until_published(&system.main, link, 4).await;
    // Without the limit nothing is counted.
    limit(Value::Null).await;
    until_status(client, HOST, 302).await;
    system.finish().await;
}
