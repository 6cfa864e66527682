//! Which workspace a request is for, and how the surface answers outside of its handlers.

use super::objects::{get_with_key, join, make_key, refusal};
use jiff::SignedDuration;
use kit::{System, system::SECRET};
use reqwest::Method;
use runtime::{Clock, jwt};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_the_wanted_workspace_or_its_own_or_the_first() {
    let system = System::start().await;
    let client = &system.client;
    // Bob is a member of Ada's workspace first, and then makes a creator.
    let ada = client.creator("ada").await;
    let bob_token = join(&system, ada.workspace_id, "bob", "admin").await;
    let named = async |token: &str, wanted: Option<&str>| {
        let mut request = client.request(Method::POST, "/api/keys").bearer_auth(token);
        if let Some(wanted) = wanted {
            request = request.header("x-workspace-id", wanted);
        }
        let body = json!({"name": "x", "scopes": ["links:read"]});
        let answer = client.send(request.json(&body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let sql = "SELECT workspace_id FROM api_keys WHERE id = $1";
        let found = sqlx::query_scalar(sql).bind(answer.id());
        let workspace_id: uuid::Uuid = found.fetch_one(&system.main).await.unwrap();
        workspace_id
    };
    assert_eq!(named(&bob_token, None).await, ada.workspace_id);
    let bob = client.creator("bob").await;
    assert_eq!(named(&bob_token, None).await, bob.workspace_id);
    let wanted = ada.workspace_id.to_string();
    assert_eq!(named(&bob_token, Some(&wanted)).await, ada.workspace_id);
    let claimed = jwt::mint(
        SECRET,
        "bob",
        Some(wanted),
        system.clock.now(),
        SignedDuration::from_hours(1),
    );
    let claimed = claimed.unwrap();
    assert_eq!(named(&claimed, None).await, ada.workspace_id);
    let wanted = bob.workspace_id.to_string();
    assert_eq!(named(&claimed, Some(&wanted)).await, bob.workspace_id);
    let claimed = jwt::mint(
        SECRET,
        "ada",
        Some(wanted),
        system.clock.now(),
        SignedDuration::from_hours(1),
    );
    let answer = client.get_as(&claimed.unwrap(), "/api/keys").await;
    assert_eq!(refusal(&answer), (403, "FORBIDDEN".to_owned()));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_a_creator_creates_a_workspace() {
    let system = System::start().await;
    let client = &system.client;
    let token = client.token("carol");
    let answer = client.get_as(&token, "/api/workspaces").await;
    assert_eq!(answer.json(), json!({"success": true, "data": []}));
    let body = json!({"name": "Shop", "slug": "shop", "timezone": "Asia/Kathmandu", "defaultCurrency": "EUR"});
    let made = client.post_as(&token, "/api/workspaces", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let data = made.data();
    for (name, value) in [
        ("name", json!("Shop")),
        ("slug", json!("shop")),
        ("role", json!("owner")),
        ("plan", json!("enterprise")),
        ("timezone", json!("Asia/Kathmandu")),
        ("defaultCurrency", json!("EUR")),
        ("createdAt", json!("2027-03-05T12:00:00.000000Z")),
    ] {
        assert_eq!(data[name], value, "{name}");
    }
    let again = client
        .post_as(&client.token("dan"), "/api/workspaces", &body)
        .await;
    assert_eq!(refusal(&again), (409, "CONFLICT".to_owned()));
    for (name, value) in [
        ("timezone", "Mars/Base"),
        ("defaultCurrency", "euro"),
        ("slug", "Two Words"),
        ("name", " "),
    ] {
        let mut wrong = json!({"name": "x"});
        wrong[name] = json!(value);
        let answer = client.post_as(&token, "/api/workspaces", &wrong).await;
        let expected = (400, "VALIDATION_ERROR".to_owned());
        assert_eq!(refusal(&answer), expected, "{}", answer.text);
        assert!(answer.text.contains(name), "{}", answer.text);
    }
    // It is now the default one.
    make_key(client, &token, &["links:read"]).await;
    let listed = client.get_as(&token, "/api/workspaces").await.data();
    assert_eq!(listed, json!([data]));
    // Creators have one from the start.
    let ada = client.creator("ada").await;
    let listed = client.get_as(&ada.token, "/api/workspaces").await.data();
    assert_eq!(listed[0]["id"], json!(ada.workspace_id));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_below_its_paths_is_in_the_dialect_of_workspaces() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let send = async |method: Method, path: &str, body: Option<(&str, String)>| {
        let mut request = client.request(method, path).bearer_auth(&ada.token);
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        client.send(request).await
    };
    let json = "application/json";
    for (method, path, body, status, code) in [
        (Method::GET, "/api/links/a/b/c", None, 404, "NOT_FOUND"),
        (
            Method::GET,
            "/api/analytics/nothing/here/at/all",
            None,
            404,
            "NOT_FOUND",
        ),
        (Method::PATCH, "/api/keys", None, 405, "METHOD_NOT_ALLOWED"),
        (
            Method::POST,
            "/api/keys",
            Some((json, "{".to_owned())),
            400,
            "VALIDATION_ERROR",
        ),
        (
            Method::POST,
            "/api/keys",
            Some((json, "{}".to_owned())),
            400,
            "VALIDATION_ERROR",
        ),
        (
            Method::POST,
            "/api/keys",
            Some((json, "x".repeat(100_000))),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
        (
            Method::POST,
            "/api/keys",
            Some(("application/xml", "<a/>".to_owned())),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ] {
        let answer = send(method, path, body).await;
        assert_eq!(
            refusal(&answer),
            (status, code.to_owned()),
            "{path}: {}",
            answer.text
        );
        let told = answer.json();
        assert_eq!(told["success"], false);
        assert!(told["error"]["message"].is_string());
        assert!(told["error"].get("i18nKey").is_none(), "{told}");
    }
    let answer = client.get("/api/keys").await;
    assert_eq!(refusal(&answer), (401, "UNAUTHORIZED".to_owned()));
    // The creators' surface is unchanged, and takes no keys.
    let (_, key) = make_key(client, &ada.token, &["links:read"]).await;
    let answer = get_with_key(client, &key, "/api/v1/creators/me").await;
    assert_eq!(answer.error().1, "AUTH_UNAUTHORIZED");
    let answer = client.get_as(&key, "/api/v1/creators/me").await;
    assert_eq!(answer.error().1, "AUTH_UNAUTHORIZED");
    let answer = client.get_as(&key, "/api/workspaces").await;
    assert_eq!(refusal(&answer), (401, "UNAUTHORIZED".to_owned()));
    system.finish().await;
}
