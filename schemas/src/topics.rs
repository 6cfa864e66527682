//! The names of the topics and their required settings.
//!
//! `runtime::kafka::topics` creates and checks them.

/// The log: every event, keyed by workspace, never deleted by the broker.
pub const EVENTS: &str = "footfall.events.v1";
/// The pages, links and workspaces that ingest needs, compacted by key.
pub const DIRECTORY: &str = "footfall.directory.v1";
/// Unreadable records, with the reason in their headers.
pub const DEAD_LETTERS: &str = "footfall.deadletter.v1";

/// Partitions of the events topic on your own cluster; fixed for a log's life.
pub const EVENTS_PARTITIONS: i32 = 12;
/// Partitions of the events topic in the embedded log, where more would cost time and gain nothing.
pub const EVENTS_PARTITIONS_EMBEDDED: i32 = 4;

/// The required form of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// Topic name.
    pub name: &'static str,
    /// Partition count; a topic with another count is refused.
    pub partitions: i32,
    /// `cleanup.policy`
    pub cleanup_policy: &'static str,
    /// `retention.ms`, where the policy deletes; -1 keeps for ever.
    pub retention_ms: Option<i64>,
}

/// The three topics, with the given number of event partitions.
#[must_use]
pub const fn specs(events_partitions: i32) -> [TopicSpec; 3] {
    [
        TopicSpec {
            name: EVENTS,
            partitions: events_partitions,
            cleanup_policy: "delete",
            retention_ms: Some(-1),
        },
        TopicSpec {
            name: DIRECTORY,
            partitions: 1,
            cleanup_policy: "compact",
            retention_ms: None,
        },
        TopicSpec {
            name: DEAD_LETTERS,
            partitions: 1,
            cleanup_policy: "delete",
            retention_ms: Some(-1),
        },
    ]
}
