//! The limits of database sessions, on a real server: what they stop, and what they do not affect.

use kit::postgres;
use runtime::{
    Lifecycle, Readiness,
    database::{self, PoolSettings},
};
use sqlx::{Connection, PgConnection, migrate::Migrator};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn the_server_accepts_every_limit_of_a_session() {
    let databases = postgres::databases().await;
    let settings = PoolSettings {
        lock_timeout: Duration::from_millis(250),
        ..PoolSettings::new("footfall-test", 1)
    };
    let pool = database::pool(&databases.analytics, &settings).unwrap();
    let limits: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, setting FROM pg_settings WHERE source = 'client' AND name LIKE ANY ($1) ORDER BY name",
    )
    .bind(["%timeout", "tcp%", "client_connection%"].as_slice())
    .fetch_all(&pool)
    .await
    .unwrap();
    let limits: Vec<(&str, &str)> = limits
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        limits,
        [
            ("client_connection_check_interval", "5000"),
            ("idle_in_transaction_session_timeout", "15000"),
            ("lock_timeout", "250"),
            ("statement_timeout", "30000"),
            ("tcp_keepalives_count", "3"),
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_user_timeout", "30000"),
        ]
    );
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_silent_client_releases_its_locks() {
    let databases = postgres::databases().await;
    let settings = PoolSettings {
        idle_in_transaction_timeout: Duration::from_millis(300),
        ..PoolSettings::new("footfall-test", 1)
    };
    let pool = database::pool(&databases.analytics, &settings).unwrap();
    let mut silent = pool.begin().await.unwrap();
    let lock = "INSERT INTO log_partitions (topic, partition) VALUES ('t', 0)";
    sqlx::query(lock).execute(&mut *silent).await.unwrap();

    let mut other = PgConnection::connect(&databases.analytics).await.unwrap();
    let writing = sqlx::query(lock).execute(&mut other);
    tokio::time::timeout(kit::system::PATIENCE, writing)
        .await
        .expect("the silent client keeps its lock")
        .unwrap();
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_take_the_time_they_need_one_program_at_a_time() {
    let databases = postgres::empty_databases().await;
    let folder = tempfile::tempdir().unwrap();
    let slow = "CREATE TABLE slow (id int4); SELECT pg_sleep(0.6)";
    std::fs::write(folder.path().join("1_slow.sql"), slow).unwrap();
    let migrator = Migrator::new(folder.path()).await.unwrap();
    let settings = PoolSettings {
        statement_timeout: Duration::from_millis(200),
        lock_timeout: Duration::from_millis(200),
        ..PoolSettings::new("footfall-test", 2)
    };
    let pool = database::pool(&databases.main, &settings).unwrap();
    let (readiness, lifecycle) = (Readiness::default(), Lifecycle::default());
    // The second migration waits for the lock of the first, for longer than other sessions may.
    let migrate = || database::migrate(&pool, &migrator, "main database", &readiness, &lifecycle);
    let (first, second) = tokio::join!(migrate(), migrate());
    first.unwrap();
    second.unwrap();
    assert!(readiness.is_ready());
    let late = sqlx::query("SELECT pg_sleep(5)").execute(&pool).await;
    assert!(database::is_away(&late.unwrap_err()));
    pool.close().await;
}
