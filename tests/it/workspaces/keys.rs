//! API keys: several live at once, rotation, revocation on every instance, limits, secrecy.

use super::objects::{audit, get_with_key, make_key, refusal};
use jiff::SignedDuration;
use kit::{System, SystemBuilder};
use serde_json::{Value, json};
use std::time::Instant;

const LIST: &str = "/api/keys";

fn invalid() -> (u16, String) {
    (401, "INVALID_API_KEY".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_live_at_once_and_a_rotated_one_ends() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let (first_id, first) = make_key(client, &ada.token, &["api_keys:read"]).await;
    let (_, second) = make_key(client, &ada.token, &["api_keys:read"]).await;
    for key in [&first, &second] {
        assert_eq!(get_with_key(client, key, LIST).await.status, 200);
        assert_eq!(client.get_as(key, LIST).await.status, 200);
    }
    let rotate = async |id, body: Value| {
        let path = format!("/api/keys/{id}/rotate");
        client.post_as(&ada.token, &path, &body).await
    };
    // At once.
    let rotated = rotate(first_id, json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let third = rotated.data()["key"].as_str().unwrap().to_owned();
    assert_eq!(
        refusal(&get_with_key(client, &first, LIST).await),
        invalid()
    );
    for key in [&second, &third] {
        assert_eq!(get_with_key(client, key, LIST).await.status, 200);
    }
    assert_eq!(rotate(first_id, json!({})).await.status, 404);
    // With an overlap of an hour.
    let third_id = rotated.id();
    let rotated = rotate(third_id, json!({"overlapSeconds": 3600})).await;
    let fourth = rotated.data()["key"].as_str().unwrap().to_owned();
    system.clock.advance(SignedDuration::from_secs(3599));
    for key in [&third, &fourth] {
        assert_eq!(get_with_key(client, key, LIST).await.status, 200);
    }
    system.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(
        refusal(&get_with_key(client, &third, LIST).await),
        invalid()
    );
    assert_eq!(get_with_key(client, &fourth, LIST).await.status, 200);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_revoked_or_rotated_on_one_instance_is_refused_on_another_at_once() {
    let system = System::start().await;
    let other = system.beside().await;
    let ada = system.client.creator("ada").await;
    let is_accepted = async |key: &str| {
        for instance in [&other, &system] {
            let answer = get_with_key(&instance.client, key, LIST).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    };
    let is_refused = async |key: &str| {
        let begun = Instant::now();
        for instance in [&other, &system] {
            let answer = get_with_key(&instance.client, key, LIST).await;
            assert_eq!(refusal(&answer), invalid());
        }
        assert!(begun.elapsed().as_secs() < 1, "{:?}", begun.elapsed());
    };
    let (id, first) = make_key(&system.client, &ada.token, &["api_keys:read"]).await;
    is_accepted(&first).await;
    let path = format!("/api/keys/{id}/rotate");
    let rotated = system.client.post_as(&ada.token, &path, &json!({})).await;
    is_refused(&first).await;
    let second = rotated.data()["key"].as_str().unwrap().to_owned();
    is_accepted(&second).await;
    let path = format!("/api/keys/{}", rotated.id());
    other.client.delete_as(&ada.token, &path).await.assert_ok();
    is_refused(&second).await;
    is_refused(&first).await;
    other.stop().await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_shown_once_and_kept_nowhere() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let (id, key) = make_key(client, &ada.token, &["api_keys:write", "links:read"]).await;
    let path = format!("/api/keys/{id}");
    let rotated = client
        .post_as(&key, &format!("{path}/rotate"), &json!({}))
        .await;
    let new = rotated.data()["key"].as_str().unwrap().to_owned();
    let listed = client.get_as(&ada.token, LIST).await.text;
    let shown = client.get_as(&ada.token, &path).await.text;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT api_keys::text FROM api_keys UNION ALL SELECT audit_log::text FROM audit_log UNION ALL SELECT encode(payload, 'escape') FROM outbox",
    )
    .fetch_all(&system.main)
    .await
    .unwrap();
    for text in tables.iter().chain([&listed, &shown]) {
        for secret in [&key, &new] {
            assert!(!text.contains(&secret[20..]), "{text}");
        }
    }
    assert!(shown.contains(&key[..14]), "{shown}");
    let actions: Vec<(String, String)> = audit(&system, ada.workspace_id)
        .await
        .into_iter()
        .map(|(action, actor, _, _)| (action, actor))
        .collect();
    let of = |action: &str, actor: &str| (action.to_owned(), actor.to_owned());
    assert_eq!(
        actions,
        [
            of("creator.created", "ada"),
            of("api_key.created", "ada"),
            of("api_key.rotated", &format!("api_key:{id}")),
        ]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_no_scope_that_its_maker_lacks() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let scopes = ["api_keys:create", "api_keys:update", "links:write"];
    let (_, key) = make_key(client, &ada.token, &scopes).await;
    let (strong, _) = make_key(client, &ada.token, &["links:read", "workspace:update"]).await;
    let give = async |scopes: Value| {
        let body = json!({"name": "x", "scopes": scopes});
        client.post_as(&key, LIST, &body).await
    };
    assert_eq!(give(json!(["links:delete"])).await.status, 201);
    for (scopes, named) in [
        (json!(["links:read"]), "links:read"),
        (
            json!(["links:write", "workspace:update"]),
            "workspace:update",
        ),
        (json!(["everything"]), "everything"),
        (json!(["pages:update"]), "pages:update"),
        (json!([]), "scopes"),
        (json!([7]), "scopes"),
    ] {
        let answer = give(scopes).await;
        assert_eq!(refusal(&answer), (400, "VALIDATION_ERROR".to_owned()));
        let details = answer.json()["error"]["details"].to_string();
        assert!(details.contains(named), "{details}");
    }
    // A rotation would hand out the scopes of the stronger key.
    let path = format!("/api/keys/{strong}/rotate");
    let answer = client.post_as(&key, &path, &json!({})).await;
    assert_eq!(refusal(&answer), (403, "FORBIDDEN".to_owned()));
    let past = json!({"name": "x", "scopes": ["links:read"], "expiresAt": "2027-03-05T12:00:00Z"});
    let answer = client.post_as(&ada.token, LIST, &past).await;
    assert!(answer.text.contains("expiresAt"), "{}", answer.text);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_bounds_the_keys_that_live_at_once() {
    let system = SystemBuilder::default()
        .set("WORKSPACE_PLAN", "starter")
        .start()
        .await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let (id, _) = make_key(client, &ada.token, &["links:read"]).await;
    let body = json!({"name": "x", "scopes": ["links:read"]});
    // Many at the same moment: the workspace's row makes them take turns.
    let attempts = (0..8).map(|_| client.post_as(&ada.token, LIST, &body));
    for answer in futures::future::join_all(attempts).await {
        assert_eq!(refusal(&answer), (403, "LIMIT_EXCEEDED".to_owned()));
        assert_eq!(answer.json()["error"]["details"], json!([{"max": 1}]));
    }
    let path = format!("/api/keys/{id}");
    client.delete_as(&ada.token, &path).await.assert_ok();
    make_key(client, &ada.token, &["links:read"]).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_a_key_is_recorded_once_a_minute() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let (id, key) = make_key(client, &ada.token, &["api_keys:read"]).await;
    let path = format!("/api/keys/{id}");
    let used = async || client.get_as(&ada.token, &path).await.data()["lastUsedAt"].clone();
    assert_eq!(used().await, Value::Null);
    for (seconds, expected) in [
        (0, "2027-03-05T12:00:00.000000Z"),
        (59, "2027-03-05T12:00:00.000000Z"),
        (1, "2027-03-05T12:01:00.000000Z"),
    ] {
        system.clock.advance(SignedDuration::from_secs(seconds));
        assert_eq!(get_with_key(client, &key, LIST).await.status, 200);
        assert_eq!(used().await, expected);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_keys_has_each_once_although_all_have_one_time() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    for _ in 0..5 {
        make_key(client, &ada.token, &["links:read"]).await;
    }
    let mut seen = Vec::new();
    for page in 1..=3 {
        let path = format!("/api/keys?limit=2&page={page}");
        let answer = client.get_as(&ada.token, &path).await.json();
        let expected = json!({"total": 5, "page": page, "limit": 2, "hasMore": page < 3});
        assert_eq!(answer["pagination"], expected);
        let keys = answer["data"].as_array().unwrap().iter();
        seen.extend(keys.map(|key| key["id"].as_str().unwrap().to_owned()));
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (5, 5));
    system.finish().await;
}
