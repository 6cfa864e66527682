//! How often each plan may call, as data in the rows of the routes.

use crate::catalog::PerUser;
use runtime::throttle::Limit;

/// The plan of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// The only plan so far.
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

    /// The name of a route's limit in this plan; `RATE_LIMIT_<NAME>` overrides it.
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

    /// This many requests a minute, in every plan.
    pub(crate) const fn a_minute(count: u32) -> Self {
        Self::every_plan(PerUser { count, seconds: 60 })
    }

    /// This many requests an hour, in every plan.
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
