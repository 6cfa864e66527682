//! Deliveries of webhooks: the queue of those that wait, and the history of the others.

use super::{Statement, Tx, row::row, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    LOCK, LIST, COUNT, FIND, AGAIN, CLAIM, DELIVERED, FAILED, SUCCEEDS, FAILS, IS_DEAD, SWITCH_OFF,
    WAITING, EXPIRE, TRIM, END_ALL
];

// "webhooks" in ASCII.
pub(super) const LOCK: &str = "SELECT pg_try_advisory_lock(x'776562686f6f6b73'::int8)";

pub(super) const LIST: &str = "\
SELECT *
FROM webhook_deliveries
WHERE webhook_id = $1
  AND ($2::text IS NULL OR state = $2)
ORDER BY created_at DESC, id DESC
LIMIT $3
OFFSET $4";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM webhook_deliveries
WHERE webhook_id = $1
  AND ($2::text IS NULL OR state = $2)";

pub(super) const FIND: &str = "\
SELECT *
FROM webhook_deliveries
WHERE id = $1
  AND webhook_id = $2";

pub(super) const AGAIN: &str = "\
UPDATE webhook_deliveries
SET state = 'waiting',
    attempts = 0,
    next_attempt_at = $2,
    finished_at = NULL
WHERE id = $1
RETURNING *";

// Turns within a workspace, so that neither a webhook nor a workspace with much to send takes all places. $1 and $2 say
// how many requests of each webhook are under way, and $10 how many of these have places of this kind. The claim moves the next attempt ahead: if this process dies, the
// attempt is repeated then.
pub(super) const CLAIM: &str = "\
WITH busy AS (
    SELECT webhooks.id, workspace_id, given.count, given.here
    FROM unnest($1::uuid[], $2::int8[], $10::int8[]) AS given (id, count, here)
    JOIN webhooks ON webhooks.id = given.id
), ranked AS (
    SELECT found.id, found.next_attempt_at,
           coalesce((SELECT sum(busy.here)::int8 FROM busy WHERE busy.workspace_id = webhooks.workspace_id), 0)
           + row_number() OVER (
               PARTITION BY webhooks.workspace_id
               ORDER BY found.place, found.next_attempt_at, found.id
           ) AS turn
    FROM webhooks
    LEFT JOIN busy ON busy.id = webhooks.id
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at, row_number() OVER (ORDER BY next_attempt_at, id) AS place
        FROM webhook_deliveries
        WHERE webhook_id = webhooks.id
          AND state = 'waiting'
          AND next_attempt_at <= $3
        ORDER BY next_attempt_at, id
        LIMIT greatest($4 - coalesce(busy.count, 0), 0)
    ) AS found
    WHERE enabled
      AND (failing_since IS NOT NULL OR webhooks.id = ANY($5)) = $6
), due AS (
    SELECT id
    FROM ranked
    WHERE turn <= $7
    ORDER BY turn, next_attempt_at, id
    LIMIT $8
)
UPDATE webhook_deliveries AS claimed
SET next_attempt_at = $9
FROM due, webhooks
WHERE claimed.id = due.id
  AND webhooks.id = claimed.webhook_id
RETURNING claimed.id, webhook_id, workspace_id, event_type, payload, attempts, url, secret, former_secret, former_until";

pub(super) const DELIVERED: &str = "\
UPDATE webhook_deliveries
SET state = 'delivered',
    attempts = attempts + 1,
    next_attempt_at = NULL,
    last_attempt_at = $2,
    last_status = $3,
    last_error = NULL,
    finished_at = $2
WHERE id = $1
  AND state = 'waiting'";

pub(super) const FAILED: &str = "\
UPDATE webhook_deliveries
SET state = CASE WHEN $5::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
    attempts = attempts + 1,
    next_attempt_at = $5,
    last_attempt_at = $2::timestamptz,
    last_status = $3,
    last_error = $4,
    finished_at = CASE WHEN $5::timestamptz IS NULL THEN $2::timestamptz END
WHERE id = $1
  AND state = 'waiting'";

pub(super) const SUCCEEDS: &str = "\
UPDATE webhooks
SET failing_since = NULL,
    failed_events = 0
WHERE id = $1
  AND failing_since IS NOT NULL";

pub(super) const FAILS: &str = "\
UPDATE webhooks
SET failing_since = coalesce(failing_since, $2),
    failed_events = failed_events + $3
WHERE id = $1
  AND enabled";

pub(super) const IS_DEAD: &str = "\
SELECT EXISTS (SELECT FROM webhooks WHERE id = $1 AND enabled AND failing_since <= $2 AND failed_events >= $3)";

pub(super) const SWITCH_OFF: &str = "\
UPDATE webhooks
SET enabled = false,
    disabled_at = $2,
    disabled_reason = $3,
    updated_at = $2
