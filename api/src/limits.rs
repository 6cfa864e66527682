//! How often each route may be called: per user, and per client address where everybody may.
//!
//! The ids are those of `RATE_LIMIT_<ROUTE>`. Reports bring theirs with their row of the catalogue.

use crate::catalog::REPORTS;
use runtime::{jwt::BAD_TOKENS, throttle::Limit};

/// Makes a workspace: nobody needs many, and each costs a workspace number.
pub(crate) const CREATE_CREATOR: &str = "creators.create";
/// Reads one's own creator.
pub(crate) const GET_CREATOR: &str = "creators.me";
/// Adds a page.
pub(crate) const ADD_PAGE: &str = "creators.bio.add";
/// Reads a page with all its links.
pub(crate) const GET_PAGE: &str = "creators.bio.get";
/// Adds a link.
pub(crate) const ADD_LINK: &str = "creators.links.add";
/// Changes a link.
pub(crate) const UPDATE_LINK: &str = "creators.links.update";
/// Removes a link.
pub(crate) const DELETE_LINK: &str = "creators.links.delete";
/// Orders the links of a page.
pub(crate) const REORDER_LINKS: &str = "creators.links.reorder";
/// Changes the settings of a page.
pub(crate) const UPDATE_PAGE: &str = "creators.bio.update";
/// Reads a public page as JSON.
pub(crate) const PUBLIC_PAGE: &str = "bio.public";
/// Reads a public page as JSON, to show it elsewhere.
pub(crate) const PUBLIC_EMBED: &str = "bio.embed";
/// Looks at a public page.
pub(crate) const SHOW_PAGE: &str = "bio.page";

const HOUR: u32 = 3600;
const MINUTE: u32 = 60;

const fn limit(route: &'static str, count: u32, seconds: u32) -> Limit {
    Limit {
        route,
        count,
        seconds,
    }
}

/// Limits of public reads, per client address. Pages have as many as beacons: many
/// people behind one address must not be lost, and each visit is one page.
const PUBLIC: [Limit; 3] = [
    limit(PUBLIC_PAGE, 120, MINUTE),
    limit(PUBLIC_EMBED, 120, MINUTE),
    limit(SHOW_PAGE, 600, MINUTE),
];

/// Limits of the routes other than reports. Links and settings have published limits; the others are
/// ours.
const ROUTES: [Limit; 9] = [
    limit(CREATE_CREATOR, 30, HOUR),
    limit(GET_CREATOR, 60, MINUTE),
    limit(ADD_PAGE, 30, HOUR),
    limit(GET_PAGE, 60, MINUTE),
    limit(ADD_LINK, 30, HOUR),
    limit(UPDATE_LINK, 30, HOUR),
    limit(DELETE_LINK, 30, HOUR),
    limit(REORDER_LINKS, 30, HOUR),
    limit(UPDATE_PAGE, 30, HOUR),
];

/// Every limit of the api as published.
#[must_use]
pub fn published() -> Vec<Limit> {
    let reports = REPORTS
        .iter()
        .map(|report| limit(report.id, report.limit.count, report.limit.seconds));
    let own = PUBLIC.into_iter().chain(ROUTES).chain(reports);
    own.chain([BAD_TOKENS]).collect()
}
