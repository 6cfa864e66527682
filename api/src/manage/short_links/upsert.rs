//! `PUT /api/links/upsert`: creates a link, or changes the one that has its code.

use super::{
    WireShortLink,
    edit::{CodedLink, Edit},
    save::Save,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Verb, WORKSPACE, body},
    extract::JsonBody,
    refusals,
    store::{self, short_codes::Place},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::Document,
};
use serde_json::json;
use std::sync::Arc;

pub(super) const UPSERT_SHORT_LINK: Command = Command {
    id: "links.upsert",
    verb: Verb::Put,
    path: "/api/links/upsert",
    permission: Permission("links:create"),
    handler: ("upsert_short_link", |by| on(by, upsert_short_link)),
    summary: "Creates a link with this code, or changes the workspace's link that has it.",
    about: "Of an existing link, only the members in the body change. For that, the permission `links:update` is needed as well.",
    body: body::<CodedLink>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The link, new or not.",
        Document::type_of::<WireShortLink>,
    ),
    refusals: || {
        let own = [
            refusals::short_code_exists(),
            refusals::limit_exceeded(25),
            refusals::rules_too_large(),
        ];
        own.into_iter().chain(refusals::of_references()).collect()
    },
    ..WORKSPACE
};

/// Creates or changes the link with the code: 200 with the link.
pub(crate) async fn upsert_short_link(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(given): JsonBody<CodedLink>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let app = &*app;
    let save = Save { app, tenant, now };
    let Edit {
        domain, short_code, ..
    } = &given.0;
    let (domain, code) = (domain.clone(), short_code.clone().unwrap_or_default());
    let given = save.check_one(given.0).await?;
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let host = save.host(&mut tx, &domain).await?.flatten();
    let place = Place {
        host: host.as_deref(),
        code: &code,
    };
    let known = store::short_codes::find_holder(&mut tx, place, tenant.workspace.id).await?;
    let id = match known {
        None => {
            save.check_limit(&mut tx, 1).await?;
            let id = save.create(&mut tx, given).await?;
            let link = save.answer(&mut tx, id).await?;
            let detail = json!({ "link": link });
            save.record(&mut tx, "link.created", vec![(id, detail)])
                .await?;
            id
        }
        Some(id) => {
            if !tenant.may(Permission("links:update")) {
                return Err(refusals::permission_missing());
            }
            let stored = store::short_links::lock(&mut tx, id, tenant.workspace.id).await?;
            let stored = stored.ok_or_else(refusals::short_link_not_found)?;
            if let Some(changes) = save.change(&mut tx, &stored, given).await? {
                let detail = json!({ "changes": changes });
                save.record(&mut tx, "link.updated", vec![(id, detail)])
                    .await?;
            }
            id
        }
    };
    let link = save.answer(&mut tx, id).await?;
    tx.commit().await?;
    Ok(ok(link))
}
