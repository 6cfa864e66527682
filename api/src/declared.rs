//! The settings and metrics of the api, for the program that runs it.

use crate::{
    config::{self, LISTEN},
    conversions::public::OUTCOMES,
    webhooks::OUTCOMES as OUTCOMES_OF_ATTEMPTS,
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
        Metric::counter(
            "api_webhook_attempts_total",
            &["outcome"],
            "Attempts to send an event to a webhook, by their outcome.",
        )
        .known(|| combinations(&[("outcome", &OUTCOMES_OF_ATTEMPTS)])),
        Metric::counter(
            "api_webhooks_switched_off_total",
            &[],
            "Webhooks that were switched off after days of failures.",
        ),
        Metric::gauge(
            "api_webhook_deliveries_waiting",
            &[],
            "Deliveries of webhooks that wait, in the api that sends.",
        ),
        Metric::gauge(
            "api_webhook_oldest_seconds",
            &[],
            "Age of the oldest delivery that waits, in the api that sends.",
        ),
        Metric::gauge(
            "api_webhook_sending",
            &[],
            "1 in the api that sends webhooks, 0 in those on standby.",
        ),
        Metric::histogram(
            "api_webhook_attempt_seconds",
            &[],
            "Time of an attempt to send an event to a webhook.",
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
