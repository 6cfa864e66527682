//! Tests topics, appends and reads.

use super::*;
use crate::store::{StoreError, ids::base64, tail::Kept, tails::Tails};

#[tokio::test]
async fn appended_batches_are_read_from_memory_and_from_the_file() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let first = topic(&store, "first", 2).await;
    let partition = first.partition(1).unwrap();
    let mut ends = partition.watch();
    let two = batch(&[(10, "a", "1"), (20, "b", "2")]);
    let appended = append(&store, partition, vec![two.clone(), two]).await;
    let expected = Appended {
        base_offset: 0,
        duplicate: false,
    };
    assert_eq!(appended, Ok(expected));
    ends.changed().await.unwrap();
    assert_eq!((partition.end(), *ends.borrow()), (4, 4));
    assert_eq!(first.partition(0).unwrap().end(), 0);
    assert_eq!((partition.topic.as_str(), partition.index), ("first", 1));
    assert_eq!(partition.leader_epoch(), 0);

    let fresh = everything(&store, partition).await;
    assert_eq!(fresh.len(), 4);
    assert_eq!(fresh[3].offset, 3);
    store.close().await;

    let store = open(dir.path());
    let topics = store.topics();
    let reopened = topics.named("first").unwrap();
    assert_eq!(reopened.id, first.id);
    assert_eq!(topics.with_id(first.id).unwrap().name, "first");
    let partition = reopened.partition(1).unwrap();
    assert_eq!(partition.end(), 4);
    assert_eq!(everything(&store, partition).await, fresh);
    // A read from the middle of a batch returns the whole batch.
    let bytes = store.read(partition, 3, 1).await.unwrap();
    assert_eq!(records(&bytes)[0].offset, 2);
    assert!(store.read(partition, 4, 1).await.unwrap().is_empty());
    store.close().await;
}

#[tokio::test]
async fn nothing_is_read_after_the_end() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = topic(&store, "t", 1).await;
    let partition = topic.partition(0).unwrap();
    let one = batch(&[(10, "a", "1")]);
    append(&store, partition, vec![one.clone()]).await.unwrap();
    // The state after a commit, before the writer publishes the new end.
    let next = Kept {
        base: 1,
        end: 2,
        bytes: one.placed(1, 0),
    };
    Tails::new(10_000).push(partition, next);
    assert_eq!(partition.end(), 1);
    let seen = records(&store.read(partition, 0, 10_000).await.unwrap());
    assert_eq!(seen.len(), 1, "{seen:?}");
    store.close().await;
}

#[tokio::test]
async fn a_second_store_on_the_folder_is_refused() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let second = Store::open(dir.path(), &options());
    assert!(matches!(second, Err(StoreError::InUse { .. })));
    store.close().await;
}

#[test]
fn ids_are_written_as_kafka_writes_them() {
    use uuid::Uuid;
    assert_eq!(base64(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(base64(Uuid::max()), "_____________________w");
    let id = Uuid::from_u128(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f);
    assert_eq!(base64(id), "AAECAwQFBgcICQoLDA0ODw");
}
