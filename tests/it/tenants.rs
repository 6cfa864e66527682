//! A tenant sees only its own: every route with no token, with another creator's ids, with nobody's.

use api::catalog::{REPORTS, Report, Shape};
use kit::System;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Every route below a creator, with a body that its owner may send.
fn below_a_creator(owner: Uuid) -> [(Method, String, Value); 5] {
    let path = |rest: &str| format!("/api/v1/creators/{owner}/{rest}");
    let link = json!({"title": "x", "url": "https://x.example"});
    [
        (Method::GET, path("bio"), Value::Null),
        (Method::POST, path("bio"), json!({"slug": "second"})),
        (
            Method::PATCH,
            path("bio"),
            json!({"bio": "x", "published": false}),
        ),
        (Method::POST, path("links"), link),
        (Method::POST, path("links/reorder"), json!({"linkIds": []})),
    ]
}

/// The parameter that selects a report's variant; reports without variants ignore it.
fn chosen_by(report: &Report) -> &'static str {
    match &report.shape {
        Shape::Choice(choice) => choice.param.name(),
        _ => "limit",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_creator_gets_nothing_on_any_route() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let shop = client.link(&ada, "Shop", "https://shop.example").await;
    let session = client.session(ada.page, "v").await;
    client.view(session, None).await;
    system.settle().await;

    for report in REPORTS {
        for (choice, _) in report.shape.all() {
            let (id, choice) = (report.id, choice.unwrap_or_default());
            let own = format!("{}?{}={choice}", report.path, chosen_by(report));
            let path = format!("{own}&bioPageId={}", ada.page);
            let answer = client.get_as(&eve.token, &path).await;
            let key = "error.creator.bio_not_found".to_owned();
            let expected = (404, "RESOURCE_NOT_FOUND".to_owned(), key);
            assert_eq!(answer.error(), expected, "{id} {choice}");
            assert_eq!(client.get(&own).await.error().0, 401, "{id} {choice}");
            let answer = client.get_as(&eve.token, &own).await;
            assert_eq!(answer.status, 200, "{id} {choice}: {}", answer.text);
            assert!(!answer.text.contains("Shop"), "{id} {choice}");
        }
    }
    assert_eq!(client.report(&eve, "overview").await["totalViews"], 0);

    for owner in [ada.id, Uuid::from_u128(1)] {
        for (method, path, body) in below_a_creator(owner) {
            let request = client.request(method.clone(), &path);
            let answer = client
                .send(request.bearer_auth(&eve.token).json(&body))
                .await;
            let expected = (
                403,
                "AUTH_FORBIDDEN".to_owned(),
                "creator.not_owner".to_owned(),
            );
            assert_eq!(answer.error(), expected, "{method} {path}");
        }
    }
    // Another creator's link is forbidden, an unknown link is not found.
    for (id, status, code, key) in [
        (shop, 403, "AUTH_FORBIDDEN", "creator.links.not_owner"),
        (
            Uuid::from_u128(1),
            404,
            "RESOURCE_NOT_FOUND",
            "creator.links.not_found",
        ),
    ] {
        for method in [Method::PATCH, Method::DELETE] {
            let request = client.request(method.clone(), &format!("/api/v1/creators/links/{id}"));
            let body = json!({"title": "Eve's", "url": "https://eve.example"});
            let answer = client
                .send(request.bearer_auth(&eve.token).json(&body))
                .await;
            let expected = (status, code.to_owned(), key.to_owned());
            assert_eq!(answer.error(), expected, "{method} {id}");
        }
    }
    // Another creator's page is not found, also under the caller's own creator.
    for (method, path, body) in below_a_creator(eve.id) {
        if method == Method::POST && path.ends_with("/bio") {
            continue;
        }
        let path = format!("{path}?bioPageId={}", ada.page);
        let request = client.request(method.clone(), &path);
        let answer = client
            .send(request.bearer_auth(&eve.token).json(&body))
            .await;
        let key = "creator.bio.not_found".to_owned();
        let expected = (404, "RESOURCE_NOT_FOUND".to_owned(), key);
        assert_eq!(answer.error(), expected, "{method} {path}");
    }
    let order = format!("/api/v1/creators/{}/links/reorder", eve.id);
    let foreign = json!({ "linkIds": [shop] });
    let answer = client.post_as(&eve.token, &order, &foreign).await;
    assert_eq!(answer.error().2, "creator.links.not_owned");
    // None of these requests changed Ada's data.
    let own = client
        .get_as(&ada.token, &format!("/api/v1/creators/{}/bio", ada.id))
        .await
        .data();
    assert_eq!((&own["bio"], &own["published"]), (&json!(""), &json!(true)));
    let links = own["links"].as_array().unwrap();
    assert_eq!(links.len(), 1);
    assert_eq!(
        (&links[0]["title"], &links[0]["url"]),
        (&json!("Shop"), &json!("https://shop.example"))
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_401_on_every_bearer_route() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let routes = [
        (Method::POST, "/api/v1/creators".to_owned()),
        (Method::GET, "/api/v1/creators/me".to_owned()),
        (Method::GET, format!("/api/v1/creators/{}/bio", ada.id)),
        (Method::POST, format!("/api/v1/creators/{}/bio", ada.id)),
        (Method::PATCH, format!("/api/v1/creators/{}/bio", ada.id)),
        (Method::POST, format!("/api/v1/creators/{}/links", ada.id)),
        (
            Method::POST,
            format!("/api/v1/creators/{}/links/reorder", ada.id),
        ),
        (Method::PATCH, format!("/api/v1/creators/links/{}", ada.id)),
        (Method::DELETE, format!("/api/v1/creators/links/{}", ada.id)),
        (
            Method::GET,
            "/api/v1/creators/analytics/overview".to_owned(),
        ),
        (Method::GET, "/api/v1/creators/analytics/traffic".to_owned()),
        (Method::GET, "/api/v1/creators/analytics/links".to_owned()),
        (Method::POST, "/api/v1/analytics/track".to_owned()),
        (
            Method::PATCH,
            format!("/api/v1/analytics/session/{}/identify", ada.id),
        ),
    ];
    for (method, path) in routes {
        for token in [
            None,
            Some("not a token"),
            Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk5OTk5OTk5OTl9."),
        ] {
            let mut request = client.request(method.clone(), &path);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = client.send(request.json(&json!({"event": "x"}))).await;
            assert_eq!(
                answer.error().0,
                401,
                "{method} {path} {token:?}: {}",
                answer.text
            );
            assert_eq!(answer.error().1, "AUTH_UNAUTHORIZED");
            let id = answer.json()["error"]["correlationId"]
                .as_str()
                .map(str::to_owned);
            assert_eq!(
                id.as_deref(),
                answer
                    .headers
                    .get("x-request-id")
                    .and_then(|value| value.to_str().ok())
            );
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_creator_gets_an_error_that_says_so() {
    let system = System::start().await;
    let token = system.client.token("nobody");
    for report in ["overview", "traffic", "links"] {
        let answer = system
            .client
            .get_as(&token, &format!("/api/v1/creators/analytics/{report}"))
            .await;
        let expected = (
            404,
            "RESOURCE_NOT_FOUND".to_owned(),
            "error.creator.not_found".to_owned(),
        );
        assert_eq!(answer.error(), expected);
    }
    system.finish().await;
}
