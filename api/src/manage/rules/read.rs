//! `GET /api/rules` and `GET /api/rules/{ruleId}`: reads rules.

use super::{RULE, wire::WireRule};
use crate::{
    app::App,
    auth::{Access, Permission},
    command::{Answer, Command, Parameter, Subject, Verb, WORKSPACE},
    extract::{ObjectId, Query},
    manage::asked::Asked,
    paging::Paging,
    refusals,
    store::{self, rules::Filter},
};
use axum::{extract::State, http::StatusCode, response::Response, routing::on};
use runtime::{
    http::{ApiError, ok},
    openapi::{Document, text, uuid},
};
use std::sync::Arc;

pub(super) const LIST_RULES: Command = Command {
    id: "rules.list",
    verb: Verb::Get,
    path: "/api/rules",
    permission: Permission("rules:read"),
    handler: ("list_rules", |by| on(by, list_rules)),
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
    handler: ("get_rule", |by| on(by, get_rule)),
    summary: "A rule.",
    answer: Answer::Data(StatusCode::OK, "The rule.", Document::type_of::<WireRule>),
    refusals: || vec![refusals::rule_not_found()],
    ..WORKSPACE
};

/// A page of the rules.
pub(crate) async fn list_rules(
    State(app): State<Arc<App>>,
    access: Access,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query)?;
    let mut asked = Asked::new(&query);
    let filter = Filter {
        link_id: asked.id("linkId"),
        campaign_id: asked.id("campaignId"),
        search: asked.search(),
    };
    asked.finish()?;
    let mut connection = app.main.pool()?.acquire().await?;
    let workspace_id = access.tenant()?.workspace.id;
    let part = paging.limit_and_offset();
    let (rules, total) = store::rules::list(&mut connection, workspace_id, &filter, part).await?;
    let rules: Vec<WireRule> = rules.into_iter().map(WireRule::from).collect();
    Ok(paging.answer(&rules, total))
}

/// A rule, or 404.
pub(crate) async fn get_rule(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::rule_not_found)?;
    let mut connection = app.main.pool()?.acquire().await?;
    let rule = store::rules::find(&mut connection, id, access.tenant()?.workspace.id).await?;
    let rule = rule.ok_or_else(refusals::rule_not_found)?;
    Ok(ok(WireRule::from(rule)))
}
