//! Kafka's own tools, which use Java's clients: topics, groups, offsets, consoles, verifiable clients, refusals.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::{
    jvm::Jvm,
    target::{PROTECTED, eventually, numbered},
    tools::Ended,
};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";
const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
const CONSOLE: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
const CONFIGS: &str = "kafka.admin.ConfigCommand";
const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
const PRODUCER: &str = "org.apache.kafka.tools.VerifiableProducer";
const CONSUMER: &str = "org.apache.kafka.tools.VerifiableConsumer";

const FIRST_TIME: i64 = 1_700_000_000_000;

impl Jvm {
    fn command(&self, class: &str, arguments: &[&str]) -> Ended {
        self.run(class, "--command-config", arguments)
    }

    fn topics(&self, arguments: &[&str]) -> Ended {
        self.command(TOPICS, arguments)
    }

    fn groups(&self, arguments: &[&str]) -> Ended {
        self.command(GROUPS, arguments)
    }

    /// The offsets in the tool's output, sorted.
    fn offsets(&self, topic: &str, time: &str) -> Vec<String> {
        let ended = self.command(OFFSETS, &["--topic", topic, "--time", time]);
        let output = ended.output();
        let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// The committed offset and the lag of each partition of a group.
    fn progress(&self, group: &str) -> BTreeMap<(String, String), (String, String)> {
        let described = self.groups(&["--describe", "--group", group]).output();
        let rows = described.lines().map(str::split_whitespace);
        rows.filter_map(|mut words| {
            let named = words.next()? == group;
            let topic = words.next()?.to_owned();
            let partition = words.next()?.to_owned();
            let (offset, _end, lag) = (words.next()?, words.next()?, words.next()?);
            named.then(|| ((topic, partition), (offset.to_owned(), lag.to_owned())))
        })
        .collect()
    }
}

#[test]
fn java_creates_lists_describes_and_deletes_topics() {
    let Some(jvm) = Jvm::shared("java_creates_lists_describes_and_deletes_topics") else {
        return;
    };
    let create = ["--create", "--topic", "java.topics", "--partitions", "3"];
    let made = jvm.topics(&[&create[..], &["--config", "retention.ms=-1"]].concat());
    assert!(made.output().contains("Created topic java.topics"));
    let again = jvm.topics(&create).failure();
    assert!(again.contains("already exists"), "{again}");

    let listed = jvm.topics(&["--list"]).output();
    assert!(
        listed.lines().any(|topic| topic == "java.topics"),
        "{listed}"
    );
    let described = jvm
        .topics(&["--describe", "--topic", "java.topics"])
        .output();
    for part in [
        "PartitionCount: 3",
        "ReplicationFactor: 1",
        "retention.ms=-1",
        "Leader: 1",
        "Isr: 1",
    ] {
        assert!(described.contains(part), "{part} is missing in {described}");
    }
    assert!(!described.contains("Leader: none"), "{described}");

    jvm.topics(&["--delete", "--topic", "java.topics"]).output();
    eventually("the topic is gone", || {
        let listed = jvm.topics(&["--list"]).output();
        !listed.lines().any(|topic| topic == "java.topics")
    });
    let missing = jvm
        .topics(&["--describe", "--topic", "java.topics"])
        .failure();
    assert!(missing.contains("does not exist"), "{missing}");
}

#[tokio::test]
async fn java_finds_offsets_by_place_and_time() {
    let Some(jvm) = Jvm::shared("java_finds_offsets_by_place_and_time") else {
        return;
    };
    jvm.target().create_topic("java.offsets", 2).await;
    assert_eq!(
        jvm.offsets("java.offsets", "latest"),
        ["java.offsets:0:0", "java.offsets:1:0"]
    );
    // A partition without records has no newest record; the tool prints -1 or omits the partition.
    let newest = jvm.offsets("java.offsets", "max-timestamp");
    assert!(
        newest
            .iter()
            .all(|line| line.ends_with(":-1") || line.ends_with(':')),
        "{newest:?}"
    );

    let mut values = numbered("v", 10);
    jvm.target()
        .append("java.offsets", 0, FIRST_TIME, &values)
        .await;
    values.truncate(3);
    // Older than the existing records, so the newest record is not the last.
    jvm.target()
        .append("java.offsets", 0, FIRST_TIME, &values)
        .await;
    let only = |offset: &str| vec![format!("java.offsets:0:{offset}")];
    let first = |time: &str| {
        let mut lines = jvm.offsets("java.offsets", time);
        lines.retain(|line| line.starts_with("java.offsets:0:"));
        lines
    };
    assert_eq!(first("earliest"), only("0"));
    assert_eq!(first("latest"), only("13"));
    assert_eq!(first("max-timestamp"), only("9"));
    assert_eq!(first("1700000004500"), only("5"));
    assert_eq!(first("1700000009000"), only("9"));
}

#[tokio::test]
async fn java_reads_by_group_and_shows_resets_and_deletes_the_group() {
    let Some(jvm) = Jvm::shared("java_reads_by_group_and_shows_resets_and_deletes_the_group")
    else {
        return;
    };
    jvm.target().create_topic("java.group", 2).await;
    for partition in [0, 1] {
        let values = numbered(&format!("p{partition}"), 5);
        jvm.target()
            .append("java.group", partition, FIRST_TIME, &values)
            .await;
    }
    let read = |from: &[&str], count: &str| {
        let plain = [
            "--topic",
            "java.group",
            "--group",
            "java.readers",
            "--max-messages",
            count,
        ];
        let arguments = [&plain[..], from].concat();
        let ended = jvm.run(CONSOLE, "--consumer.config", &arguments);
        let values = ended.output();
        values
            .lines()
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
    };
    let all: BTreeSet<String> = [numbered("p0", 5), numbered("p1", 5)]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(read(&["--from-beginning"], "10"), all);

    let listed = jvm.groups(&["--list"]).output();
    assert!(
        listed.lines().any(|group| group == "java.readers"),
        "{listed}"
    );
    let expected = |offset: &str, lag: &str| {
        let row = |partition: &str| {
            let place = ("java.group".to_owned(), partition.to_owned());
            (place, (offset.to_owned(), lag.to_owned()))
        };
        BTreeMap::from([row("0"), row("1")])
    };
    assert_eq!(jvm.progress("java.readers"), expected("5", "0"));
    let state = jvm
        .groups(&["--describe", "--group", "java.readers", "--state"])
        .output();
    assert!(state.contains("Empty"), "{state}");

    let reset = [
        "--reset-offsets",
        "--group",
        "java.readers",
        "--topic",
        "java.group",
        "--execute",
    ];
    let by_time = ["--to-datetime", "2023-11-14T22:13:23.000+00:00"];
    jvm.groups(&[&reset[..], &by_time].concat()).output();
    assert_eq!(jvm.progress("java.readers"), expected("3", "2"));
    let left: BTreeSet<String> = all
        .iter()
        .filter(|value| !["0", "1", "2"].contains(&&value[3..]))
        .cloned()
        .collect();
    assert_eq!(read(&[], "4"), left);

    jvm.groups(&["--delete", "--group", "java.readers"])
        .output();
    let listed = jvm.groups(&["--list"]).output();
    assert!(
        !listed.lines().any(|group| group == "java.readers"),
        "{listed}"
    );
}

#[tokio::test]
async fn the_verifiable_consumer_gets_all_acknowledged_records_of_the_verifiable_producer() {
    let Some(jvm) = Jvm::shared(
        "the_verifiable_consumer_gets_all_acknowledged_records_of_the_verifiable_producer",
    ) else {
        return;
    };
    jvm.target().create_topic("java.verifiable", 3).await;
    let count = 5_000;
    let messages = count.to_string();
    let common = ["--topic", "java.verifiable", "--max-messages", &messages];
    let produced = jvm.run_alone(
        PRODUCER,
        "--producer.config",
        &[&common[..], &["--acks", "-1"]].concat(),
    );
    let produced = produced.output();
    let lines = || {
        produced
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
    };
    let acknowledged: BTreeSet<(i64, i64)> = lines()
        .filter(|line| line["name"] == "producer_send_success")
        .map(|line| {
            (
                line["partition"].as_i64().unwrap(),
                line["offset"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(acknowledged.len(), count);
    let failed = lines().find(|line| line["name"] == "producer_send_error");
    assert_eq!(failed, None);

    let group = ["--group-id", "java.verifiers", "--reset-policy", "earliest"];
    let consumed = jvm.run(
        CONSUMER,
        "--consumer.config",
        &[&common[..], &group].concat(),
    );
    let consumed = consumed.output();
    let mut read = 0;
    let mut failures = Vec::new();
    for line in consumed.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match line["name"].as_str().unwrap() {
            "records_consumed" => {
                // The tool's own "count" includes records beyond the limit that it did not consume.
                let partitions = line["partitions"].as_array().unwrap().iter();
                read += partitions
                    .map(|part| part["count"].as_u64().unwrap())
                    .sum::<u64>();
            }
            "offsets_committed" if line["success"] != true => failures.push(line),
            _ => {}
        }
    }
    assert_eq!(read, count as u64, "{consumed}");
    assert_eq!(failures, Vec::<serde_json::Value>::new());
    let ends: i64 = jvm
        .offsets("java.verifiable", "latest")
        .iter()
        .map(|line| line.rsplit(':').next().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(ends, i64::try_from(count).unwrap());
}

#[tokio::test]
async fn java_cannot_delete_change_or_empty_a_protected_topic() {
    let Some(jvm) = Jvm::shared("java_cannot_delete_change_or_empty_a_protected_topic") else {
        return;
    };
    if !jvm.target().ours {
        // Apache Kafka has another mechanism to protect topics: access lists.
        return;
    }
    jvm.target().create_protected_topic().await;
    jvm.target()
        .append(PROTECTED, 0, FIRST_TIME, &numbered("kept", 3))
        .await;
    let deleted = jvm.topics(&["--delete", "--topic", PROTECTED]).failure();
    assert!(is_a_refusal(&deleted), "{deleted}");
    let alter = [
        "--alter",
        "--entity-type",
        "topics",
        "--entity-name",
        PROTECTED,
    ];
    let altered = jvm.command(
        CONFIGS,
        &[&alter[..], &["--add-config", "cleanup.policy=compact"]].concat(),
    );
    let altered = altered.failure();
    assert!(is_a_refusal(&altered), "{altered}");
    let grown = jvm
        .topics(&["--alter", "--topic", PROTECTED, "--partitions", "9"])
        .failure();
    assert!(is_a_refusal(&grown), "{grown}");
    let file = jvm.target().folder().join("delete-records.json");
    let request = format!(
        r#"{{"partitions":[{{"topic":"{PROTECTED}","partition":0,"offset":2}}],"version":1}}"#
    );
    fs::write(&file, request).unwrap();
    let arguments = ["--offset-json-file", file.to_str().unwrap()];
    let emptied = jvm.command(DELETE_RECORDS, &arguments);
    let emptied = format!("{}{}", emptied.out, emptied.err);
    assert!(is_a_refusal(&emptied), "{emptied}");

    assert_eq!(
        jvm.offsets(PROTECTED, "earliest"),
        [format!("{PROTECTED}:0:0")]
    );
    let described = jvm.topics(&["--describe", "--topic", PROTECTED]).output();
    assert!(
        !described.contains("compact") && described.contains("PartitionCount: 1"),
        "{described}"
    );
}

/// Whether the output has one of Kafka's errors for a forbidden or unsupported operation.
fn is_a_refusal(words: &str) -> bool {
    let refusals = [
        // Some tools print only the broker's message.
        "the embedded log protects this topic",
        "TopicAuthorizationException",
        "ClusterAuthorizationException",
        "TransactionalIdAuthorizationException",
        "GroupAuthorizationException",
        "PolicyViolationException",
        "InvalidRequestException",
        "InvalidPartitionsException",
        "InvalidConfigurationException",
        "UnsupportedVersionException",
        "SecurityDisabledException",
        "UnsupportedOperationException",
        "UnsupportedEndpointTypeException",
    ];
    refusals.iter().any(|refusal| words.contains(refusal))
}

#[test]
fn unsupported_requests_always_get_an_error() {
    let Some(jvm) = Jvm::shared("unsupported_requests_always_get_an_error") else {
        return;
    };
    let acls = "org.apache.kafka.tools.AclCommand";
    let transactions = "org.apache.kafka.tools.TransactionsCommand";
    let quotas = [
        "--alter",
        "--entity-type",
        "clients",
        "--entity-name",
        "x",
        "--add-config",
        "producer_byte_rate=1",
    ];
    let scram = [
        "--alter",
        "--entity-type",
        "users",
        "--entity-name",
        "x",
        "--add-config",
        "SCRAM-SHA-256=[password=x]",
    ];
    let cases: [(&str, &[&str]); 8] = [
        (acls, &["--list"]),
        (
            acls,
            &[
                "--add",
                "--allow-principal",
                "User:x",
                "--operation",
                "Read",
                "--topic",
                "x",
                "--force",
            ],
        ),
        (transactions, &["list"]),
        (CONFIGS, &quotas),
        (CONFIGS, &scram),
        ("org.apache.kafka.tools.LogDirsCommand", &["--describe"]),
        (
            "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
            &["--list"],
        ),
        ("org.apache.kafka.tools.FeatureCommand", &["describe"]),
    ];
    for (class, arguments) in cases {
        let ended = jvm.command(class, arguments);
        let words = format!("{}{}", ended.out, ended.err);
        for silence in [
            "TimeoutException",
            "Timed out",
            "DisconnectException",
            "disconnected",
        ] {
            assert!(!words.contains(silence), "{class} {arguments:?}: {words}");
        }
        assert!(!words.contains("ClassNotFoundException"), "{words}");
        // Apache Kafka serves most of them.
        if jvm.target().ours && !ended.success {
            assert!(is_a_refusal(&words), "{class} {arguments:?}: {words}");
        }
    }
}

#[test]
fn java_reads_the_id_and_the_versions_of_the_cluster() {
    let Some(jvm) = Jvm::shared("java_reads_the_id_and_the_versions_of_the_cluster") else {
        return;
    };
    let cluster = jvm.run(
        "org.apache.kafka.tools.ClusterTool cluster-id",
        "--config",
        &[],
    );
    let name = cluster.output();
    assert!(name.contains("Cluster ID: "), "{name}");
    let versions = jvm
        .command("org.apache.kafka.tools.BrokerApiVersionsCommand", &[])
        .output();
    for api in ["Produce(0)", "Fetch(1)", "Metadata(3)", "ApiVersions(18)"] {
        let line = versions.lines().find(|line| line.contains(api));
        let line = line.unwrap_or_else(|| panic!("{api} is missing in {versions}"));
        assert!(
            line.contains("usable") && !line.contains("UNSUPPORTED"),
            "{line}"
        );
    }
}
