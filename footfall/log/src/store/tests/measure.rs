//! Measures the store alone: `cargo test --release -p footfall-log measure -- --ignored --nocapture`.
//!
//! The folder is created below `TMPDIR`, which should be on the disk to measure.

use std::{
    fs,
    time::{Duration, Instant},
};

use super::*;

/// An event of a realistic size: 600 bytes of JSON with many repetitions.
fn event(number: usize) -> (i64, String, String) {
    let time = 1_700_000_000_000 + i64::try_from(number).unwrap();
    let key = format!("0190a6a0-0000-7000-8000-{:012}", number % 97);
    let value = format!(
        "{{\"event_id\":\"{:032x}\",\"type\":\"page.viewed\",\"version\":1,\"occurred_at\":{time},\"received_at\":{time},\
        \"workspace_id\":\"{key}\",\"workspace_no\":{},\"producer\":\"ingest\",\"session_id\":\"{:032x}\",\"page_view_id\":\"{:032x}\",\
        \"path\":\"/\",\"visitor\":{{\"hash\":\"{:032x}\",\"country\":\"Germany\",\"city\":\"Berlin\",\"device\":\"mobile\",\
        \"browser\":\"Mobile Safari\",\"os\":\"iOS\",\"language\":\"de-DE\",\"timezone\":\"Europe/Berlin\",\"referrer\":\"instagram.com\"}}}}",
        u128::try_from(number)
            .unwrap()
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        number % 97,
        u128::try_from(number / 3)
            .unwrap()
            .wrapping_mul(0xc2b2_ae3d_27d4_eb4f_1656_67b1_9e37_79f9),
        u128::try_from(number)
            .unwrap()
            .wrapping_mul(0x2545_f491_4f6c_dd1d_27d4_eb2f_1656_67c5),
        u128::try_from(number / 5)
            .unwrap()
            .wrapping_mul(0x9e37_79b1_85eb_ca87_c2b2_ae3d_27d4_eb4f),
    );
    (time, key, value)
}

fn events(from: usize, count: usize, codec: Codec) -> Bytes {
    let events: Vec<_> = (from..from + count).map(event).collect();
    let records = events
        .iter()
        .map(|(time, key, value)| (*time, key.as_str(), value.as_str()));
    sent(&records.collect::<Vec<_>>(), codec)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_appends() {
    for durability in [Durability::Fsync, Durability::Process] {
        for (records, clients, codec) in [
            (1, 1, Codec::None),
            (1, 64, Codec::None),
            (8, 4, Codec::Lz4),
            (500, 1, Codec::Lz4),
            (500, 8, Codec::Lz4),
        ] {
            measure(durability, records, clients, codec).await;
        }
    }
}

/// CPU time of this process so far. A tick is 10 ms.
fn cpu_ms() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .skip(11)
        .take(2);
    fields.map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
}

