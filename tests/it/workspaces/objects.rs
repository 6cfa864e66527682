//! What the walks over the commands of workspaces need: members, keys, and an object of each kind.

use api::{Command, Object, Subject, commands};
use jiff::SignedDuration;
use kit::{Answer, Client, Creator, System};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

/// The commands of workspaces that need a membership.
pub fn of_members() -> impl Iterator<Item = &'static Command> {
    commands().filter(|command| matches!(command.subject, Subject::Workspace | Subject::Object(_)))
}

/// The object in a command's path.
pub const fn object(command: &Command) -> Option<Object> {
    match command.subject {
        Subject::Object(object) => Some(object),
        _ => None,
    }
}

/// A request to a command with that id in its path, and a body that its schema accepts.
pub fn request(client: &Client, command: &Command, id: &str) -> RequestBuilder {
    let parts = command.path.split(['{', '}']).enumerate();
    let path: String = parts
        .map(|(index, part)| if index % 2 == 1 { id } else { part })
        .collect();
    let request = client.request(command.verb.method(), &path);
    match command.example() {
        Some(body) => request.json(&body),
        None => request,
    }
}

/// Makes an API key: its id and the key.
pub async fn make_key(client: &Client, token: &str, scopes: &[&str]) -> (Uuid, String) {
    let body = json!({ "name": "A key", "scopes": scopes });
    let answer = client.post_as(token, "/api/keys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let key = answer.data()["key"].as_str().unwrap().to_owned();
    (answer.id(), key)
}

/// Makes an app: its id.
pub async fn make_app(client: &Client, token: &str, platform: &str, package: &str) -> Uuid {
    let body = json!({ "platform": platform, "packageId": package });
    let answer = client.post_as(token, "/api/mobile-apps", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.id()
}

/// Makes an object of that kind in a creator's workspace. Each kind needs a line here.
pub async fn make(system: &System, owner: &Creator, object: Object) -> Uuid {
    match object.id {
        "keyId" => {
            make_key(&system.client, &owner.token, &["links:read"])
                .await
                .0
        }
        "workspaceId" => owner.workspace_id,
        "customerId" => make_customer(system, owner).await,
        "conversionId" => make_conversion(system, owner).await,
        "linkId" => {
            let body = json!({ "destinationUrl": "https://shop.example/" });
            create(system, owner, "/api/links", &body).await
        }
        "campaignId" => {
            let body = json!({ "name": "Spring" });
            create(system, owner, "/api/campaigns", &body).await
        }
        "ruleId" => {
            let link = json!({ "destinationUrl": "https://shop.example/" });
            let link = create(system, owner, "/api/links", &link).await;
            let body = json!({ "linkId": link, "name": "A", "destinationUrl": "https://a.example/", "conditions": [] });
            create(system, owner, "/api/rules", &body).await
        }
        "qrId" => {
            let link = json!({ "destinationUrl": "https://shop.example/" });
            let link = create(system, owner, "/api/links", &link).await;
            create(system, owner, &format!("/api/qr/links/{link}"), &json!({})).await
        }
        "folderId" => {
            let body = json!({ "name": "Mail" });
            create(system, owner, "/api/folders", &body).await
        }
        "tagId" => {
            // Names of tags are unique, ids of keys too.
            let name = make_key(&system.client, &owner.token, &["tags:read"]).await;
            let body = json!({ "name": name.0 });
            create(system, owner, "/api/tags", &body).await
        }
        "domainId" => {
            let label = system.context.ids.uuid_v7(kit::noon()).simple().to_string();
            let body = json!({ "host": format!("{label}.example") });
            let answer = system
                .client
                .post_as(&owner.token, "/api/domains", &body)
                .await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            answer.id()
        }
        "mobileAppId" => {
            let label = system.context.ids.uuid_v7(kit::noon()).simple().to_string();
            let package = format!("com.example.a{label}");
            make_app(&system.client, &owner.token, "ios", &package).await
        }
        "webhookId" => {
            let body = json!({ "url": "https://hooks.example/in", "events": ["click"] });
            create(system, owner, "/api/webhooks", &body).await
        }
        "memberId" => {
            let body =
                json!({ "userId": system.context.ids.uuid_v7(kit::noon()), "role": "viewer" });
            let answer = system
                .client
                .post_as(&owner.token, "/api/members", &body)
                .await;
            assert_eq!(answer.status, 201, "{}", answer.text);
            answer.id()
        }
        other => panic!("no object for {other}"),
    }
}

async fn make_customer(system: &System, owner: &Creator) -> Uuid {
    let body = json!({ "name": "A customer" });
    let answer = system.client.post_as(&owner.token, "/api/customers", &body);
    answer.await.id()
}

async fn make_conversion(system: &System, owner: &Creator) -> Uuid {
    let click =
        crate::conversions::click_id(system, owner.workspace_id, 9, SignedDuration::ZERO).await;
    let body = json!({ "clickId": click, "event": "purchase", "value": 50 });
    let answer = system
        .client
        .post_as(&owner.token, "/api/conversions", &body)
        .await;
    let id = answer.data()["conversionId"].as_str().unwrap().parse();
    id.unwrap()
}

async fn create(system: &System, owner: &Creator, path: &str, body: &Value) -> Uuid {
    let answer = system.client.post_as(&owner.token, path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.id()
}

/// Makes a user a member of a workspace, and returns a token.
pub async fn join(system: &System, workspace_id: Uuid, sub: &str, role: &str) -> String {
    sqlx::query(
        "INSERT INTO members (id, workspace_id, sub, role, created_at) VALUES (gen_random_uuid(), $1, $2, $3, now())",
    )
    .bind(workspace_id)
    .bind(sub)
    .bind(role)
    .execute(&system.main)
    .await
    .unwrap();
    system.client.token(sub)
}

/// Status and code of a refused request.
pub fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let code = body["error"]["code"].as_str().unwrap_or_default();
    (answer.status.as_u16(), code.to_owned())
}

/// A GET with an API key in its own header.
pub async fn get_with_key(client: &Client, key: &str, path: &str) -> Answer {
    let request = client.request(Method::GET, path);
    client.send(request.header("x-api-key", key)).await
}

/// The rows of the audit log of a workspace, the oldest first: action, actor, subject and detail.
pub async fn audit(system: &System, workspace_id: Uuid) -> Vec<(String, String, Uuid, Value)> {
    sqlx::query_as(
        "SELECT action, actor, subject, detail FROM audit_log WHERE workspace_id = $1 ORDER BY id",
    )
    .bind(workspace_id)
    .fetch_all(&system.main)
    .await
    .unwrap()
}
