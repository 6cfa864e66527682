//! Uses the events API, for the comparison of all answers with the document.

use super::{answers::UNKNOWN_ID, checker::Checker};
use crate::workspaces::objects::{make_app, make_key};
use kit::{Answer, Creator};
use reqwest::Method;
use serde_json::{Value, json};

/// A success and each error of both routes.
pub async fn use_events(checker: &Checker<'_>, ada: &Creator) {
    let client = &checker.system.client;
    // The smallest plan has one key.
    checker.set_plan(ada, "enterprise").await;
    let (_, key) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, links) = make_key(client, &ada.token, &["links:write"]).await;
    let ask = async |path_and_query: &str, key: Option<&str>, status: u16| -> Answer {
        let path = format!("/link/external/v1/analytics/events{path_and_query}");
        let mut request = client.request(Method::GET, &path);
        if let Some(key) = key {
            request = request.header("X-API-KEY", key);
        }
        let answer = checker.send(request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let page = ask("?since=2020-01-01&limit=1", Some(&key), 200).await;
    assert_eq!(page.json()["hasMore"], true, "{}", page.text);
    let window = "?from=2027-01-01&to=2027-12-31";
    ask(&format!("{window}&limit=1"), Some(&key), 200).await;
    ask(&format!("/export{window}&limit=1"), Some(&key), 200).await;
    for path in ["", "/export"] {
        ask(&format!("{path}?from=2027-01-01"), Some(&key), 400).await;
        ask(path, None, 401).await;
        ask(path, Some("lw_live_0"), 401).await;
        ask(path, Some(&links), 403).await;
    }
    use_short_urls(checker, ada, &key).await;
}

const SHORT_URLS: &str = "/link/external/v1/shortenedUrl";

/// A success and each error of link management.
async fn use_short_urls(checker: &Checker<'_>, ada: &Creator, other_scope: &str) {
    let client = &checker.system.client;
    let (_, key) = make_key(client, &ada.token, &["links:write", "links:read"]).await;
    let ask = async |method: Method, path: &str, key: Option<&str>, body: Value, status: u16| {
        let path = format!("{SHORT_URLS}{path}");
        let mut request = client.request(method, &path);
        if let Some(key) = key {
            request = request.header("X-API-KEY", key);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = checker.send(request).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let url = "https://shop.example/x";
    let app = make_app(client, &ada.token, "ios", "com.example.events").await;
    let all = json!({
        "url": url, "shortCode": "Data-Team", "shortLinkName": "A link", "isActive": false, "utmSource": "mail",
        "utmMedium": "m", "utmCampaign": "c", "enableCustomMetadata": true, "customMetadataTitle": "Look",
        "customMetadataDescription": "Here", "customMetadataImageUrl": "https://shop.example/a.png",
        "deepLinks": [{"mobileAppId": app, "deeplinkUrl": "myapp://p/1", "fallbackEnabled": true,
                       "fallbackUrl": "https://shop.example/app"}],
    });
    let saved = ask(Method::POST, "/save", Some(&key), all.clone(), 200).await;
    let id = saved.json()["response"]["id"].as_str().unwrap().to_owned();
    let one = format!("/{id}");
    let bulk = |link: Value| json!({ "records": [link, { "url": url }] });
    ask(Method::POST, "/bulkSave", Some(&key), bulk(all), 200).await;
    ask(Method::GET, "?page=0&size=1", Some(&key), Value::Null, 200).await;
    ask(Method::GET, "?limit=1", Some(&key), Value::Null, 400).await;
    ask(Method::GET, &one, Some(&key), Value::Null, 200).await;
    ask(
        Method::PATCH,
        &one,
        Some(&key),
        json!({"deepLinks": null}),
        200,
    )
    .await;
    let in_app = json!([{"mobileAppId": UNKNOWN_ID, "deeplinkUrl": "myapp://p/1"}]);
    let in_app = json!({ "url": url, "deepLinks": in_app });
    let several = json!({ "records": [in_app] });
    ask(Method::POST, "/save", Some(&key), in_app.clone(), 400).await;
    ask(Method::POST, "/bulkSave", Some(&key), several, 400).await;
    ask(Method::PATCH, &one, Some(&key), in_app, 400).await;
    let unknown = format!("/url_{UNKNOWN_ID}");
    ask(Method::GET, &unknown, Some(&key), Value::Null, 404).await;
    ask(Method::PATCH, &unknown, Some(&key), json!({}), 404).await;
    // The code of another workspace, and a link with too many rules.
    let eve = client.token("eve");
    let body = json!({"destinationUrl": url, "shortCode": "of-eve"});
    let made = client.post_as(&eve, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let large = client
        .get_as(&ada.token, "/api/links?search=large")
        .await
        .data();
    let large = format!("/{}", large[0]["id"].as_str().unwrap());
    for code in ["of-eve", "large", "not a code"] {
        let body = json!({ "url": "https://shop.example/other", "shortCode": code });
        ask(Method::POST, "/save", Some(&key), body.clone(), 400).await;
        let bulk = json!({ "records": [body] });
        ask(Method::POST, "/bulkSave", Some(&key), bulk, 400).await;
    }
    let (taken, longer) = (
        json!({"shortCode": "of-eve"}),
        json!({"shortLinkName": "Longer"}),
    );
    ask(Method::PATCH, &one, Some(&key), taken, 400).await;
    ask(Method::PATCH, &large, Some(&key), longer, 400).await;
    ask(
        Method::PATCH,
        &one,
        Some(&key),
        json!({"url": "ftp://a"}),
        400,
    )
    .await;
    ask(Method::POST, "/save", Some(&key), json!({}), 400).await;
    ask(
        Method::POST,
        "/bulkSave",
        Some(&key),
        json!({"records": []}),
        400,
    )
    .await;
    for (method, path, body) in [
        (Method::POST, "/save", json!({ "url": url })),
        (Method::POST, "/bulkSave", bulk(json!({ "url": url }))),
        (Method::GET, "", Value::Null),
        (Method::GET, &*one, Value::Null),
        (Method::PATCH, &*one, json!({})),
    ] {
        let ask = async |key: Option<&str>, status: u16| {
            ask(method.clone(), path, key, body.clone(), status).await;
        };
        ask(None, 401).await;
        ask(Some("lw_live_0"), 401).await;
        ask(Some(other_scope), 403).await;
    }
    let plan = |plan: &'static str| {
        let changing = sqlx::query("UPDATE workspaces SET plan = $2 WHERE id = $1");
        let changing = changing.bind(ada.workspace_id).bind(plan);
        changing.execute(&checker.system.main)
    };
    let many = json!({ "records": vec![json!({ "url": url }); 30] });
    ask(Method::POST, "/bulkSave", Some(&key), many.clone(), 200).await;
    plan("starter").await.unwrap();
    ask(
        Method::POST,
        "/save",
        Some(&key),
        json!({ "url": url }),
        402,
    )
    .await;
    ask(Method::POST, "/bulkSave", Some(&key), many, 402).await;
    plan("enterprise").await.unwrap();
}
