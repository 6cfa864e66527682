//! Uses the routes of conversions and customers, for the comparison of all answers with the document.

use super::checker::Checker;
use crate::conversions::click_id;
use jiff::SignedDuration;
use kit::Creator;
use reqwest::Method;
use schemas::ClickId;
use serde_json::{Value, json};
use uuid::Uuid;

const TRACK: &str = "/api/conversions/track";
const POSTBACK: &str = "/api/conversions/postback";
const S2S: &str = "/conversions/s2s";
const OWN: &str = "/api/conversions";
const CUSTOMERS: &str = "/api/customers";

/// A success and each error of every route.
pub async fn use_conversions(checker: &Checker<'_>, ada: &Creator) {
    let clicks = Clicks::new(checker, ada).await;
    fill(checker, clicks.full).await;
    report(checker, ada, &clicks).await;
    change(checker, ada, clicks.fresh).await;
    require_token(checker, ada, clicks.fresh).await;
    use_customers(checker, ada).await;
}

struct Clicks {
    fresh: ClickId,
    old: ClickId,
    full: ClickId,
}

impl Clicks {
    async fn new(checker: &Checker<'_>, ada: &Creator) -> Self {
        let click = async |random: u8, days: i64| {
            let ago = SignedDuration::from_hours(24 * days);
            click_id(checker.system, ada.workspace_id, random, ago).await
        };
        Self {
            fresh: click(21, 1).await,
            old: click(22, 31).await,
            full: click(23, 1).await,
        }
    }
}

/// Gives a click the most conversions.
async fn fill(checker: &Checker<'_>, click: ClickId) {
    for number in 0..100 {
        let query = format!("{POSTBACK}?lw_cid={click}&amount=1&orderId={number}");
        let answer = checker.ask(Method::GET, &query, None, Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

/// Every way to report a conversion, with every outcome.
async fn report(checker: &Checker<'_>, ada: &Creator, clicks: &Clicks) {
    let forged = Uuid::from_u128(7).to_string();
    let [fresh, old, full] = [clicks.fresh, clicks.old, clicks.full].map(|id| id.to_string());
    for (click, status) in [
        (&*fresh, 200),
        ("{click_id}", 400),
        (&*forged, 400),
        (&*old, 400),
        (&*full, 400),
    ] {
        let body = json!({"clickId": click, "event": "purchase", "value": 2, "orderId": format!("N {click}")});
        let answer = checker.ask(Method::POST, TRACK, None, body.clone()).await;
        assert_eq!(answer.status, status, "{click}: {}", answer.text);
        let own = checker.ask(Method::POST, OWN, Some(&ada.token), body).await;
        assert_eq!(own.status, status, "{click}: {}", own.text);
        let query = format!("{POSTBACK}?lw_cid={click}&amount=2&orderId=N-{click}");
        let answer = checker.ask(Method::GET, &query, None, Value::Null).await;
        assert_eq!(answer.status, status, "{click}: {}", answer.text);
        let query = format!("/api/conversions/pixel.gif?lw_cid={click}&amount=2&orderId=N-{click}");
        let answer = checker.ask(Method::GET, &query, None, Value::Null).await;
        assert_eq!(answer.status, 200, "{click}");
        let body = json!({"click_id": click, "event": "purchase", "value": 2, "order_id": format!("N {click}")});
        let answer = checker.ask(Method::POST, S2S, None, body).await;
        let refused = click == full;
        assert_eq!(
            answer.status,
            if refused { 400 } else { 200 },
            "{}",
            answer.text
        );
    }
    for (path, token) in [(TRACK, None), (OWN, Some(&*ada.token)), (S2S, None)] {
        let body = json!({"clickId": fresh, "click_id": fresh, "value": "x"});
        assert_eq!(
            checker.ask(Method::POST, path, token, body).await.status,
            400,
            "{path}"
        );
    }
    for query in ["", &format!("?lw_cid={fresh}&amount=x")] {
        let path = format!("{POSTBACK}{query}");
        assert_eq!(
            checker
                .ask(Method::GET, &path, None, Value::Null)
                .await
                .status,
            400,
            "{path}"
        );
    }
    let nothing = json!({"event": "purchase", "value": 1});
    assert_eq!(
        checker
            .ask(Method::POST, OWN, Some(&ada.token), nothing)
            .await
            .status,
        400
    );
}

async fn change(checker: &Checker<'_>, ada: &Creator, click: ClickId) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let sale = json!({"clickId": click, "event": "purchase", "value": 50, "orderId": "M"});
    let made = ask(Method::POST, OWN, sale, 200).await.data();
    let path = format!("{OWN}/{}", made["conversionId"].as_str().unwrap());
    ask(Method::GET, &path, Value::Null, 200).await;
    ask(Method::PATCH, &path, json!({"status": "approved"}), 200).await;
    ask(Method::PATCH, &path, json!({"status": "paid"}), 400).await;
    let refunds = format!("{path}/refunds");
    for (body, status) in [
        (
            json!({"refundId": "R-1", "amount": 20, "reason": "Late"}),
            200,
        ),
        (json!({"refundId": "R-2", "amount": 31}), 400),
        (json!({"refundId": "R-2", "amount": "x"}), 400),
        (json!({"refundId": "R-2"}), 200),
        (json!({"refundId": "R-3"}), 400),
    ] {
        ask(Method::POST, &refunds, body, status).await;
    }
}

async fn require_token(checker: &Checker<'_>, ada: &Creator, click: ClickId) {
    let path = "/api/conversions/postback-token";
    let set = checker
        .ask(Method::PUT, path, Some(&ada.token), Value::Null)
        .await;
    assert_eq!(set.status, 200, "{}", set.text);
    let query = format!("{POSTBACK}?lw_cid={click}&amount=1&orderId=T");
    let refused = checker.ask(Method::GET, &query, None, Value::Null).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let cleared = checker
        .ask(Method::DELETE, path, Some(&ada.token), Value::Null)
        .await;
    assert_eq!(cleared.status, 200, "{}", cleared.text);
}

async fn use_customers(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    checker.set_plan(ada, "enterprise").await;
    let body = json!({"externalId": "C-1", "email": "bob@b.example", "name": "Bob"});
    let bob = ask(Method::POST, CUSTOMERS, body.clone(), 201).await.id();
    ask(Method::POST, CUSTOMERS, body.clone(), 409).await;
    ask(Method::POST, CUSTOMERS, json!({"email": 7}), 400).await;
    let one = format!("{CUSTOMERS}/{bob}");
    let reads = [
        CUSTOMERS.to_owned(),
        format!("{CUSTOMERS}/count"),
        one.clone(),
        format!("{one}/journey"),
    ];
    for path in &reads {
        ask(Method::GET, path, Value::Null, 200).await;
    }
    ask(
        Method::GET,
        &format!("{CUSTOMERS}?page=0"),
        Value::Null,
        400,
    )
    .await;
    checker.set_plan(ada, "starter").await;
    for path in &reads {
        ask(Method::GET, path, Value::Null, 403).await;
    }
    ask(Method::POST, CUSTOMERS, body, 403).await;
    // It is the customer's right, so it needs no plan.
    ask(Method::DELETE, &one, Value::Null, 200).await;
    checker.set_plan(ada, "enterprise").await;
}
