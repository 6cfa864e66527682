//! The file: what a crash leaves, damaged ends, permissions, foreign files, the lock.

use super::*;
use proptest::prelude::*;
use std::{fs, os::unix::fs::PermissionsExt};
use tempfile::TempDir;

/// Copies the files while the spool is open, which is what a crash leaves.
fn crash(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // SQLite makes the shared memory again.
        if entry.file_name() != "spool.db-shm" {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("a {number}")).collect()
}

#[tokio::test]
async fn accepted_events_survive_a_crash_and_a_clean_stop_in_their_order() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    for number in 0..50 {
        spool.append(vec![event("a", number)]).await.unwrap();
    }
    let crashed = crash(dir.path());
    assert_eq!(held(&open(crashed.path())), numbers(50));
    spool.close().await;
    assert_eq!(held(&open(dir.path())), numbers(50));
}

#[tokio::test]
async fn drained_events_are_gone_after_a_crash() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    let events = (0..10).map(|number| event("a", number)).collect();
    spool.append(events).await.unwrap();
    spool.jobs.send(Job::Drained(vec![1, 2, 5])).unwrap();
    // Jobs keep their order, so the removal is committed with or before this one.
    spool.append(vec![event("a", 10)]).await.unwrap();
    let crashed = crash(dir.path());
    let expected: Vec<String> = [2, 3, 5, 6, 7, 8, 9, 10]
        .iter()
        .map(|number| format!("a {number}"))
        .collect();
    assert_eq!(held(&open(crashed.path())), expected);
}

#[tokio::test]
async fn numbers_go_on_after_a_restart() {
    let dir = TempDir::new().unwrap();
    for part in 0..3 {
        let spool = open(dir.path());
        for number in part * 10..part * 10 + 10 {
            spool.append(vec![event("a", number)]).await.unwrap();
        }
        spool.close().await;
    }
    assert_eq!(held(&open(dir.path())), numbers(30));
}

#[tokio::test]
async fn a_second_process_is_refused_until_the_first_has_closed() {
    let dir = TempDir::new().unwrap();
    let spool = open(dir.path());
    let second = open_with(dir.path(), 1_000, &Readiness::default());
    assert!(matches!(second, Err(SpoolError::InUse(_))), "{second:?}");
    spool.close().await;
    open(dir.path());
}

#[tokio::test]
async fn folder_and_files_are_closed_to_other_users() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("new/spool");
    let spool = open(&dir);
    spool.append(vec![event("a", 0)]).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let entries: Vec<_> = fs::read_dir(&dir).unwrap().map(Result::unwrap).collect();
    assert!(entries.len() >= 3, "{entries:?}");
    for entry in entries {
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_spool_is_refused_and_stays_as_it_is() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("spool.db");
    fs::write(
        &file,
        "not a database, but more than a hundred bytes ".repeat(50),
    )
    .unwrap();
    let before = fs::read(&file).unwrap();
    let refused = open_with(dir.path(), 1_000, &Readiness::default());
    assert!(matches!(refused, Err(SpoolError::Sqlite(_))), "{refused:?}");
    assert_eq!(fs::read(&file).unwrap(), before);

    let dir = TempDir::new().unwrap();
    let foreign = rusqlite::Connection::open(dir.path().join("spool.db")).unwrap();
    foreign.pragma_update(None, "user_version", 7).unwrap();
    drop(foreign);
    let refused = open_with(dir.path(), 1_000, &Readiness::default());
    assert!(
        matches!(refused, Err(SpoolError::Foreign(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_failed_write_is_refused_and_leaves_nothing_reserved() {
    let dir = TempDir::new().unwrap();
    let readiness = Readiness::default();
    let spool = open_with(dir.path(), 10_000, &readiness).unwrap();
    let other = rusqlite::Connection::open(dir.path().join("spool.db")).unwrap();
    // The table disappears under the spool, so every write fails.
    other
        .execute_batch("ALTER TABLE events RENAME TO moved")
        .unwrap();
    let refused = spool.append(vec![event("a", 0), event("b", 0)]).await;
    assert_eq!(refused, Err(SpoolRefusal::Disk));
    assert!(!spool.holds_events());
    assert_eq!(spool.shared.lock().depth(), lanes::Depth::default());
    other
        .execute_batch("ALTER TABLE moved RENAME TO events")
        .unwrap();
    spool.append(vec![event("a", 1)]).await.unwrap();
    assert_eq!(held(&spool), ["a 1"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// A crash in the middle of a write leaves a torn end. What was complete stays, in order.
    #[test]
    fn a_torn_end_takes_only_what_was_written_last(
        groups in prop::collection::vec(1usize..6, 1..12),
        cut in 0.0f64..1.0,
        garbage in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let dir = TempDir::new().unwrap();
        let spool = open(dir.path());
        let total: usize = groups.iter().sum();
        let mut complete = vec![0];
        runtime.block_on(async {
            let mut number = 0;
            for group in &groups {
                let events = (number..number + group).map(|number| event("a", number)).collect();
                number += group;
                spool.append(events).await.unwrap();
                complete.push(number);
            }
        });
        let crashed = crash(dir.path());
        let wal = crashed.path().join("spool.db-wal");
        let mut bytes = fs::read(&wal).unwrap();
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a small file")]
        let end = (bytes.len() as f64 * cut) as usize;
        bytes.truncate(end);
        bytes.extend(garbage);
        fs::write(&wal, bytes).unwrap();
        match open_with(crashed.path(), 10_000_000, &Readiness::default()) {
            Ok(torn) => {
                let held = held(&torn);
                prop_assert!(complete.contains(&held.len()), "{} of {total}", held.len());
                prop_assert_eq!(&held, &numbers(held.len()));
                runtime.block_on(async { torn.append(vec![event("a", 99)]).await }).unwrap();
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
