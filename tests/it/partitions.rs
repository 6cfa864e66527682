//! Partitions that cannot be written for a while: locked, refused by the database, set to another offset.

use crate::fairness::{creators_apart, views, visit};
use jiff::SignedDuration;
use kit::{
    Creator, System, SystemBuilder,
    child::{Program, pairs},
    log::{Stored, TestLog},
    system::PATIENCE,
};
use runtime::{Producer, producer::Record};
use schemas::{
    Body, Event, EventId, PageViewed, PageviewId,
    events::wire,
    topics::{DEAD_LETTERS, EVENTS},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::time::Duration;
use uuid::Uuid;

/// Waits until a check returns a value.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, found)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits until `/ready` contains all of these texts about the projector, and returns its status and
/// text.
async fn told(system: &System, texts: &[&str]) -> (u16, String) {
    let what = format!("/ready with {texts:?}");
    eventually(&what, async || {
        let answer = system.client.get("/ready").await;
        let told = answer.json()["data"]["parts"]["projector"].to_string();
        let all = texts.iter().all(|text| told.contains(text));
        all.then(|| (answer.status.as_u16(), told))
    })
    .await
}

async fn execute(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(pool)
        .await
        .unwrap();
}

/// Waits until the tables have everything before the given offsets of one partition.
async fn settle_partition(system: &System, partition: i32) {
    let ends = system.log.ends().await;
    let of_partition: Vec<(i32, i64)> = ends
        .into_iter()
        .filter(|(number, _)| *number == partition)
        .collect();
    system.settle_at(&of_partition).await;
}

async fn next_offset(pool: &PgPool, partition: i32) -> i64 {
    sqlx::query_scalar("SELECT next_offset FROM log_partitions WHERE partition = $1")
        .bind(partition)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Locks rows of `log_partitions` in a transaction that stays open; also returns the server process.
async fn lock_rows(url: &str, condition: &str) -> (PgConnection, i32) {
    let mut holder = PgConnection::connect(url).await.unwrap();
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut holder)
        .await
        .unwrap();
    let statement = format!("BEGIN; SELECT FROM log_partitions WHERE {condition} FOR UPDATE");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut holder)
        .await
        .unwrap();
    (holder, pid)
}

async fn unlock(mut holder: PgConnection) {
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut holder)
        .await
        .unwrap();
    holder.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_locked_at_the_start_delays_its_own_partition_and_ready_names_it() {
    let system = System::start().await;
    let [(held, waiting), (other, served)] = &creators_apart(&system).await;
    system.settle().await;
    let (log, databases) = system.stop().await;

    // Like the lock of a host that vanished within its transaction.
    let (holder, pid) = lock_rows(&databases.analytics, &format!("partition = {held}")).await;
    let system = SystemBuilder::default()
        .log(log)
        .databases(databases)
        .seed(1 << 32)
        .start()
        .await;
    visit(&system, waiting, "second").await;
    visit(&system, served, "second").await;
    settle_partition(&system, *other).await;
    assert_eq!(views(&system, served).await, 2);
    assert_eq!(views(&system, waiting).await, 1);
    let named = format!("partition {held} waits for the lock of its row in log_partitions");
    let process = format!("process {pid} of the server");
    let since = "(since 2027-03-05T12:00:00Z)";
    let (status, _) = told(&system, &["ready, but", &named, &process, since]).await;
    assert_eq!(status, 200);

    unlock(holder).await;
    system.settle().await;
    assert_eq!(views(&system, waiting).await, 2);
    told(&system, &["\"ready\""]).await;
    system.finish().await;
}

/// A free address.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A separate projector, a member of the group.
fn projector(log: &TestLog, analytics: &str, address: &str) -> Program {
    let kafka = log.variables();
    let mut environment = pairs(&kafka);
    environment.extend([
        ("ANALYTICS_DATABASE_URL", analytics),
        ("PROJECTOR_LISTEN", address),
        ("RUST_LOG", "warn"),
    ]);
    Program::start("projector", &[], &environment)
}

async fn get(address: &str, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("http://{address}{path}")).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// The first record of a creator: the start of a session.
async fn first_record(system: &System, creator: &Creator) -> (Stored, Event) {
    let key = creator.workspace_id.to_string();
    let records = system.log.read(EVENTS).await;
    let record = records
        .into_iter()
        .find(|record| record.key == key)
        .unwrap();
    let event = Event::from_bytes(&record.payload).unwrap();
    (record, event)
}

