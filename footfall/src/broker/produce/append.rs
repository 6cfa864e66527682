//! Appends records to the log's file: one connection, statements prepared once, one transaction per request.
//!
//! nisshi prepares a join of three tables anew for every record, which was half of the CPU that the log took. What
//! lies in the file afterwards is the same, because nisshi's other services and older directories read it. The rules
//! to keep: every statement is reset after use, else its connection stays on an old view of the file; what was not
//! committed is rolled back before anyone else gets the connection.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use libsql::{Connection, Error, Row, Statement, params, params::IntoParams};
use nisshi_sans_io::ErrorCode;
use tokio::sync::Mutex;
use tracing::warn;

use super::{
    batch::{Batch, Record},
    sequences::{Claim, Memory, Place, Progress, Verdict},
};
use crate::broker::log::Log;

const WATERMARK: &str = "
    SELECT id, coalesce(low, 0), coalesce(high, 0)
    FROM watermark
    WHERE topition = ?1";

const MOVE_WATERMARK: &str = "
    UPDATE watermark
    SET low = ?2, high = ?3, last_updated = current_timestamp
    WHERE id = ?1";

// Producer and epoch stand with records of transactions only; attributes are those of uncompressed records.
const RECORD: &str = "
    INSERT INTO record (topition, offset_id, attributes, timestamp, k, v)
    VALUES (?1, ?2, 0, ?3, ?4, ?5)";

const HEADER: &str = "
    INSERT INTO header (topition, offset_id, k, v)
    VALUES (?1, ?2, ?3, ?4)";

// No row: nobody knows the producer. A row of nothing: it has not written to this partition.
const PROGRESS: &str = "
    SELECT e.epoch, d.sequence
    FROM producer p
    LEFT JOIN (producer_epoch e JOIN producer_detail d ON d.producer_epoch = e.id AND d.topition = ?2)
        ON e.producer = p.id
    WHERE p.id = ?1
    ORDER BY e.epoch DESC
    LIMIT 1";

const EPOCH: &str = "
    INSERT INTO producer_epoch (producer, epoch)
    SELECT ?1, ?2
    WHERE NOT EXISTS (SELECT 1 FROM producer_epoch WHERE producer = ?1 AND epoch = ?2)";

const MOVE_PROGRESS: &str = "
    INSERT INTO producer_detail (producer_epoch, topition, sequence)
    SELECT id, ?3, ?4
    FROM producer_epoch
    WHERE producer = ?1 AND epoch = ?2
    ON CONFLICT (producer_epoch, topition)
    DO UPDATE SET sequence = excluded.sequence, last_updated = excluded.last_updated";

/// Batches for one partition, at least one.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) topition: i64,
    pub(super) batches: Vec<Batch>,
}

/// Where they stand now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Appended {
    pub(super) base_offset: i64,
    pub(super) log_start: i64,
}

/// What became of each, in the order given.
pub(super) type Outcomes = Vec<Result<Appended, ErrorCode>>;

/// Everything that appends, one request after the other: `SQLite` has one writer at a time anyway.
#[derive(Debug)]
pub(super) struct Appender {
    log: Arc<Log>,
    writer: Mutex<Writer>,
}

#[derive(Debug, Default)]
struct Writer {
    /// Taken while it is used, so that one that somebody did not bring back is replaced.
    idle: Option<Statements>,
    memory: Memory,
}

impl Appender {
    /// Connects at the first request.
    pub(super) fn new(log: Arc<Log>) -> Self {
        Self {
            log,
            writer: Mutex::default(),
        }
    }

    /// Appends all or, if the file cannot be written, nothing. A partition's refusal concerns no other one.
    pub(super) async fn append(&self, appends: &[Append]) -> Outcomes {
        let mut writer = self.writer.lock().await;
        match writer.append(&self.log, appends).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                warn!(%error, "the embedded log could not be written: {error}");
                writer.forget(appends);
                // Clients keep the records and send them again.
                vec![Err(ErrorCode::KafkaStorageError); appends.len()]
            }
        }
    }
}

