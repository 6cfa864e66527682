//! The commands that create, change and delete rules.

use super::{
    MAX_RULES, RULE,
    edit::{NewRule, RuleChange},
    wire::WireRule,
};
use crate::{
    app::App,
    auth::{Access, Permission, Tenant},
    behavior::RuleBehavior,
    command::{Answer, Command, Subject, Verb, WORKSPACE, body},
    conditions::Logic,
    extract::{JsonBody, ObjectId},
    manage::{short_links::find_hosts, target::candidates, trace::trace},
    patch::differences,
    refusals,
    store::{self, Tx, record, rules::RuleRow},
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
    async fn lock(self, tx: &mut Tx<'_>, workspace_id: Uuid) -> Result<(), ApiError> {
        match self {
            Self::Link(id) => {
                let link = store::short_links::lock(tx, id, workspace_id).await?;
                let link = link.filter(|link| link.deleted_at.is_none());
                link.map(drop).ok_or_else(refusals::short_link_not_found)
            }
            Self::Campaign(id) => {
                // The workspace's row is locked, and so are its campaigns.
                let campaign = store::campaigns::find(tx, id, workspace_id).await?;
                let campaign = campaign.filter(|campaign| campaign.deleted_at.is_none());
                campaign.map(drop).ok_or_else(refusals::campaign_not_found)
            }
        }
    }
}

/// Raises the owner's version, and writes the audit row and the owner's entry.
async fn record(
    tx: &mut Tx<'_>,
    by: (&Tenant, Timestamp),
    (action, rule): (&'static str, &RuleRow),
    detail: Value,
) -> Result<(), ApiError> {
    trace(tx, by, (action, rule.id), detail).await?;
    let entries = match Owner::of(rule)? {
        Owner::Link(id) => {
            store::short_links::touch(tx, id, by.1).await?;
            store::directory::find_links(tx, &[id]).await?
        }
        Owner::Campaign(id) => {
            store::campaigns::touch(tx, id, by.1).await?;
            vec![store::directory::find_campaign(tx, id).await?]
        }
    };
    record::publish(tx, &entries, by.1).await
}

/// Creates a rule: 201.
pub(crate) async fn create_rule(
    State(app): State<Arc<App>>,
    access: Access,
    JsonBody(new): JsonBody<NewRule>,
) -> Result<Response, ApiError> {
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let workspace_id = tenant.workspace.id;
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
    let mut tx = app.main.pool()?.begin().await?;
    store::workspaces::lock(&mut tx, workspace_id).await?;
    owner.lock(&mut tx, workspace_id).await?;
    let (count, highest) = store::rules::count(&mut tx, owner.id()).await?;
    let most = tenant.workspace.plan().limits().rules_per_link;
    let most = most.unwrap_or(MAX_RULES).min(MAX_RULES);
    if count >= i64::from(most) {
        return Err(refusals::limit_exceeded(most));
    }
    if rule.priority < 0 {
        rule.priority = highest.saturating_add(1);
    }
    store::rules::insert(&mut tx, workspace_id, &rule).await?;
    let wire = WireRule::from(rule.clone());
    let detail = json!({ "rule": wire });
    record(&mut tx, (tenant, now), ("rule.created", &rule), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, ok(wire)).into_response())
}

/// Changes a rule: 200.
pub(crate) async fn update_rule(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
    JsonBody(change): JsonBody<RuleChange>,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::rule_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let named = change.0.addresses().flat_map(candidates).collect();
    let hosts = find_hosts(&app, named).await?;
    let mut tx = app.main.pool()?.begin().await?;
    let (stored, mut rule) = lock(&mut tx, id, tenant.workspace.id).await?;
    change.0.apply(&mut rule, &hosts)?;
    let before = WireRule::from(stored);
    let changes = differences(&before, &WireRule::from(rule.clone()))?;
    if changes.is_empty() {
        return Ok(ok(before));
    }
    rule.updated_at = now.to_sqlx();
    store::rules::update(&mut tx, &rule).await?;
    let detail = json!({ "changes": changes });
    record(&mut tx, (tenant, now), ("rule.updated", &rule), detail).await?;
    tx.commit().await?;
    Ok(ok(WireRule::from(rule)))
}

/// Deletes a rule.
pub(crate) async fn delete_rule(
    State(app): State<Arc<App>>,
    access: Access,
    id: ObjectId,
) -> Result<Response, ApiError> {
    let id = id.get(refusals::rule_not_found)?;
    let (tenant, now) = (access.tenant()?, app.clock.now());
    let mut tx = app.main.pool()?.begin().await?;
    let (_, rule) = lock(&mut tx, id, tenant.workspace.id).await?;
    store::rules::delete(&mut tx, id, now.to_sqlx()).await?;
    let detail =
        json!({ "name": rule.name, "linkId": rule.link_id, "campaignId": rule.campaign_id });
    record(&mut tx, (tenant, now), ("rule.deleted", &rule), detail).await?;
    tx.commit().await?;
    Ok(done())
}

/// A rule, twice, with its owner locked; 404 when the workspace has none of that id.
async fn lock(
    tx: &mut Tx<'_>,
    id: Uuid,
    workspace_id: Uuid,
) -> Result<(RuleRow, RuleRow), ApiError> {
    store::workspaces::lock(tx, workspace_id).await?;
    let rule = store::rules::find(tx, id, workspace_id).await?;
    let rule = rule.ok_or_else(refusals::rule_not_found)?;
    Owner::of(&rule)?.lock(tx, workspace_id).await?;
    Ok((rule.clone(), rule))
}
