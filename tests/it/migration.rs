//! Tables of an older schema become those that the log folds into now.

use crate::random_log::{empty_tables, event_over, fold, whole_tables};
use kit::postgres;
use projector::Store;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::{Executor, PgPool};

async fn rows(pool: &PgPool, table: &str) -> Vec<Value> {
    let statement = format!("SELECT to_jsonb(t) FROM {table} AS t");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_all(pool)
        .await
        .unwrap()
}

async fn put(pool: &PgPool, table: &str, rows: &[Value]) {
    let statement =
        format!("INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1)");
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(Value::from(rows))
        .execute(pool)
        .await
        .unwrap();
}

async fn migrate_to(pool: &PgPool, version: i64) {
    let migration = projector::MIGRATIONS
        .iter()
        .find(|migration| migration.version == version)
        .unwrap();
    // As the migrator does, in sessions with the projector's settings.
    let mut transaction = pool.begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off")
        .execute(&mut *transaction)
        .await
        .unwrap();
    transaction
        .execute(sqlx::raw_sql(migration.sql.clone()))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[test]
fn every_file_of_a_schema_is_one_of_its_migrations() {
    for (schema, migrator) in [
        ("api", &api::MIGRATIONS),
        ("projector", &projector::MIGRATIONS),
    ] {
        let folder = format!("{}/../{schema}/migrations", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        files.sort();
        let known: Vec<(String, String)> = migrator
            .iter()
            .map(|migration| {
                let description = migration.description.replace(' ', "_");
                let name = format!("{:04}_{description}.sql", migration.version);
                (name, migration.sql.as_str().to_owned())
            })
            .collect();
        assert_eq!(files, known, "{schema}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_first_schema_migrate_to_what_their_log_folds_into() {
    let mut runner = TestRunner::deterministic();
    for scale in [1, 30, 300] {
        let log = prop::collection::vec(event_over(scale), 300)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let now = empty_tables().await;
        fold(&Store::new(now.clone()), &log, &[50, 200]).await;

        // What the first schema had: any event of a session that has started counted, pages were given
        // accordingly, sessions that had not started had rows, and seqs were of the last change.
        let databases = postgres::empty_databases().await;
        let old = PgPool::connect(&databases.analytics).await.unwrap();
        migrate_to(&old, 1).await;
        let mut events = rows(&now, "events").await;
        let mut sessions = rows(&now, "sessions").await;
        let page = sessions[0]["page_id"].clone();
        let started: Vec<Value> = sessions
            .iter()
            .map(|session| session["session_id"].clone())
            .collect();
        for event in &mut events {
            if event["kind"] == 4 && started.contains(&event["session_id"]) {
                event["page_id"] = page.clone();
            }
        }
        for session in &mut sessions {
            session["seq"] = json!(999_999);
            session["heartbeats"] = json!(77);
            session["page_views"] = json!(77);
            session["bounced"] = json!(false);
            session["left_views"] = json!(77);
            session["viewed_seconds"] = json!(0.1);
            session["duration_seconds"] = json!(0.1);
            session["last_activity_at"] = json!("2030-01-01T00:00:00Z");
        }
        let waiting = json!({
            "session_id": "00000000-0000-0000-0000-00000000ffff", "workspace_no": 1, "seq": 1, "heartbeats": 1,
            "page_views": 0, "bounced": true, "left_views": 0, "viewed_seconds": 0, "duration_seconds": 30,
            "last_activity_at": "2027-01-01T00:00:00Z", "bot_signals": 0,
        });
        put(&old, "events", &events).await;
        put(&old, "sessions", &sessions).await;
        put(&old, "sessions", std::slice::from_ref(&waiting)).await;
        migrate_to(&old, 2).await;
        assert_eq!(whole_tables(&old).await, whole_tables(&now).await);
    }
}
