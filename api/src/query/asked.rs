//! A request for a report, once its surface has read it, and what its caller may read.

use super::money::Money;
use crate::{
    auth::Access,
    extract::{ObjectId, Query},
    sources::{Condition, Price, Window},
};
use jiff::{Timestamp, tz::TimeZone};
use schemas::{
    analytics::{Buckets, Scope},
    money::Currency,
};
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'a> {
    pub(crate) access: &'a Access,
    /// The id in the path, if the path has one.
    pub(crate) object: ObjectId,
    pub(crate) query: &'a Query,
    /// When it came.
    pub(crate) now: Timestamp,
}

/// The question of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The time of the request.
    pub(crate) now: Timestamp,
    /// The window.
    pub(crate) window: Window,
    /// Its length in days, if the answer repeats it.
    pub(crate) days: u16,
    /// Whether a series begins with the first bucket that has rows.
    pub(crate) from_first: bool,
    /// The window before it, if the answer also has that one.
    pub(crate) before: Option<Window>,
    /// The page, if the request names one.
    pub(crate) page_id: Option<Uuid>,
    /// The campaign to which the request narrows the report.
    pub(crate) campaign_id: Option<Uuid>,
    /// The link to which it does.
    pub(crate) link_id: Option<Uuid>,
    /// The folders to whose links it does; without any, to all links.
    pub(crate) folders: Vec<Uuid>,
    /// The tags to whose links it does.
    pub(crate) tags: Vec<Uuid>,
    /// Whether clicks of machines are among the clicks that count.
    pub(crate) bots: bool,
    /// The time zone of days and hours.
    pub(crate) zone: TimeZone,
    /// The buckets of a series, if the request chooses them.
    pub(crate) buckets: Option<Buckets>,
    /// The currency of amounts.
    pub(crate) currency: Currency,
    /// The name of the chosen shape.
    pub(crate) choice: Option<&'static str>,
    /// The filters on visits or clicks.
    pub(crate) conditions: Vec<Condition>,
}

impl Asked {
    /// A question about a window without options.
    pub(crate) fn plain(now: Timestamp, window: Window, days: u16) -> Self {
        Self {
            now,
            window,
            days,
            from_first: false,
            before: None,
            page_id: None,
            campaign_id: None,
            link_id: None,
            folders: Vec::new(),
            tags: Vec::new(),
            bots: false,
            zone: TimeZone::UTC,
            buckets: None,
            currency: Currency::USD,
            choice: None,
            conditions: Vec::new(),
        }
    }
}

/// What the caller may read: a tenant, and the id of the scope within it.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) workspace_no: i32,
    /// The creator or the workspace whose things an answer names.
    pub(crate) owner_id: Uuid,
    /// The page or link, if the row is about one.
    pub(crate) scope_id: Option<Uuid>,
    /// What the request narrows the report to, each to one of these.
    pub(crate) within: Vec<(Scope, Vec<Uuid>)>,
    /// The subject of a board that shows it.
    pub(crate) subject: Option<Value>,
    /// The currency of amounts, with its rate.
    pub(crate) money: Money,
    /// What campaigns charge, if the report shows costs.
    pub(crate) prices: Arc<[Price]>,
    /// How many of them charge in a currency without a known rate. Their cost is left out.
    pub(crate) unpriced: u32,
}
