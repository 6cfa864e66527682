//! Tests a broker with Kafka's clients and tools: kcat, librdkafka, Java's clients and tools, franz-go.
//!
//! By default the tests run against this crate's broker as a separate process. With `KAFKA_BROKERS=host:port` they run
//! against that cluster, which shows that the tests themselves are correct:
//! `scripts/apache-kafka run -- cargo test -p footfall-log --test conformance`.
//! `target.rs` has the intended differences between the two.
//!
//! A test whose tool is not installed reports it on standard error and passes; with `REQUIRE_TOOLS=1` it fails.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

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
