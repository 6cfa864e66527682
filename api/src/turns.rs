//! Limits how many reports of one tenant run at the analytics database at once, and how many wait.
//!
//! The one rule: a tenant never runs more than [`AT_ONCE`] reports. So its flood leaves connections
//! for other tenants, whose requests do not wait behind it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most reports of one tenant that run at once: less than half of the connections.
pub(crate) const AT_ONCE: usize = 4;
/// Most reports that wait: a burst of one report's whole published limit.
pub(crate) const WAITING: usize = 60;
/// Longest wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The queues of all tenants with requests. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<i32, Tenant>>>);

#[derive(Debug)]
struct Tenant {
    /// First come, first served.
    permits: Arc<Semaphore>,
    /// How many reports run or wait.
    present: usize,
}

/// A tenant's turn. Dropping it lets the tenant's next report run.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// A place in a tenant's queue.
#[derive(Debug)]
struct Place {
    turns: Turns,
    workspace_no: i32,
}

impl Turns {
    /// Waits for a turn; `None` when too many of the tenant's reports wait already, or the wait is
    /// too long.
    pub(crate) async fn take(&self, workspace_no: i32) -> Option<Turn> {
        let (place, permits) = self.enter(workspace_no)?;
        let waited = tokio::time::timeout(PATIENCE, permits.acquire_owned()).await;
        Some(Turn {
            _permit: waited.ok()?.ok()?,
            _place: place,
        })
    }

    fn enter(&self, workspace_no: i32) -> Option<(Place, Arc<Semaphore>)> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.entry(workspace_no).or_insert_with(|| Tenant {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            present: 0,
        });
        // Checked before the wait, so that a flood cannot grow the queue.
        if tenant.present >= AT_ONCE + WAITING {
            return None;
        }
        tenant.present += 1;
        let permits = Arc::clone(&tenant.permits);
        drop(tenants);
        let place = Place {
            turns: self.clone(),
            workspace_no,
        };
        Some((place, permits))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tenants = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tenant) = tenants.get_mut(&self.workspace_no) {
            tenant.present = tenant.present.saturating_sub(1);
            // Only tenants with requests take memory.
            if tenant.present == 0 {
                tenants.remove(&self.workspace_no);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, future::join_all};

    /// A turn, if one is free now.
    fn now(turns: &Turns, workspace_no: i32) -> Option<Turn> {
        turns.take(workspace_no).now_or_never().flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn each_tenant_has_its_own_turns() {
        let turns = Turns::default();
        let mut held: Vec<Turn> = (0..AT_ONCE).filter_map(|_| now(&turns, 1)).collect();
        assert_eq!(held.len(), AT_ONCE);
        assert!(now(&turns, 1).is_none());
        assert!(now(&turns, 2).is_some());
        held.pop();
        assert!(now(&turns, 1).is_some());
        drop(held);
        assert!(turns.0.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_queue_and_a_long_wait_refuse_a_turn() {
        let turns = Turns::default();
        let held: Vec<Turn> = (0..AT_ONCE).filter_map(|_| now(&turns, 1)).collect();
        let mut waiting = Box::pin(join_all((0..WAITING).map(|_| turns.take(1))));
        assert!((&mut waiting).now_or_never().is_none());
        // Refused at once, because the queue is full.
        assert!(matches!(turns.take(1).now_or_never(), Some(None)));
        // The paused clock advances when all tasks wait.
        assert!(waiting.await.iter().all(Option::is_none));
        drop(held);
        assert!(turns.0.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_requests_come_next_and_abandoned_ones_leave_no_trace() {
        let turns = Turns::default();
        let mut held: Vec<Turn> = (0..AT_ONCE).filter_map(|_| now(&turns, 1)).collect();
        let mut first = Box::pin(turns.take(1));
        let mut second = Box::pin(turns.take(1));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        held.pop();
        assert!(second.await.is_some());
        drop(held);
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