impl Writer {
    async fn append(&mut self, log: &Log, appends: &[Append]) -> Result<Outcomes, Error> {
        let statements = match self.idle.take() {
            Some(statements) => statements,
            None => Statements::prepare(log).await?,
        };
        let mut transaction = Transaction::new(&statements, &mut self.memory);
        let outcomes = transaction.run(appends).await;
        if outcomes.is_ok() {
            for (place, progress) in transaction.moved {
                self.memory.learn(place, progress);
            }
        }
        if outcomes.is_ok() || statements.roll_back().await {
            self.idle = Some(statements);
        }
        outcomes
    }

    /// A commit that failed should not have happened; where it did, the file knows better than the memory.
    fn forget(&mut self, appends: &[Append]) {
        for append in appends {
            for claim in append.batches.iter().filter_map(|batch| batch.claim) {
                self.memory.forget((claim.producer_id, append.topition));
            }
        }
    }
}

/// A transaction, and what will be true when it is committed.
struct Transaction<'a> {
    statements: &'a Statements,
    memory: &'a mut Memory,
    moved: HashMap<Place, Progress>,
}

impl<'a> Transaction<'a> {
    fn new(statements: &'a Statements, memory: &'a mut Memory) -> Self {
        Self {
            statements,
            memory,
            moved: HashMap::new(),
        }
    }

    async fn run(&mut self, appends: &[Append]) -> Result<Outcomes, Error> {
        run(&self.statements.begin, ()).await?;
        let mut outcomes = Vec::with_capacity(appends.len());
        for append in appends {
            outcomes.push(self.append(append).await?);
        }
        run(&self.statements.commit, ()).await?;
        Ok(outcomes)
    }

