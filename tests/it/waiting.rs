//! Events that wait for their session: for how long, and that deleting them changes no number.

use crate::random_log::{
    append, at, empty_tables, event_at, fold, leave, read, start, tables, view,
};
use jiff::SignedDuration;
use kit::SystemBuilder;
use projector::Store;
use runtime::Clock;
use schemas::{Body, Event, PageviewId, SessionHeartbeat, SessionId, topics::EVENTS};
use sqlx::PgPool;
use uuid::Uuid;

const DAY: i64 = 24 * 3600;
const SESSION: SessionId = SessionId(Uuid::from_u128(100));
const VIEW: PageviewId = PageviewId(Uuid::from_u128(200));

fn heartbeat() -> Body {
    Body::SessionHeartbeat(SessionHeartbeat {
        session_id: SESSION,
    })
}

fn received(event: Event, seconds: i64) -> Event {
    Event {
        received_at: at(seconds),
        ..event
    }
}

/// Views, heartbeats, left views and whether it bounced.
async fn state(pool: &PgPool) -> (i32, i32, i32, bool) {
    sqlx::query_as("SELECT page_views, heartbeats, left_views, bounced FROM sessions")
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn count(pool: &PgPool, table: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_counts_if_its_session_arrives_within_seven_days_in_either_order() {
    let late = 7 * DAY + 10;
    let log = [
        // One second too early for the session, and just in time.
        received(event_at(1, 0, view(SESSION, VIEW)), 9),
        received(event_at(2, 0, heartbeat()), 10),
        // A leave of a view that does not count.
        received(event_at(3, 0, leave(VIEW, 5.0)), late),
        received(event_at(4, 0, start(SESSION)), late),
    ];
    let mut other = log.clone();
    other.reverse();
    for (log, cuts) in [
        (&log, &[][..]),
        (&log, &[1, 2, 3]),
        (&other, &[]),
        (&other, &[1, 2, 3]),
    ] {
        let pool = empty_tables().await;
        fold(&Store::new(pool.clone()), log, cuts).await;
        assert_eq!(state(&pool).await, (0, 1, 0, true), "{cuts:?}");
        assert_eq!(count(&pool, "waiting").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_a_day_after_its_start_in_any_order_of_arrival() {
    let log = [
        received(event_at(1, 0, start(SESSION)), 0),
        received(event_at(2, DAY - 1, view(SESSION, VIEW)), 0),
        received(
            event_at(3, DAY, view(SESSION, PageviewId(Uuid::from_u128(201)))),
            0,
        ),
        received(event_at(4, DAY - 1, heartbeat()), 0),
        received(event_at(5, DAY, heartbeat()), 0),
        // A leave counts if its view does, however late.
        received(event_at(6, DAY + 60, leave(VIEW, 61.0)), 0),
        received(
            event_at(7, DAY + 60, leave(PageviewId(Uuid::from_u128(201)), 60.0)),
            0,
        ),
    ];
    let mut other = log.clone();
    other.reverse();
    let mut dumps = Vec::new();
    for (log, cuts) in [
        (&log, &[][..]),
        (&log, &[1, 2, 3, 4, 5, 6]),
        (&other, &[]),
        (&other, &[1, 3, 5]),
    ] {
        let pool = empty_tables().await;
        fold(&Store::new(pool.clone()), log, cuts).await;
        assert_eq!(state(&pool).await, (1, 1, 1, true), "{cuts:?}");
        dumps.push(tables(&pool).await);
    }
    assert!(dumps.iter().all(|dump| *dump == dumps[0]), "{dumps:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_events_are_deleted_in_batches_and_no_number_changes() {
    let (now, partitions) = (at(8 * DAY + 1), 2);
    let pool = empty_tables().await;
    let store = Store::new(pool.clone());
    let other = SessionId(Uuid::from_u128(101));
    let mut log: Vec<Event> = (0..6_000)
        .map(|number| {
            let pageview = PageviewId(Uuid::from_u128(10_000 + number));
            received(event_at(10_000 + number, 0, view(SESSION, pageview)), 0)
        })
        .collect();
    log.push(received(event_at(1, 0, leave(VIEW, 5.0)), 0));
    // One that waited less long, and an event that counts.
    log.push(received(event_at(2, 0, heartbeat()), 2));
    log.push(received(event_at(3, 0, start(other)), 0));
    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    store
        .apply(&mut claim, &read(&log, 0..log.len()), now)
        .await
        .unwrap();
    let _ = store.claim(EVENTS, 1).await.unwrap();
    assert_eq!(store.count_waiting().await.unwrap(), 1);

    // The other partition's progress is unknown, and this log has not come that far.
    assert_eq!(
        store.expire_waiting(partitions, now).await.unwrap(),
        (0, false)
    );
    store.note_folded(1, 0, now).await.unwrap();
    store.note_folded(0, 17, now).await.unwrap();
    assert_eq!(
        store.expire_waiting(partitions, now).await.unwrap(),
        (0, false)
    );
    let end = i64::try_from(log.len()).unwrap();
    store.note_folded(0, end, now).await.unwrap();
    let before = at(8 * DAY);
    assert_eq!(
        store.expire_waiting(partitions, before).await.unwrap(),
        (0, false)
    );
    assert_eq!(
        store.expire_waiting(partitions, now).await.unwrap(),
        (5_000, true)
    );
    assert_eq!(
        store.expire_waiting(partitions, now).await.unwrap(),
        (1_001, false)
    );
    assert_eq!(count(&pool, "waiting").await, 1);

    // The session arrives: it is the same as without any deletion.
    log.push(received(event_at(4, 0, start(SESSION)), 8 * DAY));
    let next = read(&log, log.len() - 1..log.len());
    store.apply(&mut claim, &next, now).await.unwrap();
    let undisturbed = empty_tables().await;
    fold(&Store::new(undisturbed.clone()), &log, &[]).await;
    let sessions =
        "SELECT string_agg(to_jsonb(t)::text, E'\\n' ORDER BY session_id) FROM sessions AS t";
    let (live, again): (String, String) = (
        sqlx::query_scalar(sessions).fetch_one(&pool).await.unwrap(),
        sqlx::query_scalar(sessions)
            .fetch_one(&undisturbed)
            .await
            .unwrap(),
    );
    assert_eq!(live, again);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_projector_deletes_expired_events() {
    let system = SystemBuilder::default().start().await;
    let now = system.clock.now();
    let long_ago = now - SignedDuration::from_hours(9 * 24);
    let mut waiting = event_at(1, 0, heartbeat());
    waiting.received_at = long_ago;
    let mut recent = event_at(2, 0, heartbeat());
    recent.received_at = now;
    append(&system.log, &[waiting, recent]).await;
    system.settle().await;
    assert_eq!(count(&system.analytics, "waiting").await, 2);
    let (log, databases) = system.stop().await;

    // A start checks for them at once.
    let system = SystemBuilder::default()
        .log(log)
        .databases(databases)
        .start()
        .await;
    let deadline = tokio::time::Instant::now() + kit::system::PATIENCE;
    while count(&system.analytics, "waiting").await > 1 {
        assert!(tokio::time::Instant::now() < deadline, "it still waits");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let left: Uuid = sqlx::query_scalar("SELECT event_id FROM waiting")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(left, Uuid::from_u128(2));
    system.finish().await;
}
