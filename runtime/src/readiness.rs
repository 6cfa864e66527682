//! What a program still waits for before it can serve, part by part: the body of `/ready`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// Shared list of parts and what each still misses; clones are the same list.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<&'static str, State>>>,
    changed: Arc<watch::Sender<()>>,
}

/// How a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Serves.
    Ready,
    /// Serves, but for what the text names.
    Limited(String),
    /// Does not serve, for want of what the text names.
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
    /// Declares a part that is not ready, and why.
    pub fn missing(&self, part: &'static str, what: impl Into<String>) {
        self.set(part, State::Missing(what.into()));
    }

    /// Declares a part ready although something is wrong with a share of its work. `/ready` stays 200, so that
    /// a balancer does not take away what works, and says what is wrong.
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
        self.changed.send_replace(());
    }

    /// Every part with what it misses, `None` for ready ones.
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

    /// True when there are parts and none misses anything.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &State| matches!(state, State::Missing(_));
        !parts.is_empty() && !parts.values().any(missing)
    }

    /// Completes when everything declared so far is ready.
    pub async fn wait(&self) {
        let mut changes = self.changed.subscribe();
        while !self.is_ready() {
            // The sender lives in `self`, so this fails never.
            if changes.changed().await.is_err() {
                return;
            }
        }
    }
}
