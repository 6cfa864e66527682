//! What every binary needs: settings, clock and ids, lifecycle, telemetry, metrics, Kafka, HTTP.
//!
//! Owns nothing of the product. The one rule: time and randomness enter the program here and are
//! handed on as [`Context`], so that a test decides both.

pub mod clock;
pub mod database;
mod foreign_lines;
pub mod health_check;
pub mod http;
pub mod jwt;
pub mod kafka;
pub mod lifecycle;
pub mod members;
pub mod metrics;
pub mod open_files;
pub mod openapi;
#[cfg(test)]
mod plain_dialect;
pub mod private;
pub mod program;
pub mod readiness;
pub mod service;
pub mod settings;
pub mod telemetry;
pub mod throttle;
pub mod toml_text;
pub mod watched_file;

pub use clock::{Clock, IdSource, ManualClock, SeededIds, SystemClock, SystemIds};
pub use kafka::{Producer, producer, topics};
pub use lifecycle::Lifecycle;
pub use readiness::Readiness;
pub use settings::Settings;

use std::sync::Arc;

/// What a service gets from the program it runs in.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids and random bits.
    pub ids: Arc<dyn IdSource>,
    /// When to stop, and who must have finished.
    pub lifecycle: Lifecycle,
    /// What is still missing before the program can serve.
    pub readiness: Readiness,
}

impl Context {
    /// The real clock and real randomness.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            lifecycle: Lifecycle::default(),
            readiness: Readiness::default(),
        }
    }
}
