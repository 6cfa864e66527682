//! Every bad input that the contract lists for these routes, through HTTP.

use kit::{Answer, Creator, System};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn days_are_parsed_as_in_javascript() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    for (given, days) in [
        ("", 30),
        ("?days=", 30),
        ("?days=1", 1),
        ("?days=365", 365),
        ("?days=366", 365),
        ("?days=0", 30),
        ("?days=-5", 30),
        ("?days=abc", 30),
        ("?days=7abc", 7),
        ("?days=7.9", 7),
        ("?days=1e9", 1),
        ("?days=%207", 7),
        ("?days=99999999999999999999999", 365),
    ] {
        let overview = system
            .client
            .report(&creator, &format!("overview{given}"))
            .await;
        assert_eq!(overview["days"], days, "{given}");
    }
    let answer = system
        .client
        .get_as(
            &creator.token,
            "/api/v1/creators/analytics/overview?bioPageId=x",
        )
        .await;
    assert_eq!(
        (answer.error().0, answer.error().1.as_str()),
        (400, "VALIDATION_ERROR")
    );
    system.finish().await;
}

async fn add(system: &System, creator: &Creator, body: &Value) -> Answer {
    let path = format!("/api/v1/creators/{}/links", creator.id);
    system.client.post_as(&creator.token, &path, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_validated_and_titles_are_stored_as_plain_text() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let url = "https://example.com/a?b=c#d";
    for (title, stored) in [
        ("x".repeat(100), "x".repeat(100)),
        ("🦀".repeat(100), "🦀".repeat(100)),
        ("Tom & Jerry".to_owned(), "Tom & Jerry".to_owned()),
        (
            "<b>Bold</b> <script>alert(1)</script>move".to_owned(),
            "Bold move".to_owned(),
        ),
        ("1 < 2".to_owned(), "1 < 2".to_owned()),
        ("Rock <roll".to_owned(), "Rock <roll".to_owned()),
        ("I <3 you".to_owned(), "I <3 you".to_owned()),
        ("<a href=".to_owned(), "<a href=".to_owned()),
        ("One\nline".to_owned(), "One line".to_owned()),
    ] {
        let link = add(&system, &creator, &json!({"title": title, "url": url})).await;
        assert_eq!(link.status, 201, "{}", link.text);
        assert_eq!(
            (&link.data()["title"], &link.data()["url"]),
            (&json!(stored), &json!(url))
        );
    }
    for (body, key) in [
        (json!({"title": "x".repeat(101), "url": url}), ""),
        (json!({"title": "", "url": url}), ""),
        (json!({"title": "<script>x</script>", "url": url}), ""),
        (json!({"title": "\u{200b}", "url": url}), ""),
        (json!({"title": "&#x2060;\u{fe0f}", "url": url}), ""),
        (json!({"url": url}), ""),
        (json!({"title": "x"}), ""),
        (json!({"title": 7, "url": url}), ""),
        (json!({"title": "x", "url": url, "sortOrder": 1001}), ""),
        (json!({"title": "x", "url": url, "sortOrder": 1.5}), ""),
        (json!({"title": "x", "url": url, "active": "yes"}), ""),
        (
            json!({"title": "x", "url": url, "icon": "i".repeat(51)}),
            "",
        ),
        (json!({"title": "x", "url": url, "embedType": "VIMEO"}), ""),
        (
            json!({"title": "x", "url": url, "scheduledStart": "tomorrow"}),
            "",
        ),
        (json!([]), ""),
        (
            json!({"title": "x", "url": "javascript:alert(1)"}),
            "creator.links.invalid_url",
        ),
        (
            json!({"title": "x", "url": "data:text/html,x"}),
            "creator.links.invalid_url",
        ),
        (
            json!({"title": "x", "url": "ftp://example.com"}),
            "creator.links.invalid_url",
        ),
        (
            json!({"title": "x", "url": "example.com"}),
            "creator.links.invalid_url",
        ),
        (
            json!({"title": "x", "url": url, "scheduledStart": "2027-03-06T00:00:00Z",
                   "scheduledEnd": "2027-03-05T00:00:00Z"}),
            "creator.links.invalid_schedule",
        ),
    ] {
        let answer = add(&system, &creator, &body).await;
        let (status, code, i18n_key) = answer.error();
        assert_eq!(
            (status, code.as_str()),
            (400, "VALIDATION_ERROR"),
            "{body}: {}",
            answer.text
        );
        if key.is_empty() {
            assert!(
                answer.json()["error"]["details"]
                    .as_array()
                    .is_some_and(|d| !d.is_empty()),
                "{}",
                answer.text
            );
        } else {
            assert_eq!(i18n_key, key, "{body}");
        }
    }
    // All problems are reported together.
    let answer = add(
        &system,
        &creator,
        &json!({"title": 7, "url": 8, "active": 9}),
    )
    .await;
    assert_eq!(
        answer.json()["error"]["details"].as_array().unwrap().len(),
        3,
        "{}",
        answer.text
    );
    // An internationalised host is valid.
    assert_eq!(
        add(
            &system,
            &creator,
            &json!({"title": "x", "url": "https://münchen.example"})
        )
        .await
        .status,
        201
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_requests_never_exceed_the_limit_of_links() {
    let system = kit::SystemBuilder::default()
        .set("BIO_MAX_LINKS", "5")
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    let body = json!({"title": "x", "url": "https://x.example"});
    let answers = futures::future::join_all((0..7).map(|_| add(&system, &creator, &body))).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        5
    );
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 201)
        .map(Answer::error)
        .collect();
    assert!(
        refused
            .iter()
            .all(|(status, _, key)| *status == 400 && key == "creator.links.limit_reached"),
        "{refused:?}"
    );
    let page = system
        .client
        .get_as(
            &creator.token,
            &format!("/api/v1/creators/{}/bio", creator.id),
        )
        .await
        .data();
    let mut orders: Vec<i64> = page["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|link| link["sortOrder"].as_i64())
        .collect();
    orders.sort_unstable();
    assert_eq!(orders, [0, 1, 2, 3, 4]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn creators_are_provisioned_once_with_a_username_that_is_free_and_allowed() {
    let system = System::start().await;
    let client = &system.client;
    let create = async |sub: &str, username: &str| {
        let body = json!({"username": username, "displayName": "Somebody"});
        client
            .post_as(&client.token(sub), "/api/v1/creators", &body)
            .await
    };
    let made = create("one", "Ada.L").await;
    assert_eq!(
        (made.status.as_u16(), &made.data()["username"]),
        (201, &json!("ada.l"))
    );
    assert_eq!(
        client
            .get_as(&client.token("one"), "/api/v1/creators/me")
            .await
            .data(),
        made.data()
    );
    for (sub, username, status, key) in [
        ("one", "another", 409, "creator.already_exists"),
        ("two", "ADA.l", 409, "creator.username.taken"),
        ("two", "a", 400, "creator.username.invalid"),
        ("two", "_ada", 400, "creator.username.invalid"),
        ("two", "ada.", 400, "creator.username.invalid"),
        ("two", "ada--l", 400, "creator.username.invalid"),
        ("two", "xn--ada-1", 400, "creator.username.invalid"),
        ("two", "xn-ada", 400, "creator.username.invalid"),
        ("two", "admin1", 400, "creator.username.invalid"),
        ("two", "ada\u{200e}", 400, "creator.username.invalid"),
        ("two", "api", 400, "creator.username.invalid"),
        ("two", "official", 400, "creator.username.invalid"),
        ("two", "s3curity", 400, "creator.username.invalid"),
        ("two", "support-team", 400, "creator.username.invalid"),
        ("two", "ada lovelace", 400, "creator.username.invalid"),
    ] {
        let (got, _, i18n_key) = create(sub, username).await.error();
        assert_eq!((got, i18n_key.as_str()), (status, key), "{username}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_name_must_be_visible() {
    let system = System::start().await;
    let client = &system.client;
    let create = async |username: &str, name: &str| {
        let body = json!({"username": username, "displayName": name});
        client
            .post_as(&client.token(username), "/api/v1/creators", &body)
            .await
    };
    for name in [
        "",
        "  ",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{3164}",
        "\u{115f}",
        "\u{2800}",
        "\u{fe0f}",
        "\u{301}",
        "\u{202e}",
        "\u{200b} \u{e0101}\u{7}",
        "&#8203;",
        "<b>\u{ad}</b>",
    ] {
        let answer = create("blank", name).await;
        assert_eq!(answer.error().0, 400, "{name:?}: {}", answer.text);
        let details = &answer.json()["error"]["details"][0]["message"];
        assert!(
            details.as_str().unwrap().starts_with("displayName"),
            "{details}"
        );
    }
    for (username, given, kept) in [
        ("one", "\u{202e}Ada Lovelace", "\u{202e}Ada Lovelace"),
        ("two", "Rock <roll", "Rock <roll"),
        ("three", "Ada\u{7}\nLovelace", "Ada Lovelace"),
        ("four", "\u{1f9e1}", "\u{1f9e1}"),
    ] {
        let answer = create(username, given).await;
        assert_eq!(answer.data()["displayName"], kept, "{given:?}");
    }
    // A user with an older creator finds it under its old name.
    let rename = "UPDATE creators SET username = 'official.' WHERE username = 'one'";
    sqlx::query(rename).execute(&system.main).await.unwrap();
    let me = client
        .get_as(&client.token("one"), "/api/v1/creators/me")
        .await;
    assert_eq!(me.data()["username"], "official.");
    assert_eq!(client.get("/api/v1/bio/official.").await.status, 200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_requests_never_exceed_the_limit_of_pages() {
    let system = kit::SystemBuilder::default()
        .set("BIO_MAX_PAGES", "4")
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    let path = format!("/api/v1/creators/{}/bio", creator.id);
    let add = async |number: i32| {
        let body = json!({ "slug": format!("page-{number}") });
        system.client.post_as(&creator.token, &path, &body).await
    };
    let answers = futures::future::join_all((0..7).map(add)).await;
    let added = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(added, 3);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let key = "creator.bio.limit_reached".to_owned();
        assert_eq!(refused.error(), (400, "VALIDATION_ERROR".to_owned(), key));
        assert_eq!(refused.json()["error"]["i18nVars"], json!({"max": 4}));
    }
    let me = system
        .client
        .get_as(&creator.token, "/api/v1/creators/me")
        .await;
    assert_eq!(me.data()["bioPages"].as_array().unwrap().len(), 4);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_methods_bodies_and_types_get_the_envelope() {
    let system = System::start().await;
    let client = &system.client;
    let too_large = "x".repeat(70_000);
    let session = "/api/v1/analytics/session";
    let cases = [
        (
            client.request(Method::GET, "/api/v1/nothing"),
            404,
            "RESOURCE_NOT_FOUND",
        ),
        (
            client.request(Method::GET, session),
            405,
            "METHOD_NOT_ALLOWED",
        ),
        (
            client
                .request(Method::POST, session)
                .body(json!({"visitorId": too_large}).to_string()),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            client
                .request(Method::POST, session)
                .header("content-type", "text/xml")
                .body("<a/>"),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            client.request(Method::POST, session).body("{"),
            400,
            "VALIDATION_ERROR",
        ),
        (
            client.request(Method::POST, session).body("[]"),
            400,
            "VALIDATION_ERROR",
        ),
        (
            client.request(Method::POST, session).body(vec![0xff, 0xfe]),
            400,
            "VALIDATION_ERROR",
        ),
        (
            client
                .request(Method::POST, session)
                .json(&json!({"visitorId": "x".repeat(129)})),
            400,
            "VALIDATION_ERROR",
        ),
        (
            client
                .request(Method::POST, session)
                .json(&json!({"visitorId": "x", "bioPageId": "7"})),
            400,
            "VALIDATION_ERROR",
        ),
    ];
    for (request, status, code) in cases {
        let answer = client.send(request).await;
        assert_eq!(
            (answer.error().0, answer.error().1.as_str()),
            (status, code),
            "{}",
            answer.text
        );
        assert_eq!(answer.json()["success"], false);
        if status == 405 {
            assert!(answer.headers.contains_key("allow"));
        }
    }
    // Unknown ids get the same response as any other, and nothing is recorded.
    for path in [
        "/api/v1/analytics/session/x/heartbeat".to_owned(),
        format!("/api/v1/analytics/session/{}/heartbeat", Uuid::from_u128(9)),
    ] {
        assert_eq!(
            client.post(&path, &json!({})).await.data(),
            json!({"ok": true})
        );
    }
    let view = client
        .post(
            "/api/v1/analytics/pageview",
            &json!({"sessionId": Uuid::from_u128(9)}),
        )
        .await;
    assert_eq!(view.data(), json!({"id": null}));
    assert!(system.log.read(schemas::topics::EVENTS).await.is_empty());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_descriptive_members_never_refuse_a_beacon() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let mut session = client.session_body(creator.page, "v");
    session["screenWidth"] = json!(412.5);
    session["language"] = json!(7);
    let id = client
        .post("/api/v1/analytics/session", &session)
        .await
        .id();
    // A library would not write this JSON: half a surrogate pair, U+0000, a number too large for a double.
    let members = [
        format!(r#"{{"type":"pageview","sessionId":"{id}","title":"Great shoes \ud83d"}}"#),
        format!(r#"{{"type":"pageview","sessionId":"{id}","path":"/a\u0000b","ageMs":1e999}}"#),
        format!(r#"{{"type":"pageview","sessionId":"{id}","linkClicked":"\ud83d"}}"#),
    ];
    let body = format!("\u{feff}{{\"events\":[{}]}}", members.join(","));
    let request = client.request(Method::POST, "/api/v1/analytics/events");
    let verdicts = client.send(request.body(body)).await.data();
    let verdicts: Vec<&Value> = (0..3)
        .map(|index| &verdicts["results"][index]["status"])
        .collect();
    assert_eq!(verdicts, ["ok", "ok", "invalid"]);
    system.settle().await;
    let overview = client.report(&creator, "overview").await;
    assert_eq!(
        (&overview["totalViews"], &overview["uniqueVisitors"]),
        (&json!(2), &json!(1))
    );
    system.finish().await;
}
