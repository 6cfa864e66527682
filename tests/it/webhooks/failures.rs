//! Targets that fail, hang or must not be reached, and senders that die.

use super::{LIST, Shop, Target, all, attempts, builder};
use crate::workspaces::objects::audit;
use jiff::SignedDuration;
use kit::{System, system::PATIENCE};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_webhook_that_failed_is_tried_again_under_the_same_id() {
    let shop = Shop::open().await;
    let (good, bad) = (Target::start(&[]).await, Target::start(&[302, 500]).await);
    shop.link("promo", json!({})).await;
    let (first, _) = shop.webhook(&good, &["click"], json!({})).await;
    let (second, _) = shop.webhook(&bad, &["click"], json!({})).await;
    shop.click("/promo").await;
    let (delivered, refused) = (good.next().await, bad.next().await);
    assert_eq!(delivered.json()["id"], refused.json()["id"]);
    assert_ne!(delivered.header("webhook-id"), refused.header("webhook-id"));
    let waiting = shop.until(second, attempts(1)).await;
    assert_eq!(waiting[0]["state"], "waiting");
    assert_eq!(waiting[0]["lastStatus"], 302);
    let error = "answered 302: redirects are not followed";
    assert_eq!(waiting[0]["lastError"], error);
    let shown = shop.get(&format!("{LIST}/{second}")).await;
    assert_eq!(shown["failingSince"], "2027-03-05T12:00:00.000000Z");
    // Nothing happens before its time, and then the same message is sent.
    bad.assert_quiet().await;
    shop.advance(SignedDuration::from_secs(10));
    let again = bad.next().await;
    assert_eq!(again.path, "/in");
    shop.until(second, attempts(2)).await;
    shop.advance(SignedDuration::from_mins(1));
    let last = bad.next().await;
    for repeat in [&again, &last] {
        assert_eq!(repeat.header("webhook-id"), refused.header("webhook-id"));
        assert_eq!(repeat.body, refused.body);
    }
    assert_ne!(
        last.header("webhook-timestamp"),
        refused.header("webhook-timestamp")
    );
    shop.until(second, all("delivered")).await;
    assert_eq!(
        shop.get(&format!("{LIST}/{second}")).await["failingSince"],
        Value::Null
    );
    assert_eq!(shop.until(first, all("delivered")).await[0]["attempts"], 1);
    good.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_never_answers_delays_no_other() {
    let shop = Shop::open().await;
    let (dead, good) = (Target::start(&[0; 10]).await, Target::start(&[]).await);
    shop.link("promo", json!({})).await;
    let (hanging, _) = shop.webhook(&dead, &["click"], json!({})).await;
    shop.webhook(&good, &["click"], json!({})).await;
    for _ in 0..10 {
        shop.click("/promo").await;
    }
    for _ in 0..10 {
        good.next().await;
    }
    // The requests to the other one wait for ten seconds each.
    for _ in 0..4 {
        dead.next().await;
    }
    dead.assert_quiet().await;
    assert!(shop.until(hanging, all("waiting")).await.len() == 10);
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_switched_off_after_days_of_failures_of_several_events() {
    let shop = Shop::open().await;
    let target = Target::start(&[500; 40]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    let path = format!("{LIST}/{webhook}");
    // One bad message, with all its attempts, and one more after six days.
    shop.click("/promo").await;
    target.next().await;
    for attempt in 2..=13 {
        shop.until(webhook, attempts(attempt - 1)).await;
        shop.advance(SignedDuration::from_hours(30));
        target.next().await;
    }
    shop.until(webhook, all("failed")).await;
    assert_eq!(shop.get(&path).await["enabled"], true);
    for _ in 0..2 {
        assert_eq!(shop.get(&path).await["enabled"], true);
        shop.click("/promo").await;
        target.next().await;
        let waits = |all: &[Value]| all.iter().all(|one| one["attempts"] != 0);
        shop.until(webhook, waits).await;
        shop.advance(SignedDuration::from_secs(1));
    }
    let begun = Instant::now();
    let shown = loop {
        let shown = shop.get(&path).await;
        if shown["enabled"] == false {
            break shown;
        }
        assert!(begun.elapsed() < PATIENCE, "{shown}");
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        shown["disabledReason"],
        "every attempt failed for five days"
    );
    assert!(shown["disabledAt"].is_string());
    let log = audit(&shop.system, shop.ada.workspace_id).await;
    let (action, actor, subject, detail) = log.last().unwrap();
    assert_eq!(
        (&**action, &**actor, *subject),
        ("webhook.updated", "system", webhook)
    );
    assert_eq!(
        detail["changes"]["enabled"],
        json!({ "from": true, "to": false })
    );
    // Switched on again, it begins without failures.
    let client = &shop.system.client;
    let body = json!({ "enabled": true });
    let shown = client.patch_as(&shop.ada.token, &path, &body).await.data();
    assert_eq!(
        (&shown["disabledAt"], &shown["failingSince"]),
        (&Value::Null, &Value::Null)
    );
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_between_failures_keeps_a_target_on() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    for round in 1..=4 {
        target.then(&[500]);
        shop.click("/promo").await;
        target.next().await;
        shop.until(webhook, |all| {
            all[..]
                .iter()
                .any(|one| one["attempts"] == 1 && one["state"] == "waiting")
        })
        .await;
        shop.advance(SignedDuration::from_hours(60));
        target.next().await;
        let sent = shop.until(webhook, all("delivered")).await;
        assert_eq!(sent.len(), round);
    }
    let shown = shop.get(&format!("{LIST}/{webhook}")).await;
    assert_eq!(
        (&shown["enabled"], &shown["failingSince"]),
        (&json!(true), &Value::Null)
    );
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sender_loses_nothing_and_another_sends_under_the_same_id() {
    let shop = Shop::open().await;
    let target = Target::start(&[0]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    shop.click("/promo").await;
    // It dies while the target has the request and has not answered.
    let first = target.next().await;
    let ada = shop.ada.clone();
    let (log, databases) = shop.system.stop().await;
    let system = builder()
        .log(log)
        .databases(databases)
        .seed(1_000_000)
        .start()
        .await;
    let shop = Shop { system, ada };
    shop.click("/promo?utm_source=later").await;
    let later = target.next().await;
    assert_eq!(later.json()["data"]["utmSource"], "later");
    // The claim of the first one ends.
    shop.advance(SignedDuration::from_mins(1));
    let again = target.next().await;
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(again.body, first.body);
    assert_eq!(shop.until(webhook, all("delivered")).await.len(), 2);
    target.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_send_each_event_once() {
    if kit::log::is_given() {
        eprintln!("skipped: systems run one at a time on the given cluster");
        return;
    }
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    let log = shop.system.log.shared();
    let other = builder()
        .log(log)
        .databases(shop.system.databases.clone())
        .without_projector()
        .seed(1_000_000)
        .start()
        .await;
    let mut ids = BTreeSet::new();
    for _ in 0..30 {
        shop.click("/promo").await;
    }
    for _ in 0..30 {
        ids.insert(target.next().await.header("webhook-id").to_owned());
    }
    assert_eq!(ids.len(), 30);
    let sent = shop.until(webhook, all("delivered")).await;
    assert_eq!(sent.len(), 30);
    target.assert_quiet().await;
    other.stop().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_inside_the_network_is_refused_at_every_attempt() {
    let shop = Shop::of(System::start().await).await;
    let target = Target::start(&[]).await;
    let body = json!({ "url": "https://hooks.example/in", "events": ["click"] });
    let webhook = shop.post(LIST, &body).await.id();
    for url in [
        target.url.clone(),
        target.url.replace("http://127.0.0.1", "https://localhost"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        // As if a name led there, or the setting had been on when it was saved.
        sqlx::query("UPDATE webhooks SET url = $2 WHERE id = $1")
            .bind(webhook)
            .bind(&url)
            .execute(&shop.system.main)
            .await
            .unwrap();
        sqlx::query("DELETE FROM webhook_deliveries")
            .execute(&shop.system.main)
            .await
            .unwrap();
        let sent = shop
            .post(&format!("{LIST}/{webhook}/test"), &json!({}))
            .await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        let tried = shop.until(webhook, attempts(1)).await;
        assert_eq!(tried[0]["lastStatus"], Value::Null, "{url}");
        let error = tried[0]["lastError"].as_str().unwrap();
        assert!(error.contains("must"), "{url}: {error}");
    }
    target.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_reads_no_further_and_loses_nothing() {
    let shop = Shop::open().await;
    let (full, free) = (Target::start(&[]).await, Target::start(&[]).await);
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&full, &["click"], json!({})).await;
    shop.webhook(&free, &["click"], json!({})).await;
    let statement = "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, payload, state, next_attempt_at, created_at)
                SELECT gen_random_uuid(), $1, gen_random_uuid(), 'test', '{}', 'waiting', '2100-01-01', '2027-03-05'
                FROM generate_series(1, 1000)";
    let main = &shop.system.main;
    sqlx::query(statement)
        .bind(webhook)
        .execute(main)
        .await
        .unwrap();
    for source in ["one", "two"] {
        shop.click(&format!("/promo?utm_source={source}")).await;
        // The look that found it has seen the full queue, too.
        assert_eq!(free.next().await.json()["data"]["utmSource"], source);
    }
    full.assert_quiet().await;
    sqlx::query("DELETE FROM webhook_deliveries WHERE event_type = 'test'")
        .execute(main)
        .await
        .unwrap();
    let mut sources = BTreeSet::new();
    for _ in 0..2 {
        let body = full.next().await.json();
        sources.insert(body["data"]["utmSource"].to_string());
    }
    assert_eq!(sources.len(), 2);
    assert_eq!(shop.until(webhook, all("delivered")).await.len(), 2);
    shop.finish().await;
}
