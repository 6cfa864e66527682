//! A rebuild gives the tables that folding the log gives, also over tables of an earlier version.

use crate::random_log::{append, sample_log, whole_tables};
use kit::{
    System, SystemBuilder,
    child::Program,
    home::Home,
    log::TestLog,
    postgres::{self, Databases},
};
use projector::{
    Config,
    consumer::Assignment,
    rebuild::{self, RebuildError, Rebuilt},
};
use runtime::Context;
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A database of the former layout, as far as a rebuild reads it.
const FORMER: &str = "
    CREATE TABLE _sqlx_migrations (version int8 PRIMARY KEY, description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(), success bool NOT NULL, checksum bytea NOT NULL,
        execution_time int8 NOT NULL);
    INSERT INTO _sqlx_migrations VALUES (1, 'base', now(), true, '', 1), (2, 'fold by neighbours', now(), true, '', 1);
    CREATE TABLE logs (generation int4 PRIMARY KEY, log_id uuid NOT NULL, given_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE log_partitions (topic text NOT NULL, partition int4 NOT NULL, generation int4 NOT NULL DEFAULT 0,
        next_offset int8 NOT NULL DEFAULT 0, last_event_id uuid, epoch int8 NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(), log_id uuid, folded_until timestamptz,
        PRIMARY KEY (topic, partition));
    CREATE TABLE events (workspace_no int4 NOT NULL, seq int8 NOT NULL, event_id uuid NOT NULL, kind int2 NOT NULL,
        PRIMARY KEY (workspace_no, event_id));
    CREATE TABLE sessions (workspace_no int4 NOT NULL, session_id uuid NOT NULL, PRIMARY KEY (workspace_no, session_id));
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO footfall_reader";

fn config(log: &TestLog, databases: &Databases) -> Config {
    let (_, url) = databases
        .settings()
        .into_iter()
        .find(|(name, _)| *name == "PROJECTOR_DATABASE_URL")
        .unwrap();
    Config {
        kafka: log.kafka(),
        analytics_database_url: url,
        assignment: Assignment::Group,
    }
}

async fn rebuild(
    log: &TestLog,
    databases: &Databases,
    accept_loss: bool,
) -> Result<Rebuilt, RebuildError> {
    let config = config(log, databases);
    let mut last = None;
    let rebuilt = rebuild::run(&config, accept_loss, &Context::system(), |so_far| {
        last = Some(so_far);
    })
    .await;
    if rebuilt.is_ok() {
        let last = last.unwrap();
        assert_eq!(last.folded, last.records);
    }
    rebuilt
}

async fn execute(pool: &PgPool, statement: &'static str) {
    sqlx::raw_sql(statement).execute(pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_tables_and_repairs_damaged_ones() {
    let log = TestLog::start().await;
    append(&log, &sample_log(300)).await;
    let system = System::over(log, postgres::databases().await).await;
    let before = whole_tables(&system.analytics).await;
    let (log, databases) = system.stop().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();

    let rebuilt = rebuild(&log, &databases, false).await.unwrap();
    assert_eq!((rebuilt.records, rebuilt.lost), (300, 0));
    assert_eq!(whole_tables(&analytics).await, before);
    // Again, over damaged tables.
    execute(
        &analytics,
        "UPDATE sessions SET heartbeats = 77; DELETE FROM hits",
    )
    .await;
    rebuild(&log, &databases, false).await.unwrap();
    assert_eq!(whole_tables(&analytics).await, before);

    // The projector continues with the new tables, and the other roles may read them.
    let system = SystemBuilder::default()
        .log(log)
        .databases(databases)
        .start()
        .await;
    let creator = system.client.creator("ada").await;
    system.client.session(creator.page, "v").await;
    system.settle().await;
    let sessions = system.client.report(&creator, "sessions").await;
    assert_eq!(sessions["totalSessions"], 1);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_replaces_tables_of_the_former_layout() {
    let log = TestLog::start().await;
    append(&log, &sample_log(200)).await;
    let fresh = System::over(log, postgres::databases().await).await;
    let expected = whole_tables(&fresh.analytics).await;
    let (log, _) = fresh.stop().await;

    let databases = postgres::empty_databases().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    execute(&analytics, FORMER).await;
    // Grants the database as a start does, so that the tables belong to the projector.
    postgres::grant(&databases).await;
    // A projector reports the former layout and ends.
    let context = Context::system();
    projector::start(config(&log, &databases), &context).unwrap();
    let ended = context.lifecycle.run_to_end().await.unwrap_err();
    assert!(ended.to_string().contains("footfall rebuild"), "{ended}");

    assert!(rebuild::is_needed(&databases.analytics).await.unwrap());
    rebuild(&log, &databases, false).await.unwrap();
    assert!(!rebuild::is_needed(&databases.analytics).await.unwrap());
    assert_eq!(whole_tables(&analytics).await, expected);
    let readable: bool =
        sqlx::query_scalar("SELECT has_table_privilege('footfall_reader', 'hits', 'SELECT')")
            .fetch_one(&analytics)
            .await
            .unwrap();
    assert!(readable);
    log.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_would_lose_events_or_disturb_a_projector_changes_nothing() {
    let log = TestLog::start().await;
    append(&log, &sample_log(50)).await;
    let system = System::over(log, postgres::databases().await).await;
    let running = rebuild(&system.log, &system.databases, false).await;
    assert!(
        matches!(running, Err(RebuildError::ProjectorRuns)),
        "{running:?}"
    );
    let (log, databases) = system.stop().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    execute(
        &analytics,
        "INSERT INTO seen SELECT seq + 1, workspace_no, month, gen_random_uuid() FROM seen LIMIT 3",
    )
    .await;
    let before = whole_tables(&analytics).await;
    let lost = rebuild(&log, &databases, false).await;
    assert!(matches!(lost, Err(RebuildError::Loss(3))), "{lost:?}");
    assert_eq!(whole_tables(&analytics).await, before);
    // The next call continues with the tables that are folded already.
    let accepted = rebuild(&log, &databases, true).await.unwrap();
    assert_eq!(accepted.lost, 3);
    assert_ne!(whole_tables(&analytics).await, before);
    log.finish().await;
}

/// Waits until a query says true.
async fn until(pool: &PgPool, query: &'static str) {
    let begun = Instant::now();
    while !sqlx::query_scalar::<_, bool>(query)
        .fetch_one(pool)
        .await
        .unwrap()
    {
        assert!(
            begun.elapsed() < kit::system::PATIENCE,
            "never true: {query}"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_is_killed_changes_nothing_and_the_next_one_continues_it() {
    let system = System::start().await;
    // Workspaces spread over the partitions by a hash of their ids. Two partitions need events.
    for number in 0.. {
        let creator = system.client.creator(&format!("creator{number}")).await;
        for visitor in ["first", "second"] {
            system.client.session(creator.page, visitor).await;
        }
        let ends = system.log.ends().await;
        if ends.iter().filter(|(_, end)| *end > 0).count() > 1 {
            break;
        }
    }
    system.settle().await;
    let before = whole_tables(&system.analytics).await;
    let (log, databases) = system.stop().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();

    // The rebuild waits before it folds, until one partition of the fresh tables is locked.
    let mut gate = analytics.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE public.logs IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *gate)
        .await
        .unwrap();
    let settings = databases.settings();
    let kafka = log.variables();
    let home = Home::new();
    let mut environment: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    environment.extend(kafka.iter().map(|(name, value)| (&**name, &**value)));
    environment.push(("FOOTFALL_DATA_DIR", home.to_str().unwrap()));
    let program = Program::start("footfall", &["rebuild"], &environment);
    until(
        &analytics,
        "SELECT to_regclass('footfall_rebuild.log_partitions') IS NOT NULL AND EXISTS (
            SELECT FROM pg_locks WHERE relation = 'public.logs'::regclass AND NOT granted)",
    )
    .await;
    execute(
        &analytics,
        "INSERT INTO footfall_rebuild.log_partitions (topic, partition, generation, epoch, log_id)
        SELECT topic, partition, generation, epoch + 1, log_id FROM public.log_partitions",
    )
    .await;
    let mut stalled = analytics.begin().await.unwrap();
    sqlx::raw_sql(
        "SELECT FROM footfall_rebuild.log_partitions
        WHERE partition = (SELECT max(partition) FROM public.log_partitions WHERE next_offset > 0)
        FOR UPDATE",
    )
    .execute(&mut *stalled)
    .await
    .unwrap();
    gate.rollback().await.unwrap();
    until(
        &analytics,
        "SELECT sum(next_offset) > 0 FROM footfall_rebuild.log_partitions",
    )
    .await;
    program.kill();
    stalled.rollback().await.unwrap();
    assert_eq!(whole_tables(&analytics).await, before);
    let folded: i64 = sqlx::query_scalar("SELECT count(*) FROM footfall_rebuild.seen")
        .fetch_one(&analytics)
        .await
        .unwrap();
    let rebuilt = rebuild(&log, &databases, false).await.unwrap();
    assert!(0 < folded && folded < rebuilt.events, "{folded}");
    assert_eq!(whole_tables(&analytics).await, before);
    log.finish().await;
}
