//! Tests that topics are only created on request, deleted individually, and never changed.

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
        DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse, MetadataRequest, MetadataResponse,
        create_topics_request::{CreatableTopic, CreatableTopicConfig},
        delete_topics_request::DeleteTopicState,
        describe_configs_request::DescribeConfigsResource,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
        metadata_request::MetadataRequestTopic,
    },
};
use rdkafka::{
    admin::{NewPartitions, ResourceSpecifier},
    consumer::BaseConsumer,
    types::RDKafkaErrorCode as Code,
};
use uuid::Uuid;

use super::{
    wire::{Wire, batch, string, topic_name},
    *,
};

async fn metadata(wire: &mut Wire, version: i16, names: Option<&[&str]>) -> MetadataResponse {
    let topics = names.map(|names| {
        let names = names.iter();
        names
            .map(|name| MetadataRequestTopic::default().with_name(Some(topic_name(name))))
            .collect()
    });
    let request = MetadataRequest::default()
        .with_topics(topics)
        .with_allow_auto_topic_creation(true);
    wire.call(version, &request).await
}

pub(super) async fn topic_id(wire: &mut Wire, name: &str) -> Uuid {
    metadata(wire, 12, Some(&[name])).await.topics[0].topic_id
}

async fn names(wire: &mut Wire) -> Vec<String> {
    let topics = metadata(wire, 12, None).await.topics.into_iter();
    topics
        .map(|topic| topic.name.unwrap().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metadata_request_does_not_create_a_topic() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 2).await;
    let mut wire = Wire::connect(&broker).await;
    for version in [1, 4, 8, 12, 13] {
        let found = metadata(
            &mut wire,
            version,
            Some(&["typo", "events", "typo", "no/name"]),
        )
        .await;
        let errors: Vec<_> = found
            .topics
            .iter()
            .map(|topic| (topic.error_code, topic.partitions.len()))
            .collect();
        let unknown = Error::UnknownTopicOrPartition.code();
        let invalid = Error::InvalidTopicException.code();
        assert_eq!(errors, [(unknown, 0), (0, 2), (invalid, 0)]);
    }
    let client: BaseConsumer = client(&broker)
        .set("allow.auto.create.topics", "true")
        .create()
        .unwrap();
    let found = client.fetch_metadata(Some("typo"), PATIENCE).unwrap();
    assert_eq!(
        found.topics()[0].error().map(Code::from),
        Some(Code::UnknownTopicOrPartition)
    );
    let (error, _) = wire.produce("typo", 0, batch(&[(1, "x")])).await;
    assert_eq!(error, Error::UnknownTopicOrPartition.code());
    assert_eq!(names(&mut wire).await, ["events"]);
    // By its id, which the response to the name included.
    let id = topic_id(&mut wire, "events").await;
    let by_id = [id, Uuid::from_u128(7)].map(|id| {
        MetadataRequestTopic::default()
            .with_name(None)
            .with_topic_id(id)
    });
    let request = MetadataRequest::default().with_topics(Some(by_id.to_vec()));
    let found = wire.call(12, &request).await;
    assert_eq!(found.topics[0].name, Some(topic_name("events")));
    assert_eq!(found.topics[1].error_code, Error::UnknownTopicId.code());
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_removes_one_topic_and_never_a_protected_one() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    for name in ["events", "one", "two"] {
        make_topic(&broker, name, 1).await;
        publish(&producer(&broker), name, 0, name).await;
    }
    let mut wire = Wire::connect(&broker).await;
    let admin = admin(&broker);
    let deleted = admin
        .delete_topics(&["one", "events", "absent"], &AdminOptions::new())
        .await
        .unwrap();
    assert_eq!(
        deleted,
        [
            Ok("one".to_owned()),
            Err(("events".to_owned(), Code::TopicAuthorizationFailed)),
            Err(("absent".to_owned(), Code::UnknownTopicOrPartition)),
        ]
    );
    let by_id = DeleteTopicState::default()
        .with_name(None)
        .with_topic_id(topic_id(&mut wire, "events").await);
    let request = DeleteTopicsRequest::default().with_topics(vec![by_id]);
    let refused: DeleteTopicsResponse = wire.call(6, &request).await;
    let refused = &refused.responses[0];
    assert_eq!(refused.error_code, Error::TopicAuthorizationFailed.code());
    assert!(refused.error_message.as_ref().unwrap().contains("protects"));
    assert_eq!(names(&mut wire).await, ["events", "two"]);
    let reader = consumer(&broker);
    for name in ["events", "two"] {
        assign(&reader, name, 0, 0);
        assert_eq!(values(&reader, 1).await, [name]);
    }
    // A new topic with the same name starts empty.
    make_topic(&broker, "one", 1).await;
    assert_eq!(wire.produce("one", 0, batch(&[(1, "x")])).await, (0, 0));
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_stored_shown_and_not_changed() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "events", 1).await;
    let admin = admin(&broker);
    let resources = [
        ResourceSpecifier::Topic("events"),
        ResourceSpecifier::Broker(1),
    ];
    let described = admin
        .describe_configs(&resources, &AdminOptions::new())
        .await
        .unwrap();
    let topic = described[0].as_ref().unwrap();
    for (name, value, is_default) in [
        ("cleanup.policy", "delete", false),
        ("retention.ms", "-1", false),
        ("retention.bytes", "-1", true),
        ("min.insync.replicas", "1", true),
        ("max.message.bytes", "1048588", true),
    ] {
        let entry = topic.get(name).unwrap();
        assert_eq!(entry.value.as_deref(), Some(value), "{name}");
        assert_eq!(entry.is_default, is_default, "{name}");
    }
    let broker_settings = described[1].as_ref().unwrap();
    // A topic without settings has those of the broker, and clients read either.
    let plain = NewTopic::new("plain", 1, TopicReplication::Fixed(1));
    let made = admin.create_topics([&plain], &AdminOptions::new()).await;
    assert_eq!(made.unwrap(), [Ok("plain".to_owned())]);
    let plain = admin
        .describe_configs(&[ResourceSpecifier::Topic("plain")], &AdminOptions::new())
        .await
        .unwrap();
    let plain = plain[0].as_ref().unwrap();
    for (of_broker, of_topic) in [
        ("log.retention.ms", "retention.ms"),
        ("log.retention.bytes", "retention.bytes"),
        ("log.cleanup.policy", "cleanup.policy"),
        ("message.max.bytes", "max.message.bytes"),
        ("log.message.timestamp.type", "message.timestamp.type"),
        ("min.insync.replicas", "min.insync.replicas"),
    ] {
        let value = &broker_settings.get(of_broker).unwrap().value;
        assert_eq!(*value, plain.get(of_topic).unwrap().value, "{of_broker}");
    }
    let automatic = broker_settings.get("auto.create.topics.enable").unwrap();
    assert_eq!(automatic.value.as_deref(), Some("false"));

    let more = NewPartitions::new("events", 8);
    let more = admin
        .create_partitions([&more], &AdminOptions::new())
        .await
        .unwrap();
    let refused = Err(("events".to_owned(), Code::TopicAuthorizationFailed));
    assert_eq!(more, [refused]);

    let mut wire = Wire::connect(&broker).await;
    // librdkafka's binding does not report errors of single resources.
    let absent = [(2, "absent"), (4, "2"), (16, "x")].map(|(kind, name)| {
        DescribeConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(string(name))
    });
    let request = DescribeConfigsRequest::default().with_resources(absent.to_vec());
    let described: DescribeConfigsResponse = wire.call(4, &request).await;
    let errors: Vec<_> = described
        .results
        .iter()
        .map(|result| result.error_code)
        .collect();
    let invalid = Error::InvalidRequest.code();
    let unknown = Error::UnknownTopicOrPartition.code();
    assert_eq!(errors, [unknown, invalid, invalid]);

    let resource = |kind: i8, name: &str| {
        let config = AlterableConfig::default()
            .with_name(string("cleanup.policy"))
            .with_value(Some(string("compact")));
        AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(string(name))
            .with_configs(vec![config])
    };
    let resources = vec![resource(2, "events"), resource(4, "1")];
    let request = IncrementalAlterConfigsRequest::default().with_resources(resources);
    let refused: IncrementalAlterConfigsResponse = wire.call(1, &request).await;
    let errors: Vec<_> = refused
        .responses
        .iter()
        .map(|response| response.error_code)
        .collect();
    let topic_refused = Error::TopicAuthorizationFailed.code();
    assert_eq!(
        errors,
        [topic_refused, Error::ClusterAuthorizationFailed.code()]
    );
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_topics_are_refused_with_the_reason() {
    let dir = data_dir();
    let broker = start(dir.path()).await;
    make_topic(&broker, "my.topic", 1).await;
    let mut wire = Wire::connect(&broker).await;
    let topic = |name: &str, partitions: i32, replicas: i16, configs: &[(&str, &str)]| {
        let configs = configs.iter().map(|(name, value)| {
            CreatableTopicConfig::default()
                .with_name(string(name))
                .with_value(Some(string(value)))
        });
        CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(replicas)
            .with_configs(configs.collect())
    };
    let long = "x".repeat(250);
    let topics = [
        (topic("my.topic", 1, 1, &[]), Error::TopicAlreadyExists),
        (topic("my_topic", 1, 1, &[]), Error::InvalidTopicException),
        (topic("", 1, 1, &[]), Error::InvalidTopicException),
        (topic("..", 1, 1, &[]), Error::InvalidTopicException),
        (topic("a b", 1, 1, &[]), Error::InvalidTopicException),
        (topic(&long, 1, 1, &[]), Error::InvalidTopicException),
        (topic("a", 0, 1, &[]), Error::InvalidPartitions),
        (topic("b", 1_000_000, 1, &[]), Error::InvalidPartitions),
        (topic("c", 1, 3, &[]), Error::InvalidReplicationFactor),
        (topic("d", 1, 1, &[("no.such", "1")]), Error::InvalidConfig),
        (
            topic("e", 1, 1, &[("retention.ms", "soon")]),
            Error::InvalidConfig,
        ),
        (
            topic("f", 1, 1, &[("cleanup.policy", "keep")]),
            Error::InvalidConfig,
        ),
        (
            topic("g", 1, 1, &[("compression.type", "zstd")]),
            Error::InvalidConfig,
        ),
    ];
    for (topic, error) in topics {
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let response: CreateTopicsResponse = wire.call(7, &request).await;
        let result = &response.topics[0];
        assert_eq!(result.error_code, error.code(), "{result:?}");
        assert!(result.error_message.is_some());
    }
    let twice = vec![topic("h", 1, 1, &[]), topic("h", 1, 1, &[])];
    let request = CreateTopicsRequest::default().with_topics(twice);
    let response: CreateTopicsResponse = wire.call(7, &request).await;
    assert_eq!(response.topics.len(), 1);
    assert_eq!(response.topics[0].error_code, Error::InvalidRequest.code());

    let compacted = topic("i", -1, -1, &[("cleanup.policy", "compact")]);
    let request = CreateTopicsRequest::default().with_topics(vec![compacted]);
    let tried: CreateTopicsResponse = wire
        .call(7, &request.clone().with_validate_only(true))
        .await;
    assert_eq!(tried.topics[0].error_code, 0);
    assert_eq!(names(&mut wire).await, ["my.topic"]);
    let made: CreateTopicsResponse = wire.call(7, &request).await;
    let made = &made.topics[0];
    assert_eq!((made.error_code, made.num_partitions), (0, 1));
    assert_eq!(made.topic_id, topic_id(&mut wire, "i").await);
    broker.stop().await;
}
