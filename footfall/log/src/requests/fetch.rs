//! Fetch: returns stored batches, unchanged. A fetch that finds too few bytes waits until an append wakes it.
//!
//! Every response is complete: the broker declines fetch sessions, which Kafka's protocol allows.
//! The rules to keep: never poll while waiting; bound the bytes of all unsent responses. A response has at least one
//! batch if there is any, however large.

use std::{collections::HashSet, future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{
        FetchRequest, FetchResponse, TopicName,
        fetch_request::FetchPartition,
        fetch_response::{FetchableTopicResponse, PartitionData},
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};
use tracing::warn;
use uuid::Uuid;

use super::{Node, errors, list_offsets::check_epoch, settings};
use crate::store::Partition;

/// From this version on requests name topics by id.
const BY_ID: i16 = 13;
/// Maximum bytes of one response. Kafka's consumers request 50 MB.
const MAX_ANSWER_BYTES: usize = 50 * 1024 * 1024;
/// Maximum bytes of one partition in a response.
const MAX_PARTITION_BYTES: usize = 16 * 1024 * 1024;
/// The longest wait of a fetch, even if it requests more.
const MAX_WAIT: Duration = Duration::from_mins(1);
/// The isolation level of clients that read only committed transactions.
const READ_COMMITTED: i8 = 1;
/// The session epochs of clients without a session.
const FIRST_OR_LAST: [i32; 2] = [0, -1];

/// One partition of the request.
struct Part {
    place: (usize, usize),
    partition: Arc<Partition>,
    from: i64,
    max_bytes: usize,
    /// Maximum bytes of a batch. The first batch of a response may exceed the other limits.
    max_batch_bytes: usize,
    /// The partition's end at the last read; `None` before the first.
    seen_end: Option<i64>,
    records: Bytes,
    error: Option<Error>,
}

/// The results so far.
#[derive(Default)]
struct Found {
    bytes: usize,
    failed: bool,
    memory: Option<OwnedSemaphorePermit>,
}

/// Answers a fetch. Also returns the response's memory permit, to hold until it is sent.
pub(crate) async fn serve(
    node: &Node,
    request: FetchRequest,
    version: i16,
) -> (FetchResponse, Option<OwnedSemaphorePermit>) {
    if request.session_id != 0 {
        let error = Error::FetchSessionIdNotFound.code();
        return (FetchResponse::default().with_error_code(error), None);
    }
    if !FIRST_OR_LAST.contains(&request.session_epoch) {
        let error = Error::InvalidFetchSessionEpoch.code();
        return (FetchResponse::default().with_error_code(error), None);
    }
    let (mut parts, mut topics) = find(node, &request, version);
    let room = usize::try_from(request.max_bytes).unwrap_or(0);
    let room = room.min(MAX_ANSWER_BYTES);
    let least = usize::try_from(request.min_bytes).unwrap_or(0).min(room);
    let wait = u64::try_from(request.max_wait_ms).unwrap_or(0);
    let deadline = Instant::now() + Duration::from_millis(wait).min(MAX_WAIT);
    // Do not wait if there is an error to report, or if the request names no existing partition.
    let mut found = Found {
        failed: parts.is_empty() || topics.iter().any(|topic| topic.1),
        ..Found::default()
    };
    loop {
        // Watch before reading, so that an append during the read wakes the wait.
        let mut changes = Changes::of(&parts);
        read(node, &mut parts, room, &mut found).await;
        if found.failed || found.bytes >= least || Instant::now() >= deadline {
            break;
        }
        tokio::select! {
            () = changes.any() => {}
            () = sleep_until(deadline) => {}
            () = node.stopping.cancelled() => break,
        }
        if node.stopping.is_cancelled() {
            break;
        }
    }
    let committed_only = request.isolation_level == READ_COMMITTED;
    for part in parts {
        let (topic, place) = part.place;
        let data = topics
            .get_mut(topic)
            .and_then(|topic| topic.0.partitions.get_mut(place));
        if let Some(data) = data {
            fill(data, part, committed_only, version);
        }
    }
    let topics = topics.into_iter().map(|topic| topic.0).collect();
    let response = FetchResponse::default().with_responses(topics);
    (response, found.memory)
}

/// Finds the requested partitions. Returns the existing ones, and the topics of the response; each topic has a flag
/// that is `true` if a partition was not found.
fn find(
    node: &Node,
    request: &FetchRequest,
    version: i16,
) -> (Vec<Part>, Vec<(FetchableTopicResponse, bool)>) {
    let known = node.store.topics();
    let mut parts = Vec::new();
    let mut topics = Vec::new();
    let mut seen: HashSet<(TopicName, Uuid, i32)> = HashSet::new();
    for asked in &request.topics {
        let topic = if version >= BY_ID {
            known.with_id(asked.topic_id).ok_or(Error::UnknownTopicId)
        } else {
            let named = known.named(asked.topic.as_str());
            named.ok_or(Error::UnknownTopicOrPartition)
        };
        let mut partitions = Vec::new();
        let mut failed = false;
        for wanted in &asked.partitions {
            if !seen.insert((asked.topic.clone(), asked.topic_id, wanted.partition)) {
                continue;
            }
            let mut data = PartitionData::default()
                .with_partition_index(wanted.partition)
                .with_high_watermark(-1)
                .with_last_stable_offset(-1)
                .with_log_start_offset(-1)
                .with_records(Some(Bytes::new()));
            let partition = topic.and_then(|topic| {
                let partition = topic.partition(wanted.partition);
                let partition = partition.ok_or(Error::UnknownTopicOrPartition)?;
                Ok((partition, settings::max_message_bytes(&topic.configs)))
            });
            match partition {
                Ok((partition, largest)) => {
                    let place = (topics.len(), partitions.len());
                    let largest = largest.min(node.batch_limits.max_batch_bytes);
                    parts.push(Part::new(place, partition, wanted, largest));
                }
                Err(error) => {
                    data = data.with_error_code(error.code());
                    failed = true;
                }
            }
            partitions.push(data);
        }
        let response = FetchableTopicResponse::default()
            .with_topic(asked.topic.clone())
            .with_topic_id(asked.topic_id)
            .with_partitions(partitions);
        topics.push((response, failed));
    }
    (parts, topics)
}

impl Part {
    fn new(
        place: (usize, usize),
        partition: &Arc<Partition>,
        wanted: &FetchPartition,
        max_batch_bytes: usize,
    ) -> Self {
        let max_bytes = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
        Self {
            place,
            partition: partition.clone(),
            from: wanted.fetch_offset,
            max_bytes: max_bytes.min(MAX_PARTITION_BYTES),
            max_batch_bytes,
            seen_end: None,
            records: Bytes::new(),
            error: check_epoch(partition, wanted.current_leader_epoch).err(),
        }
    }

    /// Returns the partition's end if there may be unread records. Sets `error` if the partition cannot be read.
    fn is_due(&mut self) -> Option<i64> {
        if self.error.is_none() && self.partition.is_gone() {
            self.error = Some(Error::UnknownTopicOrPartition);
        }
        let end = self.partition.end();
        if self.error.is_some() || self.seen_end == Some(end) {
            return None;
        }
        if self.from < self.partition.start() || self.from > end {
            self.error = Some(Error::OffsetOutOfRange);
            return None;
        }
        Some(end)
    }
}

/// Reads partitions with new records, as far as the limits allow.
async fn read(node: &Node, parts: &mut [Part], room: usize, found: &mut Found) {
    for part in parts {
        let due = part.is_due();
        found.failed |= part.error.is_some();
        let Some(end) = due else { continue };
        if part.from >= end {
            part.seen_end = Some(end);
            continue;
        }
        let others = found.bytes - part.records.len();
        let limit = part.max_bytes.min(room.saturating_sub(others));
        if others > 0 && limit == 0 {
            continue;
        }
        // Reserve the most that the read may return. The unused part is returned below.
        let most = if others == 0 {
            limit.max(part.max_batch_bytes)
        } else {
            limit
        };
        if !reserve(&node.answer_memory, found, others + most).await {
            continue;
        }
        // A partition that was skipped above is read at the next change of any partition.
        part.seen_end = Some(end);
        match node.store.read(&part.partition, part.from, limit).await {
            // Return a batch above the limit only if it is the first of the response.
            Ok(records) if others > 0 && records.len() > limit => {}
            Ok(records) => {
                found.bytes = others + records.len();
                part.records = records;
            }
            Err(error) => {
                let (topic, index) = (&part.partition.topic, part.partition.index);
                warn!(%error, kafka.topic = %topic, kafka.partition = index, "records of {topic} could not be read: {error}");
                part.error = Some(errors::of_store(&error));
                found.failed = true;
            }
        }
        give_back(found);
    }
}

/// Reserves memory up to a total of `bytes`, and returns whether that succeeded. Only a response that holds no memory yet
/// waits: two that hold some and wait for more would block each other.
async fn reserve(memory: &Arc<Semaphore>, found: &mut Found, bytes: usize) -> bool {
    let held = found
        .memory
        .as_ref()
        .map_or(0, OwnedSemaphorePermit::num_permits);
    let missing = u32::try_from(bytes.saturating_sub(held)).unwrap_or(u32::MAX);
    if missing == 0 {
        return true;
    }
    let more = if held == 0 {
        memory.clone().acquire_many_owned(missing).await.ok()
    } else {
        memory.clone().try_acquire_many_owned(missing).ok()
    };
    match (found.memory.as_mut(), more) {
        (_, None) => false,
        (Some(held), Some(more)) => {
            held.merge(more);
            true
        }
        (None, more) => {
            found.memory = more;
            true
        }
    }
}

/// Returns the memory beyond the bytes found.
fn give_back(found: &mut Found) {
    if let Some(mut held) = found.memory.take() {
        let unused = held.num_permits().saturating_sub(found.bytes);
        drop(held.split(unused));
        found.memory = (held.num_permits() > 0).then_some(held);
    }
}

fn fill(data: &mut PartitionData, part: Part, committed_only: bool, version: i16) {
    if let Some(error) = part.error {
        let by_id = version >= BY_ID && error == Error::UnknownTopicOrPartition;
        data.error_code = if by_id { Error::UnknownTopicId } else { error }.code();
        return;
    }
    let end = part.partition.end();
    data.high_watermark = end;
    // Without transactions, all records are stable.
    data.last_stable_offset = end;
    data.log_start_offset = part.partition.start();
    data.aborted_transactions = committed_only.then(Vec::new);
    data.records = Some(part.records);
}

/// Watches the partitions' ends.
struct Changes {
    waits: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Changes {
    /// Watches the changes from now on.
    fn of(parts: &[Part]) -> Self {
        let waits = parts.iter().map(|part| {
            let mut end = part.partition.watch();
            let wait = async move {
                if end.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            Box::pin(wait) as Pin<Box<dyn Future<Output = ()> + Send>>
        });
        Self {
            waits: waits.collect(),
        }
    }

    /// Waits for the next change of any partition.
    async fn any(&mut self) {
        poll_fn(|context| {
            for wait in &mut self.waits {
                if wait.as_mut().poll(context).is_ready() {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }
}
