//! A connection that holds the lock of a worker, so that one instance at a time does its work.

use crate::app::Database;
use sqlx::{ConnectOptions, Executor, PgConnection};
use std::time::Duration;

/// How often a waiting instance asks for the lock. A blocking request would hold a snapshot for hours
/// and keep vacuum from cleaning up.
const LOCK_PAUSE: Duration = Duration::from_millis(500);

/// Lets the server end the session of a worker whose machine is gone, and so release its lock.
const SESSION: &str = "\
SET idle_session_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s';
SET tcp_keepalives_idle = 5;
SET tcp_keepalives_interval = 2;
SET tcp_keepalives_count = 3";

/// Waits for the lock that `try_lock` takes. The connection must be used at least once a minute; a
/// failure of it loses the lock.
pub(super) async fn hold(
    database: &Database,
    try_lock: impl AsyncFn(&mut PgConnection) -> sqlx::Result<bool>,
) -> sqlx::Result<PgConnection> {
    let mut connection = database.raw_pool().connect_options().connect().await?;
    connection.execute(SESSION).await?;
    while !try_lock(&mut connection).await? {
        tokio::time::sleep(LOCK_PAUSE).await;
    }
    Ok(connection)
}
