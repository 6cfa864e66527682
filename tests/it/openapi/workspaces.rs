//! Uses the routes of workspaces, for the comparison of all answers with the document.

use super::checker::Checker;
use crate::workspaces::objects::{make, make_key, object, of_members, request};
use kit::Creator;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const NOBODY: Uuid = Uuid::from_u128(1);

/// A success and each error of every route.
pub async fn use_workspaces(checker: &Checker<'_>, ada: &Creator, eve: &Creator) {
    refuse_callers(checker, eve).await;
    create_workspaces(checker).await;
    use_keys(checker, ada).await;
}

/// What every route answers to callers that may not call it, and about objects that do not exist.
async fn refuse_callers(checker: &Checker<'_>, eve: &Creator) {
    let client = &checker.system.client;
    let nobody = client.token("nobody");
    let (_, links) = make_key(client, &eve.token, &["links:write"]).await;
    let (_, reports) = make_key(client, &eve.token, &["analytics:read"]).await;
    for command in of_members() {
        let other = if command.permission.0.starts_with("links:") {
            &reports
        } else {
            &links
        };
        let id = match object(command) {
            Some(object) => make(checker.system, eve, object).await,
            None => NOBODY,
        };
        for (credential, status) in [(&*nobody, 403), (other, 403), ("lw_live_x", 401)] {
            let request = request(client, command, &id.to_string());
            let answer = checker.send(request.bearer_auth(credential)).await;
            assert_eq!(answer.status, status, "{}: {}", command.id, answer.text);
        }
        let request = request(client, command, &id.to_string()).bearer_auth(&eve.token);
        let request = request.header("x-workspace-id", NOBODY.to_string());
        assert_eq!(checker.send(request).await.status, 403, "{}", command.id);
        if object(command).is_some() {
            let request = self::request(client, command, &NOBODY.to_string());
            let answer = checker.send(request.bearer_auth(&eve.token)).await;
            assert_eq!(answer.status, 404, "{}: {}", command.id, answer.text);
        }
    }
}

async fn create_workspaces(checker: &Checker<'_>) {
    let token = checker.system.client.token("carol");
    let create = async |body: Value, status: u16| {
        let path = "/api/workspaces";
        let answer = checker.ask(Method::POST, path, Some(&token), body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    };
    create(json!({"name": "One", "slug": "one"}), 201).await;
    create(json!({"name": "Another", "slug": "one"}), 409).await;
    create(json!({"name": ""}), 400).await;
    for _ in 1..100 {
        create(json!({"name": "One more"}), 201).await;
    }
    create(json!({"name": "One too many"}), 403).await;
    let path = "/api/workspaces";
    let listed = checker
        .ask(Method::GET, path, Some(&token), Value::Null)
        .await;
    assert_eq!(listed.data().as_array().map(Vec::len), Some(100));
}

async fn use_keys(checker: &Checker<'_>, ada: &Creator) {
    let ask = async |method: Method, path: &str, body: Value, status: u16| {
        let answer = checker.ask(method, path, Some(&ada.token), body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        answer
    };
    let body =
        json!({"name": "Shop", "scopes": ["links:write"], "expiresAt": "2028-01-01T00:00:00Z"});
    let mut ids = Vec::new();
    for _ in 0..4 {
        let made = ask(Method::POST, "/api/keys", body.clone(), 201).await;
        ids.push(format!("/api/keys/{}", made.id()));
    }
    let wrong = json!({"name": "Shop", "scopes": ["everything"]});
    ask(Method::POST, "/api/keys", wrong, 400).await;
    ask(Method::GET, "/api/keys?page=0", Value::Null, 400).await;
    ask(Method::GET, "/api/keys?limit=2", Value::Null, 200).await;
    let rotate = |path: &str| format!("{path}/rotate");
    let overlap = json!({"overlapSeconds": 60});
    ask(Method::POST, &rotate(&ids[0]), overlap, 201).await;
    ask(Method::GET, &ids[0], Value::Null, 200).await;
    ask(Method::DELETE, &ids[1], Value::Null, 200).await;
    ask(Method::GET, &ids[1], Value::Null, 200).await;
    let sql = "UPDATE workspaces SET plan = 'starter' WHERE id = $1";
    let changing = sqlx::query(sql).bind(ada.workspace_id);
    changing.execute(&checker.system.main).await.unwrap();
    ask(Method::POST, "/api/keys", body, 403).await;
    ask(Method::POST, &rotate(&ids[2]), json!({}), 403).await;
}
