//! The table `seen`: distinguishes new events from those folded before.
//!
//! The one rule: the events of a workspace are folded one batch after the other, so an event that a
//! batch does not find cannot be added by another batch at the same time. A history keeps its times
//! when it is imported again, so an old event can only be in its own month. A recent event of a
//! history may also have come as a live beacon, whose time differs by up to 31 days. A live beacon may
//! have another time when it is sent again, and may repeat an event of an old import. So it is looked
//! for in every month.

use super::{append::Append, fresh::Fresh};
use crate::rows::SeenRow;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use schemas::{Event, EventId, WorkspaceNo};
use sqlx::{PgConnection, Row};
use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![FIND, &APPEND.insert]
}

/// An event received within this time of its occurrence is recent. Longer than the 30 days in which
/// a live beacon may be retried.
const RECENT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// An event received within this time of its occurrence may be live: `ageMs` of a batch is at most
/// a day.
const LIVE: SignedDuration = SignedDuration::from_hours(24);

/// A month before every event of the log.
const FIRST: Date = Date::constant(1970, 1, 1);

pub(super) const FIND: &str = "
SELECT asked.workspace_no, asked.event_id
FROM UNNEST($3::int4[], $4::uuid[]) AS asked (workspace_no, event_id)
CROSS JOIN LATERAL (
    SELECT
    FROM seen
    WHERE workspace_no = asked.workspace_no
      AND event_id = asked.event_id
      AND month >= $1
      AND month <= $2
    LIMIT 1
) AS known";

pub(super) static APPEND: LazyLock<Append> = LazyLock::new(|| Append::to::<SeenRow>("seen"));

/// The first and last month in which an event may have been seen.
pub(super) type Months = (Date, Date);

/// The months in which an event with these times may have been seen.
pub(super) fn months(occurred_at: Timestamp, received_at: Timestamp) -> Months {
    let apart = received_at.duration_since(occurred_at).abs();
    if apart > RECENT {
        let own = month(occurred_at);
        return (own, own);
    }
    let latest = month(occurred_at.saturating_add(RECENT).unwrap_or(occurred_at));
    if apart > LIVE {
        let earliest = occurred_at.saturating_sub(RECENT).unwrap_or(occurred_at);
        return (month(earliest), latest);
    }
    (FIRST, latest)
}

/// Groups what is looked up by its months. With the months as constants of the statement the server
/// chooses partitions once, and not once for each event, which takes several times as long as the
/// look-up itself.
pub(super) fn by_months<T>(
    all: impl IntoIterator<Item = T>,
    months: impl Fn(&T) -> Months,
) -> BTreeMap<Months, Vec<T>> {
    let mut groups = BTreeMap::<Months, Vec<T>>::new();
    for each in all {
        groups.entry(months(&each)).or_default().push(each);
    }
    groups
}

/// The first day of the month of a time, in UTC.
pub(super) fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

/// Finds the events that were folded before.
pub(super) async fn find(
    connection: &mut PgConnection,
    fresh: &mut Fresh,
    events: impl IntoIterator<Item = &Event>,
) -> sqlx::Result<HashSet<(WorkspaceNo, EventId)>> {
    let mut found = HashSet::new();
    let months = |event: &&Event| months(event.occurred_at, event.received_at);
    for ((since, until), mut group) in by_months(events, months) {
        if since > FIRST {
            let months = (since, until);
            fresh.leave_out_new(connection, months, &mut group).await?;
        }
        if group.is_empty() {
            continue;
        }
        // Ids are random. In the order of the index, neighbours share the pages that are read.
        group.sort_unstable_by_key(|event| (event.workspace_no, event.event_id));
        let workspaces = group.iter().map(|event| super::int4(event.workspace_no));
        let events = group.iter().map(|event| event.event_id.0);
        let rows = sqlx::query(FIND)
            .bind(since.to_sqlx())
            .bind(until.to_sqlx())
            .bind(workspaces.collect::<Vec<i32>>())
            .bind(events.collect::<Vec<Uuid>>())
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            let event_id = EventId(row.try_get("event_id")?);
            found.insert((super::workspace(row)?, event_id));
        }
    }
    Ok(found)
}

/// Adds events that are not there yet.
pub(super) async fn insert(
    connection: &mut PgConnection,
    fresh: &mut Fresh,
    mut rows: Vec<SeenRow>,
) -> sqlx::Result<()> {
    fresh.add(&rows);
    rows.sort_unstable_by_key(|row| (row.month, row.workspace_no, row.event_id));
    APPEND.rows(connection, &rows).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_looked_for_in_the_months_where_it_may_have_been_seen() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let occurred = at("2026-03-15T23:59:59Z");
        let march = "2026-03-01".parse::<Date>().unwrap();
        assert_eq!(months(occurred, at("2026-11-20T00:00:00Z")), (march, march));
        let day = SignedDuration::from_hours(24);
        for days in -30..=2_000 {
            let again = occurred + day * days;
            for age in [SignedDuration::ZERO, day] {
                let (since, until) = months(again, again + age);
                assert!((since..=until).contains(&march), "{days}");
            }
        }
        // A line of a recent history, about a beacon that came within 31 days of it.
        for days in -31..=31 {
            let line = occurred + day * days;
            let (since, until) = months(line, line + day * 20);
            assert!((since..=until).contains(&march), "{days}");
            assert!(since > FIRST);
        }
    }
}
