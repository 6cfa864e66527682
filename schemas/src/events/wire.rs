//! Reads and writes events as bytes: one JSON object per record, with the body under `body`.
//!
//! The one rule: the reader distinguishes a record that no build can read from one that a newer
//! build can read. The first is a dead letter; the second stops its partition until this build is
//! upgraded.

use super::{Body, Event, Kind};
use crate::{
    context::{EnrichmentVersions, Visitor},
    ids::{EventId, WorkspaceId, WorkspaceNo},
    json_error,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::borrow::Cow;
use thiserror::Error;

/// 1970-01-01T00:00:00Z: no event of ours is older.
const FIRST_SECOND: i64 = 0;
/// 9999-12-31T00:00:00Z: later years have more than four digits.
const LAST_SECOND: i64 = 253_402_214_400;

/// Why this build cannot read bytes as an event.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// Not an event of any version: not JSON, no envelope, or a body that breaks its type's rules.
    #[error("malformed record: {0}")]
    Malformed(String),
    /// A type that this build does not know.
    #[error("unknown event type {0:?}; upgrade projectors before producers")]
    UnknownType(String),
    /// A version of a known type that is newer than this build.
    #[error(
        "event type {name} has version {version}, but this build reads only up to {newest}; upgrade projectors before producers"
    )]
    UnknownVersion {
        /// The type.
        name: &'static str,
        /// The version of the record.
        version: u16,
        /// The newest version this build reads.
        newest: u16,
    },
}

/// The envelope around a body `B`, exactly as on the wire. Public for the generated JSON Schema.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Record<'a, B> {
    /// The id by which the event counts once.
    pub event_id: EventId,
    /// The event's type.
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    /// The version of the type's body.
    pub version: u16,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When ingest received it.
    pub received_at: Timestamp,
    /// The tenant.
    pub workspace_id: WorkspaceId,
    /// The tenant's number.
    pub workspace_no: WorkspaceNo,
    /// Program and version that wrote it.
    #[serde(borrow)]
    pub producer: Cow<'a, str>,
    /// The data it was enriched with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrichment: Option<Cow<'a, EnrichmentVersions>>,
    /// The person behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<Cow<'a, Visitor>>,
    /// The body of the event's type.
    pub body: B,
}

/// The members that decide whether this build can read the rest.
#[derive(Deserialize)]
struct Header<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    version: u16,
}

impl Event {
    /// Serializes the event as a record.
    ///
    /// # Errors
    /// Never for events built from these types; the error is serde's.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        self.body.write(self)
    }

    /// Parses the event in a record's bytes. Unknown members are ignored.
    ///
    /// # Errors
    /// [`ReadError`] says whether the record is unreadable for every build or only for this one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let record: Record<'_, &RawValue> = match serde_json::from_slice(bytes) {
            Ok(record) => record,
            // A record of a newer build may differ in everything except these two members.
            Err(error) => {
                if let Ok(header) = serde_json::from_slice::<Header<'_>>(bytes) {
                    readable_kind(&header.kind, header.version)?;
                }
                return Err(malformed(bytes, "", &error));
            }
        };
        let kind = readable_kind(&record.kind, record.version)?;
        // Number 0 is for visits without a page, which are never recorded.
        if record.workspace_no == WorkspaceNo::NONE || record.workspace_no.as_int4().is_none() {
            let rule = "workspace_no is not a valid workspace number";
            return Err(ReadError::Malformed(rule.to_owned()));
        }
        for (name, at) in [
            ("occurred_at", record.occurred_at),
            ("received_at", record.received_at),
        ] {
            if !(FIRST_SECOND..=LAST_SECOND).contains(&at.as_second()) {
                let rule = format!("{name} is outside the years 1970 to 9999");
                return Err(ReadError::Malformed(rule));
            }
        }
        let body = Body::read(kind, record.body)?;
        Ok(Self {
            event_id: record.event_id,
            occurred_at: record.occurred_at,
            received_at: record.received_at,
            workspace_id: record.workspace_id,
            workspace_no: record.workspace_no,
            producer: record.producer.into_owned(),
            enrichment: record.enrichment.map(Cow::into_owned),
            visitor: record.visitor.map(Cow::into_owned),
            body,
        })
    }
}

/// The type, if this build can read it in this version.
fn readable_kind(name: &str, version: u16) -> Result<Kind, ReadError> {
    let Some(kind) = Kind::from_name(name) else {
        return Err(ReadError::UnknownType(name.to_owned()));
    };
    if version > kind.version() {
        return Err(ReadError::UnknownVersion {
            name: kind.name(),
            version,
            newest: kind.version(),
        });
    }
    Ok(kind)
}

pub(super) fn read<B: DeserializeOwned>(body: &RawValue) -> Result<B, ReadError> {
    let text = body.get();
    serde_json::from_str(text).map_err(|error| malformed(text.as_bytes(), "body", &error))
}

pub(super) fn write<B: Serialize>(event: &Event, body: &B) -> Result<Vec<u8>, serde_json::Error> {
    let kind = event.body.kind();
    serde_json::to_vec(&Record {
        event_id: event.event_id,
        kind: Cow::Borrowed(kind.name()),
        version: kind.version(),
        occurred_at: event.occurred_at,
        received_at: event.received_at,
        workspace_id: event.workspace_id,
        workspace_no: event.workspace_no,
        producer: Cow::Borrowed(&event.producer),
        enrichment: event.enrichment.as_ref().map(Cow::Borrowed),
        visitor: event.visitor.as_ref().map(Cow::Borrowed),
        body,
    })
}

fn malformed(text: &[u8], within: &str, error: &serde_json::Error) -> ReadError {
    ReadError::Malformed(json_error::describe(text, within, error))
}

/// The identity of a record for the projector's bookkeeping: its `event_id`, or a hash of its bytes
/// if it has no readable one.
#[must_use]
pub fn record_identity(bytes: &[u8]) -> EventId {
    #[derive(Deserialize)]
    struct Identity {
        event_id: EventId,
    }
    serde_json::from_slice::<Identity>(bytes)
        .map_or_else(|_| EventId::of_bytes(bytes), |identity| identity.event_id)
}
