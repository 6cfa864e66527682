//! The document has exactly the routes of the routers, and is served for programs and for people.

use super::checker::Checker;
use kit::System;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A path with values for its parameters.
fn filled(template: &str) -> String {
    let parts = template.split(['{', '}']).enumerate();
    let part = |(index, part)| if index % 2 == 1 { "x" } else { part };
    parts.map(part).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_the_paths_of_the_routers_and_the_methods_of_each() {
    let system = System::start().await;
    let checker = Checker::new(&system);
    // The path of short links takes POST only where a link has a password.
    let ada = system.client.creator("ada").await;
    let link = json!({ "destinationUrl": "https://shop.example/", "shortCode": "x", "password": "secret" });
    let made = system.client.post_as(&ada.token, "/api/links", &link).await;
    assert_eq!(made.status, 201, "{}", made.text);
    crate::clicks::until_answered(&system.client, "footfall.test", "x", 200).await;
    let paths = checker.document["paths"].as_object().unwrap();
    let documented: BTreeSet<String> = paths.keys().cloned().collect();
    assert_eq!(documented, system.paths);
    for (path, methods) in paths {
        // A method that the route does not accept gets the list of those that it does.
        let request = system.client.request(Method::TRACE, &filled(path));
        let request = request.header("host", "footfall.test");
        let answer = system.client.send(request).await;
        assert_eq!(answer.error().0, 405, "{path}: {}", answer.text);
        let allowed = answer.headers["allow"].to_str().unwrap().split(',');
        // A route with GET also accepts HEAD.
        let allowed: BTreeSet<String> = allowed
            .map(|method| method.trim().to_lowercase())
            .filter(|method| method != "head")
            .collect();
        let methods: BTreeSet<String> = methods.as_object().unwrap().keys().cloned().collect();
        assert_eq!(methods, allowed, "{path}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_document_is_the_checked_in_one() {
    let system = System::start().await;
    let checker = Checker::new(&system);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let checked_in: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    for path in [
        "/openapi.json",
        "/docs",
        "/schemas",
        "/schemas/link.clicked.json",
    ] {
        let answer = checker.send(system.client.request(Method::GET, path)).await;
        assert_eq!(answer.status, 200);
        assert!(
            answer.headers["cache-control"]
                .to_str()
                .unwrap()
                .contains("max-age=")
        );
        let tag = answer.headers["etag"].to_str().unwrap();
        for (given, status) in [(tag, 304), ("\"another\"", 200)] {
            let again = system
                .client
                .request(Method::GET, path)
                .header("if-none-match", given);
            let again = checker.send(again).await;
            assert_eq!(
                (
                    again.status.as_u16(),
                    again.headers["etag"].to_str().unwrap()
                ),
                (status, tag)
            );
        }
    }
    let answer = system.client.get("/openapi.json").await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    // The assertion would print both documents, which are long.
    assert!(answer.json() == checked_in, "{file} is not what is served");
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_every_operation_and_loads_nothing() {
    let system = System::start().await;
    let checker = Checker::new(&system);
    let answer = system.client.get("/docs").await;
    let page = &answer.text;
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    for (path, _, operation) in checker.operations() {
        let id = operation["operationId"].as_str().unwrap();
        let shown = page.matches(&format!("<article id=\"{id}\"")).count();
        let linked = page.contains(&format!("href=\"#{id}\""));
        assert!(shown == 1 && linked, "{id}");
        assert!(page.contains(path), "{path}");
        for status in operation["responses"].as_object().unwrap().keys() {
            assert!(
                page.contains(&format!("\">{status}</span>")),
                "{id} {status}"
            );
        }
    }
    // Its examples use the program's address.
    assert!(
        page.contains("curl &#39;http://footfall.test/health&#39;")
            || page.contains("curl 'http://footfall.test/health'")
    );
    // The page runs no script and loads nothing from elsewhere.
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"),
        "{policy}"
    );
    for word in [
        "<script", " src=", "@import", "url(", "style=\"", " onclick",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    let links = page.split("href=\"").skip(1);
    let elsewhere: Vec<&str> = links
        .filter_map(|rest| rest.split('"').next())
        .filter(|to| !to.starts_with('#') && !["/openapi.json", "data:,"].contains(to))
        .collect();
    assert_eq!(elsewhere, Vec::<&str>::new());
    // An id is unique, and every reference to an id resolves.
    let ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    for reference in ["href=\"#", "aria-labelledby=\""] {
        for rest in page.split(reference).skip(1) {
            let to = rest.split('"').next().unwrap();
            assert!(unique.contains(to), "{reference}{to}");
        }
    }
    system.finish().await;
}
