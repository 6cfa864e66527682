//! Shared parts of every binary: settings, clock, ids, lifecycle, telemetry, Kafka, HTTP.
//!
//! Contains nothing of the product. The one rule: time and randomness enter the program here and
//! are passed on as [`Context`], so that tests control both.

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

/// What a program passes to its services.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids and random bits.
    pub ids: Arc<dyn IdSource>,
    /// Signals the stop, and tracks the tasks that must finish first.
    pub lifecycle: Lifecycle,
    /// Which parts are not ready to serve yet.
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
