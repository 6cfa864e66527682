//! What a request asks for, and what its caller may have: what every surface reads, and the engine answers.

use crate::sources::Condition;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

/// What a request asks for, once its surface has read it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// When it asks.
    pub(crate) now: Timestamp,
    /// From when on.
    pub(crate) since: Timestamp,
    /// How many days back that is.
    pub(crate) days: u16,
    /// The page, if it names one.
    pub(crate) page_id: Option<Uuid>,
    /// Whose days and hours.
    pub(crate) zone: TimeZone,
    /// Whether the window before is wanted as well.
    pub(crate) compare: bool,
    /// The name of the shape it chooses.
    pub(crate) choice: Option<&'static str>,
    /// What visits must be.
    pub(crate) conditions: Vec<Condition>,
}

/// What the caller may have: the tenant, and the scope's id within it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) workspace_no: i32,
    pub(crate) creator_id: Uuid,
    /// Which page, where the row is about one.
    pub(crate) scope_id: Option<Uuid>,
}
