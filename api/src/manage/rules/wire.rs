//! A rule in answers.

use super::edit::check;
use crate::{
    instant::iso_micros,
    manage::{short_links::WireDeepLinks, target},
    store::rules::RuleRow,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// A rule.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Rule", description = "A rule of a link or a campaign.")]
pub(crate) struct WireRule {
    id: Uuid,
    link_id: Option<Uuid>,
    campaign_id: Option<Uuid>,
    name: String,
    description: Option<String>,
    r#type: Option<String>,
    /// Lower ones are asked first.
    priority: i32,
    /// As given: a list, or an object.
    conditions: Value,
    /// `AND` or `OR`.
    condition_logic: String,
    destination_url: String,
    enabled: bool,
    forward_utms: Option<bool>,
    preserve_query_params: Option<bool>,
    redirect_delay_ms: Option<u16>,
    #[serde(flatten)]
    deep_links: WireDeepLinks,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// What may surprise its owner: for instance conditions that are never met here.
    warnings: Vec<String>,
}

impl From<RuleRow> for WireRule {
    fn from(rule: RuleRow) -> Self {
        let mut warnings = check(&rule).unwrap_or_else(|problems| problems);
        if rule.conditions.as_array().is_some_and(Vec::is_empty) {
            warnings.push("Without conditions it matches every request.".to_owned());
        }
        if target::is_signed(&rule.destination) {
            warnings
                .push("The destination is signed, so no parameters are added to it.".to_owned());
        }
        let behavior = rule.behavior.0;
        Self {
            id: rule.id,
            link_id: rule.link_id,
            campaign_id: rule.campaign_id,
            name: rule.name,
            description: rule.description,
            r#type: rule.kind,
            priority: rule.priority,
            conditions: rule.conditions,
            condition_logic: rule.logic,
            destination_url: rule.destination,
            enabled: rule.enabled,
            forward_utms: behavior.forward_utms,
            preserve_query_params: behavior.preserve_query_params,
            redirect_delay_ms: behavior.redirect_delay_ms,
            deep_links: behavior.deep_links.into(),
            created_at: iso_micros(rule.created_at.to_jiff()),
            updated_at: iso_micros(rule.updated_at.to_jiff()),
            warnings,
        }
    }
}
