//! What is sent, to whom, and how it is signed.

use super::{HOST, LIST, Shop, Target, all, builder};
use crate::{clicks::open, conversions};
use jiff::SignedDuration;
use runtime::Clock;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn clicks_and_scans_are_sent_signed_and_machines_and_repeats_are_not() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    let link = shop.link("promo", json!({})).await;
    let (webhook, secret) = shop
        .webhook(&target, &["click", "qr_scan"], json!({}))
        .await;
    let qr = json!({ "name": "Poster" });
    let qr = shop
        .post(&format!("/api/qr/links/{link}"), &qr)
        .await
        .data();
    let machine = [("user-agent", "Twitterbot/1.0")];
    open(&shop.system.client, HOST, "/promo", &machine).await;
    // One visitor, twice: the second click is a duplicate.
    for _ in 0..2 {
        open(&shop.system.client, HOST, "/promo?utm_source=mail", &[]).await;
    }
    let first = target.next().await;
    assert_eq!(first.path, "/in");
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(first.signed_by(&[&secret]), [&secret]);
    let at = shop.system.clock.now().as_second().to_string();
    assert_eq!(first.header("webhook-timestamp"), at);
    let body = first.json();
    assert_eq!(body["type"], "click");
    assert_eq!(body["workspaceId"], json!(shop.ada.workspace_id));
    assert_eq!(body["id"], body["data"]["eventId"]);
    let data = &body["data"];
    assert_eq!(data["linkId"], json!(link));
    assert_eq!(data["shortCode"], "promo");
    assert_eq!(data["clickSource"], "DIRECT");
    assert_eq!(data["utmSource"], "mail");
    assert!(!first.body.to_lowercase().contains("visitor") && !first.body.contains("127.0.0.1"));
    shop.click(&format!("/promo?qr={}", qr["code"].as_str().unwrap()))
        .await;
    let second = target.next().await.json();
    assert_eq!(second["type"], "qr_scan");
    assert_eq!(second["data"]["qrId"], qr["id"]);
    assert_eq!(second["data"]["clickSource"], "QR_CODE");
    let sent = shop.until(webhook, all("delivered")).await;
    assert_eq!(sent.len(), 2);
    let of_first = |sent: &&Value| sent["messageId"] == first.header("webhook-id");
    let sent = sent.iter().find(of_first).unwrap();
    assert_eq!(sent["payload"], body);
    assert_eq!(
        (&sent["lastStatus"], &sent["attempts"]),
        (&json!(200), &json!(1))
    );
    target.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    let (webhook, first) = shop.webhook(&target, &["click"], json!({})).await;
    let path = format!("{LIST}/{webhook}");
    let test = async || {
        let sent = shop.post(&format!("{path}/test"), &json!({})).await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        target.next().await
    };
    let message = test().await;
    assert_eq!(message.json()["type"], "test");
    assert_eq!(message.signed_by(&[&first]), [&first]);
    let rotated = shop
        .post(&format!("{path}/rotate-secret"), &json!({}))
        .await;
    let second = rotated.data()["secret"].as_str().unwrap().to_owned();
    let message = test().await;
    assert_eq!(message.signed_by(&[&first, &second]), [&first, &second]);
    shop.advance(SignedDuration::from_hours(24));
    let message = test().await;
    assert_eq!(message.signed_by(&[&first, &second]), [&second]);
    assert_eq!(message.header("webhook-signature").split(' ').count(), 1);
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_campaigns_and_types_select() {
    let shop = Shop::open().await;
    let campaign = json!({ "name": "Spring" });
    let campaign = shop.post("/api/campaigns", &campaign).await.id();
    let first = shop.link("first", json!({})).await;
    let second = shop.link("second", json!({ "campaignId": campaign })).await;
    let (of_link, of_campaign, of_sales) =
        futures::join!(Target::start(&[]), Target::start(&[]), Target::start(&[]));
    let only_link = json!({ "linkId": first });
    let (first_webhook, _) = shop.webhook(&of_link, &["click"], only_link).await;
    let only_campaign = json!({ "campaignId": campaign });
    let (second_webhook, _) = shop
        .webhook(&of_campaign, &["click", "conversion"], only_campaign)
        .await;
    let (third_webhook, _) = shop.webhook(&of_sales, &["sale"], json!({})).await;
    shop.click("/first").await;
    let click = shop.click("/second").await;
    assert_eq!(of_link.next().await.json()["data"]["linkId"], json!(first));
    let clicked = of_campaign.next().await.json();
    assert_eq!(clicked["data"]["linkId"], json!(second));
    assert_eq!(clicked["data"]["campaignId"], json!(campaign));
    // What the click led to.
    drop(click);
    let click_id = &clicked["data"]["clickId"];
    for (event, value) in [("signup", Value::Null), ("purchase", json!(12.5))] {
        let body = json!({ "clickId": click_id, "event": event, "value": value, "currency": "EUR", "orderId": event });
        let tracked = shop
            .system
            .client
            .post("/api/conversions/track", &body)
            .await;
        assert_eq!(tracked.status, 200, "{}", tracked.text);
    }
    let mut led_to = [
        of_campaign.next().await.json(),
        of_campaign.next().await.json(),
    ];
    // Several requests of a webhook are under way at once.
    led_to.sort_by_key(|message| message["type"].to_string());
    let [lead, sale] = led_to;
    assert_eq!(
        (&lead["type"], &sale["type"]),
        (&json!("lead"), &json!("sale"))
    );
    assert_eq!(sale["data"]["linkId"], json!(second));
    assert_eq!(sale["data"]["amount"], json!(12.5));
    assert_eq!(sale["data"]["currency"], "EUR");
    assert_eq!(sale["id"], sale["data"]["conversionId"]);
    assert_eq!(of_sales.next().await.json()["data"], sale["data"]);
    for (webhook, count) in [(first_webhook, 1), (second_webhook, 3), (third_webhook, 1)] {
        let sent = shop.until(webhook, all("delivered")).await;
        assert_eq!(sent.len(), count);
    }
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_a_webhook_was_off_is_not_sent() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    shop.link("promo", json!({})).await;
    shop.click("/promo").await;
    shop.system.settle().await;
    shop.advance(SignedDuration::from_secs(1));
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    let path = format!("{LIST}/{webhook}");
    let switch = async |enabled: bool| {
        shop.advance(SignedDuration::from_secs(1));
        let body = json!({ "enabled": enabled });
        let client = &shop.system.client;
        client
            .patch_as(&shop.ada.token, &path, &body)
            .await
            .assert_ok();
        shop.advance(SignedDuration::from_secs(1));
    };
    shop.click("/promo?utm_source=one").await;
    assert_eq!(target.next().await.json()["data"]["utmSource"], "one");
    shop.until(webhook, all("delivered")).await;
    switch(false).await;
    shop.click("/promo?utm_source=two").await;
    shop.system.settle().await;
    let sent = shop.post(&format!("{path}/test"), &json!({})).await;
    assert_eq!(sent.status, 409, "{}", sent.text);
    switch(true).await;
    shop.click("/promo?utm_source=three").await;
    assert_eq!(target.next().await.json()["data"]["utmSource"], "three");
    assert_eq!(shop.until(webhook, all("delivered")).await.len(), 2);
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_can_be_sent_again_and_keeps_its_id() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    shop.click("/promo").await;
    let first = target.next().await;
    let sent = shop.until(webhook, all("delivered")).await;
    let id = sent[0]["id"].as_str().unwrap();
    let path = format!("{LIST}/{webhook}/deliveries/{id}/redeliver");
    let again = shop.post(&path, &json!({})).await;
    assert_eq!(again.status, 202, "{}", again.text);
    let second = target.next().await;
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    assert_eq!(shop.until(webhook, all("delivered")).await.len(), 1);
    let path = format!("{LIST}/{webhook}/deliveries?state=failed");
    assert_eq!(shop.get(&path).await, json!([]));
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_for_a_webhook_of_one_link_waits_for_its_click() {
    let shop = conversions::Shop::of(builder().start().await).await;
    let (of_link, of_all) = futures::join!(Target::start(&[]), Target::start(&[]));
    let mut ids = Vec::new();
    for target in [&of_link, &of_all] {
        let body = json!({ "url": target.url, "events": ["sale"] });
        let client = &shop.system.client;
        ids.push(client.post_as(&shop.ada.token, LIST, &body).await.id());
    }
    // The link of the clicks below, which no route has made.
    sqlx::query("UPDATE webhooks SET link_id = $2 WHERE id = $1")
        .bind(ids[0])
        .bind(conversions::LINK)
        .execute(&shop.system.main)
        .await
        .unwrap();
    let ago = SignedDuration::from_mins(5);
    let body = json!({ "clickId": shop.click_id(7, ago), "event": "purchase", "value": 5 });
    assert_eq!(shop.track(body).await.status, 200);
    let early = of_all.next().await.json();
    assert_eq!(early["data"]["linkId"], Value::Null);
    of_link.assert_quiet().await;
    shop.clicked(7, ago).await;
    let complete = of_link.next().await.json();
    assert_eq!(complete["id"], early["id"]);
    assert_eq!(complete["data"]["linkId"], json!(conversions::LINK));
    // Without its click it is not sent there, and holds nothing up for longer than two minutes.
    let body = json!({ "clickId": shop.click_id(8, ago), "event": "purchase", "value": 6 });
    assert_eq!(shop.track(body).await.status, 200);
    assert_eq!(of_all.next().await.json()["data"]["amount"], 6);
    shop.clicked(9, ago).await;
    let body = json!({ "clickId": shop.click_id(9, ago), "event": "purchase", "value": 7 });
    assert_eq!(shop.track(body).await.status, 200);
    assert_eq!(of_all.next().await.json()["data"]["amount"], 7);
    of_link.assert_quiet().await;
    shop.system.clock.advance(SignedDuration::from_mins(3));
    assert_eq!(of_link.next().await.json()["data"]["amount"], 7);
    shop.system.finish().await;
}
