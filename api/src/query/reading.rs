//! Runs plans at the database, as long as their request waits.
//!
//! Dropping a future does not end its statement: the server continues it. So a separate task runs
//! the statement, notices when its request is gone, and cancels it. The one rule: connection and
//! turn are returned only when the statement has ended, so that clients that hang up cannot pile up
//! statements.

use crate::{
    app::App,
    refusals,
    sources::{Answer, Plan, Source},
    turns::Turn,
};
use runtime::{database::QUERY_CANCELED, http::ApiError};
use sqlx::{PgConnection, PgPool};
use std::{pin::pin, time::Duration};
use tokio::sync::oneshot;
use tracing::{Instrument, debug};

/// The server process of a connection.
pub(crate) const PROCESS: &str = "SELECT pg_backend_pid()";
/// Cancels the statement of a server process of the same role.
pub(crate) const CANCEL: &str = "SELECT pg_cancel_backend($1)";

/// Pause between two attempts to cancel: an attempt between two statements ends nothing.
const CANCEL_PAUSE: Duration = Duration::from_millis(500);

/// Answers plans one after the other, until the waiting request ends.
pub(super) async fn read(app: &App, turn: Turn, plans: Vec<Plan>) -> Result<Vec<Answer>, ApiError> {
    let (pool, canceller) = (app.analytics.pool()?.clone(), app.canceller.clone());
    // Dropped together with this future, which tells the task that the request is gone.
    let (waiting, gone) = oneshot::channel::<()>();
    let task = async move {
        let answers = run(&pool, &canceller, &plans, gone).await;
        drop(turn);
        answers
    };
    let answers = tokio::spawn(task.in_current_span()).await;
    drop(waiting);
    answers.map_err(ApiError::internal)?.map_err(refusal)
}

async fn run(
    pool: &PgPool,
    canceller: &PgPool,
    plans: &[Plan],
    mut gone: oneshot::Receiver<()>,
) -> sqlx::Result<Vec<Answer>> {
    let mut connection = tokio::select! {
        acquired = pool.acquire() => acquired?,
        _ = &mut gone => return Ok(Vec::new()),
    };
    let process: i32 = sqlx::query_scalar(PROCESS)
        .fetch_one(&mut *connection)
        .await?;
    let mut reading = pin!(read_all(&mut connection, plans));
    tokio::select! {
        answers = &mut reading => return answers,
        _ = &mut gone => {}
    }
    loop {
        let cancelling = sqlx::query(CANCEL).bind(process).execute(canceller);
        if let Err(error) = cancelling.await {
            // The statement's time limit ends it in any case.
            debug!("cannot cancel the statement of an abandoned request: {error}");
        }
        if let Ok(ended) = tokio::time::timeout(CANCEL_PAUSE, &mut reading).await {
            return ended;
        }
    }
}

async fn read_all(connection: &mut PgConnection, plans: &[Plan]) -> sqlx::Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(plans.len());
    for plan in plans {
        answers.push(Source::RawRows.read(connection, plan).await?);
    }
    Ok(answers)
}

fn refusal(error: sqlx::Error) -> ApiError {
    let database = error.as_database_error();
    let code = database.and_then(sqlx::error::DatabaseError::code);
    if code.as_deref() == Some(QUERY_CANCELED) {
        refusals::report_timeout(error)
    } else {
        error.into()
    }
}
