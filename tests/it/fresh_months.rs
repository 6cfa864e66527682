//! Months without events, of which the owner of a partition keeps what it has seen in memory.

use crate::random_log::{at, clear, empty_tables, event_at, few_cases, read};
use jiff::{SignedDuration, ToSpan, tz::TimeZone};
use projector::{Store, store::ApplyError};
use proptest::prelude::*;
use schemas::{Body, Event, SessionHeartbeat, SessionId, WorkspaceId, WorkspaceNo, topics::EVENTS};
use sqlx::PgPool;
use std::collections::BTreeSet;
use uuid::Uuid;

/// An event of a history. Its id decides everything but the time of receipt.
fn of_history(id: u8, received_after: SignedDuration) -> Event {
    let body = Body::SessionHeartbeat(SessionHeartbeat {
        session_id: SessionId(Uuid::from_u128(7)),
    });
    let event = event_at(1_000 + u128::from(id), 0, body);
    let month = at(0).to_zoned(TimeZone::UTC) + i64::from(id % 3).months();
    let no = u32::from(id % 2) + 1;
    Event {
        occurred_at: month.timestamp() + SignedDuration::from_secs(id.into()),
        received_at: month.timestamp() + received_after,
        workspace_id: WorkspaceId(Uuid::from_u128(no.into())),
        workspace_no: WorkspaceNo(no),
        ..event
    }
}

/// Received at once, after days, and after a year.
fn event() -> impl Strategy<Value = Event> {
    (0u8..60, prop::sample::select(vec![0i64, 12, 400])).prop_map(|(id, days)| {
        of_history(
            id,
            SignedDuration::from_hours(24 * days) + SignedDuration::from_hours(1),
        )
    })
}

async fn seen(pool: &PgPool) -> Vec<Uuid> {
    sqlx::query_scalar("SELECT event_id FROM seen ORDER BY event_id")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[test]
fn each_event_counts_once_in_any_order_with_any_repeats_and_owners() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(empty_tables());
    let mut runner = few_cases();
    // Batches; some are folded by a new owner, which remembers nothing.
    let batches = prop::collection::vec(
        (
            prop::collection::vec(event(), 1..30),
            prop::bool::weighted(0.2),
        ),
        1..8,
    );
    let property = runner.run(&batches, |batches| {
        runtime.block_on(async {
            clear(&pool).await;
            let store = Store::new(pool.clone());
            let mut claim = store.claim(EVENTS, 0).await.unwrap();
            let (mut log, mut known) = (Vec::new(), BTreeSet::new());
            for (events, by_new_owner) in batches {
                if by_new_owner {
                    claim = store.claim(EVENTS, 0).await.unwrap();
                }
                let new = events.iter().filter(|event| known.insert(event.event_id.0));
                let new = u64::try_from(new.count()).unwrap();
                let from = log.len();
                log.extend(events);
                let batch = read(&log, from..log.len());
                let applied = store.apply(&mut claim, &batch, at(0)).await.unwrap();
                prop_assert_eq!(applied.applied.values().sum::<u64>(), new);
            }
            prop_assert_eq!(seen(&pool).await, known.into_iter().collect::<Vec<_>>());
            Ok(())
        })
    });
    property.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_error_the_owner_asks_the_table_again() {
    let pool = empty_tables().await;
    let store = Store::new(pool.clone());
    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    let year = SignedDuration::from_hours(24 * 400);
    let log = [0, 6, 12, 18].map(|id| of_history(id, year));
    let first = read(&log, 0..1);
    store.apply(&mut claim, &first, at(0)).await.unwrap();
    // As a second owner would add them, if there were one at the same time.
    add_behind_its_back(&pool, &log[1]).await;
    let others = read(&log, 1..3);
    let refused = store.apply(&mut claim, &others, at(0)).await;
    assert!(
        matches!(refused, Err(ApplyError::Database(_))),
        "{refused:?}"
    );
    let applied = store.apply(&mut claim, &others, at(0)).await.unwrap();
    assert_eq!(applied.applied.values().sum::<u64>(), 1);
    assert_eq!(applied.duplicate.values().sum::<u64>(), 1);
    add_behind_its_back(&pool, &log[3]).await;
    let last = read(&log, 3..4);
    let applied = store.apply(&mut claim, &last, at(0)).await.unwrap();
    assert_eq!(applied.duplicate.values().sum::<u64>(), 1);
    assert_eq!(seen(&pool).await.len(), 4);
}

async fn add_behind_its_back(pool: &PgPool, event: &Event) {
    sqlx::query("INSERT INTO seen SELECT 9, workspace_no, month, $1 FROM seen LIMIT 1")
        .bind(event.event_id.0)
        .execute(pool)
        .await
        .unwrap();
}
