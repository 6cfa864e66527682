//! Compares the new file with the former one: every topic, every record with its headers, every committed offset.

use rusqlite::Connection;

use super::{
    Counter,
    source::{FormerRecord, FormerTopic, Source},
};
use crate::{
    batch::Records,
    store::{Partition, StoreError, offsets, read, topics},
};

/// Bytes of batches to read at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// Reports an error if anything differs.
pub(super) fn compare(
    source: &Source,
    target: &Connection,
    counter: &mut Counter<'_>,
) -> Result<(), StoreError> {
    let copied = topics::read(target)?;
    let former = source.topics()?;
    if former.len() != copied.iter().count() {
        return Err(differs("the number of topics"));
    }
    for topic in former {
        let same = copied.named(&topic.name).filter(|copied| {
            copied.id == topic.id
                && copied.configs == topic.configs
                && copied.partitions.len() == topic.partitions.len()
        });
        let copied = same.ok_or_else(|| differs(&format!("topic {}", topic.name)))?;
        compare_records(source, target, &topic, &copied.partitions, counter)?;
    }
    let groups = source.offsets()?;
    if !groups.keys().eq(&offsets::groups(target)?) {
        return Err(differs("the groups"));
    }
    for (group, committed) in groups {
        if offsets::committed(target, &group)? != committed {
            return Err(differs(&format!("the committed offsets of group {group}")));
        }
    }
    Ok(())
}

fn compare_records(
    source: &Source,
    target: &Connection,
    topic: &FormerTopic,
    partitions: &[std::sync::Arc<Partition>],
    counter: &mut Counter<'_>,
) -> Result<(), StoreError> {
    for (former, partition) in topic.partitions.iter().zip(partitions) {
        let place = || format!("partition {} of topic {}", partition.index, topic.name);
        if partition.end() != former.end {
            return Err(differs(&format!("the end of {}", place())));
        }
        let mut copied = Copied {
            target,
            partition,
            next: partition.start(),
            records: Vec::new().into_iter(),
        };
        source.for_each_record(former.number, |record| {
            counter.add_one();
            if copied.next()?.as_ref() == Some(&record) {
                return Ok(());
            }
            Err(differs(&format!(
                "the record at offset {} of {}",
                record.offset,
                place()
            )))
        })?;
        if copied.next()?.is_some() {
            return Err(differs(&format!("the number of records in {}", place())));
        }
    }
    Ok(())
}

fn differs(what: &str) -> StoreError {
    StoreError::Former(format!(
        "the copy differs: {what}; the former log is unchanged"
    ))
}

/// The records of the new file, in order.
struct Copied<'a> {
    target: &'a Connection,
    partition: &'a Partition,
    next: i64,
    records: std::vec::IntoIter<FormerRecord>,
}

impl Copied<'_> {
    fn next(&mut self) -> Result<Option<FormerRecord>, StoreError> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// Reads the next batches. Returns `false` at the end.
    fn read(&mut self) -> Result<bool, StoreError> {
        let (number, end) = (self.partition.number, self.partition.end());
        let bytes = read::batches(self.target, number, self.next, end, PIECE_BYTES)?;
        let mut found = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (batch, after) = crate::batch::split(rest)?;
            rest = after;
            let (head, inflated) = read::inflated(batch)?;
            // Equal records are not enough: consumers refuse a batch with a wrong checksum.
            head.check_checksum(batch)?;
            let mut records = Records::new(&head, &inflated);
            while let Some(record) = records.next()? {
                let headers = record.headers;
                found.push(FormerRecord {
                    offset: head.base_offset + i64::from(record.offset_delta),
                    timestamp_ms: record.timestamp_ms,
                    key: record.key.map(<[u8]>::to_vec),
                    value: record.value.map(<[u8]>::to_vec),
                    headers: headers
                        .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
                        .collect(),
                });
            }
            self.next = head.base_offset + i64::from(head.last_offset_delta) + 1;
        }
        self.records = found.into_iter();
        Ok(!bytes.is_empty())
    }
}
