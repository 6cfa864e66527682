//! Settings of Kafka clients: which are refused, with which texts, and which values stay hidden.

use super::{
    KafkaSettings,
    settings::{is_first, refusal},
};
use crate::Settings;
use rdkafka::{config::ClientConfig, error::KafkaError, types::RDKafkaErrorCode};

fn problems(pairs: &[(&str, &str)]) -> String {
    let brokers = [("KAFKA_BROKERS", "127.0.0.1:9")];
    let mut settings = Settings::from_pairs(brokers.iter().chain(pairs).copied());
    KafkaSettings::read(&mut settings);
    settings
        .finish()
        .map_or_else(|problems| problems.to_string(), |()| String::new())
}

#[test]
fn a_fixed_property_is_a_problem_of_its_setting() {
    for (name, value) in [
        ("KAFKA_ACKS", "1"),
        ("KAFKA_RETRIES", "0"),
        ("KAFKA_MESSAGE_SEND_MAX_RETRIES", "0"),
        ("KAFKA_TRANSACTIONAL_ID", "x"),
        ("KAFKA_DELIVERY_REPORT_ONLY_ERROR", "true"),
        ("KAFKA_GROUP_INSTANCE_ID", "x"),
        ("KAFKA_PARTITION_ASSIGNMENT_STRATEGY", "cooperative-sticky"),
    ] {
        let said = problems(&[(name, value)]);
        assert!(said.contains(&format!("\n  {name}: ")), "{name}: {said}");
        assert!(said.contains("cannot be changed"), "{said}");
    }
}

#[test]
fn an_invalid_value_is_reported_under_the_given_property() {
    for (name, value, property) in [
        ("KAFKA_LINGER_MS", "abc", "linger.ms"),
        ("KAFKA_LINGER_MS", "-5", "linger.ms"),
        ("KAFKA_COMPRESSION_TYPE", "rar", "compression.type"),
        (
            "KAFKA_SOCKET_KEEPALIVE_ENABLE",
            "perhaps",
            "socket.keepalive.enable",
        ),
    ] {
        let said = problems(&[(name, value)]);
        let expected = format!("\"{property}\"");
        assert!(said.contains(&format!("\n  {name}: ")), "{said}");
        assert!(said.contains(&expected), "{said}");
        assert!(!said.contains("queue.buffering"), "{said}");
        assert!(!said.contains("compression.codec"), "{said}");
        assert!(!said.contains("TLS"), "{said}");
    }
}

#[test]
fn a_feature_that_the_build_lacks_comes_with_advice() {
    let text = "Configuration property \"ssl.ca.location\" not supported in this build: \
                OpenSSL not available at build time";
    let said = refusal("ssl.ca.location", text);
    assert!(
        said.starts_with(text) && said.ends_with("`--features kafka-tls`"),
        "{said}"
    );
    let text = "Unsupported value \"ssl\" for configuration property \"security.protocol\": \
                OpenSSL not available at build time";
    assert!(refusal("security.protocol", text).starts_with(text));
}

#[test]
fn settings_of_clients_are_checked_without_a_cluster() {
    let mut settings = Settings::from_pairs([("KAFKA_RETRIES", "0"), ("KAFKA_LINGER_MS", "x")]);
    KafkaSettings::check_given(&mut settings);
    let said = settings.finish().unwrap_err().to_string();
    assert!(said.starts_with("2 settings"), "{said}");
    let mut none = Settings::default();
    KafkaSettings::check_given(&mut none);
    assert_eq!(none.finish(), Ok(()));
}

#[test]
fn conflicting_settings_are_a_problem_before_a_client_is_made() {
    for (name, value) in [
        ("KAFKA_MAX_IN_FLIGHT", "10"),
        ("KAFKA_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION", "10"),
        ("KAFKA_QUEUING_STRATEGY", "lifo"),
        ("KAFKA_MAX_POLL_INTERVAL_MS", "1000"),
    ] {
        let said = problems(&[(name, value), ("KAFKA_LINGER_MS", "5")]);
        assert!(
            said.starts_with("1 setting cannot be used:"),
            "{name}: {said}"
        );
        assert!(
            said.contains(&format!("\n  {name}: cannot be used")),
            "{name}: {said}"
        );
    }
    assert_eq!(
        problems(&[("KAFKA_LINGER_MS", "5"), ("KAFKA_MAX_IN_FLIGHT", "5")]),
        ""
    );
}

#[test]
fn an_ignored_name_is_reported_once_and_no_value_ever() {
    assert!(is_first("KAFKA_NO_SUCH_NAME"));
    assert!(!is_first("KAFKA_NO_SUCH_NAME"));
    let kafka = KafkaSettings {
        brokers: "h:9092".to_owned(),
        extra: vec![("sasl.password".to_owned(), "hunter2".to_owned())],
    };
    let shown = format!("{kafka:?}");
    assert!(shown.contains("sasl.password") && shown.contains("h:9092"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_cluster_that_does_not_answer_is_named_with_its_setting() {
    let kafka = KafkaSettings::new("broker.example:9092");
    let lost = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure);
    let said = kafka.describe(&lost);
    assert!(
        said.contains("broker.example:9092") && said.contains("KAFKA_BROKERS"),
        "{said}"
    );
    let refused = KafkaError::AdminOp(RDKafkaErrorCode::TopicAuthorizationFailed);
    assert!(!kafka.describe(&refused).contains("does not answer"));
}

#[test]
fn a_client_gets_only_the_properties_that_it_can_use() {
    let mut settings = Settings::from_pairs([
        ("KAFKA_BROKERS", "127.0.0.1:9"),
        ("KAFKA_LINGER_MS", "7"),
        ("KAFKA_FETCH_MIN_BYTES", "8"),
        ("KAFKA_CLIENT_RACK", "r9"),
    ]);
    let kafka = KafkaSettings::read(&mut settings);
    assert_eq!(settings.finish(), Ok(()));
    let given = |config: &ClientConfig| {
        ["linger.ms", "fetch.min.bytes", "client.rack"]
            .map(|property| config.get(property).map(str::to_owned))
    };
    let [linger, fetch, rack] = ["7", "8", "r9"].map(|value| Some(value.to_owned()));
    for (config, expected) in [
        (kafka.producer(), [linger, None, rack.clone()]),
        (kafka.consumer("g"), [None, fetch, rack.clone()]),
        (kafka.admin(), [None, None, rack]),
    ] {
        assert_eq!(given(&config), expected);
    }
}
