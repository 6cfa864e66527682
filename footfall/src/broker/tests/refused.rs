//! Requests that would harm the log are refused, those of librdkafka's administration client included, and no topic
//! is created by accident.

use nisshi_sans_io::{
    AlterConfigsRequest, AlterUserScramCredentialsRequest, ApiKey as _, ApiVersionsRequest, Body,
    CreateAclsRequest, DeleteRecordsRequest, DeleteTopicsRequest, ErrorCode,
    IncrementalAlterConfigsRequest, MetadataRequest, alter_configs_request,
    alter_user_scram_credentials_request::ScramCredentialDeletion,
    create_acls_request::AclCreation,
    delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
    delete_topics_request::DeleteTopicState,
    incremental_alter_configs_request,
    metadata_request::MetadataRequestTopic,
};
use rdkafka::{
    admin::{AlterConfig, NewPartitions, ResourceSpecifier},
    consumer::BaseConsumer,
    types::RDKafkaErrorCode as Code,
};

use super::{wire::Wire, *};

/// Requests that the broker answers. Before adding one, read what it does to the log.
const SERVED: &[i16] = &[
    0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 26, 28, 29, 30,
    32, 33, 36, 37, 42, 44, 46, 50, 51, 60, 69, 71, 75,
];

async fn start_with_records(dir: &Path) -> EmbeddedBroker {
    let broker = start(dir).await;
    make_topic(broker.brokers(), "events", 2, "delete", "-1").await;
    make_topic(broker.brokers(), "other", 1, "delete", "-1").await;
    for value in ["a", "b"] {
        publish(&producer(broker.brokers()), "events", 0, "k", value).await;
    }
    broker
}

