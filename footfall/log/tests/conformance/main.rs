//! What Kafka's clients and tools see of a broker: kcat, librdkafka, Java's clients and tools, franz-go.
//!
//! By default the broker is ours, as a process of its own. With `KAFKA_BROKERS=host:port` the same tests
//! run against that cluster, which shows that the tests themselves are right:
//! `scripts/apache-kafka run -- cargo test -p footfall-log --test conformance`.
//! What the two are meant to answer differently is data, see `target.rs`.
//!
//! A test whose tool is not installed says so on standard error and passes; with `REQUIRE_TOOLS=1` it fails.

#[path = "../kit/access.rs"]
mod access;
mod admin;
mod franz;
mod groups;
#[path = "../kit/installed.rs"]
mod installed;
mod java;
mod jvm;
mod kcat;
#[path = "../kit/process.rs"]
mod process;
mod records;
mod target;
mod tools;
