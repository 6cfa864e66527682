//! The store: topics, records, producers' progress and committed offsets in one `SQLite` file.
//!
//! Blocking work runs on the store's own threads: one writer, a few readers, one for checkpoints. The rule to keep:
//! report success only for committed changes, and with [`Durability::Fsync`] only for changes on the disk.

mod append;
mod checkpoint;
mod compact;
mod error;
pub(crate) mod former;
mod ids;
mod offsets;
mod producers;
mod read;
mod readers;
mod room;
mod schema;
mod tail;
mod tails;
#[cfg(test)]
mod tests;
mod topics;
mod writer;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub(crate) use self::{
    append::{Append, Appended},
    error::{AppendError, StoreError},
    offsets::CommittedOffset,
    read::RecordPosition,
    topics::{CLEANUP_POLICY, Partition, Topic, Topics},
};
use self::{
    checkpoint::Checkpoints,
    producers::Producers,
    readers::Readers,
    tails::Tails,
    topics::NewTopic,
    writer::{Change, Job, Writer, WriterState},
};

/// Which failures an acknowledged append survives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// A power loss, if the disk honours fsync. All appends that wait together share one fsync.
    #[default]
    Fsync,
    /// A crash of the process. A power loss may take the last appends, but never damages older ones.
    Process,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::Fsync => "FULL",
            Self::Process => "NORMAL",
        }
    }
}

/// The limits of a store, with defaults for a small machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreOptions {
    /// Which failures an acknowledged append survives.
    pub(crate) durability: Durability,
    /// Bytes of batches that may wait for the writer. Above it, appends are refused with [`AppendError::Full`].
    pub(crate) max_queued_bytes: usize,
    /// Bytes of the newest batches kept in memory for consumers.
    pub(crate) tail_bytes: usize,
    /// A checkpoint to the main file begins after this many bytes have been written.
    pub(crate) checkpoint_bytes: usize,
    /// Producers to remember, counted once per partition. The oldest ones are forgotten first.
    pub(crate) max_producers: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            max_queued_bytes: 128 * 1024 * 1024,
            tail_bytes: 16 * 1024 * 1024,
            // The write-ahead file continues to grow during a checkpoint. At full speed it stayed below 20 MB with an
            // fsync per commit and below 65 MB without.
            checkpoint_bytes: 8 * 1024 * 1024,
            max_producers: 10_000,
        }
    }
}

/// An open store. Clones share it, and dropping the last one ends its threads.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    jobs: Sender<Job>,
    readers: Readers,
    shared: Arc<Shared>,
    max_queued_bytes: usize,
    cluster_id: String,
    /// Held during a compaction, because only one may run at a time.
    compacting: tokio::sync::Mutex<()>,
}

/// The state that the writer shares with the callers.
#[derive(Debug, Default)]
struct Shared {
    topics: ArcSwap<Topics>,
    queued: AtomicUsize,
}

