//! Compares the store with a plain list of all appended records.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// Partitions of the only topic.
const PARTITIONS: i32 = 2;

#[derive(Clone, Debug)]
enum Step {
    /// The next batch of a producer, or a batch without one.
    Send(i32, Option<i64>, Vec<(i64, u8)>, bool),
    /// A repeat of an earlier batch, this many batches back.
    Again(i32, i64, usize),
    /// A batch whose predecessors are missing.
    Skip(i32, i64),
    /// The first batch of the producer's next epoch.
    NextEpoch(i32, i64),
    /// A batch of the previous epoch.
    FormerEpoch(i32, i64),
    Restart,
    Read(i32, prop::sample::Index, usize),
    Time(i32, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (partition, producer) = (0..PARTITIONS, 0..3_i64);
    let records = prop::collection::vec((0..60_i64, any::<u8>()), 1..6);
    prop_oneof![
        8 => (partition.clone(), prop::option::of(producer.clone()), records, any::<bool>())
            .prop_map(|(partition, producer, records, lz4)| Step::Send(partition, producer, records, lz4)),
        3 => (partition.clone(), producer.clone(), 0..8_usize)
            .prop_map(|(partition, producer, back)| Step::Again(partition, producer, back)),
        1 => (partition.clone(), producer.clone()).prop_map(|(at, producer)| Step::Skip(at, producer)),
        1 => (partition.clone(), producer.clone()).prop_map(|(at, producer)| Step::NextEpoch(at, producer)),
        1 => (partition.clone(), producer).prop_map(|(at, producer)| Step::FormerEpoch(at, producer)),
        1 => Just(Step::Restart),
        5 => (partition.clone(), any::<prop::sample::Index>(), 0..500_usize)
            .prop_map(|(partition, from, max_bytes)| Step::Read(partition, from, max_bytes)),
        2 => (partition, -1..70_i64).prop_map(|(partition, time)| Step::Time(partition, time)),
    ]
}

/// A producer's batches of its newest epoch in one partition: the bytes, first sequence, count and offset of each.
#[derive(Default)]
struct Sender {
    epoch: i16,
    next: i32,
    batches: Vec<(Bytes, i32, i32, i64)>,
}

#[derive(Default)]
struct Model {
    logs: HashMap<i32, Vec<Seen>>,
    senders: HashMap<(i32, i64), Sender>,
}

fn options() -> StoreOptions {
    StoreOptions {
        // Small, so that most reads go to the file.
        tail_bytes: 400,
        ..super::options()
    }
}

fn partition(store: &Store, index: i32) -> Arc<Partition> {
    Arc::clone(store.topics().named("t").unwrap().partition(index).unwrap())
}

impl Model {
    async fn run(&mut self, dir: &Path, steps: Vec<Step>) {
        let mut store = Store::open(dir, &options()).unwrap();
        topic(&store, "t", PARTITIONS).await;
        for step in steps {
            match step {
                Step::Restart => {
                    store.close().await;
                    store = Store::open(dir, &options()).unwrap();
                }
                Step::Read(at, from, max_bytes) => self.read(&store, at, from, max_bytes).await,
                Step::Time(at, time) => self.time(&store, at, time).await,
                other => self.append(&store, other).await,
            }
        }
        for at in 0..PARTITIONS {
            let all = everything(&store, &partition(&store, at)).await;
            assert_eq!(all, self.logs.remove(&at).unwrap_or_default());
        }
        store.close().await;
    }

    async fn append(&mut self, store: &Store, step: Step) {
        let one = sent(&[(30, "key", "value")], Codec::None);
        match step {
            Step::Send(at, producer, records, lz4) => {
                let texts: Vec<(i64, String)> = records
                    .iter()
                    .map(|(time, key)| (*time, key.to_string()))
                    .collect();
                let records: Vec<(i64, &str, &str)> = texts
                    .iter()
                    .map(|(time, key)| (*time, key.as_str(), "value"))
                    .collect();
                let codec = if lz4 { Codec::Lz4 } else { Codec::None };
                self.send(store, at, producer, &sent(&records, codec)).await;
            }
            Step::NextEpoch(at, producer) => {
                let sender = self.senders.entry((at, producer)).or_default();
                if sender.next > 0 {
                    sender.epoch += 1;
                    sender.next = 0;
                    sender.batches.clear();
                    let skipped = claimed(&one, producer, sender.epoch, 1);
                    let refused = append(store, &partition(store, at), vec![skipped]).await;
                    assert_eq!(refused, Err(AppendError::OutOfOrderSequence));
                    self.send(store, at, Some(producer), &one).await;
                }
            }
            Step::Again(at, producer, back) => {
                let Some(sender) = self.senders.get(&(at, producer)) else {
                    return;
                };
                let Some(index) = sender.batches.len().checked_sub(back + 1) else {
                    return;
                };
                let (bytes, sequence, _, offset) = &sender.batches[index];
                let batch = claimed(bytes, producer, sender.epoch, *sequence);
                let again = append(store, &partition(store, at), vec![batch]).await;
                if back < 5 {
                    let again = again.unwrap();
                    assert_eq!((again.base_offset, again.duplicate), (*offset, true));
                } else {
                    assert_eq!(again, Err(AppendError::DuplicateSequence));
                }
            }
            Step::Skip(at, producer) => {
                let sender = self.senders.entry((at, producer)).or_default();
                let batch = claimed(&one, producer, sender.epoch, sender.next + 1);
                let expected = match sender.next {
                    0 => AppendError::UnknownProducerId,
                    _ => AppendError::OutOfOrderSequence,
                };
                let refused = append(store, &partition(store, at), vec![batch]).await;
                assert_eq!(refused, Err(expected));
            }
            Step::FormerEpoch(at, producer) => {
                let Some(sender) = self.senders.get(&(at, producer)) else {
                    return;
                };
                if sender.epoch > 0 {
                    let batch = claimed(&one, producer, sender.epoch - 1, 0);
                    let refused = append(store, &partition(store, at), vec![batch]).await;
                    assert_eq!(refused, Err(AppendError::InvalidProducerEpoch));
                }
            }
            Step::Restart | Step::Read(..) | Step::Time(..) => unreachable!(),
        }
    }

