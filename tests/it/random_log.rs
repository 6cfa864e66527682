//! Logs of random events of a few sessions, folded in random batches, and the resulting tables.

use jiff::{SignedDuration, Timestamp};
use kit::{log::TestLog, postgres};
use projector::{Store, batch::Batch};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use runtime::{Producer, producer::Record};
use schemas::{
    Body, Event, EventId, PageId, PageLeft, PageViewed, PageviewId, SessionHeartbeat, SessionId,
    SessionIdentified, SessionStarted, SourceClass, UserHash, Utm, Visitor, VisitorHash,
    WorkspaceId, WorkspaceNo, topics::EVENTS,
};
use sqlx::PgPool;
use uuid::Uuid;

/// An empty analytics database.
pub async fn empty_tables() -> PgPool {
    let databases = postgres::databases().await;
    PgPool::connect(&databases.analytics).await.unwrap()
}

/// Empties the tables: much faster than another database.
pub async fn clear(pool: &PgPool) {
    for table in [
        "seen",
        "sessions",
        "hits",
        "custom_events",
        "refusals",
        "conversions",
        "conversion_changes",
        "unattributed",
        "waiting",
        "log_partitions",
        "logs",
    ] {
        let statement = format!("DELETE FROM {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(pool)
            .await
            .unwrap();
    }
}

/// Runs a property over logs with few cases, because each one folds a log.
pub fn few_cases() -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases: 24,
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    })
}

/// Everything in the tables, each column.
pub async fn whole_tables(pool: &PgPool) -> String {
    dump(pool, "to_jsonb(t)").await
}

/// Everything in the tables, except the order of arrival.
pub async fn tables(pool: &PgPool) -> String {
    dump(pool, "to_jsonb(t) - 'seq' - 'visible_seq'").await
}

async fn dump(pool: &PgPool, row: &str) -> String {
    let mut dumps = Vec::new();
    for (table, key) in [
        ("sessions", "session_id"),
        ("hits", "event_id"),
        ("custom_events", "event_id"),
        ("refusals", "event_id"),
        ("conversions", "event_id"),
        ("conversion_changes", "conversion_id"),
        ("waiting", "event_id"),
        ("seen", "event_id"),
    ] {
        let statement = format!(
            "SELECT coalesce(string_agg(({row})::text, E'\\n' ORDER BY {key}), '') FROM {table} AS t"
        );
        let dump: String = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_one(pool)
            .await
            .unwrap();
        dumps.push(dump);
    }
    dumps.join("\n---\n")
}

/// A moment, in seconds after the start of the log.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

/// An event of the one workspace, received when it occurred.
pub fn event_at(event_id: u128, seconds: i64, body: Body) -> Event {
    Event {
        event_id: EventId(Uuid::from_u128(event_id)),
        occurred_at: at(seconds),
        received_at: at(seconds),
        workspace_id: WorkspaceId(Uuid::from_u128(1)),
        workspace_no: WorkspaceNo(1),
        producer: "test".to_owned(),
        enrichment: None,
        visitor: None,
        body,
    }
}

/// The start of a session.
pub fn start(session_id: SessionId) -> Body {
    Body::SessionStarted(SessionStarted {
        session_id,
        page_id: PageId(Uuid::from_u128(1)),
        referrer: Some("tab\there\\and\nthere".to_owned()),
        referrer_domain: "direct".to_owned(),
        source_class: SourceClass::Direct,
        landing_path: None,
        utm: Utm::default(),
        bot_signals: 0,
    })
}

/// A view of a session.
pub fn view(session_id: SessionId, pageview_id: PageviewId) -> Body {
    Body::PageViewed(PageViewed {
        pageview_id,
        session_id,
        link_id: None,
        path: Some("/\u{0}x".to_owned()),
        title: None,
        referrer: None,
    })
}

/// A leave of a view.
pub fn leave(pageview_id: PageviewId, duration_seconds: f64) -> Body {
    Body::PageLeft(PageLeft {
        pageview_id,
        duration_seconds,
        scroll_depth_percent: None,
    })
}

/// A random event of a few sessions and views of one workspace, over some hours.
pub fn event() -> impl Strategy<Value = Event> {
    event_over(1)
}

