//! A workspace with links, campaigns, rules and QR codes, and what is known of them.

use kit::{
    Client, Creator, System,
    expected::{DOLLARS, Money},
    expected_links::Known,
    plain::Price,
};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

const EUROS: Money = Money {
    code: "EUR",
    minor: 100.0,
    rate: 1.25,
};
const YEN: Money = Money {
    code: "JPY",
    minor: 1.0,
    rate: 0.007_812_5,
};

/// The workspace of the test.
pub struct Shop {
    pub ada: Creator,
    pub spring: Uuid,
    pub autumn: Uuid,
    /// Rules; the first one is deleted.
    pub rules: Vec<Uuid>,
    /// QR codes of the first link; the other one is of no report.
    pub qr_codes: [Uuid; 2],
    /// Folders and tags to narrow a report to.
    pub groups: Vec<(&'static str, Vec<Uuid>)>,
    /// A link of the bio page, links of campaigns, a deleted one, one of another workspace, and one
    /// that never was.
    pub links: Vec<Uuid>,
    pub known: Known,
}

async fn post(client: &Client, owner: &Creator, path: &str, body: Value) -> Value {
    let answer = client.post_as(&owner.token, path, &body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.text);
    answer.data()
}

fn id(data: &Value) -> Uuid {
    data["id"].as_str().unwrap().parse().unwrap()
}

/// A link as a summary shows it.
async fn subject(client: &Client, owner: &Creator, link: Uuid) -> Value {
    let get = async |path: String| client.get_as(&owner.token, &path).await.data();
    let found = get(format!("/api/links/{link}")).await;
    let mut subject = json!({});
    for name in [
        "id",
        "shortCode",
        "shortUrl",
        "title",
        "destinationUrl",
        "campaignId",
        "folderId",
        "tags",
        "enabled",
        "createdAt",
    ] {
        subject[name] = found[name].clone();
    }
    subject["campaignName"] = match found["campaignId"].as_str() {
        Some(id) => get(format!("/api/campaigns/{id}")).await["name"].clone(),
        None => Value::Null,
    };
    subject
}

#[expect(clippy::too_many_lines, reason = "one thing after the other")]
pub async fn shop(system: &System) -> Shop {
    let client = &system.client;
    let (ada, bob) = (client.creator("ada").await, client.creator("bob").await);
    let campaign = async |name: &str, model: &str, rate: f64, currency: Option<&str>| {
        let body = json!({
            "name": name, "costModel": model, "costRate": rate, "revsharePct": rate,
            "currency": currency,
        });
        id(&post(client, &ada, "/api/campaigns", body).await)
    };
    let (spring, autumn, ended, banner, steppe) = (
        campaign("Spring", "cpc", 0.25, Some("EUR")).await,
        campaign("Autumn", "cpa", 2.0, None).await,
        campaign("Ended", "revshare", 12.5, Some("MNT")).await,
        campaign("Banner", "cpm", 40.0, Some("JPY")).await,
        campaign("Steppe", "cpc", 5.0, Some("MNT")).await,
    );
    let price = |campaign, model, rate| Price {
        campaign,
        model,
        rate,
    };
    let group =
        async |path: &str, name: &str| id(&post(client, &ada, path, json!({ "name": name })).await);
    let posters = group("/api/folders", "Posters").await;
    let empty = group("/api/folders", "Empty").await;
    let (sale, new) = (
        group("/api/tags", "sale").await,
        group("/api/tags", "new").await,
    );
    let link = async |code: &str, title: Option<&str>, campaign: Uuid, folder, tags: &[&str]| {
        let body = json!({
            "destinationUrl": "https://shop.example/", "shortCode": code, "title": title,
            "campaignId": campaign, "folderId": folder, "tags": tags,
        });
        id(&post(client, &ada, "/api/links", body).await)
    };
    let bio = client.link(&ada, "Bio", "https://shop.example").await;
    let one = link("one", Some("One"), spring, Some(posters), &["sale", "new"]).await;
    let two = link("two", None, autumn, None, &["sale"]).await;
    let three = link("three", Some("Three"), ended, None, &["new"]).await;
    let gone = link("gone", Some("Gone"), spring, Some(posters), &[]).await;
    let foreign = client
        .link(&bob, "Foreign", "https://foreign.example")
        .await;
    for path in [format!("links/{gone}"), format!("campaigns/{ended}")] {
        let path = format!("/api/{path}");
        client.delete_as(&ada.token, &path).await.assert_ok();
    }
    let rule = async |name: &str| {
        let body = json!({
            "linkId": one, "name": name, "destinationUrl": "https://app.example/x",
            "conditions": [{"field": "country", "operator": "equals", "value": "DE"}],
        });
        id(&post(client, &ada, "/api/rules", body).await)
    };
    let rules = vec![rule("First").await, rule("Second").await];
    let qr = async |name: &str| {
        let path = format!("/api/qr/links/{one}");
        let made = post(client, &ada, &path, json!({ "name": name })).await;
        let mut subject = json!({});
        for name in ["id", "linkId", "code", "name", "createdAt"] {
            subject[name] = made[name].clone();
        }
        subject
    };
    let qr_codes = [qr("Poster").await, qr("Box").await];
    for (method, path, body) in [
        (
            Method::DELETE,
            format!("/api/rules/{}", rules[0]),
            json!({}),
        ),
        (
            Method::PATCH,
            format!("/api/links/{three}"),
            json!({ "archived": true }),
        ),
    ] {
        let request = client.request(method, &path).bearer_auth(&ada.token);
        client.send(request.json(&body)).await.assert_ok();
    }
    let code = subject(client, &ada, bio).await["shortCode"].clone();
    let listed = |code: Value, title: Value, campaign: Option<Uuid>, deleted: bool| json!({"shortCode": code, "title": title, "campaignId": campaign, "deleted": deleted});
    let links = HashMap::from([
        (bio, listed(code, json!("Bio"), None, false)),
        (one, listed(json!("one"), json!("One"), Some(spring), false)),
        (two, listed(json!("two"), Value::Null, Some(autumn), false)),
        (
            three,
            listed(json!("three"), json!("Three"), Some(ended), false),
        ),
        (
            gone,
            listed(json!("gone"), json!("Gone"), Some(spring), true),
        ),
    ]);
    let named = |name: &str, deleted: bool| json!({ "name": name, "deleted": deleted });
    let campaigns = HashMap::from([
        (spring, named("Spring", false)),
        (autumn, named("Autumn", false)),
        (ended, named("Ended", true)),
        (banner, named("Banner", false)),
        (steppe, named("Steppe", false)),
    ]);
    let mut subjects = HashMap::new();
    for link in [bio, one, two] {
        subjects.insert(link, subject(client, &ada, link).await);
    }
    for qr in &qr_codes {
        subjects.insert(id(qr), qr.clone());
    }
    let groups = HashMap::from([
        (posters, vec![one, gone]),
        (empty, vec![]),
        (sale, vec![one, two]),
        (new, vec![one, three]),
    ]);
    let known = Known {
        links,
        campaigns,
        prices: vec![
            price(spring, "cpc", 0.25 * EUROS.rate),
            price(autumn, "cpa", 2.0),
            price(ended, "revshare", 12.5),
            price(banner, "cpm", 40.0 * YEN.rate),
        ],
        unpriced: 1.0,
        active: vec![bio, one, two],
        rules: HashMap::from([(rules[0], "First"), (rules[1], "Second")]),
        subjects,
        groups,
        currencies: vec![DOLLARS, EUROS, YEN],
    };
    Shop {
        ada,
        spring,
        autumn,
        rules,
        qr_codes: [id(&qr_codes[0]), id(&qr_codes[1])],
        groups: vec![
            ("folderId", vec![posters]),
            ("folderId", vec![posters, empty]),
            ("folderId", vec![empty]),
            ("tagId", vec![sale]),
            ("tagId", vec![sale, new]),
        ],
        links: vec![bio, one, two, three, gone, foreign, Uuid::from_u128(77)],
        known,
    }
}
