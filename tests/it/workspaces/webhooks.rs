//! Webhooks as their owners manage them: what is saved, what is shown, and what is refused.

use super::objects::{audit, refusal};
use kit::{Answer, Creator, System, SystemBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

const LIST: &str = "/api/webhooks";

/// An owner of webhooks.
struct Owner<'a> {
    system: &'a System,
    creator: Creator,
}

impl<'a> Owner<'a> {
    async fn of(system: &'a System) -> Self {
        let creator = system.client.creator("ada").await;
        Self { system, creator }
    }

    async fn create(&self, body: &Value) -> Answer {
        let client = &self.system.client;
        client.post_as(&self.creator.token, LIST, body).await
    }

    async fn change(&self, id: Uuid, body: &Value) -> Answer {
        let path = format!("{LIST}/{id}");
        let client = &self.system.client;
        client.patch_as(&self.creator.token, &path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        let client = &self.system.client;
        client.get_as(&self.creator.token, path).await
    }

    async fn rotate(&self, id: Uuid) -> Answer {
        let path = format!("{LIST}/{id}/rotate-secret");
        let client = &self.system.client;
        client.post_as(&self.creator.token, &path, &json!({})).await
    }
}

/// The secret in an answer.
fn secret(answer: &Answer) -> String {
    let secret = answer.data()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    secret
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_saved_and_its_secret_is_shown_when_it_is_made_only() {
    let system = System::start().await;
    let ada = Owner::of(&system).await;
    let body = json!({"url": " https://Hooks.Example/in#x ", "events": ["sale", "click"], "description": " Orders "});
    let made = ada.create(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, first) = (made.id(), secret(&made));
    let mut shown = made.data();
    shown.as_object_mut().unwrap().remove("secret");
    assert_eq!(
        shown,
        json!({
            "id": id, "url": "https://hooks.example/in", "events": ["click", "sale"], "linkId": null, "campaignId": null,
            "description": "Orders", "enabled": true, "disabledAt": null, "disabledReason": null, "failingSince": null,
            "formerSecretUntil": null, "createdAt": "2027-03-05T12:00:00.000000Z", "updatedAt": "2027-03-05T12:00:00.000000Z",
        })
    );
    let path = format!("{LIST}/{id}");
    assert_eq!(ada.get(&path).await.data(), shown);
    assert_eq!(ada.get(LIST).await.data(), json!([shown]));
    let change = json!({"events": ["conversion"], "description": null});
    let changed = ada.change(id, &change).await.data();
    assert_eq!(changed["events"], json!(["lead", "sale", "custom"]));
    assert_eq!(changed["description"], Value::Null);

    let rotated = ada.rotate(id).await;
    let second = secret(&rotated);
    assert_ne!(first, second);
    assert_eq!(
        rotated.data()["formerSecretUntil"],
        "2027-03-06T12:00:00.000000Z"
    );
    // Neither secret is anywhere else: not in other answers, the audit log or the table.
    let rows: Vec<String> = sqlx::query_scalar("SELECT webhooks::text FROM webhooks")
        .fetch_all(&system.main)
        .await
        .unwrap();
    let log = audit(&system, ada.creator.workspace_id).await;
    let everything = format!("{rows:?} {log:?} {}", ada.get(&path).await.text);
    for secret in [&first, &second] {
        assert!(!everything.contains(secret.trim_start_matches("whsec_")));
    }
    let actions: Vec<&str> = log.iter().map(|(action, ..)| &**action).collect();
    let actions: Vec<&str> = actions
        .into_iter()
        .filter(|action| action.starts_with("webhook."))
        .collect();
    assert_eq!(
        actions,
        ["webhook.created", "webhook.updated", "webhook.updated"]
    );
    let client = &system.client;
    client
        .delete_as(&ada.creator.token, &path)
        .await
        .assert_ok();
    assert_eq!(refusal(&ada.get(&path).await).0, 404);
    let log = audit(&system, ada.creator.workspace_id).await;
    assert_eq!(log.last().unwrap().0, "webhook.deleted");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn local_targets_need_the_setting_for_development() {
    let local = json!({"url": "http://127.0.0.1:3000/in", "events": ["click"]});
    let metadata = json!({"url": "https://169.254.169.254/latest", "events": ["click"]});
    let system = System::start().await;
    let ada = Owner::of(&system).await;
    for body in [&local, &metadata] {
        let answer = ada.create(body).await;
        assert_eq!(refusal(&answer), (400, "VALIDATION_ERROR".to_owned()));
    }
    system.finish().await;
    let builder = SystemBuilder::default().set("WEBHOOK_PRIVATE_TARGETS", "on");
    let system = builder.start().await;
    let ada = Owner::of(&system).await;
    assert_eq!(ada.create(&local).await.status, 201);
    assert_eq!(ada.create(&metadata).await.status, 400);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_campaigns_of_others_are_unknown() {
    let system = System::start().await;
    let ada = Owner::of(&system).await;
    let eve = system.client.creator("eve").await;
    let theirs = system.client.link(&eve, "Theirs", "https://shop.example/");
    let (theirs, own) = futures::join!(
        theirs,
        system
            .client
            .link(&ada.creator, "Own", "https://shop.example/")
    );
    let body =
        |link: Uuid| json!({"url": "https://hooks.example/", "events": ["click"], "linkId": link});
    assert_eq!(ada.create(&body(theirs)).await.status, 404);
    let made = ada.create(&body(own)).await;
    assert_eq!(made.data()["linkId"], json!(own));
    let id = made.id();
    assert_eq!(ada.change(id, &json!({"linkId": theirs})).await.status, 404);
    let cleared = ada.change(id, &json!({"linkId": null})).await;
    assert_eq!(cleared.data()["linkId"], Value::Null);
    system.finish().await;
}
