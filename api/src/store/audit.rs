//! The audit log: one row for each change, in the transaction of the change.

use super::{Statement, Tx, statements};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use uuid::Uuid;

pub(super) const STATEMENTS: &[Statement] = statements![INSERT];

pub(super) const INSERT: &str = "\
INSERT INTO audit_log (workspace_id, actor, action, subject, at, detail)
VALUES ($1, $2, $3, $4, $5, $6)";

/// A row of the audit log.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) workspace_id: Uuid,
    /// The caller: the subject of the request's token.
    pub(crate) actor: &'a str,
    /// In the past tense, `link.created`.
    pub(crate) action: &'static str,
    /// Id of the changed object.
    pub(crate) subject: Uuid,
    pub(crate) at: Timestamp,
    pub(crate) detail: Value,
}

/// Writes a row.
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
