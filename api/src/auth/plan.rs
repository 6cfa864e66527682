//! Plans as data: what a workspace may use, how much, and how often.

use crate::catalog::PerUser;
use runtime::throttle::Limit;

/// The plan of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The smallest one.
    Starter,
    /// The middle one.
    Pro,
    /// Everything, without limits.
    Enterprise,
}

/// How much a plan allows; `None` is unlimited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) links: Option<u32>,
    pub(crate) clicks_a_month: Option<u32>,
    pub(crate) rules_per_link: Option<u32>,
    pub(crate) domains: Option<u32>,
    pub(crate) members: Option<u32>,
    pub(crate) api_keys: Option<u32>,
}

/// What plans differ in, by name on the wire.
const OF_STARTER: &[&str] = &["browserAnalytics", "osAnalytics", "conversionTracking"];
const OF_PRO: &[&str] = &[
    "browserAnalytics",
    "osAnalytics",
    "conversionTracking",
    "deviceRouting",
    "deepLinks",
    "revenueTracking",
    "export",
    "embeds",
    "batch",
];
const OF_ENTERPRISE: &[&str] = &[
    "browserAnalytics",
    "osAnalytics",
    "conversionTracking",
    "deviceRouting",
    "deepLinks",
    "revenueTracking",
    "export",
    "embeds",
    "batch",
    "auditLog",
];

/// The names of all plans, as in [`Plan::ALL`].
pub(crate) const PLANS: [&str; 3] = [
    Plan::Starter.name(),
    Plan::Pro.name(),
    Plan::Enterprise.name(),
];

impl Plan {
    /// Every plan.
    pub(crate) const ALL: [Self; 3] = [Self::Starter, Self::Pro, Self::Enterprise];

    /// Its name on the wire and in the database.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Starter => "starter",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }

    /// The plan of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.name() == name)
    }

    /// What it allows of each thing.
    pub(crate) const fn limits(self) -> Limits {
        match self {
            Self::Starter => Limits {
                links: Some(25),
                clicks_a_month: Some(1_000),
                rules_per_link: Some(10),
                domains: Some(1),
                members: Some(2),
                api_keys: Some(1),
            },
            Self::Pro => Limits {
                links: Some(1_000),
                clicks_a_month: Some(50_000),
                rules_per_link: Some(100),
                domains: Some(10),
                members: Some(10),
                api_keys: Some(10),
            },
            Self::Enterprise => Limits {
                links: None,
                clicks_a_month: None,
                rules_per_link: None,
                domains: None,
                members: None,
                api_keys: None,
            },
        }
    }

    /// The features that it has.
    pub(crate) const fn features(self) -> &'static [&'static str] {
        match self {
            Self::Starter => OF_STARTER,
            Self::Pro => OF_PRO,
            Self::Enterprise => OF_ENTERPRISE,
        }
    }

    /// How often a workspace may call; `RATE_LIMIT_<NAME>` overrides it.
    pub(crate) const fn rate(self) -> Limit {
        let (route, count) = match self {
            Self::Starter => ("workspace.starter", 100),
            Self::Pro => ("workspace.pro", 1_000),
            Self::Enterprise => ("workspace.enterprise", 10_000),
        };
        let seconds = 3600;
        Limit {
            route,
            count,
            seconds,
        }
    }
}

/// How often a route may be called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Allowance {
    /// This often by each caller.
    Each(PerUser),
    /// As often as the plan of the workspace allows, together with all other routes.
    OfPlan,
}

impl Allowance {
    /// This many requests a minute.
    pub(crate) const fn a_minute(count: u32) -> Self {
        Self::Each(PerUser { count, seconds: 60 })
    }

    /// This many requests an hour.
    pub(crate) const fn an_hour(count: u32) -> Self {
        let seconds = 3600;
        Self::Each(PerUser { count, seconds })
    }

    /// The limit of a route of that id; `None` when it has none of its own.
    pub(crate) const fn limit(self, route: &'static str) -> Option<Limit> {
        match self {
            Self::Each(limit) => Some(limit.of(route)),
            Self::OfPlan => None,
        }
    }
}
