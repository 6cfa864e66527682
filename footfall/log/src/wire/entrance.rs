//! Limits the number of connections, before and after their login.
//!
//! Any local user can connect, so connections before the login have their own places, and a new one replaces the
//! oldest. A client with the password logs in within a millisecond, and can then no longer be replaced.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio_util::sync::CancellationToken;

use crate::lock;

/// Maximum number of connections after their login.
const MAX_KNOWN: usize = 1_000;
/// Maximum number of connections before their login.
const MAX_NAMELESS: usize = 100;

/// The places for connections.
#[derive(Debug)]
pub(super) struct Entrance {
    max_known: usize,
    max_nameless: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Connections before their login, oldest first.
    nameless: BTreeMap<u64, CancellationToken>,
    known: usize,
}

/// The place of one connection. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place {
    entrance: Arc<Entrance>,
    number: u64,
    known: bool,
    /// Cancelled when another connection needs the place.
    pub(super) lost: CancellationToken,
}

impl Entrance {
    /// Uses the default bounds.
    pub(super) fn new() -> Arc<Self> {
        Self::with_bounds(MAX_KNOWN, MAX_NAMELESS)
    }

    pub(super) fn with_bounds(max_known: usize, max_nameless: usize) -> Arc<Self> {
        Arc::new(Self {
            max_known,
            max_nameless,
            state: Mutex::default(),
        })
    }

    /// Gives a new connection a place. The oldest connection before its login may lose its own.
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
        lock::lock(&self.state)
    }
}

impl Place {
    /// Moves the connection to the places after the login. Returns `false` if all of those are taken.
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
    fn a_new_connection_replaces_the_oldest_before_its_login() {
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
    fn places_after_the_login_are_bounded_and_reusable() {
        let entrance = Entrance::with_bounds(1, 2);
        let (mut first, mut second) = (entrance.enter(), entrance.enter());
        assert!(first.identify());
        assert!(!second.identify());
        drop(first);
        let mut third = entrance.enter();
        assert!(third.identify());
    }
}
