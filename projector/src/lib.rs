//! Events in, tables out: the only writer of the analytics database.
//!
//! The way of a record: [`consumer`] polls it, [`batch`] reads it, [`fold`] says what it changes,
//! [`store`] writes that together with the partition's offset in one transaction.

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

/// The schema of the analytics database.
///
/// Tables of the first two migrations hold rows of another shape; [`rebuild`] makes these from the log.
pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    runtime::database::migrations(&[(
        3,
        "facts by month",
        include_str!("../migrations/0003_facts_by_month.sql"),
    )])
});
