//! Lists the supported requests: key, versions, and the layout of each body.
//!
//! [`super::shape`] uses the layouts to measure a request before it is decoded. A text notation keeps each request on
//! one line:
//!
//! - `c` one byte, `h` 16 bits, `i` 32 bits, `l` and `d` 64 bits, `u` a UUID, `s` text, `b` bytes;
//! - `[..]` a list of structures, `<x>` a list of plain values, `(..)` a single structure;
//! - `3+`, `-4` or `2-7` after a field: the versions that have it; without it, all versions;
//! - `{1:15 ..}` a tagged field that the decoder knows: its tag, its first version, its content.

use kafka_protocol::messages::ApiKey;

/// One kind of request.
#[derive(Debug)]
pub(crate) struct Api {
    /// The kind of request.
    pub(crate) key: ApiKey,
    /// The oldest supported version.
    pub(crate) oldest: i16,
    /// The newest supported version.
    pub(crate) newest: i16,
    /// The first version with variable lengths and tagged fields.
    pub(super) flexible: i16,
    /// The layout of the body.
    pub(super) layout: &'static str,
}

/// For requests without a flexible version.
const NEVER: i16 = i16::MAX;

const fn api(key: ApiKey, versions: (i16, i16), flexible: i16, layout: &'static str) -> Api {
    Api {
        key,
        oldest: versions.0,
        newest: versions.1,
        flexible,
        layout,
    }
}

/// All supported requests, by key. Requests between brokers are absent. So are requests for missing features that
/// clients do not need.
pub(crate) static APIS: &[Api] = &[
    api(ApiKey::Produce, (3, 13), 9, "s h i [s-12 u13+ [i b]]"),
    api(
        ApiKey::Fetch,
        (4, 18),
        12,
        "i-14 i i i c i7+ i7+ [s-12 u13+ [i i9+ l i12+ l5+ i {0:17 u} {1:18 l}]] [s7-12 u13+ <i>]7+ s11+ \
         {0:12 s} {1:15 (i l)}",
    ),
    api(ApiKey::ListOffsets, (1, 10), 6, "i c2+ [s [i i4+ l]] i10+"),
    api(ApiKey::Metadata, (0, 13), 9, "[u10+ s] c4+ c8-10 c8+"),
    api(
        ApiKey::OffsetCommit,
        (2, 9),
        8,
        "s i s s7+ l-4 [s [i l i6+ s]]",
    ),
    api(
        ApiKey::OffsetFetch,
        (1, 9),
        6,
        "s-7 [s <i>]-7 [s s9+ i9+ [s <i>]]8+ c7+",
    ),
    api(ApiKey::FindCoordinator, (0, 6), 3, "s-3 c1+ <s>4+"),
    api(ApiKey::JoinGroup, (0, 9), 6, "s i i1+ s s5+ s [s b] s8+"),
    api(ApiKey::Heartbeat, (0, 4), 4, "s i s s3+"),
    api(ApiKey::LeaveGroup, (0, 5), 4, "s s-2 [s s s5+]3+"),
    api(ApiKey::SyncGroup, (0, 5), 4, "s i s s3+ s5+ s5+ [s b]"),
    api(ApiKey::DescribeGroups, (0, 6), 5, "<s> c3+"),
    api(ApiKey::ListGroups, (0, 5), 3, "<s>4+ <s>5+"),
    api(ApiKey::SaslHandshake, (0, 1), NEVER, "s"),
    api(ApiKey::ApiVersions, (0, 4), 3, "s3+ s3+"),
    api(ApiKey::CreateTopics, (2, 7), 5, "[s i h [i <i>] [s s]] i c"),
    api(ApiKey::DeleteTopics, (1, 6), 4, "[s u]6+ <s>-5 i"),
    api(ApiKey::DeleteRecords, (0, 2), 2, "[s [i l]] i"),
    api(ApiKey::InitProducerId, (0, 5), 2, "s i l3+ h3+"),
    api(ApiKey::OffsetForLeaderEpoch, (2, 4), 4, "i3+ [s [i i i]]"),
    api(ApiKey::AddPartitionsToTxn, (0, 3), 3, "s l h [s <i>]"),
    api(ApiKey::AddOffsetsToTxn, (0, 4), 3, "s l h s"),
    api(ApiKey::EndTxn, (0, 5), 3, "s l h c"),
    api(
        ApiKey::TxnOffsetCommit,
        (0, 5),
        3,
        "s s l h i3+ s3+ s3+ [s [i l i2+ s]]",
    ),
    api(ApiKey::DescribeAcls, (1, 3), 2, "c s c s s c c"),
    api(ApiKey::CreateAcls, (1, 3), 2, "[c s c s s c c]"),
    api(ApiKey::DeleteAcls, (1, 3), 2, "[c s c s s c c]"),
    api(ApiKey::DescribeConfigs, (1, 4), 4, "[c s <s>] c c3+"),
    api(ApiKey::AlterConfigs, (0, 2), 2, "[c s [s s]] c"),
    api(ApiKey::AlterReplicaLogDirs, (1, 2), 2, "[s [s <i>]]"),
    api(ApiKey::DescribeLogDirs, (1, 4), 2, "[s <i>]"),
    api(ApiKey::SaslAuthenticate, (0, 2), 2, "b"),
    api(ApiKey::CreatePartitions, (0, 3), 2, "[s i [<i>]] i c"),
    api(ApiKey::CreateDelegationToken, (1, 3), 2, "s3+ s3+ [s s] l"),
    api(ApiKey::RenewDelegationToken, (1, 2), 2, "b l"),
    api(ApiKey::ExpireDelegationToken, (1, 2), 2, "b l"),
    api(ApiKey::DescribeDelegationToken, (1, 3), 2, "[s s]"),
    api(ApiKey::DeleteGroups, (0, 2), 2, "<s>"),
    api(ApiKey::ElectLeaders, (0, 2), 2, "c1+ [s <i>] i"),
    api(
        ApiKey::IncrementalAlterConfigs,
        (0, 1),
        1,
        "[c s [s c s]] c",
    ),
    api(
        ApiKey::AlterPartitionReassignments,
        (0, 1),
        0,
        "i c1+ [s [i <i>]]",
    ),
    api(ApiKey::ListPartitionReassignments, (0, 0), 0, "i [s <i>]"),
    api(ApiKey::OffsetDelete, (0, 0), NEVER, "s [s [i]]"),
    api(ApiKey::DescribeClientQuotas, (0, 1), 1, "[s c s] c"),
    api(ApiKey::AlterClientQuotas, (0, 1), 1, "[[s s] [s d c]] c"),
    api(ApiKey::DescribeUserScramCredentials, (0, 0), 0, "[s]"),
    api(
        ApiKey::AlterUserScramCredentials,
        (0, 0),
        0,
        "[s c] [s c i b b]",
    ),
    api(ApiKey::DescribeCluster, (0, 2), 0, "c c1+ c2+"),
    api(ApiKey::DescribeProducers, (0, 0), 0, "[s <i>]"),
    api(ApiKey::DescribeTransactions, (0, 0), 0, "<s>"),
    api(ApiKey::ListTransactions, (0, 2), 0, "<s> <l> l1+ s2+"),
    api(
        ApiKey::ConsumerGroupHeartbeat,
        (0, 1),
        0,
        "s s i s s i <s> s1+ s [u <i>]",
    ),
    api(ApiKey::ConsumerGroupDescribe, (0, 1), 0, "<s> c"),
];

/// Finds the request with this key, if it is supported.
pub(crate) fn find(key: i16) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key as i16 == key)
}
