//! Exactly once into the tables: with any order, split and repetition, former owners, crashes, and replaced logs.

use crate::random_log::{
    append, at, clear, empty_tables, event_over, few_cases, fold, read, sample_log, tables,
};
use kit::{
    System, SystemBuilder,
    child::{Program, pairs},
    log::TestLog,
    postgres,
};
use projector::{Store, store::ApplyError};
use proptest::prelude::*;
use runtime::{IdSource, Producer, SeededIds, producer::Record};
use schemas::{Event, topics::EVENTS};
use sqlx::PgPool;

#[test]
fn any_order_split_and_repetition_of_a_log_gives_equal_tables() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (a, b) = runtime.block_on(async { (empty_tables().await, empty_tables().await) });
    let mut runner = few_cases();
    let cases = (
        prop_oneof![Just(1i64), Just(300)]
            .prop_flat_map(|scale| prop::collection::vec(event_over(scale), 1..60)),
        prop::collection::vec(any::<usize>(), 0..5),
        prop::collection::vec(any::<usize>(), 0..9),
        any::<u64>(),
    );
    let property = runner.run(&cases, |(log, cuts, other_cuts, seed)| {
        let (plain, other) = runtime.block_on(async {
            clear(&a).await;
            clear(&b).await;
            fold(&Store::new(a.clone()), &log, &cuts).await;
            let mut shuffled: Vec<Event> = log
                .iter()
                .chain(log.iter().take(log.len() / 2))
                .cloned()
                .collect();
            let ids = SeededIds::new(seed);
            shuffled.sort_by_cached_key(|_| ids.random_16());
            fold(&Store::new(b.clone()), &shuffled, &other_cuts).await;
            (tables(&a).await, tables(&b).await)
        });
        prop_assert_eq!(plain, other);
        Ok(())
    });
    property.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_projectors_racing_for_a_partition_only_the_later_owner_commits() {
    let databases = postgres::databases().await;
    let pool = PgPool::connect(&databases.analytics).await.unwrap();
    let store = Store::new(pool.clone());
    let log: Vec<Event> = sample_log(40);
    let batch = |from: usize, to: usize| read(&log, from..to);
    let mut zombie = store.claim(EVENTS, 0).await.unwrap();
    store
        .apply(&mut zombie, &batch(0, 10), at(0))
        .await
        .unwrap();
    let mut owner = store.claim(EVENTS, 0).await.unwrap();
    assert_eq!(owner.next_offset, 10);
    assert!(matches!(
        store.apply(&mut zombie, &batch(10, 20), at(0)).await,
        Err(ApplyError::Fenced)
    ));

    // Both claim and both write at the same time, repeatedly: only the later claim commits.
    for _ in 0..5 {
        let from = usize::try_from(owner.next_offset).unwrap();
        let work = batch(from, from + 3);
        let (first, second) = tokio::join!(store.claim(EVENTS, 0), store.claim(EVENTS, 0));
        let (mut first, mut second) = (first.unwrap(), second.unwrap());
        let (a, b) = tokio::join!(
            store.apply(&mut first, &work, at(0)),
            store.apply(&mut second, &work, at(0))
        );
        assert_eq!(
            (a.is_ok(), b.is_ok()),
            (first.epoch > second.epoch, second.epoch > first.epoch)
        );
        owner = if a.is_ok() { first } else { second };
    }
    store
        .apply(&mut owner, &batch(25, 40), at(0))
        .await
        .unwrap();

    let undisturbed = postgres::databases().await;
    let undisturbed = PgPool::connect(&undisturbed.analytics).await.unwrap();
    fold(&Store::new(undisturbed.clone()), &log, &[]).await;
    assert_eq!(tables(&pool).await, tables(&undisturbed).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_killed_in_mid_stream_reaches_the_numbers_of_an_undisturbed_run() {
    let log = TestLog::start().await;
    let databases = postgres::empty_databases().await;
    let events = sample_log(6_000);
    append(&log, &events).await;
    let ends = log.ends().await;
    let pool = PgPool::connect(&databases.analytics).await.unwrap();

    let kafka = log.variables();
    let mut environment = pairs(&kafka);
    environment.extend([
        ("ANALYTICS_DATABASE_URL", databases.analytics.as_str()),
        ("PROJECTOR_LISTEN", "127.0.0.1:0"),
        ("RUST_LOG", "warn"),
    ]);
    let all = total(&ends);
    for kills in 0.. {
        let before = folded(&pool).await;
        if before >= all {
            break;
        }
        let program = Program::start("projector", &[], &environment);
        // Kills the projector after its first commit, usually while it works on the next batch. A start takes
        // seconds, so the last one may finish.
        let enough = if kills < 4 { before + 1 } else { all };
        let deadline = tokio::time::Instant::now() + kit::system::PATIENCE * 2;
        loop {
            let now = folded(&pool).await;
            if now >= enough {
                break;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "stuck at {now} of {all}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        program.kill();
    }
    let undisturbed = postgres::databases().await;
    let undisturbed = PgPool::connect(&undisturbed.analytics).await.unwrap();
    fold(
        &Store::new(undisturbed.clone()),
        &events,
        &[1000, 2000, 3000],
    )
    .await;
    assert_eq!(tables(&pool).await, tables(&undisturbed).await);
    log.finish().await;
}

fn total(ends: &[(i32, i64)]) -> i64 {
    ends.iter().map(|(_, end)| end).sum()
}

/// The number of folded records; 0 while there are no tables.
async fn folded(pool: &PgPool) -> i64 {
    Store::new(pool.clone())
        .progress(EVENTS)
        .await
        .map_or(0, |progress| total(&progress))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_log_is_folded_from_its_beginning_and_known_events_count_once() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    for visitor in ["a", "b", "c"] {
        let session = system.client.session(creator.page, visitor).await;
        system.client.view(session, None).await;
    }
    system.settle().await;
    let known = system.log.read(EVENTS).await;
    let (mut log, databases) = system.stop().await;

    log.replace().await;
    // The new log holds one event of the old log, and new ones.
    let producer = Producer::new(&log.kafka()).unwrap();
    let again = Record {
        topic: EVENTS,
        key: &known[0].key,
        payload: &known[0].payload,
        headers: &[],
    };
    assert!(producer.send(&[again]).await[0].is_ok());
    let system = SystemBuilder::default()
        .log(log)
        .databases(databases)
        .seed(1_000_000)
        .start()
        .await;
    // The directory of the new log was published again, so the page is known.
    let session = system.client.session(creator.page, "d").await;
    system.client.view(session, None).await;
    system.settle().await;
    let overview = system.client.report(&creator, "overview").await;
    assert_eq!(
        (
            overview["totalViews"].as_i64(),
            overview["uniqueVisitors"].as_i64()
        ),
        (Some(4), Some(4))
    );
    let generations: Vec<(i32,)> =
        sqlx::query_as("SELECT generation FROM log_partitions WHERE next_offset > 0")
            .fetch_all(&system.analytics)
            .await
            .unwrap();
    assert!(
        generations.iter().all(|(generation,)| *generation == 1),
        "{generations:?}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_tail_is_detected_even_after_it_has_grown_again() {
    let log = TestLog::start().await;
    let databases = postgres::databases().await;
    let events = sample_log(30);
    append(&log, &events).await;
    let system = System::over(log, databases).await;
    let (mut log, databases) = system.stop().await;

    // The effect of a power loss: the newest records are gone, and others take their offsets.
    log.replace().await;
    append(&log, &events[..20]).await;
    let later: Vec<Event> = sample_log(80).split_off(30);
    append(&log, &later).await;
    let system = System::over(log, databases).await;

    let undisturbed = postgres::databases().await;
    let undisturbed = PgPool::connect(&undisturbed.analytics).await.unwrap();
    let all: Vec<Event> = events.into_iter().chain(later).collect();
    fold(&Store::new(undisturbed.clone()), &all, &[]).await;
    assert_eq!(tables(&system.analytics).await, tables(&undisturbed).await);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_records_become_dead_letters_with_their_reason_and_stop_nothing() {
    let system = System::start().await;
    let producer = Producer::new(&system.log.kafka()).unwrap();
    let bad = Record {
        topic: EVENTS,
        key: "k",
        payload: b"{\"type\":\"page.viewed\",\"version\":1}",
        headers: &[],
    };
    assert!(producer.send(&[bad]).await[0].is_ok());
    append(&system.log, &sample_log(3)).await;
    system.settle().await;
    let letters = system.log.read(schemas::topics::DEAD_LETTERS).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].payload, bad.payload);
    let header = |name: &str| letters[0].headers.get(name).cloned().unwrap_or_default();
    assert!(
        header(schemas::dead_letter::REASON).contains("event_id is required"),
        "{:?}",
        letters[0].headers
    );
    assert_eq!(header(schemas::dead_letter::TOPIC), EVENTS);
    assert_eq!(header(schemas::dead_letter::OFFSET), "0");
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM seen")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(events, 3);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_stops_its_partition_and_nothing_after_it_is_folded() {
    let system = System::start().await;
    let events = sample_log(2);
    append(&system.log, &events[..1]).await;
    system.settle().await;
    let newer = String::from_utf8(events[1].to_bytes().unwrap()).unwrap();
    let kind = events[1].body.kind().name();
    let newer = newer.replace(kind, "page.printed");
    let producer = Producer::new(&system.log.kafka()).unwrap();
    let record = Record {
        topic: EVENTS,
        key: "one-workspace",
        payload: newer.as_bytes(),
        headers: &[],
    };
    assert!(producer.send(&[record]).await[0].is_ok());
    append(&system.log, &sample_log(5)[2..]).await;
    // Another partition continues: its events arrive after the stop and are folded.
    let creator = system.client.creator("ada").await;
    let session = system.client.session(creator.page, "v").await;
    let stopped_at = system.log.ends().await;
    let stopped_partition = system
        .log
        .read(EVENTS)
        .await
        .iter()
        .find(|record| record.key == "one-workspace")
        .map(|record| record.partition)
        .unwrap();
    let others: Vec<(i32, i64)> = stopped_at
        .into_iter()
        .filter(|(partition, _)| *partition != stopped_partition)
        .collect();
    system.settle_at(&others).await;
    if system
        .log
        .read(EVENTS)
        .await
        .iter()
        .any(|record| record.partition != stopped_partition)
    {
        assert_eq!(crate::delivery::session_state(&system, session).await.1, 0);
    }
    system.settle_at(&[(stopped_partition, 1)]).await;
    let dead = system.log.read(schemas::topics::DEAD_LETTERS).await;
    assert!(dead.is_empty(), "an unknown type is not a dead letter");
    let progress = Store::new(system.analytics.clone())
        .progress(EVENTS)
        .await
        .unwrap();
    assert!(progress.contains(&(stopped_partition, 1)), "{progress:?}");
    system.finish().await;
}
