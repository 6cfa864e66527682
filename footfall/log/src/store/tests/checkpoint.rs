//! Tests that the write-ahead file stays small under every kind of write.

use std::{fs, time::Duration};

use super::*;
use crate::store::CLEANUP_POLICY;

/// Much longer than any step here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn options() -> StoreOptions {
    StoreOptions {
        checkpoint_bytes: 128 * 1024,
        ..super::options()
    }
}

fn main_file(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("records.db")).unwrap()
}

/// Waits until the main file has changed, so a checkpoint has moved something into it.
async fn until_moved(dir: &Path, before: &[u8]) {
    let moved = async {
        while main_file(dir) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.unwrap();
}

#[tokio::test]
async fn the_write_ahead_file_of_a_killed_program_is_moved_at_the_start() {
    let (dir, copy) = (
        tempfile::TempDir::new().unwrap(),
        tempfile::TempDir::new().unwrap(),
    );
    let killed = open(dir.path());
    let appended = topic(&killed, "t", 1).await;
    let one = vec![batch(&[(1, "a", "1")])];
    append(&killed, &appended.partitions[0], one).await.unwrap();
    for name in ["records.db", "records.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    killed.close().await;

    let store = open(copy.path());
    let left = fs::metadata(copy.path().join("records.db-wal")).unwrap();
    assert_eq!(left.len(), 0);
    let topics = store.topics();
    let partition = topics.named("t").unwrap().partition(0).unwrap();
    assert_eq!(everything(&store, partition).await.len(), 1);
    store.close().await;
}

#[tokio::test]
async fn the_write_ahead_file_stays_small_while_a_deleted_topic_is_emptied() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = Store::open(dir.path(), &options()).unwrap();
    let topic = topic(&store, "t", 1).await;
    let many = vec![batch(&[(1, "a", "1")]); 1000];
    append(&store, &topic.partitions[0], many).await.unwrap();
    store.close().await;

    let store = Store::open(dir.path(), &options()).unwrap();
    let before = main_file(dir.path());
    store.delete_topic("t").await.unwrap();
    until_moved(dir.path(), &before).await;
    store.close().await;
}

#[tokio::test]
async fn the_write_ahead_file_stays_small_while_a_topic_is_compacted() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = Store::open(dir.path(), &options()).unwrap();
    let configs = BTreeMap::from([(CLEANUP_POLICY.to_owned(), "compact".to_owned())]);
    let topic = store.create_topic("t", 1, configs).await.unwrap();
    for key in ["a", "b", "c", "d"] {
        let large = "x".repeat(100_000);
        let two = batch(&[(1, "same", "1"), (2, key, &large)]);
        append(&store, &topic.partitions[0], vec![two])
            .await
            .unwrap();
    }
    store.close().await;

    let store = Store::open(dir.path(), &options()).unwrap();
    let before = main_file(dir.path());
    assert_eq!(store.compact("t").await.unwrap(), 3);
    until_moved(dir.path(), &before).await;
    store.close().await;
}
