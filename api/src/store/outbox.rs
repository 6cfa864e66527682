//! The outbox, and what is stored about the log that it is published to.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use schemas::directory::Entry;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    INSERT, NOTIFY, TRY_LOCK, WAITING, OLDEST, DELETE, DELETE_ALL, READ_LOG, WRITE_LOG
];

/// The channel that announces changes.
pub(crate) const CHANNEL: &str = "footfall_outbox";

pub(super) const INSERT: &str = "\
INSERT INTO outbox (entry_key, payload, created_at)
VALUES ($1, $2, $3)";

pub(super) const NOTIFY: &str = "SELECT pg_notify($1, '')";

// "footfall" in ASCII: a number that nothing else on the server is likely to lock.
pub(super) const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(x'666f6f7466616c6c'::int8)";

pub(super) const WAITING: &str = "\
SELECT count(*)
FROM outbox";

pub(super) const OLDEST: &str = "\
SELECT id, entry_key, payload
FROM outbox
ORDER BY id
LIMIT $1";

pub(super) const DELETE: &str = "\
DELETE FROM outbox
WHERE id = ANY($1)";

pub(super) const DELETE_ALL: &str = "DELETE FROM outbox";

pub(super) const READ_LOG: &str = "\
SELECT log_id, next_offset, last_payload
FROM outbox_log";

pub(super) const WRITE_LOG: &str = "\
INSERT INTO outbox_log (log_id, next_offset, last_payload)
VALUES ($1, $2, $3)
ON CONFLICT (only_row) DO UPDATE
SET log_id = excluded.log_id,
    next_offset = excluded.next_offset,
    last_payload = excluded.last_payload";

row! {
    /// A change that waits to be published.
    #[derive(Clone, Debug)]
    pub(crate) struct Waiting {
        pub(crate) id: i64,
        pub(crate) entry_key: String,
        pub(crate) payload: Vec<u8>,
    }
}

row! {
    /// The log that was published to, and the position in it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct PublishedLog {
        pub(crate) log_id: Uuid,
        /// The offset after the last acknowledged record; 0 before the first.
        pub(crate) next_offset: i64,
        /// The payload of that record.
        pub(crate) last_payload: Option<Vec<u8>>,
    }
}

/// Writes changes and announces them. Listeners hear it when the transaction commits.
pub(crate) async fn insert(tx: &mut Tx<'_>, entries: &[Entry], now: Timestamp) -> sqlx::Result<()> {
    for entry in entries {
        let payload =
            serde_json::to_vec(entry).map_err(|error| sqlx::Error::Encode(error.into()))?;
        sqlx::query(INSERT)
            .bind(entry.key())
            .bind(payload)
            .bind(now.to_sqlx())
            .execute(&mut **tx)
            .await?;
    }
    sqlx::query(NOTIFY).bind(CHANNEL).execute(&mut **tx).await?;
    Ok(())
}

/// Takes the lock of the only publisher for the life of this connection; false when another has it.
pub(crate) async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(TRY_LOCK).fetch_one(connection).await
}

/// How many changes wait.
pub(crate) async fn count(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(WAITING).fetch_one(connection).await
}

/// The changes that have waited longest, in the order in which they were made.
pub(crate) async fn list_oldest(
    connection: &mut PgConnection,
    limit: i64,
) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as(OLDEST)
        .bind(limit)
        .fetch_all(connection)
        .await
}

/// Removes published changes.
pub(crate) async fn delete(tx: &mut Tx<'_>, ids: &[i64]) -> sqlx::Result<()> {
    sqlx::query(DELETE).bind(ids).execute(&mut **tx).await?;
    Ok(())
}

/// Removes every change that the transaction sees.
pub(crate) async fn delete_all(tx: &mut Tx<'_>) -> sqlx::Result<()> {
    sqlx::query(DELETE_ALL).execute(&mut **tx).await?;
    Ok(())
}

/// What is stored about the log; `None` before the first publication.
pub(crate) async fn read_log(executor: impl PgExecutor<'_>) -> sqlx::Result<Option<PublishedLog>> {
    sqlx::query_as(READ_LOG).fetch_optional(executor).await
}

/// Stores the log that was published to, and the position in it.
pub(crate) async fn write_log(tx: &mut Tx<'_>, log: &PublishedLog) -> sqlx::Result<()> {
    sqlx::query(WRITE_LOG)
        .bind(log.log_id)
        .bind(log.next_offset)
        .bind(log.last_payload.as_deref())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
