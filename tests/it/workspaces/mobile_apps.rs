//! Mobile apps: the files that name them to phones, the links that open in them, and what a change of
//! an app leaves behind.

use super::{
    domains::{add, prove, start, verify},
    objects::{audit, make_app, make_key, refusal},
};
use crate::{
    clicks::{open, until_answered},
    link_changes::directory,
};
use kit::{Answer, Creator, System, SystemBuilder, system::PATIENCE};
use schemas::directory::Entry;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

const LIST: &str = "/api/mobile-apps";
const OWN_HOST: &str = "footfall.test";
const TO: &str = "https://shop.example/x";
const STORE: &str = "https://store.example/shop";
const APPLE: &str = "/.well-known/apple-app-site-association";
const GOOGLE: &str = "/.well-known/assetlinks.json";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36";

const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

/// An owner of apps.
struct Owner<'a> {
    system: &'a System,
    creator: &'a Creator,
}

impl Owner<'_> {
    async fn create(&self, body: &Value) -> Answer {
        let client = &self.system.client;
        client.post_as(&self.creator.token, LIST, body).await
    }

    async fn change(&self, id: Uuid, body: &Value) -> Answer {
        let path = format!("{LIST}/{id}");
        let client = &self.system.client;
        client.patch_as(&self.creator.token, &path, body).await
    }

    async fn delete(&self, id: Uuid) {
        let path = format!("{LIST}/{id}");
        let client = &self.system.client;
        client
            .delete_as(&self.creator.token, &path)
            .await
            .assert_ok();
    }

    /// Saves a link on the events API, and returns its id.
    async fn save(&self, body: &Value) -> Uuid {
        let answer = self.try_save(body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let id = answer.json()["response"]["id"].as_str().unwrap().to_owned();
        id.strip_prefix("url_").unwrap().parse().unwrap()
    }

    async fn try_save(&self, body: &Value) -> Answer {
        let client = &self.system.client;
        let (_, key) = make_key(client, &self.creator.token, &["links:write"]).await;
        let path = "/link/external/v1/shortenedUrl/save";
        let request = client.request(reqwest::Method::POST, path).json(body);
        client.send(request.header("X-API-KEY", key)).await
    }
}

