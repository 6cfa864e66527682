//! Looks for anomalies in what clients saw of a log, after Jepsen's workload for Kafka. Pure: no broker, no clock.
//!
//! Its rule: an acknowledged record is in the log once, at the offset that the acknowledgement named. One that was
//! not acknowledged is in the log once or not at all. Nothing else is in the log. Only a producer that gave records up
//! may have some of its records there again, and each time under another producer id or epoch.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

/// A partition, by number; the tests use one topic.
pub type Partition = i32;

/// What a record says: who sent it, and as which of its records. No two records are the same.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Value {
    /// The producer.
    pub producer: u32,
    /// Its records are numbered in the order of sending.
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

/// As whom a producer's client wrote a batch. A broker must recognise what the same writer sends again.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Writer {
    /// The producer id in the batch's header.
    pub id: i64,
    /// The producer epoch in the batch's header.
    pub epoch: i16,
}

/// A record that a producer handed to its client.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// What it says.
    pub value: Value,
    /// Where it was sent.
    pub partition: Partition,
    /// The offset that the broker acknowledged; `None` when the outcome is unknown.
    pub acknowledged: Option<i64>,
}

/// A record in the log, or one that a consumer saw; without a value when it is none that a producer of ours writes.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Where it is.
    pub partition: Partition,
    /// Where it is.
    pub offset: i64,
    /// What it says.
    pub value: Option<Value>,
}

/// A consumer's stay at its partitions: what it saw, in order, without seeking in between.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// What it saw.
    pub seen: Vec<Seen>,
}

/// One step of the only client that commits offsets of a group for a partition.
#[derive(Clone, Copy, Debug)]
pub enum Commit {
    /// It asked for that offset to be stored.
    Tried(i64),
    /// The broker acknowledged the last one that it had tried.
    Done,
    /// The broker said that this is stored; -1 for nothing.
    Found(i64),
}

/// Everything that clients saw.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What was sent.
    pub sent: Vec<Sent>,
    /// Producers that gave records up. Their client goes on in the next epoch and sends what had no answer again, which
    /// no broker can tell from new records: their records may be in the log again, by another writer.
    pub gave_up: BTreeSet<u32>,
    /// Who wrote the records of the log, as far as it is known. A repeated record without a writer is not excused.
    pub writers: BTreeMap<(Partition, i64), Writer>,
    /// What consumers saw meanwhile.
    pub sessions: Vec<Session>,
    /// Ends of partitions, in the order in which one client asked for them.
    pub ends: Vec<(Partition, i64)>,
    /// Commits to one group and partition.
    pub commits: Vec<Commit>,
    /// The whole log, read at the end.
    pub log: Vec<Seen>,
}

/// Something that a log must not do.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Anomaly {
    /// It was acknowledged and is not in the log.
    Lost(Value),
    /// It was acknowledged at another offset than it has.
    Moved(Value),
    /// It is in the log more than once, and not because its producer gave it up and became another writer.
    Duplicated(Value),
    /// It stands after a record that its producer sent later to the same partition.
    Reordered(Value),
    /// A record that no producer sent there.
    Phantom(Partition, i64),
    /// The log or consumers have two values for one offset.
    TwoValues(Partition, i64),
    /// A consumer saw a record that is not in the log.
    AbortedRead(Partition, i64),
    /// A consumer saw an offset that is not above the one before.
    WentBack(Partition, i64),
    /// A consumer did not see a record between two that it saw.
    Skipped(Partition, i64),
    /// The end of a partition was lower than before.
    EndWentBack(Partition, i64),
    /// A group's committed offset was lower than one acknowledged before.
    CommitWentBack(i64),
    /// A group's committed offset was none that could be stored.
    PhantomCommit(i64),
}

impl History {
    /// All anomalies, sorted; none for a log that did what it should.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut found = BTreeSet::new();
        let values = self.check_log(&mut found);
        self.check_acknowledgements(&mut found);
        self.check_sessions(&values, &mut found);
        self.check_ends(&mut found);
        self.check_commits(&mut found);
        found.into_iter().collect()
    }

    /// Checks the log by itself and against what was sent. Returns the value at each offset.
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

    /// Whether this copy is one that no broker can recognise: of a given-up record, by a writer unlike all before.
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
        // The log that was read at the end is the last answer.
        for (partition, end) in self.ends.iter().copied().chain(ends) {
            let highest = highest.entry(partition).or_insert(end);
            if end < *highest {
                found.insert(Anomaly::EndWentBack(partition, end));
            }
            *highest = end.max(*highest);
        }
    }

    fn check_commits(&self, found: &mut BTreeSet<Anomaly>) {
        // What may be stored: the last acknowledged offset, or one that was tried since without an answer.
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
