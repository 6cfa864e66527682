//! Reads one page of events, in the order of time or of arrival.
//!
//! The one rule: a page, its positions and its upper bound come from one snapshot of the database.
//! The projector commits the events of a workspace in their order, so a snapshot holds all of them
//! up to some `visible_seq` and none after it. Nothing that is still in flight can become visible
//! before a position that a client has passed.

use super::{Selection, statements, statements::Pair};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::{Connection, PgConnection, Postgres, Row, postgres::PgRow, query::Query};
use uuid::Uuid;

/// Up to this many of the latest events are searched by time for the first one of a sync. Beyond,
/// the order of arrival is searched: then many events qualify, so one of them comes soon.
const RECENT: i64 = 50_000;

/// Begins a snapshot of the database, in which statements are planned once for each connection.
/// Planning over all months takes 2 ms for each statement, and reading 100 events a tenth of that. The
/// plans do not depend on the values.
pub(crate) const SNAPSHOT: &str = "\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL plan_cache_mode = force_generic_plan";

/// An event in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: Timestamp,
    pub(crate) id: Uuid,
}

/// The last event that was visible at some moment, by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark(pub(crate) Uuid);

/// A page by time.
#[derive(Clone, Debug)]
pub(crate) struct Browse {
    pub(crate) selection: Selection,
    /// The first instant.
    pub(crate) from: Timestamp,
    /// The instant after the last one.
    pub(crate) until: Timestamp,
    pub(crate) after: After,
    pub(crate) visible: Visible,
    pub(crate) limit: i64,
}

/// Where a page by time begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// At its first instant.
    Nothing,
    /// After a place.
    Place(Place),
    /// After an event that is known by id only.
    Event(Uuid),
}

/// Which events a page by time shows: those that were visible at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visible {
    /// Now.
    Now,
    /// When this event was the last one.
    Until(Watermark),
    /// Before there was any.
    Nothing,
}

/// A page by arrival.
#[derive(Clone, Debug)]
pub(crate) struct Sync {
    pub(crate) selection: Selection,
    pub(crate) since: Timestamp,
    /// The event before the page; `since` alone decides when it is unknown.
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: i64,
}

/// The rows of a page.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<PgRow>,
    pub(crate) has_more: bool,
    /// What was visible, in pages by time; `None` when nothing was.
    pub(crate) watermark: Option<Watermark>,
    /// True when the request names an unknown event. The page then does not exist.
    pub(crate) is_lost: bool,
}

impl Found {
    fn cut(rows: Vec<PgRow>, limit: i64) -> Self {
        let mut rows = rows;
        let limit = usize::try_from(limit).unwrap_or_default();
        // One more than asked for was read.
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Self {
            rows,
            has_more,
            ..Self::default()
        }
    }

    fn lost() -> Self {
        Self {
            is_lost: true,
            ..Self::default()
        }
    }

    /// The last row's place.
    pub(crate) fn last(&self) -> sqlx::Result<Option<Place>> {
        let place = |row: &PgRow| {
            let at: jiff_sqlx::Timestamp = row.try_get(1)?;
            let (at, id) = (at.to_jiff(), row.try_get(0)?);
            Ok(Place { at, id })
        };
        self.rows.last().map(place).transpose()
    }
}

/// A position in the order of arrival.
pub(super) type Position = (i64, Uuid);

impl Browse {
    /// Reads the page.
    pub(super) async fn read(&self, connection: &mut PgConnection) -> sqlx::Result<Found> {
        let mut snapshot = connection.begin_with(SNAPSHOT).await?;
        let no = self.selection.workspace_no;
        let watermark = match self.visible {
            // Looked up by its id each time, because a new log or a rebuild may move it.
            Visible::Until(Watermark(id)) => match find(&mut snapshot, no, id).await? {
                Some((seq, _)) => Some((seq, id)),
                None => return Ok(Found::lost()),
            },
            Visible::Now => newest(&mut snapshot, no).await?,
            Visible::Nothing => None,
        };
        let Some((seq, id)) = watermark else {
            return Ok(Found::default());
        };
        let after = match self.after {
            After::Nothing => None,
            After::Place(place) => Some(place),
            After::Event(event) => match find(&mut snapshot, no, event).await? {
                Some((_, Some(at))) => Some(Place { at, id: event }),
                _ => return Ok(Found::lost()),
            },
        };
        let after = after.unwrap_or(Place {
            at: just_before(self.from),
            id: Uuid::max(),
        });
        let query = self.selection.bind(statements::BROWSE, self.limit + 1);
        let query = query
            .bind(after.at.to_sqlx())
            .bind(after.id)
            .bind(self.until.to_sqlx())
            .bind(seq);
        let query = self.selection.bind_links(query);
        let rows = query.fetch_all(&mut *snapshot).await?;
        snapshot.commit().await?;
        Ok(Found {
            watermark: Some(Watermark(id)),
            ..Found::cut(rows, self.limit)
        })
    }
}

