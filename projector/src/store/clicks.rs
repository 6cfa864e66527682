//! Writes clicks on short links, each with its verdict on duplicates.
//!
//! The one rule: a click is a duplicate if a counted click of the same link and visitor has a lower
//! seq and lies less than an hour away. All clicks of a workspace are folded in the order of their
//! seq. So a verdict depends only on rows that do not change any more, and not on batches.

use super::append::Append;
use crate::rows::ClickRow;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use schemas::{LinkId, VisitorHash, WorkspaceNo};
use sqlx::{PgConnection, Row};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    ops::Bound,
    sync::LazyLock,
};
use uuid::Uuid;

pub(super) fn statements() -> Vec<&'static str> {
    vec![FIND_COUNTED, &APPEND.insert]
}

/// Within this time, a visitor's clicks of one link count once.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

pub(super) static APPEND: LazyLock<Append> = LazyLock::new(|| Append::to::<ClickRow>("hits"));

/// The conditions are those of the index `hits_counted`. Two counted clicks are at least an hour
/// apart, so each look-up reads at most two entries.
pub(super) const FIND_COUNTED: &str = "
SELECT asked.number
FROM UNNEST($1::int8[], $2::int4[], $3::uuid[], $4::bytea[], $5::timestamptz[], $6::timestamptz[])
    AS asked (number, workspace_no, link_id, visitor_hash, since, until)
CROSS JOIN LATERAL (
    SELECT
    FROM hits
    WHERE workspace_no = asked.workspace_no
      AND link_id = asked.link_id
      AND visitor_hash = asked.visitor_hash
      AND occurred_at > asked.since
      AND occurred_at < asked.until
      AND click_id IS NOT NULL
      AND bot_reason IS NULL
      AND NOT is_duplicate
    LIMIT 1
) AS counted";

/// What makes two clicks the same.
type Same = (WorkspaceNo, LinkId, VisitorHash);

/// The clicks of a batch that count unless they are duplicates, by their number in the batch.
fn candidates(rows: &[ClickRow]) -> impl Iterator<Item = (usize, Same, Timestamp)> {
    rows.iter().enumerate().filter_map(|(number, row)| {
        let click = &row.click;
        let may_count = click.click_id.is_some() && click.bot_reason.is_none();
        let visitor = row.source.visitor_hash.filter(|_| may_count)?;
        let same = (click.workspace_no, row.opened.link_id?, visitor);
        Some((number, same, click.occurred_at))
    })
}

/// The open interval of time around a click in which another one counts instead.
fn around(at: Timestamp) -> (Timestamp, Timestamp) {
    let since = at.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    (since, at.checked_add(WINDOW).unwrap_or(Timestamp::MAX))
}

/// Judges the clicks of a batch, given the numbers of those with a counted click in the table.
fn judge(rows: &mut [ClickRow], found: &HashSet<usize>) {
    let mut order: Vec<(usize, Same, Timestamp)> = candidates(rows).collect();
    order.sort_by_key(|(number, ..)| rows.get(*number).map(|row| row.click.seq));
    let mut counted: HashMap<Same, BTreeSet<Timestamp>> = HashMap::new();
    for (number, same, at) in order {
        let near = counted.entry(same).or_default();
        let (since, until) = around(at);
        let open = (Bound::Excluded(since), Bound::Excluded(until));
        let is_duplicate = found.contains(&number) || near.range(open).next().is_some();
        if !is_duplicate {
            near.insert(at);
        } else if let Some(row) = rows.get_mut(number) {
            row.click.is_duplicate = true;
        }
    }
}

/// Judges clicks and appends them.
pub(super) async fn insert(
    connection: &mut PgConnection,
    rows: &mut [ClickRow],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let found = find_counted(connection, rows).await?;
    judge(rows, &found);
    APPEND.rows(connection, rows).await
}

/// The clicks that have a counted click in the table near them. Every row of the table has a lower
/// seq than the batch.
async fn find_counted(
    connection: &mut PgConnection,
    rows: &[ClickRow],
) -> sqlx::Result<HashSet<usize>> {
    let asked: Vec<_> = candidates(rows).collect();
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let numbers = asked.iter().map(|(number, ..)| i64::try_from(*number));
    let numbers: Vec<i64> = numbers.filter_map(Result::ok).collect();
    let workspaces = asked.iter().map(|(_, (no, ..), _)| super::int4(*no));
    let links = asked.iter().map(|(_, (_, link, _), _)| link.0);
    let visitors = asked.iter().map(|(_, (.., visitor), _)| visitor.0);
    let since = asked.iter().map(|(.., at)| around(*at).0.to_sqlx());
    let until = asked.iter().map(|(.., at)| around(*at).1.to_sqlx());
    let found = sqlx::query(FIND_COUNTED)
        .bind(numbers)
        .bind(workspaces.collect::<Vec<i32>>())
        .bind(links.collect::<Vec<Uuid>>())
        .bind(visitors.collect::<Vec<[u8; 16]>>())
        .bind(since.collect::<Vec<_>>())
        .bind(until.collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    let number = |row: &sqlx::postgres::PgRow| -> sqlx::Result<usize> {
        let number: i64 = row.try_get("number")?;
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    };
    found.iter().map(number).collect()
}
