//! Tests the migration of a log that an earlier version has written, at the level of tables.

use std::fs;

use rusqlite::{Connection, params};

use super::*;
use crate::store::{
    CommittedOffset, StoreError,
    former::{self, Progress},
};

/// The tables of the former file that the migration reads.
const TABLES: &str = "
    CREATE TABLE cluster (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);
    CREATE TABLE topic (id integer PRIMARY KEY AUTOINCREMENT, cluster int REFERENCES cluster (id), name text NOT NULL,
        uuid text NOT NULL, partitions int NOT NULL, replication_factor int NOT NULL, UNIQUE (cluster, name));
    CREATE TABLE topic_configuration (topic int REFERENCES topic (id), name text NOT NULL, value text,
        UNIQUE (topic, name));
    CREATE TABLE topition (id integer PRIMARY KEY AUTOINCREMENT, topic integer REFERENCES topic (id),
        partition integer, UNIQUE (topic, partition));
    CREATE TABLE watermark (id integer PRIMARY KEY AUTOINCREMENT, topition integer REFERENCES topition (id),
        low integer, high integer);
    CREATE TABLE record (topition integer REFERENCES topition (id), offset_id integer NOT NULL, attributes integer,
        producer_id integer, producer_epoch integer, timestamp integer, v blob, k blob,
        PRIMARY KEY (topition, offset_id));
    CREATE TABLE header (topition integer, offset_id integer, k blob, v blob,
        FOREIGN KEY (topition, offset_id) REFERENCES record (topition, offset_id));
    CREATE TABLE producer (id integer PRIMARY KEY AUTOINCREMENT, cluster int REFERENCES cluster (id));
    CREATE TABLE consumer_group (id integer PRIMARY KEY AUTOINCREMENT, cluster integer REFERENCES cluster (id),
        name text NOT NULL, UNIQUE (cluster, name));
    CREATE TABLE consumer_offset (consumer_group integer REFERENCES consumer_group (id),
        topition integer REFERENCES topition (id), committed_offset integer, leader_epoch integer, metadata text,
        UNIQUE (consumer_group, topition));";

const CONTENT: &str = "
    INSERT INTO cluster VALUES (1, 'footfall');
    INSERT INTO topic VALUES (1, 1, 'events', '0190a6a0-0000-7000-8000-000000000001', 2, 1),
        (2, 1, 'directory', '0190a6a0-0000-7000-8000-000000000002', 1, 1);
    INSERT INTO topic_configuration VALUES (1, 'retention.ms', '-1'), (2, 'cleanup.policy', 'compact'),
        (2, 'unset', NULL);
    INSERT INTO topition VALUES (1, 1, 0), (2, 1, 1), (3, 2, 0);
    INSERT INTO watermark VALUES (1, 1, 0, 5000), (2, 2, NULL, NULL), (3, 3, 2, 40);
    INSERT INTO producer VALUES (7, 1);
    INSERT INTO consumer_group VALUES (1, 1, 'readers');
    INSERT INTO consumer_offset VALUES (1, 1, 4321, NULL, 'note'), (1, 3, 5, 0, NULL);";

/// A former log. Its last writes are still in the write-ahead file while the returned connection is open.
fn former_log(dir: &Path) -> Connection {
    let connection = Connection::open(dir.join("log.db")).unwrap();
    connection
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection.execute_batch("BEGIN").unwrap();
    connection.execute_batch(CONTENT).unwrap();
    for offset in 0..5000_i64 {
        connection
            .execute(
                "INSERT INTO record (topition, offset_id, attributes, timestamp, k, v) VALUES (1, ?1, 0, ?2, ?3, ?4)",
                params![
                    offset,
                    1_700_000_000_000 + offset * 7 % 1000,
                    format!("key {}", offset % 10).into_bytes(),
                    format!("{{\"value\": {offset}, \"filler\": \"{}\"}}", "x".repeat(200)).into_bytes(),
                ],
            )
            .unwrap();
        if offset % 100 == 0 {
            for header in 0..3 {
                connection
                    .execute(
                        "INSERT INTO header VALUES (1, ?1, ?2, ?3)",
                        params![
                            offset,
                            format!("name {header}").into_bytes(),
                            (header != 1).then_some(b"value")
                        ],
                    )
                    .unwrap();
            }
        }
    }
    // Compacted: gaps between the records and after the last one.
    for (offset, key, value) in [
        (3, Some("a"), Some("1")),
        (9, None, Some("2")),
        (30, Some("b"), None),
    ] {
        connection
            .execute(
                "INSERT INTO record (topition, offset_id, attributes, timestamp, k, v) VALUES (3, ?1, 0, 5, ?2, ?3)",
                params![offset, key, value],
            )
            .unwrap();
    }
    // A transaction marker, which consumers do not see.
    connection
        .execute(
            "INSERT INTO record VALUES (3, 35, 32, 1, 0, 5, x'0000', x'0000')",
            [],
        )
        .unwrap();
    connection.execute_batch("COMMIT").unwrap();
    connection
}

