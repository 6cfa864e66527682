//! Folds events from the log into tables. The only writer of the analytics database.
//!
//! The path of a record: [`consumer`] polls it, [`batch`] parses it, [`fold`] computes its changes,
//! and [`store`] writes them and the partition's offset in one transaction.

pub mod batch;
pub mod consumer;
pub mod dead_letters;
mod declared;
pub mod expiry;
pub mod fold;
pub mod identity;
pub mod program;
pub mod rebuild;
pub mod rows;
pub mod store;

pub use declared::{declared, parts};
pub use program::{Config, LISTEN, PLANNER, run, start};
pub use store::{Claim, Store};

use sqlx::migrate::Migrator;
use std::sync::LazyLock;

/// The schema of the analytics database: the files of `projector/migrations`.
///
/// The tables of the first two migrations have rows of another layout; [`rebuild`] makes the
/// present ones from the log.
pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    runtime::database::migrations(include!(concat!(env!("OUT_DIR"), "/migrations.rs")))
});

/// Every fixed statement, so that a test can prepare each on a freshly migrated database. Each file
/// lists its own; the test finds a statement that no list has.
#[must_use]
pub fn statements() -> Vec<&'static str> {
    [store::statements(), rebuild::statements()].concat()
}
