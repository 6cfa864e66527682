//! Tests requests of every kind and version: well-formed, damaged and malicious.

use std::{sync::Arc, time::Duration};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use kafka_protocol::messages::{self, ApiKey};
use kafka_protocol::protocol::{Decodable, Encodable as _};
use rand::{Rng as _, RngCore as _, SeedableRng as _, rngs::StdRng};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;

use super::{
    Service,
    apis::{APIS, Api},
    connection::{self, Ended},
    entrance::Entrance,
    frame::{self, FrameError, FrameReader, Head},
    shape::{MAX_ENTRIES, Malformed, making, measure},
};
use crate::{
    Credentials, broker,
    groups::Groups,
    requests::{self, Answer, Asked, Node},
    store::{Append, CommittedOffset, Store, StoreOptions},
};

/// Decodes a body. Returns the number of bytes left over.
fn decode(api: &Api, version: i16, body: &[u8]) -> Result<usize, String> {
    fn left<Q: Decodable>(version: i16, body: &[u8]) -> Result<usize, String> {
        let mut body = Bytes::copy_from_slice(body);
        Q::decode(&mut body, version).map_err(|error| error.to_string())?;
        Ok(body.len())
    }
    macro_rules! by_key {
        ($($key:ident => $request:ident),* $(,)?) => {
            match api.key {
                $(ApiKey::$key => left::<messages::$request>(version, body),)*
                key => panic!("{key:?} is supported but not tested"),
            }
        };
    }
    by_key! {
        Produce => ProduceRequest,
        Fetch => FetchRequest,
        ListOffsets => ListOffsetsRequest,
        Metadata => MetadataRequest,
        OffsetCommit => OffsetCommitRequest,
        OffsetFetch => OffsetFetchRequest,
        FindCoordinator => FindCoordinatorRequest,
        JoinGroup => JoinGroupRequest,
        Heartbeat => HeartbeatRequest,
        LeaveGroup => LeaveGroupRequest,
        SyncGroup => SyncGroupRequest,
        DescribeGroups => DescribeGroupsRequest,
        ListGroups => ListGroupsRequest,
        SaslHandshake => SaslHandshakeRequest,
        ApiVersions => ApiVersionsRequest,
        CreateTopics => CreateTopicsRequest,
        DeleteTopics => DeleteTopicsRequest,
        DeleteRecords => DeleteRecordsRequest,
        InitProducerId => InitProducerIdRequest,
        OffsetForLeaderEpoch => OffsetForLeaderEpochRequest,
        AddPartitionsToTxn => AddPartitionsToTxnRequest,
        AddOffsetsToTxn => AddOffsetsToTxnRequest,
        EndTxn => EndTxnRequest,
        TxnOffsetCommit => TxnOffsetCommitRequest,
        DescribeAcls => DescribeAclsRequest,
        CreateAcls => CreateAclsRequest,
        DeleteAcls => DeleteAclsRequest,
        DescribeConfigs => DescribeConfigsRequest,
        AlterConfigs => AlterConfigsRequest,
        AlterReplicaLogDirs => AlterReplicaLogDirsRequest,
        DescribeLogDirs => DescribeLogDirsRequest,
        SaslAuthenticate => SaslAuthenticateRequest,
        CreatePartitions => CreatePartitionsRequest,
        CreateDelegationToken => CreateDelegationTokenRequest,
        RenewDelegationToken => RenewDelegationTokenRequest,
        ExpireDelegationToken => ExpireDelegationTokenRequest,
        DescribeDelegationToken => DescribeDelegationTokenRequest,
        DeleteGroups => DeleteGroupsRequest,
        ElectLeaders => ElectLeadersRequest,
        IncrementalAlterConfigs => IncrementalAlterConfigsRequest,
        AlterPartitionReassignments => AlterPartitionReassignmentsRequest,
        ListPartitionReassignments => ListPartitionReassignmentsRequest,
        OffsetDelete => OffsetDeleteRequest,
        DescribeClientQuotas => DescribeClientQuotasRequest,
        AlterClientQuotas => AlterClientQuotasRequest,
        DescribeUserScramCredentials => DescribeUserScramCredentialsRequest,
        AlterUserScramCredentials => AlterUserScramCredentialsRequest,
        DescribeCluster => DescribeClusterRequest,
        DescribeProducers => DescribeProducersRequest,
        DescribeTransactions => DescribeTransactionsRequest,
        ListTransactions => ListTransactionsRequest,
        ConsumerGroupHeartbeat => ConsumerGroupHeartbeatRequest,
        ConsumerGroupDescribe => ConsumerGroupDescribeRequest,
    }
}

