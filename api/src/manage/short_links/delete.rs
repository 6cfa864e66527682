//! `DELETE /api/links/{linkId}` and `POST /api/links/{linkId}/restore`: a link's end, and its return.

use super::{
    LINK, WireShortLink,
    save::{Save, commit_links, lock_link},
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE},
    extract::ObjectId,
    refusals, store,
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, done, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const DELETE_SHORT_LINK: Command = Command {
    id: "links.delete",
    verb: Verb::Delete,
    path: "/api/links/{linkId}",
    subject: Subject::Object(LINK),
    permission: Permission("links:delete"),
    handler: ("delete_short_link", |by| on(by, delete_short_link)),
    summary: "Deletes a link, also from its bio page. Its clicks stay in the reports.",
    about: "Only this workspace can use the code again.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::short_link_not_found()],
    ..WORKSPACE
};

pub(super) const RESTORE_SHORT_LINK: Command = Command {
    id: "links.restore",
    verb: Verb::Post,
    path: "/api/links/{linkId}/restore",
    subject: Subject::Object(LINK),
    permission: Permission("links:update"),
    handler: ("restore_short_link", |by| on(by, restore_short_link)),
    summary: "Restores a deleted link with its code, rules and QR codes.",
    about: "A link that is not deleted is answered as it is. A link of a bio page does not return to its page.",
    answer: Answer::Data(
        StatusCode::OK,
        "The link.",
        Document::type_of::<WireShortLink>,
    ),
    refusals: || {
        vec![
            refusals::short_link_not_found(),
            refusals::short_code_exists(),
            refusals::host_lost(),
            refusals::limit_exceeded(25),
        ]
    },
    ..WORKSPACE
};

/// Deletes a link.
pub(crate) async fn delete_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::short_link_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let save = Save::new(&app, tenant, now);
    let mut work = save.begin().await?;
    let mut link = lock_link(&mut work, id).await?;
    link.deleted_at = Some(now.to_sqlx());
    save.stamp(&mut link);
    store::short_links::delete(&mut work.tx, &link).await?;
    let detail = json!({ "shortCode": link.short_code, "destinationUrl": link.destination });
    commit_links(work, vec![("link.deleted", id, detail)]).await?;
    Ok(done())
}

/// Restores a link: 409 when its code is another link's by now.
pub(crate) async fn restore_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::short_link_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let save = Save::new(&app, tenant, now);
    let mut work = save.begin().await?;
    let link = store::short_links::lock(&mut work.tx, id, tenant.workspace.id).await?;
    let mut link = link.ok_or_else(refusals::short_link_not_found)?;
    if link.deleted_at.is_none() {
        return Ok(ok(WireShortLink::new(link, &app.short_urls)));
    }
    save.check_limit(&mut work.tx, 1).await?;
    save.claim(&mut work.tx, &link).await?;
    link.deleted_at = None;
    save.stamp(&mut link);
    store::short_links::update(&mut work.tx, &link).await?;
    let detail = json!({ "shortCode": link.short_code });
    let link = save.answer(&mut work.tx, id).await?;
    commit_links(work, vec![("link.restored", id, detail)]).await?;
    Ok(ok(link))
}
