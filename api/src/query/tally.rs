//! Answers tallies: numbers of all time about each of several things.

use super::{
    compose::{instant, number},
    money::Money,
    plan::plan_of_tally,
    reading,
};
use crate::{
    app::App,
    catalog::{Scope, TALLIES, Tally},
    number::Number,
    refusals,
    sources::{self, Answer, Filter, Plan, Values, Window},
};
use jiff::Timestamp;
use runtime::http::ApiError;
use schemas::analytics::Metric;
use std::{collections::HashMap, sync::Arc, time::Instant};
use uuid::Uuid;

/// The numbers of things, by their id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tallied {
    answer: Answer,
    /// Which row of the answer is about the thing.
    places: HashMap<Uuid, usize>,
}

impl Tallied {
    fn of(answer: Answer) -> Self {
        let ids = answer.rows.iter().map(|row| row.label.parse().ok());
        let places = ids.enumerate();
        Self {
            places: places
                .filter_map(|(place, id)| Some((id?, place)))
                .collect(),
            answer,
        }
    }

    fn values(&self, id: Uuid) -> Option<&Values> {
        let row = self.answer.rows.get(*self.places.get(&id)?)?;
        Some(&row.values)
    }

    /// A number of a thing; 0 for one without rows.
    pub(crate) fn number(&self, id: Uuid, metric: &Metric) -> Number {
        let values = self.values(id);
        let value = values.and_then(|values| number(metric, values, &self.answer));
        Number(value.unwrap_or_default())
    }

    /// An instant of a thing; `None` for one without rows.
    pub(crate) fn instant(&self, id: Uuid, metric: &Metric) -> Option<String> {
        let measure = metric.of_row().into_iter().next()?;
        instant(self.values(id)?.get(measure))
    }

    /// The currency of its amounts.
    pub(crate) const fn currency(&self) -> &'static str {
        self.answer.money.code()
    }
}

/// Reads a tally of things that belong to these links. It takes one of the workspace's turns, like a
/// report, because its time grows with the clicks of the links.
pub(crate) async fn tally(
    app: &App,
    tally: &'static Tally,
    (workspace_no, links): (i32, Vec<Uuid>),
    money: Money,
) -> Result<Tallied, ApiError> {
    let started = Instant::now();
    let turn = app.report_turns.take(workspace_no).await;
    let turn = turn.ok_or_else(refusals::report_busy)?;
    let answers = reading::read(app, turn, vec![plan(tally, workspace_no, links)]).await;
    metrics::histogram!("api_report_seconds", "report" => tally.id)
        .record(started.elapsed().as_secs_f64());
    let answer = answers?.into_iter().next().unwrap_or_default();
    Ok(Tallied::of(Answer { money, ..answer }))
}

fn plan(tally: &Tally, workspace_no: i32, links: Vec<Uuid>) -> Plan {
    let filter = Filter {
        workspace_no,
        scope: Scope::Workspace,
        scope_id: None,
        within: vec![(Scope::Link, links)],
        window: Window::since(Timestamp::UNIX_EPOCH),
        conditions: Vec::new(),
        bots: false,
        prices: Arc::default(),
    };
    plan_of_tally(tally, filter)
}

/// The statement of every tally, with its name. A test prepares them.
#[must_use]
pub fn tally_statements() -> Vec<(String, String)> {
    let statement = |tally: &&Tally| {
        let plan = plan(tally, 0, vec![Uuid::nil(), Uuid::max()]);
        (tally.id.to_owned(), sources::raw_statement(&plan))
    };
    TALLIES.iter().map(statement).collect()
}
