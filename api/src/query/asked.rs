//! A request for a report, once its surface has read it, and what its caller may read.

use crate::sources::Condition;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

/// The question of a request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The time of the request.
    pub(crate) now: Timestamp,
    /// The beginning of the window.
    pub(crate) since: Timestamp,
    /// The same in days.
    pub(crate) days: u16,
    /// The page, if the request names one.
    pub(crate) page_id: Option<Uuid>,
    /// The time zone of days and hours.
    pub(crate) zone: TimeZone,
    /// Whether the answer also has the previous window.
    pub(crate) compare: bool,
    /// The name of the chosen shape.
    pub(crate) choice: Option<&'static str>,
    /// The filters on visits.
    pub(crate) conditions: Vec<Condition>,
}

/// What the caller may read: a tenant, and the id of the scope within it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) workspace_no: i32,
    pub(crate) creator_id: Uuid,
    /// The page, if the row is about one.
    pub(crate) scope_id: Option<Uuid>,
}
