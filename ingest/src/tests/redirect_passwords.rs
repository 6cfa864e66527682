//! Passwords of links through the router: the form, the limit on wrong ones, and the gates behind
//! the right one.

use super::{
    kit::*,
    redirect::{open, opened},
    redirect_gates::{ANDROID, HTML, TELEGRAM, TO, from, hashed, instance},
    redirect_rules::{is, rule},
};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::SaltString};
use axum::{body::Body, http::Request};
use futures::{poll, stream};
use jiff::SignedDuration;
use schemas::{
    RuleId,
    directory::{DeepLink, LinkSettings, Platform, Preview, RedirectMode, RedirectStatus},
};
use serde_json::json;
use std::pin::pin;
use uuid::Uuid;

fn try_password(path: &str, form: &str) -> Request<Body> {
    let mut request = open("POST", path, &[HTML]);
    *request.body_mut() = Body::from(form.to_owned());
    request
}

#[tokio::test]
async fn a_password_opens_the_link_with_303_and_wrong_ones_are_counted() {
    let instance = instance(LinkSettings {
        password_hash: Some(hashed("se cret&+")),
        status: RedirectStatus::PermanentRedirect,
        ..LinkSettings::default()
    });
    let (page, events) = opened(&instance, "GET", "/promo", &[HTML]).await;
    assert_eq!((page.status, events.len()), (200, 0));
    assert!(page.body.contains("<form method=\"post\">"));
    let wrong = instance
        .call(try_password("/promo", "password=secret"))
        .await;
    assert_eq!((wrong.status, wrong.header("location")), (403, None));
    let right = instance
        .call(try_password("/promo", "x=1&password=se+cret%26%2B"))
        .await;
    assert_eq!((right.status, right.header("location")), (303, Some(TO)));
    for _ in 0..20 {
        instance.call(try_password("/promo", "password=no")).await;
    }
    let blocked = instance
        .call(try_password("/promo", "password=se+cret%26%2B"))
        .await;
    assert_eq!(
        (blocked.status, blocked.header("retry-after")),
        (429, Some("900"))
    );
    // Others are not blocked, and 20 people behind one address open it with the right password.
    let at_once = (0..20).map(|_| {
        let request = from(9, try_password("/promo", "password=se+cret%26%2B"));
        instance.call(request)
    });
    for answer in futures::future::join_all(at_once).await {
        assert_eq!(answer.status, 303);
    }
    instance.clock.advance(SignedDuration::from_mins(15));
    let later = instance
        .call(try_password("/promo", "password=se+cret%26%2B"))
        .await;
    assert_eq!(later.status, 303);
    let huge = format!("password={}", "x".repeat(10_000));
    assert_eq!(
        instance.call(try_password("/promo", &huge)).await.status,
        413
    );
    let head = instance.call(open("PUT", "/promo", &[])).await;
    assert_eq!(
        (head.status, head.header("allow")),
        (405, Some("GET,HEAD,POST"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_password_form_that_does_not_arrive_is_answered_408() {
    let instance = instance(LinkSettings {
        password_hash: Some(hashed("secret")),
        ..LinkSettings::default()
    });
    let mut request = open("POST", "/promo", &[HTML]);
    let never = stream::pending::<Result<Vec<u8>, std::io::Error>>();
    *request.body_mut() = Body::from_stream(never);
    assert_eq!(instance.call(request).await.status, 408);
}

#[tokio::test]
async fn the_right_password_leads_where_the_rules_say() {
    let app = DeepLink {
        platform: Platform::Ios,
        url: "https://app.example/p".to_owned(),
        fallback: None,
        package: None,
        app_id: None,
    };
    let mut phones = rule(
        2,
        is("os", "equals", json!("iOS")),
        "https://phone.example/",
    );
    phones.deep_links = vec![app];
    let instance = instance(LinkSettings {
        password_hash: Some(hashed("secret")),
        status: RedirectStatus::TemporaryRedirect,
        rules: vec![
            rule(
                1,
                is("os", "equals", json!("Android")),
                "https://android.example/",
            ),
            phones,
        ],
        ..LinkSettings::default()
    });
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";
    for (agent, destination, id) in [
        (ANDROID, "https://android.example/", Some(1)),
        (BROWSER, "https://app.example/p", Some(2)),
        (firefox, TO, None),
    ] {
        let headers = [HTML, ("user-agent", agent)];
        let (page, events) = opened(&instance, "GET", "/promo", &headers).await;
        assert_eq!((page.status, events.len()), (200, 0), "{agent}");
        assert!(!page.body.contains("android.example") && !page.body.contains("shop.example"));
        let try_it = async |password: &str| {
            let mut request = open("POST", "/promo", &headers);
            *request.body_mut() = Body::from(format!("password={password}"));
            instance.call(request).await
        };
        let wrong = try_it("no").await;
        assert_eq!((wrong.status, wrong.header("location")), (403, None));
        let right = try_it("secret").await;
        assert_eq!(
            (right.status, right.header("location")),
            (303, Some(destination)),
            "{agent}"
        );
        instance.intake.finish_deliveries().await;
        let events = instance.sink.take_json();
        let id = id.map(|id| RuleId(Uuid::from_u128(id)));
        assert_eq!(events.len(), 1, "{agent}");
        assert_eq!(events[0]["body"]["rule_id"], json!(id), "{agent}");
    }
}

/// The right password opens only its own gate.
#[tokio::test]
async fn every_gate_but_the_password_still_decides_after_the_right_password() {
    for bits in 0..=u8::MAX >> 1 {
        let has = |bit: u8| bits & (1 << bit) != 0;
        let instance = instance(LinkSettings {
            password_hash: Some(hashed("secret")),
            disabled: has(0),
            archived: has(1),
            expires_at: has(2).then(start_time),
            clicks_limit: has(3).then_some(0),
            preview: has(4).then(|| Preview {
                title: Some("Mine".to_owned()),
                ..Preview::default()
            }),
            mode: if has(5) {
                RedirectMode::RuleOnly
            } else {
                RedirectMode::Auto
            },
            redirect_delay_ms: if has(6) { 1_500 } else { 0 },
            ..LinkSettings::default()
        });
        let agent = has(4).then_some(TELEGRAM);
        let headers: Vec<_> = [HTML].into_iter().chain(agent).collect();
        let mut request = open("POST", "/promo", &headers);
        *request.body_mut() = Body::from("password=secret");
        let answer = instance.call(request).await;
        let expected = if bits & 0b1111 != 0 {
            410
        } else if has(4) {
            200
        } else if has(5) {
            404
        } else if has(6) {
            200
        } else {
            303
        };
        assert_eq!(answer.status, expected, "{bits:b}");
        assert_eq!(answer.header("location").is_some(), expected == 303);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
}

/// A hash that takes some milliseconds to check.
fn slow_hash(password: &str) -> String {
    let slow = Params::new(1_024, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, slow);
    let hash = argon2.hash_password(password.as_bytes(), &salt).unwrap();
    hash.to_string()
}

#[tokio::test]
async fn a_check_whose_client_leaves_counts_and_gives_its_place_back() {
    let instance = instance(LinkSettings {
        password_hash: Some(slow_hash("secret")),
        ..LinkSettings::default()
    });
    let wrong = |last| from(last, try_password("/promo", "password=no"));
    let right = |last| from(last, try_password("/promo", "password=secret"));
    // More clients than may wait, which all leave before an answer.
    {
        let mut left: Vec<_> = (100..140)
            .map(|last| Box::pin(instance.call(wrong(last))))
            .collect();
        for call in &mut left {
            let _ = poll!(call);
        }
    }
    let passwords = instance.redirects.passwords();
    passwords.idle().await;
    for number in 0..10 {
        assert_eq!(instance.call(right(2)).await.status, 303, "{number}");
        {
            let call = pin!(instance.call(wrong(1)));
            let _ = poll!(call);
        }
        passwords.idle().await;
    }
    let blocked = instance.call(right(1)).await;
    assert_eq!((blocked.status, blocked.header("location")), (429, None));
    assert_eq!(instance.call(right(2)).await.status, 303);
}
