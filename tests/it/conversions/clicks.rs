//! Whose click it was and what it was worth; and conversions while a process is killed and the broker is down.

use super::{ALL, LINK, Shop, TRACK, hours};
use jiff::SignedDuration;
use kit::{
    Client, System,
    child::{Program, pairs},
    system::PATIENCE,
};
use reqwest::Method;
use runtime::{Clock, SystemClock};
use schemas::{IdMaker, Keyring};
use serde_json::{Value, json};
use std::{net::TcpListener, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn yen_stay_yen_and_a_missing_rate_is_not_one() {
    let shop = Shop::open().await;
    let click = shop.click_id(1, hours(24 * 7));
    let sale = async |currency: &str, value: Value, order: &str, at: &str| {
        let body = json!({"clickId": click, "event": "purchase", "value": value,
            "currency": currency, "orderId": order, "timestamp": at});
        shop.track(body).await.data()
    };
    load_rates(&shop, "2027-02-26,JPY,0.0067\n2027-03-01,JPY,0.0070\n").await;
    // A Sunday, which has Friday's rate.
    let yen = sale("JPY", json!(10000), "J-1", "2027-02-28T10:00:00Z").await;
    assert_eq!(yen["value"], 10000);
    let dinars = sale("KWD", json!("1.234"), "K-1", "2027-02-28T11:00:00Z").await;
    assert_eq!(dinars["value"], 1.234);
    assert_eq!(
        sale("USD", json!(1), "U-1", "2027-02-28T12:00:00Z").await["value"],
        1
    );
    let amounts: Vec<Option<i64>> = shop.folded(3, "amount_minor").await;
    assert_eq!(amounts, [Some(10_000), Some(1_234), Some(100)]);
    let dollars: Vec<Option<i64>> = shop.folded(3, "usd_micros").await;
    assert_eq!(dollars, [Some(67_000_000), None, Some(1_000_000)]);
    let days: Vec<Option<String>> = shop.folded(3, "rate_day::text").await;
    assert_eq!(days[0].as_deref(), Some("2027-02-26"));
    let unconverted: Vec<bool> = shop.folded(3, "is_unconverted").await;
    assert_eq!(unconverted, [false, true, false]);

    // A rate that comes later converts what has none, once, and changes nothing else.
    load_rates(&shop, "2027-02-26,KWD,3.25\n2027-02-26,JPY,1\n").await;
    load_rates(&shop, "2027-02-27,KWD,9\n").await;
    let begun = Instant::now();
    while shop
        .folded::<bool>(3, "is_unconverted")
        .await
        .contains(&true)
    {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    let dollars: Vec<Option<i64>> = shop.folded(3, "usd_micros").await;
    assert_eq!(
        dollars,
        [Some(67_000_000), Some(4_010_500), Some(1_000_000)]
    );
    shop.system.finish().await;
}

async fn load_rates(shop: &Shop, lines: &str) {
    let system = &shop.system;
    let sources = (&*system.context.clock, &*system.context.ids);
    api::load_rates(&system.main, sources, lines).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_belongs_to_its_click_until_exactly_thirty_days_later() {
    let shop = Shop::open().await;
    for (number, ago, is_within) in [
        (1, hours(720), true),
        (2, hours(720) + SignedDuration::from_secs(1), false),
        (3, SignedDuration::ZERO, true),
    ] {
        let click = shop.clicked(number, ago).await;
        let s2s = json!({"click_id": click, "event": "purchase", "value": 1, "order_id": format!("S-{number}")});
        let answer = shop
            .system
            .client
            .post("/conversions/s2s", &s2s)
            .await
            .data();
        assert_eq!(answer["attributed"], is_within, "{ago}");
        assert_eq!(answer["conversionId"].is_string(), is_within);
        let answer = shop
            .track(json!({"clickId": click, "event": "signup"}))
            .await;
        if is_within {
            answer.assert_ok();
        } else {
            assert_eq!(answer.status, 400, "{}", answer.text);
        }
    }
    let links: Vec<Option<Uuid>> = shop.folded(4, "link_id").await;
    assert_eq!(links, vec![Some(LINK); 4]);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_and_made_up_clicks_are_refused_by_reason() {
    let shop = Shop::open().await;
    let client = &shop.system.client;
    let forged = {
        let ids = IdMaker::new(Keyring::parse(&"another-secret-".repeat(4)).unwrap());
        ids.click(shop.no, shop.now(), [1; 16]).to_string()
    };
    for click in [
        "{click_id}",
        "undefined",
        "%7Bclick_id%7D",
        "abc",
        &forged,
        "",
    ] {
        let answer = shop.track(json!({"clickId": click, "value": 1})).await;
        assert_eq!(answer.status, 400, "{click}: {}", answer.text);
        let query = format!("/api/conversions/postback?lw_cid={click}&amount=1");
        assert_eq!(client.get(&query).await.status, 400, "{click}");
        let pixel = client
            .get(&format!("/api/conversions/pixel.gif?lw_cid={click}"))
            .await;
        assert_eq!(pixel.status, 200, "{click}");
        if !click.is_empty() {
            let s2s = client
                .post("/conversions/s2s", &json!({"click_id": click}))
                .await;
            let data = s2s.data();
            assert_eq!(
                (&data["attributed"], &data["conversionId"]),
                (&json!(false), &Value::Null)
            );
        }
    }
    let metrics = client.get("/metrics").await.text;
    for outcome in ["placeholder", "invalid_click", "no_click"] {
        let series = format!("api_conversions_total{{source=\"pixel\",outcome=\"{outcome}\"}}");
        let line = metrics.lines().find(|line| line.starts_with(&series));
        assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{series}");
    }
    assert_eq!(shop.count(ALL).await, 0);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_before_its_click_finds_it_and_the_answer_knows_the_link_later() {
    let shop = Shop::open().await;
    let click = shop.click_id(1, hours(1));
    let body = json!({"click_id": click, "event": "purchase", "value": 2, "order_id": "E-1"});
    let client = &shop.system.client;
    let first = client.post("/conversions/s2s", &body).await.data();
    assert_eq!(
        (&first["attributed"], &first["linkId"]),
        (&json!(true), &Value::Null)
    );
    let links: Vec<Option<Uuid>> = shop.folded(1, "link_id").await;
    assert_eq!(links, [None]);
    shop.clicked(1, hours(1)).await;
    shop.system.settle().await;
    let links: Vec<Option<Uuid>> = shop.folded(1, "link_id").await;
    assert_eq!(links, [Some(LINK)]);
    let again = client.post("/conversions/s2s", &body).await.data();
    assert_eq!(
        (&again["linkId"], &again["duplicate"]),
        (&json!(LINK), &json!(true))
    );
    shop.system.finish().await;
}

/// An api as a process of its own, beside a system.
fn start_api(system: &System, address: &str) -> Program {
    let mut settings = system.settings.clone();
    settings.insert("API_LISTEN".to_owned(), address.to_owned());
    settings.insert("RUST_LOG".to_owned(), "off".to_owned());
    settings.remove("PROJECTOR_DATABASE_URL");
    Program::start("api", &[], &pairs(&settings))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversion_that_was_answered_survives_kill_9_and_a_broker_that_was_away() {
    if kit::log::is_given() {
        eprintln!("skipped: the cluster is not ours to stop");
        return;
    }
    let mut shop = Shop::open().await;
    // The process has the system's clock.
    let clicked_at = SystemClock.now() - hours(1);
    let click = shop.clicked(1, shop.now().duration_since(clicked_at)).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let program = start_api(&shop.system, &address);
    let client = Client::new(format!("http://{address}"), Arc::new(SystemClock));
    let begun = Instant::now();
    while !client
        .request(Method::GET, "/ready")
        .send()
        .await
        .is_ok_and(|answer| answer.status() == 200)
    {
        assert!(begun.elapsed() < PATIENCE);
        // A process that does not listen yet sends no notification.
        sleep(Duration::from_millis(20)).await;
    }
    shop.system.log.stop().await;
    let body =
        |order: &str| json!({"clickId": click, "event": "purchase", "value": 3, "orderId": order});
    for order in ["B-1", "B-2"] {
        let answer = client.post(TRACK, &body(order)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    program.kill();
    assert_eq!(shop.count("SELECT count(*) FROM event_outbox").await, 2);
    shop.system.log.start_again().await;
    let links: Vec<Option<Uuid>> = shop.folded(2, "link_id").await;
    assert_eq!(links, vec![Some(LINK); 2]);
    let begun = Instant::now();
    while shop.count("SELECT count(*) FROM event_outbox").await > 0 {
        assert!(begun.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20)).await;
    }
    shop.system.settle().await;
    shop.folded::<Uuid>(2, "conversion_id").await;
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_the_log_refuses_hold_up_no_others() {
    let shop = Shop::open().await;
    // More than a batch of records that are too large for the log.
    sqlx::query(
        "INSERT INTO event_outbox (entry_key, payload, created_at)
         SELECT 'refused ' || number, convert_to(repeat('x', 1100000), 'UTF8'), now()
         FROM generate_series(1, 201) AS number",
    )
    .execute(&shop.system.main)
    .await
    .unwrap();
    let click = shop.clicked(1, hours(1)).await;
    let body = json!({"clickId": click, "event": "purchase", "value": 3, "orderId": "A-1"});
    assert_eq!(shop.track(body).await.status, 200);
    shop.folded::<Uuid>(1, "conversion_id").await;
    let waiting = "SELECT count(*) FROM event_outbox WHERE entry_key LIKE 'refused %'";
    assert_eq!(shop.count(waiting).await, 201);
    shop.system.finish().await;
}
