//! Who changes the plan of a workspace, to which plans, and what follows from it.

use super::{
    deleted::run_of_guide,
    objects::{audit, get_with_key, join, make_key, refusal},
};
use crate::clicks::{open, until_answered};
use kit::{Answer, Client, Creator, System, SystemBuilder};
use reqwest::Method;
use serde_json::{Value, json};

async fn choose(client: &Client, token: &str, of: &Creator, plan: &str) -> Answer {
    let path = format!("/api/workspaces/{}", of.workspace_id);
    client
        .patch_as(token, &path, &json!({ "plan": plan }))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_chooses_among_the_offered_plans_and_every_instance_knows_it_at_once() {
    let builder = SystemBuilder::default()
        .set("WORKSPACE_PLAN", "starter")
        .set("WORKSPACE_OWNER_PLANS", "starter, pro");
    let system = builder.start().await;
    let other = system.beside().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let body = json!({"destinationUrl": "https://shop.example/", "shortCode": "promo"});
    let made = client.post_as(&ada.token, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    until_answered(client, "footfall.test", "promo", 302).await;
    let add_key = async |through: &Client| {
        let body = json!({"name": "A key", "scopes": ["links:read"]});
        through.post_as(&ada.token, "/api/keys", &body).await
    };
    let exceeded = (403, "LIMIT_EXCEEDED".to_owned());
    let first = add_key(&other.client).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(refusal(&add_key(&other.client).await), exceeded);

    let chosen = choose(client, &ada.token, &ada, "pro").await;
    assert_eq!(chosen.status, 200, "{}", chosen.text);
    assert_eq!(chosen.data()["plan"], "pro");
    assert_eq!(chosen.data()["limits"]["links"], 1_000);
    for instance in [client, &other.client] {
        assert_eq!(add_key(instance).await.status, 201);
    }
    // A smaller plan keeps what there is, and allows no more.
    let chosen = choose(client, &ada.token, &ada, "starter").await;
    assert_eq!(chosen.data()["plan"], "starter");
    for instance in [client, &other.client] {
        assert_eq!(refusal(&add_key(instance).await), exceeded);
        let key = first.data()["key"].as_str().unwrap().to_owned();
        let listed = get_with_key(instance, &key, "/api/links").await;
        assert_eq!(listed.status, 200, "{}", listed.text);
        let clicked = open(instance, "footfall.test", "/promo?no-track", &[]).await;
        assert_eq!(clicked.status, 302);
    }
    let keys = client.get_as(&ada.token, "/api/keys").await;
    assert_eq!(keys.json()["pagination"]["total"], 3);

    let refused = choose(client, &ada.token, &ada, "enterprise").await;
    assert_eq!(refusal(&refused), (403, "PLAN_NOT_OFFERED".to_owned()));
    assert!(refused.text.contains("operator"), "{}", refused.text);
    assert_eq!(
        refused.json()["error"]["details"],
        json!([{"offered": ["starter", "pro"]}])
    );
    let unknown = choose(client, &ada.token, &ada, "gold").await;
    assert_eq!(refusal(&unknown), (400, "VALIDATION_ERROR".to_owned()));
    let changes = audit(&system, ada.workspace_id).await.into_iter();
    let changes: Vec<Value> = changes
        .filter(|(action, ..)| action == "workspace.updated")
        .map(|(.., detail)| detail)
        .collect();
    assert_eq!(
        changes,
        [
            json!({"plan": {"from": "starter", "to": "pro"}}),
            json!({"plan": {"from": "pro", "to": "starter"}}),
        ]
    );
    other.stop().await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_owners_change_the_plan() {
    let builder = SystemBuilder::default()
        .set("WORKSPACE_OWNER_PLANS", "pro")
        .set("RATE_LIMITS", "on");
    let system = builder.start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let forbidden = (403, "FORBIDDEN".to_owned());
    let path = format!("/api/workspaces/{}", ada.workspace_id);
    for role in ["viewer", "editor", "admin"] {
        let token = join(&system, ada.workspace_id, role, role).await;
        // Also to the plan that the workspace has.
        for plan in ["pro", "enterprise"] {
            let refused = choose(client, &token, &ada, plan).await;
            assert_eq!(refusal(&refused), forbidden, "{role}");
        }
        let renamed = client.patch_as(&token, &path, &json!({"name": role})).await;
        assert_eq!(renamed.status == 200, role == "admin", "{}", renamed.text);
    }
    // A key needs the scope, which only an owner's key can have.
    for (scopes, expected) in [
        (&["workspace:update"][..], 403),
        (&["billing:manage"], 403),
        (&["workspace:update", "billing:manage"], 200),
    ] {
        let (_, key) = make_key(client, &ada.token, scopes).await;
        let request = client
            .request(Method::PATCH, &path)
            .json(&json!({"plan": "pro"}));
        let answer = client.send(request.header("x-api-key", &key)).await;
        assert_eq!(answer.status, expected, "{scopes:?}: {}", answer.text);
    }
    let answer = client.get_as(&ada.token, &path).await;
    assert_eq!(answer.data()["plan"], "pro");
    assert_eq!(answer.headers["x-ratelimit-limit"], "1000");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_offer_only_the_operator_sets_a_plan() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    for plan in ["starter", "pro"] {
        let refused = choose(client, &ada.token, &ada, plan).await;
        assert_eq!(refusal(&refused), (403, "PLAN_NOT_OFFERED".to_owned()));
    }
    // The plan that the workspace has is no change.
    let same = choose(client, &ada.token, &ada, "enterprise").await;
    assert_eq!(same.status, 200, "{}", same.text);
    run_of_guide(&system, "UPDATE workspaces SET plan", ada.workspace_id).await;
    let path = format!("/api/workspaces/{}", ada.workspace_id);
    let shown = client.get_as(&ada.token, &path).await.data();
    assert_eq!(shown["plan"], "pro");
    system.finish().await;
}
