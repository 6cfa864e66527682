//! `GET /api/campaigns` and `GET /api/campaigns/{campaignId}`: reads campaigns.

use super::{CAMPAIGN, edit::STATUSES, wire::WireCampaign};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    manage::asked::Asked,
    paging::Paging,
    refusals,
    store::{self, campaigns::Filter},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::{Document, boolean, text, word_of},
};
use std::sync::Arc;

pub(super) const LIST_CAMPAIGNS: Command = Command {
    id: "campaigns.list",
    verb: Verb::Get,
    path: "/api/campaigns",
    permission: Permission("campaigns:read"),
    handler: ("list_campaigns", |by| on(by, list_campaigns)),
    summary: "The campaigns of the workspace, the newest first.",
    query: &[
        Parameter {
            name: "search",
            schema: || text(200).about("A text in the name."),
        },
        Parameter {
            name: "status",
            schema: || word_of(&STATUSES),
        },
        Parameter {
            name: "deleted",
            schema: || {
                boolean()
                    .default(false)
                    .about("Whether the list has the deleted campaigns instead.")
            },
        },
    ],
    answer: Answer::List("A page of campaigns.", Document::type_of::<WireCampaign>),
    ..WORKSPACE
};

pub(super) const GET_CAMPAIGN: Command = Command {
    id: "campaigns.get",
    verb: Verb::Get,
    path: "/api/campaigns/{campaignId}",
    subject: Subject::Object(CAMPAIGN),
    permission: Permission("campaigns:read"),
    handler: ("get_campaign", |by| on(by, get_campaign)),
    summary: "A campaign.",
    answer: Answer::Data(
        StatusCode::OK,
        "The campaign.",
        Document::type_of::<WireCampaign>,
    ),
    refusals: || vec![refusals::campaign_not_found()],
    ..WORKSPACE
};

/// A page of the campaigns.
pub(crate) async fn list_campaigns(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let filter = Filter {
        deleted: asked.flag("deleted").unwrap_or(false),
        status: asked.word("status", &STATUSES).map(str::to_owned),
        search: asked.search(),
    };
    asked.finish()?;
    let mut connection = app.main.pool()?.acquire().await?;
    let workspace_id = access.tenant()?.workspace.id;
    let part = paging.limit_and_offset();
    let (campaigns, total) =
        store::campaigns::list(&mut connection, workspace_id, &filter, part).await?;
    let campaigns: Vec<WireCampaign> = campaigns.into_iter().map(WireCampaign::from).collect();
    Ok(paging.answer(&campaigns, total))
}

/// A campaign, or 404.
pub(crate) async fn get_campaign(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::campaign_not_found)?;
    let mut connection = app.main.pool()?.acquire().await?;
    let workspace_id = access.tenant()?.workspace.id;
    let campaign = store::campaigns::find(&mut connection, id, workspace_id).await?;
    let campaign = campaign.filter(|campaign| campaign.deleted_at.is_none());
    let campaign = campaign.ok_or_else(refusals::campaign_not_found)?;
    Ok(ok(WireCampaign::from(campaign)))
}
