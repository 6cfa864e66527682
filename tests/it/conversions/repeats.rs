//! What counts once: orders, leads and pixels that are reported again, also at the same moment.

use super::{ALL, Shop, hours};
use kit::SystemBuilder;
use reqwest::Method;
use schemas::ClickId;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_thank_you_page_that_is_loaded_again_and_again_is_one_sale() {
    let shop = Shop::open().await;
    let click = shop.clicked(1, hours(1)).await;
    let body = json!({"clickId": click, "event": "purchase", "value": 49.9, "orderId": "A-1"});
    let first = shop.track(body.clone()).await.data();
    assert_eq!(first["duplicate"], false);
    assert_eq!(
        (&first["value"], &first["currency"]),
        (&json!(49.9), &json!("USD"))
    );
    assert_eq!(
        (&first["type"], &first["tracked"]),
        (&json!("sale"), &json!(true))
    );
    for day in 0..2 {
        let mut again = shop.track(body.clone()).await.data();
        assert_eq!(again["duplicate"], true, "day {day}");
        again["duplicate"] = json!(false);
        assert_eq!(again, first);
        shop.system.clock.advance(hours(24));
    }
    // Another class may have the same order, and so may another spelling.
    for (event, order) in [("signup", "A-1"), ("purchase", "a-1")] {
        let other = json!({"clickId": click, "event": event, "value": 1, "orderId": order});
        assert_eq!(
            shop.track(other).await.data()["duplicate"],
            false,
            "{event} {order}"
        );
    }
    assert_eq!(shop.count(ALL).await, 3);
    let countries: Vec<Option<String>> = shop.folded(3, "country").await;
    assert_eq!(countries, vec![Some("Turkey".to_owned()); 3]);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_and_a_server_call_at_the_same_moment_are_one_sale() {
    let shop = Shop::open().await;
    let click = shop.clicked(1, hours(1)).await;
    let other = shop.clicked(2, hours(1)).await;
    for round in 0..10 {
        let pixel = format!(
            "/api/conversions/pixel.gif?lw_cid={click}&event=purchase&amount=5&orderId=R-{round}"
        );
        let body = |click| json!({"click_id": click, "event": "purchase", "value": "5.00", "order_id": format!(" R-{round} ")});
        let (bodies, client) = ([body(click), body(other)], &shop.system.client);
        let (pixel, one, two) = tokio::join!(
            client.get(&pixel),
            client.post("/conversions/s2s", &bodies[0]),
            client.post("/conversions/s2s", &bodies[1]),
        );
        assert_eq!(pixel.status, 200);
        assert_eq!(pixel.headers["content-type"], "image/gif");
        assert_eq!(pixel.headers["cache-control"], "no-store");
        assert_eq!(one.data()["conversionId"], two.data()["conversionId"]);
    }
    assert_eq!(shop.count(ALL).await, 10);
    shop.folded::<Uuid>(10, "conversion_id").await;
    shop.system.settle().await;
    shop.folded::<Uuid>(10, "conversion_id").await;
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_call_for_another_click_shows_nothing_of_its_order() {
    let shop = Shop::open().await;
    let (mine, theirs) = (shop.click_id(1, hours(1)), shop.click_id(2, hours(1)));
    let body = |click: ClickId| json!({"clickId": click, "event": "purchase", "value": 4999, "orderId": "A-1"});
    shop.track(body(theirs)).await.assert_ok();
    let seen = shop.track(body(mine)).await.data();
    assert_eq!(seen["duplicate"], true);
    assert_eq!(
        (&seen["clickId"], &seen["value"]),
        (&json!(mine), &Value::Null)
    );
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_of_one_person_counts_once_in_seven_days() {
    let shop = Shop::open().await;
    let click = shop.click_id(1, hours(1));
    let lead = json!({"clickId": click, "event": "signup"});
    let is_repeat = async |body: &Value| shop.track(body.clone()).await.data()["duplicate"] == true;
    assert!(!is_repeat(&lead).await);
    assert!(is_repeat(&lead).await);
    assert!(!is_repeat(&json!({"clickId": click, "event": "form_submit"})).await);
    shop.system.clock.advance(hours(7 * 24));
    assert!(!is_repeat(&lead).await);
    // Sales without an order are not recognised, except on a page that is loaded again.
    let sale = json!({"clickId": click, "event": "purchase", "value": 5});
    assert!(!is_repeat(&sale).await);
    assert!(!is_repeat(&sale).await);
    let before = shop.count(ALL).await;
    let pixel =
        format!("/api/conversions/pixel.gif?lw_cid={click}&event=purchase&amount=7.5&currency=EUR");
    for _ in 0..3 {
        assert_eq!(shop.system.client.get(&pixel).await.status, 200);
    }
    shop.system.clock.advance(hours(24));
    assert_eq!(shop.system.client.get(&pixel).await.status, 200);
    assert_eq!(shop.count(ALL).await, before + 2);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_records_nothing_and_a_click_has_at_most_a_hundred_conversions() {
    let shop = Shop::open().await;
    let client = &shop.system.client;
    let click = shop.click_id(1, hours(1));
    for path in ["postback", "pixel.gif"] {
        let path = format!("/api/conversions/{path}?lw_cid={click}&amount=1&orderId=H");
        let answer = client.send(client.request(Method::HEAD, &path)).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    assert_eq!(shop.count(ALL).await, 0);
    for number in 0..101 {
        let path = format!("/api/conversions/postback?lw_cid={click}&amount=1&orderId={number}");
        let answer = client.get(&path).await;
        assert_eq!(
            answer.status,
            if number < 100 { 200 } else { 400 },
            "{number}"
        );
    }
    // Its repeats still get their answer.
    let path = format!("/api/conversions/postback?lw_cid={click}&amount=1&orderId=7");
    let answer = client.get(&path).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.data()["duplicate"], true);
    assert_eq!(shop.count(ALL).await, 100);
    shop.system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pixel_beyond_its_limit_is_a_picture_still() {
    let limit = runtime::throttle::setting_name("conversions.pixel");
    let system = SystemBuilder::default()
        .set("RATE_LIMITS", "on")
        .set(&limit, "1/3600");
    let shop = Shop::of(system.start().await).await;
    let click = shop.clicked(1, hours(1)).await;
    for order in ["A-1", "A-2"] {
        let path = format!(
            "/api/conversions/pixel.gif?lw_cid={click}&event=purchase&amount=5&orderId={order}"
        );
        let answer = shop.system.client.get(&path).await;
        let kind = answer.headers["content-type"].to_str().unwrap();
        assert_eq!((answer.status.as_u16(), kind), (200, "image/gif"));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    assert_eq!(shop.count(ALL).await, 1);
    shop.system.finish().await;
}
