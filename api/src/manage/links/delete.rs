//! `DELETE /api/v1/creators/links/{linkId}`: removes a link from its page.

use super::own;
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb},
    extract::PathId,
    store::{self, record},
};
use axum::{extract::State, response::Response, routing::on};
use runtime::http::{ApiError, done};
use serde_json::json;
use std::sync::Arc;

pub(super) const DELETE_LINK: Command = Command {
    id: "creators.links.delete",
    verb: Verb::Delete,
    path: "/api/v1/creators/links/{linkId}",
    subject: Subject::Link,
    permission: Permission("links:delete"),
    limit: Allowance::an_hour(30),
    handler: ("delete_link", |by| on(by, delete_link)),
    summary: "Deletes a link. Its clicks stay in the reports.",
    about: "",
    page: None,
    query: &[],
    body: &[],
    answer: Answer::Done("Deleted."),
    refusals: Vec::new,
};

/// Removes a link from its page for good. The other links keep their places. Its clicks stay in the
/// reports, without its name.
pub(crate) async fn delete_link(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(id): PathId,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    let mut tx = app.main.pool()?.begin().await?;
    let own = own::lock(&mut tx, id, &access).await?;
    // The link itself is only marked as deleted, so that reports still know its id.
    let row = store::links::delete(&mut tx, id, now).await?;
    let audit = store::audit::Entry {
        workspace_id: own.creator.workspace_id,
        actor: access.user()?,
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
    Ok(done())
}