impl Sync {
    /// Reads the page.
    pub(crate) async fn read(&self, connection: &mut PgConnection) -> sqlx::Result<Found> {
        let mut snapshot = connection.begin_with(SNAPSHOT).await?;
        let known = match self.after {
            Some(id) => {
                let found = find(&mut snapshot, self.selection.workspace_no, id).await?;
                found.map(|(seq, _)| (seq, id))
            }
            None => None,
        };
        let after = match known {
            Some(position) => Some(position),
            None => self.before_first(&mut snapshot).await?,
        };
        let Some((seq, id)) = after else {
            return Ok(Found::default());
        };
        let query = self.selection.bind(statements::SYNC, self.limit + 1);
        let query = self.selection.bind_links(query.bind(seq).bind(id));
        let rows = query.fetch_all(&mut *snapshot).await?;
        snapshot.commit().await?;
        Ok(Found::cut(rows, self.limit))
    }

    /// The position directly before the first event after `since`; `None` when there is no such
    /// event.
    pub(super) async fn before_first(
        &self,
        snapshot: &mut PgConnection,
    ) -> sqlx::Result<Option<Position>> {
        let since = match self.after {
            // The unknown event may have had the same time as others.
            Some(_) => just_before(self.since),
            None => self.since,
        };
        let (first, count) = self
            .first_of(snapshot, statements::RECENT, RECENT, since)
            .await?;
        if count < RECENT {
            return Ok(first.map(before));
        }
        let (first, _) = self.first_of(snapshot, statements::FIRST, 1, since).await?;
        Ok(first.map(before))
    }

    async fn first_of(
        &self,
        snapshot: &mut PgConnection,
        statement: Pair,
        limit: i64,
        since: Timestamp,
    ) -> sqlx::Result<(Option<Position>, i64)> {
        let query = self.selection.bind(statement, limit).bind(since.to_sqlx());
        let row = self.selection.bind_links(query).fetch_optional(snapshot);
        let Some(row) = row.await? else {
            return Ok((None, 0));
        };
        let position = (row.try_get(0)?, row.try_get(1)?);
        Ok((Some(position), row.try_get(2)?))
    }
}

type Bound<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

impl Selection {
    /// The statement with its first four values.
    fn bind(&self, statement: Pair, limit: i64) -> Bound<'_> {
        let text = match self.links {
            Some(_) => statement.of_links,
            None => statement.all,
        };
        sqlx::query(text)
            .bind(self.workspace_no)
            .bind(self.include_bots)
            .bind(&self.triggers)
            .bind(limit)
    }

    /// The query with its last value.
    fn bind_links<'q>(&'q self, query: Bound<'q>) -> Bound<'q> {
        match &self.links {
            Some(links) => query.bind(links),
            None => query,
        }
    }
}

/// Where an event is, and when it happened if its row is still there.
pub(super) async fn find(
    connection: &mut PgConnection,
    workspace_no: i32,
    id: Uuid,
) -> sqlx::Result<Option<(i64, Option<Timestamp>)>> {
    let found: Option<(i64, Option<jiff_sqlx::Timestamp>)> = sqlx::query_as(statements::POSITION)
        .bind(workspace_no)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(found.map(|(seq, at)| (seq, at.map(jiff_sqlx::Timestamp::to_jiff))))
}

pub(super) async fn newest(
    connection: &mut PgConnection,
    workspace_no: i32,
) -> sqlx::Result<Option<Position>> {
    sqlx::query_as(statements::WATERMARK)
        .bind(workspace_no)
        .fetch_optional(connection)
        .await
}

/// The position directly before another one: then one statement serves inclusive and exclusive
/// bounds.
fn before((seq, id): Position) -> Position {
    match id.as_u128().checked_sub(1) {
        Some(less) => (seq, Uuid::from_u128(less)),
        None => (seq.saturating_sub(1), Uuid::max()),
    }
}

/// The last microsecond before an instant; the tables have no finer times.
fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_micros(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_between_a_position_and_the_one_before() {
        let position = |seq, id| (seq, Uuid::from_u128(id));
        assert_eq!(before(position(7, 5)), position(7, 4));
        assert_eq!(before(position(7, 0)), position(6, u128::MAX));
    }
}
