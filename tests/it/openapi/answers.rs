//! Sends requests for a success and each error of every operation, and compares the responses with
//! the document.

use super::{
    beacons::send_beacons, checker::Checker, conversions::use_conversions, events::use_events,
    link_reports::use_link_reports, links::open_links, workspaces::use_workspaces,
};
use crate::{
    catalogue::{append, site},
    workspaces::{dns::Dns, objects::make_key},
};
use api::catalog::{Param, REPORTS, Report, Shape, Surface, Values};
use kit::{Creator, SystemBuilder, noon, traffic};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Statuses that other tests cover: unavailable parts, used-up limits, and heads that are too large.
/// Nothing covers 500, which only a bug causes.
const ELSEWHERE: [&str; 6] = ["408", "414", "429", "431", "500", "503"];
/// An incomplete body; none of our clients sends one.
const UNSENT: &str = "error.bad_request";

/// The id of nothing.
pub const UNKNOWN_ID: Uuid = Uuid::from_u128(1);

#[tokio::test(flavor = "multi_thread")]
async fn every_success_and_error_matches_the_document() {
    let words = std::env::temp_dir().join(format!("openapi-words-{}", std::process::id()));
    std::fs::write(&words, "casino\n").unwrap();
    let dns = Dns::start().await;
    let system = SystemBuilder::default()
        .set("DNS_SERVER", dns.address.clone())
        .set("CONTENT_WORDS_FILE", words.to_str().unwrap())
        .set("BIO_MAX_LINKS", "3")
        .set("BIO_MAX_PAGES", "3")
        .start()
        .await;
    std::fs::remove_file(&words).unwrap();
    let checker = Checker::new(&system);
    let ada = create_creators(&checker).await;
    let eve = system.client.creator("eve").await;
    change_pages(&checker, &ada, &eve).await;
    let link = change_links(&checker, &ada, &eve).await;
    look_at_pages(&checker, &ada).await;
    send_beacons(&checker, &ada, link).await;
    ask_reports(&checker, &ada, &eve, link).await;
    use_link_reports(&checker, &ada, &eve, link).await;
    ask_service(&checker).await;
    use_workspaces(&checker, &dns, &ada, &eve).await;
    use_conversions(&checker, &ada).await;
    use_events(&checker, &ada).await;
    break_requests(&checker, &ada, link).await;
    assert_all_was_seen(&checker);
    system.finish().await;
}

async fn create_creators(checker: &Checker<'_>) -> Creator {
    let client = &checker.system.client;
    let (ada, bob) = (client.token("ada"), client.token("bob"));
    let create = async |token: &str, body: Value, status: u16| {
        let answer = checker
            .ask(Method::POST, "/api/v1/creators", Some(token), body)
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    };
    let me = async |token: &str| {
        checker
            .ask(Method::GET, "/api/v1/creators/me", Some(token), Value::Null)
            .await
    };
    assert_eq!(me(&ada).await.status, 404);
    let made = create(
        &ada,
        json!({"username": "Ada.L", "displayName": "Ada"}),
        201,
    )
    .await
    .data();
    assert_eq!(me(&ada).await.data(), made);
    create(&ada, json!({"username": "another"}), 409).await;
    create(&bob, json!({"username": "ada.l", "displayName": null}), 409).await;
    create(&bob, json!({"username": "api"}), 400).await;
    create(
        &bob,
        json!({"username": 7, "displayName": "x".repeat(101)}),
        400,
    )
    .await;
    let id = |name: &str| made[name].as_str().unwrap().parse().unwrap();
    Creator {
        id: id("id"),
        workspace_id: id("workspaceId"),
        page: id("bioPageId"),
        token: ada,
    }
}

