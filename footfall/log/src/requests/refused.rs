//! Requests that are always refused, each with Kafka's error in its own response format.
//!
//! They are supported so that clients receive an error with the reason instead of a closed connection. Queries for
//! things that never exist here (quotas, transactions, replica moves) return empty lists.
//! The rule to keep: this file has no access to the store.

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
        AddPartitionsToTxnResponse, AlterClientQuotasRequest, AlterClientQuotasResponse,
        AlterConfigsRequest, AlterConfigsResponse, AlterPartitionReassignmentsRequest,
        AlterPartitionReassignmentsResponse, AlterReplicaLogDirsRequest,
        AlterReplicaLogDirsResponse, AlterUserScramCredentialsRequest,
        AlterUserScramCredentialsResponse, ApiKey, ConsumerGroupDescribeRequest,
        ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
        ConsumerGroupHeartbeatResponse, CreateAclsRequest, CreateAclsResponse,
        CreateDelegationTokenRequest, CreateDelegationTokenResponse, CreatePartitionsRequest,
        CreatePartitionsResponse, DeleteAclsRequest, DeleteAclsResponse, DeleteRecordsRequest,
        DeleteRecordsResponse, DescribeAclsRequest, DescribeAclsResponse,
        DescribeClientQuotasRequest, DescribeClientQuotasResponse, DescribeDelegationTokenRequest,
        DescribeDelegationTokenResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
        DescribeProducersRequest, DescribeProducersResponse, DescribeTransactionsRequest,
        DescribeTransactionsResponse, DescribeUserScramCredentialsRequest,
        DescribeUserScramCredentialsResponse, ElectLeadersRequest, ElectLeadersResponse,
        EndTxnRequest, EndTxnResponse, ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
        ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
        ListTransactionsRequest, ListTransactionsResponse, RenewDelegationTokenRequest,
        RenewDelegationTokenResponse, SaslAuthenticateRequest, SaslAuthenticateResponse,
        SaslHandshakeRequest, SaslHandshakeResponse, TxnOffsetCommitRequest,
        TxnOffsetCommitResponse, add_partitions_to_txn_response as partitions_to_txn,
        alter_client_quotas_response as quotas, alter_configs_response as altered,
        alter_partition_reassignments_response as reassigned,
        alter_replica_log_dirs_response as moved, alter_user_scram_credentials_response as scram,
        consumer_group_describe_response as described, create_acls_response::AclCreationResult,
        create_partitions_response::CreatePartitionsTopicResult,
        delete_acls_response::DeleteAclsFilterResult, delete_records_response as deleted,
        describe_producers_response as producers, describe_transactions_response::TransactionState,
        describe_user_scram_credentials_response::DescribeUserScramCredentialsResult,
        elect_leaders_response as elected,
        incremental_alter_configs_response as incrementally_altered,
        txn_offset_commit_response as txn_committed,
    },
};

use super::{Answer, Asked, Failure, configs, text, topics::PROTECTED};
use crate::wire::frame;

/// The message of responses with a message field.
const REFUSED: &str = "the embedded log does not support this";
/// The low watermark of a partition that was not checked.
const UNKNOWN: i64 = -1;

const TOPIC_REFUSED: i16 = Error::TopicAuthorizationFailed.code();
const CLUSTER_REFUSED: i16 = Error::ClusterAuthorizationFailed.code();
/// The error for transactions. It is not retriable, so that a producer fails instead of retrying forever.
const TRANSACTION_REFUSED: i16 = Error::TransactionalIdAuthorizationFailed.code();
const NO_TOKENS: i16 = Error::DelegationTokenAuthDisabled.code();
/// Kafka's error of a broker without access lists.
const NO_ACLS: i16 = Error::SecurityDisabled.code();

/// Decodes the request, evaluates the expression, and encodes its value as the response.
macro_rules! refuse {
    ($asked:ident, $request:pat, $kind:ty => $response:expr) => {{
        let $request: $kind = frame::decode($asked.api, $asked.head.version, &mut $asked.body)?;
        let response = $response;
        let frame = frame::encode(&$asked.head, $asked.head.version, &response)?;
        Ok(Answer::Frame(frame, None))
    }};
}

