//! A whole system in a test: real PostgreSQL, a real log, the three services, HTTP in front.
//!
//! Each [`System`] has databases and a log of its own, so tests run in parallel. With `KAFKA_BROKERS`
//! set the log is that cluster's; its topics are made anew for each system, one system at a time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

pub mod ask;
pub mod child;
pub mod client;
pub mod expected;
mod expected_file;
pub mod file;
pub mod home;
pub mod log;
pub mod oracle;
pub mod postgres;
pub mod raw;
pub mod system;
pub mod traffic;

pub use client::{Answer, Client, Creator};
pub use system::{System, SystemBuilder};

use jiff::Timestamp;

/// Where the clocks of tests stand: a Friday noon in UTC, far from any change of an hour.
#[must_use]
pub fn noon() -> Timestamp {
    "2027-03-05T12:00:00Z".parse().unwrap_or_default()
}
