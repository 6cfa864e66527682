//! The order within a tenant: `seq` is a place in the log, with any batch boundaries, and never repeats.

use crate::clicks_folded::click;
use crate::random_log::{
    append, at, clear, empty_tables, event_at, event_over, few_cases, fold, fold_under, leave,
    read, sample_log, start, view, whole_tables,
};
use kit::{System, log::TestLog, postgres};
use projector::{Claim, Store, store::Found};
use proptest::prelude::*;
use schemas::{Event, PageviewId, SessionId, topics::EVENTS};
use uuid::Uuid;

const GENERATION: i64 = 1 << 48;

#[test]
fn the_same_log_gives_equal_tables_with_any_batch_boundaries() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (a, b) = runtime.block_on(async { (empty_tables().await, empty_tables().await) });
    let mut runner = few_cases();
    let scale = prop_oneof![Just(1i64), Just(300)];
    let cases = (
        scale.prop_flat_map(|scale| prop::collection::vec(event_over(scale), 1..80)),
        prop::collection::vec(any::<usize>(), 0..5),
        prop::collection::vec(any::<usize>(), 0..20),
    );
    let property = runner.run(&cases, |(log, cuts, other_cuts)| {
        let (first, second, again) = runtime.block_on(async {
            clear(&a).await;
            clear(&b).await;
            fold(&Store::new(a.clone()), &log, &cuts).await;
            fold(&Store::new(b.clone()), &log, &other_cuts).await;
            let dumps = (whole_tables(&a).await, whole_tables(&b).await);
            // Once more over the same tables, as after a change to another log and back: every event is known.
            let store = Store::new(a.clone());
            let claim = store.claim(EVENTS, 0).await.unwrap();
            let mut claim = settled(&store, &claim, 1, true).await;
            claim = settled(&store, &claim, 2, true).await;
            assert_eq!((claim.next_offset, claim.generation), (0, 1));
            fold_under(&mut claim, &store, &log, &other_cuts).await;
            (dumps.0, dumps.1, whole_tables(&a).await)
        });
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(&first, &again);
        Ok(())
    });
    property.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_at_once_give_the_same_tables_as_few_at_a_time() {
    // Enough sessions, views and clicks that each table takes its rows by `COPY`.
    let log: Vec<Event> = (0..2_100u32)
        .flat_map(|number| {
            let (id, seconds) = (u128::from(number) * 10, i64::from(number) * 700);
            let session = SessionId(Uuid::from_u128(id + 1));
            let pageview = PageviewId(Uuid::from_u128(id + 2));
            let clicked = click(id + 6, seconds, (7, (number % 250) as u8));
            let mut started = event_at(id + 3, seconds, start(session));
            started.visitor = clicked.visitor.clone();
            let left =
                (number % 3 == 0).then(|| event_at(id + 5, seconds + 9, leave(pageview, 8.5)));
            let viewed = event_at(id + 4, seconds + 1, view(session, pageview));
            [started, viewed, clicked].into_iter().chain(left)
        })
        .collect();
    let (whole, parts) = (empty_tables().await, empty_tables().await);
    fold(&Store::new(whole.clone()), &log, &[]).await;
    let cuts: Vec<usize> = (0..log.len()).step_by(900).collect();
    fold(&Store::new(parts.clone()), &log, &cuts).await;
    let whole = whole_tables(&whole).await;
    assert!(whole.lines().count() > 12_000);
    assert!(whole == whole_tables(&parts).await, "the tables differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_event_keeps_its_seq_and_becomes_visible_with_the_last_record_that_it_needs() {
    let session = SessionId(Uuid::from_u128(100));
    let pageview = PageviewId(Uuid::from_u128(200));
    let other = PageviewId(Uuid::from_u128(201));
    let log = [
        event_at(1, 30, leave(pageview, 12.5)),
        event_at(2, 10, view(session, pageview)),
        event_at(3, 40, view(session, other)),
        event_at(4, 0, start(session)),
        event_at(5, 20, leave(pageview, 10.0)),
        // A further copy of a record changes nothing.
        event_at(2, 10, view(session, pageview)),
    ];
    for cuts in [&[][..], &[1, 2, 3, 4, 5], &[2, 4]] {
        let pool = empty_tables().await;
        fold(&Store::new(pool.clone()), &log, cuts).await;
        let seqs: Vec<(i64, i64)> =
            sqlx::query_as("SELECT seq, visible_seq FROM hits ORDER BY event_id")
                .fetch_all(&pool)
                .await
                .unwrap();
        assert_eq!(seqs, [(1, 3), (2, 3)], "{cuts:?}");
        let seen: Vec<i64> = sqlx::query_scalar("SELECT seq FROM seen ORDER BY event_id")
            .fetch_all(&pool)
            .await
            .unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 4], "{cuts:?}");
        let session: (i64, f64) = sqlx::query_as("SELECT seq, duration_seconds FROM sessions")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(session, (3, 12.5), "{cuts:?}");
    }
}

/// A claim compared with a log of the given id.
async fn settled(store: &Store, claim: &Claim, log: u128, has_last_record: bool) -> Claim {
    let found = Found {
        log_id: Uuid::from_u128(log),
        has_last_record,
    };
    store.settle(claim, found).await.unwrap().unwrap()
}

/// Claims a partition for a log; returns its generation and next offset.
async fn taken_over(store: &Store, partition: i32, log: u128, has_last: bool) -> (i32, i64) {
    let claim = store.claim(EVENTS, partition).await.unwrap();
    let claim = settled(store, &claim, log, has_last).await;
    (claim.generation, claim.next_offset)
}

