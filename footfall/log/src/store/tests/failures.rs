//! Tests a full disk, a failing disk, a full queue, and deletions.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::mpsc::{Sender, channel},
};

use rusqlite::ffi;

use super::*;
use crate::store::{CommittedOffset, StoreError, room, schema};

impl Store {
    /// Holds the writer until the returned sender is dropped, so that all jobs sent meanwhile form one group.
    fn hold(&self) -> (Sender<()>, impl Future<Output = ()>) {
        let (release, held) = channel::<()>();
        let (entered, inside) = tokio::sync::oneshot::channel();
        let mut entered = Some(entered);
        let store = self.clone();
        let holding = tokio::spawn(async move {
            let wait = move |_: &rusqlite::Connection| {
                let _ = entered.take().map(|entered| entered.send(()));
                let _ = held.recv();
                Ok(())
            };
            store.change(wait, |_, ()| {}).await.unwrap();
        });
        (release, async move {
            inside.await.unwrap();
            drop(holding);
        })
    }

    /// Runs a function on the writer's connection.
    pub(super) async fn with_writer(
        &self,
        work: impl FnMut(&rusqlite::Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.change(work, |_, ()| {}).await
    }

    fn send(
        &self,
        partition: &Arc<Partition>,
        batch: CheckedBatch,
    ) -> impl Future<Output = Vec<Result<Appended, AppendError>>> + use<> {
        let partition = Arc::clone(partition);
        let batches = vec![batch];
        self.append(vec![Append { partition, batches }])
    }
}

fn large() -> CheckedBatch {
    // Not compressed, so that the file must grow by this size.
    batch(&[(1, "key", &"0123456789".repeat(50_000))])
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_nothing_else() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = topic(&store, "t", 2).await;
    let [first, second] = &topic.partitions[..] else {
        panic!("two partitions")
    };
    append(&store, first, vec![batch(&[(1, "a", "1")])])
        .await
        .unwrap();
    let pages = |count| {
        move |connection: &rusqlite::Connection| {
            Ok(connection.pragma_update(None, "max_page_count", count)?)
        }
    };
    // The existing pages, plus a few.
    store.with_writer(pages(40)).await.unwrap();

    let (release, held) = store.hold();
    held.await;
    let small = store.send(first, batch(&[(2, "b", "2")]));
    let big = store.send(second, large());
    let after = store.send(first, batch(&[(3, "c", "3")]));
    drop(release);
    assert_eq!(small.await[0].unwrap().base_offset, 1);
    assert_eq!(big.await, [Err(AppendError::Storage)]);
    assert_eq!(after.await[0].unwrap().base_offset, 2);
    assert_eq!((first.end(), second.end()), (3, 0));

    store.with_writer(pages(100_000)).await.unwrap();
    assert_eq!(
        append(&store, second, vec![large()])
            .await
            .unwrap()
            .base_offset,
        0
    );
    store.close().await;
    let store = open(dir.path());
    let topics = store.topics();
    let topic = topics.named("t").unwrap();
    assert_eq!(
        (topic.partitions[0].end(), topic.partitions[1].end()),
        (3, 1)
    );
    store.close().await;
}

#[tokio::test]
async fn after_the_disk_failed_nothing_is_acknowledged_until_the_next_start() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = topic(&store, "t", 1).await;
    let partition = &topic.partitions[0];
    append(&store, partition, vec![batch(&[(1, "a", "1")])])
        .await
        .unwrap();

    let (release, held) = store.hold();
    held.await;
    let same_group = store.send(partition, batch(&[(2, "b", "2")]));
    let failing = store.clone();
    let failing = tokio::spawn(async move {
        let fail = |_: &rusqlite::Connection| {
            let error = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
            Err(rusqlite::Error::SqliteFailure(error, None).into())
        };
        failing.with_writer(fail).await
    });
    // Let the change reach the queue before the writer continues.
    tokio::task::yield_now().await;
    drop(release);
    assert_eq!(same_group.await, [Err(AppendError::Storage)]);
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Sqlite(_))));
    let later = append(&store, partition, vec![batch(&[(3, "c", "3")])]).await;
    assert_eq!(later, Err(AppendError::Storage));
    assert!(matches!(
        store.allocate_producer_id().await,
        Err(StoreError::Broken)
    ));
    assert_eq!(partition.end(), 1);
    // Acknowledged records remain readable.
    assert_eq!(everything(&store, partition).await.len(), 1);
    store.close().await;

    let store = open(dir.path());
    let topics = store.topics();
    let partition = topics.named("t").unwrap().partition(0).unwrap();
    let again = append(&store, partition, vec![batch(&[(4, "d", "4")])]).await;
    assert_eq!(again.unwrap().base_offset, 1);
    store.close().await;
}

