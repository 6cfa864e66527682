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

/// A link and a QR code of it, one of which a report may be about.
#[derive(Clone, Copy)]
pub struct About {
    pub link: Uuid,
    pub qr: Uuid,
}

impl About {
    /// What exists in no workspace.
    pub const NOTHING: Self = Self {
        link: UNKNOWN,
        qr: UNKNOWN,
    };

    /// Makes a link with a QR code in a creator's workspace.
    pub async fn make(client: &Client, owner: &Creator) -> Self {
        Self::of(client, owner, make_link(client, owner).await).await
    }

    /// Makes a QR code of a link.
    pub async fn of(client: &Client, owner: &Creator, link: Uuid) -> Self {
        let path = format!("/api/qr/links/{link}");
        let made = client.post_as(&owner.token, &path, &json!({})).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let qr = made.id();
        Self { link, qr }
    }

    /// The path of a report about it.
    pub fn path(&self, report: &Report) -> String {
        let path = report.path.replace("{linkId}", &self.link.to_string());
        path.replace("{qrId}", &self.qr.to_string())
    }
}

/// Makes a link in a creator's workspace.
async fn make_link(client: &Client, owner: &Creator) -> Uuid {
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
    let about = About::make(client, &ada).await;
    let forbidden = (403, "FORBIDDEN".to_owned());
    let mut tokens = vec![ada.token.clone()];
    for role in ["viewer", "editor", "admin", "owner"] {
        tokens.push(join(&system, ada.workspace_id, role, role).await);
    }
    let (_, reader) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, other) = make_key(client, &ada.token, &["links:read", "links:write"]).await;
    for report in reports() {
        let path = about.path(report);
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
    let about = About::make(client, &ada).await;
    let (id, key) = make_key(client, &ada.token, &["analytics:read"]).await;
    let (_, of_eve) = make_key(client, &eve.token, &["analytics:read"]).await;
    for report in reports() {
        let answer = client.get_as(&key, &about.path(report)).await;
        assert_eq!(answer.status, 200, "{}: {}", report.id, answer.text);
    }
    let revoked = format!("/api/keys/{id}");
    client.delete_as(&ada.token, &revoked).await.assert_ok();
    for report in reports() {
        let path = about.path(report);
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
async fn what_is_another_workspaces_or_deleted_is_not_found() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let theirs = About::make(client, &ada).await;
    let gone = About::make(client, &eve).await;
    let deleted = format!("/api/links/{}", gone.link);
    client.delete_as(&eve.token, &deleted).await.assert_ok();
    let body = json!({ "name": "Spring" });
    let campaign = client.post_as(&ada.token, "/api/campaigns", &body).await;
    let folder = client.post_as(&ada.token, "/api/folders", &body).await;
    let tag = client.post_as(&ada.token, "/api/tags", &body).await;
    let not_found = (404, "NOT_FOUND".to_owned());
    let mut asked = 0;
    for report in reports() {
        let own = About::make(client, &eve).await;
        let mut paths = Vec::new();
        for id in ["linkId", "qrId"].map(|name| format!("{{{name}}}")) {
            if !report.path.contains(&id) {
                continue;
            }
            // The id of a thing of another kind is as unknown as any.
            let switched = About {
                link: own.qr,
                qr: own.link,
            };
            for about in [theirs, gone, switched, About::NOTHING] {
                paths.push(about.path(report));
            }
            for wrong in ["x", "workspace", "%ff"] {
                paths.push(report.path.replace(&id, wrong));
            }
        }
        for (name, foreign) in [
            ("linkId", theirs.link),
            ("linkId", gone.link),
            ("campaignId", campaign.id()),
            ("folderId", folder.id()),
            ("tagId", tag.id()),
        ] {
            if report
                .params
                .iter()
                .any(|param| report.param_name(*param) == name)
            {
                paths.push(format!("{}?{name}={foreign}", own.path(report)));
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
