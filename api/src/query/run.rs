//! Answers a request, in the same way for every report.

use super::{
    asked::{Asked, Grant},
    compose::{compare, compose},
    csv,
    dialect::Dialect,
    names,
    plan::plan,
    reading,
};
use crate::{
    app::App,
    auth::Access,
    catalog::{Format, Report, Shape},
    extract::Query,
    refusals,
    sources::{Filter, Plan, Window},
};
use axum::response::Response;
use runtime::http::{ApiError, ok};
use std::time::Instant;
use tracing::{Instrument, info_span};
use uuid::Uuid;

/// Answers a request for a report.
pub(crate) async fn answer<D: Dialect>(
    app: &App,
    report: &'static Report,
    access: &Access,
    query: &Query,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let span = info_span!("api.report", report = report.id);
    let answered = read::<D>(app, report, access, query).instrument(span).await;
    metrics::histogram!("api_report_seconds", "report" => report.id)
        .record(started.elapsed().as_secs_f64());
    answered
}

async fn read<D: Dialect>(
    app: &App,
    report: &'static Report,
    access: &Access,
    query: &Query,
) -> Result<Response, ApiError> {
    let asked = D::read(report, query, app.clock.now())?;
    let grant = D::grant(app, report, access, &asked).await?;
    let Some(shape) = report.shape.chosen(asked.choice) else {
        return D::no_such_choice(report, query, &asked);
    };
    // Before a connection to the analytics database is taken, so that waiting requests hold none.
    let turn = app.turns.take(grant.workspace_no).await;
    let turn = turn.ok_or_else(refusals::report_busy)?;
    let names = names::find(&app.main, shape, &grant).await?;
    let known: Vec<Uuid> = names.keys().copied().collect();
    let window = Window::since(asked.since);
    let before = asked.compare.then(|| window.before(asked.days));
    let plans = [window].into_iter().chain(before);
    let plans = plans.map(|window| plan_of(report, shape, &asked, grant, window, &known));
    let mut answers = reading::read(app, turn, plans.collect()).await?.into_iter();
    let answer = answers.next().unwrap_or_default();
    let notation = report.surface.notation();
    let mut data = compose(shape, notation, &asked, &answer, &names);
    if let Some(before) = answers.next() {
        compare(&mut data, shape, notation, &answer, &before);
    }
    match report.format {
        Format::Json => Ok(ok(data)),
        Format::Csv => Ok(D::respond_csv(csv::write(shape, notation, &data)?, &asked)),
    }
}

fn plan_of(
    report: &Report,
    shape: &Shape,
    asked: &Asked,
    grant: Grant,
    window: Window,
    known: &[Uuid],
) -> Plan {
    let filter = Filter {
        workspace_no: grant.workspace_no,
        scope: report.scope,
        scope_id: grant.scope_id,
        window,
        conditions: asked.conditions.clone(),
    };
    plan(shape, filter, asked, known)
}
