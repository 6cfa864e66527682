//! The gates of short links through the router: every combination of them, limits, modes, pages
//! and hosts.

use super::{
    kit::*,
    redirect::{LINK, open, opened},
};
use crate::redirect::Outcome;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version, password_hash::SaltString};
use axum::{body::Body, http::Request};
use futures::future::join_all;
use jiff::SignedDuration;
use runtime::http::Peer;
use schemas::{
    AppId, QrId, WorkspaceId, WorkspaceNo,
    directory::{
        App, DeepLink, Domain, Entry, Link, LinkSettings, Platform, Preview, QrCode, RedirectMode,
        RedirectStatus, Workspace,
    },
};
use serde_json::Value;
use uuid::Uuid;

pub const TO: &str = "https://shop.example/x?a=%2B";
pub const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
pub const TELEGRAM: (&str, &str) = ("user-agent", "TelegramBot (like TwitterBot)");
pub const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";

pub fn entry(settings: LinkSettings) -> Link {
    Link {
        link_id: LINK,
        workspace_no: WORKSPACE_NO,
        destination: TO.to_owned(),
        short_code: "promo".to_owned(),
        host: None,
        settings,
        deleted: false,
        row_version: 1,
    }
}

pub fn instance(settings: LinkSettings) -> Instance {
    let instance = Instance::new();
    let link = Entry::Link(Box::new(entry(settings)));
    instance.intake.directory().apply(link);
    instance
}

/// A cheap hash of a password, so that tests take no seconds.
pub fn hashed(password: &str) -> String {
    let cheap = Params::new(8, 1, 1, None).unwrap();
    let salt = SaltString::encode_b64(b"0123456789abcdef").unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cheap);
    let hash = argon2.hash_password(password.as_bytes(), &salt).unwrap();
    hash.to_string()
}

pub fn from(last: u16, mut request: Request<Body>) -> Request<Body> {
    let [high, low] = last.to_be_bytes();
    let peer = Peer(([81, 2, high, low], 4711).into());
    request.extensions_mut().insert(peer);
    request
}

/// Every combination of the gates has the answer of the first one that is shut.
#[tokio::test]
async fn every_combination_of_gates_is_answered_by_the_first_that_is_shut() {
    for bits in 0..=u8::MAX {
        let is = |bit: u8| bits & (1 << bit) != 0;
        let settings = LinkSettings {
            disabled: is(0),
            archived: is(7),
            expires_at: is(1).then(start_time),
            clicks_limit: is(2).then_some(0),
            password_hash: is(3).then(|| hashed("secret")),
            preview: is(4).then(|| Preview {
                title: Some("Mine".to_owned()),
                ..Preview::default()
            }),
            mode: if is(5) {
                RedirectMode::RuleOnly
            } else {
                RedirectMode::Auto
            },
            redirect_delay_ms: if is(6) { 1_500 } else { 0 },
            ..LinkSettings::default()
        };
        let is_machine = is(4);
        let instance = instance(settings);
        let agent = is_machine.then_some(TELEGRAM);
        let headers: Vec<_> = [HTML].into_iter().chain(agent).collect();
        let (answer, events) = opened(&instance, "GET", "/promo", &headers).await;
        let expected = if is(0) || is(7) || is(1) || is(2) {
            (410, 0)
        } else if is(3) {
            (200, 0)
        } else if is(4) {
            (200, 1)
        } else if is(5) {
            (404, 0)
        } else if is(6) {
            (200, 1)
        } else {
            (302, 1)
        };
        assert_eq!((answer.status, events.len()), expected, "{bits:b}");
        assert_eq!(answer.header("location").is_some(), answer.status == 302);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        if is(3) && answer.status == 200 {
            assert!(
                !answer.body.contains("shop.example"),
                "the password page tells nothing"
            );
        }
    }
}

