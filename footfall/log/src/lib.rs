//! A single-node log that speaks the Kafka protocol on loopback and stores record batches in `SQLite`.
//!
//! It knows nothing of what the records mean. Batches are stored as producers send them and fetched unchanged.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "compaction and migration are not there yet")
)]
mod batch;
mod broker;
mod groups;
mod requests;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "compaction and migration are not there yet"
    )
)]
mod store;
#[cfg(test)]
mod tests;
mod wire;

pub use self::{
    broker::{Broker, BrokerError, Credentials, Options},
    store::Durability,
};
