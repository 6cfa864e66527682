//! Rows of many columns on their way into a table: all of a batch as one JSON parameter, named as the columns are.
//!
//! `COPY` writes more rows a second, and took 40 ms longer for a batch of one: sqlx sends the data and their end
//! as two messages and leaves Nagle's algorithm on, so that the second waits for a delayed acknowledgement of the
//! first. Small batches are what a dashboard waits for.

use serde::Serialize;
use sqlx::PgConnection;

/// Runs a statement whose one parameter is a JSON array of rows; nothing to insert is nothing asked.
pub(super) async fn insert<R: Serialize>(
    connection: &mut PgConnection,
    statement: &'static str,
    rows: &[R],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(statement)
        .bind(json)
        .execute(connection)
        .await?;
    Ok(())
}
