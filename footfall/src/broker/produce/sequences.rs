//! How far each idempotent producer has come in each partition: what is next, what is a repetition, what is missing.
//!
//! Kafka's rules (KIP-98, and KIP-360 for a producer that goes on in the next epoch without asking). nisshi knows the
//! first half of them: it cannot say where a repeated batch stands, and refuses a producer for ever once that has given
//! up a record. The rule to keep: progress is remembered only after the transaction that made it.

use std::collections::{HashMap, VecDeque};

use nisshi_sans_io::ErrorCode;

/// Kafka remembers as many batches of a producer: it has no more on their way at a time.
const REMEMBERED_BATCHES: usize = 5;
/// Producers and partitions kept in memory, about 200 bytes each; the others are read again from the file.
const REMEMBERED_PRODUCERS: usize = 10_000;
/// Half of the numbers there are: what is behind by more is ahead.
const HALF: i32 = 1 << 30;

/// Where a batch belongs, as its producer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Claim {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
    pub(super) base_sequence: i32,
    /// Its records, at least one.
    pub(super) count: i32,
}

/// What is to be done with a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It is the next one.
    Append,
    /// It is in the log already, from this offset on.
    Appended(i64),
}

/// How far one producer has come in one partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Progress {
    pub(super) epoch: i16,
    pub(super) next_sequence: i32,
    /// First sequence, number of records and offset of its last batches, as far as they were seen since the start.
    recent: VecDeque<(i32, i32, i64)>,
}

impl Progress {
    /// As the file has it. Sequences of old files were counted on beyond the last one that there is.
    pub(super) fn stored(epoch: i16, next_sequence: i64) -> Self {
        let next = next_sequence & i64::from(i32::MAX);
        Self {
            epoch,
            next_sequence: i32::try_from(next).unwrap_or(0),
            recent: VecDeque::new(),
        }
    }

    /// What a batch is to a producer that has come so far, or has not begun.
    pub(super) fn judge(known: Option<&Self>, claim: &Claim) -> Result<Verdict, ErrorCode> {
        let begins = if claim.base_sequence == 0 {
            Ok(Verdict::Append)
        } else {
            Err(ErrorCode::OutOfOrderSequenceNumber)
        };
        let Some(known) = known else {
            return begins;
        };
        if claim.epoch != known.epoch {
            return if claim.epoch > known.epoch {
                begins
            } else {
                Err(ErrorCode::InvalidProducerEpoch)
            };
        }
        let (base, count) = (claim.base_sequence, claim.count);
        let mut recent = known.recent.iter();
        if let Some((_, _, offset)) = recent.find(|batch| (batch.0, batch.1) == (base, count)) {
            return Ok(Verdict::Appended(*offset));
        }
        match known.next_sequence.wrapping_sub(base) & i32::MAX {
            0 => Ok(Verdict::Append),
            // An epoch has no gaps, so all of it was appended; where is not known any more. Clients take it as that.
            behind if (count..=HALF).contains(&behind) => Err(ErrorCode::DuplicateSequenceNumber),
            _ => Err(ErrorCode::OutOfOrderSequenceNumber),
        }
    }

    /// After a batch was appended at this offset.
    pub(super) fn after(known: Option<&Self>, claim: &Claim, base_offset: i64) -> Self {
        let same_epoch = known.filter(|known| known.epoch == claim.epoch);
        let mut recent = same_epoch.map_or_else(VecDeque::new, |known| known.recent.clone());
        if recent.len() == REMEMBERED_BATCHES {
            recent.pop_front();
        }
        recent.push_back((claim.base_sequence, claim.count, base_offset));
        Self {
            epoch: claim.epoch,
            next_sequence: claim.base_sequence.wrapping_add(claim.count) & i32::MAX,
            recent,
        }
    }
}

/// A producer in a partition: its id, and the number under which the file knows the partition.
pub(super) type Place = (i64, i64);

/// The progress of those producers that were heard of last.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: HashMap<Place, (u64, Progress)>,
    now: u64,
}

impl Memory {
    /// How far that producer has come there, if it is remembered.
    pub(super) fn get(&mut self, place: Place) -> Option<&Progress> {
        self.now += 1;
        let (used, progress) = self.known.get_mut(&place)?;
        *used = self.now;
        Some(progress)
    }

    /// Remembers what a transaction has made true.
    pub(super) fn learn(&mut self, place: Place, progress: Progress) {
        self.now += 1;
        self.known.insert(place, (self.now, progress));
        if self.known.len() > REMEMBERED_PRODUCERS {
            self.forget_half();
        }
    }

    /// Believes the file instead, after a transaction that may or may not have happened.
    pub(super) fn forget(&mut self, place: Place) {
        self.known.remove(&place);
    }

    fn forget_half(&mut self) {
        let mut uses: Vec<u64> = self.known.values().map(|(used, _)| *used).collect();
        let middle = uses.len() / 2;
        let (_, &mut median, _) = uses.select_nth_unstable(middle);
        self.known.retain(|_, (used, _)| *used >= median);
    }
}
