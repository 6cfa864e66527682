//! Clients that observe a log while its broker restarts: consumers, ends of partitions, committed offsets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use crate::{
    access::Access,
    checker::{Commit, Partition, Session},
    setup::{PARTITIONS, TOPIC, seen},
};

/// How long a client waits for a broker that may be down.
const WAIT: Duration = Duration::from_secs(5);

/// Threads that observe the log.
pub struct Watch {
    stop: Arc<AtomicBool>,
    sessions: Vec<JoinHandle<Vec<Session>>>,
    ends: JoinHandle<Vec<(Partition, i64)>>,
    commits: JoinHandle<Vec<Commit>>,
}

/// The observations of these threads.
pub struct Watched {
    /// The sessions of consumers.
    pub sessions: Vec<Session>,
    /// Ends of partitions.
    pub ends: Vec<(Partition, i64)>,
    /// Commits of a group.
    pub commits: Vec<Commit>,
}

impl Watch {
    /// Starts a consumer of all partitions, a group of two members, and clients that query ends and commit offsets.
    pub fn start(access: &Access) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sessions = vec![
            spawn(access, &stop, |access, stop| vec![follow(access, stop)]),
            spawn(access, &stop, take_part),
            spawn(access, &stop, take_part),
        ];
        Self {
            ends: spawn(access, &stop, ask_for_ends),
            commits: spawn(access, &stop, commit_and_look),
            sessions,
            stop,
        }
    }

    /// Stops, and returns the observations.
    pub fn stop(self) -> Watched {
        self.stop.store(true, Ordering::Relaxed);
        let sessions = self.sessions.into_iter();
        Watched {
            sessions: sessions.flat_map(|thread| thread.join().unwrap()).collect(),
            ends: self.ends.join().unwrap(),
            commits: self.commits.join().unwrap(),
        }
    }
}

fn spawn<T: Send + 'static>(
    access: &Access,
    stop: &Arc<AtomicBool>,
    work: impl FnOnce(&Access, &AtomicBool) -> T + Send + 'static,
) -> JoinHandle<T> {
    let (access, stop) = (access.clone(), Arc::clone(stop));
    thread::spawn(move || work(&access, &stop))
}

/// Counts assignments. After each one a member starts at the committed offsets of its group.
#[derive(Default)]
struct Assignments(Arc<AtomicUsize>);

impl ClientContext for Assignments {
    // These tests cause connection errors, so ignore them.
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Assignments {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn consumer(
    access: &Access,
    group: &str,
    reset: &str,
) -> (BaseConsumer<Assignments>, Arc<AtomicUsize>) {
    let assignments = Assignments::default();
    let count = Arc::clone(&assignments.0);
    let mut config = access.client();
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", reset)
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "200")
        .set("retry.backoff.ms", "10")
        .set("check.crcs", "true");
    (config.create_with_context(assignments).unwrap(), count)
}

fn all(offset: Offset) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(TOPIC, partition, offset).unwrap();
    }
    list
}

/// Panics at errors of the log, and ignores connection errors.
#[track_caller]
fn tolerate(error: &KafkaError) {
    use RDKafkaErrorCode as Code;
    let of_the_log = [
        Code::AutoOffsetReset,
        Code::OffsetOutOfRange,
        Code::InvalidMessage,
        Code::BadMessage,
        Code::BadCompression,
        Code::UnknownTopicOrPartition,
        Code::UnknownTopic,
        Code::UnknownPartition,
        Code::TopicAuthorizationFailed,
        Code::SaslAuthenticationFailed,
        Code::Fatal,
    ];
    let code = error.rdkafka_error_code();
    assert!(
        !code.is_some_and(|code| of_the_log.contains(&code)),
        "a consumer received an error: {error}"
    );
}