async fn change_pages(checker: &Checker<'_>, ada: &Creator, eve: &Creator) {
    let ask = async |method: Method, query: &str, by: &Creator, body: Value, status: u16| {
        let path = format!("/api/v1/creators/{}/bio{query}", ada.id);
        let answer = checker.ask(method, &path, Some(&by.token), body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    };
    let second = ask(
        Method::POST,
        "",
        ada,
        json!({"slug": "second", "bio": "<b>Hi</b>"}),
        201,
    )
    .await
    .id();
    for (body, by, status) in [
        (json!({"slug": "second"}), ada, 409),
        (json!({"slug": "third", "bio": "Casino"}), ada, 400),
        (json!({"slug": "last"}), ada, 201),
        (json!({"slug": "one-more"}), ada, 400),
        (json!({"slug": "Third"}), ada, 400),
        (json!({"slug": "third"}), eve, 403),
    ] {
        ask(Method::POST, "", by, body, status).await;
    }
    let theirs = format!("?bioPageId={}", eve.page);
    let all = json!({
        "bio": "Notes", "templateId": UNKNOWN_ID, "themeOverride": {"a": [1]}, "customCss": "a {}", "embedEnabled": true,
        "published": true, "emailCollectionEnabled": true, "consent": "assumed", "bioPageId": second,
    });
    let none = json!({"templateId": null, "themeOverride": null, "customCss": null, "bio": null});
    for (query, body, by, status) in [
        ("", all, ada, 200),
        ("", none, ada, 200),
        ("", json!({"bio": "Casino"}), ada, 400),
        ("", json!({"consent": "granted"}), ada, 400),
        ("", json!({}), eve, 403),
        (&theirs, json!({}), ada, 404),
    ] {
        ask(Method::PATCH, query, by, body, status).await;
    }
    for (query, by, status) in [
        ("", ada, 200),
        (&*format!("?bioPageId={second}"), ada, 200),
        ("?bioPageId=x", ada, 400),
        ("", eve, 403),
        (&theirs, ada, 404),
    ] {
        ask(Method::GET, query, by, Value::Null, status).await;
    }
}

/// Returns a link that is never deleted.
async fn change_links(checker: &Checker<'_>, ada: &Creator, eve: &Creator) -> Uuid {
    let ask = async |method: Method, path: String, by: &Creator, body: Value, status: u16| {
        let answer = checker
            .ask(
                method,
                &format!("/api/v1/creators/{path}"),
                Some(&by.token),
                body,
            )
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        answer
    };
    let add = async |by: &Creator, body: Value, status: u16| {
        ask(Method::POST, format!("{}/links", ada.id), by, body, status).await
    };
    let url = "https://example.com/";
    let all = json!({
        "title": "All", "url": "https://youtu.be/dQw4w9WgXcQ", "icon": "globe", "sortOrder": 7, "active": false,
        "isSocial": true, "platform": "youtube", "scheduledStart": "2027-01-01", "scheduledEnd": "2028-01-01T00:00:00Z",
    });
    let link = add(ada, all, 201).await.id();
    let video =
        json!({"title": "A video", "url": url, "embedType": "CUSTOM", "embedMeta": {"a": 1}});
    let gone = add(ada, video, 201).await.id();
    for (by, body, status) in [
        (
            ada,
            json!({"title": "", "url": url, "sortOrder": 1001}),
            400,
        ),
        (
            ada,
            json!({"title": "x", "url": "javascript:alert(1)"}),
            400,
        ),
        (
            ada,
            json!({"title": "x", "url": url, "scheduledStart": "2027-01-01", "scheduledEnd": "2026-01-01"}),
            400,
        ),
        (ada, json!({"title": "Casino", "url": url}), 400),
        (eve, json!({"title": "x", "url": url}), 403),
        (
            ada,
            json!({"title": "x", "url": url, "bioPageId": eve.page}),
            404,
        ),
        (ada, json!({"title": "x", "url": url}), 201),
        (ada, json!({"title": "x", "url": url}), 400),
    ] {
        add(by, body, status).await;
    }
    for (by, body, status) in [
        (ada, json!({"linkIds": [gone, link]}), 200),
        (ada, json!({"linkIds": []}), 200),
        (ada, json!({"linkIds": [UNKNOWN_ID]}), 400),
        (ada, json!({"linkIds": [link, link]}), 400),
        (eve, json!({"linkIds": []}), 403),
        (ada, json!({"linkIds": [], "bioPageId": eve.page}), 404),
    ] {
        ask(
            Method::POST,
            format!("{}/links/reorder", ada.id),
            by,
            body,
            status,
        )
        .await;
    }
    for (id, by, body, status) in [
        (
            link,
            ada,
            json!({"title": "Shop", "active": true, "icon": null, "url": url}),
            200,
        ),
        (link, ada, json!({"title": "x".repeat(101)}), 400),
        (link, ada, json!({"url": "ftp://example.com"}), 400),
        (link, ada, json!({"scheduledEnd": "2020-01-01"}), 400),
        (link, ada, json!({"title": "Casino"}), 400),
        (link, eve, json!({}), 403),
        (UNKNOWN_ID, ada, json!({}), 404),
    ] {
        ask(Method::PATCH, format!("links/{id}"), by, body, status).await;
    }
    for (id, by, status) in [(gone, eve, 403), (gone, ada, 200), (gone, ada, 404)] {
        ask(
            Method::DELETE,
            format!("links/{id}"),
            by,
            Value::Null,
            status,
        )
        .await;
    }
    link
}

async fn look_at_pages(checker: &Checker<'_>, ada: &Creator) {
    let get = async |path: &str, status: u16| {
        let answer = checker.ask(Method::GET, path, None, Value::Null).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
    };
    let bio = format!("/api/v1/creators/{}/bio", ada.id);
    let allow = async |allowed: bool| {
        let body = json!({"embedEnabled": allowed, "themeOverride": {"accent": "#123456"}});
        let answer = checker
            .ask(Method::PATCH, &bio, Some(&ada.token), body)
            .await;
        answer.assert_ok();
    };
    allow(false).await;
    get("/api/v1/bio/embed/ada.l", 403).await;
    allow(true).await;
    for (name, status) in [("Ada.L", 200), ("nobody", 404), ("%ff", 404)] {
        get(&format!("/api/v1/bio/{name}"), status).await;
        get(&format!("/api/v1/bio/embed/{name}"), status).await;
        get(&format!("/api/v1/bio/{name}?page=second"), status).await;
        get(&format!("/@{name}"), status).await;
        get(&format!("/@{name}/second"), status).await;
    }
    get("/@ada.l/third", 404).await;
    open_links(checker, ada).await;
    get("/favicon.svg", 200).await;
    get("/footfall-other.js", 404).await;
    for path in ["/footfall.js", "/footfall-0123456789abcdef.js"] {
        get(path, 200).await;
        let client = &checker.system.client;
        let known = client
            .request(Method::GET, path)
            .header("if-none-match", "*");
        assert_eq!(checker.send(known).await.status, 304);
    }
}

async fn ask_reports(checker: &Checker<'_>, ada: &Creator, eve: &Creator, link: Uuid) {
    let system = checker.system;
    let site = site(system, ada, vec![ada.page], vec![link, UNKNOWN_ID]).await;
    append(system, &site, &traffic::records(&site, 7, 300, noon(), 40)).await;
    system.settle().await;
    let nobody = system.client.token("nobody");
    let of_pages = |report: &&Report| report.surface == Surface::Creator;
    for report in REPORTS.iter().filter(of_pages) {
        let param = match &report.shape {
            Shape::Choice(choice) => report.param_name(choice.param),
            _ => "limit",
        };
        for (choice, _) in report.shape.all() {
            let path = format!("{}?{param}={}", report.path, choice.unwrap_or_default());
            let ask = async |token: &str, more: &str, status: u16| {
                let path = format!("{path}{more}");
                let answer = checker
                    .ask(Method::GET, &path, Some(token), Value::Null)
                    .await;
                assert_eq!(answer.status, status, "{path}: {}", answer.text);
                answer
            };
            let plain = ask(&ada.token, "&days=40", 200).await;
            assert!(
                plain.text.contains(|c: char| ('1'..='9').contains(&c)),
                "{path}: {}",
                plain.text
            );
            if report.params.contains(&Param::Timezone) {
                ask(&ada.token, "&timezone=Asia/Kathmandu", 200).await;
            }
            if report.params.contains(&Param::Compare) {
                let compared = ask(&ada.token, "&compare=previous", 200).await.data();
                assert!(
                    compared["previous"].is_object() && compared["change"].is_object(),
                    "{path}"
                );
            }
            for filter in report.filters {
                let (known, other) = match filter.values {
                    Values::Words(words) => (words[0], words[1]),
                    _ => ("TR", "Chile"),
                };
                ask(&ada.token, &format!("&{}={known},-{other}", filter.id), 200).await;
            }
            ask(&eve.token, "", 200).await;
            ask(&ada.token, "&colour=red", 400).await;
            ask(&ada.token, &format!("&bioPageId={}", eve.page), 404).await;
            ask(&nobody, "", 404).await;
        }
    }
}

async fn ask_service(checker: &Checker<'_>) {
    for path in ["/", "/health", "/ready", "/metrics"] {
        let answer = checker.ask(Method::GET, path, None, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let missing = "/schemas/page.printed.json";
    let missing = checker.ask(Method::GET, missing, None, Value::Null).await;
    assert_eq!(missing.status, 404);
    for path in [
        "/openapi.json",
        "/docs",
        "/schemas",
        "/schemas/page.viewed.v1.json",
    ] {
        checker.ask(Method::GET, path, None, Value::Null).await;
        let known = checker
            .system
            .client
            .request(Method::GET, path)
            .header("if-none-match", "*");
        assert_eq!(checker.send(known).await.status, 304);
    }
}

/// Errors that every operation has in common: no token, no UUID, invalid JSON, another type, too large a body.
async fn break_requests(checker: &Checker<'_>, ada: &Creator, link: Uuid) {
    let scopes = ["links:write", "links:read"];
    let (_, key) = make_key(&checker.system.client, &ada.token, &scopes).await;
    for (template, method, operation) in checker.operations() {
        let path = template
            .replace("{creatorId}", &ada.id.to_string())
            .replace("{linkId}", &link.to_string())
            .replace("{id}", &UNKNOWN_ID.to_string());
        let security = operation["security"].as_array().unwrap();
        if !security.is_empty() && !security.contains(&json!({})) {
            let answer = checker.ask(method.clone(), &path, None, Value::Null).await;
            assert_eq!(answer.status, 401, "{method} {path}");
        }
        let ids = template.contains("{creatorId}") || template.contains("{linkId}");
        if ids && template.starts_with("/api/v1/") {
            let path = template
                .replace("{creatorId}", "x")
                .replace("{linkId}", "x");
            let answer = checker
                .ask(method.clone(), &path, Some(&ada.token), json!({}))
                .await;
            assert_eq!(answer.status, 400, "{method} {path}");
        }
        if operation["requestBody"]["content"]["application/json"].is_null() {
            continue;
        }
        let large = format!("{{\"x\": \"{}\"}}", "x".repeat(1_100_000));
        let credential = if path.starts_with("/link/") {
            &key
        } else {
            &ada.token
        };
        for (kind, body, status) in [
            ("application/json", "{", 400),
            ("text/plain", "[]", 400),
            ("application/json", "{}{}", 400),
            ("application/xml", "<a/>", 415),
            ("application/json", &large, 413),
        ] {
            let request = checker.system.client.request(method.clone(), &path);
            let request = request.bearer_auth(credential).header("content-type", kind);
            let answer = checker.send(request.body(body.to_owned())).await;
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        }
    }
}

/// Asserts that every status and every key of the document occurred at least once.
fn assert_all_was_seen(checker: &Checker<'_>) {
    let seen = checker.seen();
    let mut unseen = Vec::new();
    for (_, _, operation) in checker.operations() {
        let id = operation["operationId"].as_str().unwrap();
        for (status, response) in operation["responses"].as_object().unwrap() {
            if ELSEWHERE.contains(&status.as_str()) {
                continue;
            }
            let Some(keys) = seen.get(&(id.to_owned(), status.clone())) else {
                unseen.push(format!("{id} {status}"));
                continue;
            };
            let examples = &checker.resolve(response)["content"]["application/json"]["examples"];
            let told: BTreeSet<&String> = examples
                .as_object()
                .into_iter()
                .flat_map(|examples| examples.keys())
                .collect();
            let missing = told
                .into_iter()
                .filter(|key| *key != UNSENT && !keys.contains(*key));
            unseen.extend(missing.map(|key| format!("{id} {status} {key}")));
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
}