#[tokio::test]
async fn a_full_quota_is_a_full_disk_and_not_a_broken_one() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = topic(&store, "t", 1).await;
    let partition = &topic.partitions[0];
    let fail = |_: &rusqlite::Connection| {
        // SQLite's code for EDQUOT.
        let error = ffi::Error::new(ffi::SQLITE_IOERR_WRITE);
        Err(rusqlite::Error::SqliteFailure(error, None).into())
    };
    std::os::unix::fs::symlink("/dev/full", dir.path().join(room::FILE)).unwrap();
    store.with_writer(fail).await.unwrap_err();
    let later = append(&store, partition, vec![batch(&[(1, "a", "1")])]).await;
    assert_eq!(later.unwrap().base_offset, 0);

    // With room left, the same failure is one of the disk.
    store.with_writer(fail).await.unwrap_err();
    let later = append(&store, partition, vec![batch(&[(2, "b", "2")])]).await;
    assert_eq!(later, Err(AppendError::Storage));
    store.close().await;
}

#[tokio::test]
async fn appends_beyond_the_queue_are_refused_and_later_ones_accepted() {
    let dir = tempfile::TempDir::new().unwrap();
    let options = StoreOptions {
        max_queued_bytes: 1000,
        ..options()
    };
    let store = Store::open(dir.path(), &options).unwrap();
    let topic = topic(&store, "t", 1).await;
    let partition = &topic.partitions[0];
    let (release, held) = store.hold();
    held.await;
    // An empty queue accepts any size. Otherwise a large append could never succeed.
    let waiting = store.send(partition, large());
    let refused = store.send(partition, batch(&[(2, "b", "2")])).await;
    assert_eq!(refused, [Err(AppendError::Full)]);
    drop(release);
    assert_eq!(waiting.await[0].unwrap().base_offset, 0);
    let later = append(&store, partition, vec![batch(&[(3, "c", "3")])]).await;
    assert_eq!(later.unwrap().base_offset, 1);
    store.close().await;
    let closed = append(
        &store_of(dir.path()).await,
        partition,
        vec![batch(&[(1, "a", "1")])],
    )
    .await;
    assert_eq!(closed, Err(AppendError::Storage), "a closed store");
}

/// A handle to a store that is already closed.
async fn store_of(dir: &Path) -> Store {
    let store = open(dir);
    let kept = store.clone();
    store.close().await;
    kept
}

#[tokio::test]
async fn the_oldest_producers_are_forgotten_in_memory_and_in_the_file() {
    let dir = tempfile::TempDir::new().unwrap();
    let options = StoreOptions {
        max_producers: 16,
        ..options()
    };
    let one = sent(&[(1, "key", "value")], Codec::None);
    let mut store = Store::open(dir.path(), &options).unwrap();
    topic(&store, "t", 1).await;
    for restarted in [false, true] {
        let topics = store.topics();
        let partition = topics.named("t").unwrap().partition(0).unwrap();
        if !restarted {
            for producer in 0..40 {
                let batch = claimed(&one, producer, 0, 0);
                append(&store, partition, vec![batch]).await.unwrap();
            }
        }
        let oldest = append(&store, partition, vec![claimed(&one, 1, 0, 1)]).await;
        assert_eq!(oldest, Err(AppendError::UnknownProducerId));
        let newest = append(&store, partition, vec![claimed(&one, 39, 0, 0)])
            .await
            .unwrap();
        assert_eq!((newest.base_offset, newest.duplicate), (39, true));
        let kept = |connection: &rusqlite::Connection| {
            let count: usize = connection
                .query_row("SELECT count(*) FROM producers", [], |row| {
                    row.get::<_, i64>(0)
                })?
                .try_into()
                .unwrap();
            assert!((8..=16).contains(&count), "{count}");
            Ok(())
        };
        store.with_writer(kept).await.unwrap();
        store.close().await;
        store = Store::open(dir.path(), &options).unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn deleting_a_topic_removes_nothing_of_other_topics() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let (kept, deleted) = (
        topic(&store, "kept", 1).await,
        topic(&store, "deleted", 2).await,
    );
    let offset = |topic: &str| CommittedOffset {
        topic: topic.to_owned(),
        partition: 0,
        offset: 3,
        leader_epoch: -1,
        metadata: None,
    };
    store
        .commit_offsets("g", vec![offset("kept"), offset("deleted")])
        .await
        .unwrap();
    for partition in kept.partitions.iter().chain(&deleted.partitions) {
        for _ in 0..70 {
            append(&store, partition, vec![batch(&[(1, "a", "1")])])
                .await
                .unwrap();
        }
    }
    let mut waiting = deleted.partitions[0].watch();
    waiting.mark_unchanged();
    store.delete_topic("deleted").await.unwrap();
    waiting.changed().await.unwrap();
    assert!(deleted.partitions[0].is_gone());
    let late = append(
        &store,
        &deleted.partitions[0],
        vec![batch(&[(1, "a", "1")])],
    )
    .await;
    assert_eq!(late, Err(AppendError::Gone));
    assert!(
        store
            .read(&deleted.partitions[0], 0, 1000)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(matches!(
        store.delete_topic("deleted").await,
        Err(StoreError::UnknownTopic)
    ));
    // A new topic with the same name is another topic.
    let again = topic(&store, "deleted", 1).await;
    assert_ne!(again.id, deleted.id);
    assert_eq!(again.partitions[0].end(), 0);
    append(&store, &again.partitions[0], vec![batch(&[(1, "b", "2")])])
        .await
        .unwrap();
    // Between two jobs the writer removes the rest of the deleted topic.
    let tables = || async {
        let count = std::sync::Arc::new(std::sync::Mutex::new(0));
        let counted = Arc::clone(&count);
        let work = move |connection: &rusqlite::Connection| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'batches%'";
            *counted.lock().unwrap() = connection.query_row(sql, [], |row| row.get::<_, i64>(0))?;
            Ok(())
        };
        store.with_writer(work).await.unwrap();
        *count.lock().unwrap()
    };
    while tables().await != 2 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert_eq!(
        store.committed_offsets("g").await.unwrap(),
        [offset("kept")]
    );
    assert_eq!(everything(&store, &kept.partitions[0]).await.len(), 70);
    store.close().await;
    let store = open(dir.path());
    let names: Vec<String> = store
        .topics()
        .iter()
        .map(|topic| topic.name.clone())
        .collect();
    assert_eq!(names, ["deleted", "kept"]);
    store.close().await;
}

#[tokio::test]
async fn other_users_cannot_read_the_files_even_in_a_folder_with_a_strange_name() {
    let dir = tempfile::TempDir::new().unwrap();
    for name in [
        "plain",
        "file:a?b=c#d%20",
        "spaces and ümläute\n",
        "with'quote\"",
    ] {
        let folder = dir.path().join(name).join("log");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let store = open(&folder);
        let topic = topic(&store, "t", 1).await;
        append(&store, &topic.partitions[0], vec![batch(&[(1, "a", "1")])])
            .await
            .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700);
        for file in [
            "records.db",
            "records.db-wal",
            "records.db-shm",
            "records.lock",
        ] {
            assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
        }
        store.close().await;
    }
}

