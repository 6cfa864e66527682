//! What is known in memory about the ends of partitions, so that a consumer that waits costs nothing.
//!
//! Owns the wake-ups from produce to fetch and the remembered empty answers. The rule to keep: a version is read
//! *before* the log is, and raised *after* the log was written; then no record slips between look and wait.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nisshi_sans_io::{fetch_request::FetchTopic, fetch_response::PartitionData};
use tokio::sync::watch;

use super::log::{Found, Log};

/// The id that clients send when they name a topic by its name.
const NO_ID: [u8; 16] = [0; 16];

/// One partition's version, and the last look at its end that found nothing.
#[derive(Debug)]
pub(super) struct Tail {
    /// The number under which the file knows this partition.
    pub(super) topition: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    idle: Option<Idle>,
}

#[derive(Debug)]
struct Idle {
    version: u64,
    offset: i64,
    committed: bool,
    answer: PartitionData,
}

impl Tail {
    /// Raised by every write; take it before reading.
    pub(super) fn version(&self) -> u64 {
        lock(&self.state).version
    }

    /// The answer of an earlier look from `offset` that found nothing, if nothing was written since.
    pub(super) fn idle(&self, offset: i64, committed: bool) -> Option<PartitionData> {
        let state = lock(&self.state);
        state
            .idle
            .as_ref()
            .filter(|idle| {
                idle.version == state.version
                    && idle.offset == offset
                    && idle.committed == committed
            })
            .map(|idle| idle.answer.clone())
    }

    /// Remembers that at `version` nothing was found from `offset` on.
    pub(super) fn remember(
        &self,
        version: u64,
        offset: i64,
        committed: bool,
        answer: &PartitionData,
    ) {
        lock(&self.state).idle = Some(Idle {
            version,
            offset,
            committed,
            answer: answer.clone(),
        });
    }

    fn raise(&self) {
        lock(&self.state).version += 1;
    }
}

/// One topic as the file knows it, and who waits for it.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) id: [u8; 16],
    pub(super) tails: BTreeMap<i32, Tail>,
    changed: watch::Sender<()>,
}

impl Topic {
    fn new(found: Found) -> Self {
        Self {
            id: found.id,
            tails: found
                .topitions
                .into_iter()
                .map(|(index, topition)| {
                    let state = Mutex::default();
                    (index, Tail { topition, state })
                })
                .collect(),
            changed: watch::Sender::new(()),
        }
    }

    /// Sees every write from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

/// All topics that somebody has asked for.
#[derive(Debug)]
pub(super) struct Tails {
    log: Arc<Log>,
    topics: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    generation: u64,
    topics: HashMap<String, Arc<Topic>>,
}

impl Tails {
    /// Knows nothing yet; topics are looked up in `log` when first asked for.
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self {
            log,
            topics: Mutex::default(),
        }
    }

    /// The topic that a fetch means, by name or by id; `None` if there is none.
    pub(super) async fn find(
        &self,
        wanted: &FetchTopic,
    ) -> Result<Option<Arc<Topic>>, libsql::Error> {
        let name = wanted.topic.as_deref().filter(|name| !name.is_empty());
        let id = wanted.topic_id.filter(|id| *id != NO_ID);
        self.look_up(name, id).await
    }

    /// The topic of this name; `None` if there is none.
    pub(super) async fn named(&self, name: &str) -> Result<Option<Arc<Topic>>, libsql::Error> {
        self.look_up(Some(name), None).await
    }

    async fn look_up(
        &self,
        name: Option<&str>,
        id: Option<[u8; 16]>,
    ) -> Result<Option<Arc<Topic>>, libsql::Error> {
        loop {
            let generation = {
                let known = lock(&self.topics);
                let topic = match (name, id) {
                    (Some(name), _) => known.topics.get(name),
                    (None, Some(id)) => known.topics.values().find(|topic| topic.id == id),
                    (None, None) => return Ok(None),
                };
                if let Some(topic) = topic {
                    return Ok(Some(topic.clone()));
                }
                known.generation
            };
            let Some(found) = self.log.topic(name, id).await? else {
                return Ok(None);
            };
            let mut known = lock(&self.topics);
            // Deleted while we looked: what we read may be of the deleted one.
            if known.generation == generation {
                let entry = known.topics.entry(found.name.clone());
                let topic = entry.or_insert_with(|| Arc::new(Topic::new(found)));
                return Ok(Some(topic.clone()));
            }
        }
    }

    /// Wakes everybody who waits for this partition's topic, after it was written.
    pub(super) fn wrote(&self, topic: &str, partition: i32) {
        // A topic that nobody asked for has nobody waiting and nothing remembered.
        let topic = lock(&self.topics).topics.get(topic).cloned();
        if let Some(topic) = topic {
            if let Some(tail) = topic.tails.get(&partition) {
                tail.raise();
            }
            topic.changed.send_replace(());
        }
    }

    /// Forgets everything and wakes everybody, after topics came, went or changed in ways not followed here.
    pub(super) fn forget(&self) {
        let forgotten = {
            let mut known = lock(&self.topics);
            known.generation += 1;
            std::mem::take(&mut known.topics)
        };
        for topic in forgotten.values() {
            topic.changed.send_replace(());
        }
    }
}

/// The data behind it is whole between any two statements, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
