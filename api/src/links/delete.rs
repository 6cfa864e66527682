//! `DELETE /api/v1/creators/links/{linkId}`

use super::own;
use crate::{
    app::App,
    extract::PathId,
    guard::Caller,
    store::{self, record},
};
use axum::{extract::State, response::Response};
use runtime::http::{ApiError, success};
use serde_json::json;
use std::sync::Arc;

/// Takes a link off its page for good. The others keep their places, and its clicks stay in the
/// reports, without its name.
pub(crate) async fn delete_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let own = own::lock(&mut tx, id, &caller.sub).await?;
    let row = store::links::delete(&mut tx, id, now).await?;
    let audit = store::audit::Entry {
        workspace_id: own.creator.workspace_id,
        actor: &caller.sub,
        action: "link.deleted",
        subject: id,
        at: now,
        detail: json!({
            "bioPageId": own.page_id, "title": own.link.title, "url": own.link.url,
        }),
    };
    let entry = row.directory_entry(&own.creator);
    record::link_change(&mut tx, own.page_id, audit, entry).await?;
    tx.commit().await?;
    Ok(success())
}
