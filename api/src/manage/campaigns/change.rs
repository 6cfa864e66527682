//! The commands that create, change, delete and restore campaigns.

use super::{
    CAMPAIGN, MAX_CAMPAIGNS,
    edit::{CampaignChange, NewCampaign},
    wire::WireCampaign,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    extract::{JsonBody, ObjectId},
    manage::{
        managed::{changes, check_count},
        work::Work,
    },
    refusals,
    store::{
        self,
        campaigns::{Campaign, Terms},
    },
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use jiff_sqlx::ToSqlx;
use runtime::{
    http::{ApiError, created, done, ok},
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

/// Commits a change with its audit row and the campaign's entry.
async fn commit(
    mut work: Work<'_>,
    action: &'static str,
    id: Uuid,
    detail: Value,
) -> Result<(), ApiError> {
    let entry = store::directory::find_campaign(&mut work.tx, id).await?;
    work.publish(&[entry]).await?;
    work.commit(action, id, detail).await
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
    let mut work = Work::begin(&app, tenant, now).await?;
    let count = store::campaigns::count(&mut work.tx, tenant.workspace.id).await?;
    check_count(count, MAX_CAMPAIGNS)?;
    store::campaigns::insert(&mut work.tx, tenant.workspace.id, &campaign).await?;
    let id = campaign.id;
    let campaign = WireCampaign::from(campaign);
    let detail = json!({ "campaign": campaign });
    commit(work, "campaign.created", id, detail).await?;
    Ok(created(campaign))
}

/// Changes a campaign: 200.
pub(crate) async fn update_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<CampaignChange>,
) -> Result<Response, ApiError> {
    let (mut work, stored) = Work::on::<Campaign>(&app, &access, id).await?;
    let mut campaign = stored.clone();
    change.0.apply(&mut campaign)?;
    let Some(changes) = changes(&stored, &campaign)? else {
        return Ok(ok(WireCampaign::from(stored)));
    };
    campaign.updated_at = work.now.to_sqlx();
    store::campaigns::update(&mut work.tx, &campaign).await?;
    commit(work, "campaign.updated", campaign.id, changes).await?;
    Ok(ok(WireCampaign::from(campaign)))
}

/// Deletes a campaign.
pub(crate) async fn delete_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, mut campaign) = Work::on::<Campaign>(&app, &access, id).await?;
    campaign.deleted_at = Some(work.now.to_sqlx());
    campaign.updated_at = work.now.to_sqlx();
    store::campaigns::update(&mut work.tx, &campaign).await?;
    let detail = json!({ "name": campaign.name });
    commit(work, "campaign.deleted", campaign.id, detail).await?;
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
    let mut work = Work::begin(&app, tenant, now).await?;
    let found = store::campaigns::find_any(&mut *work.tx, id, tenant.workspace.id).await?;
    let mut campaign = found.ok_or_else(refusals::campaign_not_found)?;
    if campaign.deleted_at.is_some() {
        let count = store::campaigns::count(&mut work.tx, tenant.workspace.id).await?;
        check_count(count, MAX_CAMPAIGNS)?;
        campaign.deleted_at = None;
        campaign.updated_at = now.to_sqlx();
        store::campaigns::update(&mut work.tx, &campaign).await?;
        let detail = json!({ "name": campaign.name });
        commit(work, "campaign.restored", id, detail).await?;
    }
    Ok(ok(WireCampaign::from(campaign)))
}
