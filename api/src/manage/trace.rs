//! The audit row of a change in a workspace.

use crate::{
    auth::Tenant,
    store::{Tx, audit},
};
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// Writes the audit row of a change by this caller.
pub(crate) async fn trace(
    tx: &mut Tx<'_>,
    (tenant, now): (&Tenant, Timestamp),
    (action, subject): (&'static str, Uuid),
    detail: Value,
) -> sqlx::Result<()> {
    let entry = audit::Entry {
        workspace_id: tenant.workspace.id,
        actor: &tenant.actor(),
        action,
        subject,
        at: now,
        detail,
    };
    audit::insert(tx, entry).await
}
