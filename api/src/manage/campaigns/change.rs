//! The commands that create, change, delete and restore campaigns.

use super::{
    CAMPAIGN, MAX_CAMPAIGNS,
    edit::{CampaignChange, NewCampaign},
    wire::WireCampaign,
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::trace::trace,
    patch::differences,
    refusals,
    store::{
        self, Tx,
        campaigns::{Campaign, Terms},
        record,
    },
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::on,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, done, ok},
    openapi::Document,
};
use serde_json::{Value, json};
use sqlx::types::Json;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const CREATE_CAMPAIGN: Command = Command {
    id: "campaigns.create",
    verb: Verb::Post,
    path: "/api/campaigns",
    permission: Permission("campaigns:create"),
    handler: ("create_campaign", |by| on(by, create_campaign)),
    summary: "Creates a campaign.",
    body: body::<NewCampaign>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The campaign.",
        Document::type_of::<WireCampaign>,
    ),
    refusals: || vec![refusals::limit_exceeded(MAX_CAMPAIGNS)],
    ..WORKSPACE
};

pub(super) const UPDATE_CAMPAIGN: Command = Command {
    id: "campaigns.update",
    verb: Verb::Patch,
    path: "/api/campaigns/{campaignId}",
    subject: Subject::Object(CAMPAIGN),
    permission: Permission("campaigns:update"),
    handler: ("update_campaign", |by| on(by, update_campaign)),
    summary: "Changes the members of a campaign that the body contains.",
    body: body::<CampaignChange>(),
    answer: Answer::Data(
        StatusCode::OK,
        "The campaign.",
        Document::type_of::<WireCampaign>,
    ),
    refusals: || vec![refusals::campaign_not_found()],
    ..WORKSPACE
};

pub(super) const DELETE_CAMPAIGN: Command = Command {
    id: "campaigns.delete",
    verb: Verb::Delete,
    path: "/api/campaigns/{campaignId}",
    subject: Subject::Object(CAMPAIGN),
    permission: Permission("campaigns:delete"),
    handler: ("delete_campaign", |by| on(by, delete_campaign)),
    summary: "Deletes a campaign. Its links stay, and its rules no longer apply.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::campaign_not_found()],
    ..WORKSPACE
};

pub(super) const RESTORE_CAMPAIGN: Command = Command {
    id: "campaigns.restore",
    verb: Verb::Post,
    path: "/api/campaigns/{campaignId}/restore",
    subject: Subject::Object(CAMPAIGN),
    permission: Permission("campaigns:update"),
    handler: ("restore_campaign", |by| on(by, restore_campaign)),
    summary: "Restores a deleted campaign with its rules, and its links unless they joined another one.",
    answer: Answer::Data(
        StatusCode::OK,
        "The campaign.",
        Document::type_of::<WireCampaign>,
    ),
    refusals: || {
        vec![
            refusals::campaign_not_found(),
            refusals::limit_exceeded(MAX_CAMPAIGNS),
        ]
    },
    ..WORKSPACE
};

/// Writes the traces of a change: the audit row, and the campaign's entry.
async fn record(
    tx: &mut Tx<'_>,
    by: (&Tenant, Timestamp),
    (action, id): (&'static str, Uuid),
    detail: Value,
) -> Result<(), ApiError> {
    trace(tx, by, (action, id), detail).await?;
    let entry = store::directory::find_campaign(tx, id).await?;
    record::publish(tx, &[entry], by.1).await
}

async fn check_count(tx: &mut Tx<'_>, workspace_id: Uuid) -> Result<(), ApiError> {
    if store::campaigns::count(tx, workspace_id).await? >= i64::from(MAX_CAMPAIGNS) {
        return Err(refusals::limit_exceeded(MAX_CAMPAIGNS));
    }
    Ok(())
}

/// Creates a campaign: 201.
pub(crate) async fn create_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewCampaign>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut campaign = Campaign {
        id: app.ids.uuid_v7(now),
        name: String::new(),
        status: "active".to_owned(),
        terms: Json(Terms::default()),
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
        deleted_at: None,
        links: 0,
    };
    new.0.apply(&mut campaign)?;
    let id = campaign.id;
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    check_count(&mut tx, tenant.workspace.id).await?;
    store::campaigns::insert(&mut tx, tenant.workspace.id, &campaign).await?;
    let campaign = WireCampaign::from(campaign);
    let detail = json!({ "campaign": campaign });
    record(&mut tx, (tenant, now), ("campaign.created", id), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(campaign)).into_response())
}

/// Changes a campaign: 200.
pub(crate) async fn update_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<CampaignChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::campaign_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let stored = store::campaigns::find(&mut tx, id, tenant.workspace.id).await?;
    let stored = stored.filter(|campaign| campaign.deleted_at.is_none());
    let stored = stored.ok_or_else(refusals::campaign_not_found)?;
    let mut campaign = stored.clone();
    change.0.apply(&mut campaign)?;
    let before = WireCampaign::from(stored);
    let changes = differences(&before, &WireCampaign::from(campaign.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    campaign.updated_at = now.to_sqlx();
    store::campaigns::update(&mut tx, &campaign).await?;
    let detail = json!({ "changes": changes });
    record(&mut tx, (tenant, now), ("campaign.updated", id), detail).await?;
    tx.commit().await?;
    Ok(ok(WireCampaign::from(campaign)))
}

/// Deletes a campaign.
pub(crate) async fn delete_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::campaign_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let campaign = store::campaigns::find(&mut tx, id, tenant.workspace.id).await?;
    let campaign = campaign.filter(|campaign| campaign.deleted_at.is_none());
    let mut campaign = campaign.ok_or_else(refusals::campaign_not_found)?;
    campaign.deleted_at = Some(now.to_sqlx());
    campaign.updated_at = now.to_sqlx();
    store::campaigns::update(&mut tx, &campaign).await?;
    let detail = json!({ "name": campaign.name });
    record(&mut tx, (tenant, now), ("campaign.deleted", id), detail).await?;
    tx.commit().await?;
    Ok(done())
}

/// Restores a campaign: 200, also when it is not deleted.
pub(crate) async fn restore_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::campaign_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, tenant.workspace.id).await?;
    let campaign = store::campaigns::find(&mut tx, id, tenant.workspace.id).await?;
    let mut campaign = campaign.ok_or_else(refusals::campaign_not_found)?;
    if campaign.deleted_at.is_some() {
        check_count(&mut tx, tenant.workspace.id).await?;
        campaign.deleted_at = None;
        campaign.updated_at = now.to_sqlx();
        store::campaigns::update(&mut tx, &campaign).await?;
        let detail = json!({ "name": campaign.name });
        record(&mut tx, (tenant, now), ("campaign.restored", id), detail).await?;
        tx.commit().await?;
    }
    Ok(ok(WireCampaign::from(campaign)))
}
