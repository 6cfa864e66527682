//! Which request is answered by whom.
//!
//! nisshi's services where they keep what is there, ours for fetch, group membership, offsets by time and everything that
//! is refused, and a wake-up after everything that changes what a fetch would see; our produce comes before the table, for
//! everything outside transactions. A request that is not in the table ends its connection, as Kafka does it.
//! The rules to keep: wake after the write, never before; add a service only after reading what it deletes and makes.

use std::{collections::BTreeSet, sync::Arc};

use nisshi_broker::{
    Error as ServiceError,
    coordinator::group::administrator::Controller,
    service::{auth, coordinator, storage as stock},
};
use nisshi_sans_io::{
    AlterConfigsRequest, AlterUserScramCredentialsRequest, ApiKey as _, CreateAclsRequest,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, EndTxnRequest, ErrorCode, FetchRequest, Frame,
    IncrementalAlterConfigsRequest, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest,
    MetadataResponse, ProduceRequest, ProduceResponse, Request, Response,
};
use nisshi_service::{FrameRequestLayer, FrameRouteBuilder, FrameRouteService};
use nisshi_storage::{
    ArcDynStorage, CreateTopicsService, Error, ListOffsetsService, MetadataService, ProduceService,
    TxnEndService,
};
use rama::{Context, Layer as _, Service, layer::MapErrLayer, service::BoxService};
use tokio_util::sync::CancellationToken;

use super::{
    fetch::WokenFetch, groups::Groups, log::Log, produce::Produce, refused::Refused, tails::Tails,
};

/// What `ListOffsets` answers for a time after the last record.
const NO_OFFSET: i64 = -1;

/// Every request type with its service.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    /// Produce requests outside of transactions.
    pub(super) produce: Arc<Produce>,
    /// All others.
    pub(super) others: FrameRouteService<(), ServiceError>,
}

/// The table, for all connections.
pub(super) fn routes(
    storage: &ArcDynStorage,
    log: &Arc<Log>,
    tails: &Arc<Tails>,
    stopping: &CancellationToken,
) -> Result<Routes, ServiceError> {
    let fetch = WokenFetch {
        log: log.clone(),
        tails: tails.clone(),
        stopping: stopping.clone(),
    };
    let publish = TransactionalProduce {
        storage: storage.clone(),
        tails: tails.clone(),
    };
    let offsets = OffsetsByTime {
        storage: storage.clone(),
    };
    let metadata = ExistingTopics {
        storage: storage.clone(),
    };
    let groups = Groups::new(Controller::with_storage(storage.clone())?, stopping.clone());
    let builder = [
        stock::add_offsets_to_txn,
        stock::add_partitions_to_txn,
        stock::consumer_group_describe,
        stock::describe_acls,
        stock::describe_cluster,
        stock::describe_configs,
        stock::describe_groups,
        stock::describe_topic_partitions,
        stock::describe_user_scram_credentials,
        stock::find_coordinator,
        stock::get_telemetry_subscriptions,
        stock::init_producer_id,
        stock::list_groups,
        stock::list_partition_reassignments,
        stock::txn_offset_commit,
    ]
    .iter()
    .try_fold(FrameRouteService::builder(), |builder, service| {
        service(builder, storage.clone())
    })?;
    let builder = builder
        .with_route(FetchRequest::KEY, route(fetch))?
        .with_route(ProduceRequest::KEY, route(publish))?
        .with_route(ListOffsetsRequest::KEY, route(offsets))?
        .with_route(
            CreateTopicsRequest::KEY,
            route(ThenForget::new(CreateTopicsService, storage, tails)),
        )?
        .with_route(MetadataRequest::KEY, route(metadata))?
        .with_route(
            EndTxnRequest::KEY,
            route(ThenForget::new(TxnEndService, storage, tails)),
        )?;
    let builder = coordinator::services(refusals(builder)?, groups)?;
    Ok(Routes {
        produce: Arc::new(Produce::new(log.clone(), tails.clone())),
        others: auth::services(builder)?.build()?,
    })
}

/// The requests that are refused.
fn refusals(
    builder: FrameRouteBuilder<(), ServiceError>,
) -> Result<FrameRouteBuilder<(), ServiceError>, ServiceError> {
    [
        refusal::<DeleteTopicsRequest>(),
        refusal::<DeleteRecordsRequest>(),
        refusal::<CreatePartitionsRequest>(),
        refusal::<AlterConfigsRequest>(),
        refusal::<IncrementalAlterConfigsRequest>(),
        refusal::<DeleteGroupsRequest>(),
        refusal::<CreateAclsRequest>(),
        refusal::<AlterUserScramCredentialsRequest>(),
    ]
    .into_iter()
    .try_fold(builder, |builder, (key, service)| {
        Ok(builder.with_route(key, service)?)
    })
}

