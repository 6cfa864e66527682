//! Topics and partitions in memory: lookups need no file access, and the writer changes them after its commit.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::watch;
use uuid::Uuid;

use super::{StoreError, schema, tail::Tail};

/// Kafka's leader epoch of every partition: there is one node, which is always the leader.
pub(crate) const LEADER_EPOCH: i32 = 0;
/// The setting that decides which records may be removed.
pub(crate) const CLEANUP_POLICY: &str = "cleanup.policy";

/// A snapshot of all topics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topics {
    by_name: BTreeMap<String, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

impl Topics {
    /// The topic with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Topic>> {
        self.by_name.get(name)
    }

    /// The topic with this id.
    pub(crate) fn with_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.by_id.get(&id)
    }

    /// All topics, ordered by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.by_name.values()
    }

    pub(super) fn add(&mut self, topic: Arc<Topic>) {
        self.by_id.insert(topic.id, topic.clone());
        self.by_name.insert(topic.name.clone(), topic);
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Arc<Topic>> {
        let topic = self.by_name.remove(name)?;
        self.by_id.remove(&topic.id);
        Some(topic)
    }
}

/// A topic. Its settings never change.
#[derive(Debug)]
pub(crate) struct Topic {
    /// Its name.
    pub(crate) name: String,
    /// Its id. A topic created again under the same name gets a new one.
    pub(crate) id: Uuid,
    /// The settings given at its creation.
    pub(crate) configs: BTreeMap<String, String>,
    /// Its partitions, ordered by index, without gaps.
    pub(crate) partitions: Vec<Arc<Partition>>,
}

impl Topic {
    /// The partition with this index.
    pub(crate) fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    /// Whether the policy is exactly `compact`: only superseded records may be removed.
    pub(crate) fn is_only_compacted(&self) -> bool {
        self.configs.get(CLEANUP_POLICY).map(String::as_str) == Some("compact")
    }
}

/// One partition: its bounds and its newest batches.
#[derive(Debug)]
pub(crate) struct Partition {
    /// The topic's name.
    pub(crate) topic: String,
    /// The index within the topic, from 0.
    pub(crate) index: i32,
    /// The number of its table. Numbers are never reused.
    pub(super) number: i64,
    /// Whether records need keys, because the topic's policy contains `compact`.
    pub(super) keyed: bool,
    leader_epoch: i32,
    start: i64,
    end: watch::Sender<i64>,
    /// The largest timestamp so far. Only the writer uses it.
    pub(super) newest_ms: AtomicI64,
    gone: AtomicBool,
    pub(super) tail: Tail,
    pub(super) insert: String,
}

impl Partition {
    /// The first offset that may exist.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// The offset after the last committed record.
    pub(crate) fn end(&self) -> i64 {
        *self.end.borrow()
    }

    /// Watches the end. Each change is sent after its commit; a deletion ([`Self::is_gone`]) wakes the receivers too.
    pub(crate) fn watch(&self) -> watch::Receiver<i64> {
        self.end.subscribe()
    }

    /// Kafka's leader epoch.
    pub(crate) fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// Whether its topic was deleted.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    pub(super) fn publish_end(&self, end: i64) {
        self.end.send_replace(end);
    }

    /// Marks the partition as deleted, and wakes waiting fetches.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        self.tail.clear();
        // The end is the same; this only wakes the receivers.
        self.end.send_modify(|_| {});
    }
}

/// The description of a new topic.
#[derive(Clone, Debug)]
pub(super) struct NewTopic {
    pub(super) name: String,
    pub(super) id: Uuid,
    pub(super) configs: BTreeMap<String, String>,
    /// The first offsets of its partitions.
    pub(super) starts: Vec<i64>,
}

/// Writes a new topic into the file.
pub(super) fn create(connection: &Connection, new: &NewTopic) -> Result<Arc<Topic>, StoreError> {
    let inserted = connection
        .prepare_cached("INSERT OR IGNORE INTO topics (name, id) VALUES (?1, ?2)")?
        .execute(params![new.name, new.id.into_bytes()])?;
    if inserted == 0 {
        return Err(StoreError::TopicExists);
    }
    for (name, value) in &new.configs {
        connection
            .prepare_cached("INSERT INTO configs (topic, name, value) VALUES (?1, ?2, ?3)")?
            .execute(params![new.name, name, value])?;
    }
    // `AUTOINCREMENT` never reuses a number, so a new partition cannot get the table of a deleted
    // one that is still being emptied.
    for (index, start) in (0_i32..).zip(&new.starts) {
        connection
            .prepare_cached("INSERT INTO partitions (topic, \"index\", start) VALUES (?1, ?2, ?3)")?
            .execute(params![new.name, index, start])?;
        schema::create_partition_table(connection, connection.last_insert_rowid())?;
    }
    read_topic(connection, new.name.clone(), new.id)
}

