//! Reads the counted clicks that became visible after an event, for the webhooks of a workspace.
//!
//! The same order and the same positions as the sync of the events API, see [`page`](super::page).
//! What differs: a page also moves over events that were not asked for, so that none is read twice.

use super::{
    page::{Position, SNAPSHOT, Sync, find, newest},
    statements,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{Connection, PgConnection, postgres::PgRow};
use uuid::Uuid;

/// Which clicks are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    pub(crate) workspace_no: i32,
    /// How the link was opened, as the tables name it.
    pub(crate) triggers: Vec<&'static str>,
    pub(crate) link: Option<Uuid>,
    pub(crate) campaign: Option<Uuid>,
    /// Only clicks from then on.
    pub(crate) since: Timestamp,
    /// The event before the page; `None` before the first page.
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: i64,
}

/// A page of clicks.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) rows: Vec<PgRow>,
    /// The event after which the next page begins.
    pub(crate) last: Option<Uuid>,
    /// Whether there are more.
    pub(crate) has_more: bool,
}

impl Follow {
    /// Reads the page.
    pub(crate) async fn read(&self, connection: &mut PgConnection) -> sqlx::Result<Followed> {
        let mut snapshot = connection.begin_with(SNAPSHOT).await?;
        let unchanged = Followed {
            last: self.after,
            ..Followed::default()
        };
        let Some(newest) = newest(&mut snapshot, self.workspace_no).await? else {
            return Ok(unchanged);
        };
        if self.after == Some(newest.1) {
            return Ok(unchanged);
        }
        let Some(after) = self.position(&mut snapshot).await? else {
            // Everything is from before `since`.
            let last = Some(newest.1);
            return Ok(Followed { last, ..unchanged });
        };
        if newest <= after {
            return Ok(unchanged);
        }
        let rows = self.page(&mut snapshot, after, newest).await?;
        snapshot.commit().await?;
        let has_more = i64::try_from(rows.len()).is_ok_and(|rows| rows >= self.limit);
        let last = match rows.last() {
            Some(row) if has_more => sqlx::Row::try_get(row, 0)?,
            _ => newest.1,
        };
        Ok(Followed {
            rows,
            last: Some(last),
            has_more,
        })
    }

    async fn position(&self, snapshot: &mut PgConnection) -> sqlx::Result<Option<Position>> {
        if let Some(id) = self.after
            && let Some((seq, _)) = find(snapshot, self.workspace_no, id).await?
        {
            return Ok(Some((seq, id)));
        }
        let sync = Sync {
            selection: super::Selection {
                workspace_no: self.workspace_no,
                include_bots: true,
                triggers: schemas::events::TRIGGERS.to_vec(),
                links: None,
            },
            since: self.since,
            // As for an unknown event: those of the same time are among the first.
            after: Some(Uuid::nil()),
            limit: 1,
        };
        sync.before_first(snapshot).await
    }

    async fn page(
        &self,
        snapshot: &mut PgConnection,
        after: Position,
        newest: Position,
    ) -> sqlx::Result<Vec<PgRow>> {
        let statement = match self.link {
            Some(_) => statements::FOLLOW.of_links,
            None => statements::FOLLOW.all,
        };
        let query = sqlx::query(statement)
            .bind(self.workspace_no)
            .bind(&self.triggers)
            .bind(after.0)
            .bind(after.1)
            .bind(newest.0)
            .bind(newest.1)
            .bind(self.since.to_sqlx())
            .bind(self.campaign)
            .bind(self.limit);
        let query = match self.link {
            Some(link) => query.bind(link),
            None => query,
        };
        query.fetch_all(snapshot).await
    }
}
