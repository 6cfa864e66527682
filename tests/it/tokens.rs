//! Tokens of an external issuer: ES256 with a key set, on every service that authenticates callers.

use kit::{SystemBuilder, client::Client};
use reqwest::Method;
use runtime::{
    Clock,
    jwt::{Algorithm, Claims, sign},
};
use serde_json::{Value, json};
use std::fs;

const SET: &str = include_str!("../../runtime/fixtures/jwt/jwks.json");
const KEY: &str = include_str!("../../runtime/fixtures/jwt/ec.key.pem");
const OTHER_KEY: &str = include_str!("../../runtime/fixtures/jwt/other-ec.key.pem");
const PUBLIC: &str = include_str!("../../runtime/fixtures/jwt/ec.pub.pem");

fn claims(now: i64) -> Claims {
    Claims {
        sub: "ada".to_owned(),
        exp: now + 600,
        nbf: None,
        workspace_id: None,
        iss: Some("https://id.example".to_owned()),
        aud: Some(json!(["footfall"])),
    }
}

fn es256(kid: &str, key: &str, claims: &Claims) -> String {
    runtime::jwt::signatures::install();
    let header = jsonwebtoken::Header {
        kid: Some(kid.to_owned()),
        ..jsonwebtoken::Header::new(Algorithm::ES256)
    };
    let key = jsonwebtoken::EncodingKey::from_ec_pem(key.as_bytes()).unwrap();
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

async fn provision(client: &Client, token: &str, name: &str) -> (u16, Value) {
    let body = json!({"username": name, "displayName": name});
    let answer = client.post_as(token, "/api/v1/creators", &body).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_system_accepts_only_es256_tokens_of_its_key_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    fs::write(&file, SET).unwrap();
    let system = SystemBuilder::default()
        .set("JWT_ALGORITHM", "ES256")
        .set("JWT_SECRET", "")
        .set("JWT_JWKS_FILE", file.to_str().unwrap())
        .set("JWT_ISSUER", "https://id.example")
        .set("JWT_AUDIENCE", "footfall")
        .start()
        .await;
    let client = &system.client;
    let good = claims(system.clock.now().as_second());
    let token = es256("ec", KEY, &good);
    let another_issuer = Claims {
        iss: None,
        ..good.clone()
    };
    for (what, wrong) in [
        ("the kit's own HS256", client.token("ada")),
        ("HS256 under the public key", sign(PUBLIC, &good).unwrap()),
        ("another key than it names", es256("ec", OTHER_KEY, &good)),
        ("an unknown key", es256("unknown", KEY, &good)),
        ("no issuer", es256("ec", KEY, &another_issuer)),
    ] {
        let (status, answer) = provision(client, &wrong, "mallory").await;
        assert_eq!(status, 401, "{what}: {answer}");
        assert_eq!(answer["error"]["code"], "AUTH_UNAUTHORIZED", "{what}");
    }

    // The api accepts it.
    let (status, answer) = provision(client, &token, "ada").await;
    assert_eq!(status, 201, "{answer}");
    let page = answer["data"]["bioPageId"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    // Ingest accepts it as well.
    let session = client.session(page, "visitor").await;
    let path = format!("/api/v1/analytics/session/{session}/identify");
    for (bearer, status) in [(token.as_str(), 200), ("a.b.c", 401)] {
        let request = client.request(Method::PATCH, &path).bearer_auth(bearer);
        assert_eq!(client.send(request).await.status.as_u16(), status);
    }
    client.view(session, None).await;
    system.settle().await;
    let overview = client
        .get_as(&token, "/api/v1/creators/analytics/overview")
        .await
        .data();
    assert_eq!(overview["totalViews"], 1);
    system.finish().await;
}
