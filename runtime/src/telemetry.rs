//! Log lines: text on a terminal, JSON elsewhere, always on standard error.

pub use crate::foreign_lines::expect_lost_brokers;

use crate::{
    Settings, foreign_lines,
    settings::{Part, Setting},
};
use std::io::IsTerminal;
use tracing::subscriber::set_global_default;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt};

const FORMAT: Setting = Setting::new(
    "LOG_FORMAT",
    "text on a terminal, else json",
    "text or json; logs go to standard error",
);
const FILTER: Setting = Setting::new(
    "RUST_LOG",
    "info",
    "which log lines to write, as tracing filters",
);

/// Settings of logging.
pub const PART: Part = Part {
    settings: &[FORMAT, FILTER],
    metrics: &[],
};

/// Starts logging as `LOG_FORMAT` and `RUST_LOG` say. Further calls change nothing, so every test
/// may call it.
pub fn start(settings: &mut Settings) {
    let terminal = std::io::stderr().is_terminal();
    let format = settings
        .text(FORMAT)
        .unwrap_or_else(|| if terminal { "text" } else { "json" }.to_owned());
    if !["text", "json"].contains(&format.as_str()) {
        settings.problem(FORMAT, format!("is {format:?}; give text or json"));
    }
    let filter = settings
        .text(FILTER)
        .unwrap_or_else(|| FILTER.default.to_owned());
    let filter = EnvFilter::try_new(&filter).unwrap_or_else(|error| {
        settings.problem(
            FILTER,
            format!("cannot be read: {error}; for example `info,ingest=debug`"),
        );
        EnvFilter::new(FILTER.default)
    });
    // Other crates log peers and payloads below `info`; addresses must not reach any line of ours.
    let filter = quiet_third_parties(filter);
    let registry = tracing_subscriber::registry().with(filter);
    // An error means that a subscriber exists already, which is fine.
    let started = if format == "json" {
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr);
        set_global_default(registry.with(layer))
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(terminal)
            .with_writer(std::io::stderr);
        set_global_default(registry.with(layer))
    };
    if started.is_ok() {
        foreign_lines::take();
    }
}

fn quiet_third_parties(filter: EnvFilter) -> EnvFilter {
    [
        "hyper=warn",
        "hyper_util=warn",
        "sqlx=warn",
        // Ends of partitions and lost connections arrive as errors; our own lines say what they
        // mean.
        "rdkafka::client=off",
    ]
    .into_iter()
    .filter_map(|directive| directive.parse().ok())
    .fold(filter, EnvFilter::add_directive)
}
