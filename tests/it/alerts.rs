//! A program after its start: its metrics have every series that the alerts of `deploy/prometheus` use, and its log
//! has no noise.

use crate::program::{ready, start};
use kit::{child::Program, home::Home, system::PATIENCE};
use runtime::metrics::{Metric, MetricKind, NO_ROUTE, STATUS_CLASSES};
use serde_json::Value;
use serde_norway::Value as Yaml;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    time::Duration,
};

const RULES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/prometheus/alerts.yml"
);

/// A metric's name and its required labels, as a rule or a sample states them.
type Series = (String, BTreeMap<String, String>);

/// The metrics of the program.
fn declared() -> Vec<Metric> {
    footfall::declared().metrics().to_vec()
}

/// The expressions of all rules.
fn expressions() -> Vec<String> {
    let file: Yaml = serde_norway::from_str(&fs::read_to_string(RULES).unwrap()).unwrap();
    let groups = file["groups"].as_sequence().unwrap();
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_sequence().unwrap());
    rules
        .map(|rule| rule["expr"].as_str().unwrap().to_owned())
        .collect()
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split("\",").filter_map(|pair| {
        let (name, value) = pair.split_once("=\"")?;
        // `route!="none"` names no series.
        (!name.ends_with('!')).then(|| {
            (
                name.trim().to_owned(),
                value.trim_end_matches('"').to_owned(),
            )
        })
    });
    pairs.collect()
}

/// Our series that an expression uses.
fn asked_for(expression: &str) -> Vec<Series> {
    let metrics = declared();
    let known = metrics.iter().filter_map(|metric| {
        let (_, behind) = expression.split_once(metric.name)?;
        let selector = behind
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'));
        let labels = selector.map_or_else(BTreeMap::new, |(text, _)| labels(text));
        Some((metric.name.to_owned(), labels))
    });
    known.collect()
}

/// The samples in a response of `/metrics`.
fn samples(text: &str) -> Vec<(Series, f64)> {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, rest) = series.split_once('{').unwrap_or((series, ""));
            let series = (name.to_owned(), labels(rest.trim_end_matches('}')));
            (series, value.parse().unwrap())
        })
        .collect()
}

fn found<'a>(samples: &'a [(Series, f64)], wanted: &Series) -> Vec<&'a (Series, f64)> {
    let fits = |(series, _): &&(Series, f64)| {
        series.0 == wanted.0 && wanted.1.iter().all(|(k, v)| series.1.get(k) == Some(v))
    };
    samples.iter().filter(fits).collect()
}

fn kind(name: &str) -> MetricKind {
    let metrics = declared();
    let metric = metrics.iter().find(|metric| metric.name == name);
    metric.unwrap().kind
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_alerts_exist_before_their_first_event() {
    let folder = Home::new();
    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    let url = format!("http://{}/metrics", run["listen"].as_str().unwrap());
    let asked: BTreeSet<Series> = expressions()
        .iter()
        .flat_map(|expression| {
            let asked = asked_for(expression);
            assert!(
                !asked.is_empty() || expression.starts_with("up "),
                "{expression}"
            );
            asked
        })
        .collect();
    assert!(asked.len() >= 10, "{asked:?}");
    let page = async || reqwest::get(&url).await.unwrap().text().await.unwrap();

    let begun = tokio::time::Instant::now();
    loop {
        let samples = samples(&page().await);
        let missing: Vec<&Series> = asked
            .iter()
            .filter(|series| found(&samples, series).is_empty())
            .collect();
        // A gauge appears when its owner sets it for the first time.
        let due = missing
            .iter()
            .all(|(name, _)| kind(name) == MetricKind::Gauge);
        assert!(due && begun.elapsed() < PATIENCE, "missing: {missing:?}");
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let samples = samples(&page().await);
    for series in &asked {
        for ((name, labels), value) in found(&samples, series) {
            if kind(name) == MetricKind::Counter {
                assert!(*value == 0.0, "{name} {labels:?} is {value}");
            }
        }
    }
    for metric in declared()
        .iter()
        .filter(|metric| metric.kind == MetricKind::Counter)
    {
        let series = (metric.name.to_owned(), BTreeMap::new());
        assert!(!found(&samples, &series).is_empty(), "{}", metric.name);
    }
    for route in [
        "/api/v1/analytics/session",
        "/api/v1/creators/{creatorId}/bio",
        "/ready",
        NO_ROUTE,
    ] {
        for class in STATUS_CLASSES {
            let labels = [("route", route), ("status", class)];
            let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let series = ("http_requests_total".to_owned(), labels.into());
            assert!(!found(&samples, &series).is_empty(), "{route} {class}");
        }
    }
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}

/// The process in `run.json`, once the program is ready.
async fn running(folder: &Path) -> String {
    let begun = tokio::time::Instant::now();
    loop {
        let text = fs::read_to_string(folder.join("run.json")).unwrap_or_default();
        let run: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(pid) = run["pid"].as_u64() {
            return pid.to_string();
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "not ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_run_logs_no_failure_and_nothing_about_the_build() {
    let folder = Home::new();
    let running_program = {
        let folder = folder.to_str().unwrap().to_owned();
        tokio::task::spawn_blocking(move || {
            let environment = [
                ("FOOTFALL_DATA_DIR", folder.as_str()),
                ("FOOTFALL_LISTEN", "127.0.0.1:0"),
                ("KAFKA_BROKERS", ""),
                ("DATABASE_URL", ""),
                ("KAFKA_SOCKET_NO_SUCH_NAME", "1"),
                // Only producers use this setting. In any other client librdkafka would warn about
                // it.
                ("KAFKA_LINGER_MS", "5"),
                ("LOG_FORMAT", "json"),
                ("RUST_LOG", "info"),
            ];
            Program::run("footfall", &["up"], &environment, b"")
        })
    };
    let pid = running(&folder).await;
    let killed = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(killed.unwrap().success());
    let ended = running_program.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.err);

    let lines = ended.err.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 5, "{}", ended.err);
    let level = |line: &Value| line["level"].as_str().unwrap_or_default().to_owned();
    let (about_name, others): (Vec<&Value>, Vec<&Value>) = lines
        .iter()
        .filter(|line| ["WARN", "ERROR"].contains(&level(line).as_str()))
        .partition(|line| line.to_string().contains("KAFKA_SOCKET_NO_SUCH_NAME"));
    assert!(others.is_empty(), "{others:?}");
    assert!(about_name.len() <= 1, "reported repeatedly: {about_name:?}");
    for line in &lines {
        let members = line.as_object().unwrap();
        for place in ["log.file", "log.line", "log.module_path", "filename"] {
            assert!(!members.contains_key(place), "{line}");
        }
    }
}
