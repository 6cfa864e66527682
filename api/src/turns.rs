//! Limits how many requests of one tenant use a database at once, and how many wait.
//!
//! The one rule: a tenant never uses more than [`Bounds::at_once`] connections. So its flood leaves
//! connections for other tenants, whose requests do not wait behind it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much of a database one tenant may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Most requests that run at once.
    pub(crate) at_once: usize,
    /// Most requests that wait.
    pub(crate) waiting: usize,
    /// Longest wait for a turn.
    pub(crate) patience: Duration,
}

/// The bounds of reports: less than half of the connections to the analytics database, and a burst of
/// one report's whole published limit.
pub(crate) const OF_REPORTS: Bounds = Bounds {
    at_once: 4,
    waiting: 60,
    patience: Duration::from_secs(10),
};

/// The bounds of commands at the main database. A user may call as such and as a member of a
/// workspace, which are two tenants here. They leave some of the ten connections to others.
pub(crate) const OF_COMMANDS: Bounds = Bounds {
    at_once: 3,
    waiting: 200,
    patience: Duration::from_secs(10),
};

/// The queues of all tenants with requests, by tenant.
#[derive(Debug)]
pub(crate) struct Turns<K: Eq + Hash>(Arc<Shared<K>>);

#[derive(Debug)]
struct Shared<K> {
    bounds: Bounds,
    tenants: Mutex<HashMap<K, Tenant>>,
}

#[derive(Debug)]
struct Tenant {
    /// First come, first served.
    permits: Arc<Semaphore>,
    /// How many requests run or wait.
    present: usize,
}

/// A tenant's turn. Dropping it lets the tenant's next request run.
#[derive(Debug)]
pub(crate) struct Turn<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _place: Place<K>,
}

/// A place in a tenant's queue.
#[derive(Debug)]
struct Place<K: Eq + Hash> {
    turns: Arc<Shared<K>>,
    tenant: K,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Empty queues with these bounds.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let tenants = Mutex::default();
        Self(Arc::new(Shared { bounds, tenants }))
    }

    /// Waits for a turn; `None` when too many of the tenant's requests wait already, or the wait is
    /// too long.
    pub(crate) async fn take(&self, tenant: K) -> Option<Turn<K>> {
        let (place, permits) = self.enter(tenant)?;
        let waited = tokio::time::timeout(self.0.bounds.patience, permits.acquire_owned()).await;
        Some(Turn {
            _permit: waited.ok()?.ok()?,
            _place: place,
        })
    }

    fn enter(&self, tenant: K) -> Option<(Place<K>, Arc<Semaphore>)> {
        let bounds = self.0.bounds;
        let mut tenants = self.0.lock();
        let queue = tenants.entry(tenant.clone()).or_insert_with(|| Tenant {
            permits: Arc::new(Semaphore::new(bounds.at_once)),
            present: 0,
        });
        // Checked before the wait, so that a flood cannot grow the queue.
        if queue.present >= bounds.at_once + bounds.waiting {
            return None;
        }
        queue.present += 1;
        let permits = Arc::clone(&queue.permits);
        drop(tenants);
        let turns = Arc::clone(&self.0);
        Some((Place { turns, tenant }, permits))
    }
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Tenant>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut tenants = self.turns.lock();
        if let Some(queue) = tenants.get_mut(&self.tenant) {
            queue.present = queue.present.saturating_sub(1);
            // Only tenants with requests take memory.
            if queue.present == 0 {
                tenants.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, future::join_all};

    /// A turn, if one is free now.
    fn now(turns: &Turns<i32>, workspace_no: i32) -> Option<Turn<i32>> {
        turns.take(workspace_no).now_or_never().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn each_tenant_has_its_own_turns() {
        let turns = Turns::new(OF_REPORTS);
        let mut held: Vec<Turn<i32>> = (0..OF_REPORTS.at_once)
            .filter_map(|_| now(&turns, 1))
            .collect();
        assert_eq!(held.len(), OF_REPORTS.at_once);
        assert!(now(&turns, 1).is_none());
        assert!(now(&turns, 2).is_some());
        held.pop();
        assert!(now(&turns, 1).is_some());
        drop(held);
        assert!(turns.0.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_and_a_long_wait_refuse_a_turn() {
        let turns = Turns::new(OF_REPORTS);
        let held: Vec<Turn<i32>> = (0..OF_REPORTS.at_once)
            .filter_map(|_| now(&turns, 1))
            .collect();
        let mut waiting = Box::pin(join_all((0..OF_REPORTS.waiting).map(|_| turns.take(1))));
        assert!((&mut waiting).now_or_never().is_none());
        // Refused at once, because the queue is full.
        assert!(matches!(turns.take(1).now_or_never(), Some(None)));
        // The paused clock advances when all tasks wait.
        assert!(waiting.await.iter().all(Option::is_none));
        drop(held);
        assert!(turns.0.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_requests_come_next_and_abandoned_ones_leave_no_trace() {
        let turns = Turns::new(OF_REPORTS);
        let mut held: Vec<Turn<i32>> = (0..OF_REPORTS.at_once)
            .filter_map(|_| now(&turns, 1))
            .collect();
        let mut first = Box::pin(turns.take(1));
        let mut second = Box::pin(turns.take(1));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        held.pop();
        assert!(second.await.is_some());
        drop(held);
        assert!(turns.0.lock().is_empty());
    }
}
