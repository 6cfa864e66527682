//! A member of a consumer group: what it asked for, and what it got.
//!
//! The rule to keep: metadata and assignments are the clients' own; the coordinator carries them unread.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

/// Who wants to join, and with what.
#[derive(Debug)]
pub(super) struct Joiner {
    pub(super) member_id: String,
    pub(super) instance_id: Option<String>,
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) protocol_type: String,
    pub(super) protocols: Vec<(String, Bytes)>,
}

/// A member's place in a generation that began.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) member_id: String,
    pub(super) generation: i32,
    pub(super) protocol_type: String,
    pub(super) protocol: String,
    pub(super) leader: String,
    /// Everybody (id, instance, metadata), for the leader alone.
    pub(super) members: Vec<(String, Option<String>, Bytes)>,
}

/// One member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) wanted: Joiner,
    /// Handed in what it wants, and waits for the next generation.
    pub(super) joining: bool,
    /// When it was last heard of.
    pub(super) seen: Instant,
    pub(super) assignment: Option<Bytes>,
}

impl Member {
    /// What it handed in for the protocol that was chosen.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let mut protocols = self.wanted.protocols.iter();
        let found = protocols.find(|(name, _)| name == protocol);
        found
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }
}