/// Refuses a request in its own response format.
pub(super) fn answer(mut asked: Asked) -> Result<Answer, Failure> {
    match asked.api.key {
        ApiKey::DeleteRecords => refuse!(asked, request, DeleteRecordsRequest =>
            delete_records(request)),
        ApiKey::CreatePartitions => refuse!(asked, request, CreatePartitionsRequest =>
            create_partitions(request)),
        ApiKey::AlterConfigs => refuse!(asked, request, AlterConfigsRequest =>
            alter_configs(request)),
        ApiKey::IncrementalAlterConfigs => {
            refuse!(asked, request, IncrementalAlterConfigsRequest =>
            alter_configs_incrementally(request))
        }
        ApiKey::AlterReplicaLogDirs => refuse!(asked, request, AlterReplicaLogDirsRequest =>
            move_replicas(request)),
        ApiKey::DescribeLogDirs => refuse!(asked, _, DescribeLogDirsRequest =>
            DescribeLogDirsResponse::default().with_error_code(CLUSTER_REFUSED)),
        ApiKey::ElectLeaders => refuse!(asked, request, ElectLeadersRequest => elect(request)),
        ApiKey::AlterPartitionReassignments => {
            refuse!(asked, request, AlterPartitionReassignmentsRequest => reassign(request))
        }
        // Tools send this when they describe topics.
        ApiKey::ListPartitionReassignments => {
            refuse!(asked, _, ListPartitionReassignmentsRequest =>
                ListPartitionReassignmentsResponse::default())
        }
        ApiKey::DescribeProducers => refuse!(asked, request, DescribeProducersRequest =>
            describe_producers(request)),
        ApiKey::ConsumerGroupHeartbeat => refuse!(asked, _, ConsumerGroupHeartbeatRequest =>
            ConsumerGroupHeartbeatResponse::default()
                .with_error_code(Error::UnsupportedVersion.code())
                .with_error_message(Some(text("only the classic group protocol is supported")))),
        ApiKey::ConsumerGroupDescribe => refuse!(asked, request, ConsumerGroupDescribeRequest =>
            describe_groups(request)),
        // The client is already logged in.
        ApiKey::SaslHandshake => refuse!(asked, _, SaslHandshakeRequest =>
            SaslHandshakeResponse::default().with_error_code(Error::IllegalSaslState.code())),
        ApiKey::SaslAuthenticate => refuse!(asked, _, SaslAuthenticateRequest =>
            SaslAuthenticateResponse::default()
                .with_error_code(Error::IllegalSaslState.code())
                .with_error_message(Some(text("this connection is already authenticated")))),
        _ => answer_transactions(asked),
    }
}

fn answer_transactions(mut asked: Asked) -> Result<Answer, Failure> {
    match asked.api.key {
        ApiKey::AddPartitionsToTxn => refuse!(asked, request, AddPartitionsToTxnRequest =>
            add_partitions(request)),
        ApiKey::AddOffsetsToTxn => refuse!(asked, _, AddOffsetsToTxnRequest =>
            AddOffsetsToTxnResponse::default().with_error_code(TRANSACTION_REFUSED)),
        ApiKey::EndTxn => refuse!(asked, _, EndTxnRequest =>
            EndTxnResponse::default().with_error_code(TRANSACTION_REFUSED)),
        ApiKey::TxnOffsetCommit => refuse!(asked, request, TxnOffsetCommitRequest =>
            commit_in_transaction(request)),
        ApiKey::DescribeTransactions => refuse!(asked, request, DescribeTransactionsRequest =>
            describe_transactions(request)),
        ApiKey::ListTransactions => refuse!(asked, _, ListTransactionsRequest =>
            ListTransactionsResponse::default()),
        _ => answer_security(asked),
    }
}

