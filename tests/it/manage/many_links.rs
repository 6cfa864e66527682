//! Several links at once: bulk creation and lists.

use super::{Caller, actions, error, id, plain};
use kit::System;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_is_all_or_nothing_and_names_every_fault() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let ada = Caller::new(&system, &ada);
    ada.link(plain("taken")).await;
    let count = async || ada.get("/api/links").await.json()["pagination"]["total"].clone();
    let bulk = json!({"links": [
        plain("a"), plain("TAKEN"), {"destinationUrl": "nonsense", "title": 7}, plain("A"), 5,
        {"destinationUrl": "javascript:x"},
    ]});
    let answer = ada.post("/api/links/bulk", bulk).await;
    assert_eq!(error(&answer), (400, "VALIDATION_ERROR".to_owned()));
    let details = answer.json()["error"]["details"]
        .as_array()
        .unwrap()
        .clone();
    let indexes: BTreeSet<u64> = details
        .iter()
        .filter_map(|detail| detail["index"].as_u64())
        .collect();
    assert_eq!(indexes, BTreeSet::from([1, 2, 3, 4, 5]), "{details:?}");
    assert_eq!(count().await, 1);
    let tagged: Vec<Value> = (0..30)
        .map(|n| json!({"destinationUrl": "https://shop.example/x", "tags": [format!("t{}", n % 3)]}))
        .collect();
    let made = ada.post("/api/links/bulk", json!({"links": tagged})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for (given, made) in tagged.iter().zip(made.data().as_array().unwrap()) {
        assert_eq!(given["tags"], made["tags"]);
        assert_eq!(actions(&system, id(made)).await, ["link.created"]);
    }
    assert_eq!(count().await, 31);
    for links in [
        json!([]),
        json!(vec![plain("x"); 31]),
        json!(7),
        Value::Null,
    ] {
        let answer = ada.post("/api/links/bulk", json!({"links": links})).await;
        assert_eq!(error(&answer).0, 400, "{}", answer.text);
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_have_each_link_once_and_search_for_the_text_as_it_is() {
    let system = System::start().await;
    let (ada, eve) = (
        system.client.creator("ada").await,
        system.client.creator("eve").await,
    );
    let bio = system
        .client
        .link(&ada, "On the page", "https://bio.example/")
        .await;
    let (ada, eve) = (Caller::new(&system, &ada), Caller::new(&system, &eve));
    eve.link(plain("eves")).await;
    // The clock stands still, so all links have one time.
    for part in 0..4 {
        let links: Vec<Value> = (0..25)
            .map(|n| json!({"destinationUrl": "https://shop.example/x", "title": format!("T{part}{n:02}")}))
            .collect();
        let answer = ada.post("/api/links/bulk", json!({"links": links})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    for sort in ["createdAt", "updatedAt", "title", "shortCode"] {
        for order in ["asc", "desc"] {
            let mut seen = Vec::new();
            for page in 1..=6 {
                let path = format!("/api/links?limit=20&page={page}&sort={sort}&order={order}");
                let answer = ada.get(&path).await;
                let pagination = &answer.json()["pagination"];
                assert_eq!(pagination["total"], 101, "{}", answer.text);
                assert_eq!(pagination["hasMore"], page < 6);
                seen.extend(answer.data().as_array().unwrap().clone());
            }
            let ids: BTreeSet<String> = seen.iter().map(|link| link["id"].to_string()).collect();
            assert_eq!((seen.len(), ids.len()), (101, 101), "{sort} {order}");
            let mut keys: Vec<String> = seen
                .iter()
                .map(|link| link[sort].to_string().to_lowercase())
                .collect();
            if order == "desc" {
                keys.reverse();
            }
            assert!(keys.is_sorted(), "{sort} {order}: {keys:?}");
        }
    }
    ada.link(
        json!({"destinationUrl": "https://shop.example/", "title": "50%_Off!", "enabled": false}),
    )
    .await;
    let total = async |query: &str| {
        let answer = ada.get(&format!("/api/links?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["pagination"]["total"].as_u64().unwrap()
    };
    for (query, expected) in [
        ("search=50%25_off", 1),
        ("search=50%25off", 0),
        ("search=T1", 25),
        ("search=on+the+page", 1),
        ("search=BIO.example", 1),
        ("search=eves", 0),
        ("enabled=false", 1),
        ("domain=footfall.test", 102),
        ("domain=other.example", 0),
        ("tag=none", 0),
        ("deleted=true", 0),
    ] {
        assert_eq!(total(query).await, expected, "{query}");
    }
    let found = ada.get("/api/links?search=bio.example").await.data();
    assert_eq!(found[0]["id"], json!(bio));
    assert_eq!(found[0]["title"], "On the page");
    for wrong in [
        "sort=size",
        "order=up",
        "enabled=1",
        "campaignId=x",
        "limit=0",
    ] {
        let answer = ada.get(&format!("/api/links?{wrong}")).await;
        assert_eq!(
            error(&answer),
            (400, "VALIDATION_ERROR".to_owned()),
            "{wrong}"
        );
    }
    system.finish().await;
}
