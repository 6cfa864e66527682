//! Paths that every host of short links answers itself: `robots.txt`, `favicon.ico`, and the two
//! files by which phones learn which apps may open a host's links.

use crate::directory::{Directory, Serves};
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use schemas::directory::{App, Platform};
use serde_json::{Value, json};

/// Crawlers are let in, because previews need them. Answers say `noindex`.
const ROBOTS: &str = "User-agent: *\nAllow: /\n";

const KEEP_A_DAY: HeaderValue = HeaderValue::from_static("public, max-age=86400");
const KEEP_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Answers a path of a host; `None` for other paths and hosts.
pub(super) fn answer(directory: &Directory, host: &str, path: &str) -> Option<Response<Body>> {
    match path {
        "/robots.txt" => {
            directory.serves(host)?;
            Some(reply(ROBOTS.to_owned(), TEXT, KEEP_A_DAY))
        }
        "/favicon.ico" => {
            directory.serves(host)?;
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, KEEP_A_DAY);
            Some(response)
        }
        "/.well-known/apple-app-site-association" => {
            let apps = apps(directory, host)?;
            Some(reply(apple(&apps).to_string(), JSON, KEEP_AN_HOUR))
        }
        "/.well-known/assetlinks.json" => {
            let apps = apps(directory, host)?;
            Some(reply(android(&apps).to_string(), JSON, KEEP_AN_HOUR))
        }
        _ => None,
    }
}

/// The apps of a host. The host that all tenants share has none: one tenant's app would open the
/// links of the others.
fn apps(directory: &Directory, host: &str) -> Option<Vec<App>> {
    Some(match directory.serves(host)? {
        Serves::Everyone => Vec::new(),
        Serves::Tenant(tenant) => directory.apps_of(tenant),
    })
}

fn apple(apps: &[App]) -> Value {
    let named = apps.iter().filter(|app| app.platform == Platform::Ios);
    let ids: Vec<String> = named
        .filter_map(|app| Some(format!("{}.{}", app.team_id.as_ref()?, app.package)))
        .collect();
    let details: Vec<Value> = if ids.is_empty() {
        Vec::new()
    } else {
        vec![json!({ "appIDs": ids, "components": [{ "/": "/*" }] })]
    };
    json!({ "applinks": { "details": details } })
}

fn android(apps: &[App]) -> Value {
    let named = apps
        .iter()
        .filter(|app| app.platform == Platform::Android && !app.fingerprints.is_empty());
    let statements = named.map(|app| {
        json!({
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": app.package,
                "sha256_cert_fingerprints": app.fingerprints,
            },
        })
    });
    statements.collect()
}

fn reply(body: String, content: HeaderValue, cache: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content);
    headers.insert(header::CACHE_CONTROL, cache);
    response
}
