//! A list of networks of machines that is replaced while the program runs: tested from requests to the
//! log.

use crate::clicks::{open, until_folded, until_known};
use kit::{Creator, System, SystemBuilder, system::PATIENCE};
use reqwest::Method;
use schemas::topics::EVENTS;
use serde_json::{Value, json};
use std::{fs, path::Path, time::Duration};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

const HOST: &str = "footfall.test";
/// Addresses of a person and of two machines.
const HOME: &str = "198.51.100.1";
const FIRST: &str = "192.0.2.77";
const SECOND: &str = "2001:db8:7::9";

/// Installs a list.
fn put(path: &Path, list: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, list).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// Waits until the program has reloaded the file with the given result.
async fn reloaded(system: &System, result: &str) {
    let line = format!("files_reloaded_total{{file=\"networks\",result=\"{result}\"}} 1");
    let seen = async {
        while !system.client.get("/metrics").await.text.contains(&line) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, seen)
        .await
        .unwrap_or_else(|_| panic!("no {line}"));
}

/// Whether a session from this address counts.
async fn counts(system: &System, ada: &Creator, address: &str) -> bool {
    let request = system
        .client
        .request(Method::POST, "/api/v1/analytics/session")
        .header("x-forwarded-for", address)
        .json(&system.client.session_body(ada.page, address));
    let answer = system.client.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.data()["id"] != Value::Null
}

async fn click(system: &System, address: &str, more: &[(&str, &str)]) {
    let headers = [&[("x-forwarded-for", address)], more].concat();
    let answer = open(&system.client, HOST, "/promo", &headers).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
}

async fn reasons(system: &System, link: Uuid) -> Vec<Option<String>> {
    sqlx::query_scalar("SELECT bot_reason FROM hits WHERE link_id = $1 ORDER BY seq")
        .bind(link)
        .fetch_all(&system.analytics)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn visits_and_clicks_from_listed_networks_do_not_count_and_a_new_list_judges_the_next_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("networks.txt");
    put(&path, "# the first\n192.0.2.0/24\n");
    let system = SystemBuilder::default()
        .set("BOT_NETWORKS", path.to_str().unwrap())
        .set("TRUSTED_PROXIES", "127.0.0.0/8")
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let body = json!({ "destinationUrl": "https://shop.example/", "shortCode": "promo" });
    let made = system.client.post_as(&ada.token, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let link = made.id();
    until_known(&system, "promo").await;

    let mut rows = 0;
    let mut judged = Vec::new();
    let mut judge = async |expected: [(&str, Option<&str>); 3]| {
        for (address, reason) in expected {
            let is_person = counts(&system, &ada, address).await;
            assert_eq!(is_person, reason.is_none(), "{address}");
            click(&system, address, &[]).await;
            rows += 1;
            // In the order of the clicks, because each is delivered by itself.
            until_folded(&system.analytics, link, rows).await;
            judged.push(reason.map(str::to_owned));
        }
        // What the agent shows is said first, and privacy changes nothing.
        for (more, reason) in [
            (("user-agent", "Twitterbot/1.0"), "preview"),
            (("user-agent", "curl/8.5"), "agent"),
            (("sec-gpc", "1"), "network"),
        ] {
            let listed = expected.iter().find(|(_, reason)| reason.is_some());
            click(&system, listed.unwrap().0, &[more]).await;
            rows += 1;
            until_folded(&system.analytics, link, rows).await;
            judged.push(Some(reason.to_owned()));
        }
        assert_eq!(reasons(&system, link).await, judged);
    };
    let network = Some("network");
    judge([(HOME, None), (FIRST, network), (SECOND, None)]).await;
    put(&path, "# the second\n2001:db8:7::/48\n");
    reloaded(&system, "used").await;
    judge([(HOME, None), (FIRST, None), (SECOND, network)]).await;
    put(&path, "<html>Not found</html>\n");
    reloaded(&system, "refused").await;
    judge([(HOME, None), (FIRST, None), (SECOND, network)]).await;

    let mut lists = Vec::new();
    for record in system.log.read(EVENTS).await {
        let text = String::from_utf8(record.payload.clone()).unwrap();
        for address in [HOME, FIRST, SECOND] {
            assert!(!text.contains(address), "{text}");
        }
        let event: Value = serde_json::from_str(&text).unwrap();
        let bots = event["enrichment"]["bots"].as_str();
        lists.extend(bots.map(str::to_owned));
    }
    lists.sort_unstable();
    lists.dedup();
    assert_eq!(lists.len(), 2, "{lists:?}");
    assert!(lists.iter().all(|bots| bots.contains(", networks ")));
    system.finish().await;
}
