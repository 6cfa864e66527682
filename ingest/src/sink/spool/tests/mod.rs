//! Tests of the spool: its file after crashes, its order and bound, and its way to a mock broker.

mod disk;
mod file;
mod order;
mod sink;

use super::*;
use jiff::Timestamp;
use runtime::ManualClock;
use std::path::Path;

pub fn clock() -> Arc<ManualClock> {
    let start: Timestamp = "2026-02-20T10:30:00Z".parse().unwrap();
    Arc::new(ManualClock::new(start))
}

pub fn open_with(dir: &Path, max_bytes: u64, readiness: &Readiness) -> Result<Spool, SpoolError> {
    let options = SpoolOptions {
        dir: dir.to_owned(),
        max_bytes,
    };
    Spool::open(&options, clock(), readiness.clone())
}

pub fn open(dir: &Path) -> Spool {
    open_with(dir, 10_000_000, &Readiness::default()).unwrap()
}

pub fn event(key: &str, number: usize) -> Outgoing {
    Outgoing {
        key: key.to_owned(),
        payload: format!("{key} {number}").into_bytes(),
    }
}

/// Every event of the file, in the order in which its lanes would send them.
pub fn held(spool: &Spool) -> Vec<String> {
    let mut seqs = Vec::new();
    let mut lanes = spool.shared.lock();
    while let Some(chunk) = lanes.take() {
        seqs.extend(chunk.entries.iter().map(|entry| entry.seq));
        lanes.settle(chunk, usize::MAX);
    }
    seqs.sort_unstable();
    let payloads = spool.reader.lock().unwrap().payloads(seqs.into_iter());
    let texts = payloads
        .unwrap()
        .into_iter()
        .map(|payload| String::from_utf8(payload.unwrap()).unwrap());
    texts.collect()
}
