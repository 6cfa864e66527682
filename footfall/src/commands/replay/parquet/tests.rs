//! Files, days and data sets of records that are given in memory.

use super::*;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use rdkafka::{Timestamp as Time, message::OwnedMessage};
use std::{fs, fs::File, path::PathBuf};

const VIEW: &str = include_str!("../../../../../schemas/examples/page.viewed.v1.json");
const CUSTOM: &str = include_str!("../../../../../schemas/examples/custom.tracked.v1.json");
/// 2026-02-20T10:30:00.123Z
const MORNING_MS: i64 = 1_771_583_400_123;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn record(offset: i64, time_ms: i64, payload: &[u8]) -> OwnedMessage {
    OwnedMessage::new(
        Some(payload.to_vec()),
        Some(b"key".to_vec()),
        "topic".to_owned(),
        Time::CreateTime(time_ms),
        2,
        offset,
        None,
    )
}

/// The Parquet files below a folder, relative to it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(folder).unwrap();
                found.push(relative.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

fn open(path: PathBuf) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

#[test]
fn a_type_and_day_is_a_file_and_appears_only_at_the_end() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Files::new(Folder::begin(out.path()).unwrap());
    sink.take(&record(7, MORNING_MS, VIEW.as_bytes())).unwrap();
    sink.take(&record(8, MORNING_MS, CUSTOM.as_bytes()))
        .unwrap();
    sink.take(&record(9, MORNING_MS + DAY_MS, VIEW.as_bytes()))
        .unwrap();
    sink.take(&record(10, MORNING_MS, VIEW.as_bytes())).unwrap();
    let names = files(out.path());
    assert!(
        names
            .iter()
            .all(|name| Path::new(name).extension() == Some("part".as_ref())),
        "{names:?}"
    );
    let stored = sink.finish().unwrap();
    assert_eq!((stored.records, stored.files), (4, 3));
    let expected = [
        "custom.tracked/day=2026-02-20/002-0000000000000000008.parquet",
        "page.viewed/day=2026-02-20/002-0000000000000000007.parquet",
        "page.viewed/day=2026-02-21/002-0000000000000000009.parquet",
    ];
    assert_eq!(files(out.path()), expected);
    assert!(!out.path().join(".unfinished").exists());
}

#[test]
fn the_columns_hold_the_record_and_times_are_in_microseconds() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Files::new(Folder::begin(out.path()).unwrap());
    sink.take(&record(7, MORNING_MS, VIEW.as_bytes())).unwrap();
    sink.finish().unwrap();
    let path = files(out.path()).remove(0);
    let file = open(out.path().join(path));
    let schema = file.metadata().file_metadata().schema_descr();
    let index = |name: &str| {
        let mut columns = schema.columns().iter();
        columns.position(|column| column.name() == name).unwrap()
    };
    let row = file.get_row_iter(None).unwrap().next().unwrap().unwrap();
    assert_eq!(row.get_string(index("type")).unwrap(), "page.viewed");
    assert_eq!(row.get_long(index("workspace_no")).unwrap(), 42);
    assert_eq!(row.get_long(index("log_offset")).unwrap(), 7);
    assert_eq!(
        row.get_timestamp_micros(index("occurred_at")).unwrap(),
        MORNING_MS * 1000
    );
    assert_eq!(row.get_string(index("body_path")).unwrap(), "/@ada");
    // Absent in the example.
    assert!(row.get_string(index("visitor_hash")).is_err());
}

#[test]
fn records_that_are_no_readable_event_are_kept_unchanged_in_other() {
    let newer = VIEW.replace("\"version\": 1", "\"version\": 9");
    let payloads: [&[u8]; 3] = [newer.as_bytes(), b"not JSON", b"\xff\xfe"];
    let out = tempfile::tempdir().unwrap();
    let mut sink = Files::new(Folder::begin(out.path()).unwrap());
    for (offset, payload) in (0..).zip(payloads) {
        sink.take(&record(offset, MORNING_MS, payload)).unwrap();
    }
    sink.finish().unwrap();
    let names = files(out.path());
    assert_eq!(names.len(), 1);
    let file = open(out.path().join(&names[0]));
    let rows: Vec<_> = file
        .get_row_iter(None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].get_string(5).unwrap(), &newer);
    assert_eq!(rows[1].get_string(5).unwrap(), "not JSON");
    assert_eq!(rows[2].get_bytes(6).unwrap().data(), b"\xff\xfe");
}

#[test]
fn an_existing_day_is_refused_and_left_alone() {
    let out = tempfile::tempdir().unwrap();
    let write = |offset| {
        let mut sink = Files::new(Folder::begin(out.path())?);
        sink.take(&record(offset, MORNING_MS, VIEW.as_bytes()))?;
        sink.finish()
    };
    write(1).unwrap();
    let before = files(out.path());
    let refused = write(2).unwrap_err().to_string();
    assert!(refused.contains("exists already"), "{refused}");
    assert_eq!(files(out.path()), before);
}

#[test]
fn a_replay_refuses_a_folder_in_which_another_writes() {
    let out = tempfile::tempdir().unwrap();
    let first = Folder::begin(out.path()).unwrap();
    let Err(refused) = Folder::begin(out.path()) else {
        panic!("two replays write into one folder");
    };
    assert!(refused.to_string().contains(".unfinished exists"));
    drop(first);
    Folder::begin(out.path()).unwrap();
}

#[test]
fn no_more_than_the_allowed_files_are_open_and_every_row_is_kept() {
    let out = tempfile::tempdir().unwrap();
    let mut sink = Files::new(Folder::begin(out.path()).unwrap());
    let days = i64::try_from(OPEN_FILES).unwrap() + 10;
    let mut offset = 0;
    // Twice over the days, as with two partitions.
    for _ in 0..2 {
        for day in 0..days {
            let time_ms = MORNING_MS + day * DAY_MS;
            sink.take(&record(offset, time_ms, VIEW.as_bytes()))
                .unwrap();
            assert!(sink.open.len() <= OPEN_FILES);
            offset += 1;
        }
    }
    let waiting: usize = sink.open.values().map(OpenFile::bytes).sum();
    assert_eq!(sink.waiting_bytes, waiting);
    let stored = sink.finish().unwrap();
    assert_eq!(stored.records, offset.unsigned_abs());
    let rows = |name: &String| {
        open(out.path().join(name))
            .metadata()
            .file_metadata()
            .num_rows()
    };
    assert_eq!(files(out.path()).iter().map(rows).sum::<i64>(), offset);
}
