//! The choice of the api that publishes changes: a waiting api shows it, and no reader can block all of them.

use crate::program::{client, ready, start};
use kit::{home::Home, system::PATIENCE};
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection};
use std::fs;

/// The lock of the publisher.
const LOCK: &str = "SELECT pg_advisory_lock(x'666f6f7466616c6c'::int8)";
/// Ends the session that holds the lock.
const END_HOLDER: &str = "\
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_locks WHERE locktype = 'advisory' AND granted";

/// A gauge of the program in `run.json`.
async fn gauge(run: &Value, name: &str) -> Option<f64> {
    let url = format!("http://{}/metrics", run["listen"].as_str().unwrap());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().parse().ok()
}

/// Waits for gauges to have these values.
async fn until(run: &Value, expected: [(&str, f64); 2]) {
    let begun = tokio::time::Instant::now();
    loop {
        let mut found = Vec::new();
        for (name, _) in expected {
            found.push(gauge(run, name).await);
        }
        if found == expected.map(|(_, value)| Some(value)) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found:?}, not {expected:?}");
        // The program sends no notification.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_waits_for_the_lock_is_ready_and_its_metrics_show_waiting_changes() {
    let home = Home::new();
    let program = start(&home);
    let run = ready(&home, program.id()).await;
    let (publishing, waiting) = ("api_outbox_publishing", "api_outbox_waiting");
    until(&run, [(publishing, 1.0), (waiting, 0.0)]).await;

    // The role for people cannot take the lock, in any transaction.
    let reader = run["databaseUrl"].as_str().unwrap();
    let mut reader = PgConnection::connect(reader).await.unwrap();
    let refused = reader.execute(LOCK).await.unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");

    // The server's administrator can.
    let read = |name: &str| fs::read_to_string(home.join("postgres").join(name)).unwrap();
    let (password, port) = (read("password"), read("port"));
    let admin = format!(
        "postgres://footfall:{}@127.0.0.1:{}/footfall",
        password.trim(),
        port.trim()
    );
    let mut holder = PgConnection::connect(&admin).await.unwrap();
    let mut other = PgConnection::connect(&admin).await.unwrap();
    let (held, ended) = tokio::join!(holder.execute(LOCK), async {
        let queued = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        while sqlx::query_scalar::<_, i64>(queued)
            .fetch_one(&mut other)
            .await
            .unwrap()
            == 0
        {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        other.execute(END_HOLDER).await
    });
    held.unwrap();
    ended.unwrap();
    let creator = client(&run).creator("ada").await;
    let outbox = "SELECT count(*)::float8 FROM outbox";
    let changes: f64 = sqlx::query_scalar(outbox)
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert!(changes > 0.0);
    until(&run, [(publishing, 0.0), (waiting, changes)]).await;
    let url = format!("http://{}/ready", run["listen"].as_str().unwrap());
    let answer = reqwest::get(url).await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 200, "{text}");

    holder.close().await.unwrap();
    until(&run, [(publishing, 1.0), (waiting, 0.0)]).await;
    client(&run).session(creator.page, "v").await;
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}
