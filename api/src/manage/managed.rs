//! The objects that a workspace manages: reads and lists every kind the same way.
//!
//! A kind of object says what differs in [`Managed`]; its statements are in [`Stored`]. A kind with
//! more to say has a handler of its own.

use super::asked::Asked;
use crate::{
    app::App,
    auth::Access,
    extract::{ObjectId, Query},
    paging::Paging,
    patch::differences,
    refusals,
    store::{self, Stored},
};
use axum::{extract::State, response::Response};
use runtime::http::{ApiError, ok};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A kind of object that the members of a workspace manage.
pub(crate) trait Managed: Stored {
    /// An object in answers.
    type Wire: From<Self> + Serialize;
    /// The error when the workspace has no object of that id.
    const NOT_FOUND: fn() -> ApiError;

    /// Reads the filter of a list from the query.
    fn filter(asked: &mut Asked<'_>) -> Self::Filter;
}

/// An object of the workspace, or 404.
pub(crate) async fn get_object<T: Managed>(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(T::NOT_FOUND)?;
    let workspace_id = access.tenant()?.workspace.id;
    let found: Option<T> = store::find(app.main.pool()?, id, workspace_id).await?;
    Ok(ok(T::Wire::from(found.ok_or_else(T::NOT_FOUND)?)))
}

/// A page of the workspace's objects.
pub(crate) async fn list_objects<T: Managed>(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let filter = T::filter(&mut asked);
    asked.finish()?;
    let workspace_id = access.tenant()?.workspace.id;
    let mut connection = app.main.pool()?.acquire().await?;
    let part = paging.limit_and_offset();
    let (found, total) = store::list::<T>(&mut connection, workspace_id, &filter, part).await?;
    let found: Vec<T::Wire> = found.into_iter().map(T::Wire::from).collect();
    Ok(paging.answer(&found, total))
}

/// The changes of an object for the audit row; `None` when answers would show no difference.
pub(crate) fn changes<T: Managed + Clone>(
    before: &T,
    after: &T,
) -> Result<Option<Value>, ApiError> {
    let wire = |object: &T| T::Wire::from(object.clone());
    let changes = differences(&wire(before), &wire(after))?;
    Ok((!changes.is_empty()).then(|| json!({ "changes": changes })))
}

/// Refuses another object when there are already so many.
pub(crate) fn check_count(count: i64, most: u32) -> Result<(), ApiError> {
    if count >= i64::from(most) {
        return Err(refusals::limit_exceeded(most));
    }
    Ok(())
}