WHERE id = $1
  AND enabled
  AND failing_since <= $4
  AND failed_events >= $5";

// The sender records an attempt with the delivery's row first and the webhook's row second, so a transaction with
// the webhooks' rows must not wait for deliveries. One that is being recorded at this moment is left out. It is not sent
// again, since its webhook is off.
pub(super) const END_ALL: &str = "\
UPDATE webhook_deliveries
SET state = 'failed',
    next_attempt_at = NULL,
    last_error = $3,
    finished_at = $2
WHERE id IN (SELECT webhook_deliveries.id
             FROM webhooks
             JOIN webhook_deliveries ON webhook_id = webhooks.id
             WHERE workspace_id = $1
               AND state = 'waiting'
             FOR UPDATE OF webhook_deliveries SKIP LOCKED)";

pub(super) const WAITING: &str = "\
SELECT count(*), min(created_at)
FROM webhook_deliveries
WHERE state = 'waiting'";

pub(super) const EXPIRE: &str = "\
DELETE FROM webhook_deliveries
WHERE id IN (SELECT id
             FROM webhook_deliveries
             WHERE finished_at < $1
             ORDER BY finished_at
             LIMIT $2)";

pub(super) const TRIM: &str = "\
DELETE FROM webhook_deliveries
WHERE webhook_id = $1
  AND finished_at IS NOT NULL
  AND (created_at, id) <= (SELECT created_at, id
                           FROM webhook_deliveries
                           WHERE webhook_id = $1
                           ORDER BY created_at DESC, id DESC
                           LIMIT 1
                           OFFSET $2)";

row! {
    /// A delivery as its owner sees it.
    #[derive(Clone, Debug)]
    pub(crate) struct Delivery {
        pub(crate) id: Uuid,
        pub(crate) webhook_id: Uuid,
        pub(crate) event_type: String,
        pub(crate) payload: String,
        pub(crate) state: String,
        pub(crate) attempts: i32,
        pub(crate) next_attempt_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) last_attempt_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) last_status: Option<i32>,
        pub(crate) last_error: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) finished_at: Option<jiff_sqlx::Timestamp>,
    }
}

row! {
    /// A delivery that is being sent.
    #[derive(Clone)]
    pub(crate) struct Claimed {
        pub(crate) id: Uuid,
        pub(crate) webhook_id: Uuid,
        pub(crate) workspace_id: Uuid,
        pub(crate) payload: String,
        pub(crate) attempts: i32,
        pub(crate) url: String,
        pub(crate) secret: Vec<u8>,
        pub(crate) former_secret: Option<Vec<u8>>,
        pub(crate) former_until: Option<jiff_sqlx::Timestamp>,
    }
}

/// What may be claimed.
#[derive(Clone, Debug)]
pub(crate) struct Places<'a> {
    /// How many requests of these webhooks are under way.
    pub(crate) busy: (&'a [Uuid], &'a [i64]),
    /// How many of these have places of this kind.
    pub(crate) here: &'a [i64],
    /// Webhooks that answer slowly. They share places with those that fail.
    pub(crate) slow: &'a [Uuid],
    /// Whether the places are of those webhooks, or of the others.
    pub(crate) is_for_slow: bool,
    pub(crate) of_webhook: i64,
    pub(crate) of_workspace: i64,
    pub(crate) in_all: i64,
}

/// What an attempt has shown.
#[derive(Clone, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) at: Timestamp,
    pub(crate) status: Option<i32>,
    pub(crate) error: &'a str,
}

/// Takes the lock of the sender, if it is free.
pub(crate) async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(LOCK).fetch_one(connection).await
}

/// A page of a webhook's deliveries, the newest first, and how many there are.
pub(crate) async fn list(
    connection: &mut PgConnection,
    webhook_id: Uuid,
    state: Option<&str>,
    (limit, offset): (i64, i64),
) -> sqlx::Result<(Vec<Delivery>, i64)> {
    let total = sqlx::query_scalar(COUNT)
        .bind(webhook_id)
        .bind(state)
        .fetch_one(&mut *connection)
        .await?;
    let deliveries = sqlx::query_as(LIST)
        .bind(webhook_id)
        .bind(state)
        .bind(limit)
        .bind(offset)
        .fetch_all(connection)
        .await?;
    Ok((deliveries, total))
}

/// How many deliveries of a webhook wait.
pub(crate) async fn count_waiting(tx: &mut Tx<'_>, webhook_id: Uuid) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT)
        .bind(webhook_id)
        .bind("waiting")
        .fetch_one(&mut **tx)
        .await
}