impl Store {
    /// Opens the store in this folder, and creates it if it does not exist. Blocks.
    pub(crate) fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let place = schema::prepare_folder(dir)?;
        let connection = schema::open_writer(&place.file, options.durability)?;
        checkpoint::limit_file(&connection)?;
        checkpoint::take_in(&connection, &place.file)?;
        let cluster_id = ids::cluster_id(&connection)?;
        let shared = Arc::new(Shared {
            topics: ArcSwap::from_pointee(topics::read(&connection)?),
            queued: AtomicUsize::new(0),
        });
        let gate = Arc::default();
        let state = WriterState {
            shared: Arc::clone(&shared),
            producers: Producers::read(&connection, options.max_producers)?,
            tails: Tails::new(options.tail_bytes),
            cleaning: true,
        };
        metrics::gauge!("embedded_log_broken").set(0.0);
        metrics::counter!("embedded_log_write_failures_total").increment(0);
        let readers = Readers::start(&place.file, &gate)?;
        let writer = Writer {
            connection,
            state,
            checkpoints: Checkpoints::start(&place.file, options, gate)?,
            broken: false,
            place,
        };
        let (jobs, queue) = channel();
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(StoreError::Thread)?;
        Ok(Self {
            inner: Arc::new(Inner {
                jobs,
                readers,
                shared,
                max_queued_bytes: options.max_queued_bytes,
                cluster_id,
                compacting: tokio::sync::Mutex::default(),
            }),
        })
    }

    /// Stops the writer after all jobs sent so far, and moves everything into the main file.
    pub(crate) async fn close(self) {
        let (reply, done) = oneshot::channel();
        if self.inner.jobs.send(Job::Stop(reply)).is_ok() {
            // An error means that the writer has already stopped.
            let _ = done.await;
        }
    }

    /// The cluster's id of 22 characters, created with the file.
    pub(crate) fn cluster_id(&self) -> &str {
        &self.inner.cluster_id
    }

    /// A snapshot of all topics.
    pub(crate) fn topics(&self) -> Arc<Topics> {
        self.inner.shared.topics.load_full()
    }

    /// Creates a topic with a new id. The caller checks the name and the number of partitions.
    pub(crate) async fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        configs: BTreeMap<String, String>,
    ) -> Result<Arc<Topic>, StoreError> {
        let new = NewTopic {
            name: name.to_owned(),
            id: ids::fresh_id(),
            configs,
            starts: vec![0; usize::try_from(partitions).unwrap_or(0)],
        };
        self.change(
            move |connection| topics::create(connection, &new),
            |writer, topic| {
                let shared = &writer.shared;
                shared.change_topics(|topics| topics.add(Arc::clone(topic)));
            },
        )
        .await
    }

    /// Deletes a topic with its records and the committed offsets of groups, and nothing else.
    pub(crate) async fn delete_topic(&self, name: &str) -> Result<(), StoreError> {
        let deleted = name.to_owned();
        let name = name.to_owned();
        self.change(
            move |connection| topics::delete(connection, &deleted),
            move |writer, ()| {
                let mut gone = None;
                writer
                    .shared
                    .change_topics(|topics| gone = topics.remove(&name));
                for partition in gone.iter().flat_map(|topic| &topic.partitions) {
                    partition.leave();
                    writer.producers.forget_partition(partition.number);
                }
                writer.cleaning = true;
            },
        )
        .await
    }

    /// Appends batches, with a separate result for each partition. Resolves after the commit.
    ///
    /// The call itself fixes the order among appends, not the first poll of the future.
    pub(crate) fn append(
        &self,
        appends: Vec<Append>,
    ) -> impl Future<Output = Vec<Result<Appended, AppendError>>> + Send + use<> {
        let count = appends.len();
        let sent = self.send_append(appends);
        async move {
            match sent {
                Ok(results) => results.await.map_err(|_| AppendError::Storage),
                Err(refusal) => Err(refusal),
            }
            .unwrap_or_else(|refusal| vec![Err(refusal); count])
        }
    }

    fn send_append(
        &self,
        appends: Vec<Append>,
    ) -> Result<oneshot::Receiver<Vec<Result<Appended, AppendError>>>, AppendError> {
        let batches = appends.iter().flat_map(|append| &append.batches);
        let bytes = batches.map(crate::batch::CheckedBatch::len).sum();
        // The check uses the size before this append, so that an empty queue accepts a batch of any size.
        let queued = &self.inner.shared.queued;
        if queued.fetch_add(bytes, Ordering::AcqRel) > self.inner.max_queued_bytes {
            queued.fetch_sub(bytes, Ordering::AcqRel);
            return Err(AppendError::Full);
        }
        let (reply, results) = oneshot::channel();
        let job = Job::Append {
            appends,
            bytes,
            reply,
        };
        self.inner.jobs.send(job).map_err(|_| {
            queued.fetch_sub(bytes, Ordering::AcqRel);
            AppendError::Storage
        })?;
        Ok(results)
    }

    /// Reads stored batches, unchanged, starting with the one that holds `from`. Returns at most `max_bytes`, but
    /// always the first batch. Empty at the partition's end.
    pub(crate) async fn read(
        &self,
        partition: &Partition,
        from: i64,
        max_bytes: usize,
    ) -> Result<Bytes, StoreError> {
        let end = partition.end();
        if from >= end || partition.is_gone() {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = partition.tail.read(from, end, max_bytes) {
            return Ok(bytes);
        }
        let number = partition.number;
        let read = self
            .inner
            .readers
            .run(move |connection| read::batches(connection, number, from, end, max_bytes));
        absent_if_gone(read.await, partition)
    }

    /// Finds the first record whose timestamp is `timestamp_ms` or later.
    pub(crate) async fn offset_for_time(
        &self,
        partition: &Partition,
        timestamp_ms: i64,
    ) -> Result<Option<RecordPosition>, StoreError> {
        let (number, end) = (partition.number, partition.end());
        let found = self
            .inner
            .readers
            .run(move |connection| read::record_at_time(connection, number, end, timestamp_ms));
        absent_if_gone(found.await, partition)
    }

    /// Finds the record with the largest timestamp, the first one if there are several.
    pub(crate) async fn max_timestamp(
        &self,
        partition: &Partition,
    ) -> Result<Option<RecordPosition>, StoreError> {
        let (number, end) = (partition.number, partition.end());
        let found = self
            .inner
            .readers
            .run(move |connection| read::max_timestamp(connection, number, end));
        absent_if_gone(found.await, partition)
    }

    /// Assigns a producer id that was never used before.
    pub(crate) async fn allocate_producer_id(&self) -> Result<i64, StoreError> {
        const NAME: &str = "next_producer_id";
        self.change(
            |connection| {
                let id = schema::number(connection, NAME, 0)?;
                schema::keep(connection, NAME, id + 1)?;
                Ok(id)
            },
            |_, _| {},
        )
        .await
    }

    /// Stores the committed offsets of a group, except those of unknown topics.
    pub(crate) async fn commit_offsets(
        &self,
        group: &str,
        offsets: Vec<CommittedOffset>,
    ) -> Result<(), StoreError> {
        let group = group.to_owned();
        self.change(
            move |connection| offsets::commit(connection, &group, &offsets),
            |_, ()| {},
        )
        .await
    }

    /// The committed offsets of a group, by topic and partition.
    pub(crate) async fn committed_offsets(
        &self,
        group: &str,
    ) -> Result<Vec<CommittedOffset>, StoreError> {
        let group = group.to_owned();
        let read = move |connection: &Connection| offsets::committed(connection, &group);
        self.inner.readers.run(read).await
    }

    /// The names of all groups with committed offsets.
    pub(crate) async fn groups(&self) -> Result<Vec<String>, StoreError> {
        self.inner.readers.run(offsets::groups).await
    }

    /// Deletes all offsets of a group.
    pub(crate) async fn delete_group(&self, group: &str) -> Result<(), StoreError> {
        let group = group.to_owned();
        self.change(
            move |connection| offsets::delete(connection, &group, None),
            |_, ()| {},
        )
        .await
    }

    /// Deletes a group's offsets of these partitions, given by topic and index.
    pub(crate) async fn delete_offsets(
        &self,
        group: &str,
        partitions: Vec<(String, i32)>,
    ) -> Result<(), StoreError> {
        let group = group.to_owned();
        self.change(
            move |connection| offsets::delete(connection, &group, Some(&partitions)),
            |_, ()| {},
        )
        .await
    }

    /// Sends a change to the writer, which applies it, commits it, and then publishes it.
    async fn change<T: Send + 'static>(
        &self,
        apply: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        publish: impl FnOnce(&mut WriterState, &T) + Send + 'static,
    ) -> Result<T, StoreError> {
        self.large_change(0, apply, publish).await
    }

    /// The same for a change that writes about this many bytes.
    async fn large_change<T: Send + 'static>(
        &self,
        bytes: usize,
        apply: impl FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
        publish: impl FnOnce(&mut WriterState, &T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, result) = oneshot::channel();
        let asked = Asked {
            apply,
            publish,
            value: None,
            reply,
        };
        let job = Job::Change(Box::new(asked), bytes);
        self.inner.jobs.send(job).map_err(|_| StoreError::Stopped)?;
        result.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Shared {
    /// Replaces the topics with a changed copy. Only the writer calls it, so no change is lost between copy and
    /// replacement.
    fn change_topics(&self, change: impl FnOnce(&mut Topics)) {
        let mut topics = Topics::clone(&self.topics.load());
        change(&mut topics);
        self.topics.store(Arc::new(topics));
    }
}

/// A requested change, with the channel to its caller.
struct Asked<T, A, P> {
    apply: A,
    publish: P,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, A, P> Change for Asked<T, A, P>
where
    T: Send,
    A: FnMut(&Connection) -> Result<T, StoreError> + Send,
    P: FnOnce(&mut WriterState, &T) + Send,
{
    fn apply(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.value = Some((self.apply)(connection)?);
        Ok(())
    }

    fn finish(self: Box<Self>, writer: &mut WriterState, result: Result<(), StoreError>) {
        let Self {
            publish,
            value,
            reply,
            ..
        } = *self;
        let result = result.and_then(|()| value.ok_or(StoreError::Stopped));
        if let Ok(value) = &result {
            publish(writer, value);
        }
        let _ = reply.send(result);
    }
}

/// Returns an empty result for a deleted topic: its table may have disappeared during the read.
fn absent_if_gone<T: Default>(
    result: Result<T, StoreError>,
    partition: &Partition,
) -> Result<T, StoreError> {
    if partition.is_gone() {
        return Ok(T::default());
    }
    result
}
