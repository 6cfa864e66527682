//! What owners do with conversions: customers, refunds, status, erasure, and the token of postbacks.

use super::{ALL, LINK, Shop, hours};
use kit::system::PATIENCE;
use reqwest::Method;
use schemas::ClickId;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_one_person_and_a_later_sale_belongs_to_the_first_link() {
    let shop = Shop::open().await;
    let (one, two) = (
        shop.clicked(1, hours(2)).await,
        shop.clicked(2, hours(1)).await,
    );
    let trial = |click: ClickId, event: &str| json!({"clickId": click, "event": event, "value": 0, "customerExternalId": "C-1"});
    // Two first conversions of one new customer at once.
    let (a, b) = (trial(one, "trial_start"), trial(two, "signup"));
    let (a, b) = tokio::join!(shop.track(a), shop.track(b));
    assert_eq!(
        (&a.data()["duplicate"], &b.data()["duplicate"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(shop.count("SELECT count(*) FROM customers").await, 1);
    assert_eq!(shop.count("SELECT leads::int8 FROM customers").await, 2);
    // Guests have no customer, and never a shared one.
    for order in ["G-1", "G-2"] {
        let guest = json!({"clickId": one, "event": "purchase", "value": 1, "orderId": order, "customerExternalId": ""});
        shop.track(guest).await.assert_ok();
    }
    assert_eq!(shop.count("SELECT count(*) FROM customers").await, 1);
    assert_eq!(
        shop.count("SELECT count(*) FROM conversions WHERE customer_id IS NULL")
            .await,
        2
    );

    // Day 44: the click is too old, the customer is not.
    shop.system.clock.advance(hours(44 * 24));
    let paid = json!({"clickId": two, "event": "invoice_paid", "value": 49, "orderId": "I-1", "customerExternalId": "C-1"});
    shop.track(paid).await.assert_ok();
    let again = json!({"clickId": two, "event": "invoice_paid", "value": 49, "orderId": "I-2", "customerExternalId": "C-1"});
    shop.track(again).await.assert_ok();
    let kinds: Vec<Option<String>> = shop.folded(6, "sale_type").await;
    let kinds: Vec<Option<&str>> = kinds.iter().map(Option::as_deref).collect();
    assert_eq!(kinds[4..], [Some("recurring"), Some("recurring")]);
    let revenue: Vec<i64> = shop.folded(6, "revenue_usd_micros").await;
    assert_eq!(revenue[4..], [49_000_000, 49_000_000]);
    let links: Vec<Option<Uuid>> = shop.folded(6, "link_id").await;
    assert_eq!(links, vec![Some(LINK); 6]);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_add_up_to_the_sale_and_a_status_that_is_taken_back_changes_nothing() {
    let shop = Shop::open().await;
    let click = shop.clicked(1, hours(1)).await;
    let (client, token) = (&shop.system.client, &shop.ada.token);
    let sale = async |order: &str| {
        let body = json!({"clickId": click, "event": "purchase", "value": 50, "orderId": order});
        let data = client
            .post_as(token, "/api/conversions", &body)
            .await
            .data();
        format!(
            "/api/conversions/{}",
            data["conversionId"].as_str().unwrap()
        )
    };
    let refund = async |path: &str, body: Value| {
        client
            .post_as(token, &format!("{path}/refunds"), &body)
            .await
    };
    let one = sale("A-1").await;
    let part = json!({"refundId": "R-1", "amount": 15, "reason": "A scratch"});
    let first = refund(&one, part.clone()).await.data();
    assert_eq!(
        (&first["amount"], &first["conversion"]["refunded"]),
        (&json!(15), &json!(15))
    );
    let again = refund(&one, part).await.data();
    assert_eq!(
        (&again["duplicate"], &again["conversion"]["refunded"]),
        (&json!(true), &json!(15))
    );
    let too_much = refund(&one, json!({"refundId": "R-2", "amount": 35.01})).await;
    assert_eq!(too_much.status, 400);
    let rest = refund(&one, json!({"refundId": "R-2"})).await.data();
    assert_eq!(
        (&rest["amount"], &rest["conversion"]["refunded"]),
        (&json!(35), &json!(50))
    );
    assert_eq!(rest["conversion"]["status"], "refunded");
    assert_eq!(refund(&one, json!({"refundId": "R-3"})).await.status, 400);

    let two = sale("A-2").await;
    for (status, refunded) in [
        ("refunded", 50),
        ("approved", 0),
        ("fraud", 0),
        ("approved", 0),
    ] {
        let answer = client
            .patch_as(token, &two, &json!({"status": status}))
            .await
            .data();
        assert_eq!(
            (&answer["status"], &answer["refunded"]),
            (&json!(status), &json!(refunded))
        );
    }
    let seen = client.get_as(token, &two).await.data();
    assert_eq!(
        (&seen["status"], &seen["usd"]),
        (&json!("approved"), &json!(50))
    );
    // Another workspace sees and changes nothing of it.
    let eve = client.creator("eve").await;
    assert_eq!(client.get_as(&eve.token, &two).await.status, 404);
    assert_eq!(
        client
            .patch_as(&eve.token, &two, &json!({"status": "fraud"}))
            .await
            .status,
        404
    );
    let foreign = json!({"clickId": click, "value": 1});
    assert_eq!(
        client
            .post_as(&eve.token, "/api/conversions", &foreign)
            .await
            .status,
        400
    );

    let begun = Instant::now();
    while shop.folded::<i32>(2, "version").await != [3, 5] {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    let revenue: Vec<i64> = shop.folded(2, "revenue_usd_micros").await;
    assert_eq!(revenue, [0, 50_000_000]);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_keeps_its_sales_and_loses_its_name() {
    let shop = Shop::open().await;
    let click = shop.clicked(1, hours(1)).await;
    let (client, token) = (&shop.system.client, &shop.ada.token);
    let body = json!({"clickId": click, "event": "purchase", "value": 5, "orderId": "A-1", "customerExternalId": "C/1",
        "customerEmail": "bob@b.example", "metadata": {"note": "for Bob"}});
    shop.track(body).await.assert_ok();
    // No click: the customer's first one, on day 44.
    shop.system.clock.advance(hours(44 * 24));
    let body = json!({"event": "invoice_paid", "value": 49, "orderId": "I-1", "customerExternalId": "C/1"});
    client
        .post_as(token, "/api/conversions", &body)
        .await
        .assert_ok();
    let path = "/api/customers/ext_C%2F1";
    let bob = client.get_as(token, path).await.data();
    assert_eq!(
        (&bob["email"], &bob["sales"]),
        (&json!("bob@b.example"), &json!(2))
    );
    let journey = client
        .get_as(token, &format!("{path}/journey"))
        .await
        .data();
    let kinds: Vec<&Value> = journey["conversions"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&kinds[0]["saleType"], &kinds[1]["saleType"]),
        (&json!("new"), &json!("recurring"))
    );
    assert_eq!(kinds[1]["attributedBy"], "customer");
    let eve = client.creator("eve").await;
    let id = format!("/api/customers/{}", bob["id"].as_str().unwrap());
    for path in [path, &id] {
        assert_eq!(client.get_as(&eve.token, path).await.status, 404);
        assert_eq!(client.delete_as(&eve.token, path).await.status, 404);
    }
    client.delete_as(token, path).await.assert_ok();
    for path in [path, &id] {
        assert_eq!(client.get_as(token, path).await.status, 404);
    }
    let personal = "SELECT count(*) FROM customers AS c LEFT JOIN conversions ON customer_id = c.id
        WHERE (to_jsonb(c)::text || metadata::text) ~ 'bob|Bob|C/1'";
    assert_eq!(shop.count(personal).await, 0);
    assert_eq!(shop.count(ALL).await, 2);
    let links: Vec<Option<Uuid>> = shop.folded(2, "link_id").await;
    assert_eq!(links, vec![Some(LINK); 2]);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_may_require_a_token_in_postbacks() {
    let shop = Shop::open().await;
    let click = shop.click_id(1, hours(1));
    let (client, token) = (&shop.system.client, &shop.ada.token);
    let setting = "/api/conversions/postback-token";
    let made = client
        .send(client.request(Method::PUT, setting).bearer_auth(token))
        .await
        .data();
    let required = made["token"].as_str().unwrap();
    let postback = |token: &str| {
        format!("/api/conversions/postback?lw_cid={click}&amount=1&orderId=T-1&token={token}")
    };
    for wrong in ["", "x", &required[1..]] {
        assert_eq!(client.get(&postback(wrong)).await.status, 403);
    }
    client
        .get(&format!("/api/conversions/pixel.gif?lw_cid={click}"))
        .await;
    assert_eq!(shop.count(ALL).await, 0);
    assert_eq!(client.get(&postback(required)).await.status, 200);
    client.delete_as(token, setting).await.assert_ok();
    assert_eq!(client.get(&postback("")).await.status, 200);
    assert_eq!(shop.count(ALL).await, 1);
    shop.system.finish().await;
}
