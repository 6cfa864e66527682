//! Webhooks of workspaces.
//!
//! The one rule: a change has the workspace's row locked.

use super::{Bound, Statement, Stored, Tx, row::row, statements, stored};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![
    LIST,
    COUNT,
    FIND,
    INSERT,
    UPDATE,
    ROTATE,
    DELETE,
    SECRETS,
    RENEW,
    SWITCH_ALL_OFF
];

pub(super) const LIST: &str = "\
SELECT *
FROM webhooks
WHERE workspace_id = $1
ORDER BY created_at, id
LIMIT $2
OFFSET $3";

pub(super) const COUNT: &str = "\
SELECT count(*)
FROM webhooks
WHERE workspace_id = $1";

pub(super) const FIND: &str = "\
SELECT *
FROM webhooks
WHERE id = $1
  AND workspace_id = $2";

pub(super) const INSERT: &str = "\
INSERT INTO webhooks (id, workspace_id, url, events, link_id, campaign_id, description, enabled, clicks_since,
                      conversions_since, secret, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $9, $9)";

// A new beginning forgets the place that was read up to. A webhook that is switched on begins without failures, and so
// does a new address.
pub(super) const UPDATE: &str = "\
UPDATE webhooks
SET url = $2,
    events = $3,
    link_id = $4,
    campaign_id = $5,
    description = $6,
    enabled = $7,
    updated_at = $8,
    clicks_since = $9,
    conversions_since = $10,
    last_click = CASE WHEN clicks_since = $9 THEN last_click END,
    last_conversion = CASE WHEN conversions_since = $10 THEN last_conversion END,
    failing_since = CASE WHEN (enabled OR NOT $7) AND url = $2 THEN failing_since END,
    failed_events = CASE WHEN (enabled OR NOT $7) AND url = $2 THEN failed_events ELSE 0 END,
    disabled_at = CASE WHEN NOT $7 THEN disabled_at END,
    disabled_reason = CASE WHEN NOT $7 THEN disabled_reason END
WHERE id = $1";

pub(super) const ROTATE: &str = "\
UPDATE webhooks
SET secret = $2,
    former_secret = $3,
    former_until = $4,
    updated_at = $5
WHERE id = $1";

pub(super) const SECRETS: &str = "\
SELECT id, secret, former_secret
FROM webhooks
WHERE id > $1
ORDER BY id
LIMIT $2";

// Unless it was rotated meanwhile.
pub(super) const RENEW: &str = "\
UPDATE webhooks
SET secret = coalesce($3, secret),
    former_secret = coalesce($4, former_secret)
WHERE id = $1
  AND secret = $2";

pub(super) const DELETE: &str = "\
DELETE FROM webhooks
WHERE id = $1";

// Of a workspace that is deleted.
pub(super) const SWITCH_ALL_OFF: &str = "\
UPDATE webhooks
SET enabled = false,
    disabled_at = $2,
    disabled_reason = $3,
    updated_at = $2
WHERE workspace_id = $1
  AND enabled";

row! {
    /// A webhook. Its secrets are encrypted.
    #[derive(Clone, Debug)]
    pub(crate) struct Webhook {
        pub(crate) id: Uuid,
        pub(crate) workspace_id: Uuid,
        pub(crate) url: String,
        pub(crate) events: Vec<String>,
        pub(crate) link_id: Option<Uuid>,
        pub(crate) campaign_id: Option<Uuid>,
        pub(crate) description: Option<String>,
        pub(crate) enabled: bool,
        /// Clicks from then on are sent.
        pub(crate) clicks_since: jiff_sqlx::Timestamp,
        /// Conversions from then on are sent.
        pub(crate) conversions_since: jiff_sqlx::Timestamp,
        pub(crate) secret: Vec<u8>,
        pub(crate) former_secret: Option<Vec<u8>>,
        pub(crate) former_until: Option<jiff_sqlx::Timestamp>,
        pub(crate) failing_since: Option<jiff_sqlx::Timestamp>,
        pub(crate) disabled_at: Option<jiff_sqlx::Timestamp>,
        pub(crate) disabled_reason: Option<String>,
        pub(crate) created_at: jiff_sqlx::Timestamp,
        pub(crate) updated_at: jiff_sqlx::Timestamp,
    }
}

