//! `GET /api/rules` and `GET /api/rules/{ruleId}`: reads rules.

use super::{RULE, wire::WireRule};
use crate::{
    auth::Permission,
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, get_object, list_objects},
    },
    refusals,
    store::rules::{Filter, RuleRow},
};
use axum::{http::StatusCode, routing::on};
use runtime::{
    http::ApiError,
    openapi::{Document, text, uuid},
};

pub(super) const LIST_RULES: Command = Command {
    id: "rules.list",
    verb: Verb::Get,
    path: "/api/rules",
    permission: Permission("rules:read"),
    handler: ("list_rules", |by| on(by, list_objects::<RuleRow>)),
    summary: "The rules of a link, of a campaign or of the workspace, in the order in which they are asked.",
    query: &[
        Parameter {
            name: "linkId",
            schema: || uuid().about("Only rules of this link, without those of its campaign."),
        },
        Parameter {
            name: "campaignId",
            schema: || uuid().about("Only rules of this campaign."),
        },
        Parameter {
            name: "search",
            schema: || text(200).about("A text in the name."),
        },
    ],
    answer: Answer::List("A page of rules.", Document::type_of::<WireRule>),
    ..WORKSPACE
};

pub(super) const GET_RULE: Command = Command {
    id: "rules.get",
    verb: Verb::Get,
    path: "/api/rules/{ruleId}",
    subject: Subject::Object(RULE),
    permission: Permission("rules:read"),
    handler: ("get_rule", |by| on(by, get_object::<RuleRow>)),
    summary: "A rule.",
    answer: Answer::Data(StatusCode::OK, "The rule.", Document::type_of::<WireRule>),
    refusals: || vec![refusals::rule_not_found()],
    ..WORKSPACE
};

impl Managed for RuleRow {
    type Wire = WireRule;
    const NOT_FOUND: fn() -> ApiError = refusals::rule_not_found;

    fn filter(asked: &mut Asked<'_>) -> Filter {
        Filter {
            link_id: asked.id("linkId"),
            campaign_id: asked.id("campaignId"),
            search: asked.search(),
        }
    }
}
