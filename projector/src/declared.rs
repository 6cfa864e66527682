//! Declares the settings and metrics of the projector for the program that contains it.

use crate::program::{ANALYTICS, LISTEN};
use runtime::{
    http, kafka,
    metrics::{Metric, Series, combinations},
    settings::{self, Declared, Part},
    telemetry,
};
use schemas::{
    Kind,
    settings::{NAMES, SHARED_WORDS},
};

/// Upper bounds of the histogram's buckets of batch sizes.
const RECORDS: &[f64] = &[1.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 2_000.0, 4_000.0];

const PART: Part = Part {
    settings: &[ANALYTICS],
    metrics: &[
        Metric::counter(
            "projector_events_total",
            &["type", "outcome"],
            "Records by outcome: applied, duplicate, dead.",
        )
        .known(events),
        Metric::counter(
            "projector_batches_total",
            &["result"],
            "Transactions: committed, fenced, moved (the table was set to another offset), failed.",
        )
        .known(|| combinations(&[("result", &["committed", "fenced", "moved", "failed"])])),
        Metric::histogram("projector_batch_seconds", &[], "Time of one transaction."),
        Metric::histogram(
            "projector_batch_records",
            &[],
            "Records in one transaction.",
        )
        .with_buckets(RECORDS),
        Metric::gauge(
            "projector_lag_records",
            &["partition"],
            "Records of the log that are not in the tables yet; 0 for partitions of other projectors.",
        ),
        Metric::gauge(
            "projector_partition_stopped",
            &["partition"],
            "1 while a partition is not written because of a record or a lock; /ready has the reason.",
        ),
        Metric::gauge(
            "projector_waiting_sessions",
            &[],
            "Sessions with events in the tables that do not count: the start is missing or came more than seven days after the event, or the event occurred 24 hours after the start or later. Leaves are ignored. Counted up to 100,000.",
        ),
        Metric::counter(
            "projector_expired_total",
            &[],
            "Events deleted because their session or view did not arrive within seven days, or the session was over.",
        ),
        Metric::counter(
            "projector_generations_total",
            &[],
            "Partitions folded again because their log was replaced or had lost records.",
        ),
        Metric::histogram(
            "projector_delay_seconds",
            &[],
            "Time from an event's receipt to its commit.",
        ),
    ],
};

/// The possible series of records: a readable record has a type and is never dead.
fn events() -> Vec<Series> {
    let kinds = Kind::ALL.map(Kind::name);
    let mut events = combinations(&[("type", &kinds), ("outcome", &["applied", "duplicate"])]);
    events.push(vec![("type", "unreadable"), ("outcome", "dead")]);
    events
}

/// The declarations of the projector in every program that contains it.
#[must_use]
pub const fn parts() -> [&'static Part; 4] {
    [&kafka::PART, &PART, &http::LISTENER, &telemetry::PART]
}

/// The declarations of the binary `projector`.
#[must_use]
pub fn declared() -> Declared {
    const BINARY: Part = Part {
        settings: &[LISTEN],
        metrics: &[],
    };
    let parts = [&settings::PART, &BINARY].into_iter().chain(parts());
    Declared::of(parts, NAMES).sharing(SHARED_WORDS)
}