async fn measure(durability: Durability, records: usize, clients: usize, codec: Codec) {
    let dir = tempfile::TempDir::new().unwrap();
    let options = StoreOptions {
        durability,
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), &options).unwrap();
    let topic = topic(&store, "t", 4).await;
    let batches: Vec<Bytes> = (0..64)
        .map(|at| events(at * records, records, codec))
        .collect();
    let size: usize = batches.iter().map(Bytes::len).sum::<usize>() / batches.len() / records;
    let batches = Arc::new(batches);
    let cpu = cpu_ms();
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (store, batches) = (store.clone(), Arc::clone(&batches));
        let partition = Arc::clone(&topic.partitions[client % 4]);
        tasks.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            let mut sequence = 0;
            while begin.elapsed() < Duration::from_secs(6) {
                let bytes = &batches[latencies.len() % 64];
                let producer = i64::try_from(client).unwrap();
                let batch = claimed(bytes, producer, 0, sequence);
                sequence += i32::try_from(records).unwrap();
                let start = Instant::now();
                append(&store, &partition, vec![batch]).await.unwrap();
                latencies.push(start.elapsed());
            }
            latencies
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    let elapsed_ms = begin.elapsed().as_millis();
    let cpu_us = (cpu_ms() - cpu) * 1000 / latencies.len() as u64;
    latencies.sort_unstable();
    let at = |part: usize| latencies[(latencies.len() - 1) * part / 1000];
    let wal = fs::metadata(dir.path().join("records.db-wal"))
        .unwrap()
        .len();
    let count = latencies.len();
    store.close().await;
    let file = fs::metadata(dir.path().join("records.db")).unwrap().len();
    let per_second = count as u128 * 1000 / elapsed_ms;
    println!(
        "{durability:?}: {records} records a batch, {clients} clients: {per_second} batches/s, {} events/s, \
        p50 {:?} p99 {:?} p99.9 {:?} max {:?}; {size} B an event sent, {} B stored, wal {} kB, CPU {cpu_us} us a batch",
        per_second * records as u128,
        at(500),
        at(990),
        at(999),
        at(1000),
        file / (count * records) as u64,
        wal / 1024,
    );
}

/// Migrates a copy of the former log in the folder `FORMER_LOG`.
#[test]
#[ignore = "a measurement"]
fn measure_migration() {
    let Some(former) = std::env::var_os("FORMER_LOG") else {
        println!("FORMER_LOG is not set to a folder");
        return;
    };
    let dir = tempfile::TempDir::new().unwrap();
    for entry in fs::read_dir(former).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("log.db") {
            fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    let before = fs::metadata(dir.path().join("log.db")).unwrap().len();
    let begin = Instant::now();
    let migrated = crate::store::former::migrate(dir.path(), &mut |_| {}).unwrap();
    let after = fs::metadata(dir.path().join("records.db")).unwrap().len();
    let (topics, records) = (migrated.topics, migrated.records);
    println!(
        "{topics} topics, {records} records in {:?}; {} kB, before {} kB",
        begin.elapsed(),
        after / 1024,
        before / 1024
    );
}

#[tokio::test]
#[ignore = "a measurement"]
async fn measure_open_and_read() {
    let dir = tempfile::TempDir::new().unwrap();
    let store = open(dir.path());
    let topic = topic(&store, "t", 4).await;
    let bytes = events(0, 20, Codec::Lz4);
    let mut waiting = Vec::new();
    for number in 0..100_000 {
        let partition = Arc::clone(&topic.partitions[number % 4]);
        waiting.push(store.append(vec![Append {
            partition,
            batches: vec![checked(bytes.clone())],
        }]));
        if waiting.len() == 500 {
            for appended in waiting.drain(..) {
                appended.await[0].unwrap();
            }
        }
    }
    let killed = tempfile::TempDir::new().unwrap();
    for name in ["records.db", "records.db-wal"] {
        fs::copy(dir.path().join(name), killed.path().join(name)).unwrap();
    }
    store.close().await;
    for (what, dir) in [("clean", &dir), ("killed", &killed)] {
        let begin = Instant::now();
        let store = open(dir.path());
        println!("open, {what}: {:?} for 100000 batches", begin.elapsed());
        let topics = store.topics();
        let partition = topics.named("t").unwrap().partition(0).unwrap();
        let (begin, mut from, mut total) = (Instant::now(), 0, 0);
        while from < partition.end() {
            let bytes = store.read(partition, from, 1024 * 1024).await.unwrap();
            total += bytes.len();
            let head = last_head(&bytes);
            from = head.base_offset + i64::from(head.last_offset_delta) + 1;
        }
        println!("read {} kB in {:?}", total / 1024, begin.elapsed());
        let begin = Instant::now();
        for _ in 0..100 {
            store
                .offset_for_time(partition, 1_700_000_000_010)
                .await
                .unwrap();
        }
        println!("an offset by time: {:?}", begin.elapsed() / 100);
        store.close().await;
    }
}
