//! A single-node log that speaks the Kafka protocol on loopback and stores record batches in `SQLite`.
//!
//! It does not interpret records. Batches are stored as producers send them and fetched unchanged.

mod batch;
mod broker;
mod groups;
mod lock;
mod requests;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use std::path::Path;

pub use self::{
    broker::{Broker, BrokerError, Credentials, MigrationReport, Options},
    store::{
        Durability,
        former::{Migrated, Progress},
    },
};

/// Whether this folder holds a log of the former format, which [`Broker::start`] migrates automatically.
#[must_use]
pub fn is_former_format(dir: &Path) -> bool {
    store::former::is_former(dir)
}

/// Migrates the log of the former format in this folder, and keeps its file under another name.
///
/// Blocks for about a minute per few million records. A crash leaves the former log unchanged, and the next call
/// starts the migration again.
///
/// # Errors
/// If a file cannot be read or written, or the copy differs from the former log. The former log is then unchanged.
pub fn migrate(dir: &Path, mut progress: impl FnMut(Progress)) -> Result<Migrated, BrokerError> {
    store::former::migrate(dir, &mut progress).map_err(|error| BrokerError::of_store(dir, &error))
}