/// Removes a topic from the file. The tables of its partitions may be large; [`clean`] removes them later.
pub(super) fn delete(connection: &Connection, name: &str) -> Result<(), StoreError> {
    let deleted = connection.execute("DELETE FROM topics WHERE name = ?1", [name])?;
    if deleted == 0 {
        return Err(StoreError::UnknownTopic);
    }
    connection.execute("DELETE FROM configs WHERE topic = ?1", [name])?;
    connection.execute("DELETE FROM offsets WHERE topic = ?1", [name])?;
    connection.execute(
        "UPDATE partitions SET topic = NULL WHERE topic = ?1",
        [name],
    )?;
    Ok(())
}

/// Removes a bounded part of a deleted topic. Returns `false` when nothing is left to remove.
pub(super) fn clean(connection: &Connection) -> Result<bool, StoreError> {
    /// Rows of one piece. Even with the largest batches, a piece takes a fraction of a second.
    const PIECE: usize = 64;
    let number: Option<i64> = connection
        .prepare_cached("SELECT number FROM partitions WHERE topic IS NULL LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(number) = number else {
        return Ok(false);
    };
    let table = schema::table(number);
    let deleted = connection.execute(
        &format!("DELETE FROM {table} WHERE base IN (SELECT base FROM {table} LIMIT {PIECE})"),
        [],
    )?;
    if deleted < PIECE {
        // Only an empty table is dropped: the time for a full one would grow with its size, and
        // appends would wait.
        connection.execute("DELETE FROM producers WHERE partition = ?1", [number])?;
        connection.execute("DELETE FROM partitions WHERE number = ?1", [number])?;
        connection.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(true)
}

/// Reads all topics from the file.
pub(super) fn read(connection: &Connection) -> Result<Topics, StoreError> {
    let mut names = connection.prepare("SELECT name, id FROM topics")?;
    let names = names.query_map([], |row| Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?))))?;
    let mut topics = Topics::default();
    for topic in names {
        let (name, id) = topic?;
        topics.add(read_topic(connection, name, id)?);
    }
    Ok(topics)
}

fn read_topic(connection: &Connection, name: String, id: Uuid) -> Result<Arc<Topic>, StoreError> {
    let mut configs = connection.prepare("SELECT name, value FROM configs WHERE topic = ?1")?;
    let configs = configs.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let configs: BTreeMap<String, String> = configs.collect::<Result<_, _>>()?;
    let policy = configs.get(CLEANUP_POLICY).map_or("", String::as_str);
    // Kafka requires keys under `compact,delete` too, although this log compacts only topics with
    // exactly `compact`.
    let keyed = policy.split(',').any(|word| word.trim() == "compact");
    let mut rows = connection.prepare(
        "SELECT number, \"index\", start FROM partitions WHERE topic = ?1 ORDER BY \"index\"",
    )?;
    let rows = rows.query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut partitions = Vec::new();
    for row in rows {
        let (number, index, start) = row?;
        let last = last_batch(connection, number)?;
        let (end, newest_ms) = last.unwrap_or((start, i64::MIN));
        let table = schema::table(number);
        partitions.push(Arc::new(Partition {
            topic: name.clone(),
            index,
            number,
            keyed,
            leader_epoch: LEADER_EPOCH,
            start,
            end: watch::Sender::new(end),
            newest_ms: AtomicI64::new(newest_ms),
            gone: AtomicBool::new(false),
            tail: Tail::default(),
            insert: format!(
                "INSERT INTO {table} (base, last, newest, behind, bytes) VALUES (?1, ?2, ?3, ?4, ?5)"
            ),
        }));
    }
    Ok(Arc::new(Topic {
        name,
        id,
        configs,
        partitions,
    }))
}

/// The offset after a partition's last batch, and its largest timestamp.
fn last_batch(connection: &Connection, number: i64) -> Result<Option<(i64, i64)>, rusqlite::Error> {
    let table = schema::table(number);
    connection
        .query_row(
            &format!("SELECT base + last + 1, newest FROM {table} ORDER BY base DESC LIMIT 1"),
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
}
