//! The links of deleted workspaces: the same answer as for deleted links, by one entry of the directory.

use super::{
    deleted::{OWN_HOST, delete, make_link, make_workspace, run_of_guide, until_gone},
    objects::{audit, get_with_key, make_app, make_key},
};
use crate::clicks::{open, until_answered, until_folded};
use kit::{System, SystemBuilder};
use reqwest::Method;
use schemas::{directory::Entry, topics::DIRECTORY};
use serde_json::json;

const DESTINATION: &str = "https://shop.example/secret-sale";
const HTML: (&str, &str) = ("accept", "text/html");
const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";

#[tokio::test(flavor = "multi_thread")]
async fn its_links_answer_like_deleted_links_in_every_form_and_its_clicks_stay() {
    let system = System::start().await;
    let client = &system.client;
    let carol = make_workspace(&system, "carol").await;
    let app = make_app(client, &carol.token, "android", "com.example.shop").await;
    for (code, more) in [
        ("plain", json!({})),
        ("locked", json!({"password": "secret"})),
        ("shown", json!({"previewTitle": "Secret sale"})),
        ("late", json!({"redirectDelayMs": 1_500})),
        (
            "deep",
            json!({"deepLinkEnabled": true, "deepLinkAndroid": "myapp://secret-sale"}),
        ),
        (
            "inapp",
            json!({"deepLinkEnabled": true, "deepLinkAndroid": "https://shop.example/secret-sale", "appLinks": [app]}),
        ),
        ("shut", json!({"enabled": false, "title": "Secret sale"})),
        ("gone", json!({})),
    ] {
        let mut body = json!({ "destinationUrl": DESTINATION, "shortCode": code });
        let members = body.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let made = make_link(&system, &carol, &body).await;
        assert_eq!(made.status, 201, "{code}: {}", made.text);
        if code == "gone" {
            let path = format!("/api/links/{}", made.id());
            client.delete_as(&carol.token, &path).await.assert_ok();
        }
        if code == "plain" {
            until_answered(client, OWN_HOST, code, 302).await;
            open(client, OWN_HOST, "/plain", &[]).await;
            until_folded(&system.analytics, made.id(), 1).await;
        }
    }
    // Entries arrive in their order.
    until_answered(client, OWN_HOST, "shut", 410).await;
    until_gone(client, OWN_HOST, "gone").await;
    delete(client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    until_gone(client, OWN_HOST, "plain").await;
    for headers in [
        &[][..],
        &[HTML],
        &[HTML, ("user-agent", ANDROID)],
        &[HTML, ("user-agent", "TelegramBot (like TwitterBot)")],
    ] {
        for form in ["", "?qr=a", "?bot=1"] {
            let ask = async |code: &str| {
                let answer = open(client, OWN_HOST, &format!("/{code}{form}"), headers).await;
                let cache = answer.headers["cache-control"].clone();
                assert!(!answer.headers.contains_key("location"), "{code}");
                assert!(!answer.text.to_lowercase().contains("secret"), "{code}");
                (answer.status, cache, answer.text.replace(code, "<code>"))
            };
            let expected = ask("gone").await;
            assert_eq!(expected.0, 404);
            for code in ["plain", "locked", "shown", "late", "deep", "inapp", "shut"] {
                let got = ask(code).await;
                assert_eq!((got.0, got.1), (expected.0, expected.1.clone()), "{code}");
            }
        }
    }
    let tried = client
        .request(Method::POST, "/locked")
        .body("password=secret");
    let tried = client.send(tried.header("host", OWN_HOST)).await;
    assert!(
        [404, 405].contains(&tried.status.as_u16()),
        "{}",
        tried.text
    );
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM hits WHERE link_id IS NOT NULL")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(kept, 1);
    system.finish().await;
}

/// The entries of the directory, the oldest first.
async fn published(system: &System) -> Vec<Entry> {
    let records = system.log.read(DIRECTORY).await;
    let entries = records.iter();
    entries
        .filter_map(|record| serde_json::from_slice(&record.payload).ok())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_entry_ends_all_links_and_the_statement_of_the_guide_brings_them_back() {
    let system = System::start().await;
    let client = &system.client;
    let carol = make_workspace(&system, "carol").await;
    let (_, key) = make_key(client, &carol.token, &["links:read"]).await;
    let codes: Vec<String> = (0..20).map(|number| format!("promo-{number}")).collect();
    for code in &codes {
        let body = json!({"destinationUrl": DESTINATION, "shortCode": code});
        assert_eq!(make_link(&system, &carol, &body).await.status, 201);
    }
    for code in &codes {
        until_answered(client, OWN_HOST, code, 302).await;
    }
    let before = published(&system).await.len();
    delete(client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    for code in &codes {
        until_gone(client, OWN_HOST, code).await;
    }
    let new = published(&system).await.split_off(before);
    let [Entry::Workspace(entry)] = new.as_slice() else {
        panic!("{new:?}")
    };
    assert_eq!(
        (entry.workspace_id.0, entry.deleted),
        (carol.workspace_id, true)
    );
    let (action, actor, subject, detail) = audit(&system, carol.workspace_id).await.pop().unwrap();
    assert_eq!((&*action, &*actor), ("workspace.deleted", "carol"));
    assert_eq!(
        (subject, &detail["name"]),
        (carol.workspace_id, &json!("Shop"))
    );

    run_of_guide(&system, "WITH back", carol.workspace_id).await;
    for code in &codes {
        until_answered(client, OWN_HOST, code, 302).await;
    }
    let listed = get_with_key(client, &key, "/api/links").await;
    assert_eq!(listed.json()["pagination"]["total"], 20);
    delete(client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    until_gone(client, OWN_HOST, "promo-0").await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stays_deleted_in_a_new_log() {
    let system = System::start().await;
    let eve = system.client.creator("eve").await;
    let carol = make_workspace(&system, "carol").await;
    for (by, code) in [(&carol, "promo"), (&eve, "other")] {
        let body = json!({"destinationUrl": DESTINATION, "shortCode": code});
        assert_eq!(make_link(&system, by, &body).await.status, 201);
        until_answered(&system.client, OWN_HOST, code, 302).await;
    }
    delete(&system.client, &carol.token, carol.workspace_id)
        .await
        .assert_ok();
    let (log, databases) = system.stop().await;
    log.finish().await;
    let system = SystemBuilder::default().databases(databases).start().await;
    until_answered(&system.client, OWN_HOST, "other", 302).await;
    assert_eq!(
        open(&system.client, OWN_HOST, "/promo", &[]).await.status,
        404
    );
    system.finish().await;
}