/// Reads the log from its beginning without a group. A position outside the log is an error.
fn follow(access: &Access, stop: &AtomicBool) -> Session {
    let (consumer, _) = consumer(access, "unused", "error");
    consumer.assign(&all(Offset::Beginning)).unwrap();
    let mut session = Session::default();
    while !stop.load(Ordering::Relaxed) {
        match consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => session.seen.push(seen(&message)),
            Some(Err(error)) => {
                assert_ne!(
                    error.rdkafka_error_code(),
                    Some(RDKafkaErrorCode::AutoOffsetReset),
                    "{}",
                    places(&consumer, &session)
                );
                tolerate(&error);
            }
            None => {}
        }
    }
    session
}

/// For a failure report: the last record that a consumer saw in each partition, and the broker's bounds of it.
fn places(consumer: &BaseConsumer<Assignments>, session: &Session) -> String {
    let each = (0..PARTITIONS).map(|partition| {
        let last = session
            .seen
            .iter()
            .rfind(|seen| seen.partition == partition);
        let bounds = consumer.fetch_watermarks(TOPIC, partition, WAIT);
        format!("saw {last:?}, bounds {bounds:?}")
    });
    let each: Vec<String> = each.collect();
    format!(
        "the position is not in the log: {each:?}, {:?}",
        consumer.position()
    )
}

/// Reads as a member of a group and commits.
fn take_part(access: &Access, stop: &AtomicBool) -> Vec<Session> {
    // The group begins without committed offsets. Later, a position outside the log would restart at the beginning,
    // which the checker sees as a session that goes back.
    let (member, assignments) = consumer(access, "members", "earliest");
    member.subscribe(&[TOPIC]).unwrap();
    let mut sessions = vec![Session::default()];
    let mut assignment = 0;
    let mut since_commit = 0;
    while !stop.load(Ordering::Relaxed) {
        let polled = member.poll(Duration::from_millis(50));
        let now = assignments.load(Ordering::Relaxed);
        if now != assignment {
            assignment = now;
            sessions.push(Session::default());
        }
        match polled {
            Some(Ok(message)) => {
                let session = sessions.last_mut().unwrap();
                session.seen.push(seen(&message));
                since_commit += 1;
            }
            Some(Err(error)) => tolerate(&error),
            None => {}
        }
        if since_commit >= 50 {
            since_commit = 0;
            // A commit may fail in a rebalance or while the broker is down. The next one then covers it.
            let _committed = member.commit_consumer_state(CommitMode::Async);
        }
    }
    sessions
}

/// Repeatedly queries the ends of partitions.
fn ask_for_ends(access: &Access, stop: &AtomicBool) -> Vec<(Partition, i64)> {
    let (client, _) = consumer(access, "unused", "error");
    let mut ends = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for partition in 0..PARTITIONS {
            match client.fetch_watermarks(TOPIC, partition, WAIT) {
                Ok((_, end)) => ends.push((partition, end)),
                Err(error) => tolerate(&error),
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    ends
}

/// Commits increasing offsets, and queries the committed one.
fn commit_and_look(access: &Access, stop: &AtomicBool) -> Vec<Commit> {
    let (client, _) = consumer(access, "committer", "error");
    let place = |offset| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(TOPIC, 0, offset).unwrap();
        list
    };
    let mut commits = Vec::new();
    let mut offset = 0;
    while !stop.load(Ordering::Relaxed) {
        offset += 1;
        commits.push(Commit::Tried(offset));
        match client.commit(&place(Offset::Offset(offset)), CommitMode::Sync) {
            Ok(()) => commits.push(Commit::Done),
            Err(error) => tolerate(&error),
        }
        match client.committed_offsets(place(Offset::Invalid), WAIT) {
            Ok(found) => {
                let found = found.find_partition(TOPIC, 0).unwrap().offset();
                commits.push(Commit::Found(
                    found.to_raw().filter(|raw| *raw >= 0).unwrap_or(-1),
                ));
            }
            Err(error) => tolerate(&error),
        }
        thread::sleep(Duration::from_millis(5));
    }
    commits
}
