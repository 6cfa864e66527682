//! Checks a line that `replay` printed: a record of this or an earlier log.
//!
//! The one rule: a record is checked, never changed. Its bytes are published as they are.

use super::bad::{BadLine, Reason};
use crate::{directory::Directory, sink::Outgoing};
use jiff::Timestamp;
use schemas::{Event, EventId, WorkspaceNo};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// Longest record: the default limit of brokers (`message.max.bytes`, 1 MB), minus room for the
/// key.
const MAX_RECORD_BYTES: usize = 990_000;

/// A checked record of an earlier log.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenRecord {
    /// The id that makes it count once.
    pub event_id: EventId,
    /// Its tenant's number.
    pub workspace_no: WorkspaceNo,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest received it.
    pub received_at: Timestamp,
    /// The record, byte for byte.
    pub outgoing: Outgoing,
}

/// Finds the record in a line, if the line is one that `replay` printed.
pub(super) fn find(line: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Printed<'a> {
        #[serde(borrow, default)]
        event: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Identified {
        event_id: Option<IgnoredAny>,
    }
    let printed: Printed<'_> = serde_json::from_slice(line).ok()?;
    printed.event.map(RawValue::get).filter(|record| {
        record.starts_with('{')
            && serde_json::from_str::<Identified>(record).is_ok_and(|id| id.event_id.is_some())
    })
}

/// Checks a record against the schema and the directory.
///
/// # Errors
/// [`BadLine`] when this build cannot read it as an event, or when its tenant is unknown here. The
/// number of an unknown workspace may belong to another tenant, now or later.
pub(super) fn check(record: &str, directory: &Directory) -> Result<TakenRecord, BadLine> {
    if record.len() > MAX_RECORD_BYTES {
        let what = format!("the event is longer than {MAX_RECORD_BYTES} bytes");
        return Err(BadLine::new(Reason::TooLong, what));
    }
    let event =
        Event::from_bytes(record.as_bytes()).map_err(|error| BadLine::not_an_event(&error))?;
    match directory.workspace(event.workspace_no) {
        None => Err(BadLine::unknown_workspace()),
        Some(known) if known != event.workspace_id => Err(BadLine::new(
            Reason::UnknownWorkspace,
            "the event's workspace_no belongs to another workspace here; the record comes from another installation",
        )),
        Some(_) => Ok(TakenRecord {
            event_id: event.event_id,
            workspace_no: event.workspace_no,
            occurred_at: event.occurred_at,
            received_at: event.received_at,
            outgoing: Outgoing {
                key: event.key(),
                payload: record.as_bytes().to_vec(),
            },
        }),
    }
}
