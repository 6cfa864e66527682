//! How often each plan may call: limits as data of the routes' rows.

use crate::catalog::PerUser;
use runtime::throttle::Limit;

/// What a workspace may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The one plan of today.
    Standard,
}

/// How often a route may be called, by plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    standard: PerUser,
}

impl Plan {
    /// Every plan.
    pub(crate) const ALL: [Self; 1] = [Self::Standard];

    /// The name of a route's limit in this plan, as `RATE_LIMIT_<NAME>` changes it.
    pub(crate) const fn limit_name(self, route: &'static str) -> &'static str {
        match self {
            Self::Standard => route,
        }
    }
}

impl Allowance {
    /// The same limit in every plan.
    pub(crate) const fn every_plan(limit: PerUser) -> Self {
        Self { standard: limit }
    }

    /// So many in a minute, in every plan.
    pub(crate) const fn a_minute(count: u32) -> Self {
        Self::every_plan(PerUser { count, seconds: 60 })
    }

    /// So many in an hour, in every plan.
    pub(crate) const fn an_hour(count: u32) -> Self {
        let seconds = 3600;
        Self::every_plan(PerUser { count, seconds })
    }

    /// The limit of a route in a plan.
    pub(crate) const fn limit(self, route: &'static str, plan: Plan) -> Limit {
        let PerUser { count, seconds } = match plan {
            Plan::Standard => self.standard,
        };
        Limit {
            route: plan.limit_name(route),
            count,
            seconds,
        }
    }
}