/// Asks until the answer is as expected. Instances learn of a change within a moment, and send no
/// notification.
async fn until(
    system: &System,
    (host, path, agent): (&str, &str, &str),
    expected: impl Fn(&Answer) -> bool,
) {
    let begun = Instant::now();
    loop {
        let answer = open(&system.client, host, path, &[("user-agent", agent)]).await;
        if expected(&answer) {
            return;
        }
        let (headers, text) = (&answer.headers, &answer.text);
        assert!(begun.elapsed() < PATIENCE, "{path}: {headers:?} {text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether an iPhone gets the page that tries this address, and then opens the fallback.
fn tries<'a>(url: &'a str, fallback: &'a str) -> impl Fn(&Answer) -> bool + 'a {
    move |answer| {
        let has = |url: &str| answer.text.contains(&format!("href=\"{url}\""));
        answer.status == 200 && has(url) && has(fallback)
    }
}

fn leads_to(location: &str) -> impl Fn(&Answer) -> bool + '_ {
    move |answer| {
        let given = answer.headers.get("location");
        given.is_some_and(|given| given == location)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_name_an_app_and_links_open_in_it_until_it_is_deleted() {
    let (system, dns) = start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let ada = Owner {
        system: &system,
        creator: &creator,
    };
    let domain = add(&system, &creator, "go.example").await;
    prove(&dns, &domain);
    verify(&system, &creator, &domain).await.assert_ok();
    let ios = json!({
        "platform": "ios", "packageId": "com.example.Shop", "teamId": "A1B2C3D4E5", "storeUrl": STORE,
    });
    let ios = ada.create(&ios).await;
    assert_eq!(ios.status, 201, "{}", ios.text);
    let shown = ios.data();
    assert_eq!(
        (&shown["name"], &shown["warnings"]),
        (&json!("com.example.Shop"), &json!([]))
    );
    let fingerprint = ["ab"; 32].join(":");
    let android = json!({
        "platform": "android", "packageId": "com.example.shop", "fingerprints": [fingerprint],
    });
    let android = ada.create(&android).await.id();
    let ios = ios.id();

    let apple = json!({"applinks": {"details": [
        {"appIDs": ["A1B2C3D4E5.com.example.Shop"], "components": [{"/": "/*"}]},
    ]}});
    let google = json!([{
        "relation": ["delegate_permission/common.handle_all_urls"],
        "target": {
            "namespace": "android_app", "package_name": "com.example.shop",
            "sha256_cert_fingerprints": [fingerprint.to_ascii_uppercase()],
        },
    }]);
    let is_now = |expected: Value| move |answer: &Answer| answer.json() == expected;
    until(&system, ("go.example", APPLE, IPHONE), is_now(apple)).await;
    until(&system, ("go.example", GOOGLE, ANDROID), is_now(google)).await;
    // All workspaces share this host, so it names the app of none.
    let none = json!({"applinks": {"details": []}});
    until(&system, (OWN_HOST, APPLE, IPHONE), is_now(none.clone())).await;

    let in_app = |id: Uuid| json!({"mobileAppId": id, "deeplinkUrl": "myapp://p/1", "fallbackUrl": "https://shop.example/get"});
    let mut on_android = in_app(android);
    on_android["fallbackEnabled"] = json!(true);
    let link = ada
        .save(&json!({"url": TO, "shortCode": "promo", "deepLinks": [in_app(ios), on_android]}))
        .await;
    until_answered(client, OWN_HOST, "promo", 302).await;
    let on_iphone = (OWN_HOST, "/promo", IPHONE);
    let on_android = (OWN_HOST, "/promo", ANDROID);
    // Its fallback is off, so the store of the app comes next.
    until(&system, on_iphone, tries("myapp://p/1", STORE)).await;
    let intent = "intent://p/1#Intent;scheme=myapp;package=com.example.shop;S.browser_fallback_url=https%3A%2F%2Fshop.example%2Fget;end";
    until(&system, on_android, leads_to(intent)).await;

    // An address of the link itself comes before that in an app, and the owner learns of it.
    let path = format!("/api/links/{link}");
    let change = async |body: Value| {
        let answer = client.patch_as(&creator.token, &path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.data()
    };
    let both = change(json!({"deepLinkEnabled": true, "deepLinkIos": "own://p"})).await;
    let warning = both["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("deepLinkIos is used"), "{warning}");
    assert_eq!(both["appLinks"][1]["platform"], "android");
    until(&system, on_iphone, tries("own://p", TO)).await;
    let off = change(json!({"deepLinkEnabled": false})).await;
    assert_eq!(off["warnings"], json!([]));
    until(&system, on_iphone, tries("myapp://p/1", STORE)).await;

    // Changes of the apps apply without a change of the link.
    let version = "SELECT row_version FROM links WHERE id = $1";
    let version = async || {
        let version = sqlx::query_scalar(version).bind(link);
        let version: i64 = version.fetch_one(&system.main).await.unwrap();
        version
    };
    let before = version().await;
    ada.change(ios, &json!({"storeUrl": null}))
        .await
        .assert_ok();
    until(&system, on_iphone, tries("myapp://p/1", TO)).await;
    let renamed = json!({"packageId": "com.example.other"});
    ada.change(android, &renamed).await.assert_ok();
    let intent = intent.replace("com.example.shop", "com.example.other");
    until(&system, on_android, leads_to(&intent)).await;
    ada.delete(ios).await;
    until(&system, on_iphone, leads_to(TO)).await;
    until(&system, ("go.example", APPLE, IPHONE), is_now(none)).await;
    ada.delete(android).await;
    until(&system, on_android, leads_to(TO)).await;
    until(&system, ("go.example", GOOGLE, ANDROID), is_now(json!([]))).await;
    assert_eq!(version().await, before);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_app_opens_links_on_desktops_and_has_an_address_in_place_of_a_package() {
    let (system, dns) = start().await;
    let creator = system.client.creator("ada").await;
    let ada = Owner {
        system: &system,
        creator: &creator,
    };
    let domain = add(&system, &creator, "go.example").await;
    prove(&dns, &domain);
    verify(&system, &creator, &domain).await.assert_ok();
    let invalid = (400, "VALIDATION_ERROR".to_owned());
    for more in [
        json!({}),
        json!({"packageId": "com.example.shop", "storeUrl": "https://web.example/"}),
        json!({"storeUrl": "javascript:alert(1)"}),
        json!({"storeUrl": "https://go.example/promo"}),
    ] {
        let mut body = more.clone();
        body["platform"] = json!("web");
        assert_eq!(refusal(&ada.create(&body).await), invalid, "{more}");
    }
    let body = json!({"platform": "web", "storeUrl": "https://web.example/"});
    let made = ada.create(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (web, shown) = (made.id(), made.data());
    assert_eq!(shown["name"], "web.example");
    assert_eq!(shown["packageId"], Value::Null);
    assert_eq!(shown["warnings"], json!([]));
    // It has no package, so another one with the same address is another app.
    assert_eq!(ada.create(&body).await.status, 201);
    let ios = make_app(&system.client, &creator.token, "ios", "com.example.shop").await;

    let save = async |deep_links: Value| {
        let body = json!({"url": TO, "shortCode": "promotion", "deepLinks": deep_links});
        ada.try_save(&body).await
    };
    for wrong in [
        json!([{"mobileAppId": web, "deeplinkUrl": "myapp://p/1"}]),
        json!([{"mobileAppId": web, "deeplinkUrl": "javascript:alert(1)"}]),
        json!([{"mobileAppId": web, "deeplinkUrl": "https://footfall.test/promotion"}]),
        // Only a web app has an address of its own.
        json!([{"mobileAppId": ios}]),
    ] {
        let refused = save(wrong.clone()).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
        assert!(
            refused.text.contains("deepLinks[0].deeplinkUrl"),
            "{}",
            refused.text
        );
    }
    let on_windows = (OWN_HOST, "/promotion", WINDOWS);
    let on_android = (OWN_HOST, "/promotion", ANDROID);
    let on_iphone = (OWN_HOST, "/promotion", IPHONE);
    let in_ios = json!({"mobileAppId": ios, "deeplinkUrl": "myapp://p/1"});
    for (entry, expected) in [
        (json!({"mobileAppId": web}), "https://web.example/"),
        (
            json!({"mobileAppId": web, "fallbackUrl": "https://shop.example/get", "fallbackEnabled": true}),
            "https://shop.example/get",
        ),
        (
            json!({"mobileAppId": web, "deeplinkUrl": "https://web.example/p/1"}),
            "https://web.example/p/1",
        ),
    ] {
        let saved = save(json!([in_ios, entry])).await;
        assert_eq!(saved.status, 200, "{}", saved.text);
        until(&system, on_windows, leads_to(expected)).await;
        until(&system, on_iphone, tries("myapp://p/1", TO)).await;
        until(&system, on_android, leads_to(TO)).await;
    }
    // A change of the app applies, and its address cannot be taken from it.
    let saved = save(json!([{"mobileAppId": web}])).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    let moved = json!({"storeUrl": "http://web.example/next"});
    ada.change(web, &moved).await.assert_ok();
    until(&system, on_windows, leads_to("http://web.example/next")).await;
    let cleared = ada.change(web, &json!({"storeUrl": null})).await;
    assert_eq!(refusal(&cleared), invalid);
    ada.delete(web).await;
    until(&system, on_windows, leads_to(TO)).await;
    // No file for phones names it.
    let none = json!({"applinks": {"details": []}});
    until(&system, ("go.example", APPLE, IPHONE), |answer| {
        answer.json() == none
    })
    .await;
    system.finish().await;
}

/// The newest entry of each app and link.
async fn entries(system: &System) -> BTreeMap<String, Entry> {
    let all = directory(system).await.into_iter();
    all.filter(|entry| matches!(entry, Entry::App(_) | Entry::Link(_)))
        .map(|entry| (entry.key(), entry))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_directory_says_the_same_about_apps_and_links() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let ada = Owner {
        system: &system,
        creator: &creator,
    };
    let body = json!({
        "platform": "android", "packageId": "com.example.shop", "fingerprints": [(["AB"; 32].join(":"))],
        "storeUrl": STORE,
    });
    let android = ada.create(&body).await.id();
    let token = &creator.token;
    let ios = make_app(&system.client, token, "ios", "com.example.shop").await;
    let web = json!({"platform": "web", "storeUrl": "https://web.example/"});
    let web = ada.create(&web).await.id();
    let in_app = |id: Uuid| json!({"mobileAppId": id, "deeplinkUrl": "myapp://p/1"});
    let in_web = json!({"mobileAppId": web});
    ada.save(&json!({"url": TO, "deepLinks": [in_app(android), in_app(ios), in_web]}))
        .await;
    let team = json!({"teamId": "A1B2C3D4E5"});
    ada.change(ios, &team).await.assert_ok();
    ada.delete(ios).await;
    let before = entries(&system).await;
    assert_eq!(before.len(), 4);
    let (mut log, databases) = system.stop().await;
    log.replace().await;
    let system = SystemBuilder::default()
        .log(log)
        .databases(databases)
        .seed(1_000_000)
        .start()
        .await;
    assert_eq!(entries(&system).await, before);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_unique_on_its_platform_and_each_change_leaves_one_trace() {
    let system = System::start().await;
    let client = &system.client;
    let creator = client.creator("ada").await;
    let eve = client.creator("eve").await;
    let ada = Owner {
        system: &system,
        creator: &creator,
    };
    let package = "com.example.shop";
    let ios = make_app(client, &creator.token, "ios", package).await;
    make_app(client, &eve.token, "ios", package).await;
    // Apps are listed in the order of their creation.
    system.clock.advance(jiff::SignedDuration::from_secs(1));
    let android = make_app(client, &creator.token, "android", package).await;
    let taken = (409, "CONFLICT".to_owned());
    let same = json!({"platform": "ios", "packageId": package});
    assert_eq!(refusal(&ada.create(&same).await), taken);
    let listed = client.get_as(&creator.token, LIST).await;
    assert_eq!(listed.json()["pagination"]["total"], 2);
    let ids: Vec<Value> = listed
        .data()
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["id"].clone())
        .collect();
    assert_eq!(ids, [json!(ios), json!(android)]);

    // A repeated change, and a refused one, leave no trace.
    let body = json!({"teamId": "A1B2C3D4E5", "name": "Shop"});
    for _ in 0..2 {
        let changed = ada.change(ios, &body).await;
        assert_eq!(changed.data()["teamId"], "A1B2C3D4E5", "{}", changed.text);
    }
    let invalid = (400, "VALIDATION_ERROR".to_owned());
    let refused = ada
        .change(android, &json!({"teamId": "A1B2C3D4E5", "name": "X"}))
        .await;
    assert_eq!(refusal(&refused), invalid);
    ada.delete(ios).await;
    let again = make_app(client, &creator.token, "ios", package).await;
    let renamed = json!({"packageId": "com.example.old"});
    ada.change(again, &renamed).await.assert_ok();
    let third = make_app(client, &creator.token, "ios", package).await;
    assert_eq!(refusal(&ada.change(again, &same).await), taken);
    assert_eq!(
        client.get_as(&eve.token, LIST).await.json()["pagination"]["total"],
        1
    );

    let traces: Vec<(String, Uuid)> = audit(&system, creator.workspace_id)
        .await
        .into_iter()
        .filter(|(action, ..)| action.starts_with("mobile_app."))
        .map(|(action, _, subject, _)| (action, subject))
        .collect();
    let expected = [
        ("mobile_app.created", ios),
        ("mobile_app.created", android),
        ("mobile_app.updated", ios),
        ("mobile_app.deleted", ios),
        ("mobile_app.created", again),
        ("mobile_app.updated", again),
        ("mobile_app.created", third),
    ];
    assert_eq!(traces, expected.map(|(action, id)| (action.to_owned(), id)));
    let published = directory(&system).await;
    let of_ios = published.iter().filter_map(|entry| match entry {
        Entry::App(app) if app.app_id.0 == ios => Some((app.row_version, app.deleted)),
        _ => None,
    });
    assert_eq!(
        of_ios.collect::<Vec<_>>(),
        [(1, false), (2, false), (3, true)]
    );
    system.finish().await;
}
