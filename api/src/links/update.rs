//! `PATCH /api/v1/creators/links/{linkId}`

use super::{WireLink, edit::Edit, own};
use crate::{
    app::App,
    extract::{JsonObject, PathId},
    guard::Caller,
    patch::differences,
    refusals,
    store::{self, record},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use runtime::http::{ApiError, ok};
use serde_json::json;
use std::sync::Arc;

/// Changes what the body mentions: 200 with the link. A change to what is there already writes
/// nothing, so that a repeated request leaves no second trace.
pub(crate) async fn update_link(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId,
    JsonObject(body): JsonObject,
) -> Result<Response, ApiError> {
    let edit = Edit::read(&body)?;
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let own = own::lock(&mut tx, id, &caller.sub).await?;
    // A title that stays is not judged again: the list may have grown since.
    let flagged = edit
        .title
        .as_deref()
        .is_some_and(|title| app.words.flag(title));
    let link = edit.apply(&own.link)?;
    if flagged {
        return Err(refusals::link_flagged());
    }
    let before = WireLink::from(own.link);
    let after = WireLink::from(link.clone());
    let changes = differences(&before, &after)?;
    if changes.is_empty() {
        return Ok(ok(after).into_response());
    }
    let row = store::links::update(&mut tx, &link).await?;
    let audit = store::audit::Entry {
        workspace_id: own.creator.workspace_id,
        actor: &caller.sub,
        action: "link.updated",
        subject: id,
        at: now,
        detail: json!({ "bioPageId": own.page_id, "changes": changes }),
    };
    let entry = row.directory_entry(&own.creator);
    record::link_change(&mut tx, own.page_id, audit, entry).await?;
    tx.commit().await?;
    Ok(ok(after).into_response())
}
