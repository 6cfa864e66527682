//! Refuses requests that would delete from the log or change how it is kept, each with Kafka's error.
//!
//! One of them is enough to lose everything: a deletion in nisshi's storage takes every topic's records with it, and a
//! compacted events topic loses history at the next start. They are in the table all the same, so that clients get an
//! answer that names the reason instead of a closed connection.
//! The rule to keep: nothing in this file has access to the storage.

use nisshi_sans_io::{
    AlterConfigsRequest, AlterConfigsResponse, AlterUserScramCredentialsRequest,
    AlterUserScramCredentialsResponse, CreateAclsRequest, CreateAclsResponse,
    CreatePartitionsRequest, CreatePartitionsResponse, DeleteGroupsRequest, DeleteGroupsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    ErrorCode, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    alter_configs_response,
    alter_user_scram_credentials_response::AlterUserScramCredentialsResult,
    create_acls_response::AclCreationResult,
    create_partitions_response::CreatePartitionsTopicResult,
    delete_groups_response::DeletableGroupResult,
    delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
    delete_topics_response::DeletableTopicResult,
    incremental_alter_configs_response,
};
use nisshi_storage::Error;
use rama::{Context, Service};

/// What the answers say where Kafka has room for words.
const REASON: &str =
    "the embedded log keeps its topics, their settings and their records as they are";
/// The type of a resource that is a topic.
const TOPIC: i8 = 2;
/// The low watermark of a partition that was not looked at.
const UNKNOWN: i64 = -1;

/// Answers requests that are refused whatever they ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused;

/// The error for a change of a resource's settings.
fn of_resource(resource_type: i8) -> i16 {
    i16::from(if resource_type == TOPIC {
        ErrorCode::TopicAuthorizationFailed
    } else {
        ErrorCode::ClusterAuthorizationFailed
    })
}

impl Service<(), DeleteTopicsRequest> for Refused {
    type Response = DeleteTopicsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: DeleteTopicsRequest,
    ) -> Result<DeleteTopicsResponse, Error> {
        let by_state = request.topics.into_iter().flatten();
        let by_state = by_state.map(|topic| (topic.name, Some(topic.topic_id)));
        let by_name = request.topic_names.into_iter().flatten();
        let by_name = by_name.map(|name| (Some(name), None));
        let results = by_state.chain(by_name).map(|(name, id)| {
            DeletableTopicResult::default()
                .name(name)
                .topic_id(id)
                .error_code(ErrorCode::TopicAuthorizationFailed.into())
                .error_message(Some(REASON.to_owned()))
        });
        Ok(DeleteTopicsResponse::default()
            .throttle_time_ms(Some(0))
            .responses(Some(results.collect())))
    }
}

impl Service<(), DeleteRecordsRequest> for Refused {
    type Response = DeleteRecordsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: DeleteRecordsRequest,
    ) -> Result<DeleteRecordsResponse, Error> {
        let topics = request.topics.into_iter().flatten().map(|topic| {
            let partitions = topic.partitions.into_iter().flatten().map(|partition| {
                DeleteRecordsPartitionResult::default()
                    .partition_index(partition.partition_index)
                    .low_watermark(UNKNOWN)
                    .error_code(ErrorCode::TopicAuthorizationFailed.into())
            });
            DeleteRecordsTopicResult::default()
                .name(topic.name)
                .partitions(Some(partitions.collect()))
        });
        Ok(DeleteRecordsResponse::default()
            .throttle_time_ms(0)
            .topics(Some(topics.collect())))
    }
}

impl Service<(), CreatePartitionsRequest> for Refused {
    type Response = CreatePartitionsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: CreatePartitionsRequest,
    ) -> Result<CreatePartitionsResponse, Error> {
        let results = request.topics.into_iter().flatten().map(|topic| {
            CreatePartitionsTopicResult::default()
                .name(topic.name)
                .error_code(ErrorCode::TopicAuthorizationFailed.into())
                .error_message(Some(REASON.to_owned()))
        });
        Ok(CreatePartitionsResponse::default()
            .throttle_time_ms(0)
            .results(Some(results.collect())))
    }
}

impl Service<(), AlterConfigsRequest> for Refused {
    type Response = AlterConfigsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: AlterConfigsRequest,
    ) -> Result<AlterConfigsResponse, Error> {
        let responses = request.resources.into_iter().flatten().map(|resource| {
            alter_configs_response::AlterConfigsResourceResponse::default()
                .error_code(of_resource(resource.resource_type))
                .error_message(Some(REASON.to_owned()))
                .resource_type(resource.resource_type)
                .resource_name(resource.resource_name)
        });
        Ok(AlterConfigsResponse::default()
            .throttle_time_ms(0)
            .responses(Some(responses.collect())))
    }
}

impl Service<(), IncrementalAlterConfigsRequest> for Refused {
    type Response = IncrementalAlterConfigsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: IncrementalAlterConfigsRequest,
    ) -> Result<IncrementalAlterConfigsResponse, Error> {
        let responses = request.resources.into_iter().flatten().map(|resource| {
            incremental_alter_configs_response::AlterConfigsResourceResponse::default()
                .error_code(of_resource(resource.resource_type))
                .error_message(Some(REASON.to_owned()))
                .resource_type(resource.resource_type)
                .resource_name(resource.resource_name)
        });
        Ok(IncrementalAlterConfigsResponse::default()
            .throttle_time_ms(0)
            .responses(Some(responses.collect())))
    }
}

impl Service<(), DeleteGroupsRequest> for Refused {
    type Response = DeleteGroupsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: DeleteGroupsRequest,
    ) -> Result<DeleteGroupsResponse, Error> {
        let results = request.groups_names.into_iter().flatten().map(|group| {
            DeletableGroupResult::default()
                .group_id(group)
                .error_code(ErrorCode::GroupAuthorizationFailed.into())
        });
        Ok(DeleteGroupsResponse::default()
            .throttle_time_ms(0)
            .results(Some(results.collect())))
    }
}

impl Service<(), CreateAclsRequest> for Refused {
    type Response = CreateAclsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: CreateAclsRequest,
    ) -> Result<CreateAclsResponse, Error> {
        let results = request.creations.into_iter().flatten().map(|_| {
            AclCreationResult::default()
                .error_code(ErrorCode::SecurityDisabled.into())
                .error_message(Some(REASON.to_owned()))
        });
        Ok(CreateAclsResponse::default()
            .throttle_time_ms(0)
            .results(Some(results.collect())))
    }
}

impl Service<(), AlterUserScramCredentialsRequest> for Refused {
    type Response = AlterUserScramCredentialsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: AlterUserScramCredentialsRequest,
    ) -> Result<AlterUserScramCredentialsResponse, Error> {
        let deleted = request.deletions.into_iter().flatten();
        let changed = request.upsertions.into_iter().flatten();
        let users = deleted.map(|deletion| deletion.name);
        let results = users.chain(changed.map(|change| change.name)).map(|user| {
            AlterUserScramCredentialsResult::default()
                .user(user)
                .error_code(ErrorCode::ClusterAuthorizationFailed.into())
                .error_message(Some(REASON.to_owned()))
        });
        Ok(AlterUserScramCredentialsResponse::default()
            .throttle_time_ms(0)
            .results(Some(results.collect())))
    }
}
