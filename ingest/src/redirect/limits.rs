//! Click limits, and the visitors that rules call returning.
//!
//! The one rule: a click is reserved before it is answered, so within one process a link never
//! takes more clicks than its limit. Only clicks that will count are reserved: no machine's, and no
//! repeat of a visitor within an hour, which the projector would call a duplicate.

use super::recent::Recent;
use schemas::{LinkId, VisitorHash};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a repeat of a visitor does not count.
const REPEAT_WINDOW: Duration = Duration::from_hours(1);

/// How long a visitor is called returning.
const STATE_WINDOW: Duration = Duration::from_hours(30 * 24);

/// Most visitors remembered for each of the two purposes. One takes about 150 bytes.
const MAX_VISITORS: usize = 100_000;

/// A link's limit and what is known about its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The link.
    pub link_id: LinkId,
    /// How many counted clicks it takes.
    pub most: u32,
    /// How many it had when its entry was written.
    pub used: u32,
}

/// The limits of one process.
#[derive(Debug)]
pub struct ClickLimits(Mutex<State>);

#[derive(Debug)]
struct State {
    taken: HashMap<LinkId, Taken>,
    counted: Recent,
    seen: Recent,
}

#[derive(Clone, Copy, Debug)]
struct Taken {
    /// The use that the entry told when this process first saw the link.
    before: u32,
    /// The clicks since then.
    since: u32,
}

impl Default for ClickLimits {
    fn default() -> Self {
        Self(Mutex::new(State {
            taken: HashMap::new(),
            counted: Recent::new(REPEAT_WINDOW, MAX_VISITORS),
            seen: Recent::new(STATE_WINDOW, MAX_VISITORS),
        }))
    }
}

impl ClickLimits {
    /// True if the link takes no more clicks.
    #[must_use]
    pub fn is_reached(&self, limit: Limit) -> bool {
        self.state().used(limit) >= limit.most
    }

    /// Takes one click of the limit. False if there is none left. A repeat of a visitor takes none.
    #[must_use]
    pub fn take(&self, limit: Limit, visitor: Option<VisitorHash>, now: Duration) -> bool {
        let mut state = self.state();
        let key = visitor.map(|visitor| (limit.link_id, visitor));
        if state.used(limit) >= limit.most {
            return false;
        }
        if key.is_some_and(|key| state.counted.knows(&key, now)) {
            return true;
        }
        if let Some(key) = key {
            state.counted.remember(key, now);
        }
        let before = limit.used;
        let taken = state.taken.entry(limit.link_id);
        let taken = taken.or_insert(Taken { before, since: 0 });
        taken.since = taken.since.saturating_add(1);
        true
    }

    /// True if the visitor opened the link before.
    #[must_use]
    pub fn is_returning(&self, link_id: LinkId, visitor: VisitorHash, now: Duration) -> bool {
        self.state().seen.knows(&(link_id, visitor), now)
    }

    /// Remembers that the visitor opened the link.
    pub fn remember(&self, link_id: LinkId, visitor: VisitorHash, now: Duration) {
        self.state().seen.remember((link_id, visitor), now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The higher of what the directory tells and what this process knows. The directory also knows
    /// the clicks of other instances, and is a second behind.
    fn used(&self, limit: Limit) -> u32 {
        let own = self.taken.get(&limit.link_id);
        let own = own.map_or(0, |taken| taken.before.saturating_add(taken.since));
        own.max(limit.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, thread};
    use uuid::Uuid;

    fn limit(most: u32, used: u32) -> Limit {
        Limit {
            link_id: LinkId(Uuid::from_u128(1)),
            most,
            used,
        }
    }

    fn visitor(number: u32) -> VisitorHash {
        let mut hash = [0; 16];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        VisitorHash(hash)
    }

    #[test]
    fn a_repeat_within_an_hour_takes_no_click() {
        let limits = ClickLimits::default();
        let minute = Duration::from_mins;
        for at in [0, 1, 59] {
            assert!(limits.take(limit(2, 0), Some(visitor(1)), minute(at)));
        }
        assert!(limits.take(limit(2, 0), Some(visitor(1)), minute(60)));
        assert!(limits.is_reached(limit(2, 0)));
        assert!(!limits.take(limit(2, 0), Some(visitor(2)), minute(60)));
        // Without a visitor, nothing tells a repeat.
        assert!(limits.take(limit(3, 0), None, minute(60)));
        assert!(!limits.take(limit(3, 0), None, minute(60)));
    }

    #[test]
    fn clicks_of_other_instances_count_with_the_entry() {
        let limits = ClickLimits::default();
        assert!(limits.take(limit(5, 2), Some(visitor(1)), Duration::ZERO));
        assert!(limits.take(limit(5, 3), Some(visitor(2)), Duration::ZERO));
        // The entry has caught up with more than this process knows.
        assert!(limits.is_reached(limit(5, 5)));
        assert!(limits.take(limit(5, 4), Some(visitor(3)), Duration::ZERO));
        assert!(limits.is_reached(limit(5, 4)));
    }

    #[test]
    fn of_many_visitors_at_once_exactly_as_many_pass_as_the_limit_says() {
        let limits = Arc::new(ClickLimits::default());
        let threads: Vec<_> = (0..10u32)
            .map(|thread| {
                let limits = Arc::clone(&limits);
                thread::spawn(move || {
                    let all = (0..50).map(|number| visitor(thread * 50 + number));
                    all.filter(|visitor| limits.take(limit(50, 0), Some(*visitor), Duration::ZERO))
                        .count()
                })
            })
            .collect();
        let passed: usize = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        assert_eq!(passed, 50);
    }
}