/// Every supported version of every request.
fn each_version() -> impl Iterator<Item = (&'static Api, i16)> {
    APIS.iter()
        .flat_map(|api| (api.oldest..=api.newest).map(move |version| (api, version)))
}

#[test]
fn the_layouts_match_the_codec() {
    let mut random = StdRng::seed_from_u64(1);
    for (api, version) in each_version() {
        for _ in 0..60 {
            let body = making::body(api, version, &mut random);
            let what = format!("{:?} version {version}: {body:?}", api.key);
            assert_eq!(measure(api, version, &body), Ok(()), "{what}");
            assert_eq!(decode(api, version, &body), Ok(0), "{what}");
            // A truncated body is refused before the codec reads it.
            if let Some((_, shorter)) = body.split_last() {
                assert_ne!(measure(api, version, shorter), Ok(()), "{what}");
            }
        }
        assert_eq!(api.flexible <= version, is_flexible(api, version));
    }
}

fn is_flexible(api: &Api, version: i16) -> bool {
    api.key.request_header_version(version) == 2
}

#[test]
fn no_length_may_exceed_the_remaining_bytes() {
    let metadata = api(ApiKey::Metadata);
    // Four bytes that claim two billion topics.
    assert_eq!(
        measure(metadata, 1, &i32::MAX.to_be_bytes()),
        Err(Malformed::Short)
    );
    assert_eq!(
        measure(metadata, 1, &(-2_i32).to_be_bytes()),
        Err(Malformed::Impossible)
    );
    assert_eq!(measure(metadata, 1, &(-1_i32).to_be_bytes()), Ok(()));
    let mut many = BytesMut::new();
    many.put_i32(i32::try_from(MAX_ENTRIES + 1).unwrap());
    many.put_bytes(0, (MAX_ENTRIES + 1) * 2);
    assert_eq!(measure(metadata, 1, &many), Err(Malformed::TooMany));
    // Missing tagged fields.
    let tags = [1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(measure(metadata, 9, &tags), Err(Malformed::Short));
}

#[test]
fn a_tagged_field_has_the_length_that_it_claims() {
    // The codec reads a cluster's name of five letters from a field of one byte. It would then read the rest from
    // the middle of another field.
    let fetch = api(ApiKey::Fetch);
    let mut body = BytesMut::new();
    body.put_bytes(0, 4 + 4 + 4 + 4 + 1 + 4 + 4);
    body.put_slice(&[1, 1, 1]);
    let (right, wrong) = ([1, 0, 6, 6, b'a', b'b', b'c', b'd', b'e'], [1, 0, 1, 6]);
    let with = |tags: &[u8]| [&body[..], tags].concat();
    assert_eq!(measure(fetch, 12, &with(&right)), Ok(()));
    assert_eq!(decode(fetch, 12, &with(&right)), Ok(0));
    assert_eq!(measure(fetch, 12, &with(&wrong)), Err(Malformed::Short));
    let longer = [1, 0, 7, 6, b'a', b'b', b'c', b'd', b'e', 0];
    assert_eq!(
        measure(fetch, 12, &with(&longer)),
        Err(Malformed::Impossible)
    );
}

fn api(key: ApiKey) -> &'static Api {
    super::apis::find(key as i16).unwrap()
}

