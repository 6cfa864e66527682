//! librdkafka's admin client: creates, describes and deletes topics, and cannot change a protected one.

use rdkafka::{
    admin::{AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{BaseConsumer, Consumer as _},
    types::RDKafkaErrorCode,
};

use crate::target::{PATIENCE, PROTECTED, Target, eventually, numbered, options};

async fn create(target: &Target, topic: NewTopic<'_>) -> Result<(), RDKafkaErrorCode> {
    let mut results = target
        .admin()
        .create_topics([&topic], &options())
        .await
        .unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0).map(drop).map_err(|(_, code)| code)
}

async fn delete(target: &Target, topic: &str) -> Result<(), RDKafkaErrorCode> {
    let mut results = target
        .admin()
        .delete_topics(&[topic], &options())
        .await
        .unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0).map(drop).map_err(|(_, code)| code)
}

/// The number of partitions, or `None` if the topic does not exist.
fn partitions(target: &Target, topic: &str) -> Option<usize> {
    let consumer: BaseConsumer = target.access.client().create().unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    let found = metadata.topics().iter().find(|known| known.name() == topic);
    found.map(|topic| topic.partitions().len())
}

async fn setting(target: &Target, topic: &str, name: &str) -> Option<String> {
    let resource = ResourceSpecifier::Topic(topic);
    let mut results = target
        .admin()
        .describe_configs([&resource], &options())
        .await
        .unwrap();
    let described = results.remove(0).unwrap();
    described.get(name).and_then(|entry| entry.value.clone())
}

#[tokio::test]
async fn a_topic_is_created_once_and_deleted_alone() {
    let target = Target::shared();
    let topic = || NewTopic::new("admin.once", 3, TopicReplication::Fixed(1));
    assert_eq!(create(&target, topic()).await, Ok(()));
    assert_eq!(
        create(&target, topic()).await,
        Err(RDKafkaErrorCode::TopicAlreadyExists)
    );
    eventually("the topic is known", || {
        partitions(&target, "admin.once") == Some(3)
    });

    target.create_topic("admin.neighbour", 1).await;
    target
        .append("admin.neighbour", 0, 1_700_000_000_000, &numbered("v", 5))
        .await;
    assert_eq!(delete(&target, "admin.once").await, Ok(()));
    assert_eq!(
        delete(&target, "admin.once").await,
        Err(RDKafkaErrorCode::UnknownTopicOrPartition)
    );
    eventually("the topic is gone", || {
        partitions(&target, "admin.once").is_none()
    });
    assert_eq!(partitions(&target, "admin.neighbour"), Some(1));
    let consumer: BaseConsumer = target.access.client().create().unwrap();
    let bounds = consumer.fetch_watermarks("admin.neighbour", 0, PATIENCE);
    assert_eq!(bounds.unwrap(), (0, 5));

    // A new topic with the same name starts empty.
    assert_eq!(create(&target, topic()).await, Ok(()));
    eventually("the topic is known", || {
        partitions(&target, "admin.once") == Some(3)
    });
    eventually("the topic has a leader", || {
        let bounds = consumer.fetch_watermarks("admin.once", 0, PATIENCE);
        bounds.is_ok_and(|bounds| {
            assert_eq!(bounds, (0, 0));
            true
        })
    });
}

#[tokio::test]
async fn an_impossible_topic_is_refused_with_the_reason() {
    let target = Target::shared();
    let topic = |name: &'static str, partitions, copies| {
        NewTopic::new(name, partitions, TopicReplication::Fixed(copies))
    };
    let long: &'static str = Box::leak("x".repeat(250).into_boxed_str());
    let cases = [
        (
            topic("admin.bad name", 1, 1),
            RDKafkaErrorCode::InvalidTopic,
        ),
        (
            topic("admin.b\u{e4}d", 1, 1),
            RDKafkaErrorCode::InvalidTopic,
        ),
        (topic("..", 1, 1), RDKafkaErrorCode::InvalidTopic),
        (topic(long, 1, 1), RDKafkaErrorCode::InvalidTopic),
        (
            topic("admin.bad", 1, 3),
            RDKafkaErrorCode::InvalidReplicationFactor,
        ),
        (
            topic("admin.bad", 1, 1).set("no.such.setting", "1"),
            RDKafkaErrorCode::InvalidConfig,
        ),
        (
            topic("admin.bad", 1, 1).set("cleanup.policy", "shred"),
            RDKafkaErrorCode::InvalidConfig,
        ),
        (
            topic("admin.bad", 1, 1).set("retention.ms", "soon"),
            RDKafkaErrorCode::InvalidConfig,
        ),
    ];
    for (topic, expected) in cases {
        let shown = format!("{topic:?}");
        assert_eq!(create(&target, topic).await, Err(expected), "{shown}");
    }
    assert_eq!(partitions(&target, "admin.bad"), None);
}

#[tokio::test]
async fn a_topic_has_the_settings_of_its_creation_and_kafkas_defaults() {
    let target = Target::shared();
    let topic = NewTopic::new("admin.settings", 1, TopicReplication::Fixed(1))
        .set("cleanup.policy", "compact")
        .set("retention.ms", "-1");
    assert_eq!(create(&target, topic).await, Ok(()));
    eventually("the topic is known", || {
        partitions(&target, "admin.settings") == Some(1)
    });
    let expected = [
        ("cleanup.policy", "compact"),
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("min.insync.replicas", "1"),
        ("compression.type", "producer"),
        ("message.timestamp.type", "CreateTime"),
        ("max.message.bytes", "1048588"),
    ];
    for (name, value) in expected {
        let found = setting(&target, "admin.settings", name).await;
        assert_eq!(found.as_deref(), Some(value), "{name}");
    }
}

#[tokio::test]
async fn a_protected_topic_cannot_be_deleted_reconfigured_or_grown() {
    let target = Target::shared();
    if !target.ours {
        // Apache Kafka has another mechanism to protect topics: access lists.
        return;
    }
    target.create_protected_topic().await;
    target
        .append(PROTECTED, 0, 1_700_000_000_000, &numbered("kept", 3))
        .await;
    let refused = delete(&target, PROTECTED).await.unwrap_err();
    let allowed = [
        RDKafkaErrorCode::TopicAuthorizationFailed,
        RDKafkaErrorCode::PolicyViolation,
    ];
    assert!(allowed.contains(&refused), "{refused}");

    let change = AlterConfig::new(ResourceSpecifier::Topic(PROTECTED));
    let change = change.set("cleanup.policy", "compact");
    // The Rust client reports no errors of single topics here. A query below shows that nothing changed.
    let admin = target.admin();
    admin.alter_configs([&change], &options()).await.unwrap();
    let grown = NewPartitions::new(PROTECTED, 5);
    let grown = target.admin().create_partitions([&grown], &options()).await;
    for result in grown.unwrap() {
        let (_, code) = result.unwrap_err();
        let also = [
            RDKafkaErrorCode::InvalidRequest,
            RDKafkaErrorCode::InvalidPartitions,
        ];
        assert!(allowed.contains(&code) || also.contains(&code), "{code}");
    }

    let policy = setting(&target, PROTECTED, "cleanup.policy").await;
    assert_eq!(policy.as_deref(), Some("delete"));
    assert_eq!(partitions(&target, PROTECTED), Some(1));
    let consumer: BaseConsumer = target.access.client().create().unwrap();
    let (start, end) = consumer.fetch_watermarks(PROTECTED, 0, PATIENCE).unwrap();
    assert!(start == 0 && end >= 3, "{start} to {end}");
}