/// A view in the session that an event starts.
fn view(start: &Event, number: u32, title: String) -> Event {
    let Body::SessionStarted(session) = &start.body else {
        panic!("{start:?} starts no session");
    };
    let id = 1_000_000 + u128::from(number);
    let later = SignedDuration::from_secs(i64::from(number));
    Event {
        event_id: EventId(Uuid::from_u128(id)),
        occurred_at: start.occurred_at + later,
        enrichment: None,
        visitor: None,
        body: Body::PageViewed(PageViewed {
            pageview_id: PageviewId(Uuid::from_u128(id)),
            session_id: session.session_id,
            link_id: None,
            path: None,
            title: Some(title),
            referrer: None,
        }),
        ..start.clone()
    }
}

async fn append(log: &TestLog, key: &str, payloads: &[Vec<u8>]) {
    let producer = Producer::new(&log.kafka()).unwrap();
    for payloads in payloads.chunks(100) {
        let records: Vec<Record<'_>> = payloads
            .iter()
            .map(|payload| Record {
                topic: EVENTS,
                key,
                payload,
                headers: &[],
            })
            .collect();
        assert!(producer.send(&records).await.iter().all(Result::is_ok));
    }
}

/// Size of each view. All of them together exceed the memory for records.
const BYTES_OF_A_VIEW: usize = 60_000;
const VIEWS_BEHIND: u32 = 650;

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_stops_only_its_own_partition_until_the_database_takes_it() {
    let system = System::start().await;
    let [(stopped, refused), (other, served)] = &creators_apart(&system).await;
    system.settle().await;
    let refuse = "
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.title LIKE 'secret%' THEN
                RAISE EXCEPTION 'not this one' USING DETAIL = NEW.title;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON hits FOR EACH ROW EXECUTE FUNCTION refuse()";
    execute(&system.analytics, refuse).await;

    let (start, session) = first_record(&system, refused).await;
    let before = system.log.ends().await;
    let before = before.iter().find(|(number, _)| number == stopped).unwrap();
    let bad_offset = before.1 + 5;
    let views_appended: Vec<Vec<u8>> = (0..5 + 1 + VIEWS_BEHIND)
        .map(|number| {
            let title = match number {
                0..5 => "before".to_owned(),
                5 => "secret title".to_owned(),
                _ => "x".repeat(BYTES_OF_A_VIEW),
            };
            view(&session, number, title).to_bytes().unwrap()
        })
        .collect();
    append(&system.log, &start.key, &views_appended).await;
    visit(&system, served, "second").await;
    settle_partition(&system, *other).await;
    assert_eq!(views(&system, served).await, 2);

    // The records before it are committed; the message names the record but not its content.
    let stops = format!("partition {stopped} is stopped at offset {bad_offset}");
    let reason = "not this one (SQLSTATE P0001";
    let (status, text) = told(&system, &["ready, but", &stops, reason]).await;
    assert_eq!(status, 200);
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(next_offset(&system.analytics, *stopped).await, bad_offset);

    execute(&system.analytics, "DROP TRIGGER refuse ON hits").await;
    system.settle().await;
    assert_eq!(views(&system, refused).await, 1 + 5 + 1 + VIEWS_BEHIND);
    told(&system, &["\"ready\""]).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_of_a_batch_write_its_dead_letters_once() {
    let system = System::start().await;
    // Counts attempts, although each is rolled back.
    let refuse = "
        CREATE SEQUENCE attempts;
        GRANT USAGE ON SEQUENCE attempts TO PUBLIC;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('attempts');
            RAISE EXCEPTION 'not now';
        END $$;
        CREATE TRIGGER refuse BEFORE UPDATE OF next_offset ON log_partitions
        FOR EACH ROW EXECUTE FUNCTION refuse()";
    execute(&system.analytics, refuse).await;
    let bad = [b"{".to_vec(), b"[".to_vec()];
    append(&system.log, "key", &bad).await;
    eventually("the sixth attempt", async || {
        let attempts: i64 = sqlx::query_scalar("SELECT last_value FROM attempts")
            .fetch_one(&system.analytics)
            .await
            .unwrap();
        (attempts >= 6).then_some(())
    })
    .await;
    assert_eq!(system.log.read(DEAD_LETTERS).await.len(), 2);

    execute(&system.analytics, "DROP TRIGGER refuse ON log_partitions").await;
    system.settle().await;
    let letters = system.log.read(DEAD_LETTERS).await;
    let payloads: Vec<&[u8]> = letters.iter().map(|letter| &*letter.payload).collect();
    assert_eq!(payloads, [b"{", b"["]);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_set_to_another_offset_is_claimed_again_and_counts_the_same() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    visit(&system, &creator, "first").await;
    visit(&system, &creator, "second").await;
    system.settle().await;
    let (record, _) = first_record(&system, &creator).await;
    let partition = record.partition;

    // A copy that was one record behind, with the last record of that time.
    let next = next_offset(&system.analytics, partition).await;
    let records = system.log.read(EVENTS).await;
    let last = records
        .iter()
        .find(|record| record.partition == partition && record.offset == next - 2)
        .unwrap();
    let restored = format!(
        "UPDATE log_partitions SET next_offset = {}, last_event_id = '{}'",
        next - 1,
        wire::record_identity(&last.payload).0
    );
    let moves = [
        restored.as_str(),
        "UPDATE log_partitions SET next_offset = next_offset - 1",
        "UPDATE log_partitions SET next_offset = 1000000",
        "UPDATE log_partitions SET generation = generation + 1",
        "UPDATE log_partitions SET epoch = 0",
        "UPDATE log_partitions SET epoch = 0, next_offset = 0, last_event_id = NULL",
        "DELETE FROM log_partitions",
    ];
    let mut expected = 2;
    for moved in moves {
        let generation = generation_of(&system.analytics, partition).await;
        let statement = format!("{moved} WHERE partition = {partition}");
        execute(&system.analytics, &statement).await;
        visit(&system, &creator, &format!("visitor {expected}")).await;
        expected += 1;
        eventually(moved, async || {
            (views(&system, &creator).await == expected).then_some(())
        })
        .await;
        if moved == restored {
            // It continues from the offset in the table, without reading the log again.
            let now = generation_of(&system.analytics, partition).await;
            assert_eq!(now, generation);
        }
    }
    system.settle().await;
    assert_eq!(views(&system, &creator).await, expected);
    // Fails if the program exited by itself.
    system.finish().await;
}

async fn generation_of(pool: &PgPool, partition: i32) -> i32 {
    sqlx::query_scalar("SELECT generation FROM log_partitions WHERE partition = $1")
        .bind(partition)
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The values of a gauge by partition, as `/metrics` shows them.
async fn by_partition(address: &str, gauge: &str) -> Option<Vec<(i32, f64)>> {
    let (_, text) = get(address, "/metrics").await?;
    let prefix = format!("{gauge}{{partition=\"");
    let values = text.lines().filter_map(|line| {
        let (partition, value) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
        Some((partition.parse().ok()?, value.parse().ok()?))
    });
    Some(values.collect())
}

/// The number of partitions that a projector shows as behind, and as stopped.
async fn behind_and_stopped(address: &str) -> Option<(usize, usize)> {
    let positive = |gauge: Vec<(i32, f64)>| gauge.iter().filter(|(_, value)| *value > 0.0).count();
    let behind = by_partition(address, "projector_lag_records").await?;
    let stopped = by_partition(address, "projector_partition_stopped").await?;
    Some((positive(behind), positive(stopped)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_without_a_writable_partition_is_not_ready_and_forgets_the_lag_of_revoked_partitions()
 {
    // Every partition is claimed once, then locked, then behind.
    let (log, databases) = System::start().await.stop().await;
    let (holder, _) = lock_rows(&databases.analytics, "true").await;
    let mut number = 0;
    while log.ends().await.iter().any(|(_, end)| *end == 0) {
        append(&log, &format!("key {number}"), &[b"{".to_vec()]).await;
        number += 1;
    }
    let all = log.ends().await.len();

    let first = free_address();
    let _first = projector(&log, &databases.analytics, &first);
    eventually("the first projector shows every partition", async || {
        (behind_and_stopped(&first).await? == (all, all)).then_some(())
    })
    .await;
    let (status, text) = get(&first, "/ready").await.unwrap();
    assert_eq!(status, 503);
    assert!(text.contains("waits for the lock of its row"), "{text}");

    // A second member of the group takes half of them.
    let second = free_address();
    let _second = projector(&log, &databases.analytics, &second);
    let half = Some((all / 2, all / 2));
    eventually("each projector shows its half", async || {
        let shown = (
            behind_and_stopped(&first).await,
            behind_and_stopped(&second).await,
        );
        (shown == (half, half)).then_some(())
    })
    .await;

    unlock(holder).await;
    eventually("no partition is behind", async || {
        let shown = (
            behind_and_stopped(&first).await?,
            behind_and_stopped(&second).await?,
        );
        (shown == ((0, 0), (0, 0))).then_some(())
    })
    .await;
    assert_eq!(get(&first, "/ready").await.unwrap().0, 200);
    log.finish().await;
}
