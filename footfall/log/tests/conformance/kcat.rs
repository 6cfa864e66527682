//! kcat: lists, writes, reads from any offset, finds offsets by time, and is refused without the password.

use std::{process::Command, sync::Arc};

use crate::{
    access::Access,
    installed::{is_installed, skip},
    target::{Target, numbered},
    tools::{Ended, run},
};

struct Kcat {
    target: Arc<Target>,
}

impl Kcat {
    /// Returns `None` and reports it on standard error if kcat is not installed.
    fn find(test: &str) -> Option<Self> {
        if is_installed("kcat") {
            let target = Target::shared();
            return Some(Self { target });
        }
        skip(test, "kcat is not installed (Debian, Ubuntu: kcat)");
        None
    }

    fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = Command::new("kcat");
        command.arg("-F").arg(self.target.properties());
        run(command.args(arguments), input)
    }

    /// Reads a topic's first partition to its end, beginning at `from`.
    fn read(&self, topic: &str, from: &str) -> Vec<String> {
        let arguments = [
            "-C", "-t", topic, "-p", "0", "-o", from, "-e", "-q", "-f", "%o:%s\n",
        ];
        let ended = self.run(&arguments, "");
        eprintln!("{arguments:?}: {}", ended.err);
        ended.output().lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn kcat_lists_the_broker_and_its_topics() {
    let Some(kcat) = Kcat::find("kcat_lists_the_broker_and_its_topics") else {
        return;
    };
    kcat.target.create_topic("kcat.list", 3).await;
    let listed = kcat.run(&["-L", "-J"], "").output();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let bootstrap = kcat.target.access.bootstrap.as_str();
    assert_eq!(listed["brokers"][0]["name"], bootstrap);
    assert_eq!(listed["controllerid"], listed["brokers"][0]["id"]);
    let topics = listed["topics"].as_array().unwrap();
    let topic = topics.iter().find(|topic| topic["topic"] == "kcat.list");
    let partitions = topic.unwrap()["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), 3);
    for partition in partitions {
        assert_eq!(partition["leader"], listed["brokers"][0]["id"]);
        assert_eq!(partition["replicas"].as_array().unwrap().len(), 1);
        assert_eq!(partition["isrs"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn kcat_reads_what_it_wrote_in_every_codec() {
    let Some(kcat) = Kcat::find("kcat_reads_what_it_wrote_in_every_codec") else {
        return;
    };
    kcat.target.create_topic("kcat.codecs", 1).await;
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for codec in codecs {
        let lines: Vec<String> = (0..50)
            .map(|number| format!("{codec}-key={codec}-value-{number}\n"))
            .collect();
        let arguments = [
            "-P",
            "-t",
            "kcat.codecs",
            "-z",
            codec,
            "-K",
            "=",
            "-X",
            "acks=all",
        ];
        kcat.run(&arguments, &lines.concat()).output();
    }
    let arguments = [
        "-C",
        "-t",
        "kcat.codecs",
        "-o",
        "beginning",
        "-e",
        "-q",
        "-f",
        "%k=%s\n",
    ];
    let read = kcat.run(&arguments, "").output();
    let expected: String = codecs
        .into_iter()
        .flat_map(|codec| {
            (0..50).map(move |number| format!("{codec}-key={codec}-value-{number}\n"))
        })
        .collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn kcat_begins_at_the_given_offset() {
    let Some(kcat) = Kcat::find("kcat_begins_at_the_given_offset") else {
        return;
    };
    kcat.target.create_topic("kcat.offsets", 1).await;
    let values = numbered("v", 10);
    kcat.target
        .append("kcat.offsets", 0, 1_700_000_000_000, &values)
        .await;
    let all: Vec<String> = (0..10)
        .map(|offset| format!("{offset}:v-{offset}"))
        .collect();
    assert_eq!(kcat.read("kcat.offsets", "beginning"), all);
    // The ten records are one batch, so this starts within it.
    assert_eq!(kcat.read("kcat.offsets", "7"), all[7..]);
    assert_eq!(kcat.read("kcat.offsets", "-2"), all[8..]);
    assert_eq!(kcat.read("kcat.offsets", "end"), Vec::<String>::new());
    assert_eq!(kcat.read("kcat.offsets", "s@1700000003500"), all[4..]);
    let span = [
        "-C",
        "-t",
        "kcat.offsets",
        "-p",
        "0",
        "-o",
        "s@1700000002000",
        "-o",
        "e@1700000005000",
        "-q",
        "-f",
        "%o:%s\n",
    ];
    let read = kcat.run(&span, "").output();
    let read: Vec<&str> = read.lines().collect();
    assert_eq!(read, all[2..5]);
}

#[tokio::test]
async fn kcat_finds_the_offset_of_a_time() {
    let Some(kcat) = Kcat::find("kcat_finds_the_offset_of_a_time") else {
        return;
    };
    kcat.target.create_topic("kcat.times", 1).await;
    let values = numbered("v", 10);
    kcat.target
        .append("kcat.times", 0, 1_700_000_000_000, &values)
        .await;
    let cases = [
        ("1600000000000", "0"),
        ("1700000000000", "0"),
        ("1700000000001", "1"),
        ("1700000006000", "6"),
        ("1700000009000", "9"),
        // No record is this new. kcat prints its own number for the end.
        ("1700000009001", "-1"),
    ];
    for (time, offset) in cases {
        let asked = format!("kcat.times:0:{time}");
        let answer = kcat.run(&["-Q", "-t", &asked], "").output();
        let expected = format!("kcat.times [0] offset {offset}");
        assert_eq!(answer.trim_end(), expected, "at {time}");
    }
}

#[test]
fn a_mistyped_topic_is_reported_and_not_created() {
    let Some(kcat) = Kcat::find("a_mistyped_topic_is_reported_and_not_created") else {
        return;
    };
    let create = ["-X", "allow.auto.create.topics=true"];
    let listed = kcat.run(&[&create[..], &["-L", "-t", "kcat.typo"]].concat(), "");
    let listed = listed.output();
    assert!(listed.contains("Unknown topic or partition"), "{listed}");
    let reading = [&create[..], &["-C", "-t", "kcat.typo", "-e"]].concat();
    let read = kcat.run(&reading, "").failure();
    assert!(read.contains("Unknown topic or partition"), "{read}");
    let writing = [
        &create[..],
        &["-P", "-t", "kcat.typo", "-X", "message.timeout.ms=3000"],
    ];
    kcat.run(&writing.concat(), "lost\n").failure();

    let all = kcat.run(&["-L"], "").output();
    assert!(!all.contains("kcat.typo"), "{all}");
}

#[tokio::test]
async fn a_client_with_wrong_or_no_credentials_learns_nothing() {
    let Some(kcat) = Kcat::find("a_client_with_wrong_or_no_credentials_learns_nothing") else {
        return;
    };
    let Some(login) = &kcat.target.access.login else {
        // Apache Kafka runs without passwords here, which is one of the intended differences.
        return;
    };
    kcat.target.create_topic("kcat.secret", 1).await;
    let bootstrap = &kcat.target.access.bootstrap;
    let with = |protocol: &str, mechanism: &str, username: &str, password: &str| {
        let settings = [
            format!("security.protocol={protocol}"),
            format!("sasl.mechanism={mechanism}"),
            format!("sasl.username={username}"),
            format!("sasl.password={password}"),
        ];
        let mut command = Command::new("kcat");
        command.args(["-b", bootstrap, "-L", "-m", "3"]);
        for setting in &settings {
            command.args(["-X", setting]);
        }
        run(&mut command, "")
    };
    let right = with("SASL_PLAINTEXT", "PLAIN", &login.username, &login.password);
    assert!(right.output().contains("kcat.secret"));

    let refused = [
        with("SASL_PLAINTEXT", "PLAIN", &login.username, "wrong"),
        with(
            "SASL_PLAINTEXT",
            "PLAIN",
            &login.username,
            &format!("{}x", login.password),
        ),
        with("SASL_PLAINTEXT", "PLAIN", "root", &login.password),
    ];
    for ended in refused {
        let words = ended.failure();
        assert!(!words.contains("kcat.secret"), "{words}");
        assert!(words.to_lowercase().contains("authentication"), "{words}");
    }
    let without = Access {
        bootstrap: bootstrap.clone(),
        login: None,
    };
    let file = kcat.target.folder().join("no-login.properties");
    without.write_properties(&file);
    let mut command = Command::new("kcat");
    command.arg("-F").arg(&file).args(["-L", "-m", "3"]);
    let words = run(&mut command, "").failure();
    assert!(!words.contains("kcat.secret"), "{words}");
}
