//! A workspace in the answers of routes.

use crate::{instant::iso_micros, store::workspaces::Membership};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

/// A workspace, as its member sees it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "Workspace",
    description = "A workspace, as its member sees it."
)]
pub(super) struct WireWorkspace {
    id: Uuid,
    name: String,
    slug: String,
    /// The plan: `starter`, `pro` or `enterprise`.
    plan: &'static str,
    /// The features of the plan.
    features: &'static [&'static str],
    limits: WireLimits,
    /// The time zone of its reports.
    timezone: String,
    /// The currency of its reports.
    default_currency: String,
    /// What the caller is there: `owner`, `admin`, `editor` or `viewer`.
    role: String,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

/// What a plan allows; null is unlimited.
#[derive(Clone, Copy, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "PlanLimits",
    description = "What the plan allows; null is unlimited."
)]
struct WireLimits {
    links: Option<u32>,
    clicks_a_month: Option<u32>,
    rules_per_link: Option<u32>,
    domains: Option<u32>,
    members: Option<u32>,
    api_keys: Option<u32>,
    requests_an_hour: u32,
}

impl From<Membership> for WireWorkspace {
    fn from(of: Membership) -> Self {
        let (plan, created_at) = (of.workspace.plan(), of.workspace.created_at());
        let limits = plan.limits();
        Self {
            id: of.workspace.id,
            name: of.workspace.name,
            slug: of.workspace.slug,
            plan: plan.name(),
            features: plan.features(),
            limits: WireLimits {
                links: limits.links,
                clicks_a_month: limits.clicks_a_month,
                rules_per_link: limits.rules_per_link,
                domains: limits.domains,
                members: limits.members,
                api_keys: limits.api_keys,
                requests_an_hour: plan.rate().count,
            },
            timezone: of.workspace.timezone,
            default_currency: of.workspace.default_currency,
            role: of.role,
            created_at: iso_micros(created_at),
        }
    }
}
