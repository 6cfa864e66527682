//! Every metric of every service: name, kind, labels, meaning. `/metrics` shows exactly these.
//!
//! Two rules. Labels are bounded; a route's or report's id, never a path, a tenant or an id. And every counter is there
//! with 0 before its first event, with each value of its labels: Prometheus sees an increase only between two samples, so
//! an alert would miss an event that makes the counter appear.

use metrics::Label;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use std::sync::OnceLock;

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Spreads over buckets.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// `<service>_<thing>_<unit>[_total]`
    pub name: &'static str,
    /// What it does over time.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        labels,
        help,
    }
}
const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Gauge,
        labels,
        help,
    }
}
const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram,
        labels,
        help,
    }
}

/// The list.
pub const METRICS: &[Metric] = &[
    counter(
        "http_requests_total",
        &["route", "status"],
        "Requests answered, by route id and status class.",
    ),
    histogram(
        "http_request_seconds",
        &["route"],
        "Time from a request's head to its answer.",
    ),
    counter("http_throttled_total", &["route"], "Requests answered 429."),
    gauge("http_connections", &[], "Open connections."),
    counter(
        "http_connections_dropped_total",
        &["reason"],
        "Connections closed by the server: the client was slow (head, idle, write), room was needed (room), or its address had too many (address).",
    ),
    counter(
        "files_reloaded_total",
        &["file", "result"],
        "Files that changed (geoip, jwks): used, or refused while the former one stays in use.",
    ),
    counter(
        "kafka_producers_replaced_total",
        &[],
        "Producers replaced after a fatal error.",
    ),
    counter(
        "ingest_beacons_total",
        &["type", "outcome"],
        "Beacons by what became of them; outcomes sum to what came in.",
    ),
    counter(
        "ingest_refused_total",
        &["reason"],
        "Beacons that were answered and not counted, by reason.",
    ),
    histogram(
        "ingest_publish_seconds",
        &[],
        "Time from handing records to the producer to their acknowledgement.",
    ),
    gauge(
        "ingest_directory_entries",
        &["kind"],
        "Entries of the directory in memory.",
    ),
    gauge(
        "ingest_directory_age_seconds",
        &[],
        "Time since the directory was last known to be complete.",
    ),
    counter(
        "projector_events_total",
        &["type", "outcome"],
        "Records by what became of them: applied, duplicate, dead.",
    ),
    counter(
        "projector_batches_total",
        &["result"],
        "Transactions: committed, fenced, moved (the table was set to another place), failed.",
    ),
    histogram("projector_batch_seconds", &[], "Time of one transaction."),
    histogram(BATCH_RECORDS, &[], "Records in one transaction."),
    gauge(
        "projector_lag_records",
        &["partition"],
        "Records of the log that are not in the tables yet; 0 for partitions of other projectors.",
    ),
    gauge(
        "projector_partition_stopped",
        &["partition"],
        "1 while a partition is not written because of a record or a lock; /ready says why.",
    ),
    gauge(
        "projector_waiting_sessions",
        &[],
        "Sessions named by an event in the tables that does not count: their start is missing, or came more than seven days later, or the event occurred 24 hours after it or later. Leaves name a view instead, and are not looked at. Counted up to 100,000.",
    ),
    counter(
        "projector_expired_total",
        &[],
        "Events dropped because their session or view did not arrive within seven days, or was over.",
    ),
    counter(
        "projector_generations_total",
        &[],
        "Logs found to be another one than the tables were made from.",
    ),
    histogram(
        "projector_delay_seconds",
        &[],
        "Time from an event's receipt to its commit.",
    ),
    counter(
        "api_outbox_published_total",
        &[],
        "Changes of the main database published to the directory.",
    ),
    gauge(
        "api_outbox_waiting",
        &[],
        "Changes that wait to be published.",
    ),
    gauge(
        "api_outbox_publishing",
        &[],
        "1 in the api that publishes changes, 0 in those that would take over from it.",
    ),
    histogram(
        "api_report_seconds",
        &["report"],
        "Time of a report, by row id.",
    ),
    gauge(
        "embedded_log_broken",
        &[],
        "1 after the disk failed to keep what the embedded log wrote; nothing is acknowledged until the next start.",
    ),
    counter(
        "embedded_log_write_failures_total",
        &[],
        "Commits of the embedded log that failed, a full disk included.",
    ),
    gauge(
        "embedded_log_connections",
        &[],
        "Open connections to the embedded log.",
    ),
    counter(
        "embedded_log_connections_refused_total",
        &[],
        "Connections that the embedded log closed because there were too many.",
    ),
    counter(
        "embedded_log_authentication_failures_total",
        &[],
        "Wrong names or passwords given to the embedded log.",
    ),
    counter(
        "embedded_log_requests_refused_total",
        &[],
        "Requests that ended their connection to the embedded log: damaged, too large, or before the password.",
    ),
];

/// Upper bounds of the buckets of time histograms, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Upper bounds of the buckets of [`BATCH_RECORDS`].
const RECORDS: &[f64] = &[1.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 2_000.0, 4_000.0];
const BATCH_RECORDS: &str = "projector_batch_records";

/// Classes of HTTP statuses, the values of `status`.
pub const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The value of `route` for requests that no route answers.
pub const NO_ROUTE: &str = "none";
/// What became of a file that changed, the values of `result`.
pub(crate) const FILE_RESULTS: [&str; 2] = ["used", "refused"];
/// Files that are looked at, the values of `file`.
const FILES: [&str; 2] = ["geoip", "jwks"];

/// Makes a counter appear, with every combination of these values of its labels. What was counted already stays.
pub fn zero(name: &'static str, labels: &[(&'static str, &[&'static str])]) {
    let mut combinations = vec![Vec::new()];
    for (label, values) in labels {
        let extended = combinations.iter().flat_map(|combination: &Vec<Label>| {
            values.iter().map(move |value| {
                let mut extended = combination.clone();
                extended.push(Label::from_static_parts(label, value));
                extended
            })
        });
        combinations = extended.collect();
    }
    for combination in combinations {
        metrics::counter!(name, combination).increment(0);
    }
}

/// Makes the counters of answered requests appear for every route of an OpenAPI document.
pub fn zero_routes(document: &Value) {
    let paths = document["paths"].as_object().into_iter().flatten();
    let routes = paths.map(|(path, _)| path.clone());
    for route in routes.chain([NO_ROUTE.to_owned()]) {
        for class in STATUS_CLASSES {
            metrics::counter!("http_requests_total", "route" => route.clone(), "status" => class)
                .increment(0);
        }
    }
}

/// Starts recording and describes every metric. Later calls give the same handle.
pub fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let builder = builder
                .set_buckets(SECONDS)
                .and_then(|builder| {
                    builder.set_buckets_for_metric(Matcher::Full(BATCH_RECORDS.to_owned()), RECORDS)
                })
                .unwrap_or_else(|_| PrometheusBuilder::new());
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            // An error means that someone else records already; `/metrics` then stays empty.
            let _ = metrics::set_global_recorder(recorder);
            for metric in METRICS {
                match metric.kind {
                    MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
                    MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                    MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
                }
            }
            zero("kafka_producers_replaced_total", &[]);
            zero(
                "http_connections_dropped_total",
                &[("reason", &["head", "idle", "write", "room", "address"])],
            );
            zero(
                "files_reloaded_total",
                &[("file", &FILES), ("result", &FILE_RESULTS)],
            );
            handle
        })
        .clone()
}
