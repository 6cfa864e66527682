//! The unit of work of a command: a transaction that changes a workspace, and ends with an audit row.
//!
//! The one rule: a handler that writes begins here. So no command forgets the lock of the workspace's
//! row, and none commits without its audit row.

use super::managed::Managed;
use crate::{
    app::App,
    auth::{Access, Tenant},
    extract::ObjectId,
    refusals,
    store::{self, Tx, audit, record},
};
use jiff::Timestamp;
use runtime::http::ApiError;
use schemas::directory::Entry;
use serde_json::Value;
use uuid::Uuid;

/// What an audit row says: the action in the past tense, the id of the changed object, the details.
pub(crate) type Trace = (&'static str, Uuid, Value);

/// A change of a workspace by a caller. Dropping it takes everything back.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) tx: Tx<'static>,
    pub(crate) tenant: &'a Tenant,
    /// The time of the change, in every row that it writes.
    pub(crate) now: Timestamp,
}

impl<'a> Work<'a> {
    /// Begins a change, while no other one changes the workspace; 403 when it was deleted since the
    /// caller was identified.
    pub(crate) async fn begin(
        app: &App,
        tenant: &'a Tenant,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let mut work = Self::begin_unlocked(app, tenant, now).await?;
        if !store::workspaces::lock(&mut work.tx, tenant.workspace.id).await? {
            return Err(refusals::not_a_member());
        }
        Ok(work)
    }

    /// Begins a change that a single statement decides, so that it need not wait for others.
    pub(crate) async fn begin_unlocked(
        app: &App,
        tenant: &'a Tenant,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let tx = app.main.pool()?.begin().await?;
        Ok(Self { tx, tenant, now })
    }

    /// Begins a change of the object that a path names; 404 when the workspace does not have it.
    pub(crate) async fn on<T: Managed>(
        app: &App,
        access: &'a Access,
        id: ObjectId,
    ) -> Result<(Self, T), ApiError> {
        let id = id.get(T::NOT_FOUND)?;
        let tenant = access.tenant()?;
        let mut work = Self::begin(app, tenant, app.clock.now()).await?;
        let found = store::find(&mut *work.tx, id, tenant.workspace.id).await?;
        Ok((work, found.ok_or_else(T::NOT_FOUND)?))
    }

    /// Publishes entries of the directory with the change; 400 when one is too large for the log.
    pub(crate) async fn publish(&mut self, entries: &[Entry]) -> Result<(), ApiError> {
        record::publish(&mut self.tx, entries, self.now).await
    }

    /// Commits the change with its audit row.
    pub(crate) async fn commit(
        self,
        action: &'static str,
        subject: Uuid,
        detail: Value,
    ) -> Result<(), ApiError> {
        self.commit_all(vec![(action, subject, detail)]).await
    }

    /// Commits a change of several objects with an audit row for each.
    pub(crate) async fn commit_all(mut self, traces: Vec<Trace>) -> Result<(), ApiError> {
        let actor = self.tenant.actor();
        for (action, subject, detail) in traces {
            let entry = audit::Entry {
                workspace_id: self.tenant.workspace.id,
                actor: &actor,
                action,
                subject,
                at: self.now,
                detail,
            };
            audit::insert(&mut self.tx, entry).await?;
        }
        self.tx.commit().await?;
        Ok(())
    }
}