/// Copies the files as a killed program leaves them, the write-ahead file included.
fn as_killed(from: &Path, to: &Path) {
    for name in ["log.db", "log.db-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_former_log_is_migrated_with_its_offsets() {
    let (source, dir) = (
        tempfile::TempDir::new().unwrap(),
        tempfile::TempDir::new().unwrap(),
    );
    let running = former_log(source.path());
    as_killed(source.path(), dir.path());
    drop(running);
    let old_main = fs::metadata(dir.path().join("log.db")).unwrap().len();
    assert!(
        old_main < 100_000,
        "the records are in the write-ahead file"
    );
    assert!(former::is_former(dir.path()));

    let mut reports: Vec<Progress> = Vec::new();
    let migrated = former::migrate(dir.path(), &mut |progress| reports.push(progress)).unwrap();
    assert_eq!((migrated.topics, migrated.records), (2, 5003));
    assert!(migrated.kept.is_file());
    assert!(!former::is_former(dir.path()));
    assert_eq!(reports.first().unwrap().done, 0);
    let last = reports.last().unwrap();
    assert_eq!((last.done, last.total), (10_006, 10_006));

    let store = open(dir.path());
    let topics = store.topics();
    let events = topics.named("events").unwrap();
    assert_eq!(
        events.id.to_string(),
        "0190a6a0-0000-7000-8000-000000000001"
    );
    assert_eq!(
        events.configs,
        BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())])
    );
    let partition = events.partition(0).unwrap();
    let seen = everything(&store, partition).await;
    assert_eq!(seen.len(), 5000);
    for (offset, seen) in (0..).zip(&seen) {
        assert_eq!(seen.offset, offset);
        assert_eq!(seen.timestamp_ms, 1_700_000_000_000 + offset * 7 % 1000);
        assert_eq!(seen.key, Some(format!("key {}", offset % 10)));
    }
    let bytes = store.read(partition, 0, 1).await.unwrap();
    assert!(bytes.len() < 200_000, "compressed: {}", bytes.len());
    assert_eq!(events.partition(1).unwrap().end(), 0);

    let directory = topics.named("directory").unwrap().partition(0).unwrap();
    let seen = everything(&store, directory).await;
    let offsets: Vec<i64> = seen.iter().map(|seen| seen.offset).collect();
    assert_eq!(offsets, [3, 9, 30]);
    assert_eq!((&seen[1].key, &seen[2].value), (&None, &None));
    assert_eq!((directory.start(), directory.end()), (2, 40));
    let next = append(&store, directory, vec![batch(&[(6, "c", "3")])]).await;
    assert_eq!(next.unwrap().base_offset, 40);

    let committed = store.committed_offsets("readers").await.unwrap();
    let offset = |topic: &str, offset, leader_epoch, metadata: Option<&str>| CommittedOffset {
        topic: topic.to_owned(),
        partition: 0,
        offset,
        leader_epoch,
        metadata: metadata.map(str::to_owned),
    };
    let expected = [
        offset("directory", 5, 0, None),
        offset("events", 4321, -1, Some("note")),
    ];
    assert_eq!(committed, expected);
    assert_eq!(store.allocate_producer_id().await.unwrap(), 8);
    store.close().await;
}

#[tokio::test]
async fn an_interrupted_migration_is_repeated_or_finished() {
    let dir = tempfile::TempDir::new().unwrap();
    drop(former_log(dir.path()));
    // Half of a new file, which must be ignored.
    fs::write(dir.path().join("records.db.new"), b"half").unwrap();
    fs::write(dir.path().join("records.db.new-wal"), b"more").unwrap();
    former::migrate(dir.path(), &mut |_| {}).unwrap();
    // The state after a crash between the two renames.
    fs::rename(
        dir.path().join("log.db.migrated"),
        dir.path().join("log.db"),
    )
    .unwrap();
    let before = fs::read(dir.path().join("records.db")).unwrap();
    former::migrate(dir.path(), &mut |_| {}).unwrap();
    assert_eq!(fs::read(dir.path().join("records.db")).unwrap(), before);
    assert!(!former::is_former(dir.path()));
    let store = open(dir.path());
    let topics = store.topics();
    assert_eq!(
        topics.named("events").unwrap().partition(0).unwrap().end(),
        5000
    );
    store.close().await;
}

#[test]
fn a_log_written_by_an_earlier_version_after_the_migration_is_not_ignored() {
    let dir = tempfile::TempDir::new().unwrap();
    let (former, kept) = (
        dir.path().join("log.db"),
        dir.path().join("log.db.migrated"),
    );
    drop(former_log(dir.path()));
    former::migrate(dir.path(), &mut |_| {}).unwrap();
    let first = fs::read(&kept).unwrap();
    // The earlier version finds no log, and creates another one.
    let second = former_log(dir.path());
    let record = "INSERT INTO record (topition, offset_id, attributes, timestamp, k, v) VALUES (1, 5000, 0, 1, x'01', x'02')";
    second.execute(record, []).unwrap();
    drop(second);
    let refused = former::migrate(dir.path(), &mut |_| {});
    assert!(matches!(refused, Err(StoreError::Former(_))), "{refused:?}");
    assert!(former.is_file(), "the former log was not moved");
    assert_eq!(fs::read(&kept).unwrap(), first);

    // Without the new file it is migrated, and the log kept before stays.
    fs::remove_file(dir.path().join("records.db")).unwrap();
    let migrated = former::migrate(dir.path(), &mut |_| {}).unwrap();
    assert_eq!(migrated.records, 5004);
    assert_eq!(fs::read(&kept).unwrap(), first);
    assert_ne!(migrated.kept, kept);
    assert!(migrated.kept.is_file() && !former.exists());
}

#[test]
fn a_migration_that_fails_leaves_the_former_log_as_it_was() {
    let dir = tempfile::TempDir::new().unwrap();
    let former = former_log(dir.path());
    former
        .execute("UPDATE topic SET uuid = 'nonsense' WHERE id = 2", [])
        .unwrap();
    drop(former);
    let failed = former::migrate(dir.path(), &mut |_| {});
    assert!(matches!(failed, Err(StoreError::Former(_))), "{failed:?}");
    assert!(former::is_former(dir.path()));
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name.starts_with("records.db"));
    assert_eq!(names, Vec::<String>::new());
}
