//! The commands that create, change and delete rules.

use super::{
    MAX_RULES, RULE,
    edit::{NewRule, RuleChange},
    wire::WireRule,
};
use crate::{
    app::App,
    auth::{Access, Permission},
    behavior::RuleBehavior,
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    conditions::Logic,
    extract::{JsonBody, ObjectId},
    manage::{
        managed::{changes, check_count},
        short_links::{find_hosts, lock_link},
        target::candidates,
        work::Work,
    },
    refusals,
    store::{self, rules::RuleRow},
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

pub(super) const CREATE_RULE: Command = Command {
    id: "rules.create",
    verb: Verb::Post,
    path: "/api/rules",
    permission: Permission("rules:create"),
    handler: ("create_rule", |by| on(by, create_rule)),
    summary: "Creates a rule of a link or of a campaign.",
    about: "`warnings` in the answer name conditions that are valid, but never or rarely met here.",
    body: body::<NewRule>(),
    answer: Answer::Data(
        StatusCode::CREATED,
        "The rule.",
        Document::type_of::<WireRule>,
    ),
    refusals: || {
        vec![
            refusals::owner_missing(),
            refusals::short_link_not_found(),
            refusals::campaign_not_found(),
            refusals::limit_exceeded(10),
            refusals::rules_too_large(),
        ]
    },
    ..WORKSPACE
};

pub(super) const UPDATE_RULE: Command = Command {
    id: "rules.update",
    verb: Verb::Put,
    path: "/api/rules/{ruleId}",
    subject: Subject::Object(RULE),
    permission: Permission("rules:update"),
    handler: ("update_rule", |by| on(by, update_rule)),
    summary: "Changes the members of a rule that the body contains.",
    about: "A rule stays with its link or campaign.",
    body: body::<RuleChange>(),
    answer: Answer::Data(StatusCode::OK, "The rule.", Document::type_of::<WireRule>),
    refusals: || vec![refusals::rule_not_found(), refusals::rules_too_large()],
    ..WORKSPACE
};

pub(super) const DELETE_RULE: Command = Command {
    id: "rules.delete",
    verb: Verb::Delete,
    path: "/api/rules/{ruleId}",
    subject: Subject::Object(RULE),
    permission: Permission("rules:delete"),
    handler: ("delete_rule", |by| on(by, delete_rule)),
    summary: "Deletes a rule. Its clicks stay in the reports.",
    answer: Answer::Done("Deleted."),
    refusals: || vec![refusals::rule_not_found()],
    ..WORKSPACE
};

/// The link or the campaign that has a rule.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Link(Uuid),
    Campaign(Uuid),
}

impl Owner {
    const fn id(self) -> Uuid {
        match self {
            Self::Link(id) | Self::Campaign(id) => id,
        }
    }

    fn of(rule: &RuleRow) -> Result<Self, ApiError> {
        let link = rule.link_id.map(Self::Link);
        let owner = link.or(rule.campaign_id.map(Self::Campaign));
        owner.ok_or_else(|| ApiError::internal("a rule without a link and a campaign"))
    }

    /// Locks it against other changes; 404 when it is not the workspace's, or is deleted.
    async fn lock(self, work: &mut Work<'_>) -> Result<(), ApiError> {
        match self {
            Self::Link(id) => lock_link(work, id).await.map(drop),
            Self::Campaign(id) => {
                // The workspace's row is locked, and so are its campaigns.
                let workspace_id = work.tenant.workspace.id;
                if store::campaigns::exists(&mut work.tx, id, workspace_id).await? {
                    return Ok(());
                }
                Err(refusals::campaign_not_found())
            }
        }
    }
}

