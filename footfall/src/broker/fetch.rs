//! Fetch that a produce wakes: answers at once if there is something, else waits without touching the file.
//!
//! nisshi's own re-reads every partition while it waits. Here a wait is a `select` on the topics' wake-ups, and a
//! partition whose end was already looked at is not looked at again until it is written. Two more differences, both
//! as Kafka has it: an offset outside of the log is answered with `OFFSET_OUT_OF_RANGE` (nisshi: an empty answer, for
//! ever), and `min_bytes` is taken as 1. The rule to keep: subscribe, then look, then wait.

use std::{sync::Arc, time::Duration};

use futures::future::{self, FutureExt as _};
use nisshi_sans_io::{
    ApiKey, ErrorCode, FetchRequest, FetchResponse, IsolationLevel,
    fetch_request::{FetchPartition, FetchTopic},
    fetch_response::{FetchableTopicResponse, PartitionData},
    record::deflated::Frame,
};
use nisshi_storage::Error;
use rama::{Context, Service};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    log::Log,
    stored::batches,
    tails::{Tails, Topic},
};

/// No answer is larger than about this, whatever the client would take; it asks again at once.
const MAX_ANSWER_BYTES: usize = 5 * 1024 * 1024;
/// Nobody waits longer, whatever the client would.
const MAX_WAIT: Duration = Duration::from_mins(5);

/// Answers fetch requests.
#[derive(Clone, Debug)]
pub(super) struct WokenFetch {
    pub(super) log: Arc<Log>,
    pub(super) tails: Arc<Tails>,
    pub(super) stopping: CancellationToken,
}

impl ApiKey for WokenFetch {
    const KEY: i16 = FetchRequest::KEY;
}

impl Service<(), FetchRequest> for WokenFetch {
    type Response = FetchResponse;
    type Error = Error;

    async fn serve(&self, _: Context<()>, request: FetchRequest) -> Result<FetchResponse, Error> {
        let wait_ms = u64::try_from(request.max_wait_ms).unwrap_or(0);
        let deadline = Instant::now() + Duration::from_millis(wait_ms).min(MAX_WAIT);
        loop {
            let mut pass = Pass::of(&request);
            let responses = self.look(&request, &mut pass).await?;
            let over = self.stopping.is_cancelled() || Instant::now() >= deadline;
            if pass.answered || over {
                return Ok(FetchResponse::default()
                    .throttle_time_ms(Some(0))
                    .error_code(Some(ErrorCode::None.into()))
                    .session_id(Some(0))
                    .node_endpoints(Some([].into()))
                    .responses(Some(responses)));
            }
            let written = pass
                .wakeups
                .iter_mut()
                .map(|wakeup| wakeup.changed().boxed());
            // `select_all` takes no empty list; such a request waits for nothing, and for its deadline.
            let written = written.chain([future::pending().boxed()]);
            tokio::select! {
                _ = future::select_all(written) => {}
                () = sleep_until(deadline) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }
}

/// One look at everything a request asks for.
struct Pass {
    committed: bool,
    room_bytes: usize,
    answered: bool,
    wakeups: Vec<watch::Receiver<()>>,
}

impl Pass {
    fn of(request: &FetchRequest) -> Self {
        let room_bytes = request
            .max_bytes
            .and_then(|bytes| usize::try_from(bytes).ok())
            .map_or(MAX_ANSWER_BYTES, |bytes| bytes.min(MAX_ANSWER_BYTES));
        Self {
            committed: request.isolation_level == Some(i8::from(IsolationLevel::ReadCommitted)),
            room_bytes,
            answered: false,
            wakeups: Vec::new(),
        }
    }
}

impl WokenFetch {
    async fn look(
        &self,
        request: &FetchRequest,
        pass: &mut Pass,
    ) -> Result<Vec<FetchableTopicResponse>, Error> {
        let mut responses = Vec::new();
        for wanted in request.topics.as_deref().unwrap_or_default() {
            let topic = self.tails.find(wanted).await?;
            if let Some(topic) = &topic {
                pass.wakeups.push(topic.subscribe());
            }
            let mut partitions = Vec::new();
            for partition in wanted.partitions.as_deref().unwrap_or_default() {
                partitions.push(self.partition(topic.as_deref(), partition, pass).await?);
            }
            responses.push(named_as_asked(wanted, topic.as_deref()).partitions(Some(partitions)));
        }
        Ok(responses)
    }

    async fn partition(
        &self,
        topic: Option<&Topic>,
        wanted: &FetchPartition,
        pass: &mut Pass,
    ) -> Result<PartitionData, Error> {
        let (index, offset) = (wanted.partition, wanted.fetch_offset);
        let Some(tail) = topic.and_then(|topic| topic.tails.get(&index)) else {
            pass.answered = true;
            return Ok(failed(index, ErrorCode::UnknownTopicOrPartition));
        };
        if let Some(answer) = tail.idle(offset, pass.committed) {
            return Ok(answer);
        }
        let version = tail.version();
        let Some(stage) = self.log.stage(tail.topition).await? else {
            pass.answered = true;
            return Ok(failed(index, ErrorCode::UnknownTopicOrPartition));
        };
        let end = if pass.committed {
            stage.stable
        } else {
            stage.high
        };
        let empty = failed(index, ErrorCode::None)
            .high_watermark(stage.high)
            .last_stable_offset(Some(stage.stable))
            .log_start_offset(Some(stage.low));
        if offset < stage.low || offset > stage.high {
            pass.answered = true;
            return Ok(empty.error_code(ErrorCode::OffsetOutOfRange.into()));
        }
        if offset < end && pass.room_bytes == 0 {
            // Not its turn; clients begin with another partition next time.
            return Ok(empty);
        }
        let max_bytes = usize::try_from(wanted.partition_max_bytes).unwrap_or(0);
        let max_bytes = max_bytes.min(pass.room_bytes);
        let records = if offset < end {
            self.log.read(tail.topition, offset, end, max_bytes).await?
        } else {
            Vec::new()
        };
        if records.is_empty() {
            tail.remember(version, offset, pass.committed, &empty);
            return Ok(empty);
        }
        pass.answered = true;
        let batches = batches(records)?;
        let bytes = batches.iter().map(|batch| batch.record_data.len()).sum();
        pass.room_bytes = pass.room_bytes.saturating_sub(bytes);
        Ok(empty.records(Some(Frame { batches })))
    }
}

/// Clients find their topic by what they sent: the name, or since version 13 the id.
fn named_as_asked(wanted: &FetchTopic, topic: Option<&Topic>) -> FetchableTopicResponse {
    let id = topic.map(|topic| topic.id).or(wanted.topic_id);
    FetchableTopicResponse::default()
        .topic(wanted.topic.clone())
        .topic_id(Some(id.unwrap_or_default()))
}

/// A partition's answer without records.
fn failed(index: i32, error: ErrorCode) -> PartitionData {
    PartitionData::default()
        .partition_index(index)
        .error_code(error.into())
        .high_watermark(-1)
        .last_stable_offset(Some(-1))
        .log_start_offset(Some(-1))
        .diverging_epoch(None)
        .current_leader(None)
        .snapshot_id(None)
        .aborted_transactions(Some([].into()))
        .preferred_read_replica(Some(-1))
        .records(None)
}
