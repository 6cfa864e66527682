//! What a program still waits for before it can serve, part by part: the body of `/ready`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// Shared list of parts and what each still misses; clones are the same list.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<&'static str, Option<String>>>>,
    changed: Arc<watch::Sender<()>>,
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
        self.set(part, Some(what.into()));
    }

    /// Declares a part ready.
    pub fn ready(&self, part: &'static str) {
        self.set(part, None);
    }

    fn set(&self, part: &'static str, state: Option<String>) {
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, state);
        self.changed.send_replace(());
    }

    /// Every part with what it misses, `None` for ready ones.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<&'static str, Option<String>> {
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// True when there are parts and none misses anything.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        !parts.is_empty() && parts.values().all(Option::is_none)
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