impl Stored for Webhook {
    const FIND: &'static str = FIND;
    const LIST: &'static str = LIST;
    const LENGTH: &'static str = COUNT;
    type Filter = ();

    fn bind((): &(), statement: Bound) -> Bound {
        statement
    }
}

/// How many webhooks a workspace has.
pub(crate) async fn count(executor: impl PgExecutor<'_>, workspace_id: Uuid) -> sqlx::Result<i64> {
    stored::count(executor, COUNT, workspace_id).await
}

/// Adds a webhook. It sends what happens from its creation on.
pub(crate) async fn insert(tx: &mut Tx<'_>, webhook: &Webhook) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(webhook.id)
        .bind(webhook.workspace_id)
        .bind(&webhook.url)
        .bind(&webhook.events)
        .bind(webhook.link_id)
        .bind(webhook.campaign_id)
        .bind(&webhook.description)
        .bind(webhook.enabled)
        .bind(webhook.created_at)
        .bind(&webhook.secret)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes what its owner may change.
pub(crate) async fn update(tx: &mut Tx<'_>, webhook: &Webhook) -> sqlx::Result<()> {
    sqlx::query(UPDATE)
        .bind(webhook.id)
        .bind(&webhook.url)
        .bind(&webhook.events)
        .bind(webhook.link_id)
        .bind(webhook.campaign_id)
        .bind(&webhook.description)
        .bind(webhook.enabled)
        .bind(webhook.updated_at)
        .bind(webhook.clicks_since)
        .bind(webhook.conversions_since)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes the secrets of a webhook.
pub(crate) async fn rotate(tx: &mut Tx<'_>, webhook: &Webhook, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query(ROTATE)
        .bind(webhook.id)
        .bind(&webhook.secret)
        .bind(&webhook.former_secret)
        .bind(webhook.former_until)
        .bind(now.to_sqlx())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Removes a webhook with its deliveries.
pub(crate) async fn delete(tx: &mut Tx<'_>, id: Uuid) -> sqlx::Result<()> {
    sqlx::query(DELETE).bind(id).execute(&mut **tx).await?;
    Ok(())
}

/// Switches all webhooks of a workspace off.
pub(crate) async fn switch_all_off(
    tx: &mut Tx<'_>,
    workspace_id: Uuid,
    (now, reason): (Timestamp, &str),
) -> sqlx::Result<()> {
    sqlx::query(SWITCH_ALL_OFF)
        .bind(workspace_id)
        .bind(now.to_sqlx())
        .bind(reason)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

row! {
    /// The secrets of a webhook, encrypted.
    #[derive(Clone)]
    pub(crate) struct Secrets {
        pub(crate) id: Uuid,
        pub(crate) secret: Vec<u8>,
        pub(crate) former_secret: Option<Vec<u8>>,
    }
}

/// The secrets of all webhooks after an id.
pub(crate) async fn secrets(
    executor: impl PgExecutor<'_>,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Secrets>> {
    sqlx::query_as(SECRETS)
        .bind(after)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// Replaces the forms of the secrets of a webhook by others of the same secrets.
pub(crate) async fn renew(
    executor: impl PgExecutor<'_>,
    stored: &Secrets,
    (secret, former): (Option<Vec<u8>>, Option<Vec<u8>>),
) -> sqlx::Result<()> {
    sqlx::query(RENEW)
        .bind(stored.id)
        .bind(&stored.secret)
        .bind(secret)
        .bind(former)
        .execute(executor)
        .await?;
    Ok(())
}
