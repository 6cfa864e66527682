//! `DescribeCluster` and `InitProducerId`: describes the cluster, and assigns producer ids.

use kafka_protocol::{
    ResponseError as Error,
    messages::{
        DescribeClusterRequest, DescribeClusterResponse, InitProducerIdRequest,
        InitProducerIdResponse, describe_cluster_response::DescribeClusterBroker,
    },
};
use tracing::warn;

use super::{NODE_ID, Node, text};

/// The endpoint type of brokers, the default of a request.
const BROKERS: i8 = 1;

/// Bits of Kafka's operations.
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const DESCRIBE: i32 = 1 << 8;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// What a client may do to the cluster.
pub(super) const OPERATIONS: i32 = CREATE | DESCRIBE | DESCRIBE_CONFIGS | IDEMPOTENT_WRITE;
/// What a client may do to a group.
pub(super) const GROUP_OPERATIONS: i32 = READ | DELETE | DESCRIBE;

/// What a client may do to a topic.
pub(super) const fn topic_operations(protected: bool) -> i32 {
    let always = READ | WRITE | DESCRIBE | DESCRIBE_CONFIGS;
    if protected { always } else { always | DELETE }
}

/// Describes the cluster, which is this node.
pub(crate) fn serve(node: &Node, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    if request.endpoint_type != BROKERS {
        return DescribeClusterResponse::default()
            .with_error_code(Error::MismatchedEndpointType.code())
            .with_error_message(Some(text("this endpoint is a broker")));
    }
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE_ID)
        .with_host(text(node.address.ip().to_string()))
        .with_port(node.address.port().into());
    let response = DescribeClusterResponse::default()
        .with_cluster_id(text(&node.cluster_id))
        .with_controller_id(NODE_ID)
        .with_brokers(vec![broker]);
    if request.include_cluster_authorized_operations {
        response.with_cluster_authorized_operations(OPERATIONS)
    } else {
        response
    }
}

/// Assigns an id to an idempotent producer. A transactional producer gets an error that is not retriable, because there
/// are no transactions.
pub(crate) async fn serve_producer_id(
    node: &Node,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let refused = |error: Error| {
        InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
    };
    if request.transactional_id.is_some() {
        return refused(Error::TransactionalIdAuthorizationFailed);
    }
    match node.store.allocate_producer_id().await {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(id.into())
            .with_producer_epoch(0),
        Err(error) => {
            warn!(%error, "cannot assign a producer id: {error}");
            // Retriable, because the disk may be full only for a while.
            refused(Error::CoordinatorNotAvailable)
        }
    }
}
