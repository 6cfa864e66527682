//! Tables in, answers out: bio pages, their links, and reports over what visitors did.
//!
//! The way of a report: [`catalog`] says what it is, `query` asks and computes, `surface` speaks its
//! dialect. The way of a change: its handler checks it, `store` writes it with its audit row and its
//! outbox rows, `outbox` publishes it to the directory. The one rule: nothing here writes to the
//! analytics database, and no statement reads both databases.

mod app;
pub mod catalog;
mod config;
mod creators;
mod declared;
mod extract;
mod guard;
mod instant;
mod jsonb;
mod limits;
mod links;
mod number;
pub mod openapi;
mod outbox;
mod patch;
mod program;
mod public;
mod query;
mod refusals;
mod startup;
mod store;
mod surface;
mod tracking_check;
mod turns;

pub use config::{Config, LISTEN};
pub use declared::{declared, parts};
pub use limits::published as published_limits;
pub use links::Words;
pub use program::{run, start};
pub use query::report_statements;
pub use startup::{ANALYTICS_SCHEMA, MIGRATIONS};
pub use store::{ANALYTICS_STATEMENTS, MAIN_STATEMENTS, Statement};
