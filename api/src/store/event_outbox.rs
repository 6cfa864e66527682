//! Events on their way to the log, written in the transaction of what they report.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::Event;
use sqlx::PgExecutor;

pub(super) const STATEMENTS: &[Statement] = statements![INSERT, TAKE, DELETE, COUNT];

pub(super) const INSERT: &str = "\
INSERT INTO event_outbox (entry_key, payload, created_at)
VALUES ($1, $2, $3)";

// Every instance publishes. The locks keep two from sending the same events, and end with a session that dies.
pub(super) const TAKE: &str = "\
SELECT id, entry_key, payload
FROM event_outbox
WHERE entry_key <> ALL($2)
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED";

pub(super) const DELETE: &str = "\
DELETE FROM event_outbox
WHERE id = ANY($1)";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM event_outbox";

row! {
    /// An event that waits to be published.
    #[derive(Clone, Debug)]
    pub(crate) struct Waiting {
        pub(crate) id: i64,
        pub(crate) entry_key: String,
        pub(crate) payload: Vec<u8>,
    }
}

/// Writes an event. The caller commits, then wakes the publisher.
pub(crate) async fn insert(tx: &mut Tx<'_>, event: &Event, now: Timestamp) -> sqlx::Result<()> {
    let payload = event
        .to_bytes()
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(INSERT)
        .bind(event.key())
        .bind(payload)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Locks the events that have waited longest, except those with these keys, and those that another
/// instance has.
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    limit: i64,
    except: &[String],
) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(TAKE)
        .bind(limit)
        .bind(except)
        .fetch_all(&mut **tx)
        .await
}

/// Removes published events.
pub(crate) async fn delete(tx: &mut Tx<'_>, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query(DELETE).bind(ids).execute(&mut **tx).await?;
    Ok(())
}

/// How many events wait.
pub(crate) async fn count(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT).fetch_one(executor).await
}
