//! Partitions by month: made when the first event of a month comes, for all tables at once.
//!
//! The one rule: a partition is made beside its table and then attached, which neither waits for reports nor
//! makes them wait.

use super::seen::month;
use jiff::{Timestamp, ToSpan, civil::Date};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use tracing::debug;

/// The tables that have partitions, how their bounds are written, and what a partition's storage is set to.
///
/// Sessions and hits change after they were written; room on their pages keeps a change from touching an index.
const TABLES: [(&str, &str, &str); 5] = [
    ("seen", "", ""),
    ("sessions", " 00:00:00+00", " WITH (fillfactor = 85)"),
    ("hits", " 00:00:00+00", " WITH (fillfactor = 90)"),
    ("custom_events", " 00:00:00+00", ""),
    ("refusals", " 00:00:00+00", ""),
];

/// What is older or newer than any plausible month has one partition each, which the schema brings. So no
/// history, whatever it holds, makes more than some hundred.
const FIRST: Date = Date::constant(2010, 1, 1);
const LAST: Date = Date::constant(2099, 12, 1);

/// Whether the partitions of a month are there; they are made together.
pub(super) const READ: &str = "
SELECT to_regclass('seen_' || $1) IS NOT NULL AND (
    SELECT count(*) FROM pg_inherits WHERE inhrelid = to_regclass('refusals_' || $1)
) = 1";

/// Two projectors must not make the same partition, so they wait for each other. Readers and writers do not wait.
const LOCK: &str = "LOCK TABLE seen IN SHARE UPDATE EXCLUSIVE MODE";

/// The months that this program has seen.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeSet<Date>>);

impl Known {
    fn lacks(&self, month: Date) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        !known.contains(&month)
    }

    fn add(&self, month: Date) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(month);
    }

    /// Forgets all, so that they are looked for again.
    pub(super) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }
}

/// Makes the partitions that events of those times need.
pub(super) async fn provide(
    connection: &mut PgConnection,
    known: &Known,
    times: impl IntoIterator<Item = Timestamp>,
) -> sqlx::Result<()> {
    let months: BTreeSet<Date> = times
        .into_iter()
        .map(month)
        .filter(|month| (FIRST..=LAST).contains(month) && known.lacks(*month))
        .collect();
    for month in months {
        make(connection, month).await?;
        known.add(month);
    }
    Ok(())
}

async fn make(connection: &mut PgConnection, month: Date) -> sqlx::Result<()> {
    let suffix = month.strftime("%Y_%m").to_string();
    if is_there(connection, &suffix).await? {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(LOCK).execute(&mut *transaction).await?;
    if !is_there(&mut transaction, &suffix).await? {
        debug!("making the partitions of {suffix}");
        let next = month.saturating_add(1.month());
        for (table, midnight, storage) in TABLES {
            // Names and dates of our own: nothing of an event is in them.
            let statement = format!(
                "CREATE TABLE {table}_{suffix} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS){storage};
                ALTER TABLE {table} ATTACH PARTITION {table}_{suffix}
                FOR VALUES FROM ('{month}{midnight}') TO ('{next}{midnight}')"
            );
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&mut *transaction)
                .await?;
        }
    }
    transaction.commit().await
}

async fn is_there(connection: &mut PgConnection, suffix: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(READ)
        .bind(suffix)
        .fetch_one(connection)
        .await
}
