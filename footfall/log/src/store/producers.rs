//! Tracks the progress of each idempotent producer in each partition, to detect repeated and missing batches.
//!
//! Follows Kafka's rules (KIP-98, and KIP-360 for producers that continue in the next epoch). The rules to keep: write
//! progress in the same transaction as its batches, and remember it only after the commit.

use std::collections::{HashMap, VecDeque};

use rusqlite::{Connection, params};

use super::AppendError;
use crate::batch::Claim;

/// The same number as Kafka's. A producer never has more batches in flight.
const REMEMBERED_BATCHES: usize = 5;
/// Half of all sequences. Sequences wrap around, so a batch more than this far behind counts as ahead.
const HALF: i32 = 1 << 30;

/// The result for a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The producer's next batch.
    Append,
    /// A repeat of the batch with this base offset.
    Duplicate(i64),
}

/// A remembered batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sent {
    base_sequence: i32,
    count: i32,
    base_offset: i64,
}

/// The progress of one producer in one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Progress {
    epoch: i16,
    /// The producer's last batches of this epoch, oldest first.
    recent: VecDeque<Sent>,
}

impl Progress {
    /// Judges a batch by its producer's progress, or by `None` for an unknown producer.
    pub(super) fn judge(known: Option<&Self>, claim: &Claim) -> Result<Verdict, AppendError> {
        let Some(known) = known else {
            // Forgotten or never seen. Accepting any sequence could repeat a batch, so the producer must start an
            // epoch.
            return if claim.base_sequence == 0 {
                Ok(Verdict::Append)
            } else {
                Err(AppendError::UnknownProducerId)
            };
        };
        if claim.epoch < known.epoch {
            return Err(AppendError::InvalidProducerEpoch);
        }
        if claim.epoch > known.epoch {
            return if claim.base_sequence == 0 {
                Ok(Verdict::Append)
            } else {
                Err(AppendError::OutOfOrderSequence)
            };
        }
        let (base, count) = (claim.base_sequence, claim.count);
        let mut recent = known.recent.iter();
        if let Some(sent) = recent.find(|sent| (sent.base_sequence, sent.count) == (base, count)) {
            return Ok(Verdict::Duplicate(sent.base_offset));
        }
        match known.next_sequence().wrapping_sub(base) & i32::MAX {
            0 => Ok(Verdict::Append),
            // An epoch has no gaps, so the whole batch is in the log, but its offset was forgotten.
            behind if (count..=HALF).contains(&behind) => Err(AppendError::DuplicateSequence),
            _ => Err(AppendError::OutOfOrderSequence),
        }
    }

    /// The progress after an append at this offset.
    pub(super) fn after(known: Option<&Self>, claim: &Claim, base_offset: i64) -> Self {
        let same_epoch = known.filter(|known| known.epoch == claim.epoch);
        let mut recent = same_epoch.map_or_else(VecDeque::new, |known| known.recent.clone());
        if recent.len() == REMEMBERED_BATCHES {
            recent.pop_front();
        }
        recent.push_back(Sent {
            base_sequence: claim.base_sequence,
            count: claim.count,
            base_offset,
        });
        Self {
            epoch: claim.epoch,
            recent,
        }
    }

    fn next_sequence(&self) -> i32 {
        self.recent.back().map_or(0, |sent| {
            // Sequences run from 0 to 2^31 - 1 and start over.
            sent.base_sequence.wrapping_add(sent.count) & i32::MAX
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.recent.len() * 16);
        for sent in &self.recent {
            bytes.extend(sent.base_sequence.to_be_bytes());
            bytes.extend(sent.count.to_be_bytes());
            bytes.extend(sent.base_offset.to_be_bytes());
        }
        bytes
    }

    fn from_bytes(epoch: i16, bytes: &[u8]) -> Self {
        let (sent, _) = bytes.as_chunks::<16>();
        let recent = sent
            .iter()
            .map(|[s0, s1, s2, s3, c0, c1, c2, c3, offset @ ..]| Sent {
                base_sequence: i32::from_be_bytes([*s0, *s1, *s2, *s3]),
                count: i32::from_be_bytes([*c0, *c1, *c2, *c3]),
                base_offset: i64::from_be_bytes(*offset),
            });
        Self {
            epoch,
            recent: recent.collect(),
        }
    }
}

/// A producer in a partition: the number of the partition's table and the producer's id.
pub(super) type Key = (i64, i64);

/// The progress of the most recently used producers. The file and the memory hold the same entries.
#[derive(Debug)]
pub(super) struct Producers {
    known: HashMap<Key, (i64, Progress)>,
    /// Counts commits, to find the oldest entries.
    now: i64,
    limit: usize,
}

impl Producers {
    /// Reads the entries of the file. `limit` bounds the number of entries over all partitions.
    pub(super) fn read(connection: &Connection, limit: usize) -> Result<Self, rusqlite::Error> {
        let mut rows =
            connection.prepare("SELECT partition, producer, used, epoch, recent FROM producers")?;
        let rows = rows.query_map([], |row| {
            let progress = Progress::from_bytes(row.get(3)?, row.get_ref(4)?.as_blob()?);
            Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, progress)))
        })?;
        let known: HashMap<Key, (i64, Progress)> = rows.collect::<Result<_, _>>()?;
        let now = known.values().map(|(used, _)| *used).max().unwrap_or(0);
        Ok(Self { known, now, limit })
    }

    /// The progress of a producer, if it is known.
    pub(super) fn get(&self, key: Key) -> Option<&Progress> {
        self.known.get(&key).map(|(_, progress)| progress)
    }

    /// Writes progress into the file, and removes the oldest entries beyond the limit. Returns the removed ones.
    pub(super) fn write(
        &self,
        connection: &Connection,
        moved: &HashMap<Key, Progress>,
    ) -> Result<Vec<Key>, rusqlite::Error> {
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let mut insert = connection.prepare_cached(
            "INSERT OR REPLACE INTO producers (partition, producer, epoch, used, recent) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for ((partition, producer), progress) in moved {
            let recent = progress.to_bytes();
            insert.execute(params![
                partition,
                producer,
                progress.epoch,
                self.now + 1,
                recent
            ])?;
        }
        let new = moved.keys().filter(|key| !self.known.contains_key(key));
        let count = self.known.len() + new.count();
        if count <= self.limit {
            return Ok(Vec::new());
        }
        let old = self
            .known
            .iter()
            .filter(|(key, _)| !moved.contains_key(key));
        let mut old: Vec<(i64, Key)> = old.map(|(key, (used, _))| (*used, *key)).collect();
        old.sort_unstable();
        // Remove more than necessary, so that this sort is rare.
        old.truncate(count - self.limit + self.limit / 8);
        let mut delete = connection
            .prepare_cached("DELETE FROM producers WHERE partition = ?1 AND producer = ?2")?;
        for (_, (partition, producer)) in &old {
            delete.execute([partition, producer])?;
        }
        Ok(old.into_iter().map(|(_, key)| key).collect())
    }

    /// Remembers the progress after a commit.
    pub(super) fn learn(&mut self, moved: HashMap<Key, Progress>, removed: &[Key]) {
        if moved.is_empty() {
            return;
        }
        self.now += 1;
        for key in removed {
            self.known.remove(key);
        }
        for (key, progress) in moved {
            self.known.insert(key, (self.now, progress));
        }
    }

    /// Forgets the producers of a deleted partition.
    pub(super) fn forget_partition(&mut self, number: i64) {
        self.known.retain(|(partition, _), _| *partition != number);
    }
}
