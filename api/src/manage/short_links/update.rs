//! `PATCH /api/links/{linkId}`: changes a link.

use super::{
    LINK, WireShortLink,
    edit::LinkChange,
    save::{Save, commit_links, lock_link},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    refusals,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const UPDATE_SHORT_LINK: Command = Command {
    id: "links.update",
    verb: Verb::Patch,
    path: "/api/links/{linkId}",
    subject: Subject::Object(LINK),
    permission: Permission("links:update"),
    handler: ("update_short_link", |by| on(by, update_short_link)),
    summary: "Changes the members of a link that the body contains.",
    about: "Absent members keep their value; `null` clears one. Another code frees the former one at once.",
    body: body::<LinkChange>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The link.",
        Document::type_of::<WireShortLink>,
    ),
    refusals: || {
        let own = [
            refusals::short_link_not_found(),
            refusals::short_code_exists(),
            refusals::host_lost(),
            refusals::rules_too_large(),
        ];
        own.into_iter().chain(refusals::of_references()).collect()
    },
    ..WORKSPACE
};

/// Changes the members in the body: 200 with the link. A change to the stored values writes
/// nothing, so a repeated request leaves no second trace.
pub(crate) async fn update_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<LinkChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::short_link_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let app = &*app;
    let save = Save::new(app, tenant, now);
    let change = save.check_one(change.0).await?;
    let mut work = save.begin().await?;
    let stored = lock_link(&mut work, id).await?;
    let Some(changes) = save.change(&mut work.tx, &stored, change).await? else {
        return Ok(ok(WireShortLink::new(stored, &app.short_urls)));
    };
    let link = save.answer(&mut work.tx, id).await?;
    let detail = json!({ "changes": changes });
    commit_links(work, vec![("link.updated", id, detail)]).await?;
    Ok(ok(link))
}
