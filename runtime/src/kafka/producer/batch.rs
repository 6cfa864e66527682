//! Tracks the acknowledgements of the records of one call.
//!
//! A delivery report changes a counter instead of completing a future for its record, so that a
//! batch of hundreds costs one wake-up.

use super::{Outcomes, Position, SendError};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::oneshot;

/// What librdkafka keeps with a record: its batch and its place there.
pub type Opaque = Box<(Arc<Batch>, usize)>;

/// Counts the acknowledgements of one call of [`Producer::send`](super::Producer::send).
pub struct Batch {
    waiting: AtomicUsize,
    outcomes: Mutex<Vec<Option<Result<Position, SendError>>>>,
    done: Mutex<Option<oneshot::Sender<()>>>,
}

impl Batch {
    pub fn new(records: usize) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        let batch = Self {
            waiting: AtomicUsize::new(records),
            outcomes: Mutex::new(vec![None; records]),
            done: Mutex::new(Some(sender)),
        };
        (Arc::new(batch), receiver)
    }

    pub fn settle(&self, index: usize, outcome: Result<Position, SendError>) {
        if let Some(slot) = self
            .outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(index)
        {
            *slot = Some(outcome);
        }
        // The last report wakes the caller.
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(done) = self
                .done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        {
            // An error means that the request was cancelled, so the result has no reader.
            let _ = done.send(());
        }
    }

    pub fn take(&self) -> Outcomes {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = || Err(SendError::Unacknowledged("no delivery report".to_owned()));
        outcomes
            .drain(..)
            .map(|outcome| outcome.unwrap_or_else(unknown))
            .collect()
    }
}