/// The same, over a period several times as long.
pub fn event_over(scale: i64) -> impl Strategy<Value = Event> {
    (0u8..6, 0u128..4, 0u128..6, 0i64..5000, any::<u64>()).prop_map(
        move |(kind, session, view_no, seconds, id)| {
            let session_id = SessionId(Uuid::from_u128(100 + session));
            let pageview_id = PageviewId(Uuid::from_u128(200 + view_no));
            let hash = UserHash([u8::try_from(id % 5).unwrap(); 16]);
            let (event_id, body, visitor) = match kind {
                0 => (
                    300 + session,
                    start(session_id),
                    Some(Visitor {
                        hash: Some(VisitorHash([7; 16])),
                        ..Visitor::default()
                    }),
                ),
                1 => (
                    id.into(),
                    Body::SessionHeartbeat(SessionHeartbeat { session_id }),
                    None,
                ),
                2 => (
                    id.into(),
                    Body::SessionIdentified(SessionIdentified { session_id }),
                    Some(Visitor {
                        user_hash: Some(hash),
                        ..Visitor::default()
                    }),
                ),
                3 | 4 => {
                    let session_id = SessionId(Uuid::from_u128(100 + view_no % 4));
                    (400 + view_no, view(session_id, pageview_id), None)
                }
                _ => {
                    // Tenths add up to different doubles in different orders.
                    let duration_seconds = f64::from(u32::try_from(seconds % 3600).unwrap()) + 0.1;
                    (id.into(), leave(pageview_id, duration_seconds), None)
                }
            };
            // An id names one event, so the id determines all of the event's fixed content.
            let fixed = if (300..500).contains(&event_id) {
                i64::try_from(event_id).unwrap() * 17 % 5000
            } else {
                seconds
            };
            Event {
                received_at: at(fixed * 7919 % 5000 * scale),
                visitor,
                ..event_at(event_id, fixed * scale, body)
            }
        },
    )
}

/// A log of sessions with views, heartbeats and leaves, the same every time.
pub fn sample_log(events: usize) -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    let log = prop::collection::vec(event(), events)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    (0..)
        .zip(log)
        .map(|(index, mut event)| {
            event.received_at += SignedDuration::from_micros(index);
            event
        })
        .collect()
}

/// A part of a log as a batch.
pub fn read(log: &[Event], part: std::ops::Range<usize>) -> Batch {
    let mut batch = Batch::default();
    for offset in part {
        let bytes = log[offset].to_bytes().unwrap();
        batch.push(i64::try_from(offset).unwrap(), None, Some(&bytes));
    }
    batch
}

/// Folds a log in batches that end at the given offsets.
pub async fn fold(store: &Store, log: &[Event], cuts: &[usize]) {
    let mut claim = store.claim(EVENTS, 0).await.unwrap();
    fold_under(&mut claim, store, log, cuts).await;
}

/// The same, with a claim taken at its beginning.
pub async fn fold_under(
    claim: &mut projector::Claim,
    store: &Store,
    log: &[Event],
    cuts: &[usize],
) {
    let mut ends: Vec<usize> = cuts
        .iter()
        .map(|cut| cut % (log.len() + 1))
        .chain([log.len()])
        .collect();
    ends.sort_unstable();
    let mut from = 0;
    for end in ends {
        let batch = read(log, from..end);
        assert!(batch.dead.is_empty() && batch.stopped.is_none());
        store.apply(claim, &batch, at(0)).await.unwrap();
        from = end;
    }
}

/// Appends events to a log, all to one partition.
pub async fn append(log: &TestLog, events: &[Event]) {
    let producer = Producer::new(&log.kafka()).unwrap();
    for chunk in events.chunks(500) {
        let payloads: Vec<Vec<u8>> = chunk
            .iter()
            .map(|event| event.to_bytes().unwrap())
            .collect();
        let records: Vec<Record<'_>> = payloads
            .iter()
            .map(|payload| Record {
                topic: EVENTS,
                key: "one-workspace",
                payload,
                headers: &[],
            })
            .collect();
        assert!(producer.send(&records).await.iter().all(Result::is_ok));
    }
}