#[tokio::test]
async fn a_closed_link_says_so_to_people_and_to_programs() {
    let instance = instance(LinkSettings {
        disabled: true,
        title: Some("<b>Ada's</b> sale".to_owned()),
        ..LinkSettings::default()
    });
    let (page, _) = opened(&instance, "GET", "/promo?qr=x", &[HTML]).await;
    assert_eq!(page.status, 410);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        !page.body.contains("<b>Ada") && page.body.contains("sale"),
        "{}",
        page.body
    );
    let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!(answer.status, 410);
    assert_eq!(answer.json()["errors"][0]["code"], "EN002");
    let (page, _) = opened(&instance, "GET", "/unknown", &[HTML]).await;
    assert_eq!((page.status, page.body.contains("<h1>")), (404, true));
    assert_eq!(instance.redirects.outcomes().count(Outcome::Closed), 2);
}

/// No parameter, header, method or spelling has a way around the gates.
#[tokio::test]
async fn no_special_form_of_a_request_opens_a_closed_link() {
    let closed: [fn(&mut LinkSettings); 4] = [
        |given| given.disabled = true,
        |given| given.archived = true,
        |given| given.expires_at = Some(start_time()),
        |given| given.clicks_limit = Some(0),
    ];
    for (number, close) in closed.into_iter().enumerate() {
        let mut settings = LinkSettings {
            title: Some("Ada & Co".to_owned()),
            preview: Some(Preview {
                title: Some("Mine".to_owned()),
                ..Preview::default()
            }),
            deep_links: vec![DeepLink {
                platform: Platform::Android,
                url: "myapp://p/1".to_owned(),
                fallback: Some("https://shop.example/get".to_owned()),
                package: None,
                app_id: None,
            }],
            qr_codes: vec![QrCode {
                qr_id: QrId(Uuid::from_u128(5)),
                code: "poster".to_owned(),
            }],
            password_hash: Some(hashed("secret")),
            ..LinkSettings::default()
        };
        close(&mut settings);
        let instance = instance(settings);
        for (method, path, header) in [
            ("GET", "/promo?qr=poster", HTML),
            ("GET", "/promo?bot=1", HTML),
            ("GET", "/promo?no-track", HTML),
            ("GET", "/PROMO/", HTML),
            ("GET", "/promo).", HTML),
            ("HEAD", "/promo", HTML),
            ("GET", "/promo", TELEGRAM),
            ("GET", "/promo", ("user-agent", ANDROID)),
            ("GET", "/promo", ("sec-purpose", "prefetch")),
            ("GET", "/promo", ("x-no-track", "1")),
            ("GET", "/promo?password=secret", HTML),
            ("POST", "/promo?qr=poster", HTML),
        ] {
            let mut request = open(method, path, &[header]);
            if method == "POST" {
                *request.body_mut() = Body::from("password=secret");
            }
            let answer = instance.call(request).await;
            assert_eq!(answer.status, 410, "{number} {method} {path} {header:?}");
            assert_eq!(answer.header("location"), None);
            assert_eq!(answer.header("cache-control"), Some("private, no-store"));
            assert!(!answer.body.contains("shop.example") && !answer.body.contains("myapp"));
        }
        instance.intake.finish_deliveries().await;
        assert_eq!(instance.sink.take().len(), 0);
        let page = instance.call(open("GET", "/promo", &[HTML])).await;
        assert!(page.body.contains("Ada &#38; Co"), "{}", page.body);
        let word = ["switched this", "archived", "is over", "all the visits"][number];
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
}

#[tokio::test]
async fn an_expired_link_is_closed_from_the_instant_on() {
    let instance = instance(LinkSettings {
        expires_at: Some(start_time() + SignedDuration::from_secs(1)),
        ..LinkSettings::default()
    });
    let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!(answer.status, 302);
    instance.clock.advance(SignedDuration::from_secs(1));
    let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!(answer.status, 410);
}

#[tokio::test]
async fn a_limit_is_taken_by_people_only_and_once_an_hour() {
    let instance = instance(LinkSettings {
        clicks_limit: Some(2),
        ..LinkSettings::default()
    });
    let status = async |last: u16, headers: &[(&str, &str)], method: &str| {
        let request = from(last, open(method, "/promo?no-track", headers));
        instance.call(request).await.status
    };
    assert_eq!(status(1, &[TELEGRAM], "GET").await, 302);
    assert_eq!(status(1, &[], "HEAD").await, 302);
    assert_eq!(status(1, &[("sec-purpose", "prefetch")], "GET").await, 503);
    for _ in 0..3 {
        assert_eq!(status(1, &[], "GET").await, 302, "a repeat takes none");
    }
    assert_eq!(status(2, &[], "GET").await, 302);
    assert_eq!(status(3, &[], "GET").await, 410);
    assert_eq!(status(4, &[TELEGRAM], "GET").await, 410);
    instance.intake.finish_deliveries().await;
    // A link with a limit ignores `no-track`: the bot, HEAD, the prefetch, and four clicks.
    assert_eq!(instance.sink.take().len(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_visitors_at_once_50_pass_a_limit_of_50() {
    let instance = instance(LinkSettings {
        clicks_limit: Some(50),
        ..LinkSettings::default()
    });
    let calls =
        (0..500).map(|last| tokio::spawn(instance.call(from(last, open("GET", "/promo", &[])))));
    let answers = join_all(calls).await;
    let passed = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap().status == 302);
    assert_eq!(passed.count(), 50);
    instance.intake.finish_deliveries().await;
    assert_eq!(instance.sink.take().len(), 50);
}

#[tokio::test]
async fn a_preview_shows_the_owners_texts_and_otherwise_the_destination() {
    let preview = Preview {
        title: Some("Sale \"now\"".to_owned()),
        description: Some("<script>".to_owned()),
        image_url: Some("https://img.example/a.png".to_owned()),
    };
    let instance = instance(LinkSettings {
        preview: Some(preview),
        ..LinkSettings::default()
    });
    let (page, events) = opened(&instance, "GET", "/PROMO", &[TELEGRAM]).await;
    assert_eq!((page.status, page.header("location")), (200, None));
    assert_eq!(page.header("x-robots-tag"), Some("noindex"));
    let at = page.body.find("og:title").unwrap();
    assert!(at < 300, "crawlers read the first bytes only");
    assert!(
        page.body
            .contains("og:url\" content=\"https://go.example/promo\""),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<script>") && !page.body.contains("http-equiv"));
    assert_eq!(events[0]["body"]["bot_reason"], "preview");
    let (answer, events) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!(
        (answer.status, &events[0]["body"]["bot_reason"]),
        (302, &Value::Null)
    );
}

#[tokio::test]
async fn modes_and_statuses_decide_the_answer_and_every_one_is_kept_nowhere() {
    for (status, expected) in [
        (RedirectStatus::MovedPermanently, 301),
        (RedirectStatus::Found, 302),
        (RedirectStatus::TemporaryRedirect, 307),
        (RedirectStatus::PermanentRedirect, 308),
    ] {
        let instance = instance(LinkSettings {
            status,
            ..LinkSettings::default()
        });
        let (answer, _) = opened(&instance, "GET", "/promo", &[]).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (expected, Some(TO))
        );
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
    let never = instance(LinkSettings {
        mode: RedirectMode::Never,
        ..LinkSettings::default()
    });
    let (answer, events) = opened(&never, "GET", "/promo", &[]).await;
    assert_eq!((answer.status, events.len()), (204, 1));
    assert_eq!(answer.header("location"), None);
}

#[tokio::test]
async fn a_delay_is_a_page_with_the_way_on_it_but_not_for_machines() {
    let instance = instance(LinkSettings {
        redirect_delay_ms: 1_500,
        ..LinkSettings::default()
    });
    let (page, events) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!((page.status, events.len()), (200, 1));
    assert!(
        page.body
            .contains("http-equiv=\"refresh\" content=\"2;url=https://shop.example/x?a=%2B\""),
        "{}",
        page.body
    );
    assert!(
        page.body
            .contains("<a href=\"https://shop.example/x?a=%2B\"")
    );
    let (answer, _) = opened(&instance, "GET", "/promo", &[TELEGRAM]).await;
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn a_deep_link_opens_the_app_of_the_device() {
    let app = |platform, url: &str| DeepLink {
        platform,
        url: url.to_owned(),
        fallback: None,
        package: None,
        app_id: None,
    };
    let instance = instance(LinkSettings {
        deep_links: vec![
            app(Platform::Ios, "myapp://p/1?x=A%20%2B"),
            app(Platform::Android, "myapp://p/1"),
        ],
        ..LinkSettings::default()
    });
    let (page, events) = opened(&instance, "GET", "/promo", &[]).await;
    assert_eq!(
        (page.status, &events[0]["body"]["trigger"]),
        (200, &"deeplink".into())
    );
    assert!(
        page.body.contains("href=\"myapp://p/1?x=A%20%2B\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("href=\"https://shop.example/x?a=%2B\""));
    let ipad = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
    let (page, _) = opened(&instance, "GET", "/promo", &[("user-agent", ipad)]).await;
    assert!(page.body.contains("href=\"myapp://p/1"), "{}", page.body);
    let (answer, _) = opened(&instance, "GET", "/promo", &[("user-agent", ANDROID)]).await;
    let intent = "intent://p/1#Intent;scheme=myapp;S.browser_fallback_url=https%3A%2F%2Fshop.example%2Fx%3Fa%3D%252B;end";
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some(intent))
    );
    for agent in [
        "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    ] {
        let (answer, _) = opened(&instance, "GET", "/promo", &[("user-agent", agent)]).await;
        assert_eq!(answer.header("location"), Some(TO), "{agent}");
    }
}

fn domain(verified: bool, row_version: i64) -> Entry {
    Entry::Domain(Domain {
        host: "s.example".to_owned(),
        workspace_no: WorkspaceNo(77),
        verified,
        deleted: false,
        row_version,
    })
}

#[tokio::test]
async fn a_domain_serves_links_of_its_tenant_once_it_is_verified() {
    let instance = Instance::new();
    let directory = instance.intake.directory();
    directory.apply(Entry::Workspace(Workspace {
        workspace_no: WorkspaceNo(77),
        workspace_id: WorkspaceId(Uuid::from_u128(77)),
        deleted: false,
        row_version: 1,
    }));
    let link = |id: u128, workspace: WorkspaceNo, destination: &str| {
        Entry::Link(Box::new(Link {
            link_id: schemas::LinkId(Uuid::from_u128(id)),
            workspace_no: workspace,
            destination: destination.to_owned(),
            host: Some("s.example".to_owned()),
            ..entry(LinkSettings::default())
        }))
    };
    // A foreign link with a lower id must not hide the tenant's own.
    directory.apply(link(1, WORKSPACE_NO, "https://foreign.example/"));
    directory.apply(link(2, WorkspaceNo(77), "https://own.example/"));
    let call = async |path: &str| {
        let request = open("GET", path, &[]);
        let (mut parts, body) = request.into_parts();
        parts
            .headers
            .insert("host", "S.Example.:443".parse().unwrap());
        instance.call(Request::from_parts(parts, body)).await
    };
    assert_eq!(call("/promo").await.status, 404);
    directory.apply(domain(false, 1));
    assert_eq!(call("/promo").await.status, 404);
    assert_eq!(call("/robots.txt").await.status, 404);
    directory.apply(domain(true, 2));
    let answer = call("/promo").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (302, Some("https://own.example/"))
    );
    assert_eq!(call("/robots.txt").await.body, "User-agent: *\nAllow: /\n");
    assert_eq!(call("/favicon.ico").await.status, 204);
    let app = |id: u128, platform, team_id: Option<&str>| {
        Entry::App(App {
            app_id: AppId(Uuid::from_u128(id)),
            workspace_no: WorkspaceNo(77),
            platform,
            package: "com.example.shop".to_owned(),
            team_id: team_id.map(str::to_owned),
            fingerprints: vec!["AA:BB".to_owned()],
            store_url: None,
            deleted: false,
            row_version: 1,
        })
    };
    directory.apply(app(1, Platform::Ios, Some("TEAM")));
    directory.apply(app(2, Platform::Android, None));
    let apple = call("/.well-known/apple-app-site-association").await;
    assert_eq!(
        (apple.status, apple.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(
        apple.json()["applinks"]["details"][0]["appIDs"][0],
        "TEAM.com.example.shop"
    );
    let android = call("/.well-known/assetlinks.json").await;
    assert_eq!(
        android.json()[0]["target"]["package_name"],
        "com.example.shop"
    );
    // The host that all tenants share lists no apps.
    let shared = instance
        .call(open("GET", "/.well-known/assetlinks.json", &[]))
        .await;
    assert_eq!(
        (shared.status, shared.json()),
        (200, Value::Array(Vec::new()))
    );
}
