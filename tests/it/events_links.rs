//! Link management on the events API, in a whole system.

use crate::{
    clicks::{open, until_answered},
    events_api::error,
    workspaces::objects::{audit, make_app, make_key},
};
use kit::{Answer, Creator, System, SystemBuilder};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const PATH: &str = "/link/external/v1/shortenedUrl";
const HOST: &str = "footfall.test";
const URL: &str = "https://shop.example/x";

/// A key of a workspace.
struct Caller<'a> {
    system: &'a System,
    creator: Creator,
    key_id: Uuid,
    key: String,
}

impl<'a> Caller<'a> {
    async fn named(system: &'a System, name: &str, scopes: &[&str]) -> Self {
        let creator = system.client.creator(name).await;
        let (key_id, key) = make_key(&system.client, &creator.token, scopes).await;
        Self {
            system,
            creator,
            key_id,
            key,
        }
    }

    async fn of(system: &'a System, name: &str) -> Self {
        Self::named(system, name, &["links:read", "links:write"]).await
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        let client = &self.system.client;
        let request = client.request(method, &format!("{PATH}{path}"));
        let request = request.header("X-API-KEY", &self.key);
        let request = if body.is_null() {
            request
        } else {
            request.json(&body)
        };
        client.send(request).await
    }

    /// The link, or the page, of a success.
    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()["response"].clone()
    }

    async fn save(&self, body: Value) -> Value {
        self.done(Method::POST, "/save", body).await
    }

    /// Status and code of an error.
    async fn refused(&self, method: Method, path: &str, body: Value) -> (u16, String) {
        let (status, code, _) = error(&self.ask(method, path, body).await);
        (status, code)
    }

    /// The id of a new app.
    async fn app(&self, platform: &str) -> Uuid {
        let client = &self.system.client;
        make_app(client, &self.creator.token, platform, "com.example.shop").await
    }

    /// How many links the workspace has.
    async fn links(&self) -> i64 {
        let page = self.done(Method::GET, "?size=1", Value::Null).await;
        page["total"].as_i64().unwrap()
    }
}

fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_saved_redirects_and_an_archived_one_is_gone() {
    let system = System::start().await;
    let ada = Caller::of(&system, "ada").await;
    let app = ada.app("ios").await;
    let link = ada
        .save(json!({
            "url": URL, "shortCode": "Spring", "shortLinkName": "Sale", "utmSource": "mail",
            "customMetadataTitle": "Look",
            "deepLinks": [{"mobileAppId": app, "deeplinkUrl": "myapp://p/1"}],
        }))
        .await;
    let id = link["id"].as_str().unwrap();
    let mut expected = json!({
        "id": id, "url": URL, "shortCode": "Spring", "smartLink": "http://footfall.test/Spring",
        "shortLinkName": "Sale", "isActive": true, "utmSource": "mail", "utmMedium": null, "utmCampaign": null,
        "enableCustomMetadata": true, "customMetadataTitle": "Look", "customMetadataDescription": null,
        "customMetadataImageUrl": null,
        "deepLinks": [{"mobileAppId": app, "deeplinkUrl": "myapp://p/1", "fallbackEnabled": false,
                       "fallbackUrl": null}],
        "effectivePreviewMetadata": {"title": "Look", "description": null, "imageUrl": null},
        "createdAt": link["createdAt"], "updatedAt": link["createdAt"],
        "createdBy": "api-key:A key", "updatedBy": "api-key:A key",
        "createdVia": "EXTERNAL", "lastModifiedVia": "EXTERNAL",
    });
    assert_eq!(link, expected);
    let client = &system.client;
    let answer = until_answered(client, HOST, "spring", 302).await;
    let location = answer.headers["location"].to_str().unwrap();
    assert_eq!(location, "https://shop.example/x?utm_source=mail");

    // The same link on the other surface, changed there.
    let path = format!("/api/links/{}", id.strip_prefix("url_").unwrap());
    let shown = client.get_as(&ada.creator.token, &path).await.data();
    assert_eq!(
        (&shown["createdVia"], &shown["archived"]),
        (&json!("external"), &json!(false))
    );
    let body = json!({ "title": "New", "previewEnabled": false });
    let request = client.request(Method::PATCH, &path).json(&body);
    client
        .send(request.bearer_auth(&ada.creator.token))
        .await
        .assert_ok();
    let changed = ada.done(Method::GET, &format!("/{id}"), Value::Null).await;
    expected["shortLinkName"] = json!("New");
    expected["enableCustomMetadata"] = json!(false);
    expected["effectivePreviewMetadata"]["title"] = Value::Null;
    expected["updatedBy"] = json!("ada");
    expected["lastModifiedVia"] = json!("DASHBOARD");
    expected["updatedAt"] = changed["updatedAt"].clone();
    assert_eq!(changed, expected);

    // Saved again, only the members in the body change.
    let again = ada
        .save(json!({ "url": URL, "shortCode": "spring", "isActive": false }))
        .await;
    assert_eq!(
        (&again["id"], &again["isActive"]),
        (&json!(id), &json!(false))
    );
    assert_eq!(again["shortLinkName"], "New");
    let gone = until_answered(client, HOST, "spring", 410).await;
    assert_eq!(gone.json()["errors"][0]["code"], "EN002", "{}", gone.text);
    let page = open(client, HOST, "/spring", &[("accept", "text/html")]).await;
    assert!(page.text.contains("archived"), "{}", page.text);
    let shown = client.get_as(&ada.creator.token, &path).await.data();
    assert_eq!(
        (&shown["archived"], &shown["enabled"]),
        (&json!(true), &json!(true))
    );
    ada.done(
        Method::PATCH,
        &format!("/{id}"),
        json!({ "isActive": true }),
    )
    .await;
    until_answered(client, HOST, "spring", 302).await;

    let audited = audit(&system, ada.creator.workspace_id).await;
    let audited: Vec<(&str, bool)> = audited
        .iter()
        .filter(|(action, ..)| action.starts_with("link."))
        .map(|(action, actor, ..)| (&**action, *actor == format!("api_key:{}", ada.key_id)))
        .collect();
    let changed = ("link.updated", true);
    assert_eq!(
        audited,
        [
            ("link.created", true),
            ("link.updated", false),
            changed,
            changed
        ]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_links_are_saved_all_or_none() {
    let system = System::start().await;
    let ada = Caller::of(&system, "ada").await;
    let eve = Caller::of(&system, "eve").await;
    eve.save(json!({ "url": URL, "shortCode": "of-eve" })).await;
    let first = ada.save(json!({ "url": URL, "shortCode": "first" })).await;
    let link = |code: &str| json!({ "url": URL, "shortCode": code });
    let bad = json!({ "records": [
        link("second"), link("of-eve"), { "url": "x", "shortCode": "?" }, link("SECOND"), 1,
        { "url": "https://footfall.test/first" },
    ]});
    let answer = ada.ask(Method::POST, "/bulkSave", bad).await;
    let (status, code, _) = error(&answer);
    assert_eq!((status, &*code), (400, "SML002"));
    let faults = answer.json()["errors"][0]["details"]["faults"].clone();
    let faults = faults.as_array().unwrap().iter();
    let indexes: Vec<&Value> = faults.map(|fault| &fault["index"]).collect();
    assert_eq!(indexes, [1, 2, 3, 4, 5], "{}", answer.text);
    assert_eq!(ada.links().await, 1);

    let good = json!({ "records": [link("second"), { "url": "https://shop.example/y", "shortCode": "FIRST" }, { "url": URL }]});
    let saved = ada.done(Method::POST, "/bulkSave", good).await;
    let saved = saved.as_array().unwrap();
    assert_eq!(saved[1]["id"], first["id"]);
    assert_eq!(saved[1]["url"], "https://shop.example/y");
    assert_eq!((saved.len(), ada.links().await), (3, 3));
    // Pages have each link once, although all are of one moment.
    let mut listed = Vec::new();
    for page in 0..3 {
        let path = format!("?page={page}&size=1");
        let page = ada.done(Method::GET, &path, Value::Null).await;
        assert_eq!(page["hasMore"], page["page"] != 2);
        listed.push(page["data"][0]["id"].clone());
    }
    assert!(listed.contains(&first["id"]));
    listed.sort_by_key(Value::to_string);
    listed.dedup();
    assert_eq!(listed.len(), 3);
    let beyond = ada.done(Method::GET, "?page=3&size=1", Value::Null).await;
    assert_eq!(beyond["data"], json!([]));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_refused_in_the_codes_of_the_contract() {
    let system = System::start().await;
    let ada = Caller::of(&system, "ada").await;
    let eve = Caller::of(&system, "eve").await;
    let theirs = eve.save(json!({ "url": URL, "shortCode": "of-eve" })).await;
    let own = ada.save(json!({ "url": URL, "shortCode": "own" })).await;
    let own = format!("/{}", own["id"].as_str().unwrap());
    for (body, code) in [
        (json!({}), "SML002"),
        (json!({ "url": "shop.example/x" }), "SML002"),
        (json!({ "url": "javascript:alert(1)" }), "SML002"),
        (json!({ "url": "https://footfall.test/own" }), "SML002"),
        (json!({ "url": URL, "isActive": "yes" }), "SML002"),
        (
            json!({ "url": URL, "deepLinks": [{ "mobileAppId": "a", "deeplinkUrl": "data:x" }] }),
            "SML002",
        ),
        (json!({ "url": URL, "shortCode": "a b" }), "VE001"),
        (json!({ "url": URL, "shortCode": "api" }), "VE001"),
        (json!({ "url": URL, "shortCode": "OF-EVE" }), "VE001"),
        (Value::Null, "VE001"),
        (json!([]), "VE001"),
    ] {
        let refused = ada.refused(Method::POST, "/save", body.clone()).await;
        assert_eq!(refused, refusal(400, code), "{body}");
    }
    let answer = ada.ask(Method::POST, "/save", json!({ "url": "x" })).await;
    let rules = answer.json()["errors"][0]["details"]["rules"].clone();
    assert!(rules[0].as_str().unwrap().starts_with("url "), "{rules}");
    // What is not the caller's does not exist.
    let theirs = format!("/{}", theirs["id"].as_str().unwrap());
    for id in [&*theirs, "/url_x", "/x", "/%ff"] {
        for (method, body) in [(Method::GET, Value::Null), (Method::PATCH, json!({}))] {
            let refused = ada.refused(method, id, body).await;
            assert_eq!(refused, refusal(404, "EN001"), "{id}");
        }
    }
    let taken = json!({ "shortCode": "of-eve" });
    assert_eq!(
        ada.refused(Method::PATCH, &own, taken).await,
        refusal(400, "VE001")
    );
    assert_eq!(
        ada.refused(Method::PATCH, &own, Value::Null).await,
        refusal(400, "VE001")
    );
    assert_eq!(
        ada.refused(Method::GET, "?limit=1", Value::Null).await,
        refusal(400, "VE001")
    );

    // Scopes, and the end of a key.
    let reader = Caller::named(&system, "bob", &["links:read"]).await;
    let creating = Caller::named(&system, "carol", &["links:create"]).await;
    let save = json!({ "url": URL, "shortCode": "of-carol" });
    creating.save(save.clone()).await;
    let forbidden = refusal(403, "FORBIDDEN");
    assert_eq!(
        creating.refused(Method::POST, "/save", save.clone()).await,
        forbidden
    );
    assert_eq!(
        creating.refused(Method::GET, "", Value::Null).await,
        forbidden
    );
    assert_eq!(reader.links().await, 0);
    assert_eq!(
        reader.refused(Method::POST, "/save", save.clone()).await,
        forbidden
    );
    assert_eq!(
        reader.refused(Method::PATCH, &own, json!({})).await,
        forbidden
    );
    let bulk = json!({ "records": [save] });
    assert_eq!(
        reader.refused(Method::POST, "/bulkSave", bulk).await,
        forbidden
    );
    let revoked = format!("/api/keys/{}", ada.key_id);
    system
        .client
        .delete_as(&ada.creator.token, &revoked)
        .await
        .assert_ok();
    for (method, path) in [
        (Method::GET, ""),
        (Method::GET, &*own),
        (Method::POST, "/save"),
    ] {
        let refused = ada.refused(method, path, Value::Null).await;
        assert_eq!(refused, refusal(401, "SML003"));
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_the_workspace_does_not_have_is_refused_and_nothing_is_saved() {
    let system = System::start().await;
    let ada = Caller::of(&system, "ada").await;
    let eve = Caller::of(&system, "eve").await;
    let (own, foreign) = (ada.app("ios").await, eve.app("ios").await);
    let former = ada.app("android").await;
    let path = format!("/api/mobile-apps/{former}");
    let deleted = system.client.delete_as(&ada.creator.token, &path).await;
    deleted.assert_ok();
    let in_app = |id: &str| json!({ "mobileAppId": id, "deeplinkUrl": "myapp://p" });
    let link =
        |code: &str, id: &str| json!({ "url": URL, "shortCode": code, "deepLinks": [in_app(id)] });
    let kept = ada.save(link("kept", &own.to_string())).await;
    let kept_path = format!("/{}", kept["id"].as_str().unwrap());
    for id in [
        foreign.to_string(),
        former.to_string(),
        Uuid::from_u128(1).to_string(),
        "a1b2c3d4e5f6".to_owned(),
    ] {
        let change =
            json!({ "shortLinkName": "New", "deepLinks": [in_app(&own.to_string()), in_app(&id)] });
        for (method, path, body, index) in [
            (Method::POST, "/save", link("new", &id), 0),
            (Method::POST, "/save", link("kept", &id), 0),
            (Method::PATCH, &*kept_path, change, 1),
        ] {
            let answer = ada.ask(method, path, body).await;
            let (status, code, _) = error(&answer);
            assert_eq!(
                (status, &*code),
                (400, "DL001"),
                "{path} {id}: {}",
                answer.text
            );
            let rule = format!("deepLinks[{index}].mobileAppId names no app of this workspace");
            assert_eq!(
                answer.json()["errors"][0]["details"],
                json!({ "rules": [rule] })
            );
        }
        let records = json!({ "records": [{ "url": URL }, link("new", &id)] });
        let answer = ada.ask(Method::POST, "/bulkSave", records).await;
        assert_eq!(error(&answer).1, "DL001", "{}", answer.text);
        let faults = &answer.json()["errors"][0]["details"]["faults"];
        assert_eq!((&faults[0]["index"], &faults[1]), (&json!(1), &Value::Null));
    }
    // With other faults, the error is theirs and has them all.
    let records = json!({ "records": [link("new", "a1b2c3d4e5f6"), { "url": "x" }] });
    let answer = ada.ask(Method::POST, "/bulkSave", records).await;
    assert_eq!(error(&answer).1, "SML002");
    let faults = &answer.json()["errors"][0]["details"]["faults"];
    assert_eq!(
        (&faults[0]["index"], &faults[1]["index"]),
        (&json!(0), &json!(1))
    );
    // One app in two spellings is the same app.
    let upper = own.to_string().to_ascii_uppercase();
    let twice = json!({ "deepLinks": [in_app(&own.to_string()), in_app(&upper)] });
    let refused = ada.refused(Method::PATCH, &kept_path, twice).await;
    assert_eq!(refused, refusal(400, "SML002"));

    let now = ada.done(Method::GET, &kept_path, Value::Null).await;
    assert_eq!((now, ada.links().await), (kept, 1));
    let saved = ada.save(link("new", &upper)).await;
    assert_eq!(saved["deepLinks"][0]["mobileAppId"], own.to_string());
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_limit_links_and_requests() {
    let builder = SystemBuilder::default().set("WORKSPACE_PLAN", "starter");
    let system = builder.set("RATE_LIMITS", "on").start().await;
    let ada = Caller::of(&system, "ada").await;
    let records = |count: usize| json!({ "records": vec![json!({ "url": URL }); count] });
    let refused = ada.ask(Method::POST, "/bulkSave", records(26)).await;
    let (status, code, _) = error(&refused);
    assert_eq!((status, &*code), (402, "QE001"));
    assert_eq!(
        refused.json()["errors"][0]["details"],
        json!({ "kind": "quota_exceeded", "quota": "links", "limit": 25 })
    );
    // Each of these is one request of ten a minute, regardless of its body.
    let saved = ada.ask(Method::POST, "/bulkSave", records(25)).await;
    assert_eq!(saved.headers["x-ratelimit-limit"], "10");
    assert_eq!(saved.headers["x-ratelimit-remaining"], "8");
    for _ in 0..8 {
        let refused = ada.refused(Method::POST, "/save", json!({})).await;
        assert_eq!(refused, refusal(400, "SML002"));
    }
    let spent = ada.ask(Method::GET, "", Value::Null).await;
    assert_eq!((spent.status.as_u16(), &*error(&spent).1), (429, "SML005"));
    assert_eq!(spent.headers["retry-after"], "6");
    assert_eq!(spent.json()["errors"][0]["details"]["scope"], "crud");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_those_of_the_default_domain() {
    let system = System::start().await;
    let ada = Caller::of(&system, "ada").await;
    let here = ada.save(json!({ "url": URL, "shortCode": "promo" })).await;
    sqlx::query(
        "INSERT INTO domains (id, workspace_id, host, is_default, proof, created_at, verified_at) \
         VALUES (gen_random_uuid(), $1, 'go.example', true, 'x', now(), now())",
    )
    .bind(ada.creator.workspace_id)
    .execute(&system.main)
    .await
    .unwrap();
    let there = ada.save(json!({ "url": URL, "shortCode": "promo" })).await;
    assert_ne!(here["id"], there["id"]);
    assert_eq!(there["smartLink"], "https://go.example/promo");
    let again = ada.save(json!({ "url": URL, "shortCode": "PROMO" })).await;
    assert_eq!(again["id"], there["id"]);
    // A change by id stays on the link's own host.
    let path = format!("/{}", here["id"].as_str().unwrap());
    let renamed = ada
        .done(Method::PATCH, &path, json!({ "shortCode": "other" }))
        .await;
    assert_eq!(renamed["smartLink"], "http://footfall.test/other");
    system.finish().await;
}