/// Folds ten records into a partition, regardless of its content.
async fn fold_ten(store: &Store, partition: i32, log: u128) {
    let claim = store.claim(EVENTS, partition).await.unwrap();
    let mut claim = settled(store, &claim, log, true).await;
    let records = sample_log(10);
    let mut batch = read(&records, 0..10);
    let from = claim.next_offset;
    for (offset, _) in &mut batch.events {
        *offset += from;
    }
    batch.end = batch.end.map(|(next, id)| (next + from, id));
    store.apply(&mut claim, &batch, at(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_belongs_to_a_log_and_not_to_a_partition() {
    let store = Store::new(empty_tables().await);
    for partition in 0..3 {
        assert_eq!(taken_over(&store, partition, 1, true).await, (0, 0));
        fold_ten(&store, partition, 1).await;
        assert_eq!(taken_over(&store, partition, 1, true).await, (0, 10));
    }
    // Another log: a new generation for all partitions, including those without folded records.
    for partition in 0..4 {
        assert_eq!(taken_over(&store, partition, 2, false).await, (1, 0));
    }
    for partition in 0..4 {
        fold_ten(&store, partition, 2).await;
    }
    // Also if its records happen to be the same.
    assert_eq!(taken_over(&store, 0, 3, true).await, (2, 0));
    // The previous log comes back: its own generation is too low to continue with.
    assert_eq!(taken_over(&store, 1, 2, true).await, (3, 0));
    assert_eq!(taken_over(&store, 0, 2, true).await, (3, 0));
    assert_eq!(taken_over(&store, 3, 2, true).await, (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_end_gets_one_further_generation_for_the_affected_partitions() {
    let store = Store::new(empty_tables().await);
    for partition in 0..4 {
        fold_ten(&store, partition, 1).await;
    }
    assert_eq!(taken_over(&store, 1, 1, false).await, (1, 0));
    assert_eq!(taken_over(&store, 2, 1, true).await, (0, 10));
    assert_eq!(taken_over(&store, 3, 1, false).await, (1, 0));
    assert_eq!(taken_over(&store, 2, 1, true).await, (0, 10));
    // Again, later: partition 3 has folded under the generation of the first loss.
    fold_ten(&store, 3, 1).await;
    assert_eq!(taken_over(&store, 3, 1, false).await, (2, 0));
    assert_eq!(taken_over(&store, 2, 1, false).await, (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_build_without_log_ids_continue_with_their_log() {
    let pool = empty_tables().await;
    let store = Store::new(pool.clone());
    let old =
        "INSERT INTO log_partitions (topic, partition, generation, next_offset, last_event_id)
        SELECT $1, partition, generation, 10, md5('last')::uuid
        FROM (VALUES (0, 0), (1, 2), (2, 0)) AS known (partition, generation)";
    sqlx::query(old).bind(EVENTS).execute(&pool).await.unwrap();
    assert_eq!(taken_over(&store, 0, 1, true).await, (0, 10));
    assert_eq!(taken_over(&store, 1, 1, true).await, (2, 10));
    assert_eq!(taken_over(&store, 2, 1, false).await, (2, 0));
    assert_eq!(taken_over(&store, 3, 1, true).await, (2, 0));
    assert_eq!(taken_over(&store, 0, 2, false).await, (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_claimed_at_the_same_moment_share_the_generation_of_a_new_log() {
    let store = Store::new(empty_tables().await);
    let claims = (0..8).map(|partition| {
        let store = store.clone();
        tokio::spawn(async move { taken_over(&store, partition, 7, true).await })
    });
    let taken = futures::future::join_all(claims).await;
    let taken: Vec<(i32, i64)> = taken.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken, [(0, 0); 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folding_a_log_again_into_empty_tables_gives_the_same_bytes() {
    let log = TestLog::start().await;
    let events = sample_log(400);
    append(&log, &events).await;
    let mut dumps = Vec::new();
    let mut kept = Some(log);
    for _ in 0..2 {
        let databases = postgres::databases().await;
        let system = System::over(kept.take().unwrap(), databases).await;
        dumps.push(whole_tables(&system.analytics).await);
        let generations = "SELECT DISTINCT generation FROM log_partitions";
        let generations: Vec<i32> = sqlx::query_scalar(generations)
            .fetch_all(&system.analytics)
            .await
            .unwrap();
        assert_eq!(generations, [0]);
        let (log, _) = system.stop().await;
        kept = Some(log);
    }
    assert_eq!(dumps[0], dumps[1]);
    kept.unwrap().finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_new_log_come_after_those_of_the_previous_log() {
    let log = TestLog::start().await;
    let databases = postgres::databases().await;
    let events = sample_log(60);
    append(&log, &events[..30]).await;
    let system = System::over(log, databases).await;
    let (mut log, databases) = system.stop().await;
    log.replace().await;
    append(&log, &events[30..]).await;
    let system = System::over(log, databases).await;
    let (old, new): (i64, i64) = sqlx::query_as(
        "SELECT max(seq) FILTER (WHERE seq < $1), min(seq) FILTER (WHERE seq >= $1) FROM seen",
    )
    .bind(GENERATION)
    .fetch_one(&system.analytics)
    .await
    .unwrap();
    assert!(old < 30 && new >= GENERATION, "{old} {new}");
    let generations: Vec<i32> = sqlx::query_scalar("SELECT generation FROM log_partitions")
        .fetch_all(&system.analytics)
        .await
        .unwrap();
    assert_eq!(generations, [1; 4], "also partitions without records");
    let logs: i64 = sqlx::query_scalar("SELECT count(DISTINCT log_id) FROM logs")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(logs, 2);
    system.finish().await;
}