    async fn append(&mut self, append: &Append) -> Result<Result<Appended, ErrorCode>, Error> {
        let statements = self.statements;
        let topition = append.topition;
        let watermark = first(&statements.watermark, [topition], |row| {
            Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?))
        });
        // Also when the topic was deleted since somebody looked it up; a number is never given out again.
        let Some((watermark, low, high)) = watermark.await? else {
            return Ok(Err(ErrorCode::UnknownTopicOrPartition));
        };
        // All batches are judged before any is written, so a refusal leaves nothing behind.
        let mut placed = Vec::with_capacity(append.batches.len());
        let mut moved = HashMap::new();
        let mut next = high;
        for batch in &append.batches {
            match self.place(batch, topition, next, &mut moved).await? {
                Err(refusal) => return Ok(Err(refusal)),
                Ok(Verdict::Appended(offset)) => placed.push((offset, None)),
                Ok(Verdict::Append) => {
                    placed.push((next, Some(batch)));
                    next += i64::try_from(batch.records.len()).unwrap_or(i64::MAX);
                }
            }
        }
        for (offset, batch) in &placed {
            for (offset, record) in (*offset..).zip(batch.iter().flat_map(|batch| &batch.records)) {
                self.write(topition, offset, record).await?;
            }
        }
        if next > high {
            run(&statements.move_watermark, params![watermark, low, next]).await?;
        }
        for ((producer, _), progress) in &moved {
            run(&statements.epoch, params![*producer, progress.epoch]).await?;
            let (epoch, sequence) = (progress.epoch, progress.next_sequence);
            let progress = params![*producer, epoch, topition, sequence];
            run(&statements.move_progress, progress).await?;
        }
        self.moved.extend(moved);
        Ok(Ok(Appended {
            base_offset: placed.first().map_or(high, |(offset, _)| *offset),
            log_start: low,
        }))
    }

    /// What a batch is, appended at `offset` if it is the next one.
    async fn place(
        &mut self,
        batch: &Batch,
        topition: i64,
        offset: i64,
        moved: &mut HashMap<Place, Progress>,
    ) -> Result<Result<Verdict, ErrorCode>, Error> {
        let Some(claim) = &batch.claim else {
            return Ok(Ok(Verdict::Append));
        };
        let place = (claim.producer_id, topition);
        let known = moved.get(&place).or_else(|| self.moved.get(&place));
        let known = match known.or_else(|| self.memory.get(place)) {
            Some(known) => Some(known.clone()),
            None => match self.stored(claim, topition).await? {
                Ok(stored) => stored,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        let verdict = Progress::judge(known.as_ref(), claim);
        if verdict == Ok(Verdict::Append) {
            moved.insert(place, Progress::after(known.as_ref(), claim, offset));
        }
        Ok(verdict)
    }

    async fn stored(
        &self,
        claim: &Claim,
        topition: i64,
    ) -> Result<Result<Option<Progress>, ErrorCode>, Error> {
        let place = params![claim.producer_id, topition];
        let stored = first(&self.statements.progress, place, |row| {
            let (epoch, next) = (row.get::<Option<i32>>(0)?, row.get::<Option<i64>>(1)?);
            let epoch = epoch.and_then(|epoch| i16::try_from(epoch).ok());
            Ok(epoch.map(|epoch| Progress::stored(epoch, next.unwrap_or(0))))
        });
        Ok(stored.await?.ok_or(ErrorCode::UnknownProducerId))
    }

    async fn write(&self, topition: i64, offset: i64, record: &Record) -> Result<(), Error> {
        let (key, value) = (bytes(record.key.as_ref()), bytes(record.value.as_ref()));
        let row = params![topition, offset, record.timestamp_ms, key, value];
        run(&self.statements.record, row).await?;
        for (key, value) in &record.headers {
            let row = params![topition, offset, key.to_vec(), bytes(value.as_ref())];
            run(&self.statements.header, row).await?;
        }
        Ok(())
    }
}

/// A connection and what it was prepared for.
struct Statements {
    // First, so that it is gone before its statements: the last of them closes it.
    connection: Connection,
    begin: Statement,
    commit: Statement,
    roll_back: Statement,
    watermark: Statement,
    move_watermark: Statement,
    record: Statement,
    header: Statement,
    progress: Statement,
    epoch: Statement,
    move_progress: Statement,
}

impl std::fmt::Debug for Statements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statements").finish_non_exhaustive()
    }
}

impl Statements {
    async fn prepare(log: &Log) -> Result<Self, Error> {
        let connection = log.writer().await?;
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE").await?,
            commit: connection.prepare("COMMIT").await?,
            roll_back: connection.prepare("ROLLBACK").await?,
            watermark: connection.prepare(WATERMARK).await?,
            move_watermark: connection.prepare(MOVE_WATERMARK).await?,
            record: connection.prepare(RECORD).await?,
            header: connection.prepare(HEADER).await?,
            progress: connection.prepare(PROGRESS).await?,
            epoch: connection.prepare(EPOCH).await?,
            move_progress: connection.prepare(MOVE_PROGRESS).await?,
            connection,
        })
    }

    /// Undoes what was not committed; false if the connection can be used no more.
    async fn roll_back(&self) -> bool {
        // `SQLite` rolls back by itself when the disk is full: then this fails, and all is well.
        let _ = run(&self.roll_back, ()).await;
        self.connection.is_autocommit()
    }
}

async fn run(statement: &Statement, params: impl IntoParams) -> Result<(), Error> {
    let done = statement.execute(params).await;
    statement.reset();
    done.map(drop)
}

async fn first<T>(
    statement: &Statement,
    params: impl IntoParams,
    read: impl FnOnce(&Row) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let read = async {
        let row = statement.query(params).await?.next().await?;
        row.map(|row| read(&row)).transpose()
    };
    let read = read.await;
    statement.reset();
    read
}

fn bytes(part: Option<&Bytes>) -> Option<Vec<u8>> {
    part.map(|part| part.to_vec())
}
