//! Imports with too large visits, a stalled partition or a lost log.

use crate::{
    import::{assert_counted, history, import, system},
    replay,
};
use footfall::commands::{
    import::{Ground, Progress, Summary, Urls},
    replay::Selection,
};
use kit::{Creator, System, SystemBuilder, file::Counted};
use runtime::{Clock, Settings};
use schemas::topics::EVENTS;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    ops::Range,
    time::Duration,
};
use uuid::Uuid;

/// How long these imports wait for a stalled partition.
const PATIENCE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_beyond_the_bounds_of_a_session_is_cut_and_the_omitted_events_are_counted() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let start: jiff::Timestamp = "2026-02-20T10:30:00Z".parse().unwrap();
    let start = start.min(system.clock.now() - jiff::SignedDuration::from_hours(48));
    let view = |number: i64| {
        let at = start + jiff::SignedDuration::from_secs(number);
        json!({"eventId": Uuid::from_u128(1_000_000 + u128::from(number.unsigned_abs())), "occurredAt": at.to_string()})
    };
    let visit = |views: i64, heartbeats: u32| {
        json!({
            "bioPageId": creator.page, "eventId": Uuid::from_u128(1), "occurredAt": start.to_string(),
            "visitorId": "v", "heartbeats": heartbeats,
            "views": (0..views).map(view).collect::<Vec<_>>(),
        })
    };
    let long = visit(9_000, 2_880).to_string();
    let summary = tokio::time::timeout(kit::system::PATIENCE, import(&system, &long)).await;
    let summary = summary.expect("the import waits for ever");
    assert_eq!(summary.counts.new_visits, 1);
    assert_eq!(summary.counts.events, 1 + 1_000 + 2_879);
    let over = BTreeMap::from([("session_over", 8_000 + 1)]);
    assert_eq!(summary.counts.dropped, over);
    assert!(summary.stopped.is_empty() && summary.tables_seconds.is_some());
    // The part within the bounds is an ordinary visit.
    let kept = visit(1_000, 2_879).to_string();
    assert_counted(&system, &creator, &links, &kept).await;
    let again = import(&system, &long).await;
    assert_eq!((again.counts.known_visits, again.counts.events), (1, 0));
    assert_eq!(again.counts.dropped, BTreeMap::new());
    system.finish().await;
}

/// Imports a text with a short wait.
async fn import_impatiently(system: &System, text: String) -> Summary {
    let mut settings = Settings::from_pairs(system.settings.clone());
    let urls = Urls {
        main: Some(&system.databases.main),
        analytics: &system.databases.analytics,
    };
    let ground = Ground::prepare(&mut settings, system.log.kafka(), urls, &system.context);
    let ground = ground.await.unwrap_or_else(|failure| panic!("{failure}"));
    let ground = ground.with_patience(PATIENCE);
    let mut progress = Progress::new(None);
    let importing = ground.import(Cursor::new(text), true, &mut progress);
    let imported = tokio::time::timeout(kit::system::PATIENCE, importing).await;
    let imported = imported.expect("the import waits for ever");
    imported.unwrap_or_else(|failure| panic!("{failure}"))
}

/// The partition of a creator's events.
async fn partition_of(system: &System, creator: &Creator) -> i32 {
    system.client.session(creator.page, "visitor").await;
    let records = system.log.read(EVENTS).await;
    let key = creator.workspace_id.to_string();
    let record = records.iter().find(|record| record.key == key);
    record.unwrap().partition
}

