//! Conversions in the analytics database, in the order of the log, for the webhooks of a workspace.
//!
//! The projector folds the conversions of a workspace in the order of their `seq`, so none appears
//! before a position later. The one rule: a page and its end come from one snapshot.

use super::{Statement, row::row, statements};
use crate::events::{SNAPSHOT, statements::POSITION};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![NEWEST, BEFORE, PENDING, PAGE];

/// How long a conversion may wait for its click, for a webhook of one link or campaign.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);
/// Clocks of instances differ by less than this.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

pub(super) const NEWEST: &str = "\
SELECT seq, event_id
FROM conversions
WHERE workspace_no = $1
  AND seq < $2
ORDER BY seq DESC
LIMIT 1";

// From the newest back, because conversions arrive almost in the order of their seq.
pub(super) const BEFORE: &str = "\
SELECT seq
FROM conversions
WHERE workspace_no = $1
  AND received_at < $2
ORDER BY seq DESC
LIMIT 1";

// The first whose click may still come.
pub(super) const PENDING: &str = "\
SELECT unattributed.seq
FROM unattributed
JOIN conversions USING (workspace_no, seq, occurred_at)
WHERE unattributed.workspace_no = $1
  AND unattributed.seq > $2
  AND received_at > $3
ORDER BY unattributed.seq
LIMIT 1";

// Only an import brings what happened long before it arrived. The comparison of `occurred_at` with $5 is redundant, but it
// lets the server skip partitions.
pub(super) const PAGE: &str = "\
SELECT seq, event_id, conversion_id, link_id, campaign_id, short_code
FROM conversions
WHERE workspace_no = $1
  AND seq > $2
  AND seq <= $3
  AND class = ANY($4)
  AND received_at >= $5
  AND occurred_at >= $5 - interval '7 days'
  AND occurred_at >= received_at - interval '7 days'
  AND ($6::uuid IS NULL OR link_id = $6)
  AND ($7::uuid IS NULL OR campaign_id = $7)
ORDER BY seq
LIMIT $8";

/// Which conversions are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Follow<'a> {
    pub(crate) workspace_no: i32,
    /// Their classes.
    pub(crate) classes: Vec<&'a str>,
    pub(crate) link: Option<Uuid>,
    pub(crate) campaign: Option<Uuid>,
    /// Only those that arrived from then on.
    pub(crate) since: Timestamp,
    /// The event before the page; `None` before the first page.
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: i64,
}

/// A page of conversions.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) rows: Vec<Found>,
    /// The event after which the next page begins.
    pub(crate) last: Option<Uuid>,
    /// Whether there are more, or will be without news in the tables.
    pub(crate) has_more: bool,
}

row! {
    /// A conversion, with what its click was about.
    #[derive(Clone, Debug)]
    pub(crate) struct Found {
        event_id: Uuid,
        pub(crate) conversion_id: Uuid,
        pub(crate) link_id: Option<Uuid>,
        pub(crate) campaign_id: Option<Uuid>,
        pub(crate) short_code: Option<String>,
    }
}

impl Follow<'_> {
    /// Reads the page.
    pub(crate) async fn read(
        &self,
        connection: &mut PgConnection,
        now: Timestamp,
    ) -> sqlx::Result<Followed> {
        let mut snapshot = connection.begin_with(SNAPSHOT).await?;
        let mut followed = Followed {
            last: self.after,
            ..Followed::default()
        };
        let Some((mut end, mut end_id)) = self.newest(&mut snapshot, i64::MAX).await? else {
            return Ok(followed);
        };
        if self.after == Some(end_id) {
            return Ok(followed);
        }
        let after = self.position(&mut snapshot).await?;
        if (self.link.is_some() || self.campaign.is_some())
            && let Some(pending) = self.pending(&mut snapshot, after, now).await?
        {
            followed.has_more = true;
            match self.newest(&mut snapshot, pending).await? {
                Some(found) => (end, end_id) = found,
                None => return Ok(followed),
            }
        }
        if end <= after {
            return Ok(followed);
        }
        followed.rows = self.page(&mut snapshot, after, end).await?;
        snapshot.commit().await?;
        let is_full = i64::try_from(followed.rows.len()).is_ok_and(|rows| rows >= self.limit);
        let last = followed.rows.last().filter(|_| is_full);
        followed.last = Some(last.map_or(end_id, |last| last.event_id));
        followed.has_more |= is_full;
        Ok(followed)
    }

    async fn newest(
        &self,
        snapshot: &mut PgConnection,
        before: i64,
    ) -> sqlx::Result<Option<(i64, Uuid)>> {
        sqlx::query_as(NEWEST)
            .bind(self.workspace_no)
            .bind(before)
            .fetch_optional(snapshot)
            .await
    }

    async fn position(&self, snapshot: &mut PgConnection) -> sqlx::Result<i64> {
        if let Some(id) = self.after {
            let found: Option<(i64, Option<jiff_sqlx::Timestamp>)> = sqlx::query_as(POSITION)
                .bind(self.workspace_no)
                .bind(id)
                .fetch_optional(&mut *snapshot)
                .await?;
            if let Some((seq, _)) = found {
                return Ok(seq);
            }
        }
        let since = self.since.checked_sub(SKEW).unwrap_or(self.since);
        let found: Option<i64> = sqlx::query_scalar(BEFORE)
            .bind(self.workspace_no)
            .bind(since.to_sqlx())
            .fetch_optional(snapshot)
            .await?;
        Ok(found.unwrap_or(-1))
    }

    async fn pending(
        &self,
        snapshot: &mut PgConnection,
        after: i64,
        now: Timestamp,
    ) -> sqlx::Result<Option<i64>> {
        let since = now.checked_sub(PATIENCE).unwrap_or(now);
        sqlx::query_scalar(PENDING)
            .bind(self.workspace_no)
            .bind(after)
            .bind(since.to_sqlx())
            .fetch_optional(snapshot)
            .await
    }

    async fn page(
        &self,
        snapshot: &mut PgConnection,
        after: i64,
        end: i64,
    ) -> sqlx::Result<Vec<Found>> {
        sqlx::query_as(PAGE)
            .bind(self.workspace_no)
            .bind(after)
            .bind(end)
            .bind(&self.classes)
            .bind(self.since.to_sqlx())
            .bind(self.link)
            .bind(self.campaign)
            .bind(self.limit)
            .fetch_all(snapshot)
            .await
    }
}
