//! Provides the demo's creator with a page and links; creates what is missing.

use super::client::Client;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use runtime::program::Failure;
use serde_json::{Value, json};
use uuid::Uuid;

/// Name of the demo's creator, and of its user.
pub(super) const NAME: &str = "demo";

/// The demo's creator.
#[derive(Clone, Debug)]
pub(super) struct Creator {
    pub(super) username: String,
    pub(super) page: Uuid,
    /// Links that are visible now, in the page's order.
    pub(super) links: Vec<Uuid>,
    pub(super) created_at: Timestamp,
}

/// Links of the page. One is an embed by its address, one is a social profile, and the last becomes
/// visible later.
fn drafts(now: Timestamp) -> Vec<Value> {
    let day = SignedDuration::from_hours(24);
    vec![
        json!({"title": "Midnight Ferry – listen now", "url": "https://open.spotify.com/album/4aawyAB9vmqN3uQ7FjRGTy"}),
        json!({"title": "Tour dates", "url": "https://example.com/tour"}),
        json!({"title": "Watch the video", "url": "https://www.youtube.com/watch?v=aqz-KE-bpKQ"}),
        json!({"title": "Shop", "url": "https://example.com/shop"}),
        json!({"title": "Newsletter", "url": "https://example.com/newsletter"}),
        json!({"title": "Instagram", "url": "https://www.instagram.com/", "isSocial": true, "platform": "instagram"}),
        json!({
            "title": "Presale", "url": "https://example.com/presale",
            "scheduledStart": (now + day * 3).to_string(), "scheduledEnd": (now + day * 10).to_string(),
        }),
    ]
}

impl Creator {
    /// Finds the creator of the client's token, or creates one.
    ///
    /// # Errors
    /// When another user has the name, or the program refuses a request.
    pub(super) async fn provide(client: &Client, now: Timestamp) -> Result<Self, Failure> {
        let path = "/api/v1/creators";
        let names = json!({"username": NAME, "displayName": "Demo"});
        let (status, answer) = client.call(Method::POST, path, Some(&names)).await?;
        // A refusal is not an error yet: at a second start the creator already exists.
        let (_, me) = client
            .call(Method::GET, "/api/v1/creators/me", None)
            .await?;
        let me = &me["data"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (Ok(page), Ok(created_at)) = (
            text(&me["bioPageId"]).parse(),
            text(&me["createdAt"]).parse(),
        ) else {
            let why = text(&answer["error"]["message"]);
            return Err(Failure::Other(format!(
                "the demo's creator cannot be made: {status} {why}"
            )));
        };
        let id = text(&me["id"]);
        Ok(Self {
            username: text(&me["username"]),
            page,
            links: provide_links(client, &id, now).await?,
            created_at,
        })
    }
}

async fn provide_links(
    client: &Client,
    creator: &str,
    now: Timestamp,
) -> Result<Vec<Uuid>, Failure> {
    let path = format!("/api/v1/creators/{creator}/bio");
    let (_, page) = client.call(Method::GET, &path, None).await?;
    let known = page["data"]["links"].as_array().cloned();
    let mut known = known.unwrap_or_default();
    let path = format!("/api/v1/creators/{creator}/links");
    for draft in drafts(now) {
        if known.iter().any(|link| link["title"] == draft["title"]) {
            continue;
        }
        let (status, answer) = client.call(Method::POST, &path, Some(&draft)).await?;
        if status != StatusCode::CREATED {
            let why = &answer["error"]["message"];
            return Err(Failure::Other(format!(
                "a link of the demo cannot be made: {status} {why}"
            )));
        }
        known.push(answer["data"].clone());
    }
    let shown = known.iter().filter(|link| link["scheduledStart"].is_null());
    Ok(shown
        .filter_map(|link| link["id"].as_str()?.parse().ok())
        .collect())
}
