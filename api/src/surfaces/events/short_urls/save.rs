//! `POST /shortenedUrl/save`, `POST /shortenedUrl/bulkSave`, `PATCH /shortenedUrl/{id}`: writes links.

use super::{
    body::{Bulk, Given, NewShortUrl, ShortUrlChange},
    read::UrlId,
    refuse, wire,
};
use crate::{
    app::App,
    auth::{Access, Tenant},
    manage::short_links::{Checked, Edit, Save, commit_links, lock_link},
    refusals, store,
    surfaces::events::limits::{self, Scope},
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use runtime::http::{ApiError, ok};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Creates a link, or changes the one that has the code: 200 with the link.
pub(super) async fn save_short_url(
    State(app): State<Arc<App>>,
    access: Access,
    given: Result<Given<NewShortUrl>, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let answered = async {
        let Given(NewShortUrl(edit)) = given?;
        save(&app, tenant, edit).await.map_err(refuse::of_links)
    };
    limits::within(&app, tenant, Scope::Crud, answered).await
}

/// The same for several links, all or none: 200 with the links, in the order of the request.
pub(super) async fn save_short_urls(
    State(app): State<Arc<App>>,
    access: Access,
    given: Result<Given<Bulk>, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let answered = async {
        let Given(Bulk(edits)) = given?;
        save_all(&app, tenant, edits)
            .await
            .map_err(refuse::of_links)
    };
    limits::within(&app, tenant, Scope::Crud, answered).await
}

/// Changes the members in the body: 200 with the link.
pub(super) async fn update_short_url(
    State(app): State<Arc<App>>,
    access: Access,
    id: UrlId,
    given: Result<Given<ShortUrlChange>, ApiError>,
) -> Response {
    let tenant = match access.tenant() {
        Ok(tenant) => tenant,
        Err(error) => return error.into_response(),
    };
    let answered = async {
        let Given(ShortUrlChange(edit)) = given?;
        let id = id.0.ok_or_else(refusals::short_link_not_found)?;
        update(&app, tenant, id, edit)
            .await
            .map_err(refuse::of_links)
    };
    limits::within(&app, tenant, Scope::Crud, answered).await
}

async fn save(app: &App, tenant: &Tenant, edit: Edit) -> Result<Response, ApiError> {
    let save = Save::external(app, tenant, app.clock.now());
    let given = save.check_one(edit).await?;
    let workspace = tenant.workspace.id;
    let mut work = save.begin().await?;
    let domain = store::short_hosts::find_default(&mut work.tx, workspace).await?;
    let given = given.on_domain(domain);
    let upserted = save.upsert(&mut work.tx, given).await?;
    let (id, trace) = save.trace(&mut work.tx, upserted).await?;
    let link = wire::find(&mut work.tx, app, workspace, id).await?;
    commit_links(work, Vec::from_iter(trace)).await?;
    Ok(ok(link))
}

async fn save_all(
    app: &App,
    tenant: &Tenant,
    given: Vec<Result<Edit, Vec<String>>>,
) -> Result<Response, ApiError> {
    let save = Save::external(app, tenant, app.clock.now());
    let mut faults = Vec::new();
    let checked = check(save, given, &mut faults).await?;
    let workspace = tenant.workspace.id;
    let mut work = save.begin().await?;
    let domain = store::short_hosts::find_default(&mut work.tx, workspace).await?;
    let mut done = Vec::with_capacity(checked.len());
    let mut refused = None;
    let mut only_apps = faults.is_empty();
    for (index, edit) in checked {
        match save.upsert(&mut work.tx, edit.on_domain(domain)).await {
            Ok(upserted) => done.push(upserted),
            // Not a fault of this link; it is only reported when the links are right.
            Err(error) if error.status == 403 => refused = Some(error),
            // Nothing was written for this link, so the next one can still be checked.
            Err(error) if error.code == refusals::EVENTS_UNKNOWN_APP => {
                faults.extend(error.details.into_iter().map(|problem| (index, problem)));
            }
            Err(error) if error.status.is_client_error() => {
                only_apps = false;
                faults.push((index, error.message.into_owned()));
            }
            Err(error) => return Err(error),
        }
    }
    if !faults.is_empty() {
        faults.sort_by_key(|(index, _)| *index);
        let error = ApiError::faults(faults);
        return Err(if only_apps {
            refusals::events_unknown_app(error)
        } else {
            error
        });
    }
    if let Some(error) = refused {
        return Err(error);
    }
    let mut links = Vec::with_capacity(done.len());
    let mut traces = Vec::with_capacity(done.len());
    for upserted in done {
        let (id, trace) = save.trace(&mut work.tx, upserted).await?;
        traces.extend(trace);
        links.push(wire::find(&mut work.tx, app, workspace, id).await?);
    }
    commit_links(work, traces).await?;
    Ok(ok(links))
}

/// The links that can be checked without the database, with their index. The others are faults, and
/// so is a code that an earlier link of the request has.
async fn check(
    save: Save<'_>,
    given: Vec<Result<Edit, Vec<String>>>,
    faults: &mut Vec<(usize, String)>,
) -> Result<Vec<(usize, Checked)>, ApiError> {
    let mut codes = std::collections::HashSet::new();
    let (mut indexes, mut edits) = (Vec::new(), Vec::new());
    for (index, edit) in given.into_iter().enumerate() {
        match edit {
            Ok(edit) => {
                let code = edit.short_code.as_deref().map(str::to_ascii_lowercase);
                if code.is_some_and(|code| !codes.insert(code)) {
                    let problem = "shortCode is given twice in this request";
                    faults.push((index, problem.to_owned()));
                }
                indexes.push(index);
                edits.push(edit);
            }
            Err(problems) => faults.extend(problems.into_iter().map(|problem| (index, problem))),
        }
    }
    let mut checked = Vec::new();
    for (index, edit) in indexes.into_iter().zip(save.check(edits).await?) {
        match edit {
            Ok(edit) => checked.push((index, save.hash(edit).await?)),
            Err(problems) => {
                faults.extend(problems.into_iter().map(|problem| (index, problem)));
            }
        }
    }
    Ok(checked)
}

async fn update(app: &App, tenant: &Tenant, id: Uuid, edit: Edit) -> Result<Response, ApiError> {
    let save = Save::external(app, tenant, app.clock.now());
    let change = save.check_one(edit).await?;
    let mut work = save.begin().await?;
    let stored = lock_link(&mut work, id).await?;
    let changes = save.change(&mut work.tx, &stored, change).await?;
    let trace = changes.map(|changes| ("link.updated", id, json!({ "changes": changes })));
    let link = wire::find(&mut work.tx, app, tenant.workspace.id, id).await?;
    commit_links(work, Vec::from_iter(trace)).await?;
    Ok(ok(link))
}
