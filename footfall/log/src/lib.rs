//! A single-node log that speaks the Kafka protocol on loopback and stores record batches in `SQLite`.
//!
//! It knows nothing of what the records mean. Batches are stored as producers send them and fetched unchanged.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the requests that use it are not there yet")
)]
mod batch;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "the requests that use it are not there yet"
    )
)]
mod store;

pub use store::{
    Durability,
    former::{Migrated, Progress},
};
