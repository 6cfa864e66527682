//! Remembers the events that an import has published until the tables have them, so that repeated
//! lines add nothing.
//!
//! For all other events the tables can be queried. An import pauses while the tables are far
//! behind, so this stays small for files of any size.

use super::standing::Standing;
use schemas::EventId;
use std::collections::{BTreeMap, HashSet, VecDeque};

/// Published events that are not in the tables yet.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ids: HashSet<EventId>,
    /// The same events by partition, in the order of their offsets.
    places: BTreeMap<i32, VecDeque<(i64, EventId)>>,
}

impl Recent {
    /// Notes an event that the log has acknowledged.
    pub(super) fn note(&mut self, partition: i32, offset: i64, id: EventId) {
        self.ids.insert(id);
        let places = self.places.entry(partition).or_default();
        places.push_back((offset, id));
    }

    /// Forgets events that the tables have.
    pub(super) fn forget(&mut self, standing: &Standing) {
        for (partition, places) in &mut self.places {
            let next = standing.next(*partition);
            while let Some((_, id)) = places.pop_front_if(|(offset, _)| *offset < next) {
                self.ids.remove(&id);
            }
        }
    }

    /// True for a remembered event.
    pub(super) fn has(&self, id: EventId) -> bool {
        self.ids.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use uuid::Uuid;

    #[test]
    fn events_are_remembered_until_the_tables_are_beyond_them() {
        let id = |number| EventId(Uuid::from_u128(number));
        let mut recent = Recent::default();
        for (partition, offset, number) in [(0, 4, 1), (0, 5, 2), (1, 5, 3)] {
            recent.note(partition, offset, id(number));
        }
        let tables = |found: [(i32, i64, i64); 2]| Standing::after(None, found, Instant::now());
        let kept = |recent: &Recent| [1, 2, 3].map(|number| recent.has(id(number)));
        recent.forget(&tables([(0, 4, 9), (1, 0, 9)]));
        assert_eq!(kept(&recent), [true, true, true]);
        recent.forget(&tables([(0, 5, 9), (1, 9, 9)]));
        assert_eq!(kept(&recent), [false, true, false]);
        recent.forget(&tables([(0, 6, 9), (1, 9, 9)]));
        assert_eq!(kept(&recent), [false, false, false]);
        assert!(recent.places.values().all(VecDeque::is_empty));
    }
}
