//! Rules of links and campaigns.

use super::{Caller, actions, campaign_entry, error, id, link_entry, plain};
use kit::{System, SystemBuilder};
use schemas::directory::{Forward, Test};
use serde_json::{Value, json};
use uuid::Uuid;

fn rule(link: &Value, name: &str, conditions: &Value) -> Value {
    json!({
        "linkId": link["id"], "name": name, "destinationUrl": "https://shop.example/de", "conditions": conditions,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_in_the_entry_of_its_link_in_the_order_of_evaluation() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada.link(plain("promo")).await;
    let conditions = json!([{"field": "country", "operator": "equals", "value": "DE"}]);
    let create = async |body: Value| {
        let answer = ada.post("/api/rules", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.data()
    };
    let first = create(rule(&link, "First", &conditions)).await;
    let mut body = rule(&link, "Before it", &json!({"countries": ["US", "CA"]}));
    body["type"] = json!("geo");
    body["priority"] = json!(0);
    body["forwardUtms"] = json!(true);
    let before = create(body).await;
    assert_eq!(before["conditions"], json!({"countries": ["US", "CA"]}));
    let mut body = rule(&link, "Off", &conditions);
    body["enabled"] = json!(false);
    let off = create(body).await;
    assert_eq!(
        (&first["priority"], &off["priority"]),
        (&json!(1), &json!(2))
    );
    let names = |entry: &schemas::directory::Link| {
        let rules = entry.settings.rules.iter();
        rules.map(|rule| rule.name.clone()).collect::<Vec<String>>()
    };
    let entry = link_entry(&system, id(&link)).await;
    assert_eq!(names(&entry), ["Before it", "First"]);
    assert_eq!(entry.row_version, 4);
    assert_eq!(entry.settings.rules[0].forward, Some(Forward::Utms));
    let is = |field: &str, operator: &str, value: Value| Test::Is {
        field: field.to_owned(),
        operator: operator.to_owned(),
        value,
    };
    assert_eq!(
        entry.settings.rules[0].test,
        Test::All(vec![is("country", "in", json!(["US", "CA"]))])
    );
    let list = ada.get(&format!("/api/rules?linkId={}", id(&link))).await;
    let listed: Vec<Value> = list.data().as_array().unwrap().clone();
    assert_eq!(listed, [before.clone(), first.clone(), off.clone()]);

    // A sparse change keeps everything else, and a repetition writes nothing.
    let path = format!("/api/rules/{}", id(&off));
    for _ in 0..2 {
        let changed = ada
            .put(&path, json!({"enabled": true, "priority": 0}))
            .await
            .data();
        assert_eq!(
            (&changed["name"], &changed["enabled"]),
            (&json!("Off"), &json!(true))
        );
    }
    let entry = link_entry(&system, id(&link)).await;
    assert_eq!(names(&entry), ["Before it", "Off", "First"]);
    assert_eq!(entry.row_version, 5);
    ada.delete(&path).await.assert_ok();
    assert_eq!(error(&ada.get(&path).await), (404, "NOT_FOUND".to_owned()));
    assert_eq!(
        actions(&system, id(&off)).await,
        ["rule.created", "rule.updated", "rule.deleted"]
    );
    // A change of the link keeps its rules. Without the link there are none.
    ada.patch(&format!("/api/links/{}", id(&link)), json!({"title": "x"}))
        .await
        .assert_ok();
    assert_eq!(
        names(&link_entry(&system, id(&link)).await),
        ["Before it", "First"]
    );
    ada.delete(&format!("/api/links/{}", id(&link)))
        .await
        .assert_ok();
    let answer = ada.get(&format!("/api/rules/{}", id(&first))).await;
    assert_eq!(error(&answer), (404, "NOT_FOUND".to_owned()));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaigns_rule_raises_the_version_of_the_campaign_alone() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let campaign = ada
        .post("/api/campaigns", json!({"name": "Spring"}))
        .await
        .data();
    let mut body = plain("promo");
    body["campaignId"] = campaign["id"].clone();
    let link = ada.link(body).await;
    let body = json!({
        "campaignId": campaign["id"], "name": "All", "destinationUrl": "https://shop.example/c", "conditions": [],
    });
    let made = ada.post("/api/rules", body).await.data();
    assert_eq!(made["linkId"], Value::Null);
    assert!(
        made["warnings"].to_string().contains("every request"),
        "{made}"
    );
    let entry = campaign_entry(&system, id(&campaign)).await;
    assert_eq!((entry.row_version, entry.rules.len()), (2, 1));
    assert_eq!(link_entry(&system, id(&link)).await.row_version, 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_checked_when_they_are_saved() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada.link(plain("promo")).await;
    let is = |field: &str, operator: &str, value: Value| json!([{"field": field, "operator": operator, "value": value}]);
    let window =
        |start: &str, end: &str| json!({"start": start, "end": end, "timezone": "Europe/Berlin"});
    for (conditions, part) in [
        (is("country", "equals", json!("UK")), "GB"),
        (is("planet", "equals", json!("Mars")), "planet"),
        (is("country", "contains", json!("D")), "contains"),
        (is("referrer", "matches", json!("(")), "conditions[0]"),
        (is("percentage", "lt", json!(101)), "100"),
        (is("time", "between", window("09:00", "09:00")), "equal"),
        (
            json!([{"conditionLogic": "XOR", "conditions": []}]),
            "conditionLogic",
        ),
        (json!({"countries": ["DE"]}), "type"),
        (
            json!([{"field": "city", "operator": "equals", "value": "\u{0}"}]),
            "U+0000",
        ),
        (
            json!(vec![json!({"field": "os", "operator": "exists"}); 51]),
            "50",
        ),
        (is("city", "equals", json!("x".repeat(9_000))), "8000"),
    ] {
        let answer = ada
            .post("/api/rules", rule(&link, "Wrong", &conditions))
            .await;
        assert_eq!(
            error(&answer),
            (400, "VALIDATION_ERROR".to_owned()),
            "{conditions}"
        );
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    for destination in [
        "javascript:alert(1)",
        "https://footfall.test/promo",
        "shop.example",
    ] {
        let mut body = rule(&link, "Wrong", &json!([]));
        body["destinationUrl"] = json!(destination);
        let answer = ada.post("/api/rules", body).await;
        assert_eq!(
            error(&answer),
            (400, "VALIDATION_ERROR".to_owned()),
            "{destination}"
        );
    }
    // Valid conditions that nothing or little here can meet are saved with a warning.
    for field in ["city", "isp"] {
        let body = rule(&link, field, &is(field, "equals", json!("x")));
        let answer = ada.post("/api/rules", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let warnings = &answer.data()["warnings"];
        assert_eq!(warnings.as_array().unwrap().len(), 1, "{field}");
        assert!(warnings[0].as_str().unwrap().contains(field), "{warnings}");
    }
    let answer = ada
        .post(
            "/api/rules",
            rule(&link, "Isp", &is("isp", "equals", json!("x"))),
        )
        .await;
    let path = format!("/api/rules/{}", answer.id());
    let answer = ada
        .put(
            &path,
            json!({"conditions": is("country", "equals", json!("UK"))}),
        )
        .await;
    assert_eq!(error(&answer).0, 400);
    assert_eq!(ada.get(&path).await.data()["conditions"][0]["field"], "isp");
    for body in [
        json!({"linkId": null}),
        json!({"campaignId": Uuid::from_u128(1)}),
    ] {
        let mut wrong = rule(&link, "Wrong", &json!([]));
        for (name, value) in body.as_object().unwrap() {
            wrong[name] = value.clone();
        }
        assert_eq!(error(&ada.post("/api/rules", wrong).await).0, 400, "{body}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_limits_the_rules_of_a_link() {
    let system = SystemBuilder::default()
        .set("WORKSPACE_PLAN", "starter")
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada.link(plain("promo")).await;
    for n in 0..10 {
        let body = rule(&link, &format!("Rule {n}"), &json!([]));
        assert_eq!(ada.post("/api/rules", body).await.status, 201);
    }
    let answer = ada
        .post("/api/rules", rule(&link, "More", &json!([])))
        .await;
    assert_eq!(error(&answer), (403, "LIMIT_EXCEEDED".to_owned()));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_leaves_out_rules_of_deleted_links_and_campaigns() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada.link(plain("promo")).await;
    let answer = ada
        .post(
            "/api/campaigns",
            json!({"name": "Spring", "currency": "XXY"}),
        )
        .await;
    assert_eq!(error(&answer), (400, "VALIDATION_ERROR".to_owned()));
    let answer = ada
        .post(
            "/api/campaigns",
            json!({"name": "Spring", "currency": "eur"}),
        )
        .await;
    let campaign = answer.data();
    assert_eq!(campaign["currency"], "EUR");
    let conditions = json!([{"field": "country", "operator": "equals", "value": "DE"}]);
    let mut of_campaign = rule(&link, "Of all", &conditions);
    of_campaign["linkId"] = Value::Null;
    of_campaign["campaignId"] = campaign["id"].clone();
    for body in [rule(&link, "Of one", &conditions), of_campaign] {
        let answer = ada.post("/api/rules", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    for (object, left) in [
        (format!("/api/links/{}", id(&link)), 1),
        (format!("/api/campaigns/{}", id(&campaign)), 0),
    ] {
        ada.delete(&object).await.assert_ok();
        let list = ada.get("/api/rules").await;
        assert_eq!(list.data().as_array().unwrap().len(), left, "{object}");
        assert_eq!(list.json()["pagination"]["total"], left);
    }
    system.finish().await;
}
