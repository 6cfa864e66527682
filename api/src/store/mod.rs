//! The statements on the main database, in one file for each table.
//!
//! Each file lists its statements in `STATEMENTS`, so that a test prepares all of them on a freshly
//! migrated database; the test also finds a statement that no list has. The one rule: a change
//! writes its rows, its audit row and its outbox rows in one transaction.

pub(crate) mod audit;
pub(crate) mod buckets;
pub(crate) mod campaigns;
pub(crate) mod clicks;
pub(crate) mod conversions;
pub(crate) mod counted_clicks;
pub(crate) mod creators;
pub(crate) mod customers;
pub(crate) mod directory;
pub(crate) mod domains;
pub(crate) mod event_outbox;
pub(crate) mod folders;
pub(crate) mod followed_conversions;
pub(crate) mod fx;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod links_of;
pub(crate) mod listed;
pub(crate) mod members;
pub(crate) mod mobile_apps;
pub(crate) mod outbox;
pub(crate) mod pages;
pub(crate) mod postback_tokens;
pub(crate) mod public;
pub(crate) mod qr_codes;
pub(crate) mod record;
pub(crate) mod refunds;
mod row;
pub(crate) mod rules;
pub(crate) mod short_codes;
pub(crate) mod short_hosts;
pub(crate) mod short_links;
mod statement;
mod stored;
pub(crate) mod tags;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_feeds;
pub(crate) mod webhooks;
pub(crate) mod workspaces;

pub use statement::Statement;
pub(crate) use statement::statements;
pub(crate) use stored::{Bound, Stored, find, list};

use sqlx::{Transaction, error::DatabaseError};

/// A transaction on the main database.
pub(crate) type Tx<'a> = Transaction<'a, sqlx::Postgres>;

/// Every fixed statement on the main database.
#[must_use]
pub fn main_statements() -> Vec<Statement> {
    [
        audit::STATEMENTS,
        buckets::STATEMENTS,
        campaigns::STATEMENTS,
        conversions::STATEMENTS,
        counted_clicks::STATEMENTS,
        creators::STATEMENTS,
        customers::STATEMENTS,
        directory::STATEMENTS,
        domains::STATEMENTS,
        event_outbox::STATEMENTS,
        folders::STATEMENTS,
        fx::STATEMENTS,
        inventory::STATEMENTS,
        keys::STATEMENTS,
        links::STATEMENTS,
        links_of::STATEMENTS,
        listed::STATEMENTS,
        members::STATEMENTS,
        mobile_apps::STATEMENTS,
        outbox::STATEMENTS,
        pages::STATEMENTS,
        postback_tokens::STATEMENTS,
        public::STATEMENTS,
        qr_codes::STATEMENTS,
        refunds::STATEMENTS,
        rules::STATEMENTS,
        short_codes::STATEMENTS,
        short_hosts::STATEMENTS,
        short_links::STATEMENTS,
        tags::STATEMENTS,
        webhook_deliveries::STATEMENTS,
        webhook_feeds::STATEMENTS,
        webhooks::STATEMENTS,
        workspaces::STATEMENTS,
        crate::events::statements::MAIN_STATEMENTS,
    ]
    .concat()
}

/// Every fixed statement on the analytics database; those of reports are built, see
/// [`report_statements`](crate::report_statements).
#[must_use]
pub fn analytics_statements() -> Vec<Statement> {
    [
        clicks::STATEMENTS,
        counted_clicks::ANALYTICS_STATEMENTS,
        followed_conversions::STATEMENTS,
        crate::events::statements::ANALYTICS_STATEMENTS,
        crate::query::reading::STATEMENTS,
        crate::startup::STATEMENTS,
    ]
    .concat()
}

/// The name of the constraint that an insert broke, if it broke one.
pub(crate) fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(DatabaseError::constraint)
}
