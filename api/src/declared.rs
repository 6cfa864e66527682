//! The settings and metrics of the api, for the program that runs it.

use crate::{
    config::{self, LISTEN},
    conversions::public::OUTCOMES,
};
use runtime::{
    http, jwt, kafka,
    metrics::{Metric, combinations},
    settings::{self, Declared, Part},
    telemetry,
};
use schemas::{
    events::ConversionSource,
    settings::{NAMES, SHARED_WORDS},
};

const PART: Part = Part {
    settings: config::SETTINGS,
    metrics: &[
        Metric::counter(
            "api_outbox_published_total",
            &[],
            "Changes of the main database published to the directory.",
        ),
        Metric::gauge(
            "api_outbox_waiting",
            &[],
            "Changes that wait to be published.",
        ),
        Metric::gauge(
            "api_outbox_publishing",
            &[],
            "1 in the api that publishes changes, 0 in those on standby.",
        ),
        Metric::counter(
            "api_conversions_total",
            &["source", "outcome"],
            "Calls that report conversions, by their outcome.",
        )
        .known(|| {
            let sources = ConversionSource::NAMES;
            combinations(&[("source", sources), ("outcome", &OUTCOMES)])
        }),
        Metric::counter(
            "api_events_published_total",
            &[],
            "Events of the main database published to the log.",
        ),
        Metric::gauge(
            "api_events_waiting",
            &[],
            "Events that wait to be published.",
        ),
        Metric::counter(
            "api_counts_missing_total",
            &[],
            "Answers with links or QR codes whose counts could not be read.",
        ),
        Metric::histogram(
            "api_report_seconds",
            &["report"],
            "Time of a report, or of the counts of a list, by row id.",
        ),
    ],
};

/// The settings and metrics of the api, wherever it runs.
#[must_use]
pub const fn parts() -> [&'static Part; 6] {
    [
        &PART,
        &kafka::PART,
        &jwt::PART,
        &http::PUBLIC,
        &http::LISTENER,
        &telemetry::PART,
    ]
}

/// The settings and metrics of the binary.
#[must_use]
pub fn declared() -> Declared {
    const BINARY: Part = Part {
        settings: &[LISTEN],
        metrics: &[],
    };
    let parts = [&settings::PART, &BINARY].into_iter().chain(parts());
    Declared::of(parts, NAMES).sharing(SHARED_WORDS)
}
