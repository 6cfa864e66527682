//! Writes the tables that the fold never reads back: a site's own events, and sums of refused
//! beacons.

use crate::rows::{
    CustomEventRow, RefusalRow, Rows,
    columns::{Columns, insert_into},
};
use sqlx::PgConnection;
use std::sync::LazyLock;

pub(super) fn statements() -> Vec<&'static str> {
    vec![&INSERT_CUSTOM_EVENTS, &INSERT_REFUSALS]
}

pub(super) static INSERT_CUSTOM_EVENTS: LazyLock<String> =
    LazyLock::new(|| insert_into("custom_events", &[CustomEventRow::COLUMNS]));

pub(super) static INSERT_REFUSALS: LazyLock<String> =
    LazyLock::new(|| insert_into("refusals", &[RefusalRow::COLUMNS]));

/// Appends the rows of these tables.
pub(super) async fn insert(connection: &mut PgConnection, rows: &Rows) -> sqlx::Result<()> {
    super::execute(connection, &INSERT_CUSTOM_EVENTS, &rows.custom_events).await?;
    super::execute(connection, &INSERT_REFUSALS, &rows.refusals).await
}
