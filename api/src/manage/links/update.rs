//! `PATCH /api/v1/creators/links/{linkId}`: changes a link.

use super::{WireLink, edit::Edit, own};
use crate::{
    app::App,
    auth::{Access, Allowance, Permission},
    command::{Answer, Command, Subject, Verb, body},
    extract::{JsonBody, PathId},
    manage::short_links::refuse_loop,
    patch::differences,
    refusals,
    store::{self, record},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const UPDATE_LINK: Command = Command {
    id: "creators.links.update",
    verb: Verb::Patch,
    path: "/api/v1/creators/links/{linkId}",
    subject: Subject::Link,
    permission: Permission("links:update"),
    limit: Allowance::an_hour(30),
    handler: ("update_link", |by| on(by, update_link)),
    summary: "Changes the members of a link that the body contains.",
    about: "A new url replaces the embed with the one detected from it, unless `embedType` or `embedMeta` is given.",
    page: None,
    query: &[],
    body: body::<Edit>(),
    answer: Answer::Data(StatusCode::OK, "The link.", Document::type_of::<WireLink>),
    refusals: || refusals::of_contents().into(),
};

/// Changes the members in the body: 200 with the link. A change to the stored values writes
/// nothing, so a repeated request leaves no second trace.
pub(crate) async fn update_link(
    State(app): State<Arc<App>>,
    access: Access,
    PathId(id): PathId,
    JsonBody(edit): JsonBody<Edit>,
) -> Result<Response, ApiError> {
    let now = app.clock.now();
    if let Some(url) = &edit.url {
        refuse_loop(&app, url).await?;
    }
    let mut tx = app.main.pool()?.begin().await?;
    let own = own::lock(&mut tx, id, &access).await?;
    // A title that the request omits is not checked again: the list may have grown since.
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
    store::links::update(&mut tx, &link, access.user()?, now).await?;
    let audit = store::audit::Entry {
        workspace_id: own.creator.workspace_id,
        actor: access.user()?,
        action: "link.updated",
        subject: id,
        at: now,
        detail: json!({ "bioPageId": own.page_id, "changes": changes }),
    };
    record::link_change(&mut tx, own.page_id, audit).await?;
    tx.commit().await?;
    Ok(ok(after).into_response())
}