/// A node without a listener, with a topic that random requests name.
async fn node(dir: &TempDir) -> Arc<Node> {
    let store = Store::open(dir.path(), &StoreOptions::default()).unwrap();
    let topic = store
        .create_topic("events", 2, std::collections::BTreeMap::new())
        .await
        .unwrap();
    // Stored data, because an empty response is valid in every version.
    let records = crate::tests::wire::batch(&[(1, "a"), (2, "b")]);
    let batches =
        crate::batch::check(records, &crate::batch::Limits::default(), &mut 1_000_000).unwrap();
    let partition = Arc::clone(&topic.partitions[0]);
    let append = Append { partition, batches };
    store.append(vec![append]).await.remove(0).unwrap();
    for group in ["a", "events", "consumer"] {
        let offset = CommittedOffset {
            topic: "events".to_owned(),
            partition: 0,
            offset: 1,
            leader_epoch: 0,
            metadata: Some("m".to_owned()),
        };
        store.commit_offsets(group, vec![offset]).await.unwrap();
    }
    let stopping = CancellationToken::new();
    let groups = Arc::new(Groups::new(stopping.clone()));
    tokio::spawn(Arc::clone(&groups).run_clock());
    let address = ([127, 0, 0, 1], 9092).into();
    let mut node = broker::node(store, address, groups, &stopping);
    node.protected.push("events".to_owned());
    Arc::new(node)
}

async fn ask(node: &Node, api: &'static Api, version: i16, body: Bytes) -> Result<Answer, String> {
    let head = Head {
        key: api.key as i16,
        version,
        correlation_id: 7,
        client_id: Some("tests".to_owned()),
    };
    let asked = Asked { api, head, body };
    // The paused clock advances only for waiting tasks, so this takes no real time.
    let answer = requests::answer(node, asked).await;
    answer.map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn every_request_of_every_version_is_answered() {
    let dir = TempDir::new().unwrap();
    let node = node(&dir).await;
    let mut random = StdRng::seed_from_u64(2);
    for (api, version) in each_version() {
        for _ in 0..60 {
            let body = Bytes::from(making::body(api, version, &mut random));
            match ask(&node, api, version, body.clone()).await {
                Ok(Answer::Frame(frame, _)) => {
                    let length = i32::try_from(frame.len() - 4).unwrap();
                    assert_eq!(frame[..4], length.to_be_bytes());
                    assert_eq!(frame[4..8], 7_i32.to_be_bytes());
                }
                Ok(Answer::Silence | Answer::Close) => {
                    assert!(matches!(api.key, ApiKey::Produce), "{:?}", api.key);
                }
                Err(error) => panic!("{:?} version {version}: {error}: {body:?}", api.key),
            }
        }
    }
    assert!(node.store.topics().named("events").is_some());
}

#[tokio::test(start_paused = true)]
async fn damaged_requests_do_no_harm() {
    let dir = TempDir::new().unwrap();
    let node = node(&dir).await;
    let mut random = StdRng::seed_from_u64(3);
    for round in 0..6_000 {
        let (api, version) = {
            let api = &APIS[round % APIS.len()];
            (api, random.random_range(api.oldest..=api.newest))
        };
        let mut body = making::body(api, version, &mut random);
        for _ in 0..random.random_range(1..6) {
            if body.is_empty() {
                break;
            }
            let place = random.random_range(0..body.len());
            match random.random_range(0..4) {
                0 => body[place] = random.random(),
                1 => body[place] = 0xff,
                2 => body.truncate(place),
                _ => body.insert(place, random.random()),
            }
        }
        // A response or an error, but never a panic or the end of the process.
        let _ = ask(&node, api, version, body.into()).await;
    }
    for _ in 0..2_000 {
        let mut body = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut body);
        let api = &APIS[random.random_range(0..APIS.len())];
        let version = random.random_range(api.oldest..=api.newest);
        let _ = ask(&node, api, version, body.into()).await;
    }
    assert!(node.store.topics().named("events").is_some());
}

#[test]
fn damaged_headers_are_refused() {
    let mut random = StdRng::seed_from_u64(4);
    for _ in 0..10_000 {
        let mut bytes = vec![0; random.random_range(0..40)];
        random.fill_bytes(&mut bytes);
        let mut bytes = Bytes::from(bytes);
        if Head::read(&mut bytes).is_ok() {
            let _ = frame::skip_header_tags(api(ApiKey::Metadata), 12, &mut bytes);
        }
    }
}

