//! The engine: a request becomes a row's plan, the plan a statement, its rows an answer.
//!
//! The way: row of the catalogue, grant, params ([`run`]), names from the main database ([`names`]),
//! [`plan`], the tenant's turn, [`sql`] and [`source`] ([`reading`]), numbers ([`compose`]), envelope (the row's surface). Nothing here
//! knows a single report.

mod asked;
mod compose;
mod csv;
mod dialect;
mod names;
mod object;
pub(crate) mod openapi;
mod plan;
pub(crate) mod reading;
mod run;
mod source;
mod sql;
mod statement;
mod window;

pub(crate) use asked::{Asked, Condition, Grant};
pub(crate) use dialect::Dialect;
pub(crate) use run::answer;

use crate::catalog::{Param, REPORTS, Report};
use jiff::{Timestamp, tz::TimeZone};
use plan::{Filter, Plan};
use uuid::Uuid;
use window::Window;

/// Every statement that reports run, with a name for each: the plain one, and the one with all that
/// can be asked, so that a test can prepare them on a freshly migrated analytics database.
#[must_use]
pub fn report_statements() -> Vec<(String, String)> {
    REPORTS.iter().flat_map(statements).collect()
}

fn statements(report: &'static Report) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (choice, shape) in report.shape.all() {
        let name = choice.map_or_else(
            || report.id.to_owned(),
            |choice| format!("{}?{choice}", report.id),
        );
        let asked = Asked {
            now: Timestamp::UNIX_EPOCH,
            since: Timestamp::UNIX_EPOCH,
            days: 1,
            page_id: None,
            zone: TimeZone::UTC,
            compare: false,
            choice,
            conditions: Vec::new(),
        };
        let text = |window, conditions| {
            let filter = Filter {
                workspace_no: 0,
                scope: report.scope,
                scope_id: Uuid::nil(),
                window,
                conditions,
            };
            statement::write(&Plan::new(shape, filter, &asked, &[])).into_text()
        };
        let window = Window::since(Timestamp::UNIX_EPOCH);
        all.push((name.clone(), text(window, Vec::new())));
        if report.filters.is_empty() {
            continue;
        }
        let filters = report.filters.iter().map(|dimension| Condition {
            dimension,
            is: vec![String::new()],
            is_not: vec![String::new()],
        });
        let window = if report.params.contains(&Param::Compare) {
            window.before(1)
        } else {
            window
        };
        all.push((format!("{name} filtered"), text(window, filters.collect())));
    }
    all
}

#[cfg(test)]
mod tests;