/// The log is as [`start_with_records`] left it.
async fn assert_untouched(broker: &EmbeddedBroker) {
    let reader = consumer(broker.brokers(), 100);
    let metadata = reader.fetch_metadata(None, PATIENCE).unwrap();
    let topics = metadata.topics().iter();
    let mut topics: Vec<_> = topics
        .map(|topic| (topic.name(), topic.partitions().len()))
        .collect();
    topics.sort_unstable();
    assert_eq!(topics, [("events", 2), ("other", 1)]);
    assign(&reader, "events", &[(0, 0)]);
    assert_eq!(values(&reader, 2).await, ["a", "b"]);
    let described = admin(broker.brokers())
        .describe_configs(&[ResourceSpecifier::Topic("events")], &AdminOptions::new())
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    let policy = described.get("cleanup.policy").unwrap();
    assert_eq!(policy.value.as_deref(), Some("delete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_and_nothing_is_reconfigured() {
    let dir = data_dir();
    let broker = start_with_records(dir.path()).await;
    let admin = admin(broker.brokers());
    let options = AdminOptions::new().request_timeout(Some(PATIENCE));

    let deleted = admin.delete_topics(&["other", "absent"], &options).await;
    let refused = |name: &str| Err((name.to_owned(), Code::TopicAuthorizationFailed));
    assert_eq!(deleted.unwrap(), [refused("other"), refused("absent")]);

    let more = NewPartitions::new("events", 8);
    let more = admin.create_partitions([&more], &options).await;
    assert_eq!(more.unwrap(), [refused("events")]);

    let compacted =
        AlterConfig::new(ResourceSpecifier::Topic("events")).set("cleanup.policy", "compact");
    // rdkafka does not report the errors of resources; the test below checks the answer itself.
    let _ = admin.alter_configs([&compacted], &options).await.unwrap();

    let mut list = TopicPartitionList::new();
    list.add_partition_offset("events", 0, Offset::Offset(1))
        .unwrap();
    let records = admin.delete_records(&list, &options).await.unwrap();
    let error = records.elements()[0].error().unwrap_err();
    assert_eq!(
        error.rdkafka_error_code(),
        Some(Code::TopicAuthorizationFailed)
    );

    let groups = admin.delete_groups(&["readers"], &options).await.unwrap();
    assert_eq!(
        groups,
        [Err(("readers".to_owned(), Code::GroupAuthorizationFailed))]
    );
    assert_untouched(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_librdkafka_does_not_ask_for_is_refused_on_a_connection_that_stays() {
    let dir = data_dir();
    let broker = start_with_records(dir.path()).await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let topic_refused = i16::from(ErrorCode::TopicAuthorizationFailed);

    let by_id = DeleteTopicState::default().name(None).topic_id([7; 16]);
    let request = DeleteTopicsRequest::default()
        .topics(Some(vec![by_id]))
        .timeout_ms(1_000);
    let Body::DeleteTopicsResponse(answer) = wire.call(6, request).await else {
        panic!("another answer");
    };
    let result = &answer.responses.unwrap()[0];
    assert_eq!(
        (result.error_code, result.topic_id),
        (topic_refused, Some([7; 16]))
    );
    assert!(result.error_message.as_ref().unwrap().contains("embedded"));

    let partition = DeleteRecordsPartition::default()
        .partition_index(0)
        .offset(-1);
    let topic = DeleteRecordsTopic::default()
        .name("events".to_owned())
        .partitions(Some(vec![partition]));
    let request = DeleteRecordsRequest::default()
        .topics(Some(vec![topic]))
        .timeout_ms(1_000);
    let Body::DeleteRecordsResponse(answer) = wire.call(2, request).await else {
        panic!("another answer");
    };
    let topics = answer.topics.unwrap();
    assert_eq!(
        topics[0].partitions.as_ref().unwrap()[0].error_code,
        topic_refused
    );

    let resource = alter_configs_request::AlterConfigsResource::default()
        .resource_type(2)
        .resource_name("events".to_owned())
        .configs(Some(vec![
            alter_configs_request::AlterableConfig::default()
                .name("cleanup.policy".to_owned())
                .value(Some("compact".to_owned())),
        ]));
    let request = AlterConfigsRequest::default().resources(Some(vec![resource]));
    let Body::AlterConfigsResponse(answer) = wire.call(2, request).await else {
        panic!("another answer");
    };
    assert_eq!(answer.responses.unwrap()[0].error_code, topic_refused);

    let resource = |kind, name: &str| {
        incremental_alter_configs_request::AlterConfigsResource::default()
            .resource_type(kind)
            .resource_name(name.to_owned())
            .configs(Some(vec![
                incremental_alter_configs_request::AlterableConfig::default()
                    .name("cleanup.policy".to_owned())
                    .config_operation(0)
                    .value(Some("compact".to_owned())),
            ]))
    };
    let resources = vec![resource(2, "events"), resource(4, "1")];
    let request = IncrementalAlterConfigsRequest::default().resources(Some(resources));
    let Body::IncrementalAlterConfigsResponse(answer) = wire.call(1, request).await else {
        panic!("another answer");
    };
    let codes: Vec<i16> = answer
        .responses
        .unwrap()
        .iter()
        .map(|response| response.error_code)
        .collect();
    let cluster_refused = i16::from(ErrorCode::ClusterAuthorizationFailed);
    assert_eq!(codes, [topic_refused, cluster_refused]);

    let deletion = ScramCredentialDeletion::default()
        .name("ada".to_owned())
        .mechanism(1);
    let request = AlterUserScramCredentialsRequest::default()
        .deletions(Some(vec![deletion]))
        .upsertions(Some(vec![]));
    let Body::AlterUserScramCredentialsResponse(answer) = wire.call(0, request).await else {
        panic!("another answer");
    };
    assert_eq!(answer.results.unwrap()[0].error_code, cluster_refused);

    let creation = AclCreation::default()
        .resource_type(2)
        .resource_name("events".to_owned())
        .resource_pattern_type(Some(3))
        .principal("User:ada".to_owned())
        .host("*".to_owned())
        .operation(2)
        .permission_type(3);
    let request = CreateAclsRequest::default().creations(Some(vec![creation]));
    let Body::CreateAclsResponse(answer) = wire.call(3, request).await else {
        panic!("another answer");
    };
    assert_eq!(
        answer.results.unwrap()[0].error_code,
        i16::from(ErrorCode::SecurityDisabled)
    );
    assert_untouched(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_are_asked_for_are_not_made() {
    let dir = data_dir();
    let broker = start_with_records(dir.path()).await;
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.brokers())
        .set("group.id", "readers")
        .set("allow.auto.create.topics", "true")
        .create()
        .unwrap();
    let metadata = client.fetch_metadata(Some("mistyped"), PATIENCE).unwrap();
    assert_eq!(
        metadata.topics()[0].error().map(Code::from),
        Some(Code::UnknownTopicOrPartition)
    );
    // Before version 4 a request could not say whether it wants them.
    let mut wire = Wire::connect(broker.brokers()).await;
    let topic = MetadataRequestTopic::default().name(Some("mistyped".to_owned()));
    let request = MetadataRequest::default().topics(Some(vec![topic]));
    let Body::MetadataResponse(answer) = wire.call(1, request).await else {
        panic!("another answer");
    };
    assert_eq!(
        answer.topics.unwrap()[0].error_code,
        i16::from(ErrorCode::UnknownTopicOrPartition)
    );
    let records = wire::batch((-1, -1, -1), &["x"]);
    let (error, _) = wire.produce("mistyped", 0, records).await;
    assert_eq!(error, i16::from(ErrorCode::UnknownTopicOrPartition));
    assert_untouched(&broker).await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_requests_are_served() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    let mut wire = Wire::connect(broker.brokers()).await;
    let request = ApiVersionsRequest::default();
    let Body::ApiVersionsResponse(answer) = wire.call(0, request).await else {
        panic!("another answer");
    };
    let keys = answer.api_keys.unwrap();
    let mut keys: Vec<i16> = keys.iter().map(|version| version.api_key).collect();
    keys.sort_unstable();
    assert_eq!(keys, SERVED);
    assert!(keys.contains(&MetadataRequest::KEY));
    broker.stop().await;
}
