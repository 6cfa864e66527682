//! From a request to an answer, for every report alike.

use super::{
    compose::compose,
    names,
    plan::{Filter, Plan},
    source::Source,
};
use crate::{app::App, catalog::Report, extract::Query, guard::Caller, surface::Dialect};
use axum::response::Response;
use jiff::Timestamp;
use runtime::http::ApiError;
use std::time::Instant;
use tracing::{Instrument, info_span};
use uuid::Uuid;

/// What a request asks for, once its surface has read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// From when on.
    pub(crate) since: Timestamp,
    /// How many days back that is.
    pub(crate) days: u16,
    /// The page, if it names one.
    pub(crate) page_id: Option<Uuid>,
}

/// What the caller may have: the tenant, and the scope's id within it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) workspace_no: i32,
    pub(crate) creator_id: Uuid,
    pub(crate) scope_id: Uuid,
}

/// Answers a request for a report.
pub(crate) async fn answer<D: Dialect>(
    app: &App,
    report: &'static Report,
    caller: &Caller,
    query: &Query,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let span = info_span!("api.report", report = report.id);
    let answered = read::<D>(app, report, caller, query).instrument(span).await;
    metrics::histogram!("api_report_seconds", "report" => report.id)
        .record(started.elapsed().as_secs_f64());
    answered
}

async fn read<D: Dialect>(
    app: &App,
    report: &'static Report,
    caller: &Caller,
    query: &Query,
) -> Result<Response, ApiError> {
    let asked = D::read(report, query, app.clock.now())?;
    let grant = D::grant(app, report, caller, &asked).await?;
    let filter = Filter {
        workspace_no: grant.workspace_no,
        scope: report.scope,
        scope_id: grant.scope_id,
        since: asked.since,
    };
    let plan = Plan::new(report, filter);
    let answer = Source::RawRows.read(app.analytics.pool()?, &plan).await?;
    let names = names::find(&app.main, report, &grant, &answer).await?;
    Ok(D::respond(compose(report, &asked, &answer, &names)))
}