fn answer_security(mut asked: Asked) -> Result<Answer, Failure> {
    match asked.api.key {
        ApiKey::DescribeAcls => refuse!(asked, _, DescribeAclsRequest =>
            DescribeAclsResponse::default()
                .with_error_code(NO_ACLS)
                .with_error_message(Some(text(REFUSED)))),
        ApiKey::CreateAcls => refuse!(asked, request, CreateAclsRequest => {
            let results = request.creations.iter().map(|_| {
                AclCreationResult::default()
                    .with_error_code(NO_ACLS)
                    .with_error_message(Some(text(REFUSED)))
            });
            CreateAclsResponse::default().with_results(results.collect())
        }),
        ApiKey::DeleteAcls => refuse!(asked, request, DeleteAclsRequest => {
            let results = request.filters.iter().map(|_| {
                DeleteAclsFilterResult::default()
                    .with_error_code(NO_ACLS)
                    .with_error_message(Some(text(REFUSED)))
            });
            DeleteAclsResponse::default().with_filter_results(results.collect())
        }),
        ApiKey::CreateDelegationToken => refuse!(asked, _, CreateDelegationTokenRequest =>
            CreateDelegationTokenResponse::default().with_error_code(NO_TOKENS)),
        ApiKey::RenewDelegationToken => refuse!(asked, _, RenewDelegationTokenRequest =>
            RenewDelegationTokenResponse::default().with_error_code(NO_TOKENS)),
        ApiKey::ExpireDelegationToken => refuse!(asked, _, ExpireDelegationTokenRequest =>
            ExpireDelegationTokenResponse::default().with_error_code(NO_TOKENS)),
        ApiKey::DescribeDelegationToken => refuse!(asked, _, DescribeDelegationTokenRequest =>
            DescribeDelegationTokenResponse::default().with_error_code(NO_TOKENS)),
        ApiKey::DescribeClientQuotas => refuse!(asked, _, DescribeClientQuotasRequest =>
            DescribeClientQuotasResponse::default().with_entries(Some(Vec::new()))),
        ApiKey::AlterClientQuotas => refuse!(asked, request, AlterClientQuotasRequest =>
            alter_quotas(request)),
        ApiKey::DescribeUserScramCredentials => {
            refuse!(asked, request, DescribeUserScramCredentialsRequest =>
                describe_scram(request))
        }
        ApiKey::AlterUserScramCredentials => {
            refuse!(asked, request, AlterUserScramCredentialsRequest => alter_scram(request))
        }
        // Unreachable: every request of the table has a function, and a test checks that.
        _ => Ok(Answer::Close),
    }
}

fn delete_records(request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            deleted::DeleteRecordsPartitionResult::default()
                .with_partition_index(partition.partition_index)
                .with_low_watermark(UNKNOWN)
                .with_error_code(TOPIC_REFUSED)
        });
        deleted::DeleteRecordsTopicResult::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

fn create_partitions(request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let results = request.topics.into_iter().map(|topic| {
        CreatePartitionsTopicResult::default()
            .with_name(topic.name)
            .with_error_code(TOPIC_REFUSED)
            .with_error_message(Some(text(PROTECTED)))
    });
    CreatePartitionsResponse::default().with_results(results.collect())
}

/// The error for a change of a resource's settings.
fn of_resource(resource_type: i8) -> i16 {
    if resource_type == configs::TOPIC {
        TOPIC_REFUSED
    } else {
        CLUSTER_REFUSED
    }
}

fn alter_configs(request: AlterConfigsRequest) -> AlterConfigsResponse {
    let responses = request.resources.into_iter().map(|resource| {
        altered::AlterConfigsResourceResponse::default()
            .with_error_code(of_resource(resource.resource_type))
            .with_error_message(Some(text(PROTECTED)))
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

fn alter_configs_incrementally(
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let responses = request.resources.into_iter().map(|resource| {
        incrementally_altered::AlterConfigsResourceResponse::default()
            .with_error_code(of_resource(resource.resource_type))
            .with_error_message(Some(text(PROTECTED)))
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name)
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

fn move_replicas(request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse {
    let topics = request.dirs.into_iter().flat_map(|dir| dir.topics);
    let results = topics.map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            moved::AlterReplicaLogDirPartitionResult::default()
                .with_partition_index(*partition)
                .with_error_code(Error::LogDirNotFound.code())
        });
        moved::AlterReplicaLogDirTopicResult::default()
            .with_partitions(partitions.collect())
            .with_topic_name(topic.name)
    });
    AlterReplicaLogDirsResponse::default().with_results(results.collect())
}

/// Answers that no election is needed, because the only node already leads.
fn elect(request: ElectLeadersRequest) -> ElectLeadersResponse {
    let topics = request.topic_partitions.into_iter().flatten();
    let results = topics.map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            elected::PartitionResult::default()
                .with_partition_id(*partition)
                .with_error_code(Error::ElectionNotNeeded.code())
        });
        elected::ReplicaElectionResult::default()
            .with_partition_result(partitions.collect())
            .with_topic(topic.topic)
    });
    ElectLeadersResponse::default().with_replica_election_results(results.collect())
}

