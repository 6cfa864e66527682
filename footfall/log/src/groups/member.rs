//! A member of a consumer group: its protocols, its pending requests and its assignment.
//!
//! The rule to keep: metadata and assignments belong to the clients; the coordinator passes them on without parsing.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError as Error;

/// Identifies a response that a client waits for.
pub(crate) type Ticket = u64;

/// A request to join a group.
#[derive(Clone, Debug)]
pub(crate) struct Joiner {
    /// Empty for a client without an id.
    pub(crate) member_id: String,
    /// The name of a static member.
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session: Duration,
    pub(crate) rebalance: Duration,
    pub(crate) protocol_type: String,
    /// The supported protocols in order of preference, each with its metadata.
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// A client without an id receives one and must join again with it (KIP-394). A lost response then leaves no member
    /// behind.
    pub(crate) needs_id: bool,
    /// The client understands that a returning leader need not assign again (KIP-814).
    pub(crate) may_skip_assignment: bool,
}

/// A member's place in a generation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Joined {
    pub(crate) member_id: String,
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    /// All members with their metadata; only for the leader.
    pub(crate) members: Vec<(String, Option<String>, Bytes)>,
    /// The leader need not assign again.
    pub(crate) skip_assignment: bool,
}

/// Why a client cannot join, with the id to use next time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NotJoined {
    pub(crate) error: Error,
    pub(crate) member_id: String,
}

/// A member's assignment in a generation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Synced {
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) assignment: Bytes,
}

/// The response to a waiting client.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    Joined(Result<Joined, NotJoined>),
    Synced(Result<Synced, Error>),
}

/// One member of a group.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) instance: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) protocols: Vec<(String, Bytes)>,
    pub(super) assignment: Bytes,
    /// The end of its session. Waiting for a response or sending a request prevents the removal.
    pub(super) expires: Instant,
    /// Set while the member waits for the end of the joining round.
    pub(super) joining: Option<Ticket>,
    /// Set while the member waits for its assignment.
    pub(super) syncing: Option<Ticket>,
    /// Whether the member has asked for its assignment in this generation.
    pub(super) synced: bool,
}

impl Member {
    pub(super) fn new(joiner: &Joiner, ticket: Ticket, now: Instant) -> Self {
        Self {
            instance: joiner.instance.clone(),
            client_id: joiner.client_id.clone(),
            client_host: joiner.client_host.clone(),
            session: joiner.session,
            rebalance: joiner.rebalance,
            protocols: joiner.protocols.clone(),
            assignment: Bytes::new(),
            expires: now + joiner.session,
            joining: Some(ticket),
            syncing: None,
            synced: false,
        }
    }

    /// Updates the member from a new join request.
    pub(super) fn renew(&mut self, joiner: &Joiner, now: Instant) {
        self.session = joiner.session;
        self.rebalance = joiner.rebalance;
        self.protocols.clone_from(&joiner.protocols);
        self.beat(now);
    }

    /// Restarts the member's session.
    pub(super) fn beat(&mut self, now: Instant) {
        self.expires = now + self.session;
    }

    /// Whether the member waits for a response. A waiting member sends no heartbeats, and is not removed for that.
    pub(super) fn waits(&self) -> bool {
        self.joining.is_some() || self.syncing.is_some()
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    /// The member's metadata for a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let mut protocols = self.protocols.iter();
        let found = protocols.find(|(name, _)| name == protocol);
        found
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// Bytes that the member holds for its client.
    pub(super) fn held_bytes(&self) -> usize {
        let protocols = self.protocols.iter();
        let protocols: usize = protocols.map(|(name, data)| name.len() + data.len()).sum();
        let instance = self.instance.as_ref().map_or(0, String::len);
        protocols + self.assignment.len() + self.client_id.len() + instance
    }
}
