//! Management of links, campaigns, folders, tags, rules and QR codes in a whole system.

mod groups;
mod kept_links;
mod links;
mod many_links;
mod qr_codes;
mod rules;

use crate::link_changes::directory;
use kit::{Answer, Creator, System};
use reqwest::Method;
use schemas::directory::{Campaign, Entry, Link};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A caller of one workspace.
struct Caller<'a> {
    system: &'a System,
    token: &'a str,
}

impl<'a> Caller<'a> {
    const fn new(system: &'a System, creator: &'a Creator) -> Self {
        Self {
            system,
            token: creator.token.as_str(),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.system.client.request(method, path);
        let request = request.bearer_auth(self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.system.client.send(request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(&body)).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(&body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(&body)).await
    }

    /// Creates a link, and returns it.
    async fn link(&self, body: Value) -> Value {
        let answer = self.post("/api/links", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.data()
    }
}

/// Status and code of an error.
fn error(answer: &Answer) -> (u16, String) {
    let (status, code, _) = answer.error();
    (status, code)
}

/// The id of an object.
fn id(object: &Value) -> Uuid {
    object["id"].as_str().unwrap().parse().unwrap()
}

/// The newest entry of each key of the directory.
async fn entries(system: &System) -> BTreeMap<String, Entry> {
    let all = directory(system).await.into_iter();
    all.map(|entry| (entry.key(), entry)).collect()
}

/// The newest entry of a link.
async fn link_entry(system: &System, id: Uuid) -> Link {
    match entries(system).await.remove(&format!("link:{id}")) {
        Some(Entry::Link(link)) => *link,
        other => panic!("{other:?}"),
    }
}

/// The newest entry of a campaign.
async fn campaign_entry(system: &System, id: Uuid) -> Campaign {
    match entries(system).await.remove(&format!("campaign:{id}")) {
        Some(Entry::Campaign(campaign)) => campaign,
        other => panic!("{other:?}"),
    }
}

/// The actions in the audit log about an object, the oldest first.
async fn actions(system: &System, subject: Uuid) -> Vec<String> {
    sqlx::query_scalar("SELECT action FROM audit_log WHERE subject = $1 ORDER BY id")
        .bind(subject)
        .fetch_all(&system.main)
        .await
        .unwrap()
}

/// A body that only has a destination.
fn plain(code: &str) -> Value {
    json!({"destinationUrl": "https://shop.example/x", "shortCode": code})
}
