//! Members and settings of workspaces: what takes effect at once, and what the audit log says.

use super::objects::{audit, get_with_key, make_key, refusal};
use kit::System;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_has_their_role_at_once_and_nothing_after_their_removal() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let bob = client.token("bob");
    let list = "/api/members";
    assert_eq!(client.get_as(&bob, list).await.status, 403);
    let body = json!({"userId": "bob", "role": "viewer"});
    let id = client.post_as(&ada.token, list, &body).await.id();
    assert_eq!(client.get_as(&bob, list).await.status, 200);
    assert_eq!(client.get_as(&bob, "/api/keys").await.status, 403);
    let path = format!("{list}/{id}");
    let body = json!({"role": "admin"});
    client.patch_as(&ada.token, &path, &body).await.assert_ok();
    let (_, key) = make_key(client, &bob, &["members:read"]).await;
    assert_eq!(get_with_key(client, &key, list).await.status, 200);
    client.delete_as(&ada.token, &path).await.assert_ok();
    assert_eq!(client.get_as(&bob, list).await.status, 403);
    // Bob's keys end with him.
    let answer = get_with_key(client, &key, list).await;
    assert_eq!(refusal(&answer), (401, "INVALID_API_KEY".to_owned()));
    let rows = audit(&system, ada.workspace_id).await;
    let of_bob = rows.into_iter().filter(|(_, _, subject, _)| *subject == id);
    let told: Vec<_> = of_bob
        .map(|(action, actor, _, detail)| (action, actor, detail))
        .collect();
    let of = |action: &str, detail| (action.to_owned(), "ada".to_owned(), detail);
    assert_eq!(
        told,
        [
            of("member.created", json!({"userId": "bob", "role": "viewer"})),
            of(
                "member.updated",
                json!({"role": {"from": "viewer", "to": "admin"}})
            ),
            of("member.deleted", json!({"userId": "bob", "role": "admin"})),
        ]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_leave_at_once_leave_one() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({"userId": "olga", "role": "owner"});
    client
        .post_as(&ada.token, "/api/members", &body)
        .await
        .assert_ok();
    let all = client.get_as(&ada.token, "/api/members").await.data();
    let paths = [0, 1].map(|index| {
        let id = all[index]["id"].as_str().unwrap();
        format!("/api/members/{id}")
    });
    let olga = client.token("olga");
    let (first, second) = futures::join!(
        client.delete_as(&ada.token, &paths[0]),
        client.delete_as(&olga, &paths[1]),
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    // The second is refused as the last owner, or because it came after its own removal.
    assert!(
        statuses == [200, 409] || statuses == [200, 403],
        "{statuses:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_sparsely_and_only_once_in_the_audit_log() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let path = format!("/api/workspaces/{}", ada.workspace_id);
    let before = client.get_as(&ada.token, &path).await.data();
    let body = json!({"timezone": "Asia/Kathmandu"});
    for _ in 0..2 {
        let answer = client.patch_as(&ada.token, &path, &body).await.data();
        let mut expected = before.clone();
        expected["timezone"] = json!("Asia/Kathmandu");
        assert_eq!(answer, expected);
    }
    let rows = audit(&system, ada.workspace_id).await;
    let updated = rows
        .iter()
        .filter(|(action, ..)| action == "workspace.updated");
    let details: Vec<_> = updated.map(|(_, _, _, detail)| detail).collect();
    assert_eq!(
        details,
        [&json!({"timezone": {"from": "UTC", "to": "Asia/Kathmandu"}})]
    );
    // A further workspace of the user, by its path alone.
    let made = client
        .post_as(&ada.token, "/api/workspaces", &json!({"name": "Two"}))
        .await;
    let path = format!("/api/workspaces/{}", made.id());
    assert_eq!(client.get_as(&ada.token, &path).await.data(), made.data());
    let (_, key) = make_key(client, &ada.token, &["workspace:read"]).await;
    let answer = get_with_key(client, &key, &path).await;
    assert_eq!(refusal(&answer), (404, "NOT_FOUND".to_owned()));
    system.finish().await;
}
