//! Compares compaction with a plain list.

use super::*;
use crate::store::{CLEANUP_POLICY, StoreError};

async fn compacted(store: &Store, policy: &str) -> Arc<Topic> {
    let configs = BTreeMap::from([(CLEANUP_POLICY.to_owned(), policy.to_owned())]);
    store.create_topic("directory", 1, configs).await.unwrap()
}

/// Appends batches with few different keys, so that most keys repeat.
async fn fill(store: &Store, partition: &Arc<Partition>, batches: u32, codec: Codec) {
    let mut number = 7_u32;
    for turn in 0..batches {
        let mut keys = Vec::new();
        for _ in 0..=turn % 4 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            keys.push(format!("key{}", (number >> 16) % 50));
        }
        let time = i64::from(turn / 2 * 10);
        let value = format!("value {turn}");
        let records = keys.iter().map(|key| (time, key.as_str(), value.as_str()));
        append(
            store,
            partition,
            vec![checked(sent(&records.collect::<Vec<_>>(), codec))],
        )
        .await
        .unwrap();
    }
}

fn newest(mut all: Vec<Seen>) -> Vec<Seen> {
    let last: BTreeMap<_, _> = all
        .iter()
        .map(|seen| (seen.key.clone(), seen.offset))
        .collect();
    all.retain(|seen| last[&seen.key] == seen.offset);
    all
}

#[tokio::test]
async fn the_newest_record_of_each_key_stays_where_it_was() {
    for (codec, max_keys) in [(Codec::None, 1000), (Codec::Lz4, 1000), (Codec::None, 7)] {
        let dir = tempfile::TempDir::new().unwrap();
        let store = open(dir.path());
        let topic = compacted(&store, "compact").await;
        let partition = topic.partition(0).unwrap();
        fill(&store, partition, 400, codec).await;
        let before = everything(&store, partition).await;
        let expected = newest(before.clone());
        let end = partition.end();

        let removed = store.compact_partition(partition, max_keys).await.unwrap();
        assert_eq!(
            usize::try_from(removed).unwrap(),
            before.len() - expected.len()
        );
        assert_eq!(everything(&store, partition).await, expected);
        assert_eq!(partition.end(), end);
        assert_eq!(
            store.compact("directory").await.unwrap(),
            0,
            "a second time"
        );
        for time in [-1, 0, 55, expected.last().unwrap().timestamp_ms, 1_000_000] {
            let found = store.offset_for_time(partition, time).await.unwrap();
            let wanted = expected.iter().find(|seen| seen.timestamp_ms >= time);
            assert_eq!(
                found.map(|found| (found.offset, found.timestamp_ms)),
                wanted.map(|seen| (seen.offset, seen.timestamp_ms)),
                "{time}"
            );
        }
        store.close().await;

        let store = open(dir.path());
        let topics = store.topics();
        let partition = topics.named("directory").unwrap().partition(0).unwrap();
        assert_eq!(partition.end(), end);
        assert_eq!(everything(&store, partition).await, expected);
        store.close().await;
    }
}

#[tokio::test]
async fn a_topic_with_any_other_policy_keeps_everything() {
    for policy in ["delete", "compact,delete", ""] {
        let dir = tempfile::TempDir::new().unwrap();
        let store = open(dir.path());
        let topic = compacted(&store, policy).await;
        let partition = topic.partition(0).unwrap();
        fill(&store, partition, 20, Codec::None).await;
        let before = everything(&store, partition).await;
        let refused = store.compact("directory").await;
        assert!(matches!(refused, Err(StoreError::NotCompacted)));
        assert_eq!(everything(&store, partition).await, before);
        store.close().await;
    }
}

#[tokio::test]
async fn a_producer_continues_after_its_batches_were_compacted_away() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = compacted(&store, "compact").await;
    let partition = topic.partition(0).unwrap();
    let one = sent(&[(1, "key", "value")], Codec::None);
    for sequence in 0..3 {
        let batch = claimed(&one, 5, 0, sequence);
        append(&store, partition, vec![batch]).await.unwrap();
    }
    append(&store, partition, vec![checked(one.clone())])
        .await
        .unwrap();
    assert_eq!(store.compact("directory").await.unwrap(), 3);
    store.close().await;

    let store = open(dir.path());
    let topics = store.topics();
    let partition = topics.named("directory").unwrap().partition(0).unwrap();
    let again = append(&store, partition, vec![claimed(&one, 5, 0, 2)])
        .await
        .unwrap();
    assert_eq!((again.base_offset, again.duplicate), (2, true));
    let next = append(&store, partition, vec![claimed(&one, 5, 0, 3)])
        .await
        .unwrap();
    assert_eq!((next.base_offset, next.duplicate), (4, false));
    store.close().await;
}

#[tokio::test]
async fn tombstones_and_the_last_batch_stay() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = compacted(&store, "compact").await;
    let partition = topic.partition(0).unwrap();
    append(&store, partition, vec![batch(&[(1, "key", "value")])])
        .await
        .unwrap();
    let mut tombstone = Builder::new(0, 2);
    assert!(tombstone.add(0, 2, Some(b"key"), None, [].into_iter()));
    let tombstone = checked(tombstone.finish(Codec::None, 0).unwrap());
    append(&store, partition, vec![tombstone]).await.unwrap();
    assert_eq!(store.compact("directory").await.unwrap(), 1);
    let left = everything(&store, partition).await;
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].offset, &left[0].value), (1, &None));
    store.close().await;
}

#[tokio::test]
async fn a_compacted_topic_refuses_records_without_a_key() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = compacted(&store, "compact,delete").await;
    let partition = topic.partition(0).unwrap();
    let mut keyless = Builder::new(0, 2);
    assert!(keyless.add(0, 2, None, Some(b"value"), [].into_iter()));
    let keyless = checked(keyless.finish(Codec::None, 0).unwrap());
    let refused = append(&store, partition, vec![keyless]).await;
    assert_eq!(refused, Err(AppendError::NullKey));
    assert_eq!(partition.end(), 0);
    store.close().await;
}

#[tokio::test]
async fn the_largest_timestamp_is_found_during_a_compaction_whatever_clients_send() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = compacted(&store, "compact").await;
    let partition = topic.partition(0).unwrap();
    for (time, key) in [(i64::MAX, "a"), (-5, "b"), (-6, "a")] {
        append(&store, partition, vec![batch(&[(time, key, "value")])])
            .await
            .unwrap();
    }
    // A compaction in pieces: the record with the largest timestamp is gone, later batches are not corrected yet.
    let remove_first = |connection: &rusqlite::Connection| {
        let sql = "SELECT name FROM sqlite_schema WHERE name LIKE 'batches%'";
        let table: String = connection.query_row(sql, [], |row| row.get(0))?;
        connection.execute(&format!("DELETE FROM {table} WHERE base = 0"), [])?;
        Ok(())
    };
    store.with_writer(remove_first).await.unwrap();
    let found = store.max_timestamp(partition).await.unwrap().unwrap();
    assert_eq!((found.offset, found.timestamp_ms), (1, -5));
    store.close().await;
}
