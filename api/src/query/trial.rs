//! Runs reports without their routes, for tests.
//!
//! Gives the texts of statements, and answers to rows outside the catalogue.

use super::{asked::Asked, board, compose::compose, names::Names, plan::plan};
use crate::{
    catalog::{Param, Report, Scope, Shape},
    sources::{self, Condition, Filter, Price, Source, Window},
};
use jiff::{Timestamp, tz::TimeZone};
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;

/// Every statement of these reports, each with a name: the plain one, and the one with all filters.
/// A test prepares them on a freshly migrated analytics database.
#[must_use]
pub fn report_statements(reports: &'static [Report]) -> Vec<(String, String)> {
    reports.iter().flat_map(statements).collect()
}

fn statements(report: &'static Report) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (choice, shape) in report.shape.all() {
        let name = choice.map_or_else(
            || report.id.to_owned(),
            |choice| format!("{}?{choice}", report.id),
        );
        let question = Question {
            workspace_no: 0,
            scope_id: Some(Uuid::nil()),
            now: Timestamp::UNIX_EPOCH,
            within: Vec::new(),
            since: Timestamp::UNIX_EPOCH,
            days: 1,
            zone: TimeZone::UTC,
        };
        let mut add = |name: &str, window, conditions: Vec<Condition>| {
            let full = !conditions.is_empty();
            let mut filter = question.filter(report, window, conditions);
            if full {
                filter.prices = [Price::default()].into();
            }
            let asked = question.asked(choice);
            let Shape::Board(board) = shape else {
                let meta = report.meta.unwrap_or_default();
                let plan = plan(shape, filter, &asked, &[], meta);
                all.push((name.to_owned(), sources::raw_statement(&plan)));
                return;
            };
            let meta = report.meta.unwrap_or_default();
            let plans = board::plans(board, &filter, &asked, meta);
            let plans = plans.into_iter().flatten();
            for (index, plan) in plans.enumerate() {
                all.push((format!("{name} {index}"), sources::raw_statement(&plan)));
            }
        };
        let window = Window::since(Timestamp::UNIX_EPOCH);
        add(&name, window, Vec::new());
        if report.filters.is_empty() {
            continue;
        }
        // All filters with both kinds of values, so that a test prepares every kind of condition.
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
        add(&format!("{name} filtered"), window, filters.collect());
    }
    all
}

/// A question for [`answer_from_rows`].
#[derive(Clone, Debug)]
pub struct Question {
    /// The number of the tenant.
    pub workspace_no: i32,
    /// The page, link or campaign, if the report is about one.
    pub scope_id: Option<Uuid>,
    /// Further scopes that every row is in.
    pub within: Vec<(Scope, Uuid)>,
    /// The time of the question.
    pub now: Timestamp,
    /// The beginning of the window, which ends now.
    pub since: Timestamp,
    /// The same in days.
    pub days: u16,
    /// The time zone of days and hours.
    pub zone: TimeZone,
}

impl Question {
    fn asked(&self, choice: Option<&'static str>) -> Asked {
        Asked {
            page_id: self.scope_id,
            zone: self.zone.clone(),
            choice,
            ..Asked::plain(self.now, Window::since(self.since), self.days)
        }
    }

    fn filter(&self, report: &Report, window: Window, conditions: Vec<Condition>) -> Filter {
        let within = self.within.iter().map(|(scope, id)| (*scope, vec![*id]));
        Filter {
            workspace_no: self.workspace_no,
            scope: report.scope,
            scope_id: self.scope_id,
            within: within.collect(),
            window,
            conditions,
            bots: false,
            prices: Arc::default(),
        }
    }
}

/// The `data` of a report, read from the tables of facts. A ranking gets no names, and a choice
/// reads nothing. The report needs no route, so a test can use all of the vocabulary.
///
/// # Errors
/// When the database refuses the statement.
pub async fn answer_from_rows(
    connection: &mut PgConnection,
    report: &'static Report,
    question: &Question,
) -> sqlx::Result<serde_json::Value> {
    let shape: &Shape = &report.shape;
    let asked = question.asked(None);
    let filter = question.filter(report, Window::since(question.since), Vec::new());
    let plan = plan(shape, filter, &asked, &[], &[]);
    let answer = Source::RawRows.read(connection, &plan).await?;
    let notation = report.surface.notation();
    let data = compose(shape, notation, &asked, &answer, &Names::new());
    serde_json::to_value(data).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
