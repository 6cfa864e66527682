//! A whole system in a test: real PostgreSQL, a real log, the three services, and HTTP in front.
//!
//! Each [`System`] has its own databases and log, so tests run in parallel. With `KAFKA_BROKERS`
//! set the log is that cluster's; each system creates its topics again, and systems run one at a time.

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
pub mod expected_links;
pub mod file;
pub mod home;
pub mod link_traffic;
pub mod log;
pub mod oracle;
pub mod plain;
pub mod postgres;
pub mod raw;
pub mod system;
pub mod traffic;

pub use client::{Answer, Client, Creator};
pub use system::{System, SystemBuilder};

use jiff::Timestamp;

/// The time of tests' clocks: a Friday noon in UTC, far from any change of daylight-saving time.
#[must_use]
pub fn noon() -> Timestamp {
    "2027-03-05T12:00:00Z".parse().unwrap_or_default()
}
