//! Receives beacons over HTTP and publishes them as events to the log.
//!
//! Owns everything between a request's first byte and the log's acknowledgement. It reads the
//! directory topic and uses no database. The one rule: addresses, raw visitor ids and user ids
//! never leave this crate.

pub mod accept;
pub mod batch;
mod body;
pub mod config;
mod declared;
pub mod directory;
pub mod enrich;
pub mod geo_file;
pub mod history;
pub mod intake;
pub mod limits;
pub mod network_file;
pub mod openapi;
pub mod outcome;
pub mod redirect;
pub mod refusals;
mod request;
pub mod routes;
pub mod secrets;
pub mod sessions;
pub mod sink;
mod start;
mod tracker;
mod workers;

#[cfg(test)]
mod tests;

pub use config::{Config, LISTEN};
pub use declared::{declared, parts};
pub use intake::Intake;
pub use outcome::Outcomes;
pub use sink::Outgoing;
pub use start::{Ingest, acceptor, run, start};
pub use workers::{DIRECTORY_PART, LOG_PART};
