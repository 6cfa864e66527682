//! Tests the guarantees of the store.

mod checkpoint;
mod compact;
mod failures;
mod former;
mod log;
mod model;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bytes::Bytes;

use super::{Append, AppendError, Appended, Durability, Partition, Store, StoreOptions, Topic};
use crate::batch::{
    self, Builder, CheckedBatch, Codec, HEAD_BYTES, Head, Limits, Records, inflate,
};

/// Without fsync: the tests are many and short, and do not depend on the disk.
pub(super) fn options() -> StoreOptions {
    StoreOptions {
        durability: Durability::Process,
        ..StoreOptions::default()
    }
}

pub(super) fn open(dir: &Path) -> Store {
    Store::open(dir, &options()).unwrap()
}

pub(super) async fn topic(store: &Store, name: &str, partitions: i32) -> Arc<Topic> {
    let topic = store.create_topic(name, partitions, BTreeMap::new()).await;
    topic.unwrap()
}

/// A batch as a client sends it, from the timestamp, key and value of each record.
pub(super) fn batch(records: &[(i64, &str, &str)]) -> CheckedBatch {
    checked(sent(records, Codec::None))
}

pub(super) fn sent(records: &[(i64, &str, &str)], codec: Codec) -> Bytes {
    let mut builder = Builder::new(0, records[0].0);
    for (offset, (timestamp_ms, key, value)) in (0..).zip(records) {
        let (key, value) = (Some(key.as_bytes()), Some(value.as_bytes()));
        assert!(builder.add(offset, *timestamp_ms, key, value, [].into_iter()));
    }
    builder.finish(codec, 0).unwrap()
}

pub(super) fn checked(sent: Bytes) -> CheckedBatch {
    let mut batches = batch::check(sent, &Limits::default(), &mut 1_000_000_000).unwrap();
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// The same batch as an idempotent producer sends it.
pub(super) fn claimed(sent: &Bytes, producer: i64, epoch: i16, sequence: i32) -> CheckedBatch {
    let mut bytes = sent.to_vec();
    bytes[43..51].copy_from_slice(&producer.to_be_bytes());
    bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    checked(bytes.into())
}

pub(super) async fn append(
    store: &Store,
    partition: &Arc<Partition>,
    batches: Vec<CheckedBatch>,
) -> Result<Appended, AppendError> {
    let partition = Arc::clone(partition);
    let mut results = store.append(vec![Append { partition, batches }]).await;
    assert_eq!(results.len(), 1);
    results.remove(0)
}

/// A record as a consumer sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    pub(super) offset: i64,
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
}

/// The records of stored batches, after all checks that a consumer makes.
pub(super) fn records(mut bytes: &[u8]) -> Vec<Seen> {
    let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8(part.to_vec()).unwrap());
    let mut seen = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(i32::from_be_bytes(bytes[8..12].try_into().unwrap())).unwrap();
        let batch = &bytes[..12 + length];
        bytes = &bytes[12 + length..];
        let crc = u32::from_be_bytes(batch[17..21].try_into().unwrap());
        assert_eq!(crc32c::crc32c(&batch[21..]), crc);
        let head = Head::read(batch).unwrap();
        let inflated = inflate(head.compression(), &batch[HEAD_BYTES..], 1 << 26).unwrap();
        let mut records = Records::new(&head, &inflated);
        while let Some(record) = records.next().unwrap() {
            assert!((0..=head.last_offset_delta).contains(&record.offset_delta));
            seen.push(Seen {
                offset: head.base_offset + i64::from(record.offset_delta),
                timestamp_ms: record.timestamp_ms,
                key: text(record.key),
                value: text(record.value),
            });
        }
    }
    seen
}

/// All records of a partition, read in small pieces.
pub(super) async fn everything(store: &Store, partition: &Partition) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut from = partition.start();
    while from < partition.end() {
        let bytes = store.read(partition, from, 1000).await.unwrap();
        assert!(!bytes.is_empty(), "nothing at {from}");
        let mut next = records(&bytes);
        next.retain(|record| record.offset >= from);
        let head = last_head(&bytes);
        from = head.base_offset + i64::from(head.last_offset_delta) + 1;
        seen.extend(next);
    }
    seen
}

fn last_head(mut bytes: &[u8]) -> Head {
    loop {
        let length = usize::try_from(i32::from_be_bytes(bytes[8..12].try_into().unwrap())).unwrap();
        let (batch, rest) = bytes.split_at(12 + length);
        if rest.is_empty() {
            return Head::read(batch).unwrap();
        }
        bytes = rest;
    }
}
