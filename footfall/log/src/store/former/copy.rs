//! Copies the former log into an empty new file, at the same offsets, with many records per batch.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::{
    Counter,
    source::{FormerPartition, FormerRecord, Source},
};
use crate::{
    batch::{Builder, Codec},
    store::{Partition, StoreError, offsets, schema, topics},
};

/// A batch ends when its records reach this size. Larger batches need more memory and save hardly any space.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches per transaction.
const BATCHES_PER_COMMIT: u32 = 32;

/// Copies everything, and returns the number of topics.
pub(super) fn copy(
    source: &Source,
    target: &Connection,
    counter: &mut Counter<'_>,
) -> Result<u64, StoreError> {
    target.execute_batch("BEGIN IMMEDIATE")?;
    let mut count = 0;
    for topic in source.topics()? {
        let starts = topic.partitions.iter();
        let created = topics::create(
            target,
            &topics::NewTopic {
                name: topic.name,
                id: topic.id,
                configs: topic.configs,
                starts: starts.map(first_offset(source)).collect::<Result<_, _>>()?,
            },
        )?;
        for (former, partition) in topic.partitions.iter().zip(&created.partitions) {
            copy_partition(source, target, *former, partition, counter)?;
        }
        count += 1;
    }
    for (group, committed) in source.offsets()? {
        offsets::commit(target, &group, &committed)?;
    }
    schema::keep(target, "next_producer_id", source.next_producer_id()?)?;
    target.execute_batch("COMMIT")?;
    Ok(count)
}

/// The first offset of a partition. A partition without records starts at its end, which preserves that end.
fn first_offset(source: &Source) -> impl Fn(&FormerPartition) -> Result<i64, StoreError> {
    |former| {
        let is_empty = source.is_empty(former.number)?;
        Ok(if is_empty { former.end } else { former.start })
    }
}

fn copy_partition(
    source: &Source,
    target: &Connection,
    former: FormerPartition,
    partition: &Arc<Partition>,
    counter: &mut Counter<'_>,
) -> Result<(), StoreError> {
    let mut writer = BatchWriter {
        target,
        partition,
        newest_ms: i64::MIN,
        written: 0,
    };
    let mut open: Option<(Builder, i64)> = None;
    source.for_each_record(former.number, |record| {
        let mut added = false;
        if let Some((batch, last)) = &mut open
            && batch.len() < BATCH_BYTES
        {
            added = add(batch, &record);
            if added {
                *last = record.offset;
            }
        }
        if !added {
            if let Some((full, last)) = open.take() {
                writer.write(full, last)?;
            }
            let mut batch = Builder::new(record.offset, record.timestamp_ms);
            if !add(&mut batch, &record) {
                let problem = format!("the record at offset {} is too large", record.offset);
                return Err(StoreError::Former(problem));
            }
            open = Some((batch, record.offset));
        }
        counter.add_one();
        Ok(())
    })?;
    if let Some((batch, _)) = open {
        // Extend the batch to the partition's end, in case the last records no longer exist.
        writer.write(batch, former.end - 1)?;
    }
    Ok(())
}

fn add(batch: &mut Builder, record: &FormerRecord) -> bool {
    let headers = record.headers.iter();
    batch.add(
        record.offset,
        record.timestamp_ms,
        record.key.as_deref(),
        record.value.as_deref(),
        headers.map(|(name, value)| (&name[..], value.as_deref())),
    )
}

struct BatchWriter<'a> {
    target: &'a Connection,
    partition: &'a Partition,
    newest_ms: i64,
    written: u32,
}

impl BatchWriter<'_> {
    fn write(&mut self, batch: Builder, last_offset: i64) -> Result<(), StoreError> {
        let own_ms = batch.max_timestamp_ms();
        let base = batch.base_offset();
        let bytes = batch.finish(Codec::Lz4, last_offset);
        let bytes = bytes.map_err(|error| StoreError::Compress(Arc::new(error)))?;
        self.newest_ms = self.newest_ms.max(own_ms);
        let behind_ms = self.newest_ms.wrapping_sub(own_ms);
        let last = crate::batch::Head::read(&bytes)?.last_offset_delta;
        self.target
            .prepare_cached(&self.partition.insert)?
            .execute(params![base, last, self.newest_ms, behind_ms, &bytes[..]])?;
        self.written += 1;
        if self.written.is_multiple_of(BATCHES_PER_COMMIT) {
            self.target.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        }
        Ok(())
    }
}