    async fn send(&mut self, store: &Store, at: i32, producer: Option<i64>, bytes: &Bytes) {
        let log = self.logs.entry(at).or_default();
        let offset = i64::try_from(log.len()).unwrap();
        let seen = records(bytes);
        let batch = match producer {
            None => checked(bytes.clone()),
            Some(producer) => {
                let sender = self.senders.entry((at, producer)).or_default();
                let count = i32::try_from(seen.len()).unwrap();
                sender
                    .batches
                    .push((bytes.clone(), sender.next, count, offset));
                sender.next += count;
                claimed(bytes, producer, sender.epoch, sender.next - count)
            }
        };
        let appended = append(store, &partition(store, at), vec![batch])
            .await
            .unwrap();
        assert_eq!((appended.base_offset, appended.duplicate), (offset, false));
        log.extend(seen.into_iter().map(|seen| Seen {
            offset: seen.offset + offset,
            ..seen
        }));
        assert_eq!(
            partition(store, at).end(),
            i64::try_from(log.len()).unwrap()
        );
    }

    async fn read(&self, store: &Store, at: i32, from: prop::sample::Index, max_bytes: usize) {
        let log = self.logs.get(&at).map_or(&[][..], Vec::as_slice);
        let from = from.index(log.len() + 1);
        let wanted = i64::try_from(from).unwrap();
        let bytes = store
            .read(&partition(store, at), wanted, max_bytes)
            .await
            .unwrap();
        let found = records(&bytes);
        assert_eq!(found.is_empty(), from == log.len());
        // Whole batches: at least one, otherwise not more than requested.
        if let Some(first) = found.first() {
            let begin = usize::try_from(first.offset).unwrap();
            assert!(begin <= from && from < begin + found.len());
            assert_eq!(found, log[begin..begin + found.len()]);
            let first = i32::from_be_bytes(bytes[8..12].try_into().unwrap());
            let first = usize::try_from(first).unwrap() + 12;
            assert!(bytes.len() == first || bytes.len() <= max_bytes);
        }
    }

    async fn time(&self, store: &Store, at: i32, time: i64) {
        let log = self.logs.get(&at).map_or(&[][..], Vec::as_slice);
        let partition = partition(store, at);
        let found = store.offset_for_time(&partition, time).await.unwrap();
        let expected = log.iter().find(|seen| seen.timestamp_ms >= time);
        assert_eq!(
            found.map(|found| found.offset),
            expected.map(|seen| seen.offset)
        );
        let found = store.max_timestamp(&partition).await.unwrap();
        let max = log.iter().map(|seen| seen.timestamp_ms).max();
        let expected = log.iter().find(|seen| Some(seen.timestamp_ms) == max);
        assert_eq!(
            found.map(|found| found.offset),
            expected.map(|seen| seen.offset)
        );
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_log_is_the_list_of_what_was_appended(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::TempDir::new().unwrap();
        block_on(Model::default().run(dir.path(), steps));
    }

    #[test]
    fn a_torn_write_ahead_file_loses_only_its_end(
        at in any::<prop::sample::Index>(),
        garble in any::<Option<u8>>(),
        moved in 0..4_i64,
    ) {
        const BATCHES: i64 = 12;
        let (dir, torn) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
        block_on(async {
            let mut store = open(dir.path());
            topic(&store, "t", 1).await;
            let value = "v".repeat(3000);
            for offset in 0..BATCHES {
                if offset == moved {
                    // From here on, everything so far is in the main file.
                    store.close().await;
                    store = open(dir.path());
                }
                let sent = sent(&[(offset, "key", &value)], Codec::None);
                let batch = claimed(&sent, 1, 0, i32::try_from(offset).unwrap());
                append(&store, &partition(&store, 0), vec![batch]).await.unwrap();
            }
            // The files of a killed program, with a torn end.
            std::fs::copy(dir.path().join("records.db"), torn.path().join("records.db")).unwrap();
            let mut wal = std::fs::read(dir.path().join("records.db-wal")).unwrap();
            let at = at.index(wal.len());
            match garble {
                Some(byte) => wal[at] = byte,
                None => wal.truncate(at),
            }
            std::fs::write(torn.path().join("records.db-wal"), wal).unwrap();
            store.close().await;

            let store = open(torn.path());
            let topics = store.topics();
            if let Some(topic) = topics.named("t") {
                let partition = topic.partition(0).unwrap();
                let found = everything(&store, partition).await;
                let offsets: Vec<i64> = found.iter().map(|seen| seen.offset).collect();
                assert_eq!(offsets, (0..partition.end()).collect::<Vec<_>>());
                assert!(partition.end() >= moved);
                // The producer's progress comes from the same commit.
                let next = sent(&[(99, "key", "value")], Codec::None);
                let next = claimed(&next, 1, 0, i32::try_from(partition.end()).unwrap());
                let end = partition.end();
                assert_eq!(append(&store, partition, vec![next]).await.unwrap().base_offset, end);
            } else {
                assert_eq!(moved, 0);
            }
            store.close().await;
        });
    }
}
