//! Every bad input that the contract lists for the routes that change links and pages.

use crate::{
    link_changes::{reorder, traces, update},
    page_changes::change,
};
use kit::{Answer, Creator, System};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Asserts a 400: with details if no key is given, else with that key.
fn assert_refused(answer: &Answer, key: Option<&str>, what: &Value) {
    let (status, code, i18n_key) = answer.error();
    let refused = (status, code.as_str());
    assert_eq!(
        refused,
        (400, "VALIDATION_ERROR"),
        "{what}: {}",
        answer.text
    );
    let details = answer.json()["error"]["details"]
        .as_array()
        .map_or(0, Vec::len);
    assert_eq!(i18n_key, key.unwrap_or("error.validation"), "{what}");
    assert_eq!(details > 0, key.is_none(), "{what}: {}", answer.text);
}

async fn page(system: &System, creator: &Creator) -> Value {
    let path = format!("/api/v1/creators/{}/bio", creator.id);
    system.client.get_as(&creator.token, &path).await.data()
}

/// An object whose JSON has the given number of bytes.
fn sized(bytes: usize) -> Value {
    json!({ "a": "x".repeat(bytes - 8) })
}

/// Nested objects.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_refuses_invalid_changes_and_stays_as_it_was() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let path = format!("/api/v1/creators/{}/links", creator.id);
    let body = json!({
        "title": "Shop", "url": "https://shop.example",
        "scheduledStart": "2027-03-05T00:00:00Z", "scheduledEnd": "2027-03-06T00:00:00Z",
    });
    let id = system
        .client
        .post_as(&creator.token, &path, &body)
        .await
        .id();
    let before = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    let (url, schedule) = (
        Some("creator.links.invalid_url"),
        Some("creator.links.invalid_schedule"),
    );
    for (body, key) in [
        (json!({"title": "x".repeat(101)}), None),
        (json!({"title": "🦀".repeat(101)}), None),
        (json!({"title": ""}), None),
        (json!({"title": "  "}), None),
        (json!({"title": "<p><script>x</script></p>"}), None),
        (json!({"title": 7}), None),
        (json!({"title": "a\u{0}b"}), None),
        (json!({"url": 7}), None),
        (
            json!({"url": format!("https://x.example/{}", "x".repeat(2048))}),
            None,
        ),
        (json!({"icon": "i".repeat(51)}), None),
        (json!({"sortOrder": 1001}), None),
        (json!({"sortOrder": -1}), None),
        (json!({"sortOrder": 1.5}), None),
        (json!({"sortOrder": "1"}), None),
        (json!({"active": "yes"}), None),
        (json!({"embedType": "VIMEO"}), None),
        (json!({"embedType": "youtube"}), None),
        (json!({"embedMeta": []}), None),
        (json!({"embedMeta": "x"}), None),
        (json!({"embedMeta": sized(10_001)}), None),
        (json!({"embedMeta": nested(17)}), None),
        (json!({"embedMeta": {"a": ["\u{0}"]}}), None),
        (json!({"scheduledStart": "tomorrow"}), None),
        (json!({"scheduledEnd": 1_800_000_000}), None),
        (json!({"url": ""}), url),
        (json!({"url": "javascript:alert(1)"}), url),
        (
            json!({"url": "JaVaScRiPt:alert(1)//https://x.example"}),
            url,
        ),
        (
            json!({"url": "data:text/html,<script>alert(1)</script>"}),
            url,
        ),
        (json!({"url": "ftp://example.com/x"}), url),
        (json!({"url": "example.com"}), url),
        (json!({"url": "//example.com"}), url),
        (json!({"url": "https://"}), url),
        (json!({"url": "https://localhost"}), url),
        (json!({"url": " http://footfall.test/promo?a=b"}), url),
        (json!({"url": "https://user:word@"}), url),
        (json!({"url": "https://x.example/a\r\nset-cookie: a"}), url),
        (json!({"scheduledStart": "2027-03-06T00:00:00Z"}), schedule),
        (json!({"scheduledStart": "2027-03-07T00:00:00Z"}), schedule),
        (json!({"scheduledEnd": "2027-03-05T00:00:00Z"}), schedule),
        (
            json!({"scheduledStart": "2027-04-02", "scheduledEnd": "2027-04-01"}),
            schedule,
        ),
        // One good member does not excuse a bad one, in either order.
        (json!({"title": "Fine", "url": "ftp://example.com"}), url),
        (
            json!({"title": "Fine", "scheduledEnd": "2027-03-04"}),
            schedule,
        ),
    ] {
        assert_refused(&update(&system, &creator, id, &body).await, key, &body);
    }
    let all = json!({"title": 7, "url": 8, "active": 9, "embedMeta": 10});
    let details = update(&system, &creator, id, &all).await.json()["error"]["details"].clone();
    assert_eq!(details.as_array().map(Vec::len), Some(4), "{details}");
    let after = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    assert_eq!(after, before);

    // Values at the bounds are stored unchanged.
    for body in [
        json!({"title": "x".repeat(100)}),
        json!({"title": "🦀".repeat(100)}),
        json!({"icon": "🦀".repeat(50)}),
        json!({"sortOrder": 1000}),
        json!({"sortOrder": 0}),
        json!({"embedMeta": sized(10_000)}),
        json!({"embedMeta": nested(16)}),
        json!({"url": "https://user:word@example.com/"}),
        json!({"url": "http://xn--mnchen-3ya.example"}),
        json!({"url": "https://münchen.example"}),
        json!({"url": "http://127.0.0.1:8080/x"}),
        json!({"scheduledStart": "1970-01-01"}),
        json!({"scheduledEnd": "9999-12-30T21:59:59Z"}),
    ] {
        let link = update(&system, &creator, id, &body).await.data();
        let (name, value) = body.as_object().unwrap().iter().next().unwrap();
        if !name.starts_with("scheduled") {
            assert_eq!(link[name], *value, "{body}");
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_with_a_foreign_repeated_or_missing_id_changes_nothing() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let a = system.client.link(&creator, "A", "https://a.example").await;
    let b = system.client.link(&creator, "B", "https://b.example").await;
    let gone = system.client.link(&creator, "C", "https://c.example").await;
    let path = format!("/api/v1/creators/links/{gone}");
    system
        .client
        .delete_as(&creator.token, &path)
        .await
        .assert_ok();
    let before = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    let not_owned = Some("creator.links.not_owned");
    for (body, key) in [
        (json!({}), None),
        (json!({"linkIds": null}), None),
        (json!({"linkIds": a}), None),
        (json!({"linkIds": {"0": a}}), None),
        (json!({"linkIds": [b, a, b]}), None),
        (json!({"linkIds": [b, b.to_string().to_uppercase()]}), None),
        (json!({"linkIds": [b, 7]}), None),
        (json!({"linkIds": [b, null]}), None),
        (json!({"linkIds": [b, [a]]}), None),
        (json!({"linkIds": [], "bioPageId": "x"}), None),
        (json!({"linkIds": [b, a, gone]}), not_owned),
        (json!({"linkIds": [b, Uuid::from_u128(1), a]}), not_owned),
        (json!({"linkIds": [b, "x"]}), not_owned),
        (json!({"linkIds": [""]}), not_owned),
        (json!({"linkIds": [b, creator.page]}), not_owned),
    ] {
        assert_refused(&reorder(&system, &creator, &body).await, key, &body);
    }
    let after = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    assert_eq!(after, before);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_refuse_invalid_changes_and_nothing_is_written() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let before = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    for body in [
        json!({"bio": "x".repeat(5001)}),
        json!({"bio": 7}),
        json!({"bio": "a\u{0}b"}),
        json!({"templateId": "x"}),
        json!({"templateId": 7}),
        json!({"themeOverride": []}),
        json!({"themeOverride": "dark"}),
        json!({"themeOverride": sized(10_001)}),
        json!({"themeOverride": nested(17)}),
        json!({"customCss": "x".repeat(10_001)}),
        json!({"customCss": "a{}</style><script>alert(1)</script>"}),
        json!({"customCss": {}}),
        json!({"embedEnabled": "true"}),
        json!({"published": 1}),
        json!({"emailCollectionEnabled": "no"}),
        json!({"consent": "granted"}),
        json!({"consent": ""}),
        json!({"consent": true}),
        json!({"bioPageId": "first"}),
        json!({"bio": "fine", "published": false, "customCss": 7}),
    ] {
        assert_refused(&change(&system, &creator, &body).await, None, &body);
    }
    let after = (
        page(&system, &creator).await,
        traces(&system, creator.page).await,
    );
    assert_eq!(after, before);
    for (name, value) in [
        ("bio", json!("🦀".repeat(5000))),
        ("customCss", json!("é".repeat(10_000))),
        ("themeOverride", sized(10_000)),
        ("themeOverride", nested(16)),
    ] {
        change(&system, &creator, &json!({ name: value }))
            .await
            .assert_ok();
        assert_eq!(page(&system, &creator).await[name], value);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_bodies_types_and_methods_are_checked_on_these_routes_too() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let id = client.link(&creator, "A", "https://a.example").await;
    let link = format!("/api/v1/creators/links/{id}");
    let bio = format!("/api/v1/creators/{}/bio", creator.id);
    let order = format!("/api/v1/creators/{}/links/reorder", creator.id);
    for (method, path) in [
        (Method::PATCH, "/api/v1/creators/links/x"),
        (Method::DELETE, "/api/v1/creators/links/x"),
        (Method::DELETE, "/api/v1/creators/links/0"),
        (Method::PATCH, "/api/v1/creators/x/bio"),
        (Method::POST, "/api/v1/creators/x/links/reorder"),
        (Method::PATCH, "/api/v1/creators/links/%00"),
    ] {
        let request = client.request(method, path).bearer_auth(&creator.token);
        let answer = client.send(request.json(&json!({}))).await;
        assert_refused(&answer, None, &json!(path));
    }
    for (method, path) in [
        (Method::PATCH, &link),
        (Method::PATCH, &bio),
        (Method::POST, &order),
    ] {
        for (body, content_type, status) in [
            ("", "application/json", 400),
            ("{", "application/json", 400),
            ("[]", "application/json", 400),
            ("null", "text/plain", 400),
            ("{}", "text/xml", 415),
            (
                &format!("{{\"title\":\"{}\"}}", "x".repeat(70_000)),
                "application/json",
                413,
            ),
            (
                &format!("{}{}", "[".repeat(3000), "]".repeat(3000)),
                "application/json",
                400,
            ),
        ] {
            let request = client
                .request(method.clone(), path)
                .bearer_auth(&creator.token)
                .header("content-type", content_type);
            let answer = client.send(request.body(body.to_owned())).await;
            let start: String = body.chars().take(20).collect();
            assert_eq!(answer.error().0, status, "{method} {path} {start}");
        }
    }
    for (method, path, allowed) in [
        (Method::GET, &link, "DELETE,PATCH"),
        (Method::POST, &link, "DELETE,PATCH"),
        (Method::PUT, &bio, "GET,HEAD,PATCH,POST"),
        (Method::GET, &order, "POST"),
    ] {
        let request = client
            .request(method.clone(), path)
            .bearer_auth(&creator.token);
        let answer = client.send(request).await;
        assert_eq!(answer.error().1, "METHOD_NOT_ALLOWED", "{method} {path}");
        let mut methods: Vec<&str> = answer.headers["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{method} {path}");
    }
    // A body, which this route does not use, does not prevent the deletion.
    let request = client
        .request(Method::DELETE, &link)
        .bearer_auth(&creator.token);
    client.send(request.body("{")).await.assert_ok();
    system.finish().await;
}
