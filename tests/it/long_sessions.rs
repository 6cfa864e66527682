//! Sessions with many views: the cost of a batch depends only on its size, and durations are those of the whole session.

use crate::random_log::{
    at, clear, empty_tables, event_at, event_over, few_cases, fold, leave, read, start, view,
};
use jiff::{SignedDuration, Timestamp};
use kit::postgres;
use projector::{
    Store,
    fold::duration::{self, Leave, View},
};
use proptest::prelude::*;
use runtime::{IdSource, SeededIds};
use schemas::{Body, Event, PageviewId, SessionId, topics::EVENTS};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};
use uuid::Uuid;

const SESSION: SessionId = SessionId(Uuid::from_u128(100));

/// A session with a number of views, one every two seconds, and two further ones: in the middle and at the end.
fn long_session(views: u32) -> Vec<Event> {
    let view_at = |number: u32, seconds: f64| {
        let pageview = PageviewId(Uuid::from_u128((1 << 40) + u128::from(number)));
        let mut event = event_at((1 << 41) + u128::from(number), 0, view(SESSION, pageview));
        event.occurred_at += SignedDuration::from_secs_f64(seconds);
        event
    };
    let mut log = vec![event_at(1, 0, start(SESSION))];
    log.extend((0..views).map(|number| view_at(number, f64::from(number) * 2.0)));
    log.push(view_at(views, f64::from(views / 2) * 2.0 + 1.0));
    log.push(view_at(views + 1, f64::from(views) * 2.0));
    log
}

/// Empty tables and one connection with the projector's settings. The server counts the rows that a
/// session has read at its end, or on request.
async fn projector_pool() -> PgPool {
    let databases = postgres::databases().await;
    let planner = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"];
    let options = PgConnectOptions::from_str(&databases.analytics)
        .unwrap()
        .options(planner.map(|name| (name, "off")));
    PgPoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .unwrap()
}

/// How many rows of `hits` were read by this connection so far.
async fn rows_read(pool: &PgPool) -> i64 {
    sqlx::query("SELECT pg_stat_force_next_flush()")
        .execute(pool)
        .await
        .unwrap();
    let read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int8 FROM pg_stat_user_tables WHERE relname LIKE 'hits%'";
    sqlx::query_scalar(read).fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_further_view_or_leave_reads_few_rows_even_in_a_long_session() {
    let pool = projector_pool().await;
    let store = Store::new(pool.clone());
    let views = 3_000;
    let mut log = long_session(views);
    let before = log.len() - 2;
    let first = PageviewId(Uuid::from_u128(1 << 40));
    for number in 0..2_000 {
        log.push(event_at((1 << 42) + number, 5, leave(first, 1.5)));
    }
    let left = log.len();
    log.push(event_at(1 << 43, 6, leave(first, 2.5)));

    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    let mut apply = async |part| {
        let batch = read(&log, part);
        store.apply(&mut claim, &batch, at(0)).await.unwrap();
        rows_read(&pool).await
    };
    let known = apply(0..before).await;
    let in_the_middle = apply(before..before + 1).await;
    let at_the_end = apply(before + 1..before + 2).await;
    let many_leaves = apply(before + 2..left).await;
    let one_more_leave = apply(left..left + 1).await;
    for read in [
        in_the_middle - known,
        at_the_end - in_the_middle,
        one_more_leave - many_leaves,
    ] {
        assert!(read < 20, "{read} rows were read for one event");
    }
    let state: (i32, f64) = sqlx::query_as("SELECT page_views, duration_seconds FROM sessions")
        .fetch_one(&pool)
        .await
        .unwrap();
    // Left after 2.5 s instead of 2 s; one interval of 2 s became two of 1 s, and there is one more.
    assert_eq!(state, (3_002, 6_000.5));
}

/// The sessions of a log by the rules, computed from all of its events at once: number of views and
/// heartbeats, and seconds as bits.
fn restated(log: &[Event]) -> BTreeMap<Uuid, (i32, i32, u64)> {
    let day = SignedDuration::from_hours(24);
    let week = SignedDuration::from_hours(7 * 24);
    let mut seen = BTreeSet::new();
    let log: Vec<&Event> = log
        .iter()
        .filter(|event| seen.insert(event.event_id))
        .collect();
    let starts: BTreeMap<SessionId, (Timestamp, Timestamp)> = log
        .iter()
        .filter_map(|event| match &event.body {
            Body::SessionStarted(body) => {
                Some((body.session_id, (event.occurred_at, event.received_at)))
            }
            _ => None,
        })
        .collect();
    let mut sessions = BTreeMap::new();
    for (session, (start, start_received)) in starts {
        let in_time = |event: &Event| start_received.duration_since(event.received_at) <= week;
        let lasting =
            |event: &Event| event.occurred_at.duration_since(start) < day && in_time(event);
        let mut received = BTreeMap::new();
        let (mut views, mut leaves, mut beats) = (Vec::new(), Vec::new(), 0);
        for event in &log {
            match &event.body {
                Body::SessionHeartbeat(body) if body.session_id == session && lasting(event) => {
                    beats += 1;
                }
                Body::PageViewed(body) if body.session_id == session && lasting(event) => {
                    received.insert(body.pageview_id, event.received_at);
                    views.push(View {
                        at: event.occurred_at,
                        event_id: event.event_id,
                        pageview_id: body.pageview_id,
                    });
                }
                _ => {}
            }
        }
        for event in &log {
            if let Body::PageLeft(body) = &event.body
                && let Some(view_received) = received.get(&body.pageview_id)
                && view_received.duration_since(event.received_at) <= week
                && in_time(event)
            {
                let leave = Leave {
                    at: event.occurred_at,
                    event_id: event.event_id,
                    micros: duration::micros(body.duration_seconds),
                };
                leaves.push((body.pageview_id, leave));
            }
        }
        let viewed = duration::of_views(&views, &leaves);
        let seconds = duration::of_session(beats, viewed);
        let views = i32::try_from(views.len()).unwrap();
        sessions.insert(session.0, (views, beats, seconds.to_bits()));
    }
    sessions
}

#[test]
fn a_session_equals_the_sum_of_all_its_events_computed_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(empty_tables());
    let mut runner = few_cases();
    // Over an hour, a day and some weeks.
    let scale = prop_oneof![Just(1i64), Just(30), Just(300)];
    let cases = (
        scale.prop_flat_map(|scale| prop::collection::vec(event_over(scale), 1..80)),
        prop::collection::vec(any::<usize>(), 0..12),
        any::<u64>(),
    );
    let property = runner.run(&cases, |(mut log, cuts, seed)| {
        let again: Vec<Event> = log.iter().take(log.len() / 3).cloned().collect();
        log.extend(again);
        let ids = SeededIds::new(seed);
        log.sort_by_cached_key(|_| ids.random_16());
        let stored = runtime.block_on(async {
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &cuts).await;
            let rows: Vec<(Uuid, i32, i32, f64)> = sqlx::query_as(
                "SELECT session_id, page_views, heartbeats, duration_seconds FROM sessions",
            )
            .fetch_all(&pool)
            .await
            .unwrap();
            rows
        });
        let stored: BTreeMap<Uuid, (i32, i32, u64)> = stored
            .into_iter()
            .map(|(id, views, beats, seconds)| (id, (views, beats, seconds.to_bits())))
            .collect();
        prop_assert_eq!(stored, restated(&log));
        Ok(())
    });
    property.unwrap();
}