#[test]
fn a_file_just_removed_by_a_closing_store_is_not_an_error() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("records.db-wal");
    schema::protect_if_there(&file).unwrap();
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    schema::protect_if_there(&file).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn a_file_of_another_program_or_a_newer_layout_is_refused() {
    for (application, version) in [(7, 0), (0x4666_4c67, 2)] {
        let dir = tempfile::TempDir::new().unwrap();
        let connection = rusqlite::Connection::open(dir.path().join("records.db")).unwrap();
        connection
            .pragma_update(None, "application_id", application)
            .unwrap();
        connection
            .pragma_update(None, "user_version", version)
            .unwrap();
        drop(connection);
        let refused = Store::open(dir.path(), &options());
        assert!(matches!(refused, Err(StoreError::Foreign { .. })));
    }
    let dir = tempfile::TempDir::new().unwrap();
    fs::write(
        dir.path().join("records.db"),
        "not a database, but long enough to be examined".repeat(100),
    )
    .unwrap();
    assert!(matches!(
        Store::open(dir.path(), &options()),
        Err(StoreError::Sqlite(_))
    ));
}

#[tokio::test]
async fn groups_and_ids_survive_a_restart() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    topic(&store, "t", 2).await;
    let offset = |partition, offset| CommittedOffset {
        topic: "t".to_owned(),
        partition,
        offset,
        leader_epoch: 0,
        metadata: Some("note".to_owned()),
    };
    store
        .commit_offsets("b", vec![offset(0, 5), offset(1, 6)])
        .await
        .unwrap();
    store.commit_offsets("b", vec![offset(0, 7)]).await.unwrap();
    store.commit_offsets("a", vec![offset(0, 1)]).await.unwrap();
    let unknown = CommittedOffset {
        topic: "u".to_owned(),
        ..offset(0, 1)
    };
    store.commit_offsets("a", vec![unknown]).await.unwrap();
    assert_eq!(store.allocate_producer_id().await.unwrap(), 0);
    let id = store.cluster_id().to_owned();
    assert_eq!(id.len(), 22);
    store.close().await;

    let store = open(dir.path());
    assert_eq!(store.cluster_id(), id);
    assert_eq!(store.allocate_producer_id().await.unwrap(), 1);
    assert_eq!(store.groups().await.unwrap(), ["a", "b"]);
    assert_eq!(
        store.committed_offsets("b").await.unwrap(),
        [offset(0, 7), offset(1, 6)]
    );
    assert_eq!(store.committed_offsets("a").await.unwrap(), [offset(0, 1)]);
    store
        .delete_offsets("b", vec![("t".to_owned(), 1)])
        .await
        .unwrap();
    store.delete_group("a").await.unwrap();
    assert_eq!(store.committed_offsets("b").await.unwrap(), [offset(0, 7)]);
    assert_eq!(store.groups().await.unwrap(), ["b"]);
    assert!(matches!(
        store.create_topic("t", 1, BTreeMap::new()).await,
        Err(StoreError::TopicExists)
    ));
    store.close().await;
}
