//! Short URLs through the router: answers, events, and requests that do not count.

use super::kit::*;
use crate::redirect::Outcome;
use axum::{body::Body, http::Request};
use runtime::http::Peer;
use schemas::{
    ClickId, LinkId,
    directory::{Entry, Link, LinkSettings},
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

const DESTINATION: &str = "https://shop.example/x?utm_source=Shop&utm_medium=web&q=a%2Bb+c";
pub const LINK: LinkId = LinkId(Uuid::from_u128(0x0b6a_1f52));
const IMESSAGE: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0";

fn link(code: &str, destination: &str, row_version: i64) -> Entry {
    Entry::Link(Box::new(Link {
        link_id: LINK,
        workspace_no: WORKSPACE_NO,
        destination: destination.to_owned(),
        short_code: code.to_owned(),
        host: None,
        settings: LinkSettings::default(),
        deleted: false,
        row_version,
    }))
}

pub fn instance() -> Instance {
    let instance = Instance::new();
    instance
        .intake
        .directory()
        .apply(link("Promo", DESTINATION, 1));
    instance
}

pub fn open(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let peer = Peer("81.2.69.142:4711".parse().unwrap());
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .extension(peer)
        .header("host", HOST);
    if !headers.iter().any(|(name, _)| *name == "user-agent") {
        request = request.header("user-agent", BROWSER);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// Opens a link and returns the answer with the events that it leaves.
pub async fn opened(
    instance: &Instance,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (Answered, Vec<Value>) {
    let answer = instance.call(open(method, path, headers)).await;
    instance.intake.finish_deliveries().await;
    (answer, instance.sink.take_json())
}

#[tokio::test]
async fn a_click_is_redirected_byte_for_byte_and_published() {
    let instance = instance();
    let headers = [
        ("referer", "https://user:pw@www.instagram.com/p/abc#x"),
        ("accept-language", "tr-TR,tr;q=0.9,en;q=0.8"),
    ];
    let path = "/promo?utm_source=Insta&utm_medium=&x=1";
    let (answer, events) = opened(&instance, "GET", path, &headers).await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some(DESTINATION));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert_eq!(answer.header("x-robots-tag"), Some("noindex"));
    assert_eq!(answer.body, "");
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(event["type"], "link.clicked");
    assert_eq!(event["workspace_no"], 42);
    assert_eq!(event["workspace_id"], WORKSPACE.to_string());
    let body = &event["body"];
    for (name, value) in [
        ("link_id", json!(LINK)),
        ("short_code", json!("Promo")),
        ("host", json!(HOST)),
        ("trigger", json!("link")),
        ("destination", json!(DESTINATION)),
        ("referrer", json!("https://www.instagram.com/p/abc")),
        ("referrer_domain", json!("instagram.com")),
        ("source_class", json!("social")),
        ("utm", json!({"source": "insta", "medium": "web"})),
        ("bot_reason", Value::Null),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    let click: ClickId = body["click_id"].as_str().unwrap().parse().unwrap();
    let verified = ids_of_ours().verify_click(click);
    assert_eq!(verified, Some((WORKSPACE_NO, start_time())));
    let visitor = &event["visitor"];
    assert_eq!(visitor["place"]["country_code"], "GB");
    assert_eq!(visitor["agent"]["os"], "iOS");
    assert_eq!(visitor["language"], "tr-TR");
    assert_eq!(visitor["hash"].as_str().map(str::len), Some(32));
    let text = event.to_string();
    assert!(!text.contains("81.2.69.142") && !text.contains("Mozilla") && !text.contains("pw@"));
    assert_eq!(instance.redirects.outcomes().count(Outcome::Recorded), 1);
}

#[tokio::test]
async fn codes_and_hosts_are_found_however_they_are_written_and_nowhere_else() {
    let instance = instance();
    for path in ["/promo", "/PROMO/", "/promo.", "/promo)", "/Promo?x"] {
        let (answer, events) = opened(&instance, "GET", path, &[]).await;
        assert_eq!((answer.status, events.len()), (302, 1), "{path}");
    }
    for (host, status) in [
        ("GO.Example.:8443", 302),
        ("www.go.example", 302),
        ("s.example", 404),
        ("example", 404),
        ("not a host", 404),
    ] {
        let mut request = open("GET", "/promo", &[]);
        request.headers_mut().insert("host", host.parse().unwrap());
        let answer = instance.call(request).await;
        assert_eq!(answer.status, status, "{host}");
    }
    // Only a trusted proxy forwards a host.
    let forwarded = [("x-forwarded-host", HOST)];
    let mut request = open("GET", "/promo", &forwarded);
    request
        .headers_mut()
        .insert("host", "inside".parse().unwrap());
    assert_eq!(instance.call(request).await.status, 404);
    let absolute = open("GET", "http://go.example/promo", &[("host", "other")]);
    assert_eq!(instance.call(absolute).await.status, 302);
}

#[tokio::test]
async fn other_paths_and_unknown_codes_are_404_without_a_click() {
    let instance = instance();
    for path in ["/unknown", "/promo/x", "/.well-known/other", "/@promo"] {
        let (answer, events) = opened(&instance, "GET", path, &[]).await;
        assert_eq!((answer.status, events.len()), (404, 0), "{path}");
        assert_eq!(answer.header("location"), None);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
    assert_eq!(instance.redirects.outcomes().count(Outcome::Unknown), 1);
}

#[tokio::test]
async fn other_methods_are_405_and_are_told_which_are_allowed() {
    let instance = instance();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let (answer, events) = opened(&instance, method, "/promo", &[]).await;
        assert_eq!((answer.status, events.len()), (405, 0), "{method}");
        assert_eq!(answer.header("allow"), Some("GET,HEAD"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.header("location"), None);
    }
}

#[tokio::test]
async fn head_is_answered_as_get_and_mints_no_click_id() {
    let instance = instance();
    let (get, _) = opened(&instance, "GET", "/promo", &[]).await;
    let (head, events) = opened(&instance, "HEAD", "/promo", &[]).await;
    assert_eq!((head.status, &head.body), (302, &String::new()));
    for name in ["location", "cache-control"] {
        assert_eq!(head.header(name), get.header(name));
    }
    assert_eq!(events[0]["body"]["bot_reason"], "head");
    assert_eq!(events[0]["body"]["click_id"], Value::Null);
    assert_eq!(instance.redirects.outcomes().count(Outcome::Bot), 1);
}

#[tokio::test]
async fn a_request_ahead_of_the_click_is_answered_503_and_the_click_counts() {
    let instance = instance();
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ] {
        let (answer, events) = opened(&instance, "GET", "/promo", &[(name, value)]).await;
        assert_eq!(answer.status, 503, "{name}: {value}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.header("location"), None);
        assert_eq!(events[0]["body"]["bot_reason"], "prefetch");
        assert_eq!(events[0]["body"]["click_id"], Value::Null);
    }
    let (answer, events) = opened(&instance, "GET", "/promo", &[("sec-purpose", "")]).await;
    assert_eq!(answer.status, 302);
    assert_eq!(events[0]["body"]["bot_reason"], Value::Null);
}

#[tokio::test]
async fn machines_are_redirected_and_recorded_with_the_reason() {
    let instance = instance();
    for (agent, path, reason) in [
        (IMESSAGE, "/promo", Some("preview")),
        ("TelegramBot (like TwitterBot)", "/promo", Some("preview")),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "/promo",
            Some("agent"),
        ),
        (
            "Pinterest/0.2 (+https://www.pinterest.com/bot.html)",
            "/promo",
            None,
        ),
        ("curl/8.5.0", "/promo", Some("agent")),
        ("", "/promo", Some("no_agent")),
        (BROWSER, "/promo?bot", Some("parameter")),
        (BROWSER, "/promo?bot=1", Some("parameter")),
        (BROWSER, "/promo?bot=0", None),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
            "/promo",
            None,
        ),
    ] {
        let (answer, events) = opened(&instance, "GET", path, &[("user-agent", agent)]).await;
        assert_eq!(answer.status, 302, "{agent}");
        let found = events[0]["body"]["bot_reason"].as_str();
        if agent.starts_with("Pinterest/0.2") {
            // A crawler for previews; only that it is a machine's matters.
            assert!(matches!(found, Some("preview" | "agent")), "{found:?}");
        } else {
            assert_eq!(found, reason, "{agent} {path}");
        }
    }
}

#[tokio::test]
async fn a_request_may_ask_for_no_record_or_for_no_visitor() {
    let instance = instance();
    for (path, headers) in [
        ("/promo?no-track", &[][..]),
        ("/promo?a=1&no-track=1", &[]),
        ("/promo", &[("x-no-track", "1")]),
    ] {
        let (answer, events) = opened(&instance, "GET", path, headers).await;
        assert_eq!((answer.status, events.len()), (302, 0), "{path}");
    }
    assert_eq!(instance.redirects.outcomes().count(Outcome::Untracked), 3);
    for header in [("sec-gpc", "1"), ("dnt", "1")] {
        let (answer, events) = opened(&instance, "GET", "/promo", &[header]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(events[0]["visitor"], Value::Null, "{header:?}");
        assert_eq!(events[0]["body"]["bot_reason"], Value::Null);
    }
    let (_, events) = opened(&instance, "GET", "/promo", &[("dnt", "0")]).await;
    assert!(events[0]["visitor"]["hash"].is_string());
}

#[tokio::test]
async fn a_changed_and_a_deleted_link_take_effect_with_their_entries() {
    let instance = instance();
    let directory = Arc::clone(instance.intake.directory());
    let location = async || {
        let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
        let location = answer.header("location").map(str::to_owned);
        (answer.status, location)
    };
    directory.apply(link("Promo", "https://other.example/", 3));
    assert_eq!(
        location().await,
        (302, Some("https://other.example/".to_owned()))
    );
    // An older entry that arrives late changes nothing.
    directory.apply(link("Promo", DESTINATION, 2));
    assert_eq!(
        location().await.1.as_deref(),
        Some("https://other.example/")
    );
    let Entry::Link(entry) = link("Promo", DESTINATION, 4) else {
        panic!("a link")
    };
    directory.apply(Entry::Link(Box::new(Link {
        deleted: true,
        ..*entry
    })));
    assert_eq!(location().await, (404, None));
    // Restored.
    directory.apply(link("Promo", DESTINATION, 5));
    assert_eq!(location().await, (302, Some(DESTINATION.to_owned())));
}

#[tokio::test]
async fn the_answer_does_not_wait_for_the_log_and_a_lost_click_is_counted() {
    let instance = instance();
    let go = Arc::new(Notify::new());
    instance.sink.set(Mode::Hold(Arc::clone(&go)));
    let answer = instance.call(open("GET", "/promo", &[])).await;
    assert_eq!(answer.status, 302);
    instance.sink.entered.notified().await;
    let clicks = instance.redirects.outcomes();
    assert_eq!(clicks.count(Outcome::Recorded), 0);
    go.notify_one();
    instance.intake.finish_deliveries().await;
    assert_eq!(clicks.count(Outcome::Recorded), 1);
    instance.sink.set(Mode::Fail);
    let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!((answer.status, clicks.count(Outcome::Lost)), (302, 1));
}
