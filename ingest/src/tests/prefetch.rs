//! A real browser fetches a short link ahead, gets 503, and asks again on the click. Without a
//! browser on the machine the test says so and proves nothing.

use super::{kit::*, redirect_gates::entry};
use axum::{Router, http::header, response::IntoResponse, routing::get};
use schemas::directory::{Domain, Entry, Link, LinkSettings};
use std::{path::Path, process::Stdio, sync::Arc, time::Duration};
use tokio::{net::TcpListener, process::Command, sync::Notify, time::timeout};

const BROWSERS: [&str; 3] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
];

/// A cold browser on a busy machine takes half a minute.
const PATIENCE: Duration = Duration::from_mins(4);

/// Fetches the link ahead, and opens it once the server has seen that.
const PAGE: &str = r#"<!doctype html>
<script type="speculationrules">{"prefetch": [{"source": "list", "urls": ["/promo"], "eagerness": "immediate"}]}</script>
<script>fetch("/seen").then(() => { location.href = "/promo"; });</script>"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_fetched_ahead_asks_again_on_the_click() {
    let Some(browser) = BROWSERS.into_iter().find(|path| Path::new(path).exists()) else {
        eprintln!("no browser at {BROWSERS:?}: nothing is proven");
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let instance = Instance::new();
    let directory = instance.intake.directory();
    directory.apply(Entry::Domain(Domain {
        host: "localhost".to_owned(),
        workspace_no: WORKSPACE_NO,
        verified: true,
        deleted: false,
        row_version: 1,
    }));
    directory.apply(Entry::Link(Box::new(Link {
        destination: format!("http://localhost:{port}/the/end"),
        host: Some("localhost".to_owned()),
        ..entry(LinkSettings::default())
    })));
    let arrived = Arc::new(Notify::new());
    let (sink, reached) = (Arc::clone(&instance.sink), Arc::clone(&arrived));
    let pages = Router::new()
        .route(
            "/start/page",
            get(async || ([(header::CONTENT_TYPE, "text/html")], PAGE)),
        )
        .route(
            "/seen",
            get(async move || {
                sink.entered.notified().await;
                "seen".into_response()
            }),
        )
        .route(
            "/the/end",
            get(async move || {
                reached.notify_one();
                "the end"
            }),
        );
    let router = crate::redirect::around(pages, &instance.redirects);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let profile = tempfile::tempdir().unwrap();
    let mut process = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
        ])
        .arg("--remote-debugging-port=0")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("http://localhost:{port}/start/page"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = timeout(PATIENCE, arrived.notified()).await;
    process.kill().await.unwrap();
    server.abort();
    ended.expect("the browser opens the destination");
    instance.intake.finish_deliveries().await;
    let events = instance.sink.take_json();
    let reasons: Vec<_> = events
        .iter()
        .map(|event| event["body"]["bot_reason"].as_str())
        .collect();
    assert_eq!(reasons.len(), 2, "{events:?}");
    // Headless browsers name themselves, so the click itself may be a machine's.
    assert_eq!(
        reasons
            .iter()
            .filter(|reason| **reason == Some("prefetch"))
            .count(),
        1
    );
    assert_eq!(reasons[0], Some("prefetch"));
}
