//! Who may stay connected: a bound on connections, with and without the password.
//!
//! Any local user can connect, so connections without the password have places of their own, and a new one takes the
//! place of the oldest. A client that has the password gives it within a millisecond and is out of reach then.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Connections of clients that gave the password.
const MAX_KNOWN: usize = 1_000;
/// Connections of clients that did not yet.
const MAX_NAMELESS: usize = 100;

/// The places.
#[derive(Debug)]
pub(super) struct Entrance {
    max_known: usize,
    max_nameless: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// In the order in which they came.
    nameless: BTreeMap<u64, CancellationToken>,
    known: usize,
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    entrance: Arc<Entrance>,
    number: u64,
    known: bool,
    /// Cancelled when another connection needs the place.
    pub(super) lost: CancellationToken,
}

impl Entrance {
    /// With the usual bounds.
    pub(super) fn new() -> Arc<Self> {
        Self::with_bounds(MAX_KNOWN, MAX_NAMELESS)
    }

    fn with_bounds(max_known: usize, max_nameless: usize) -> Arc<Self> {
        Arc::new(Self {
            max_known,
            max_nameless,
            state: Mutex::default(),
        })
    }

    /// A place for a connection that just came.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let mut state = self.lock();
        if state.nameless.len() >= self.max_nameless
            && let Some((_, oldest)) = state.nameless.pop_first()
        {
            metrics::counter!("embedded_log_connections_refused_total").increment(1);
            oldest.cancel();
        }
        let number = state.next;
        state.next += 1;
        let lost = CancellationToken::new();
        state.nameless.insert(number, lost.clone());
        Place {
            entrance: Arc::clone(self),
            number,
            known: false,
            lost,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole between any two statements, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The client gave the password; false if there are too many of those.
    pub(super) fn identify(&mut self) -> bool {
        let mut state = self.entrance.lock();
        state.nameless.remove(&self.number);
        if state.known >= self.entrance.max_known {
            metrics::counter!("embedded_log_connections_refused_total").increment(1);
            return false;
        }
        state.known += 1;
        self.known = true;
        metrics::gauge!("embedded_log_connections").increment(1.0);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.entrance.lock();
        state.nameless.remove(&self.number);
        if self.known {
            state.known -= 1;
            metrics::gauge!("embedded_log_connections").decrement(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_connection_takes_the_place_of_the_oldest_without_a_password() {
        let entrance = Entrance::with_bounds(2, 2);
        let first = entrance.enter();
        let mut second = entrance.enter();
        assert!(second.identify());
        let third = entrance.enter();
        assert!(!first.lost.is_cancelled());
        let fourth = entrance.enter();
        assert!(first.lost.is_cancelled());
        assert!(!second.lost.is_cancelled() && !third.lost.is_cancelled());
        drop((first, fourth));
        let fifth = entrance.enter();
        assert!(!third.lost.is_cancelled() && !fifth.lost.is_cancelled());
    }

    #[test]
    fn places_with_the_password_are_bounded_and_free_again_after_use() {
        let entrance = Entrance::with_bounds(1, 2);
        let (mut first, mut second) = (entrance.enter(), entrance.enter());
        assert!(first.identify());
        assert!(!second.identify());
        drop(first);
        let mut third = entrance.enter();
        assert!(third.identify());
    }
}
