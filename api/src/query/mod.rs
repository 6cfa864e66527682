//! The engine: a request becomes a row's plan, the plan a statement, its rows an answer.
//!
//! The way: row of the catalogue, grant, params ([`run`]), [`plan`], [`sql`], [`source`], names from
//! the main database ([`names`]), numbers ([`compose`]), envelope (the row's surface). Nothing here
//! knows a single report.

mod compose;
mod names;
mod object;
mod plan;
mod run;
mod source;
mod sql;
mod statement;

pub(crate) use object::Object;
pub(crate) use run::{Asked, Grant, answer};

use crate::catalog::REPORTS;
use jiff::Timestamp;
use plan::{Filter, Plan};
use uuid::Uuid;

/// The statement of every report: its id and its text, so that a test can prepare them all on a
/// freshly migrated analytics database.
#[must_use]
pub fn report_statements() -> Vec<(&'static str, String)> {
    let text = |report: &'static crate::catalog::Report| {
        let filter = Filter {
            workspace_no: 0,
            scope: report.scope,
            scope_id: Uuid::nil(),
            since: Timestamp::UNIX_EPOCH,
        };
        let statement = statement::write(&Plan::new(report, filter));
        (report.id, statement.into_text())
    };
    REPORTS.iter().map(text).collect()
}

#[cfg(test)]
mod tests;
