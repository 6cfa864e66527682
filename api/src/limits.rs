//! Every rate limit of the api, from the rows of commands, reports, plans and public pages.

use crate::{auth::Plan, catalog::REPORTS, conversions, manage, public, surfaces::events};
use runtime::{jwt::BAD_TOKENS, throttle::Limit};

/// Every published limit of the api, which includes those of plans. Their ids are those of `RATE_LIMIT_<ROUTE>`.
#[must_use]
pub fn published() -> Vec<Limit> {
    let reports = REPORTS
        .iter()
        .filter_map(|report| Some(report.limit?.of(report.id)));
    let plans = Plan::ALL.map(Plan::rate);
    let own = public::limits().chain(manage::limits()).chain(reports);
    let own = own
        .chain(conversions::public::limits())
        .chain(events::limits::published());
    own.chain(plans).chain([BAD_TOKENS]).collect()
}
