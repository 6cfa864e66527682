//! What links keep: their whole destination, one of each parameter, and a code of their own.

use super::{Caller, error, id, link_entry, plain};
use crate::clicks::{until_answered, until_known, until_leads};
use jiff::Timestamp;
use kit::{System, SystemBuilder};
use runtime::{IdSource, SeededIds};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use uuid::Uuid;

const HOST: &str = "footfall.test";

/// Ids whose random bits repeat when a test says so.
#[derive(Debug)]
struct Repeating {
    ids: SeededIds,
    repeats: AtomicUsize,
}

impl IdSource for Repeating {
    fn uuid_v7(&self, now: Timestamp) -> Uuid {
        self.ids.uuid_v7(now)
    }

    fn random_16(&self) -> [u8; 16] {
        let less = |left: usize| left.checked_sub(1);
        let repeats = &self.repeats;
        match repeats.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) {
            Ok(_) => [7; 16],
            Err(_) => self.ids.random_16(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_code_that_is_taken_is_drawn_again() {
    let ids = Arc::new(Repeating {
        ids: SeededIds::new(1),
        repeats: AtomicUsize::new(0),
    });
    let system = SystemBuilder::default()
        .ids(Arc::<Repeating>::clone(&ids))
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let eve = system.client.creator("eve").await;
    let (ada, eve) = (Caller::new(&system, &ada), Caller::new(&system, &eve));
    let body = json!({"destinationUrl": "https://shop.example/"});
    ids.repeats.store(1, Ordering::SeqCst);
    let first = ada.link(body.clone()).await;
    assert_eq!(ids.repeats.load(Ordering::SeqCst), 0);
    // Another workspace's, and one that its workspace deleted.
    for deleted in [false, true] {
        if deleted {
            let path = format!("/api/links/{}", id(&first));
            ada.delete(&path).await.assert_ok();
        }
        ids.repeats.store(4, Ordering::SeqCst);
        let next = eve.link(body.clone()).await;
        assert_eq!(ids.repeats.load(Ordering::SeqCst), 0);
        assert_ne!(next["shortCode"], first["shortCode"]);
        until_known(&system, next["shortCode"].as_str().unwrap()).await;
    }
    // Five in a row are a defect, and leave nothing behind.
    let links = async || eve.get("/api/links").await.json()["pagination"]["total"].clone();
    ids.repeats.store(5, Ordering::SeqCst);
    assert_eq!(error(&eve.post("/api/links", body).await).0, 500);
    assert_eq!(links().await, 2);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_destination_is_saved_and_opened_whole() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let of = |length: usize| {
        let start = "https://shop.example/x?a=%2B#";
        format!("{start}{}", "f".repeat(length - start.len()))
    };
    for length in [6_000, 8_192] {
        let code = format!("long-{length}");
        let destination = of(length);
        let mut body = plain(&code);
        body["destinationUrl"] = json!(destination);
        let link = ada.link(body).await;
        assert_eq!(link["destinationUrl"], json!(destination));
        let path = format!("/api/links/{}", id(&link));
        assert_eq!(ada.get(&path).await.data(), link);
        let answer = until_answered(&system.client, HOST, &code, 302).await;
        assert_eq!(answer.headers["location"], destination);
        // Parameters stand before the fragment, which stays whole.
        let body = json!({"preserveQueryParams": true});
        ada.patch(&path, body).await.assert_ok();
        let expected = destination.replace('#', "&b=1#");
        let path = format!("/{code}?no-track&b=1");
        until_leads(&system, (HOST, &path), &expected).await;
        // A rule leads as far as its link.
        let rule = json!({
            "linkId": link["id"], "name": "All", "destinationUrl": destination, "conditions": [],
        });
        let rule = ada.post("/api/rules", rule).await;
        assert_eq!(rule.data()["destinationUrl"], json!(destination));
    }
    let mut body = plain("too-long");
    body["destinationUrl"] = json!(of(8_193));
    let answer = ada.post("/api/links", body).await;
    assert_eq!(error(&answer), (400, "VALIDATION_ERROR".to_owned()));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_saved_again_and_again_keeps_one_of_each_parameter() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let body = json!({
        "destinationUrl": "https://shop.example/x?utm_source=old&b=1", "shortCode": "promo", "utmSource": "a",
    });
    let made = ada.link(body.clone()).await;
    let path = format!("/api/links/{}", id(&made));
    for _ in 0..4 {
        // Whole, as a form sends it that read it before.
        let read = ada.get(&path).await.data();
        let form =
            json!({"destinationUrl": read["destinationUrl"], "utmSource": read["utmSource"]});
        let saved = ada.patch(&path, form).await.data();
        let upserted = ada.put("/api/links/upsert", body.clone()).await.data();
        for link in [saved, upserted] {
            assert_eq!(link["destinationUrl"], made["destinationUrl"]);
            assert_eq!(link["utmSource"], "a");
        }
    }
    let entry = link_entry(&system, id(&made)).await;
    assert_eq!(
        entry.settings.utm,
        [("utm_source".to_owned(), "a".to_owned())]
    );
    assert_eq!(entry.row_version, 1);
    let answer = until_answered(&system.client, HOST, "promo", 302).await;
    assert_eq!(
        answer.headers["location"],
        "https://shop.example/x?b=1&utm_source=a"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_the_events_api_refuse_the_destinations_that_links_refuse() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Caller::new(&system, &creator);
    let link = ada.link(plain("promo")).await;
    let rule = |destination: &str| json!({"linkId": link["id"], "name": "All", "destinationUrl": destination, "conditions": []});
    let made = ada.post("/api/rules", rule("https://a.example/")).await;
    let path = format!("/api/rules/{}", made.id());
    let scopes = ["links:read", "links:write"];
    let (_, key) =
        crate::workspaces::objects::make_key(&system.client, &creator.token, &scopes).await;
    let external = async |method: reqwest::Method, path: &str, body: Value| {
        let path = format!("/link/external/v1/shortenedUrl{path}");
        let request = system.client.request(method, &path).json(&body);
        let answer = system.client.send(request.header("X-API-KEY", &key)).await;
        let code = answer.json()["errors"][0]["code"].clone();
        (
            answer.status.as_u16(),
            code.as_str().unwrap_or_default().to_owned(),
        )
    };
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
    ] {
        let fallback = json!({"deepLinkFallbackUrl": destination});
        let app = json!({"deepLinkIos": destination});
        let change = json!({"destinationUrl": destination});
        let mut answers = vec![
            ada.post("/api/rules", rule(destination)).await,
            ada.put(&path, change).await,
            ada.put(&path, fallback).await,
        ];
        if destination != "shop.example/x" {
            answers.push(ada.put(&path, app).await);
        }
        for answer in answers {
            let expected = (400, "VALIDATION_ERROR".to_owned());
            assert_eq!(error(&answer), expected, "{destination:?}: {}", answer.text);
        }
        let body = json!({"url": destination});
        let id = format!("/url_{}", id(&link));
        for (status, code) in [
            external(reqwest::Method::POST, "/save", body.clone()).await,
            external(
                reqwest::Method::POST,
                "/bulkSave",
                json!({"records": [body.clone()]}),
            )
            .await,
            external(reqwest::Method::PATCH, &id, body).await,
        ] {
            assert_eq!((status, &*code), (400, "SML002"), "{destination:?}");
        }
    }
    assert_eq!(link_entry(&system, id(&link)).await.row_version, 2);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_destination_is_opened_byte_for_byte_and_the_answer_says_so() {
    const SIGNED: &str = "https://b.example/f?X-Amz-Date=20270101T000000Z&X-Amz-Signature=2%2F+";
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    let body = json!({
        "destinationUrl": SIGNED, "shortCode": "file", "conversionTracking": true, "utmSource": "mail",
        "preserveQueryParams": true,
    });
    let link = ada.link(body).await;
    assert!(link["warnings"].to_string().contains("signed"), "{link}");
    until_known(&system, "file").await;
    until_leads(&system, (HOST, "/file?a=1&no-track"), SIGNED).await;
    until_leads(&system, (HOST, "/file?a=1"), SIGNED).await;
    system.finish().await;
}
