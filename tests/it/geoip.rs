//! A GeoIP database that is replaced while the program runs: tested from the beacon to the tables.

use crate::mmdb_fixture::{
    Value::{Map, Text},
    database,
};
use kit::{System, SystemBuilder, system::PATIENCE};
use reqwest::Method;
use serde_json::Value;
use sqlx::Row;
use std::{fs, path::Path, time::Duration};
use uuid::Uuid;

/// Installs a database that places the visitor of these tests in a country.
fn put(path: &Path, country: &'static str) {
    let beside = path.with_extension("new");
    let record = Map(vec![("country_code", Text(country))]);
    fs::write(&beside, database("Places", &record)).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// Opens a session from the address in the databases.
async fn session(system: &System, page: Uuid, visitor: &str) -> Uuid {
    let request = system
        .client
        .request(Method::POST, "/api/v1/analytics/session")
        .header("x-forwarded-for", "81.2.69.142")
        .json(&system.client.session_body(page, visitor));
    system.client.send(request).await.id()
}

/// Waits until the program has reloaded the file with the given result.
async fn reloaded(system: &System, result: &str) {
    let line = format!("files_reloaded_total{{file=\"geoip\",result=\"{result}\"}} 1");
    let seen = async {
        while !system.client.get("/metrics").await.text.contains(&line) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .unwrap_or_else(|_| panic!("no {line}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_geoip_database_places_the_next_visits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("places.mmdb");
    put(&path, "GB");
    let system = SystemBuilder::default()
        .set("GEOIP_DATABASE", path.to_str().unwrap())
        .set("TRUSTED_PROXIES", "127.0.0.0/8")
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    let before = session(&system, creator.page, "before").await;
    put(&path, "TR");
    reloaded(&system, "used").await;
    let after = session(&system, creator.page, "after").await;
    fs::write(&path, "no database").unwrap();
    reloaded(&system, "refused").await;
    let later = session(&system, creator.page, "later").await;
    system.settle().await;

    for (session, country) in [
        (before, "United Kingdom"),
        (after, "Turkey"),
        (later, "Turkey"),
    ] {
        let row = sqlx::query("SELECT country FROM sessions WHERE session_id = $1")
            .bind(session)
            .fetch_one(&system.analytics)
            .await
            .unwrap();
        assert_eq!(row.get::<String, _>(0), country);
    }
    for record in system.log.read(schemas::topics::EVENTS).await {
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        assert_eq!(event["enrichment"]["geo"], "Places 2025-06-15");
    }
    system.finish().await;
}
