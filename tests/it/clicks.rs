//! Short links in a whole system: from a link's creation to its clicks in the tables and reports.

use crate::program;
use jiff::SignedDuration;
use kit::{Answer, Client, Creator, System, child::Program, home::Home};
use reqwest::{
    Method,
    header::{HOST as HOST_HEADER, HeaderMap, HeaderName},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// The host of short URLs in a test system.
const HOST: &str = "footfall.test";
const DESTINATION: &str = "https://shop.example/x?a=%2B&b=c+d#e";

/// The code of a link.
pub async fn code(system: &System, link: Uuid) -> String {
    read_code(&system.main, link).await
}

async fn read_code(main: &PgPool, link: Uuid) -> String {
    sqlx::query_scalar("SELECT short_code FROM links WHERE id = $1")
        .bind(link)
        .fetch_one(main)
        .await
        .unwrap()
}

/// Waits until ingest knows a link. Leaves no click.
pub async fn until_known(system: &System, code: &str) {
    until_answered(&system.client, HOST, code, 302).await;
}

/// Opens a link, without a click, until it has this status.
pub async fn until_answered(client: &Client, host: &str, code: &str, status: u16) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = open(client, host, &format!("/{code}?no-track"), &[]).await;
        if answer.status == status {
            return answer;
        }
        assert!(begun.elapsed() < kit::system::PATIENCE, "{}", answer.status);
        sleep(Duration::from_millis(5)).await;
    }
}

