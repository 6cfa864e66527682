//! How far the tables are behind each partition of the log, and for how long a partition has made
//! no progress.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How many records the tables may be behind, so that live events behind an import reach reports
/// within a second.
pub(super) const MAX_BEHIND: u64 = 20_000;
/// After this long without progress, another tenant's partition no longer delays an import.
const STILL_AFTER: Duration = Duration::from_secs(10);

/// The result of a look, per partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing(pub(super) BTreeMap<i32, Place>);

/// The position of one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The next offset to fold.
    pub(super) next: i64,
    /// The offset after the log's last record.
    pub(super) end: i64,
    /// Since when records wait and none of them was folded; `None` if none wait.
    pub(super) still_since: Option<Instant>,
}

impl Standing {
    /// The result of a look at `now`, after an earlier one.
    pub(super) fn after(
        earlier: Option<&Self>,
        found: impl IntoIterator<Item = (i32, i64, i64)>,
        now: Instant,
    ) -> Self {
        let place = |(partition, next, end)| {
            let before = earlier.and_then(|earlier| earlier.0.get(&partition));
            // Beyond the end counts as waiting too: the tables are of an earlier log.
            let still_since = match before {
                _ if next == end => None,
                Some(before) if before.next == next => before.still_since.or(Some(now)),
                _ => Some(now),
            };
            let place = Place {
                next,
                end,
                still_since,
            };
            (partition, place)
        };
        Self(found.into_iter().map(place).collect())
    }

    /// The offset after the last record of each partition.
    pub(super) fn ends(&self) -> BTreeMap<i32, i64> {
        let ends = self.0.iter();
        ends.map(|(partition, place)| (*partition, place.end))
            .collect()
    }

    /// The next offset to fold.
    pub(super) fn next(&self, partition: i32) -> i64 {
        self.0.get(&partition).map_or(0, |place| place.next)
    }

    /// True if everything before an offset is folded.
    pub(super) fn has(&self, partition: i32, offset: i64) -> bool {
        self.next(partition) >= offset
    }

    /// True if one of these partitions was folded beyond its end. Then the tables are of an earlier
    /// log, until a projector has seen this one.
    pub(super) fn are_ahead(&self, partitions: impl IntoIterator<Item = i32>) -> bool {
        let mut places = partitions
            .into_iter()
            .filter_map(|partition| self.0.get(&partition));
        places.any(|place| place.next > place.end)
    }

    /// Number of records before these offsets that are not folded.
    pub(super) fn missing(&self, through: &BTreeMap<i32, i64>) -> u64 {
        let missing = through
            .iter()
            .map(|(partition, offset)| u64::try_from(offset - self.next(*partition)).unwrap_or(0));
        missing.sum()
    }

