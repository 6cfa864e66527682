//! Appends rows to a table: few with `INSERT`, many with `COPY`.
//!
//! `COPY` takes the server half the time: it converts no arrays and adds many rows to a page at
//! once. But sqlx sends the data and their end as two messages and leaves Nagle's algorithm on. When
//! the data fit into one segment of the network, their end can wait 40 ms for the server's
//! acknowledgement, and a dashboard would wait for that. So `COPY` takes only data of several segments.

use crate::rows::{
    columns::{TableRow, copy_into, insert_into},
    copied::Copied,
};
use sqlx::{PgConnection, error::BoxDynError};

/// Two segments of the largest size, which is that of the loopback interface.
const SEVERAL_SEGMENTS: usize = 2 * 64 * 1024;
/// So few rows do not fill several segments, and are not encoded for `COPY` first.
const FEW: usize = 100;

/// The two statements that append rows to a table.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) insert: String,
    copy: String,
    columns: usize,
}

impl Append {
    /// The statements that append such rows to this table.
    pub(super) fn to<R: TableRow>(table: &str) -> Self {
        Self {
            insert: insert_into(table, R::GROUPS),
            copy: copy_into(table, R::GROUPS),
            columns: R::GROUPS.iter().map(|group| group.len()).sum(),
        }
    }

    /// Appends these rows, if there are any.
    pub(super) async fn rows<R: TableRow>(
        &'static self,
        connection: &mut PgConnection,
        rows: &[R],
    ) -> sqlx::Result<()> {
        if rows.len() <= FEW {
            return super::execute(connection, &self.insert, rows).await;
        }
        let copied = self.copied(rows).map_err(sqlx::Error::Encode)?;
        if copied.len() < SEVERAL_SEGMENTS {
            return super::execute(connection, &self.insert, rows).await;
        }
        let mut copy = connection.copy_in_raw(&self.copy).await?;
        copy.send(copied).await?;
        copy.finish().await?;
        Ok(())
    }

    fn copied<R: TableRow>(&self, rows: &[R]) -> Result<Vec<u8>, BoxDynError> {
        let mut copied = Copied::of(self.columns)?;
        for row in rows {
            row.copy_groups(&mut copied)?;
        }
        Ok(copied.finish())
    }
}