/// Opens a path on a host until it leads there.
pub async fn until_leads(system: &System, (host, path): (&str, &str), location: &str) {
    let begun = Instant::now();
    loop {
        let answer = open(&system.client, host, path, &[]).await;
        let given = answer.headers.get("location");
        if given.is_some_and(|given| given == location) {
            return;
        }
        assert!(begun.elapsed() < kit::system::PATIENCE, "{given:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Opens a path on a host, with these headers in place of the client's own.
pub async fn open(client: &Client, host: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    // In a map, because a header of a request is added to the client's own.
    let mut given = HeaderMap::from_iter([(HOST_HEADER, host.parse().unwrap())]);
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        given.insert(name, value.parse().unwrap());
    }
    let request = client.request(Method::GET, path).headers(given);
    client.send(request).await
}

/// Waits until the tables have this many rows of a link. They send no notification of changes.
pub async fn until_folded(analytics: &PgPool, link: Uuid, rows: i64) {
    let begun = Instant::now();
    loop {
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM hits WHERE link_id = $1")
            .bind(link)
            .fetch_one(analytics)
            .await
            .unwrap();
        assert!(found <= rows, "{found} rows instead of {rows}");
        if found == rows {
            return;
        }
        assert!(begun.elapsed() < kit::system::PATIENCE, "{found} of {rows}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// The rows of a link in the order of the log: trigger, reason, and whether it is a duplicate.
async fn rows(analytics: &PgPool, link: Uuid) -> Vec<(String, Option<String>, bool)> {
    sqlx::query_as(
        "SELECT trigger, bot_reason, is_duplicate FROM hits WHERE link_id = $1 ORDER BY seq",
    )
    .bind(link)
    .fetch_all(analytics)
    .await
    .unwrap()
}

/// One member of every row of a link.
async fn column(analytics: &PgPool, link: Uuid, column: &'static str) -> Vec<Value> {
    let statement = format!("SELECT to_jsonb({column}) FROM hits WHERE link_id = $1 ORDER BY seq");
    let values: Vec<Option<Value>> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(link)
        .fetch_all(analytics)
        .await
        .unwrap();
    values.into_iter().map(Option::unwrap_or_default).collect()
}

async fn with_link(system: &System) -> (Creator, Uuid, String) {
    let ada = system.client.creator("ada").await;
    let link = system.client.link(&ada, "Shop", DESTINATION).await;
    let code = code(system, link).await;
    until_known(system, &code).await;
    (ada, link, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_is_in_the_tables_once_and_machines_and_repeats_do_not_count() {
    let system = System::start().await;
    let (ada, link, code) = with_link(&system).await;
    let client = &system.client;
    let path = format!("/{code}");
    let mut expected = Vec::new();
    let click = async |agent: &'static str| {
        let answer = open(client, HOST, &path, &[("user-agent", agent)]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.headers["location"], DESTINATION);
        assert_eq!(answer.headers["cache-control"], "private, no-store");
    };
    // One after the other, because the order in the log decides which of two is the duplicate.
    let mut wait = async |reason: Option<&str>, is_duplicate: bool| {
        expected.push(("link".to_owned(), reason.map(str::to_owned), is_duplicate));
        let count = i64::try_from(expected.len()).unwrap();
        until_folded(&system.analytics, link, count).await;
        assert_eq!(rows(&system.analytics, link).await, expected);
    };
    click(kit::client::BROWSER).await;
    wait(None, false).await;
    click(kit::client::BROWSER).await;
    wait(None, true).await;
    click("Twitterbot/1.0").await;
    wait(Some("preview"), false).await;
    let head = client.request(Method::HEAD, &path).header("host", HOST);
    let head = client.send(head).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (302, ""));
    assert_eq!(head.headers["location"], DESTINATION);
    wait(Some("head"), false).await;
    let ahead = open(client, HOST, &path, &[("sec-purpose", "prefetch")]).await;
    assert_eq!(ahead.status, 503);
    wait(Some("prefetch"), false).await;
    system.clock.advance(SignedDuration::from_mins(59));
    click(kit::client::BROWSER).await;
    wait(None, true).await;
    // Exactly an hour after the click that counts, not after the repeat.
    system.clock.advance(SignedDuration::from_mins(1));
    click(kit::client::BROWSER).await;
    wait(None, false).await;
    // Another visitor.
    click("Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0").await;
    wait(None, false).await;
    // Without a visitor, nothing says that two clicks are of one person.
    for _ in 0..2 {
        open(client, HOST, &path, &[("sec-gpc", "1")]).await;
        wait(None, false).await;
    }
    let hashes = column(&system.analytics, link, "encode(visitor_hash, 'hex')").await;
    assert_eq!(hashes.iter().filter(|hash| hash.is_null()).count(), 2);
    let pages = column(&system.analytics, link, "page_id").await;
    assert!(pages.iter().all(Value::is_null));

    // The page's reports do not have these clicks.
    let overview = client.report(&ada, "overview").await;
    assert_eq!(
        (&overview["totalViews"], &overview["totalClicks"]),
        (&json!(0), &json!(0))
    );
    // A click on the page's link is a click of the link, with the visitor of its visit.
    let session = client.session(ada.page, "v").await;
    client.view(session, Some(link)).await;
    client.view(session, None).await;
    system.settle().await;
    until_folded(&system.analytics, link, 11).await;
    let triggers = column(&system.analytics, link, "trigger").await;
    assert_eq!(triggers.last(), Some(&json!("bio")));
    let browsers = column(&system.analytics, link, "browser").await;
    assert_eq!(browsers.last(), Some(&json!("Chrome")));
    let overview = client.report(&ada, "overview").await;
    assert_eq!(
        (&overview["totalViews"], &overview["totalClicks"]),
        (&json!(2), &json!(1))
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_and_a_deleted_link_take_effect_and_other_hosts_never_answer() {
    let system = System::start().await;
    let (ada, link, code) = with_link(&system).await;
    let client = &system.client;
    for host in ["127.0.0.1", "other.test", "footfall.test.evil"] {
        let answer = open(client, host, &format!("/{code}"), &[]).await;
        assert_eq!(answer.status, 404, "{host}");
    }
    let path = format!("/api/v1/creators/links/{link}");
    let other = json!({"url": "https://other.example/"});
    client.patch_as(&ada.token, &path, &other).await.assert_ok();
    let changed = format!("/{code}?no-track");
    until_leads(&system, (HOST, &changed), "https://other.example/").await;
    client.delete_as(&ada.token, &path).await.assert_ok();
    until_answered(client, HOST, &code, 404).await;
    // Routes and pages keep their paths.
    for (path, status) in [
        ("/health", 200),
        ("/@ada", 200),
        ("/@ada/", 200),
        ("/%40ada", 200),
    ] {
        assert_eq!(open(client, HOST, path, &[]).await.status, status, "{path}");
    }
    system.finish().await;
}

/// The rows of a link as the program's tables have them, without the time that the redirect took.
async fn all_rows(run: &Value, link: Uuid, rows: i64) -> Vec<Value> {
    let url = run["analyticsDatabaseUrl"].as_str().unwrap();
    let analytics = PgPool::connect(url).await.unwrap();
    until_folded(&analytics, link, rows).await;
    let whole = column(&analytics, link, "hits").await;
    analytics.close().await;
    whole
}

fn rebuild(folder: &Path) {
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("KAFKA_BROKERS", ""),
        ("RUST_LOG", "warn"),
    ];
    let ended = Program::run("footfall", &["rebuild"], &environment, b"");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_survive_kill_9_and_a_rebuild_and_count_once() {
    let folder = Home::new();
    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    let client = program::client(&run);
    let ada = client.creator("ada").await;
    let link = client.link(&ada, "Shop", DESTINATION).await;
    let main = PgPool::connect(run["databaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    let code = read_code(&main, link).await;
    main.close().await;
    // Without PUBLIC_URL, short URLs are on the host of the listener.
    let host = "127.0.0.1";
    until_answered(&client, host, &code, 302).await;
    for _ in 0..3 {
        open(&client, host, &format!("/{code}"), &[]).await;
    }
    let before = all_rows(&run, link, 3).await;
    program.kill();

    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    assert_eq!(all_rows(&run, link, 3).await, before);
    let client = program::client(&run);
    // The directory is in memory before the program is ready.
    let answer = open(&client, host, &format!("/{code}."), &[]).await;
    assert_eq!(answer.status, 302);
    let before = all_rows(&run, link, 4).await;
    let counted = |row: &&Value| row["is_duplicate"] == false;
    assert_eq!(before.iter().filter(counted).count(), 1);
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));

    rebuild(&folder);
    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    assert_eq!(all_rows(&run, link, 4).await, before);
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}
