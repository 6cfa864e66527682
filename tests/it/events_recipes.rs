//! The recipes of docs/EVENTS-API.md do what that page says.

use crate::{
    clicks_folded::click,
    events_api::{EventsApi, ids},
    random_log::{at, fold_under, read},
};
use kit::{System, SystemBuilder};
use projector::Store;
use schemas::{Event, topics::EVENTS};
use serde_json::Value;
use std::{path::Path, process::Output};
use tokio::process::Command;

/// Runs a recipe; `None` when its interpreter is not installed.
async fn run(system: &System, api: &EventsApi, recipe: [&str; 2], more: &[&str]) -> Option<Output> {
    let [program, script] = recipe;
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs/recipes")
        .join(script);
    let output = Command::new(program)
        .arg(script)
        .args(more)
        .env(
            "FOOTFALL_URL",
            format!("http://{}", system.client.address()),
        )
        .env("FOOTFALL_KEY", &api.key)
        .env("FOOTFALL_LIMIT", "7")
        .output()
        .await;
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            Some(output)
        }
        Err(error) => {
            eprintln!("SKIPPED: {program} was not run: {error}");
            None
        }
    }
}

fn clicks(numbers: std::ops::Range<u128>) -> Vec<Event> {
    // The later an event arrives, the earlier it happened.
    let click = |number: u128| click(number, 1_000 - i64::try_from(number).unwrap(), (1, 0));
    numbers.map(click).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nightly_sync_stores_every_event_once() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    let folder = tempfile::tempdir().unwrap();
    let warehouse = folder.path().join("warehouse.db");
    let warehouse = warehouse.to_str().unwrap();
    let store = Store::new(system.analytics.clone());
    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    let log = clicks(1..61);
    for (from, to, new) in [(0, 40, 40), (40, 40, 0), (40, 60, 20)] {
        store
            .apply(&mut claim, &read(&log, from..to), at(0))
            .await
            .unwrap();
        let recipe = ["python3", "nightly_sync.py"];
        let Some(output) = run(&system, &api, recipe, &[warehouse]).await else {
            return;
        };
        // The recipe fails if an event comes twice.
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("{new} new events\n"));
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsing_prints_every_page() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    let store = Store::new(system.analytics.clone());
    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    let log = clicks(1..31);
    fold_under(&mut claim, &store, &log, &[]).await;
    let days = ["2027-01-15", "2027-01-15"];
    let Some(output) = run(&system, &api, ["sh", "browse.sh"], &days).await else {
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let pages: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(pages.len(), 5);
    let found: Vec<String> = pages.iter().flat_map(ids).collect();
    let mut expected: Vec<String> = log
        .iter()
        .map(|event| format!("evt_{}", event.event_id.0))
        .collect();
    expected.reverse();
    assert_eq!(found, expected);
    system.finish().await;
}
