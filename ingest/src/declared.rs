//! Declares the settings and metrics of ingest for the program that contains it.

use crate::{
    config::{self, LISTEN},
    redirect,
};
use runtime::{
    http, jwt, kafka,
    metrics::{Metric, combinations},
    settings::{self, Declared, Part},
    telemetry, watched_file,
};
use schemas::settings::{NAMES, SHARED_WORDS};

const PART: Part = Part {
    settings: config::SETTINGS,
    metrics: &[
        Metric::counter(
            "ingest_beacons_total",
            &["type", "outcome"],
            "Beacons by outcome; the outcomes add up to the beacons received.",
        ),
        Metric::counter(
            "ingest_refused_total",
            &["reason"],
            "Beacons that were answered but not counted, by reason.",
        ),
        Metric::counter(
            "ingest_clicks_total",
            &["outcome"],
            "Requests for short links by what became of them; `lost` clicks were redirected but are not in the log.",
        )
        .known(|| {
            let outcomes = redirect::Outcome::ALL.map(redirect::Outcome::name);
            combinations(&[("outcome", &outcomes)])
        }),
        Metric::counter(
            "ingest_rules_skipped_total",
            &[],
            "Rules of the directory that cannot be used; their links work without them.",
        ),
        Metric::histogram(
            "ingest_redirect_seconds",
            &[],
            "Time from a request for a short link to its answer.",
        )
        .with_buckets(&[
            0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.005, 0.025, 0.1,
        ]),
        Metric::histogram(
            "ingest_publish_seconds",
            &[],
            "Time from handing events over to their acknowledgement by the log or the spool.",
        ),
        Metric::gauge(
            "ingest_spool_events",
            &[],
            "Events that wait on the disk until Kafka accepts them.",
        ),
        Metric::gauge("ingest_spool_bytes", &[], "Bytes of those events."),
        Metric::gauge(
            "ingest_spool_age_seconds",
            &[],
            "How long the oldest of those events has waited.",
        ),
        Metric::counter(
            "ingest_spooled_total",
            &[],
            "Events that were kept on the disk, because Kafka did not accept them in time.",
        ),
        Metric::counter(
            "ingest_spool_drained_total",
            &[],
            "Events that left the disk, because Kafka has them.",
        ),
        Metric::counter(
            "ingest_spool_refused_total",
            &["reason"],
            "Events that neither Kafka nor the disk accepted, because the spool is full or its disk failed.",
        )
        .known(|| combinations(&[("reason", &["full", "disk"])])),
        Metric::gauge(
            "ingest_directory_entries",
            &["kind"],
            "Entries of the directory in memory.",
        ),
        Metric::gauge(
            "ingest_directory_age_seconds",
            &[],
            "Time since the directory was last known to be complete.",
        ),
    ],
};

/// The declarations of ingest in every program that contains it.
#[must_use]
pub const fn parts() -> [&'static Part; 7] {
    [
        &kafka::PART,
        &jwt::PART,
        &PART,
        &http::PUBLIC,
        &http::LISTENER,
        &watched_file::PART,
        &telemetry::PART,
    ]
}

/// The declarations of the binary `ingest`.
#[must_use]
pub fn declared() -> Declared {
    const BINARY: Part = Part {
        settings: &[LISTEN],
        metrics: &[],
    };
    let parts = [&settings::PART, &BINARY].into_iter().chain(parts());
    Declared::of(parts, NAMES).sharing(SHARED_WORDS)
}
