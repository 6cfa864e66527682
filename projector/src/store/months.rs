//! Creates the partitions of a month for all tables, when the first event of that month arrives.
//!
//! The one rule: a partition is created beside its table and then attached. So it neither waits for
//! reports nor makes them wait.

use super::seen::month;
use jiff::{Timestamp, ToSpan, civil::Date};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use tracing::debug;

pub(super) fn statements() -> Vec<&'static str> {
    vec![READ]
}

/// The partitioned tables, the suffix of their bounds, and the storage settings of a partition.
///
/// Sessions, hits and conversions change after they were written. With free room on its page, a change need not
/// touch an index.
const TABLES: [(&str, &str, &str); 6] = [
    ("seen", "", ""),
    ("sessions", " 00:00:00+00", " WITH (fillfactor = 85)"),
    ("hits", " 00:00:00+00", " WITH (fillfactor = 90)"),
    ("custom_events", " 00:00:00+00", ""),
    ("refusals", " 00:00:00+00", ""),
    ("conversions", " 00:00:00+00", " WITH (fillfactor = 90)"),
];

/// All months before the first share one partition, and so do all after the last; the migration
/// creates both. So no history creates more than about a thousand partitions per table.
const FIRST: Date = Date::constant(2010, 1, 1);
const LAST: Date = Date::constant(2099, 12, 1);

/// True if the partitions of a month exist. They are created together.
pub(super) const READ: &str = "
SELECT to_regclass('seen_' || $1) IS NOT NULL AND (
    SELECT count(*) FROM pg_inherits WHERE inhrelid = to_regclass('conversions_' || $1)
) = 1";

/// Two projectors must not create the same partition, so they wait for each other. Readers and
/// writers do not wait.
const LOCK: &str = "LOCK TABLE seen IN SHARE UPDATE EXCLUSIVE MODE";

/// The months whose partitions this program has seen.
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

    /// Forgets all months, so that they are checked again.
    pub(super) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.clear();
    }
}

/// Creates the partitions that events with these times need.
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
    // Another projector may have created them while this one waited for the lock.
    if !is_there(&mut transaction, &suffix).await? {
        debug!("making the partitions of {suffix}");
        let next = month.saturating_add(1.month());
        for (table, midnight, storage) in TABLES {
            // The names and dates are our own and contain no text from an event.
            let statement = format!(
                "CREATE TABLE {table}_{suffix} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED){storage};
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