    /// How long records of a partition have waited without progress.
    pub(super) fn still_for(&self, partition: i32, now: Instant) -> Duration {
        let since = self.0.get(&partition).and_then(|place| place.still_since);
        since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// The partition that has made no progress for longest, and for how long.
    pub(super) fn stillest(&self, now: Instant) -> Option<(i32, Duration)> {
        let since = self.0.iter().filter_map(|(partition, place)| {
            let still = now.saturating_duration_since(place.still_since?);
            Some((*partition, still))
        });
        since.max_by_key(|(_, still)| *still)
    }

    /// Decides whether a batch may follow what was published up to `through`. It may if the tables
    /// then stay within [`MAX_BEHIND`] records. It may also if nothing is ahead of it: otherwise a
    /// batch above the limit could never go. `records` are its records per partition. Other
    /// tenants' partitions without progress do not count.
    ///
    /// # Errors
    /// The number of records that the tables are behind.
    pub(super) fn may_follow(
        &self,
        through: &BTreeMap<i32, i64>,
        records: &BTreeMap<i32, u64>,
        now: Instant,
    ) -> Result<(), u64> {
        let counted = self.0.iter().filter(|(partition, _)| {
            records.contains_key(partition) || self.still_for(**partition, now) < STILL_AFTER
        });
        let behind: u64 = counted
            .map(|(partition, place)| {
                let ours = through.get(partition).copied().unwrap_or(0);
                // `end` lacks the records that were published since the look.
                u64::try_from(place.end.max(ours) - place.next).unwrap_or(0)
            })
            .sum();
        let records: u64 = records.values().sum();
        if behind == 0 || behind + records <= MAX_BEHIND {
            Ok(())
        } else {
            Err(behind)
        }
    }

    /// Those of these partitions that have made no progress for that long.
    pub(super) fn stopped(
        &self,
        partitions: impl IntoIterator<Item = i32>,
        patience: Duration,
        now: Instant,
    ) -> BTreeSet<i32> {
        let partitions = partitions.into_iter();
        partitions
            .filter(|partition| {
                // A partition without waiting records never counts, even with a patience of zero.
                let still = self.still_for(*partition, now);
                !still.is_zero() && still >= patience
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn through(offsets: &[(i32, i64)]) -> BTreeMap<i32, i64> {
        offsets.iter().copied().collect()
    }

    #[test]
    fn a_partition_stands_still_while_records_wait_and_none_is_folded() {
        let begun = Instant::now();
        let first = Standing::after(None, [(0, 5, 9), (1, 9, 9)], begun);
        assert_eq!(first.still_for(0, begun + SECOND), SECOND);
        assert_eq!(first.still_for(1, begun + SECOND), Duration::ZERO);
        // More records are not progress, and an idle partition is not a stopped one.
        let second = Standing::after(Some(&first), [(0, 5, 20), (1, 9, 10)], begun + SECOND);
        let later = begun + SECOND * 3;
        assert_eq!(second.still_for(0, later), SECOND * 3);
        assert_eq!(second.still_for(1, later), SECOND * 2);
        assert_eq!(second.stopped([0, 1], SECOND * 3, later), [0].into());
        let third = Standing::after(Some(&second), [(0, 6, 20), (1, 10, 10)], later);
        assert_eq!(third.still_for(0, later), Duration::ZERO);
        assert!(third.stopped([0, 1], Duration::ZERO, later).is_empty());
        assert_eq!(second.stillest(later), Some((0, SECOND * 3)));
        // Tables of an earlier log make no progress either, until a projector has seen this one.
        let other = Standing::after(None, [(0, 9, 5), (1, 3, 3)], begun);
        assert!(other.are_ahead([0, 1]) && !other.are_ahead([1]));
        assert_eq!(other.stopped([0, 1], SECOND, later), [0].into());
    }

    #[test]
    fn a_batch_goes_when_the_tables_are_near_or_nothing_is_ahead_of_it() {
        let now = Instant::now();
        let at = |next| Standing::after(None, [(0, next, 30_000), (1, 0, 0)], now);
        let of = |partition: i32, records: u64| BTreeMap::from([(partition, records)]);
        let none = BTreeMap::new();
        assert_eq!(at(10_000).may_follow(&none, &of(0, 1), now), Err(20_000));
        assert_eq!(at(10_001).may_follow(&none, &of(0, 1), now), Ok(()));
        assert_eq!(at(10_001).may_follow(&none, &of(1, 2), now), Err(19_999));
        // Records published since the look count as behind.
        let published = through(&[(0, 30_010)]);
        assert_eq!(
            at(10_001).may_follow(&published, &of(0, 1), now),
            Err(20_009)
        );
        // A batch above the limit goes when nothing is ahead of it.
        assert_eq!(at(29_999).may_follow(&none, &of(0, 20_001), now), Err(1));
        assert_eq!(at(30_000).may_follow(&none, &of(0, 20_001), now), Ok(()));
    }

    #[test]
    fn a_stopped_partition_of_others_delays_nothing() {
        let now = Instant::now();
        let standing = Standing::after(None, [(0, 0, 30_000), (1, 4, 4)], now);
        let (mine, none) = (BTreeMap::from([(1, 7)]), BTreeMap::new());
        assert_eq!(standing.may_follow(&none, &mine, now), Err(30_000));
        let later = now + STILL_AFTER;
        assert_eq!(standing.may_follow(&none, &mine, later), Ok(()));
        let both = BTreeMap::from([(0, 1), (1, 7)]);
        assert_eq!(standing.may_follow(&none, &both, later), Err(30_000));
    }

    #[test]
    fn records_missing_before_an_offset_are_counted() {
        let standing = Standing::after(None, [(0, 5, 9), (1, 9, 9)], Instant::now());
        assert_eq!(standing.missing(&through(&[(0, 5), (1, 9)])), 0);
        assert_eq!(standing.missing(&through(&[(0, 7), (1, 9), (2, 3)])), 5);
        assert_eq!(standing.ends(), through(&[(0, 9), (1, 9)]));
    }
}
