//! Remembers visitors of links for a while, in bounded memory.
//!
//! The one rule: the oldest is forgotten first. A visitor who is forgotten early counts as new.

use schemas::{LinkId, VisitorHash};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

type Key = (LinkId, VisitorHash);

/// The visitors of the last hour or month.
#[derive(Debug)]
pub(super) struct Recent {
    window: Duration,
    most: usize,
    seen: HashMap<Key, Duration>,
    order: VecDeque<(Duration, Key)>,
}

impl Recent {
    pub(super) fn new(window: Duration, most: usize) -> Self {
        Self {
            window,
            most,
            seen: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// True if the visitor was remembered within the window.
    pub(super) fn knows(&self, key: &Key, now: Duration) -> bool {
        let at = self.seen.get(key);
        at.is_some_and(|at| now.saturating_sub(*at) < self.window)
    }

    /// Remembers a visitor from now on, unless they are known already.
    pub(super) fn remember(&mut self, key: Key, now: Duration) {
        self.forget(now);
        if self.knows(&key, now) {
            return;
        }
        self.seen.insert(key, now);
        self.order.push_back((now, key));
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, key)) = self.order.front().copied() {
            let is_old = now.saturating_sub(at) >= self.window;
            if !is_old && self.order.len() < self.most {
                break;
            }
            self.order.pop_front();
            self.seen.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key(number: u8) -> Key {
        (LinkId(Uuid::nil()), VisitorHash([number; 16]))
    }

    #[test]
    fn a_visitor_is_known_for_the_window_from_the_first_time() {
        let mut recent = Recent::new(Duration::from_mins(1), 10);
        let at = Duration::from_secs;
        recent.remember(key(1), at(0));
        recent.remember(key(1), at(59));
        assert!(recent.knows(&key(1), at(59)));
        assert!(!recent.knows(&key(1), at(60)));
        assert!(!recent.knows(&key(2), at(0)));
        recent.remember(key(1), at(60));
        assert!(recent.knows(&key(1), at(119)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::new(Duration::from_mins(1), 3);
        for number in 0..100 {
            recent.remember(key(number), Duration::ZERO);
        }
        assert_eq!((recent.seen.len(), recent.order.len()), (3, 3));
        assert!(recent.knows(&key(99), Duration::ZERO));
        assert!(!recent.knows(&key(96), Duration::ZERO));
    }
}
