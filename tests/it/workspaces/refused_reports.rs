//! Every report of workspaces refuses callers without a membership, a scope or a link of their own. A walk over
//! the rows, so that a new report is tested by its row.

use super::objects::{join, make_key, refusal};
use api::catalog::{REPORTS, Report, Surface};
use kit::{Answer, Client, Creator, System};
use reqwest::RequestBuilder;
use serde_json::json;
use uuid::Uuid;

const UNKNOWN: Uuid = Uuid::from_u128(1);

/// The reports of workspaces.
pub fn reports() -> impl Iterator<Item = &'static Report> {
    let all = REPORTS.iter();
    all.filter(|report| report.surface == Surface::Workspace)
}

/// The path of a report about that link.
pub fn path(report: &Report, link: &str) -> String {
    report.path.replace("{linkId}", link)
}

/// Makes a link in a creator's workspace.
pub async fn make_link(client: &Client, owner: &Creator) -> Uuid {
    let body = json!({ "destinationUrl": "https://shop.example/" });
    let made = client.post_as(&owner.token, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.id()
}

async fn send(client: &Client, request: RequestBuilder, key: &str) -> Answer {
    client.send(request.header("x-api-key", key)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_and_key_with_the_scope_may_read() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let link = make_link(client, &ada).await.to_string();
    let forbidden = (403, "FORBIDDEN".to_owned());
    let mut tokens = vec![ada.token.clone()];
    for role in ["viewer", "editor", "admin", "owner"] {
        tokens.push(join(&system, ada.workspace_id, role, role).await);
    }
    let (_, reader) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, other) = make_key(client, &ada.token, &["links:read", "links:write"]).await;
    for report in reports() {
        let path = path(report, &link);
        for token in &tokens {
            let answer = client.get_as(token, &path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        }
        let get = || client.request(reqwest::Method::GET, &path);
        assert_eq!(send(client, get(), &reader).await.status, 200, "{path}");
        assert_eq!(client.get_as(&reader, &path).await.status, 200, "{path}");
        let answer = send(client, get(), &other).await;
        assert_eq!(refusal(&answer), forbidden, "{path}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_keys_and_strangers_are_refused_by_every_report() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let nobody = client.token("nobody");
    let link = make_link(client, &ada).await.to_string();
    let (id, key) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, of_eve) = make_key(client, &eve.token, &["analytics:read"]).await;
    for report in reports() {
        let answer = client.get_as(&key, &path(report, &link)).await;
        assert_eq!(answer.status, 200, "{}: {}", report.id, answer.text);
    }
    let revoked = format!("/api/keys/{id}");
    client.delete_as(&ada.token, &revoked).await.assert_ok();
    for report in reports() {
        let path = path(report, &link);
        let refused = client.get_as(&key, &path).await;
        let expected = (401, "INVALID_API_KEY".to_owned());
        assert_eq!(refusal(&refused), expected, "{path}");
        assert_eq!(client.get(&path).await.status, 401, "{path}");
        let forbidden = (403, "FORBIDDEN".to_owned());
        let answer = client.get_as(&nobody, &path).await;
        assert_eq!(refusal(&answer), forbidden, "{path}");
        for credential in [&eve.token, &of_eve] {
            let request = client.request(reqwest::Method::GET, &path);
            let request = request.bearer_auth(credential);
            let request = request.header("x-workspace-id", ada.workspace_id.to_string());
            let answer = client.send(request).await;
            assert_eq!(refusal(&answer), forbidden, "{path}");
        }
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_campaigns_of_another_workspace_are_not_found() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let link = make_link(client, &ada).await;
    let gone = make_link(client, &eve).await;
    let deleted = format!("/api/links/{gone}");
    client.delete_as(&eve.token, &deleted).await.assert_ok();
    let body = json!({ "name": "Spring" });
    let campaign = client.post_as(&ada.token, "/api/campaigns", &body).await;
    let folder = client.post_as(&ada.token, "/api/folders", &body).await;
    let tag = client.post_as(&ada.token, "/api/tags", &body).await;
    let not_found = (404, "NOT_FOUND".to_owned());
    let mut asked = 0;
    for report in reports() {
        let own = make_link(client, &eve).await.to_string();
        let mut paths = Vec::new();
        if report.path.contains("{linkId}") {
            for id in [
                &*link.to_string(),
                &gone.to_string(),
                &UNKNOWN.to_string(),
                "x",
                "workspace",
                "%ff",
            ] {
                paths.push(path(report, id));
            }
        }
        for (name, foreign) in [
            ("linkId", link),
            ("linkId", gone),
            ("campaignId", campaign.id()),
            ("folderId", folder.id()),
            ("tagId", tag.id()),
        ] {
            if report
                .params
                .iter()
                .any(|param| report.param_name(*param) == name)
            {
                paths.push(format!("{}?{name}={foreign}", path(report, &own)));
            }
        }
        assert!(!paths.is_empty(), "{}", report.id);
        for path in paths {
            let answer = client.get_as(&eve.token, &path).await;
            assert_eq!(refusal(&answer), not_found, "{path}: {}", answer.text);
            asked += 1;
        }
    }
    assert!(asked >= 16, "{asked}");
    system.finish().await;
}
