//! Links that open in apps of their workspace: ingest completes them with the entries of these apps.

use super::{
    kit::*,
    redirect::opened,
    redirect_gates::{ANDROID, TO, instance},
};
use schemas::{
    AppId, WorkspaceNo,
    directory::{App, DeepLink, Entry, LinkSettings, Platform},
};
use uuid::Uuid;

const STORE: &str = "https://store.example/shop";
const IOS: AppId = AppId(Uuid::from_u128(1));
const OTHER_IOS: AppId = AppId(Uuid::from_u128(2));
const ON_ANDROID: AppId = AppId(Uuid::from_u128(3));

fn in_app(app_id: AppId, platform: Platform, url: &str) -> DeepLink {
    DeepLink {
        platform,
        url: url.to_owned(),
        fallback: None,
        package: None,
        app_id: Some(app_id),
    }
}

fn app(app_id: AppId, platform: Platform) -> App {
    App {
        app_id,
        workspace_no: WORKSPACE_NO,
        platform,
        package: "com.example.shop".to_owned(),
        team_id: None,
        fingerprints: Vec::new(),
        store_url: Some(STORE.to_owned()),
        deleted: false,
        row_version: 1,
    }
}

fn linked(deep_links: Vec<DeepLink>) -> Instance {
    instance(LinkSettings {
        deep_links,
        ..LinkSettings::default()
    })
}

/// Opens the link on an iPhone: its destination, or the address in an app and the fallback.
async fn on_iphone(instance: &Instance) -> (Option<String>, String) {
    let (answer, _) = opened(instance, "GET", "/promo", &[]).await;
    if let Some(location) = answer.header("location") {
        return (None, location.to_owned());
    }
    let mut hrefs = answer.body.split("href=\"").skip(1);
    let mut href = || hrefs.next()?.split('"').next().map(str::to_owned);
    (href(), href().unwrap_or_default())
}

fn to_app(url: &str, fallback: &str) -> (Option<String>, String) {
    (Some(url.to_owned()), fallback.to_owned())
}

#[tokio::test]
async fn a_link_opens_an_app_of_its_workspace_while_the_app_exists() {
    let instance = linked(vec![
        in_app(IOS, Platform::Ios, "myapp://p/1"),
        in_app(ON_ANDROID, Platform::Android, "myapp://p/1"),
    ]);
    let directory = instance.intake.directory();
    let apply = |app: App| directory.apply(Entry::App(app));
    let web = (None, TO.to_owned());
    assert_eq!(on_iphone(&instance).await, web);
    // An app of another workspace with this id is none of the link's.
    apply(App {
        workspace_no: WorkspaceNo(77),
        ..app(IOS, Platform::Ios)
    });
    assert_eq!(on_iphone(&instance).await, web);
    apply(app(IOS, Platform::Ios));
    assert_eq!(on_iphone(&instance).await, to_app("myapp://p/1", STORE));
    // A change of the app applies without a new entry of the link.
    apply(App {
        store_url: None,
        row_version: 2,
        ..app(IOS, Platform::Ios)
    });
    assert_eq!(on_iphone(&instance).await, to_app("myapp://p/1", TO));
    apply(App {
        deleted: true,
        row_version: 3,
        ..app(IOS, Platform::Ios)
    });
    assert_eq!(on_iphone(&instance).await, web);

    apply(app(ON_ANDROID, Platform::Android));
    let (answer, _) = opened(&instance, "GET", "/promo", &[("user-agent", ANDROID)]).await;
    let intent = "intent://p/1#Intent;scheme=myapp;package=com.example.shop;S.browser_fallback_url=https%3A%2F%2Fstore.example%2Fshop;end";
    assert_eq!(answer.header("location"), Some(intent));
}

#[tokio::test]
async fn the_first_address_of_a_platform_with_a_usable_app_applies() {
    let mut own = in_app(IOS, Platform::Ios, "own://p");
    own.app_id = None;
    let mut with_fallback = in_app(OTHER_IOS, Platform::Ios, "second://p");
    with_fallback.fallback = Some("https://shop.example/get".to_owned());
    let in_apps = vec![in_app(IOS, Platform::Ios, "first://p"), with_fallback];
    let with_own = [vec![own], in_apps.clone()].concat();
    for (links, apps, expected) in [
        (&in_apps, vec![IOS, OTHER_IOS], to_app("first://p", STORE)),
        (
            &in_apps,
            vec![OTHER_IOS],
            to_app("second://p", "https://shop.example/get"),
        ),
        (&with_own, vec![IOS, OTHER_IOS], to_app("own://p", TO)),
        (&with_own, Vec::new(), to_app("own://p", TO)),
    ] {
        let instance = linked(links.clone());
        for id in apps {
            let entry = Entry::App(app(id, Platform::Ios));
            instance.intake.directory().apply(entry);
        }
        assert_eq!(on_iphone(&instance).await, expected);
    }
}

