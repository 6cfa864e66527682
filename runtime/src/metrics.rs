//! Metrics: declared by the code that records them, described and set to 0 when a program starts.
//!
//! Two rules. Labels are bounded: the id of a route or report, never a path, a tenant or another
//! id. And every counter exists with 0 before its first event, for each value of its labels.
//! Prometheus sees an increase only between two samples, so an alert would miss an event that
//! creates the counter.

use metrics::Label;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use std::sync::OnceLock;

/// How a metric changes over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values in buckets.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// `<service>_<thing>_<unit>[_total]`
    pub name: &'static str,
    /// How it changes over time.
    pub kind: MetricKind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Its meaning.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets; empty for the buckets of times.
    buckets: &'static [f64],
    /// The series that are known at the start.
    series: Option<fn() -> Vec<Series>>,
}

/// The labels of one series, with their values.
pub type Series = Vec<(&'static str, &'static str)>;

impl Metric {
    /// A counter. Without labels, it exists from the start.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(name, MetricKind::Counter, labels, help)
    }

    /// A gauge.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(name, MetricKind::Gauge, labels, help)
    }

    /// A histogram of times in seconds.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self::new(name, MetricKind::Histogram, labels, help)
    }

    const fn new(
        name: &'static str,
        kind: MetricKind,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            labels,
            help,
            buckets: &[],
            series: None,
        }
    }

    /// The same histogram with buckets up to these bounds.
    #[must_use]
    pub const fn with_buckets(self, buckets: &'static [f64]) -> Self {
        Self { buckets, ..self }
    }

    /// The same counter, which exists from the start in these series.
    #[must_use]
    pub const fn known(self, series: fn() -> Vec<Series>) -> Self {
        Self {
            series: Some(series),
            ..self
        }
    }

    /// Creates a counter in every known series.
    fn zero(&self) {
        let series = match self.series {
            Some(series) => series(),
            None if self.labels.is_empty() => vec![Series::new()],
            // The code that records the others creates them.
            None => Vec::new(),
        };
        zero(self.name, series);
    }
}

/// Upper bounds of the buckets of time histograms, in seconds.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Classes of HTTP statuses, the values of `status`.
pub const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The value of `route` for requests that no route answers.
pub const NO_ROUTE: &str = "none";

/// Every combination of these values of labels.
#[must_use]
pub fn combinations(labels: &[(&'static str, &[&'static str])]) -> Vec<Series> {
    let mut combinations = vec![Series::new()];
    for (label, values) in labels {
        let extended = combinations.iter().flat_map(|combination| {
            values.iter().map(move |value| {
                let mut extended = combination.clone();
                extended.push((*label, *value));
                extended
            })
        });
        combinations = extended.collect();
    }
    combinations
}

/// Creates a counter in these series. Existing counts stay.
pub fn zero(name: &'static str, series: Vec<Series>) {
    for labels in series {
        let labels = labels.into_iter();
        let labels: Vec<Label> = labels
            .map(|(label, value)| Label::from_static_parts(label, value))
            .collect();
        metrics::counter!(name, labels).increment(0);
    }
}

/// Creates the counters of answered requests for every route of an OpenAPI document.
pub fn zero_routes(document: &Value) {
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let routes = paths.map(|(path, _)| path.clone());
    for route in routes.chain([NO_ROUTE.to_owned()]) {
        for class in STATUS_CLASSES {
            metrics::counter!("http_requests_total", "route" => route.clone(), "status" => class)
                .increment(0);
        }
    }
}

/// Starts recording these metrics: describes them and creates their counters. The buckets of
/// histograms count only in a process's first call.
pub fn start(metrics: &[Metric]) {
    // Before the loop, because descriptions without a recorder are lost.
    recorder(metrics);
    for metric in metrics {
        match metric.kind {
            MetricKind::Counter => {
                metrics::describe_counter!(metric.name, metric.help);
                metric.zero();
            }
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

/// The source of `/metrics`. Starts recording if nothing has done so.
#[must_use]
pub fn install() -> PrometheusHandle {
    recorder(&[])
}

fn recorder(metrics: &[Metric]) -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = builder(metrics)
                .unwrap_or_else(|_| PrometheusBuilder::new())
                .build_recorder();
            let handle = recorder.handle();
            // An error means that another recorder is installed; `/metrics` then stays empty.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

fn builder(metrics: &[Metric]) -> Result<PrometheusBuilder, BuildError> {
    let mut builder = PrometheusBuilder::new().set_buckets(SECONDS)?;
    for metric in metrics.iter().filter(|metric| !metric.buckets.is_empty()) {
        let name = Matcher::Full(metric.name.to_owned());
        builder = builder.set_buckets_for_metric(name, metric.buckets)?;
    }
    Ok(builder)
}
