//! Replays recorded requests (`fixtures/requests.jsonl`) through the router.
//!
//! Each line is a request and its expected result. `UPDATE_FIXTURES=1` writes the current results,
//! and a person then reviews the difference. Names in braces are placeholders for values that a
//! file cannot contain, see [`fill_in`].

use super::kit::*;
use crate::{directory::Entries, outcome::REASONS};
use axum::body::Body;
use runtime::http::Peer;
use schemas::{WorkspaceNo, directory::Entry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, fs};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/requests.jsonl");

/// The headers of answers that a fixture records.
const SHOWN: &[&str] = &[
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "retry-after",
    "www-authenticate",
];

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    name: String,
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    /// A string is sent unchanged, any other value as JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    body: Value,
    /// Spaces are appended until the body has this many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pad_to_bytes: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// The whole directory, instead of one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory: Option<Vec<Entry>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<jiff::Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, String>,
    /// How often the request is sent. Every answer must be the expected one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Expected>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    answer: Value,
    /// `session.accepted`, or the count of each when there are several.
    outcome: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reason: Vec<String>,
    /// `null`, the event, or a list when there are several.
    event: Value,
}

fn fill_in(text: &str) -> String {
    let names = [
        ("{page}", PAGE.to_string()),
        ("{late_page}", LATE_PAGE.to_string()),
        ("{session}", session_of(WORKSPACE_NO).to_string()),
        ("{late_session}", session_of(LATE_WORKSPACE_NO).to_string()),
        (
            "{session_of_none}",
            session_of(WorkspaceNo::NONE).to_string(),
        ),
        ("{pageview}", pageview_of(WORKSPACE_NO).to_string()),
        (
            "{pageview_of_none}",
            pageview_of(WorkspaceNo::NONE).to_string(),
        ),
        ("{token}", token(PAGE)),
        ("{late_token}", token(LATE_PAGE)),
        ("{bearer}", format!("Bearer {}", bearer())),
        ("{browser}", BROWSER.to_owned()),
    ];
    names
        .into_iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, &value)
        })
}

async fn replay(fixture: &Fixture) -> Expected {
    let settings: Vec<(&str, &str)> = fixture
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let instance = Instance::with(&settings);
    if let Some(entries) = &fixture.directory {
        let mut directory = Entries::default();
        entries
            .iter()
            .cloned()
            .for_each(|entry| directory.apply(entry));
        instance.intake.directory().replace(directory);
    }
    if let Some(at) = fixture.at {
        instance.clock.set(at);
    }
    let mut body = match &fixture.body {
        Value::Null => String::new(),
        Value::String(text) => fill_in(text),
        json => fill_in(&json.to_string()),
    };
    let padding = fixture.pad_to_bytes.unwrap_or(0).saturating_sub(body.len());
    body.push_str(&" ".repeat(padding));
    let peer = fixture.peer.as_deref().unwrap_or("81.2.69.142:4711");

    let mut seen: Option<(u16, BTreeMap<String, String>, Value)> = None;
    for _ in 0..fixture.times.unwrap_or(1) {
        let mut request = request(&fixture.method, &fill_in(&fixture.path))
            .extension(Peer(peer.parse().unwrap()))
            .header("x-request-id", "00000000-0000-7000-8000-000000000001");
        for (name, value) in &fixture.headers {
            request = request.header(name, fill_in(value));
        }
        let answered = instance
            .call(request.body(Body::from(body.clone())).unwrap())
            .await;
        let headers = SHOWN
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), answered.header(name)?.to_owned())))
            .collect();
        let answer = (answered.status, headers, answered.json());
        if let Some(first) = &seen {
            assert_eq!(
                *first, answer,
                "{}: a retry was answered otherwise",
                fixture.name
            );
        }
        seen = Some(answer);
    }
    let (status, headers, answer) = seen.unwrap();

    let counts: BTreeMap<String, u64> = instance.outcomes().counts().collect();
    let outcome = match counts.iter().next() {
        None => Value::Null,
        Some((name, 1)) if counts.len() == 1 => Value::from(name.as_str()),
        Some(_) => serde_json::to_value(&counts).unwrap(),
    };
    let reason = REASONS
        .into_iter()
        .filter(|reason| instance.outcomes().refused(*reason) > 0)
        .map(|reason| reason.name().to_owned())
        .collect();
    let mut events = instance.sink.take_json();
    let event = match events.len() {
        0 => Value::Null,
        1 => events.remove(0),
        _ => events.into(),
    };
    Expected {
        status,
        headers,
        answer,
        outcome,
        reason,
        event,
    }
}

#[tokio::test(start_paused = true)]
async fn recorded_requests_are_answered_and_published_as_recorded() {
    let text = fs::read_to_string(FILE).unwrap();
    let mut fixtures: Vec<Fixture> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    assert!(fixtures.len() >= 60, "only {} fixtures", fixtures.len());
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let mut wrong = Vec::new();
    for fixture in &mut fixtures {
        let found = replay(fixture).await;
        if !update && fixture.expected.as_ref() != Some(&found) {
            wrong.push(format!(
                "{}\n  expected {}\n  found    {}",
                fixture.name,
                serde_json::to_string(&fixture.expected).unwrap(),
                serde_json::to_string(&found).unwrap()
            ));
        }
        fixture.expected = Some(found);
    }
    if update {
        let lines: Vec<String> = fixtures
            .iter()
            .map(|fixture| serde_json::to_string(fixture).unwrap() + "\n")
            .collect();
        fs::write(FILE, lines.concat()).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fixture_has_a_unique_name() {
    let text = fs::read_to_string(FILE).unwrap();
    let names: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Fixture>(line).unwrap().name)
        .collect();
    let unique: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
}
