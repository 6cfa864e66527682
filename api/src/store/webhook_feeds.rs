//! How far webhooks have read the events of their workspaces.
//!
//! The one rule: the deliveries of a page and the position after it are written in one transaction,
//! and only from the position that the page was read after. So each event becomes one delivery,
//! also when two instances read at the same time.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![LOCK, ANY, LIST, MOVE, ADD];

// "webhookf" in ASCII; "webhooks" is the lock of the sender.
pub(super) const LOCK: &str = "SELECT pg_try_advisory_lock(x'776562686f6f6b66'::int8)";

pub(super) const ANY: &str = "SELECT EXISTS (SELECT FROM webhooks WHERE enabled)";

pub(super) const LIST: &str = "\
SELECT webhooks.id, workspace_id, no, events, link_id, campaign_id, clicks_since, conversions_since, last_click,
       last_conversion, (SELECT count(*)
                         FROM webhook_deliveries
                         WHERE webhook_id = webhooks.id
                           AND state = 'waiting') AS waiting
FROM webhooks
JOIN workspaces ON workspaces.id = workspace_id
WHERE enabled
  AND webhooks.id > $1
ORDER BY webhooks.id
LIMIT $2";

pub(super) const MOVE: &str = "\
UPDATE webhooks
SET last_click = $2,
    last_conversion = $3
WHERE id = $1
  AND enabled
  AND last_click IS NOT DISTINCT FROM $4
  AND last_conversion IS NOT DISTINCT FROM $5
  AND clicks_since = $6
  AND conversions_since = $7";

// Each a microsecond after the one before, so that they are started and listed in the order of the events.
pub(super) const ADD: &str = "\
INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, payload, state, next_attempt_at, created_at)
SELECT id, $1, event_id, event_type, payload, 'waiting', at, at
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[])
    WITH ORDINALITY AS new (id, event_id, event_type, payload, place)
CROSS JOIN LATERAL (SELECT $6::timestamptz - (cardinality($2::uuid[]) - place) * interval '1 microsecond') AS ordered (at)
ON CONFLICT (id) DO NOTHING";

row! {
    /// A webhook that is switched on, and what it has read.
    #[derive(Clone, Debug)]
    pub(crate) struct Feed {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        /// The workspace's number.
        pub(crate) no: i32,
        pub(crate) events: Vec<String>,
        pub(crate) link_id: Option<Uuid>,
        pub(crate) campaign_id: Option<Uuid>,
        pub(crate) clicks_since: jiff_sqlx::Timestamp,
        pub(crate) conversions_since: jiff_sqlx::Timestamp,
        pub(crate) last_click: Option<Uuid>,
        pub(crate) last_conversion: Option<Uuid>,
        /// How many of its deliveries wait.
        pub(crate) waiting: i64,
    }
}

/// An event for a webhook.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: Uuid,
    pub(crate) event_id: Uuid,
    pub(crate) event_type: &'static str,
    pub(crate) payload: String,
}

/// Takes the lock of the follower, if it is free.
pub(crate) async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(LOCK).fetch_one(connection).await
}

/// Whether any webhook is switched on.
pub(crate) async fn any(executor: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar(ANY).fetch_one(executor).await
}

/// The webhooks that are switched on, after an id.
pub(crate) async fn list(
    executor: impl PgExecutor<'_>,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Feed>> {
    sqlx::query_as(LIST)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// Moves the positions of a webhook; false when it was changed since the feed was read.
pub(crate) async fn advance(
    tx: &mut Tx<'_>,
    feed: &Feed,
    (last_click, last_conversion): (Option<Uuid>, Option<Uuid>),
) -> sqlx::Result<bool> {
    let moved = sqlx::query(MOVE)
        .bind(feed.id)
        .bind(last_click)
        .bind(last_conversion)
        .bind(feed.last_click)
        .bind(feed.last_conversion)
        .bind(feed.clicks_since)
        .bind(feed.conversions_since)
        .execute(&mut **tx)
        .await?;
    Ok(moved.rows_affected() == 1)
}

/// Adds deliveries of a webhook, due now. One that exists stays as it is.
pub(crate) async fn add(
    tx: &mut Tx<'_>,
    webhook_id: Uuid,
    new: &[NewDelivery],
    now: Timestamp,
) -> sqlx::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = new.iter().map(|new| new.id).collect();
    let events: Vec<Uuid> = new.iter().map(|new| new.event_id).collect();
    let types: Vec<&str> = new.iter().map(|new| new.event_type).collect();
    let payloads: Vec<&str> = new.iter().map(|new| &*new.payload).collect();
    sqlx::query(ADD)
        .bind(webhook_id)
        .bind(ids)
        .bind(events)
        .bind(types)
        .bind(payloads)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}