/// Lines of visits with these numbers, each with a view.
fn visits(system: &System, creator: &Creator, numbers: Range<u128>) -> String {
    let at = system.clock.now() - jiff::SignedDuration::from_hours(24);
    let line = |number: u128| {
        let visit = json!({
            "bioPageId": creator.page, "eventId": Uuid::from_u128(2 * number), "visitorId": "v",
            "occurredAt": at.to_string(),
            "views": [{"eventId": Uuid::from_u128(2 * number + 1), "occurredAt": at.to_string()}],
        });
        format!("{visit}\n")
    };
    numbers.map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_partition_is_named_and_tenants_of_other_partitions_continue() {
    let (system, ada, _) = system(SystemBuilder::default()).await;
    let stopped = partition_of(&system, &ada).await;
    let mut bob = system.client.creator("bob").await;
    for name in ["bea", "ben", "bo", "bill", "bert", "bess", "burt", "bab"] {
        if partition_of(&system, &bob).await != stopped {
            break;
        }
        bob = system.client.creator(name).await;
    }
    assert_ne!(partition_of(&system, &bob).await, stopped);
    system.settle().await;
    let (first, second, others) = (
        visits(&system, &ada, 0..20),
        visits(&system, &ada, 20..60),
        visits(&system, &bob, 60..90),
    );

    // Like a projector that vanished in the middle of a transaction.
    let mut transaction = system.analytics.begin().await.unwrap();
    sqlx::query("SELECT FROM log_partitions WHERE topic = $1 AND partition = $2 FOR UPDATE")
        .bind(EVENTS)
        .bind(stopped)
        .execute(&mut *transaction)
        .await
        .unwrap();
    let summary = import_impatiently(&system, first.clone()).await;
    assert_eq!(summary.counts.new_visits, 20, "{summary}");
    assert_eq!(summary.tables_seconds, None, "{summary}");
    let [named] = &summary.stopped[..] else {
        panic!("{summary}");
    };
    assert_eq!((named.partition, named.visits_left_out), (stopped, 0));
    let place = format!("partition {stopped} of {EVENTS} has not advanced");
    assert!(summary.to_string().contains(&place), "{summary}");

    // The tables of a lagging partition cannot be asked, so its lines are skipped; the other tenant's lines continue.
    let both = format!("{second}{others}");
    let summary = import_impatiently(&system, both.clone()).await;
    assert_eq!(summary.counts.new_visits, 30, "{summary}");
    let left_out: Vec<(i32, u64)> = summary
        .stopped
        .iter()
        .map(|stopped| (stopped.partition, stopped.visits_left_out))
        .collect();
    assert_eq!(left_out, [(stopped, 40)], "{summary}");
    let overview = system.client.report(&bob, "overview?days=365").await;
    assert!(overview["totalViews"].as_i64().unwrap() > 0, "{overview}");

    transaction.rollback().await.unwrap();
    let summary = import_impatiently(&system, both).await;
    assert!(
        summary.stopped.is_empty() && summary.tables_seconds.is_some(),
        "{summary}"
    );
    assert_eq!(summary.counts.known_visits, 30, "{summary}");
    assert_eq!(summary.counts.new_visits, 40, "{summary}");
    let first = import_impatiently(&system, first).await;
    assert_eq!((first.counts.known_visits, first.counts.events), (20, 0));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_line_of_a_file_is_in_the_log_once() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let file = history(creator.page, &links, 60, system.clock.now());
    let visits = Counted::of(&file).visits() as u64;
    // Repeated next to each other, and again after a whole file.
    let twice: String = file
        .lines()
        .flat_map(|line| [line, "\n", line, "\n"])
        .collect();
    let summary = import(&system, &format!("{twice}{file}")).await;
    let counts = &summary.counts;
    assert_eq!(
        (counts.new_visits, counts.known_visits),
        (visits, 2 * visits),
        "{summary}"
    );
    let in_log = async || {
        let records = system.log.read(EVENTS).await;
        let id = |payload: &[u8]| {
            serde_json::from_slice::<Value>(payload).unwrap()["event_id"].to_string()
        };
        let ids: Vec<String> = records.iter().map(|record| id(&record.payload)).collect();
        let different: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        ids.len() as u64
    };
    assert_eq!(in_log().await, counts.events);
    assert_counted(&system, &creator, &links, &file).await;

    // New events of a repeated visit are not lost.
    let view = |number: u128| {
        let at = system.clock.now() - jiff::SignedDuration::from_mins(30);
        json!({"eventId": Uuid::from_u128(9_000 + number), "occurredAt": at.to_string()})
    };
    let visit = |views: u128| {
        let at = system.clock.now() - jiff::SignedDuration::from_mins(30);
        json!({
            "bioPageId": creator.page, "eventId": Uuid::from_u128(9_000), "occurredAt": at.to_string(),
            "visitorId": "v", "views": (1..=views).map(view).collect::<Vec<_>>(),
        })
    };
    let grown = import(
        &system,
        &format!("{}\n{}\n{}\n", visit(1), visit(3), visit(2)),
    )
    .await;
    let grown = grown.counts;
    assert_eq!(
        (grown.new_visits, grown.known_visits, grown.events),
        (2, 1, 4)
    );
    assert_eq!(in_log().await, counts.events + 4);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_restores_a_lost_log_although_the_tables_have_everything() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let file = history(creator.page, &links, 60, system.clock.now());
    import(&system, &file).await;
    let saved = replay::text(&system.log, Selection::default()).await;
    let records = saved.lines().count() as u64;

    let clock = system.clock.now();
    let (mut log, databases) = system.stop().await;
    log.replace().await;
    let builder = SystemBuilder::default().log(log).databases(databases);
    let system = builder.seed(1_000_000).start().await;
    system.clock.set(clock);
    let back = import(&system, &saved).await;
    assert_eq!(back.counts.new_records, records, "{back}");
    let in_log = system.log.read(EVENTS).await;
    let payloads: Vec<Value> = in_log
        .iter()
        .map(|record| serde_json::from_slice(&record.payload).unwrap())
        .collect();
    let expected = saved.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["event"].clone()
    });
    assert_eq!(payloads, expected.collect::<Vec<_>>());
    assert_counted(&system, &creator, &links, &file).await;
    system.finish().await;
}
