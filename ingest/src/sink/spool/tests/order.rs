//! Lanes against a plain model: order per tenant, the bound, nothing lost and nothing left behind.

use super::*;
use crate::sink::spool::lanes::{Depth, Full};
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEYS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    /// Reserves an event and keeps it, or loses it.
    Append {
        key: usize,
        kept: bool,
    },
    Take,
    /// Settles one of the chunks in flight.
    Settle {
        which: usize,
        delivered: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..KEYS.len(), any::<bool>(), any::<bool>()).prop_map(|(key, one, other)| Step::Append {
            key,
            kept: one || other
        }),
        Just(Step::Take),
        (0usize..4, 0usize..6).prop_map(|(which, delivered)| Step::Settle { which, delivered }),
    ]
}

fn entry(seq: i64, bytes: u64) -> Entry {
    Entry {
        seq,
        bytes,
        at_ms: seq,
    }
}

proptest! {
    #[test]
    fn each_lane_delivers_its_events_in_order_and_once(
        steps in prop::collection::vec(step(), 0..120),
        max_events in 1u64..40,
    ) {
        let mut lanes = Lanes::new(max_events * 10);
        let mut kept: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut delivered: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        let mut flights: Vec<Chunk> = Vec::new();
        let mut seq = 0;
        let settle = |lanes: &mut Lanes, chunk: Chunk, count: usize, delivered: &mut BTreeMap<&str, Vec<i64>>| {
            let key = *KEYS.iter().find(|key| **key == chunk.key).unwrap();
            let seqs = chunk.entries.iter().take(count).map(|entry| entry.seq);
            delivered.entry(key).or_default().extend(seqs);
            lanes.settle(chunk, count);
        };
        for step in steps {
            let open: usize = kept.values().map(Vec::len).sum::<usize>()
                - delivered.values().map(Vec::len).sum::<usize>();
            match step {
                Step::Append { key, kept: keeps } => {
                    let key = KEYS[key];
                    let reserved = lanes.reserve([(key, 10)].into_iter());
                    if u64::try_from(open).unwrap() == max_events {
                        prop_assert_eq!(reserved, Err(Full));
                        continue;
                    }
                    prop_assert_eq!(reserved, Ok(()));
                    if keeps {
                        seq += 1;
                        lanes.kept(key, entry(seq, 10));
                        kept.entry(key).or_default().push(seq);
                    } else {
                        lanes.not_kept(key, 10);
                    }
                }
                Step::Take => flights.extend(lanes.take()),
                Step::Settle { which, delivered: count } => {
                    if which < flights.len() {
                        let chunk = flights.remove(which);
                        let count = count.min(chunk.entries.len());
                        settle(&mut lanes, chunk, count, &mut delivered);
                    }
                }
            }
            let open = kept.values().map(Vec::len).sum::<usize>()
                - delivered.values().map(Vec::len).sum::<usize>();
            let open = u64::try_from(open).unwrap();
            prop_assert_eq!(lanes.depth(), Depth { events: open, bytes: open * 10 });
            prop_assert_eq!(lanes.is_empty(), open == 0);
            for key in KEYS {
                let (kept, delivered) = (kept.get(key).map_or(0, Vec::len), delivered.get(key).map_or(0, Vec::len));
                prop_assert_eq!(lanes.has(key), kept > delivered, "{}", key);
            }
            let oldest = kept.iter().filter_map(|(key, seqs)| {
                seqs.get(delivered.get(key).map_or(0, Vec::len))
            }).min().copied();
            prop_assert_eq!(lanes.oldest_ms(), oldest);
        }
        for chunk in flights {
            let count = chunk.entries.len();
            settle(&mut lanes, chunk, count, &mut delivered);
        }
        while let Some(chunk) = lanes.take() {
            let count = chunk.entries.len();
            settle(&mut lanes, chunk, count, &mut delivered);
        }
        prop_assert!(lanes.is_empty());
        prop_assert_eq!(delivered.values().map(Vec::len).sum::<usize>(), kept.values().map(Vec::len).sum::<usize>());
        for (key, seqs) in kept {
            prop_assert_eq!(&seqs, &delivered[key]);
        }
    }
}

/// Keeps events of one tenant.
fn keep(lanes: &mut Lanes, key: &str, seqs: impl Iterator<Item = i64>) {
    for seq in seqs {
        lanes.reserve([(key, 10)].into_iter()).unwrap();
        lanes.kept(key, entry(seq, 10));
    }
}

#[test]
fn while_the_log_is_away_all_tenants_go_to_the_spool_at_once() {
    let mut lanes = Lanes::new(1_000);
    lanes.log_is_away();
    assert_eq!(
        lanes.route("a"),
        Route::Log,
        "an empty spool cannot find out that the log is back"
    );
    keep(&mut lanes, "a", 1..2);
    assert_eq!(
        [lanes.route("a"), lanes.route("b")],
        [Route::Spool, Route::Log]
    );
    lanes.log_is_away();
    assert_eq!(lanes.route("b"), Route::Spool);
    keep(&mut lanes, "b", 2..4);
    let chunk = lanes.take().unwrap();
    lanes.settle(chunk, 0);
    assert_eq!(lanes.route("c"), Route::Spool);
    let chunk = lanes.take().unwrap();
    assert_eq!(
        chunk.key, "b",
        "another tenant has its turn after a failure"
    );
    lanes.settle(chunk, 1);
    assert_eq!(lanes.route("c"), Route::Log, "the log answers again");
    assert_eq!(lanes.route("a"), Route::Spool);
    assert_eq!(
        lanes.route("b"),
        Route::Soon,
        "its lane moves and is nearly empty"
    );
    lanes.lingers("b");
    assert_eq!(lanes.route("b"), Route::Spool);
}

#[test]
fn a_lane_sends_one_event_first_and_more_after_each_success() {
    let mut lanes = Lanes::new(1_000_000);
    keep(&mut lanes, "a", 1..10_000);
    let mut sizes = Vec::new();
    for _ in 0..7 {
        let chunk = lanes.take().unwrap();
        assert!(lanes.take().is_none(), "a lane has one chunk in flight");
        sizes.push(chunk.entries.len());
        lanes.settle(chunk, usize::MAX);
    }
    assert_eq!(sizes, [1, 4, 16, 64, 256, 1_000, 1_000]);
    let chunk = lanes.take().unwrap();
    lanes.settle(chunk, 3);
    assert_eq!(lanes.take().unwrap().entries.len(), 1);
}

#[test]
fn a_chunk_of_large_events_is_bounded_in_bytes() {
    let mut lanes = Lanes::new(u64::MAX);
    lanes.reserve((0..20).map(|_| ("a", 100_000))).unwrap();
    for seq in 0..20 {
        lanes.kept("a", entry(seq, 100_000));
    }
    let sizes: Vec<usize> = std::iter::from_fn(|| {
        let chunk = lanes.take()?;
        let size = chunk.entries.len();
        lanes.settle(chunk, size);
        Some(size)
    })
    .collect();
    assert_eq!(sizes, [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1]);
}
