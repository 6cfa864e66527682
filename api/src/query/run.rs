//! Answers a request, in the same way for every report.

use super::{
    asked::{Asked, Given, Grant},
    board,
    compose::{beside, compare, compose},
    csv,
    dialect::Dialect,
    meta, names,
    object::Object,
    plan::plan,
    reading,
};
use crate::{
    app::App,
    catalog::{Board, Format, Report, Shape},
    refusals,
    sources::{Answer, Filter, Window},
    turns::Turn,
};
use axum::response::Response;
use runtime::http::{ApiError, ok, ok_beside};
use std::{sync::Arc, time::Instant};
use tracing::{Instrument, info_span};
use uuid::Uuid;

/// Answers a request for a report.
pub(crate) async fn answer<D: Dialect>(
    app: &App,
    report: &'static Report,
    given: Given<'_>,
) -> Result<Response, ApiError> {
    let started = Instant::now();
    let span = info_span!("api.report", report = report.id);
    let answered = read::<D>(app, report, given).instrument(span).await;
    metrics::histogram!("api_report_seconds", "report" => report.id)
        .record(started.elapsed().as_secs_f64());
    answered
}

async fn read<D: Dialect>(
    app: &App,
    report: &'static Report,
    given: Given<'_>,
) -> Result<Response, ApiError> {
    let asked = D::read(report, given)?;
    let grant = D::grant(app, report, given, &asked).await?;
    let Some(shape) = report.shape.chosen(asked.choice) else {
        return D::no_such_choice(report, given.query, &asked);
    };
    // Before a connection to the analytics database is taken, so that waiting requests hold none.
    let turn = app.report_turns.take(grant.workspace_no).await;
    let turn = turn.ok_or_else(refusals::report_busy)?;
    let notation = report.surface.notation();
    if let Shape::Board(board) = shape {
        return read_board(app, report, board, turn, &asked, &grant).await;
    }
    let names = names::find(&app.main, shape, &grant).await?;
    let known: Vec<Uuid> = names.keys().copied().collect();
    let windows = [asked.window].into_iter().chain(asked.before);
    let plans = windows.map(|window| {
        let filter = filter(report, &asked, &grant, window);
        plan(
            shape,
            filter,
            &asked,
            &known,
            report.meta.unwrap_or_default(),
        )
    });
    let answers = reading::read(app, turn, plans.collect()).await?;
    let mut answers = in_currency(answers, &grant).into_iter();
    let answer = answers.next().unwrap_or_default();
    let mut data = compose(shape, notation, &asked, &answer, &names);
    if let Some(before) = answers.next() {
        compare(&mut data, shape, notation, &answer, &before);
    }
    match report.format {
        Format::Json => {
            let counts = beside(report.meta.unwrap_or_default(), &answer, grant.unpriced);
            Ok(respond(report, &asked, data, counts))
        }
        Format::Csv => Ok(D::respond_csv(csv::write(shape, notation, &data)?, &asked)),
    }
}

/// Reads all parts of a board at one moment.
async fn read_board(
    app: &App,
    report: &Report,
    board: &Board,
    turn: Turn<i32>,
    asked: &Asked,
    grant: &Grant,
) -> Result<Response, ApiError> {
    let meta = report.meta.unwrap_or_default();
    let plans = board::plans(
        board,
        &filter(report, asked, grant, asked.window),
        asked,
        meta,
    );
    let lengths: Vec<usize> = plans.iter().map(Vec::len).collect();
    let plans = plans.into_iter().flatten().collect();
    let (answers, counted) = tokio::try_join!(
        reading::read(app, turn, plans),
        names::count(&app.main, board::counts(board), grant, asked.now),
    )?;
    let mut answers = in_currency(answers, grant).into_iter();
    let of_parts = lengths.into_iter();
    let of_parts: Vec<Vec<Answer>> = of_parts
        .map(|count| answers.by_ref().take(count).collect())
        .collect();
    let titles = names::list(&app.main, board::things(board, &of_parts), grant).await?;
    let notation = report.surface.notation();
    let names = (&titles, &*counted);
    let data = board::compose(board, notation, asked, grant, &of_parts, names);
    let counts = board::meta(board, &of_parts, meta, grant.unpriced);
    Ok(respond(report, asked, data, counts))
}

/// The answer in the envelope of its surface, with `meta` if the row says so.
fn respond(report: &Report, asked: &Asked, data: Object, counts: Object) -> Response {
    match report.meta {
        Some(_) => ok_beside(data, meta::beside(report, asked, counts)),
        None => ok(data),
    }
}

fn in_currency(answers: Vec<Answer>, grant: &Grant) -> Vec<Answer> {
    let answers = answers.into_iter().map(|answer| Answer {
        money: grant.money,
        ..answer
    });
    answers.collect()
}

fn filter(report: &Report, asked: &Asked, grant: &Grant, window: Window) -> Filter {
    Filter {
        workspace_no: grant.workspace_no,
        scope: report.scope,
        scope_id: grant.scope_id,
        within: grant.within.clone(),
        window,
        conditions: asked.conditions.clone(),
        bots: asked.bots,
        prices: Arc::clone(&grant.prices),
    }
}