fn reassign(request: AlterPartitionReassignmentsRequest) -> AlterPartitionReassignmentsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            reassigned::ReassignablePartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(CLUSTER_REFUSED)
                .with_error_message(Some(text(REFUSED)))
        });
        reassigned::ReassignableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    AlterPartitionReassignmentsResponse::default()
        .with_error_code(CLUSTER_REFUSED)
        .with_error_message(Some(text(REFUSED)))
        .with_responses(topics.collect())
}

fn describe_producers(request: DescribeProducersRequest) -> DescribeProducersResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|index| {
            producers::PartitionResponse::default()
                .with_partition_index(*index)
                .with_error_code(TOPIC_REFUSED)
                .with_error_message(Some(text(REFUSED)))
        });
        producers::TopicResponse::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

/// Answers like Kafka for a classic group. Clients then describe it as a classic one.
fn describe_groups(request: ConsumerGroupDescribeRequest) -> ConsumerGroupDescribeResponse {
    let groups = request.group_ids.into_iter().map(|id| {
        described::DescribedGroup::default()
            .with_group_id(id)
            .with_error_code(Error::GroupIdNotFound.code())
    });
    ConsumerGroupDescribeResponse::default().with_groups(groups.collect())
}

fn add_partitions(request: AddPartitionsToTxnRequest) -> AddPartitionsToTxnResponse {
    let topics = request.v3_and_below_topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            partitions_to_txn::AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*partition)
                .with_partition_error_code(TRANSACTION_REFUSED)
        });
        partitions_to_txn::AddPartitionsToTxnTopicResult::default()
            .with_results_by_partition(partitions.collect())
            .with_name(topic.name)
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics.collect())
}

fn commit_in_transaction(request: TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            txn_committed::TxnOffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(TRANSACTION_REFUSED)
        });
        txn_committed::TxnOffsetCommitResponseTopic::default()
            .with_partitions(partitions.collect())
            .with_name(topic.name)
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

fn describe_transactions(request: DescribeTransactionsRequest) -> DescribeTransactionsResponse {
    let states = request.transactional_ids.into_iter().map(|id| {
        TransactionState::default()
            .with_transactional_id(id)
            .with_error_code(Error::TransactionalIdNotFound.code())
    });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

fn alter_quotas(request: AlterClientQuotasRequest) -> AlterClientQuotasResponse {
    let entries = request.entries.into_iter().map(|entry| {
        let entities = entry.entity.into_iter().map(|entity| {
            quotas::EntityData::default()
                .with_entity_type(entity.entity_type)
                .with_entity_name(entity.entity_name)
        });
        quotas::EntryData::default()
            .with_error_code(CLUSTER_REFUSED)
            .with_error_message(Some(text(REFUSED)))
            .with_entity(entities.collect())
    });
    AlterClientQuotasResponse::default().with_entries(entries.collect())
}

fn describe_scram(
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let users = request.users.into_iter().flatten();
    let results = users.map(|user| {
        DescribeUserScramCredentialsResult::default()
            .with_user(user.name)
            .with_error_code(Error::ResourceNotFound.code())
    });
    DescribeUserScramCredentialsResponse::default().with_results(results.collect())
}

fn alter_scram(request: AlterUserScramCredentialsRequest) -> AlterUserScramCredentialsResponse {
    let removed = request.deletions.into_iter().map(|deletion| deletion.name);
    let changed = request.upsertions.into_iter().map(|change| change.name);
    let results = removed.chain(changed).map(|user| {
        scram::AlterUserScramCredentialsResult::default()
            .with_user(user)
            .with_error_code(CLUSTER_REFUSED)
            .with_error_message(Some(text(REFUSED)))
    });
    AlterUserScramCredentialsResponse::default().with_results(results.collect())
}