fn refusal<Q>() -> (i16, BoxService<(), Frame, Frame, ServiceError>)
where
    Q: Request + TryFrom<nisshi_sans_io::Body, Error = nisshi_sans_io::Error>,
    Refused: Service<(), Q, Error = Error>,
    <Refused as Service<(), Q>>::Response: Response,
{
    (Q::KEY, route::<_, Q>(Refused))
}

/// A service of one request type as an entry of the table.
fn route<S, Q>(service: S) -> BoxService<(), Frame, Frame, ServiceError>
where
    S: Service<(), Q, Error = Error>,
    S::Response: Response,
    Q: Request + TryFrom<nisshi_sans_io::Body, Error = nisshi_sans_io::Error>,
{
    (
        MapErrLayer::new(ServiceError::from),
        FrameRequestLayer::<Q>::new(),
    )
        .into_layer(service)
        .boxed()
}

/// Produce within a transaction: nisshi's, which wakes those who wait for the partitions it wrote.
#[derive(Clone, Debug)]
struct TransactionalProduce {
    storage: ArcDynStorage,
    tails: Arc<Tails>,
}

impl Service<(), ProduceRequest> for TransactionalProduce {
    type Response = ProduceResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: ProduceRequest,
    ) -> Result<ProduceResponse, Error> {
        let context = Context::with_state(self.storage.clone());
        let mut touched = Vec::new();
        for topic in request.topic_data.as_deref().unwrap_or_default() {
            for partition in topic.partition_data.as_deref().unwrap_or_default() {
                touched.push((topic.name.clone(), partition.index));
            }
        }
        let response = ProduceService.serve(context, request).await;
        // Also after an error: of several batches the first may have been written.
        for (topic, partition) in touched {
            self.tails.wrote(&topic, partition);
        }
        response
    }
}

/// A stock service after which nothing remembered about topics can be relied on.
#[derive(Clone, Debug)]
struct ThenForget<S> {
    inner: S,
    storage: ArcDynStorage,
    tails: Arc<Tails>,
}

impl<S> ThenForget<S> {
    fn new(inner: S, storage: &ArcDynStorage, tails: &Arc<Tails>) -> Self {
        Self {
            inner,
            storage: storage.clone(),
            tails: tails.clone(),
        }
    }
}

impl<S, Q> Service<(), Q> for ThenForget<S>
where
    S: Service<ArcDynStorage, Q>,
    Q: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;

    async fn serve(&self, _: Context<()>, request: Q) -> Result<S::Response, S::Error> {
        let context = Context::with_state(self.storage.clone());
        let response = self.inner.serve(context, request).await;
        self.tails.forget();
        response
    }
}

/// Metadata of existing topics. nisshi's own service creates missing topics that are asked for, unless a client forbids it.
#[derive(Clone, Debug)]
struct ExistingTopics {
    storage: ArcDynStorage,
}

impl Service<(), MetadataRequest> for ExistingTopics {
    type Response = MetadataResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: MetadataRequest,
    ) -> Result<MetadataResponse, Error> {
        let context = Context::with_state(self.storage.clone());
        let request = request.allow_auto_topic_creation(Some(false));
        MetadataService.serve(context, request).await
    }
}

/// Offsets by time, where a time after the last record has none.
///
/// nisshi answers offset 0 then, and a reader from "now" would read everything.
#[derive(Clone, Debug)]
struct OffsetsByTime {
    storage: ArcDynStorage,
}

impl Service<(), ListOffsetsRequest> for OffsetsByTime {
    type Response = ListOffsetsResponse;
    type Error = Error;

    async fn serve(
        &self,
        _: Context<()>,
        request: ListOffsetsRequest,
    ) -> Result<ListOffsetsResponse, Error> {
        let by_time: BTreeSet<(String, i32)> = request
            .topics
            .iter()
            .flatten()
            .flat_map(|topic| {
                let partitions = topic.partitions.iter().flatten();
                partitions
                    .filter(|partition| partition.timestamp >= 0)
                    .map(|partition| (topic.name.clone(), partition.partition_index))
            })
            .collect();
        let context = Context::with_state(self.storage.clone());
        let mut response = ListOffsetsService.serve(context, request).await?;
        for topic in response.topics.iter_mut().flatten() {
            for partition in topic.partitions.iter_mut().flatten() {
                let none = partition.timestamp.is_none_or(|timestamp| timestamp < 0)
                    && partition.error_code == i16::from(ErrorCode::None);
                if none && by_time.contains(&(topic.name.clone(), partition.partition_index)) {
                    partition.offset = Some(NO_OFFSET);
                }
            }
        }
        Ok(response)
    }
}
