//! Finds anomalies in the observations of a log's clients, like Jepsen's workload for Kafka. It needs no broker or
//! clock.
//!
//! Its rule: an acknowledged record is in the log once, at the acknowledged offset. An unacknowledged record is in the
//! log once or not at all. Nothing else is in the log. Only a producer that gave up records may have repeated some, and
//! each copy has another producer id or epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

/// A partition, by number; the tests use one topic.
pub type Partition = i32;

/// The content of a record: its producer and its number. No two records are equal.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Value {
    /// The producer.
    pub producer: u32,
    /// The position of the record in its producer's order of sending.
    pub number: u64,
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.producer, self.number)
    }
}

impl FromStr for Value {
    type Err = ();

    /// Reads `producer-number`; anything after a space is padding.
    fn from_str(text: &str) -> Result<Self, ()> {
        let word = text.split(' ').next().ok_or(())?;
        let (producer, number) = word.split_once('-').ok_or(())?;
        Ok(Self {
            producer: producer.parse().map_err(drop)?,
            number: number.parse().map_err(drop)?,
        })
    }
}

/// The identity under which a producer's client wrote a batch. A broker must recognise a repeat by the same writer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Writer {
    /// The producer id in the batch's header.
    pub id: i64,
    /// The producer epoch in the batch's header.
    pub epoch: i16,
}

/// A record that a producer passed to its client.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Its content.
    pub value: Value,
    /// The target partition.
    pub partition: Partition,
    /// The acknowledged offset; `None` if the outcome is unknown.
    pub acknowledged: Option<i64>,
}

/// A record in the log or seen by a consumer. Without a value if no producer of the test writes such bytes.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Where it is.
    pub partition: Partition,
    /// Where it is.
    pub offset: i64,
    /// Its content.
    pub value: Option<Value>,
}

/// The records that a consumer saw in one assignment, in order, without seeks between them.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The records that it saw.
    pub seen: Vec<Seen>,
}

/// One step of the only client that commits offsets of a group for a partition.
#[derive(Clone, Copy, Debug)]
pub enum Commit {
    /// The client sent a commit of this offset.
    Tried(i64),
    /// The broker acknowledged the last commit.
    Done,
    /// The broker returned this committed offset; -1 for none.
    Found(i64),
}

/// All observations of the clients.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// All sent records.
    pub sent: Vec<Sent>,
    /// Producers that gave up records. Their client continues in the next epoch and sends unanswered records again. No
    /// broker can distinguish these from new records, so the log may hold them again, by another writer.
    pub gave_up: BTreeSet<u32>,
    /// The known writers of the log's records. A repeated record without a known writer is not excused.
    pub writers: BTreeMap<(Partition, i64), Writer>,
    /// The sessions of consumers during the load.
    pub sessions: Vec<Session>,
    /// Ends of partitions, in the order of one client's requests.
    pub ends: Vec<(Partition, i64)>,
    /// Commits to one group and partition.
    pub commits: Vec<Commit>,
    /// The whole log, read at the end.
    pub log: Vec<Seen>,
}

/// A violation of the log's guarantees.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Anomaly {
    /// The record was acknowledged but is not in the log.
    Lost(Value),
    /// The record was acknowledged at a different offset.
    Moved(Value),
    /// The record is in the log more than once, although its producer did not give up records and become another
    /// writer.
    Duplicated(Value),
    /// The record comes after one that its producer sent later to the same partition.
    Reordered(Value),
    /// A record that no producer sent to this partition.
    Phantom(Partition, i64),
    /// Two different values were seen at one offset.
    TwoValues(Partition, i64),
    /// A consumer saw a record that is not in the log.
    AbortedRead(Partition, i64),
    /// A consumer saw an offset that is not above the previous one.
    WentBack(Partition, i64),
    /// A consumer missed a record between two that it saw.
    Skipped(Partition, i64),
    /// The end of a partition was lower than before.
    EndWentBack(Partition, i64),
    /// A group's committed offset was lower than one acknowledged before.
    CommitWentBack(i64),
    /// A group's committed offset was not one of the possible ones.
    PhantomCommit(i64),
}