/// Commits a change of a rule: raises its owner's version, and publishes the owner's entry.
async fn commit(
    mut work: Work<'_>,
    action: &'static str,
    rule: &RuleRow,
    detail: Value,
) -> Result<(), ApiError> {
    let now = work.now;
    let entries = match Owner::of(rule)? {
        Owner::Link(id) => {
            store::short_links::touch(&mut work.tx, id, now).await?;
            store::directory::find_links(&mut work.tx, &[id]).await?
        }
        Owner::Campaign(id) => {
            store::campaigns::touch(&mut work.tx, id, now).await?;
            vec![store::directory::find_campaign(&mut work.tx, id).await?]
        }
    };
    work.publish(&entries).await?;
    work.commit(action, rule.id, detail).await
}

/// Creates a rule: 201.
pub(crate) async fn create_rule(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewRule>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let owner = match (new.link_id, new.campaign_id) {
        (Some(link), _) => Owner::Link(link),
        (None, Some(campaign)) => Owner::Campaign(campaign),
        (None, None) => return Err(refusals::owner_missing()),
    };
    let mut rule = RuleRow {
        id: app.ids.uuid_v7(now),
        link_id: new.link_id,
        campaign_id: new.campaign_id,
        name: String::new(),
        description: None,
        kind: None,
        // Lower than every given one: the real default needs the other rules.
        priority: -1,
        conditions: json!([]),
        logic: Logic::default().word().to_owned(),
        destination: String::new(),
        enabled: true,
        behavior: Json(RuleBehavior::default()),
        created_at: now.to_sqlx(),
        updated_at: now.to_sqlx(),
    };
    let named = new.edit.addresses().flat_map(candidates).collect();
    let hosts = find_hosts(&app, named).await?;
    new.edit.apply(&mut rule, &hosts)?;
    let mut work = Work::begin(&app, tenant, now).await?;
    owner.lock(&mut work).await?;
    let (count, highest) = store::rules::count(&mut work.tx, owner.id()).await?;
    let most = tenant.workspace.plan().limits().rules_per_link;
    check_count(count, most.unwrap_or(MAX_RULES).min(MAX_RULES))?;
    if rule.priority < 0 {
        rule.priority = highest.saturating_add(1);
    }
    store::rules::insert(&mut work.tx, tenant.workspace.id, &rule).await?;
    let wire = WireRule::from(rule.clone());
    let detail = json!({ "rule": wire });
    commit(work, "rule.created", &rule, detail).await?;
    Ok(created(wire))
}

/// Changes a rule: 200.
pub(crate) async fn update_rule(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<RuleChange>,
) -> Result<Response, ApiError> {
    // Before the transaction, which holds a connection of its own.
    let named = change.0.addresses().flat_map(candidates).collect();
    let hosts = find_hosts(&app, named).await?;
    let (mut work, stored) = begin(&app, &access, id).await?;
    let mut rule = stored.clone();
    change.0.apply(&mut rule, &hosts)?;
    let Some(changes) = changes(&stored, &rule)? else {
        return Ok(ok(WireRule::from(stored)));
    };
    rule.updated_at = work.now.to_sqlx();
    store::rules::update(&mut work.tx, &rule).await?;
    commit(work, "rule.updated", &rule, changes).await?;
    Ok(ok(WireRule::from(rule)))
}

/// Deletes a rule.
pub(crate) async fn delete_rule(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let (mut work, rule) = begin(&app, &access, id).await?;
    let now = work.now.to_sqlx();
    store::rules::delete(&mut work.tx, rule.id, now).await?;
    let detail =
        json!({ "name": rule.name, "linkId": rule.link_id, "campaignId": rule.campaign_id });
    commit(work, "rule.deleted", &rule, detail).await?;
    Ok(done())
}

/// Begins a change of a rule with its owner locked; 404 when the workspace has none of that id.
async fn begin<'a>(
    app: &App,
    access: &'a Access,
    id: ObjectId,
) -> Result<(Work<'a>, RuleRow), ApiError> {
    let (mut work, rule) = Work::on::<RuleRow>(app, access, id).await?;
    Owner::of(&rule)?.lock(&mut work).await?;
    Ok((work, rule))
}
