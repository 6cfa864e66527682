//! Answers requests, with one file for each family.
//!
//! [`Node`] is the state that all of them use; [`answer`] finds the function for a request.
//! The rule to keep: a refusal is a response with an error code. An `Err` ends the client's connection.

pub(crate) mod api_versions;
mod cluster;
mod committed;
mod configs;
mod errors;
mod fetch;
mod groups;
mod list_offsets;
mod metadata;
mod produce;
mod refused;
mod settings;
mod topics;

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError as Error,
    messages::{self, ApiKey, BrokerId, ProduceRequest},
    protocol::StrBytes,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    batch,
    groups::Groups,
    store::Store,
    wire::{
        apis::Api,
        frame::{self, BadRequest, EncodeError, Head},
    },
};

/// The id of the only node.
pub(crate) const NODE_ID: BrokerId = BrokerId(1);
/// Maximum size of a request without records. No client needs a larger one.
const MAX_OTHER_BYTES: usize = 8 * 1024 * 1024;

/// The state that all requests share.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) store: Store,
    pub(crate) groups: Arc<Groups>,
    pub(crate) cluster_id: String,
    /// The address that the broker listens on and advertises.
    pub(crate) address: SocketAddr,
    /// Topics that no client may delete or change.
    pub(crate) protected: Vec<String>,
    pub(crate) batch_limits: batch::Limits,
    /// Memory for the records of unsent responses, in bytes, over all connections.
    pub(crate) answer_memory: Arc<Semaphore>,
    pub(crate) stopping: CancellationToken,
}

/// A request with its parsed header.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) api: &'static Api,
    pub(crate) head: Head,
    pub(crate) body: Bytes,
}

/// The response to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Send this, and hold its memory permit until it is sent.
    Frame(Bytes, Option<OwnedSemaphorePermit>),
    /// Send nothing: the producer wants no acknowledgement, and would mistake one for its next response.
    Silence,
    /// Close the connection: the only way to report a failure to a producer without acknowledgements.
    Close,
}

/// Why a request gets no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The request is invalid.
    #[error("{0}")]
    Bad(#[from] BadRequest),
    /// A request without records is too large.
    #[error("a request without records has {0} bytes, which is too large")]
    Large(usize),
    /// The response cannot be encoded.
    #[error("{0}")]
    Answer(#[from] EncodeError),
}

impl Node {
    /// Whether this topic is protected: clients may not delete or change it.
    fn protects(&self, topic: &str) -> bool {
        self.protected.iter().any(|name| name == topic)
    }
}

/// The error code of an outcome; 0 for success.
fn code<T>(outcome: &Result<T, Error>) -> i16 {
    outcome.as_ref().err().map_or(0, Error::code)
}

/// Converts text for a response.
fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// Decodes the request, evaluates the expression, and encodes its value as the response.
macro_rules! respond {
    ($asked:ident, $request:ident: $kind:ty => $response:expr) => {{
        let $request: $kind = frame::decode($asked.api, $asked.head.version, &mut $asked.body)?;
        let response = $response;
        let frame = frame::encode(&$asked.head, $asked.head.version, &response)?;
        Ok(Answer::Frame(frame, None))
    }};
}

/// Answers a request of a logged-in client.
pub(crate) async fn answer(node: &Node, mut asked: Asked) -> Result<Answer, Failure> {
    let version = asked.head.version;
    let size = asked.body.len();
    if size > MAX_OTHER_BYTES && !matches!(asked.api.key, ApiKey::Produce) {
        return Err(Failure::Large(size));
    }
    match asked.api.key {
        ApiKey::Produce => {
            let request: ProduceRequest = frame::decode(asked.api, version, &mut asked.body)?;
            let wants_answer = request.acks != 0;
            let response = produce::serve(node, request, version).await;
            if wants_answer {
                let frame = frame::encode(&asked.head, version, &response)?;
                Ok(Answer::Frame(frame, None))
            } else if produce::is_success(&response) {
                Ok(Answer::Silence)
            } else {
                Ok(Answer::Close)
            }
        }
        ApiKey::Fetch => {
            let request = frame::decode(asked.api, version, &mut asked.body)?;
            let (response, memory) = fetch::serve(node, request, version).await;
            let frame = frame::encode(&asked.head, version, &response)?;
            Ok(Answer::Frame(frame, memory))
        }
        ApiKey::ListOffsets => respond!(asked, request: messages::ListOffsetsRequest =>
            list_offsets::serve(node, request, version).await),
        ApiKey::Metadata => respond!(asked, request: messages::MetadataRequest =>
            metadata::serve(node, request, version)),
        ApiKey::OffsetForLeaderEpoch => {
            respond!(asked, request: messages::OffsetForLeaderEpochRequest =>
                list_offsets::serve_epochs(node, request))
        }
        ApiKey::ApiVersions => respond!(asked, request: messages::ApiVersionsRequest =>
            api_versions::serve(&request, version)),
        ApiKey::DescribeCluster => respond!(asked, request: messages::DescribeClusterRequest =>
            cluster::serve(node, &request)),
        ApiKey::InitProducerId => respond!(asked, request: messages::InitProducerIdRequest =>
            cluster::serve_producer_id(node, request).await),
        ApiKey::CreateTopics => respond!(asked, request: messages::CreateTopicsRequest =>
            topics::create(node, request, version).await),
        ApiKey::DeleteTopics => respond!(asked, request: messages::DeleteTopicsRequest =>
            topics::delete(node, request, version).await),
        ApiKey::DescribeConfigs => respond!(asked, request: messages::DescribeConfigsRequest =>
            configs::serve(node, request)),
        _ => answer_groups(node, asked).await,
    }
}

async fn answer_groups(node: &Node, mut asked: Asked) -> Result<Answer, Failure> {
    let version = asked.head.version;
    let client_id = asked.head.client_id.clone().unwrap_or_default();
    match asked.api.key {
        ApiKey::FindCoordinator => respond!(asked, request: messages::FindCoordinatorRequest =>
            groups::find(node, request, version)),
        ApiKey::JoinGroup => respond!(asked, request: messages::JoinGroupRequest =>
            groups::join(node, request, client_id, version).await),
        ApiKey::SyncGroup => respond!(asked, request: messages::SyncGroupRequest =>
            groups::sync(node, request).await),
        ApiKey::Heartbeat => respond!(asked, request: messages::HeartbeatRequest =>
            groups::heartbeat(node, &request)),
        ApiKey::LeaveGroup => respond!(asked, request: messages::LeaveGroupRequest =>
            groups::leave(node, request, version)),
        ApiKey::DescribeGroups => respond!(asked, request: messages::DescribeGroupsRequest =>
            groups::describe(node, request, version).await),
        ApiKey::ListGroups => respond!(asked, request: messages::ListGroupsRequest =>
            groups::list(node, &request).await),
        ApiKey::DeleteGroups => respond!(asked, request: messages::DeleteGroupsRequest =>
            groups::delete(node, request).await),
        ApiKey::OffsetCommit => respond!(asked, request: messages::OffsetCommitRequest =>
            committed::commit(node, request).await),
        ApiKey::OffsetFetch => respond!(asked, request: messages::OffsetFetchRequest =>
            committed::fetch(node, request, version).await),
        ApiKey::OffsetDelete => respond!(asked, request: messages::OffsetDeleteRequest =>
            committed::delete(node, request).await),
        _ => refused::answer(asked),
    }
}