impl History {
    /// Finds all anomalies, sorted. A correct log has none.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut found = BTreeSet::new();
        let values = self.check_log(&mut found);
        self.check_acknowledgements(&mut found);
        self.check_sessions(&values, &mut found);
        self.check_ends(&mut found);
        self.check_commits(&mut found);
        found.into_iter().collect()
    }

    /// Checks the log by itself and against the sent records. Returns the value at each offset.
    fn check_log(
        &self,
        found: &mut BTreeSet<Anomaly>,
    ) -> BTreeMap<(Partition, i64), Option<Value>> {
        let sent: HashMap<Value, Partition> = self
            .sent
            .iter()
            .map(|sent| (sent.value, sent.partition))
            .collect();
        let mut values = BTreeMap::new();
        for seen in &self.log {
            let place = (seen.partition, seen.offset);
            let before = values.insert(place, seen.value);
            if before.is_some_and(|before| before != seen.value) {
                found.insert(Anomaly::TwoValues(seen.partition, seen.offset));
            }
        }
        let mut known: HashMap<Value, Vec<Option<Writer>>> = HashMap::new();
        let mut newest: HashMap<(Partition, u32), Value> = HashMap::new();
        for (&(partition, offset), value) in &values {
            let Some(value) = value.filter(|value| sent.get(value) == Some(&partition)) else {
                found.insert(Anomaly::Phantom(partition, offset));
                continue;
            };
            let writer = self.writers.get(&(partition, offset)).copied();
            let copies = known.entry(value).or_default();
            let is_copy = !copies.is_empty();
            if is_copy && !self.may_repeat(value, writer, copies) {
                found.insert(Anomaly::Duplicated(value));
            }
            copies.push(writer);
            if is_copy {
                continue;
            }
            let newest = newest.entry((partition, value.producer)).or_insert(value);
            if value < *newest {
                found.insert(Anomaly::Reordered(value));
            }
            *newest = value.max(*newest);
        }
        values
    }

    /// Whether no broker could recognise this copy: its producer gave up records, and all earlier copies have other
    /// writers.
    fn may_repeat(&self, value: Value, writer: Option<Writer>, before: &[Option<Writer>]) -> bool {
        let is_new = writer.is_some() && before.iter().all(|one| one.is_some() && *one != writer);
        is_new && self.gave_up.contains(&value.producer)
    }

    fn check_acknowledgements(&self, found: &mut BTreeSet<Anomaly>) {
        let mut places: HashMap<Value, BTreeSet<(Partition, i64)>> = HashMap::new();
        for seen in &self.log {
            if let Some(value) = seen.value {
                let places = places.entry(value).or_default();
                places.insert((seen.partition, seen.offset));
            }
        }
        for sent in &self.sent {
            let Some(offset) = sent.acknowledged else {
                continue;
            };
            match places.get(&sent.value) {
                None => {
                    found.insert(Anomaly::Lost(sent.value));
                }
                Some(places) if !places.contains(&(sent.partition, offset)) => {
                    found.insert(Anomaly::Moved(sent.value));
                }
                Some(_) => {}
            }
        }
    }

    fn check_sessions(
        &self,
        log: &BTreeMap<(Partition, i64), Option<Value>>,
        found: &mut BTreeSet<Anomaly>,
    ) {
        for session in &self.sessions {
            let mut positions: HashMap<Partition, i64> = HashMap::new();
            for seen in &session.seen {
                match log.get(&(seen.partition, seen.offset)) {
                    None => {
                        found.insert(Anomaly::AbortedRead(seen.partition, seen.offset));
                    }
                    Some(value) if *value != seen.value => {
                        found.insert(Anomaly::TwoValues(seen.partition, seen.offset));
                    }
                    Some(_) => {}
                }
                let Some(before) = positions.insert(seen.partition, seen.offset) else {
                    continue;
                };
                if seen.offset <= before {
                    found.insert(Anomaly::WentBack(seen.partition, seen.offset));
                    continue;
                }
                let between = (seen.partition, before + 1)..(seen.partition, seen.offset);
                if let Some(((partition, offset), _)) = log.range(between).next() {
                    found.insert(Anomaly::Skipped(*partition, *offset));
                }
            }
        }
    }

    fn check_ends(&self, found: &mut BTreeSet<Anomaly>) {
        let mut highest: HashMap<Partition, i64> = HashMap::new();
        let last = self
            .log
            .iter()
            .map(|seen| (seen.partition, seen.offset + 1));
        let mut ends = BTreeMap::new();
        for (partition, end) in last {
            let known = ends.entry(partition).or_insert(end);
            *known = end.max(*known);
        }
        // The final log counts as the last response.
        for (partition, end) in self.ends.iter().copied().chain(ends) {
            let highest = highest.entry(partition).or_insert(end);
            if end < *highest {
                found.insert(Anomaly::EndWentBack(partition, end));
            }
            *highest = end.max(*highest);
        }
    }

    fn check_commits(&self, found: &mut BTreeSet<Anomaly>) {
        // The possible offsets: the last acknowledged one, and those sent since without a response.
        let mut acknowledged = -1;
        let mut possible = vec![-1];
        for commit in &self.commits {
            match *commit {
                Commit::Tried(offset) => possible.push(offset),
                Commit::Done => {
                    acknowledged = possible.last().copied().unwrap_or(-1);
                    possible = vec![acknowledged];
                }
                Commit::Found(offset) if possible.contains(&offset) => {}
                Commit::Found(offset) if offset < acknowledged => {
                    found.insert(Anomaly::CommitWentBack(offset));
                }
                Commit::Found(offset) => {
                    found.insert(Anomaly::PhantomCommit(offset));
                }
            }
        }
    }
}
