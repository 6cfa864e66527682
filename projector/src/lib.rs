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
pub mod store;

pub use declared::{declared, parts};
pub use program::{Config, LISTEN, PLANNER, run, start};
pub use store::{Claim, Store};

use sqlx::migrate::Migrator;
use std::sync::LazyLock;

/// The schema of the analytics database.
pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    runtime::database::migrations(&[
        (1, "base", include_str!("../migrations/0001_base.sql")),
        (
            2,
            "fold by neighbours",
            include_str!("../migrations/0002_fold_by_neighbours.sql"),
        ),
    ])
});
