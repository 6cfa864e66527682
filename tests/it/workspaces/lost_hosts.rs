//! Hosts that change their owner. Links of the former owner are not served there and cannot take a
//! code there. Their codes are free for the next owner.

use super::{
    domains::{add, prove, start, verify},
    objects::refusal,
};
use crate::clicks::{open, until_answered, until_leads};
use kit::{Answer, Creator, System};
use reqwest::Method;
use serde_json::{Value, json};

/// As its owner types it, and as browsers send it.
const TYPED: &str = "B\u{fc}cher.example";
const HOST: &str = "xn--bcher-kva.example";
const ADAS: &str = "https://ada.example/";
const EVES: &str = "https://eve.example/";

async fn ask(system: &System, by: &Creator, method: Method, path: &str, body: &Value) -> Answer {
    let request = system.client.request(method, path).json(body);
    system.client.send(request.bearer_auth(&by.token)).await
}

/// Adds a host and proves it.
async fn own(system: &System, dns: &super::dns::Dns, by: &Creator) -> Value {
    let domain = add(system, by, TYPED).await;
    prove(dns, &domain);
    verify(system, by, &domain).await.assert_ok();
    domain
}

fn link(domain: &Value, code: &str, destination: &str) -> Value {
    json!({"destinationUrl": destination, "shortCode": code, "domainId": domain["id"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_one_workspace_removes_and_another_adds_serves_nothing_until_it_is_proven() {
    let (system, dns) = start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let adas = own(&system, &dns, &ada).await;
    let body = link(&adas, "promo", ADAS);
    let made = ask(&system, &ada, Method::POST, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let answer = until_answered(client, HOST, "promo", 302).await;
    assert_eq!(answer.headers["location"], ADAS);
    let path = format!("/api/domains/{}", adas["id"].as_str().unwrap());
    client.delete_as(&ada.token, &path).await.assert_ok();
    until_answered(client, HOST, "promo", 404).await;

    let eves = add(&system, &eve, TYPED).await;
    assert_eq!(
        (&eves["state"], &eves["host"]),
        (&json!("pending"), &json!(HOST))
    );
    let body = link(&eves, "promo", EVES);
    let early = ask(&system, &eve, Method::POST, "/api/links", &body).await;
    assert_eq!(refusal(&early), (404, "NOT_FOUND".to_owned()));
    for path in ["/promo", "/robots.txt", "/.well-known/assetlinks.json"] {
        let answer = open(client, HOST, path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(verify(&system, &eve, &eves).await.status, 409);
    prove(&dns, &eves);
    verify(&system, &eve, &eves).await.assert_ok();
    until_answered(client, HOST, "robots.txt", 200).await;
    // The host is Eve's now, and Ada's link with its code is none of hers.
    assert_eq!(open(client, HOST, "/promo", &[]).await.status, 404);
    let made = ask(&system, &eve, Method::POST, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let answer = until_answered(client, HOST, "promo", 302).await;
    assert_eq!(answer.headers["location"], EVES);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_a_lost_host_can_change_move_and_go_but_takes_no_code_there() {
    let (system, dns) = start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let adas = own(&system, &dns, &ada).await;
    let mut paths = Vec::new();
    for code in ["one", "two"] {
        let body = link(&adas, code, ADAS);
        let made = ask(&system, &ada, Method::POST, "/api/links", &body).await;
        paths.push(format!("/api/links/{}", made.id()));
    }
    until_answered(client, HOST, "two", 302).await;
    own(&system, &dns, &eve).await;
    until_answered(client, HOST, "two", 404).await;
    let change =
        async |path: &str, body: Value| ask(&system, &ada, Method::PATCH, path, &body).await;
    let lost = (409, "CONFLICT".to_owned());
    for path in &paths {
        let answer = change(path, json!({"shortCode": "three"})).await;
        assert_eq!(refusal(&answer), lost);
        assert!(answer.text.contains("domainId"), "{}", answer.text);
        let answer = change(path, json!({"domainId": adas["id"]})).await;
        assert_eq!(refusal(&answer), (404, "NOT_FOUND".to_owned()));
        let changed = change(path, json!({"title": "Old"})).await.data();
        assert_eq!(changed["domain"], HOST);
    }
    assert_eq!(open(client, HOST, "/three", &[]).await.status, 404);
    // A deleted one cannot return there. Moved to a host of the workspace, it can.
    client.delete_as(&ada.token, &paths[0]).await.assert_ok();
    let restore = format!("{}/restore", paths[0]);
    let answer = ask(&system, &ada, Method::POST, &restore, &json!({})).await;
    assert_eq!(refusal(&answer), lost);
    let moved = change(&paths[1], json!({"domainId": null})).await.data();
    assert_eq!(moved["domain"], "footfall.test");
    let answer = until_answered(client, "footfall.test", "two", 302).await;
    assert_eq!(answer.headers["location"], ADAS);
    // With a new proof the host and the link are there again.
    let path = format!("/api/domains/{}", adas["id"].as_str().unwrap());
    prove(&dns, &client.get_as(&ada.token, &path).await.data());
    verify(&system, &ada, &adas).await.assert_ok();
    let answer = ask(&system, &ada, Method::POST, &restore, &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    until_answered(client, HOST, "one", 302).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_on_two_hosts_is_two_links_with_their_own_edits_clicks_and_ends() {
    let (system, dns) = start().await;
    let client = &system.client;
    let (ada, eve) = (client.creator("ada").await, client.creator("eve").await);
    let domain = own(&system, &dns, &eve).await;
    let body = json!({"destinationUrl": ADAS, "shortCode": "promo"});
    let first = ask(&system, &ada, Method::POST, "/api/links", &body)
        .await
        .id();
    let body = link(&domain, "promo", EVES);
    let second = ask(&system, &eve, Method::POST, "/api/links", &body)
        .await
        .id();
    let own_host = "footfall.test";
    until_answered(client, own_host, "promo", 302).await;
    until_answered(client, HOST, "promo", 302).await;
    let both = async |expected: [&str; 2]| {
        for (host, destination) in [own_host, HOST].into_iter().zip(expected) {
            let answer = open(client, host, "/promo", &[]).await;
            assert_eq!(answer.headers["location"], destination, "{host}");
        }
    };
    both([ADAS, EVES]).await;
    for link in [first, second] {
        crate::clicks::until_folded(&system.analytics, link, 1).await;
    }
    let changed = json!({"destinationUrl": "https://new.example/"});
    let path = format!("/api/links/{second}");
    ask(&system, &eve, Method::PATCH, &path, &changed)
        .await
        .assert_ok();
    until_leads(&system, (HOST, "/promo?no-track"), "https://new.example/").await;
    both([ADAS, "https://new.example/"]).await;
    client.delete_as(&eve.token, &path).await.assert_ok();
    until_answered(client, HOST, "promo", 404).await;
    assert_eq!(open(client, own_host, "/promo", &[]).await.status, 302);
    // Hosts without an owner have neither.
    for host in ["other.example", "example", "bcher.example"] {
        assert_eq!(open(client, host, "/promo", &[]).await.status, 404);
    }
    system.finish().await;
}
