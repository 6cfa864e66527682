//! Links: their life, their codes, lists, several at once, and their entries in the directory.

use super::{Caller, actions, entries, error, id, link_entry, plain};
use kit::{System, SystemBuilder, log::TestLog};
use schemas::directory::{Forward, RedirectMode, RedirectStatus};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_lives_from_its_creation_to_its_return() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada
        .link(json!({
            "destinationUrl": " https://shop.example/x?region=Dallas%20%2F%20Fort Worth ", "title": "Spring",
            "shortCode": "Promo", "password": "open sesame", "redirectStatus": 308, "forwardUtms": true,
            "redirectBehavior": "rule_only", "utmSource": "mail", "expiresAt": "2027-01-01T00:00:00Z",
            "clicksLimit": 5, "deepLinkEnabled": true, "deepLinkIos": "myapp://p/1", "previewTitle": "Look",
            "conversionTracking": true, "tags": ["B", "a", "b"], "redirectDelayMs": 100,
        }))
        .await;
    let id = id(&link);
    assert_eq!(link["shortUrl"], "http://footfall.test/Promo");
    assert_eq!(link["domain"], "footfall.test");
    assert_eq!(
        link["destinationUrl"],
        "https://shop.example/x?region=Dallas%20%2F%20Fort%20Worth"
    );
    assert_eq!(link["tags"], json!(["a", "B"]));
    assert_eq!(link["passwordProtected"], true);
    assert!(!link.to_string().contains("argon2"), "{link}");
    let entry = link_entry(&system, id).await;
    let settings = entry.settings;
    assert_eq!(settings.title.as_deref(), Some("Spring"));
    assert_eq!(settings.status, RedirectStatus::PermanentRedirect);
    assert_eq!(settings.mode, RedirectMode::RuleOnly);
    assert_eq!(settings.forward, Forward::Utms);
    assert_eq!(settings.clicks_limit, Some(5));
    assert_eq!(settings.redirect_delay_ms, 100);
    assert_eq!(settings.utm, [("utm_source".to_owned(), "mail".to_owned())]);
    assert_eq!(settings.deep_links.len(), 1);
    assert!(settings.conversion_tracking && !settings.disabled);
    let hash = settings.password_hash.unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );

    let path = format!("/api/links/{id}");
    assert_eq!(ada.get(&path).await.data(), link);
    let answer = ada.delete(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for answer in [ada.get(&path).await, ada.delete(&path).await] {
        assert_eq!(error(&answer), (404, "NOT_FOUND".to_owned()));
    }
    assert!(link_entry(&system, id).await.deleted);
    let list = ada.get("/api/links?deleted=true").await.data();
    assert_eq!(
        (&list[0]["id"], list.as_array().unwrap().len()),
        (&link["id"], 1)
    );
    let restored = ada.post(&format!("{path}/restore"), json!({})).await.data();
    assert_eq!(restored["shortCode"], "Promo");
    assert_eq!(restored["tags"], link["tags"]);
    let entry = link_entry(&system, id).await;
    assert!(!entry.deleted);
    assert_eq!(entry.row_version, 3);
    assert_eq!(
        actions(&system, id).await,
        ["link.created", "link.deleted", "link.restored"]
    );
    let secret: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_log WHERE detail::text LIKE '%argon2%' OR detail::text LIKE '%sesame%'",
    )
    .fetch_one(&system.main)
    .await
    .unwrap();
    assert_eq!(secret, 0);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_keeps_absent_members_and_null_clears() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = ada
        .link(json!({
            "destinationUrl": "https://shop.example/x", "title": "Old", "tags": ["A"], "clicksLimit": 5,
            "expiresAt": "2027-01-01T00:00:00Z", "password": "word", "utmSource": "mail", "enabled": false,
        }))
        .await;
    let id = id(&link);
    let path = format!("/api/links/{id}");
    let changed = ada.patch(&path, json!({"title": "x"})).await.data();
    let mut expected = link.clone();
    expected["title"] = json!("x");
    expected["updatedAt"] = changed["updatedAt"].clone();
    assert_eq!(changed, expected);
    let before = link_entry(&system, id).await;

    // The same again leaves no second trace.
    let again = json!({"title": "x", "tags": ["a"], "clicksLimit": 5});
    assert_eq!(ada.patch(&path, again).await.data(), changed);
    assert_eq!(link_entry(&system, id).await, before);
    assert_eq!(actions(&system, id).await, ["link.created", "link.updated"]);

    let cleared = json!({
        "title": null, "tags": null, "clicksLimit": null, "expiresAt": null, "password": "", "utmSource": "",
        "enabled": null,
    });
    let cleared = ada.patch(&path, cleared).await.data();
    for name in ["title", "clicksLimit", "expiresAt", "utmSource"] {
        assert_eq!(cleared[name], Value::Null, "{name}");
    }
    assert_eq!(cleared["tags"], json!([]));
    assert_eq!(cleared["passwordProtected"], false);
    assert_eq!(cleared["enabled"], false);
    let entry = link_entry(&system, id).await;
    assert_eq!(entry.settings.password_hash, None);
    assert_eq!(entry.row_version, before.row_version + 1);
    // A new password for an old one is a change, although no member of the answer shows it.
    for _ in 0..2 {
        let answer = ada.patch(&path, json!({"password": "next"})).await;
        assert_eq!(answer.data()["passwordProtected"], true);
    }
    assert_eq!(
        link_entry(&system, id).await.row_version,
        entry.row_version + 2
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_one_links_in_any_case_and_stays_its_workspaces() {
    let system = System::start().await;
    let (ada, eve) = (
        system.client.creator("ada").await,
        system.client.creator("eve").await,
    );
    let (ada, eve) = (Caller::new(&system, &ada), Caller::new(&system, &eve));
    let taken = (409, "SHORT_CODE_EXISTS".to_owned());
    let first = ada.link(plain("LectureFeedback")).await;
    for caller in [&ada, &eve] {
        let answer = caller.post("/api/links", plain("LECTUREfeedback")).await;
        assert_eq!(error(&answer), taken);
    }
    // Of two at once, one gets the code.
    let (one, other) = tokio::join!(
        ada.post("/api/links", plain("race")),
        eve.post("/api/links", plain("RACE"))
    );
    let statuses: BTreeSet<u16> = [one, other].map(|answer| answer.status.as_u16()).into();
    assert_eq!(statuses, BTreeSet::from([201, 409]));
    // A rename frees the former code for the workspace, and another spelling is no other code.
    let path = format!("/api/links/{}", id(&first));
    let renamed = ada
        .patch(&path, json!({"shortCode": "lecturefeedback"}))
        .await;
    assert_eq!(renamed.data()["shortCode"], "lecturefeedback");
    let renamed = ada.patch(&path, json!({"shortCode": "new"})).await;
    assert_eq!(renamed.data()["shortUrl"], "http://footfall.test/new");
    assert_eq!(
        error(&eve.post("/api/links", plain("LectureFeedback")).await),
        taken
    );
    let second = ada.link(plain("LectureFeedback")).await;
    let answer = ada
        .patch(&path, json!({"shortCode": "lectureFeedback"}))
        .await;
    assert_eq!(error(&answer), taken);
    // A deleted code is used again with another destination; the old link cannot return to it.
    let second = format!("/api/links/{}", id(&second));
    ada.delete(&second).await.assert_ok();
    assert_eq!(
        error(&eve.post("/api/links", plain("lecturefeedback")).await),
        taken
    );
    let third = ada
        .link(json!({"destinationUrl": "https://other.example/", "shortCode": "lecturefeedback"}))
        .await;
    assert_eq!(
        link_entry(&system, id(&third)).await.destination,
        "https://other.example/"
    );
    assert_eq!(
        error(&ada.post(&format!("{second}/restore"), json!({})).await),
        taken
    );
    // Generated codes are unguessable, unambiguous and free.
    let generated = ada
        .link(json!({"destinationUrl": "https://shop.example/"}))
        .await;
    let code = generated["shortCode"].as_str().unwrap();
    assert!(code.len() >= 8, "{code}");
    let unambiguous = |byte: u8| b"23456789abcdefghjkmnpqrstuvwxyz".contains(&byte);
    assert!(code.bytes().all(unambiguous), "{code}");
    for code in ["abcd?env=prod", "", "api", "Health", "a b", &"x".repeat(51)] {
        let answer = ada.post("/api/links", plain(code)).await;
        assert_eq!(error(&answer).0, 400, "{code}: {}", answer.text);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_point_refuses_the_same_destinations() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let link = format!("/api/links/{}", id(&ada.link(plain("promo")).await));
    for destination in [
        "javascript:alert(1)",
        " JaVa\tScript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "shop.example/x",
        "https://shop.example/a\r\nset-cookie: x",
        "https://ada:secret@shop.example/",
        "https://FOOTFALL.test.:443/Promo",
        "https://www.footfall.test/promo.",
        "http://footfall.test:8080/%70romo/",
    ] {
        let body = json!({"destinationUrl": destination});
        let bulk = json!({"links": [body]});
        let mut upsert = body.clone();
        upsert["shortCode"] = json!("promo");
        let fallback =
            json!({"destinationUrl": "https://a.example", "deepLinkFallbackUrl": destination});
        for answer in [
            ada.post("/api/links", body.clone()).await,
            ada.post("/api/links/bulk", bulk).await,
            ada.put("/api/links/upsert", upsert).await,
            ada.patch(&link, body.clone()).await,
            ada.patch(&link, fallback).await,
        ] {
            let expected = (400, "VALIDATION_ERROR".to_owned());
            assert_eq!(error(&answer), expected, "{destination:?}: {}", answer.text);
        }
    }
    let hint = ada
        .post("/api/links", json!({"destinationUrl": "shop.example/x"}))
        .await;
    assert!(
        hint.text.contains("https://shop.example/x"),
        "{}",
        hint.text
    );
    // A page of ours is no short link.
    ada.link(json!({"destinationUrl": "https://footfall.test/@ada"}))
        .await;
    assert_eq!(
        actions(&system, link[11..].parse().unwrap()).await,
        ["link.created"]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bio_link_is_such_a_link() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    let link = system
        .client
        .link(&creator, "Site", "https://old.example/")
        .await;
    let page = async || {
        let path = format!("/api/v1/creators/{}/bio", creator.id);
        system.client.get_as(&creator.token, &path).await.data()["links"].clone()
    };
    let path = format!("/api/links/{link}");
    let read = ada.get(&path).await.data();
    assert_eq!(read["bioPageId"], json!(creator.page));
    let shown = system.client.get("/@ada").await.text;
    assert!(shown.contains("https://old.example/"));
    let body = json!({"destinationUrl": "https://new.example/", "clicksLimit": 3});
    ada.patch(&path, body).await.assert_ok();
    assert_eq!(page().await[0]["url"], "https://new.example/");
    let shown = system.client.get("/@ada").await.text;
    assert!(shown.contains("https://new.example/") && !shown.contains("https://old.example/"));
    // The creator's own change keeps what the page does not know.
    let own = format!("/api/v1/creators/links/{link}");
    let body = json!({"url": "https://third.example/"});
    system
        .client
        .patch_as(&creator.token, &own, &body)
        .await
        .assert_ok();
    let entry = link_entry(&system, link).await;
    assert_eq!(entry.destination, "https://third.example/");
    assert_eq!(entry.settings.clicks_limit, Some(3));
    ada.delete(&path).await.assert_ok();
    assert_eq!(page().await, json!([]));
    let restored = ada.post(&format!("{path}/restore"), json!({})).await.data();
    assert_eq!(restored["bioPageId"], Value::Null);
    assert_eq!(page().await, json!([]));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_creates_once_and_then_changes() {
    let system = System::start().await;
    let (ada, eve) = (
        system.client.creator("ada").await,
        system.client.creator("eve").await,
    );
    let (ada, eve) = (Caller::new(&system, &ada), Caller::new(&system, &eve));
    let mut body = plain("Promo");
    body["title"] = json!("First");
    let first = ada.put("/api/links/upsert", body).await.data();
    let body = json!({"shortCode": "promo", "destinationUrl": "https://b.example/"});
    let second = ada.put("/api/links/upsert", body.clone()).await.data();
    assert_eq!(first["id"], second["id"]);
    assert_eq!(second["title"], "First");
    assert_eq!(second["destinationUrl"], "https://b.example/");
    assert_eq!(second["shortCode"], "promo");
    assert_eq!(
        actions(&system, id(&first)).await,
        ["link.created", "link.updated"]
    );
    let answer = eve.put("/api/links/upsert", body).await;
    assert_eq!(error(&answer), (409, "SHORT_CODE_EXISTS".to_owned()));
    let answer = ada
        .put(
            "/api/links/upsert",
            json!({"destinationUrl": "https://b.example/"}),
        )
        .await;
    assert_eq!(error(&answer).0, 400);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_limits_the_number_of_links() {
    let system = SystemBuilder::default()
        .set("WORKSPACE_PLAN", "starter")
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let links = |count: usize| {
        let link = json!({"destinationUrl": "https://shop.example/"});
        json!({"links": vec![link; count]})
    };
    ada.post("/api/links/bulk", links(24)).await.assert_ok();
    let exceeded = (403, "LIMIT_EXCEEDED".to_owned());
    assert_eq!(
        error(&ada.post("/api/links/bulk", links(2)).await),
        exceeded
    );
    let last = ada.link(plain("last")).await;
    let more = ada.post("/api/links", plain("more")).await;
    assert_eq!(error(&more), exceeded);
    assert_eq!(
        error(&ada.put("/api/links/upsert", plain("more")).await),
        exceeded
    );
    // A deleted link makes room, and cannot return into the room that is used by then.
    let path = format!("/api/links/{}", id(&last));
    ada.delete(&path).await.assert_ok();
    ada.link(plain("more")).await;
    let answer = ada.post(&format!("{path}/restore"), json!({})).await;
    assert_eq!(error(&answer), exceeded);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_log_gets_the_same_entries() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    system
        .client
        .link(&creator, "Bio", "https://bio.example/")
        .await;
    let campaign = ada
        .post("/api/campaigns", json!({"name": "Spring"}))
        .await
        .data();
    ada.link(json!({
        "destinationUrl": "https://shop.example/", "password": "x", "campaignId": campaign["id"],
        "deepLinkEnabled": true, "deepLinkAndroid": "myapp://p", "redirectStatus": 301, "enabled": false,
    }))
    .await;
    let gone = ada.link(plain("gone")).await;
    ada.delete(&format!("/api/links/{}", id(&gone)))
        .await
        .assert_ok();
    let published = entries(&system).await;
    let (log, databases) = system.stop().await;
    log.finish().await;
    let again = SystemBuilder::default()
        .databases(databases)
        .log(TestLog::start().await)
        .start()
        .await;
    let republished = entries(&again).await;
    let own = |entries: &std::collections::BTreeMap<String, _>| {
        let keys = entries.keys().cloned();
        keys.filter(|key| key.contains(':'))
            .collect::<Vec<String>>()
    };
    assert_eq!(own(&published), own(&republished));
    for key in own(&published) {
        assert_eq!(published[&key], republished[&key], "{key}");
    }
    again.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_code_hides_a_path_of_the_program_or_is_hidden_by_one() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let segments = system
        .paths
        .iter()
        .filter_map(|path| path.split('/').nth(1));
    let is_code = |text: &&str| {
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !text.is_empty() && text.chars().all(valid)
    };
    let segments: BTreeSet<&str> = segments.filter(is_code).collect();
    assert!(segments.contains("api") && segments.contains("schemas"));
    for code in segments.into_iter().chain(["footfall-2", "Footfall-x"]) {
        let body = json!({ "destinationUrl": "https://shop.example/", "shortCode": code });
        let answer = ada.post("/api/links", body).await;
        assert_eq!(answer.status, 400, "{code}: {}", answer.text);
    }
}
