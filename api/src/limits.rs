//! Every rate limit of the api, from the rows of commands, reports and public pages.

use crate::{
    auth::{Allowance, Plan},
    catalog::REPORTS,
    manage, public,
};
use runtime::{jwt::BAD_TOKENS, throttle::Limit};

/// Every published limit of the api, in every plan. Their ids are those of `RATE_LIMIT_<ROUTE>`.
#[must_use]
pub fn published() -> Vec<Limit> {
    let reports = REPORTS.iter().flat_map(|report| {
        let allowance = Allowance::every_plan(report.limit);
        Plan::ALL.map(|plan| allowance.limit(report.id, plan))
    });
    let own = public::limits().chain(manage::limits()).chain(reports);
    own.chain([BAD_TOKENS]).collect()
}
