//! The raw events of the events API: clicks and scans, in the order of time or of arrival.
//!
//! The surface `events` reads requests; this module reads rows and writes them. The one rule: a
//! position is the id of an event, never a place in a table, so it stays valid when the tables are
//! folded again.

mod codes;
mod event;
mod export;
mod follow;
mod page;
pub(crate) mod statements;
mod token;

pub(crate) use codes::Codes;
pub(crate) use event::{
    Event, FIELDS, SCHEMA_VERSION, event_id_text, instant_text, parse_event_id,
};
pub(crate) use export::{Export, Format, read};
pub(crate) use follow::{Follow, Followed};
pub(crate) use page::{After, Browse, Found, Place, SNAPSHOT, Sync, Visible, Watermark};
pub(crate) use token::{Cursor, Snapshot};

use uuid::Uuid;

/// Which events a caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Tenant.
    pub(crate) workspace_no: i32,
    /// Whether clicks by machines and duplicates are among them.
    pub(crate) include_bots: bool,
    /// How the link was opened, as the tables name it.
    pub(crate) triggers: Vec<&'static str>,
    /// Only clicks on these links.
    pub(crate) links: Option<Vec<Uuid>>,
}
