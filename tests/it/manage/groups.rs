//! Campaigns, folders and tags.

use super::{Caller, actions, campaign_entry, error, id, link_entry, plain};
use kit::System;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_changes_alone_and_its_links_leave_and_return_with_it() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let body = json!({"name": "Spring", "costModel": "cpc", "costRate": 0.015, "currency": "eur", "dailyBudget": 100});
    let campaign = ada.post("/api/campaigns", body).await.data();
    assert_eq!(campaign["costRate"], 0.015);
    assert_eq!(
        (&campaign["currency"], &campaign["dailyBudget"]),
        (&json!("EUR"), &json!(100.0))
    );
    let campaign_id = id(&campaign);
    let path = format!("/api/campaigns/{campaign_id}");
    let mut body = plain("promo");
    body["campaignId"] = campaign["id"].clone();
    let link = ada.link(body).await;
    let link_path = format!("/api/links/{}", id(&link));
    assert_eq!(ada.get(&path).await.data()["links"], 1);
    let changed = ada
        .patch(&path, json!({"status": "paused", "costRate": null}))
        .await
        .data();
    assert_eq!(
        (&changed["status"], &changed["costRate"]),
        (&json!("paused"), &Value::Null)
    );
    assert_eq!(changed["costModel"], "cpc");
    assert_eq!(campaign_entry(&system, campaign_id).await.row_version, 2);
    assert_eq!(link_entry(&system, id(&link)).await.row_version, 1);

    ada.delete(&path).await.assert_ok();
    assert!(campaign_entry(&system, campaign_id).await.deleted);
    assert_eq!(error(&ada.get(&path).await), (404, "NOT_FOUND".to_owned()));
    assert_eq!(ada.get(&link_path).await.data()["campaignId"], Value::Null);
    let mut body = plain("other");
    body["campaignId"] = campaign["id"].clone();
    assert_eq!(
        error(&ada.post("/api/links", body).await),
        (404, "NOT_FOUND".to_owned())
    );
    // A change of the link while its campaign is deleted does not end the membership.
    ada.patch(&link_path, json!({"title": "x"}))
        .await
        .assert_ok();
    ada.post(&format!("{path}/restore"), json!({}))
        .await
        .assert_ok();
    assert_eq!(
        ada.get(&link_path).await.data()["campaignId"],
        campaign["id"]
    );
    let listed = ada
        .get(&format!("/api/links?campaignId={campaign_id}"))
        .await;
    assert_eq!(listed.json()["pagination"]["total"], 1);
    assert_eq!(
        actions(&system, campaign_id).await,
        [
            "campaign.created",
            "campaign.updated",
            "campaign.deleted",
            "campaign.restored"
        ]
    );
    for wrong in [
        json!({}),
        json!({"name": " "}),
        json!({"name": "x", "status": "gone"}),
        json!({"name": "x", "currency": "EURO"}),
        json!({"name": "x", "alertThresholds": [11]}),
        json!({"name": "x", "startsAt": "2026-02-01T00:00:00Z", "endsAt": "2026-02-01T00:00:00Z"}),
    ] {
        let answer = ada.post("/api/campaigns", wrong.clone()).await;
        assert_eq!(error(&answer).0, 400, "{wrong}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_nested_without_circles_and_leave_their_contents_to_the_parent() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let folder = async |name: &str, parent: Option<&Value>| {
        let body = json!({"name": name, "parentId": parent.map(|parent| &parent["id"])});
        ada.post("/api/folders", body).await.data()
    };
    let top = folder("Top", None).await;
    let middle = folder("Middle", Some(&top)).await;
    let bottom = folder("Bottom", Some(&middle)).await;
    let path = |folder: &Value| format!("/api/folders/{}", id(folder));
    for parent in [&top, &middle, &bottom] {
        let answer = ada
            .patch(&path(&top), json!({"parentId": parent["id"]}))
            .await;
        assert_eq!(error(&answer).0, 400, "{}", answer.text);
    }
    // Two moves at once cannot make a circle together.
    let (one, other) = (folder("One", None).await, folder("Other", None).await);
    let (one_path, other_path) = (path(&one), path(&other));
    let (first, second) = tokio::join!(
        ada.patch(&one_path, json!({"parentId": other["id"]})),
        ada.patch(&other_path, json!({"parentId": one["id"]}))
    );
    assert_ne!(first.status, second.status);
    let mut deep = bottom.clone();
    for level in 4..=10 {
        deep = folder(&format!("Level {level}"), Some(&deep)).await;
    }
    let answer = ada
        .post("/api/folders", json!({"name": "x", "parentId": deep["id"]}))
        .await;
    assert_eq!(error(&answer).0, 400, "{}", answer.text);

    let mut body = plain("promo");
    body["folderId"] = middle["id"].clone();
    let link = ada.link(body).await;
    ada.delete(&path(&middle)).await.assert_ok();
    let moved = ada.get(&format!("/api/links/{}", id(&link))).await.data();
    assert_eq!(moved["folderId"], top["id"]);
    assert_eq!(ada.get(&path(&bottom)).await.data()["parentId"], top["id"]);
    assert_eq!(ada.get(&path(&top)).await.data()["links"], 1);
    let inside = ada
        .get(&format!("/api/folders?parentId={}", id(&top)))
        .await
        .data();
    assert_eq!(inside.as_array().unwrap().len(), 1);
    ada.delete(&path(&top)).await.assert_ok();
    let moved = ada.get(&format!("/api/links/{}", id(&link))).await.data();
    assert_eq!(moved["folderId"], Value::Null);
    assert_eq!(
        actions(&system, id(&top)).await,
        ["folder.created", "folder.deleted"]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_compared_without_case() {
    let system = System::start().await;
    let (ada, eve) = (
        system.client.creator("ada").await,
        system.client.creator("eve").await,
    );
    let (ada, eve) = (Caller::new(&system, &ada), Caller::new(&system, &eve));
    let tagged = |code: &str, tag: &str| {
        let mut body = plain(code);
        body["tags"] = json!([tag, "Common"]);
        body
    };
    // Two creates with the same new tags at once, and another workspace's.
    let (first, second, other) = tokio::join!(
        ada.post("/api/links", tagged("a", "Über")),
        ada.post("/api/links", tagged("b", "ÜBER")),
        eve.post("/api/links", tagged("c", "über"))
    );
    for answer in [&first, &second, &other] {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let list = ada.get("/api/tags").await;
    assert_eq!(list.json()["pagination"]["total"], 2, "{}", list.text);
    let tags = list.data();
    assert_eq!(
        (&tags[1]["links"], &tags[0]["name"]),
        (&json!(2), &json!("Common"))
    );
    let path = format!("/api/tags/{}", id(&tags[1]));
    let taken = (409, "CONFLICT".to_owned());
    assert_eq!(
        error(&ada.patch(&path, json!({"name": "COMMON"})).await),
        taken
    );
    assert_eq!(
        error(&ada.post("/api/tags", json!({"name": "common"})).await),
        taken
    );
    let renamed = ada
        .patch(&path, json!({"name": "Spring", "color": "#2E7D32"}))
        .await
        .data();
    assert_eq!(renamed["color"], "#2e7d32");
    let found = ada.get("/api/links?tag=sPRING").await;
    assert_eq!(found.json()["pagination"]["total"], 2);
    assert_eq!(found.data()[0]["tags"], json!(["Common", "Spring"]));
    ada.delete(&path).await.assert_ok();
    assert_eq!(
        ada.get("/api/links?tag=spring").await.json()["pagination"]["total"],
        0
    );
    assert_eq!(error(&ada.get(&path).await), (404, "NOT_FOUND".to_owned()));
    for wrong in [
        json!({"name": "x", "color": "red"}),
        json!({"name": "\u{200b}"}),
    ] {
        assert_eq!(error(&ada.post("/api/tags", wrong).await).0, 400);
    }
    system.finish().await;
}
