//! The api service: bio pages, their links, and reports over the visits of both.
//!
//! A report passes through [`catalog`] (its definition), `query` (plan and numbers), `sources`
//! (reading) and `surfaces` (its dialect). A change is checked by its handler and written by
//! `store`, with its audit row and its outbox rows; `outbox` publishes it to the directory. The one
//! rule: nothing here writes to the analytics database, and no statement reads both databases.

mod app;
mod auth;
mod behavior;
pub mod catalog;
mod command;
mod conditions;
mod config;
mod conversions;
mod counted_clicks;
mod declared;
mod dns;
mod events;
mod extract;
mod instant;
mod jsonb;
mod limits;
mod manage;
mod members;
mod number;
pub mod openapi;
mod outbox;
mod paging;
mod patch;
mod program;
mod public;
mod query;
mod refusals;
mod short_urls;
mod sources;
mod startup;
mod store;
mod surfaces;
mod tracking_check;
mod turns;
mod webhooks;
mod words;

pub use auth::{Permission, Plan};
pub use command::{Command, Object, Subject, Verb};
pub use config::{Config, LISTEN};
pub use conversions::{
    ConversionHistory, FxError, LoadedRates, PastConversion, PastError, PastOutcome, load_rates,
};
pub use declared::{declared, parts};
pub use limits::published as published_limits;
pub use manage::commands;
pub use program::{run, start};
pub use query::{Question, answer_from_rows, report_statements, tally_statements};
pub use startup::{ANALYTICS_SCHEMA, MIGRATIONS};
pub use store::{Statement, analytics_statements, main_statements};
pub use words::Words;