#[tokio::test]
async fn an_entry_of_an_app_that_cannot_be_served_opens_nothing() {
    let broken = |change: fn(&mut App)| {
        let mut app = app(IOS, Platform::Ios);
        change(&mut app);
        app
    };
    for app in [
        broken(|app| app.platform = Platform::Android),
        broken(|app| app.store_url = Some("javascript:alert(1)".to_owned())),
    ] {
        let instance = linked(vec![in_app(IOS, Platform::Ios, "myapp://p/1")]);
        instance.intake.directory().apply(Entry::App(app));
        assert_eq!(on_iphone(&instance).await, (None, TO.to_owned()));
    }
}

const WEB_APP: AppId = AppId(Uuid::from_u128(4));
const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

/// A web app at this address.
fn web_app(address: &str) -> App {
    App {
        package: String::new(),
        store_url: Some(address.to_owned()),
        ..app(WEB_APP, Platform::Web)
    }
}

#[tokio::test]
async fn a_web_app_opens_the_link_on_devices_that_are_neither_of_apple_nor_android() {
    const OWN: &str = "https://web.example/";
    const GET: &str = "https://shop.example/get";
    let entry = |url: &str, fallback: Option<&str>| DeepLink {
        fallback: fallback.map(str::to_owned),
        ..in_app(WEB_APP, Platform::Web, url)
    };
    for (entry, expected) in [
        (
            entry("https://web.example/p/1", Some(GET)),
            "https://web.example/p/1",
        ),
        (entry("", Some(GET)), GET),
        (entry("", None), OWN),
        // A scheme of an app says nothing to a browser.
        (entry("myapp://p/1", None), TO),
        (entry("javascript:alert(1)", None), TO),
    ] {
        let instance = linked(vec![in_app(IOS, Platform::Ios, "myapp://p/1"), entry]);
        let directory = instance.intake.directory();
        directory.apply(Entry::App(app(IOS, Platform::Ios)));
        let on_windows = async || {
            let agent = [("user-agent", WINDOWS)];
            let (answer, events) = opened(&instance, "GET", "/promo", &agent).await;
            assert_eq!(answer.status, 302);
            let event = &events[0]["body"];
            assert_eq!(event["destination"], answer.header("location").unwrap());
            let trigger = event["trigger"].as_str().unwrap().to_owned();
            (answer.header("location").unwrap().to_owned(), trigger)
        };
        // Nothing is known of the web app yet.
        assert_eq!(on_windows().await, (TO.to_owned(), "link".to_owned()));
        directory.apply(Entry::App(web_app(OWN)));
        let trigger = if expected == TO { "link" } else { "deeplink" };
        assert_eq!(
            on_windows().await,
            (expected.to_owned(), trigger.to_owned())
        );
        // Phones have their own entry, or none.
        assert_eq!(on_iphone(&instance).await, to_app("myapp://p/1", STORE));
        for agent in [ANDROID, "Twitterbot/1.0"] {
            let (answer, _) = opened(&instance, "GET", "/promo", &[("user-agent", agent)]).await;
            assert_eq!(answer.header("location"), Some(TO), "{agent}");
        }
    }
}

#[tokio::test]
async fn parameters_go_to_a_web_app_as_to_any_destination() {
    let instance = instance(LinkSettings {
        deep_links: vec![in_app(
            WEB_APP,
            Platform::Web,
            "https://web.example/p?a=1#b",
        )],
        utm: vec![("utm_source".to_owned(), "poster".to_owned())],
        conversion_tracking: true,
        redirect_delay_ms: 1_000,
        ..LinkSettings::default()
    });
    let directory = instance.intake.directory();
    directory.apply(Entry::App(web_app("https://web.example/")));
    let (answer, _) = opened(&instance, "GET", "/promo", &[("user-agent", WINDOWS)]).await;
    // A page that waits, like before any destination.
    assert_eq!(answer.status, 200);
    let url = answer.body.split("href=\"").nth(1).unwrap();
    let url = url.split('"').next().unwrap().replace("&#38;", "&");
    assert!(url.starts_with("https://web.example/p?a=1&"), "{url}");
    assert!(
        url.contains("utm_source=poster") && url.contains("lw_cid=") && url.ends_with("#b"),
        "{url}"
    );
}
