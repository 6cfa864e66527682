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
    store::{Statement, statements},
    turns::Turn,
};
use futures::{FutureExt, future::BoxFuture};
use runtime::{database::QUERY_CANCELED, http::ApiError};
use sqlx::{Connection, PgConnection, PgPool};
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::{Instrument, debug};

pub(crate) const STATEMENTS: &[Statement] = statements![PROCESS, CANCEL];

/// The server process of a connection.
const PROCESS: &str = "SELECT pg_backend_pid()";
/// Cancels the statement of a server process of the same role.
const CANCEL: &str = "SELECT pg_cancel_backend($1)";

/// Begins a transaction whose statements all read the same rows.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Pause between two attempts to cancel: an attempt between two statements ends nothing.
const CANCEL_PAUSE: Duration = Duration::from_millis(500);

/// Answers plans one after the other, until the waiting request ends.
pub(super) async fn read(
    app: &App,
    turn: Turn<i32>,
    plans: Vec<Plan>,
) -> Result<Vec<Answer>, ApiError> {
    attend(app, turn, move |connection| {
        async move { read_all(connection, &plans).await }.boxed()
    })
    .await
}

/// Does some reading on a connection, until the waiting request ends.
pub(crate) async fn attend<T, W>(app: &App, turn: Turn<i32>, work: W) -> Result<T, ApiError>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send + 'static,
{
    let (pool, canceller) = (app.analytics.pool()?.clone(), app.canceller.clone());
    // Dropped together with this future, which tells the task that the request is gone.
    let (waiting, gone) = oneshot::channel::<()>();
    let task = async move {
        let done = run(&pool, &canceller, work, gone).await;
        drop(turn);
        done
    };
    let done = tokio::spawn(task.in_current_span()).await;
    drop(waiting);
    let done = done.map_err(ApiError::internal)?.map_err(refusal)?;
    done.ok_or_else(|| ApiError::internal("a request that waits was taken for gone"))
}

/// The result of the work; `None` when its request was gone before it had a connection.
async fn run<T, W>(
    pool: &PgPool,
    canceller: &PgPool,
    work: W,
    mut gone: oneshot::Receiver<()>,
) -> sqlx::Result<Option<T>>
where
    W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, sqlx::Result<T>>,
{
    let mut connection = tokio::select! {
        acquired = pool.acquire() => acquired?,
        _ = &mut gone => return Ok(None),
    };
    let process: i32 = sqlx::query_scalar(PROCESS)
        .fetch_one(&mut *connection)
        .await?;
    let mut working = work(&mut connection);
    tokio::select! {
        done = &mut working => return done.map(Some),
        _ = &mut gone => {}
    }
    loop {
        let cancelling = sqlx::query(CANCEL).bind(process).execute(canceller);
        if let Err(error) = cancelling.await {
            // The statement's time limit ends it in any case.
            debug!("cannot cancel the statement of an abandoned request: {error}");
        }
        if let Ok(ended) = tokio::time::timeout(CANCEL_PAUSE, &mut working).await {
            return ended.map(Some);
        }
    }
}

/// Answers all plans as of one moment, so that their numbers fit together.
async fn read_all(connection: &mut PgConnection, plans: &[Plan]) -> sqlx::Result<Vec<Answer>> {
    if let [plan] = plans {
        return Ok(vec![Source::RawRows.read(connection, plan).await?]);
    }
    let mut snapshot = connection.begin_with(SNAPSHOT).await?;
    let mut answers = Vec::with_capacity(plans.len());
    for plan in plans {
        answers.push(Source::RawRows.read(&mut snapshot, plan).await?);
    }
    snapshot.commit().await?;
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
