//! Which parts of a program are ready to serve: the body of `/ready`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// Shared list of parts and their states. Clones share the list.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<&'static str, State>>>,
    changed: Arc<watch::Sender<()>>,
}

/// The state of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Serves.
    Ready,
    /// Serves, except for some of its work, as the text says.
    Limited(String),
    /// Does not serve, for the reason in the text.
    Missing(String),
}

impl Default for Readiness {
    fn default() -> Self {
        Self {
            parts: Arc::default(),
            changed: Arc::new(watch::Sender::new(())),
        }
    }
}

impl Readiness {
    /// Declares a part that is not ready, with the reason.
    pub fn missing(&self, part: &'static str, what: impl Into<String>) {
        self.set(part, State::Missing(what.into()));
    }

    /// Declares a part ready although some of its work is affected. `/ready` stays 200, so that a
    /// load balancer keeps using what works. Its body says what is wrong.
    pub fn limited(&self, part: &'static str, what: impl Into<String>) {
        self.set(part, State::Limited(what.into()));
    }

    /// Declares a part ready.
    pub fn ready(&self, part: &'static str) {
        self.set(part, State::Ready);
    }

    fn set(&self, part: &'static str, state: State) {
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, state);
        // Not `send`, which fails when no task waits.
        self.changed.send_replace(());
    }

    /// Every part with the reason why it is not ready, `None` for ready ones.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<&'static str, Option<String>> {
        self.look(|state| match state {
            State::Ready | State::Limited(_) => None,
            State::Missing(what) => Some(what.clone()),
        })
    }

    /// Every part in words: `ready`, or what is wrong.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<&'static str, String> {
        self.look(|state| match state {
            State::Ready => "ready".to_owned(),
            State::Limited(what) => format!("ready, but {what}"),
            State::Missing(what) => what.clone(),
        })
    }

    fn look<T>(&self, of: impl Fn(&State) -> T) -> BTreeMap<&'static str, T> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .iter()
            .map(|(part, state)| (*part, of(state)))
            .collect()
    }

    /// True when there are parts and all of them serve.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &State| matches!(state, State::Missing(_));
        !parts.is_empty() && !parts.values().any(missing)
    }

    /// Completes when all parts declared so far are ready.
    pub async fn wait(&self) {
        let mut changes = self.changed.subscribe();
        while !self.is_ready() {
            // The sender lives in `self`, so this never fails.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
