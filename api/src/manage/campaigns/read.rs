//! `GET /api/campaigns` and `GET /api/campaigns/{campaignId}`: reads campaigns.

use super::{CAMPAIGN, edit::STATUSES, wire::WireCampaign};
use crate::{
    auth::Permission,
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, get_object, list_objects},
    },
    refusals,
    store::campaigns::{Campaign, Filter},
};
use axum::{http::StatusCode, routing::on};
use runtime::{
    http::ApiError,
    openapi::{Document, boolean, text, word_of},
};

pub(super) const LIST_CAMPAIGNS: Command = Command {
    id: "campaigns.list",
    verb: Verb::Get,
    path: "/api/campaigns",
    permission: Permission("campaigns:read"),
    handler: ("list_campaigns", |by| on(by, list_objects::<Campaign>)),
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
    handler: ("get_campaign", |by| on(by, get_object::<Campaign>)),
    summary: "A campaign.",
    answer: Answer::Data(
        StatusCode::OK,
        "The campaign.",
        Document::type_of::<WireCampaign>,
    ),
    refusals: || vec![refusals::campaign_not_found()],
    ..WORKSPACE
};

impl Managed for Campaign {
    type Wire = WireCampaign;
    const NOT_FOUND: fn() -> ApiError = refusals::campaign_not_found;

    fn filter(asked: &mut Asked<'_>) -> Filter {
        Filter {
            deleted: asked.flag("deleted").unwrap_or(false),
            status: asked.word("status", &STATUSES).map(str::to_owned),
            search: asked.search(),
        }
    }
}