#[tokio::test]
async fn a_login_is_confirmed_only_to_a_client_with_a_place() {
    let dir = TempDir::new().unwrap();
    let credentials = Credentials {
        username: "me".to_owned(),
        password: "right".to_owned(),
    };
    let ending = CancellationToken::new();
    let mut service = Service::new(node(&dir).await, credentials, ending);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    for (places, confirmed) in [(1, true), (0, false)] {
        service.entrance = Entrance::with_bounds(places, 1);
        let client = async {
            let mut client = TcpStream::connect(address).await.unwrap();
            // SaslHandshake 0 with PLAIN, then the bare token.
            client
                .write_all(b"\0\0\0\x11\0\x11\0\0\0\0\0\x07\xff\xff\0\x05PLAIN")
                .await
                .unwrap();
            let length = client.read_u32().await.unwrap();
            let mut agreed = vec![0; usize::try_from(length).unwrap()];
            client.read_exact(&mut agreed).await.unwrap();
            client.write_all(b"\0\0\0\x09\0me\0right").await.unwrap();
            client.read_u32().await.ok()
        };
        let server = async {
            let (stream, _) = listener.accept().await.unwrap();
            let place = service.entrance.enter();
            connection::serve(stream, &service, place).await
        };
        // The client leaves after its answer, which ends the connection.
        let (answer, ended) = tokio::join!(client, server);
        assert_eq!(answer, confirmed.then_some(0), "{places} places");
        assert!(ended.is_ok(), "{ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_are_assembled_from_any_pieces() {
    let (mut client, mut server) = tokio::io::duplex(3);
    let sent: Vec<Vec<u8>> = (0..20_u8).map(|size| vec![size; size.into()]).collect();
    let copy = sent.clone();
    tokio::spawn(async move {
        for frame in copy {
            let length = i32::try_from(frame.len()).unwrap();
            client.write_all(&length.to_be_bytes()).await.unwrap();
            client.write_all(&frame).await.unwrap();
        }
    });
    let mut reader = FrameReader::new(Arc::new(Semaphore::new(0)));
    for frame in sent {
        let read = reader.next(&mut server, 100).await.unwrap().unwrap();
        assert_eq!(read.bytes, frame);
    }
    assert!(reader.next(&mut server, 100).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_too_large_or_too_slow_ends_the_connection() {
    let memory = Arc::new(Semaphore::new(1_000_000));
    for claimed in [101_i32, i32::MAX, -1, i32::MIN] {
        let (mut client, mut server) = tokio::io::duplex(64);
        client.write_i32(claimed).await.unwrap();
        let mut reader = FrameReader::new(Arc::clone(&memory));
        let error = reader.next(&mut server, 100).await.unwrap_err();
        assert!(matches!(error, FrameError::Length { .. }), "{error}");
    }
    let (mut client, mut server) = tokio::io::duplex(64);
    client.write_i32(900_000).await.unwrap();
    client.write_all(b"half").await.unwrap();
    let mut reader = FrameReader::new(Arc::clone(&memory));
    let error = reader.next(&mut server, 1_000_000).await.unwrap_err();
    assert!(matches!(error, FrameError::Slow), "{error}");
    drop(reader);
    assert_eq!(
        memory.available_permits(),
        1_000_000,
        "its memory was returned"
    );
    // Without the first byte of a frame there is no deadline.
    let (_client, mut server) = tokio::io::duplex(64);
    let mut reader = FrameReader::new(memory);
    let hours = Duration::from_secs(100_000);
    let waited = tokio::time::timeout(hours, reader.next(&mut server, 100)).await;
    assert!(waited.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_little_every_minute_loses_its_connection() {
    let (mut client, mut server) = tokio::io::duplex(1);
    let reading = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(50)).await;
            client.read_u8().await.unwrap();
        }
    });
    let sent = connection::send(&mut server, Bytes::from_static(b"response")).await;
    assert!(matches!(sent, Err(Ended::Stalled)), "{sent:?}");
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn large_frames_share_one_memory() {
    const SIZE: usize = 100_000;
    let memory = Arc::new(Semaphore::new(SIZE * 3 / 2));
    let send = async |client: &mut tokio::io::DuplexStream| {
        client
            .write_i32(i32::try_from(SIZE).unwrap())
            .await
            .unwrap();
        client.write_all(&vec![1; SIZE]).await.unwrap();
    };
    let (mut one, mut first) = tokio::io::duplex(SIZE * 2);
    let (mut two, mut second) = tokio::io::duplex(SIZE * 2);
    send(&mut one).await;
    send(&mut two).await;
    let mut first_reader = FrameReader::new(Arc::clone(&memory));
    let mut second_reader = FrameReader::new(Arc::clone(&memory));
    let held = first_reader.next(&mut first, SIZE).await.unwrap().unwrap();
    let waits = second_reader.next(&mut second, SIZE);
    let waited = tokio::time::timeout(Duration::from_secs(1), waits).await;
    assert!(waited.is_err(), "no memory is left for it");
    drop(held);
    let frame = second_reader.next(&mut second, SIZE).await.unwrap();
    assert_eq!(frame.unwrap().bytes.remaining(), SIZE);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_began_during_another_must_end_in_time_too() {
    const LARGE: i32 = 900_000;
    let memory = Arc::new(Semaphore::new(1_000_000));
    let (mut client, mut server) = tokio::io::duplex(64);
    client
        .write_all(&[&[0, 0, 0, 1, 9][..], &LARGE.to_be_bytes()].concat())
        .await
        .unwrap();
    let mut reader = FrameReader::new(Arc::clone(&memory));
    let first = reader.next(&mut server, 1_000_000).await.unwrap().unwrap();
    assert_eq!(first.bytes[..], [9]);
    let hours = Duration::from_secs(100_000);
    let second = tokio::time::timeout(hours, reader.next(&mut server, 1_000_000)).await;
    let error = second.expect("an end").unwrap_err();
    assert!(matches!(error, FrameError::Slow), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_keeps_nothing_of_a_large_frame() {
    const SIZE: usize = 100_000;
    let memory = Arc::new(Semaphore::new(SIZE));
    let (mut client, mut server) = tokio::io::duplex(SIZE * 2);
    client
        .write_i32(i32::try_from(SIZE).unwrap())
        .await
        .unwrap();
    client.write_all(&vec![1; SIZE]).await.unwrap();
    client.write_all(&[0, 0, 0, 1, 9]).await.unwrap();
    let mut reader = FrameReader::new(memory);
    let large = reader.next(&mut server, SIZE).await.unwrap().unwrap();
    assert_eq!(large.bytes.len(), SIZE);
    assert!(large.bytes.is_unique(), "the reader keeps its memory");
    let small = reader.next(&mut server, SIZE).await.unwrap().unwrap();
    assert_eq!(small.bytes[..], [9]);
}

#[tokio::test]
async fn a_response_holds_the_memory_of_a_batch_larger_than_requested() {
    let dir = TempDir::new().unwrap();
    let node = node(&dir).await;
    let partition = messages::fetch_request::FetchPartition::default().with_partition_max_bytes(1);
    let topic = messages::fetch_request::FetchTopic::default()
        .with_topic(crate::tests::wire::topic_name("events"))
        .with_partitions(vec![partition]);
    let request = messages::FetchRequest::default()
        .with_max_bytes(1)
        .with_min_bytes(1)
        .with_topics(vec![topic]);
    let mut body = BytesMut::new();
    request.encode(&mut body, 11).unwrap();
    let answer = ask(&node, api(ApiKey::Fetch), 11, body.freeze()).await;
    let Ok(Answer::Frame(frame, Some(memory))) = answer else {
        panic!("no response with records: {answer:?}");
    };
    let batch = crate::tests::wire::batch(&[(1, "a"), (2, "b")]).len();
    assert!(frame.len() > batch);
    assert_eq!(memory.num_permits(), batch);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_of_nothing_is_answered_at_once() {
    let dir = TempDir::new().unwrap();
    let node = node(&dir).await;
    let request = messages::FetchRequest::default()
        .with_max_wait_ms(30_000)
        .with_min_bytes(1);
    let mut body = BytesMut::new();
    request.encode(&mut body, 11).unwrap();
    let before = tokio::time::Instant::now();
    ask(&node, api(ApiKey::Fetch), 11, body.freeze())
        .await
        .unwrap();
    assert_eq!(before.elapsed(), Duration::ZERO);
}
