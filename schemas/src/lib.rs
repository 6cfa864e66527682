//! The contract on the wire: the format of the log's records, and how ids are made.
//!
//! Owns event types, enriched context and the spelling of its values, the vocabulary of reports,
//! ids, topics, the tracking token and the tracker, which sends beacons. Does no I/O and reads no
//! clock, so every crate can depend on it. The one rule: changes are additive. `tests/` compares
//! the types with the checked-in JSON Schema and the published examples.

pub mod analytics;
pub mod context;
pub mod countries;
pub mod dead_letter;
pub mod directory;
pub mod events;
pub mod ids;
pub mod json_error;
pub mod keyring;
pub mod money;
pub mod routed;
pub mod rules;
pub mod settings;
pub mod signed;
pub mod topics;
pub mod tracker;
pub mod tracking_token;
pub mod values;
pub mod visible;

pub use context::{Agent, Device, EnrichmentVersions, Place, Screen, SourceClass, Utm, Visitor};
pub use events::{
    BeaconRefused, Body, BotReason, ConversionRecorded, ConversionStatusChanged, CustomTracked,
    Event, Kind, LinkClicked, PageLeft, PageViewed, ReadError, RefusalReason, SessionHeartbeat,
    SessionIdentified, SessionStarted, Trigger, Within,
};
pub use ids::{
    AppId, CampaignId, ClickId, ConversionId, CustomerId, EventId, LinkId, PageId, PageviewId,
    QrId, RuleId, SessionId, UserHash, VisitorHash, WorkspaceId, WorkspaceNo,
};
pub use keyring::{Keyring, KeyringError};
pub use routed::IdMaker;