/// A delivery of a webhook.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    id: Uuid,
    webhook_id: Uuid,
) -> sqlx::Result<Option<Delivery>> {
    sqlx::query_as(FIND)
        .bind(id)
        .bind(webhook_id)
        .fetch_optional(&mut **tx)
        .await
}

/// Lets a finished delivery wait again, under its id.
pub(crate) async fn again(tx: &mut Tx<'_>, id: Uuid, now: Timestamp) -> sqlx::Result<Delivery> {
    sqlx::query_as(AGAIN)
        .bind(id)
        .bind(now.to_sqlx())
        .fetch_one(&mut **tx)
        .await
}

/// Claims deliveries that are due, until `until`.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    places: &Places<'_>,
    (now, until): (Timestamp, Timestamp),
) -> sqlx::Result<Vec<Claimed>> {
    sqlx::query_as(CLAIM)
        .bind(places.busy.0)
        .bind(places.busy.1)
        .bind(now.to_sqlx())
        .bind(places.of_webhook)
        .bind(places.slow)
        .bind(places.is_for_slow)
        .bind(places.of_workspace)
        .bind(places.in_all)
        .bind(until.to_sqlx())
        .bind(places.here)
        .fetch_all(connection)
        .await
}

/// Records a success.
pub(crate) async fn delivered(
    tx: &mut Tx<'_>,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
) -> sqlx::Result<()> {
    sqlx::query(DELIVERED)
        .bind(claimed.id)
        .bind(attempt.at.to_sqlx())
        .bind(attempt.status)
        .execute(&mut **tx)
        .await?;
    sqlx::query(SUCCEEDS)
        .bind(claimed.webhook_id)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Records a failure; without a next attempt the delivery has failed.
pub(crate) async fn failed(
    tx: &mut Tx<'_>,
    claimed: &Claimed,
    attempt: &Attempt<'_>,
    next: Option<Timestamp>,
) -> sqlx::Result<()> {
    sqlx::query(FAILED)
        .bind(claimed.id)
        .bind(attempt.at.to_sqlx())
        .bind(attempt.status)
        .bind(attempt.error)
        .bind(next.map(ToSqlx::to_sqlx))
        .execute(&mut **tx)
        .await?;
    // Further attempts of one event say nothing new about the target.
    let events = i32::from(claimed.attempts == 0);
    sqlx::query(FAILS)
        .bind(claimed.webhook_id)
        .bind(attempt.at.to_sqlx())
        .bind(events)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Whether a webhook has only failed since `since`, with at least so many events.
pub(crate) async fn is_dead(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    (since, events): (Timestamp, i32),
) -> sqlx::Result<bool> {
    sqlx::query_scalar(IS_DEAD)
        .bind(webhook_id)
        .bind(since.to_sqlx())
        .bind(events)
        .fetch_one(executor)
        .await
}

/// Switches a webhook off that has only failed since `since`, with at least so many events.
pub(crate) async fn switch_off(
    tx: &mut Tx<'_>,
    webhook_id: Uuid,
    (now, reason): (Timestamp, &str),
    (since, events): (Timestamp, i32),
) -> sqlx::Result<bool> {
    let changed = sqlx::query(SWITCH_OFF)
        .bind(webhook_id)
        .bind(now.to_sqlx())
        .bind(reason)
        .bind(since.to_sqlx())
        .bind(events)
        .execute(&mut **tx)
        .await?;
    Ok(changed.rows_affected() == 1)
}

/// Ends the deliveries of a workspace that wait, after its webhooks are switched off.
pub(crate) async fn end_all(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    (now, reason): (Timestamp, &str),
) -> sqlx::Result<()> {
    sqlx::query(END_ALL)
        .bind(workspace_id)
        .bind(now.to_sqlx())
        .bind(reason)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// How many deliveries wait, and since when the oldest does.
pub(crate) async fn waiting(
    executor: impl PgExecutor<'_>,
) -> sqlx::Result<(i64, Option<jiff_sqlx::Timestamp>)> {
    sqlx::query_as(WAITING).fetch_one(executor).await
}

/// Removes at most `limit` deliveries that finished before a moment.
pub(crate) async fn expire(
    executor: impl PgExecutor<'_>,
    before: Timestamp,
    limit: i64,
) -> sqlx::Result<()> {
    sqlx::query(EXPIRE)
        .bind(before.to_sqlx())
        .bind(limit)
        .execute(executor)
        .await?;
    Ok(())
}

/// Removes the finished deliveries of a webhook that are not among its `kept` newest.
pub(crate) async fn trim(
    executor: impl PgExecutor<'_>,
    webhook_id: Uuid,
    kept: i64,
) -> sqlx::Result<()> {
    sqlx::query(TRIM)
        .bind(webhook_id)
        .bind(kept)
        .execute(executor)
        .await?;
    Ok(())
}
