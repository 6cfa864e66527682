//! Produce: records come in, are appended, acknowledged, and those who wait for them are woken.
//!
//! Ours because of what it costs and what it answers, see the files beneath. Requests of transactions are nisshi's, and
//! never come here. The rule to keep: an answer without an error says that the records are in the file.

mod append;
mod batch;
mod compression;
mod request;
mod sequences;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use nisshi_sans_io::{
    ApiKey as _, Body, ErrorCode, Frame, Header, ProduceRequest, ProduceResponse,
    produce_response::{PartitionProduceResponse, TopicProduceResponse},
};
use tracing::warn;

use self::append::{Append, Appended, Appender};
pub(super) use self::request::Request;
use super::{
    log::Log,
    tails::{Tails, Topic},
};

/// Acknowledgements that a client may ask for: none, the leader's, everybody's. One node is all of them.
const ACKS: std::ops::RangeInclusive<i16> = -1..=1;

/// Answers produce requests.
#[derive(Debug)]
pub(super) struct Produce {
    appender: Appender,
    tails: Arc<Tails>,
}

/// What is sent back to a producer.
#[derive(Debug)]
pub(super) enum Answer {
    /// This.
    Frame(Bytes),
    /// Nothing: it wants no acknowledgement, and would take this one for that of its next request.
    Silence,
    /// Nothing more on this connection: the only way to tell that something failed to one who reads no answer.
    Close,
}

impl Produce {
    /// Appends to `log`, and wakes those who wait in `tails`.
    pub(super) fn new(log: Arc<Log>, tails: Arc<Tails>) -> Self {
        Self {
            appender: Appender::new(log),
            tails,
        }
    }

    /// Appends what a request has, and answers it as far as its producer wants that.
    pub(super) async fn answer(&self, request: Request) -> Result<Answer, nisshi_sans_io::Error> {
        let Request {
            api_version,
            correlation_id,
            acks,
            ..
        } = request;
        let response = self.serve(request).await;
        if acks == 0 {
            return Ok(if is_success(&response) {
                Answer::Silence
            } else {
                Answer::Close
            });
        }
        let header = Header::Response { correlation_id };
        let body = Body::from(response);
        Frame::response(header, body, ProduceRequest::KEY, api_version).map(Answer::Frame)
    }

    async fn serve(&self, request: Request) -> ProduceResponse {
        let mut appends = Vec::new();
        let mut topics = Vec::new();
        for data in request.topics {
            let topic = self.find(&data.name).await;
            let mut partitions = Vec::new();
            for partition in data.partitions {
                let checked = if ACKS.contains(&request.acks) {
                    check(&topic, partition.index, partition.records)
                } else {
                    Err(ErrorCode::InvalidRequiredAcks)
                };
                // Its place among the outcomes.
                let place = checked.map(|append| {
                    appends.push(append);
                    appends.len() - 1
                });
                partitions.push((partition.index, place));
            }
            topics.push((data.name, partitions));
        }
        let outcomes = if appends.is_empty() {
            Vec::new()
        } else {
            self.appender.append(&appends).await
        };
        let outcome = |place: Result<usize, ErrorCode>| {
            let outcome = place.map(|place| outcomes.get(place).copied());
            outcome?.unwrap_or(Err(ErrorCode::UnknownServerError))
        };
        let mut responses = Vec::new();
        for (name, partitions) in topics {
            let mut answers = Vec::new();
            for (index, place) in partitions {
                let outcome = outcome(place);
                if outcome.is_ok() {
                    self.tails.wrote(&name, index);
                }
                answers.push(describe(index, outcome));
            }
            let response = TopicProduceResponse::default().name(name);
            responses.push(response.partition_responses(Some(answers)));
        }
        ProduceResponse::default()
            .responses(Some(responses))
            .throttle_time_ms(Some(0))
            .node_endpoints(None)
    }

    async fn find(&self, name: &str) -> Result<Arc<Topic>, ErrorCode> {
        match self.tails.named(name).await {
            Ok(topic) => topic.ok_or(ErrorCode::UnknownTopicOrPartition),
            Err(error) => {
                warn!(%error, "the embedded log could not be read: {error}");
                Err(ErrorCode::KafkaStorageError)
            }
        }
    }
}

/// What is to be appended to a partition, if there is such a partition and the records are whole.
fn check(
    topic: &Result<Arc<Topic>, ErrorCode>,
    index: i32,
    records: Option<Bytes>,
) -> Result<Append, ErrorCode> {
    let topic = topic.as_ref().map_err(|error| *error)?;
    let tail = topic.tails.get(&index);
    let tail = tail.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    Ok(Append {
        topition: tail.topition,
        batches: batch::read(records)?,
    })
}

fn describe(index: i32, outcome: Result<Appended, ErrorCode>) -> PartitionProduceResponse {
    let (error, appended) = match outcome {
        Ok(appended) => (ErrorCode::None, appended),
        Err(error) => {
            let nowhere = Appended {
                base_offset: -1,
                log_start: 0,
            };
            (error, nowhere)
        }
    };
    PartitionProduceResponse::default()
        .index(index)
        .error_code(error.into())
        .base_offset(appended.base_offset)
        // Records keep the time that their producer gave them.
        .log_append_time_ms(Some(-1))
        .log_start_offset(Some(appended.log_start))
        .record_errors(Some([].into()))
        .error_message(None)
        .current_leader(None)
}

fn is_success(response: &ProduceResponse) -> bool {
    let topics = response.responses.iter().flatten();
    let mut partitions = topics.flat_map(|topic| topic.partition_responses.iter().flatten());
    partitions.all(|partition| partition.error_code == i16::from(ErrorCode::None))
}
