//! Who changed what: one row per change, in its transaction.

use super::Tx;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use uuid::Uuid;

pub(super) const INSERT: &str = "\
INSERT INTO audit_log (workspace_id, actor, action, subject, at, detail)
VALUES ($1, $2, $3, $4, $5, $6)";

/// A change, as it is remembered.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) workspace_id: Uuid,
    /// The subject of the token that came with the request.
    pub(crate) actor: &'a str,
    /// In the past tense, `link.created`.
    pub(crate) action: &'static str,
    /// What was changed.
    pub(crate) subject: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) detail: Value,
}

/// Remembers a change.
pub(crate) async fn insert(tx: &mut Tx<'_>, entry: Entry<'_>) -> sqlx::Result<()> {
    sqlx::query(INSERT)
        .bind(entry.workspace_id)
        .bind(entry.actor)
        .bind(entry.action)
        .bind(entry.subject)
        .bind(entry.at.to_sqlx())
        .bind(entry.detail)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
