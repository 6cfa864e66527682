//! The load from visitors and from one tenant stays bounded: responses, statements, queues.

use futures::{StreamExt, stream::FuturesUnordered};
use kit::{Creator, System, SystemBuilder, noon, oracle, system::PATIENCE};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use std::time::Duration;
use uuid::Uuid;

/// Clicks on a number of random ids, and one click on each of the given links.
async fn click(system: &System, creator: &Creator, foreign: i32, links: &[Uuid]) {
    let insert = "
        INSERT INTO hits (workspace_no, seq, visible_seq, event_id, occurred_at, received_at, page_id, session_id, pageview_id, link_id)
        SELECT $1, row_number() OVER (), 1, gen_random_uuid(), $2, $2, $3, gen_random_uuid(), gen_random_uuid(),
               coalesce(link, gen_random_uuid())
        FROM (
            SELECT n, NULL::uuid AS link FROM generate_series(1, $4) AS n
            UNION ALL
            SELECT n, link FROM unnest($5::uuid[]) WITH ORDINALITY AS given (link, n)
        ) AS clicks";
    let store = projector::Store::new(system.analytics.clone());
    store.provide_months([noon()]).await.unwrap();
    sqlx::query(insert)
        .bind(workspace_no(system, creator).await)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(noon()))
        .bind(creator.page)
        .bind(foreign)
        .bind(links)
        .execute(&system.analytics)
        .await
        .unwrap();
}

async fn workspace_no(system: &System, creator: &Creator) -> i32 {
    sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
        .bind(creator.workspace_id)
        .fetch_one(&system.main)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_on_any_number_of_foreign_ids_are_one_row() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, bob) = (client.creator("ada").await, client.creator("bob").await);
    let shop = client.link(&ada, "Shop", "https://shop.example").await;
    let gone = client.link(&ada, "Gone", "https://gone.example").await;
    let quiet = client.link(&ada, "Quiet", "https://quiet.example").await;
    let theirs = client.link(&bob, "Theirs", "https://theirs.example").await;
    let path = format!("/api/v1/creators/links/{gone}");
    client.delete_as(&ada.token, &path).await.assert_ok();
    let links = [shop, shop, gone, theirs, theirs, Uuid::nil()];
    click(&system, &ada, 2_000, &links).await;

    let answer = client.report(&ada, "links").await;
    let rows = answer["links"].as_array().unwrap();
    let told: Vec<(&str, &str, &str, i64)> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap();
            let clicks = row["clicks"].as_i64().unwrap();
            (text("id"), text("title"), text("url"), clicks)
        })
        .collect();
    let [shop, gone, nil] = [shop, gone, Uuid::nil()].map(|id| id.to_string());
    assert_eq!(
        told,
        [
            (nil.as_str(), "Unknown", "", 2_003),
            (shop.as_str(), "Shop", "https://shop.example", 2),
            (gone.as_str(), "Unknown", "", 1),
        ]
    );
    assert!(!answer.to_string().contains(&quiet.to_string()));
    let overview = client.report(&ada, "overview").await;
    let clicks: i64 = told.iter().map(|(.., clicks)| clicks).sum();
    assert_eq!(overview["totalClicks"], clicks);
    assert_eq!(answer["totalViews"], overview["totalViews"]);

    let path = "/api/v1/creators/analytics/export?type=links";
    let file = client.get_as(&ada.token, path).await.text;
    assert_eq!(file.lines().count(), 4, "{file}");
    assert!(file.contains(&format!("\n{nil},Unknown,,2003,")), "{file}");
    oracle::assert_reports(&system, &ada).await;
    system.finish().await;
}

/// The number of running report statements.
async fn running(analytics: &PgPool) -> i64 {
    let running = "
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database()
          AND application_name = 'footfall-api-reports'
          AND state = 'active'";
    sqlx::query_scalar(running)
        .fetch_one(analytics)
        .await
        .unwrap()
}

/// Waits until the given number of statements runs.
pub async fn until_running(analytics: &PgPool, count: i64) {
    let waited = async {
        while running(analytics).await != count {
            // The server sends no notification.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited)
        .await
        .unwrap_or_else(|_| panic!("never {count} statements ran"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_tenants_get_answers_during_a_flood_of_one() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, bob) = (client.creator("ada").await, client.creator("bob").await);
    for creator in [&ada, &bob] {
        client.session(creator.page, "v").await;
    }
    system.settle().await;
    // Statements that read Ada's visits wait for a lock; those of other tenants do not.
    let no = workspace_no(&system, &ada).await;
    let slow = format!(
        "ALTER TABLE sessions RENAME TO sessions_kept;
        CREATE VIEW sessions AS
        SELECT *
        FROM sessions_kept
        WHERE workspace_no <> {no}
           OR pg_advisory_xact_lock_shared(7) IS NOT NULL;
        GRANT SELECT ON sessions TO PUBLIC;
        GRANT EXECUTE ON FUNCTION pg_advisory_xact_lock_shared(bigint) TO PUBLIC"
    );
    sqlx::raw_sql(AssertSqlSafe(slow))
        .execute(&system.analytics)
        .await
        .unwrap();
    let mut holder = system.analytics.acquire().await.unwrap();
    let lock = "SELECT pg_advisory_lock(7)";
    sqlx::query(lock).execute(&mut *holder).await.unwrap();

    let path = "/api/v1/creators/analytics/sessions";
    let mut flood: FuturesUnordered<_> = (0..70).map(|_| client.get_as(&ada.token, path)).collect();
    // Four run, sixty wait, the others are refused.
    for _ in 0..6 {
        let refused = flood.next().await.unwrap();
        let expected = (
            429,
            "RATE_LIMITED".to_owned(),
            "error.report.busy".to_owned(),
        );
        assert_eq!(refused.error(), expected);
        assert!(refused.headers.contains_key("retry-after"));
    }
    until_running(&system.analytics, 4).await;
    for report in ["sessions", "overview", "traffic", "links", "trend"] {
        let path = format!("/api/v1/creators/analytics/{report}");
        let answer = client.get_as(&bob.token, &path).await;
        assert_eq!(answer.status, 200, "{report}: {}", answer.text);
    }
    assert_eq!(running(&system.analytics).await, 4);

    let unlock = "SELECT pg_advisory_unlock(7)";
    sqlx::query(unlock).execute(&mut *holder).await.unwrap();
    while let Some(answer) = flood.next().await {
        assert_eq!(answer.data()["totalSessions"], 1);
    }
    drop((flood, holder));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_request_ends_its_statement() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let mut holder = system.analytics.begin().await.unwrap();
    let lock = "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *holder).await.unwrap();
    // More often than there are connections, so each connection must become free again.
    for round in 0..12 {
        let (client, token) = (system.client.clone(), ada.token.clone());
        let asking = tokio::spawn(async move {
            let path = "/api/v1/creators/analytics/overview?compare=previous";
            client.get_as(&token, path).await
        });
        until_running(&system.analytics, 1).await;
        asking.abort();
        until_running(&system.analytics, 0).await;
        assert!(asking.await.unwrap_err().is_cancelled(), "{round}");
    }
    holder.rollback().await.unwrap();
    let overview: Value = system.client.report(&ada, "overview").await;
    assert_eq!(overview["totalViews"], 0);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_takes_too_long_is_stopped_with_an_error() {
    let system = SystemBuilder::default()
        .set("REPORT_TIMEOUT", "1s")
        .start()
        .await;
    let ada = system.client.creator("ada").await;
    let mut holder = system.analytics.begin().await.unwrap();
    let lock = "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *holder).await.unwrap();
    let path = "/api/v1/creators/analytics/sessions";
    let answer = system.client.get_as(&ada.token, path).await;
    let expected = (
        503,
        "SERVICE_UNAVAILABLE".to_owned(),
        "error.report.timeout".to_owned(),
    );
    assert_eq!(answer.error(), expected, "{}", answer.text);
    assert_eq!(answer.headers["retry-after"], "10");
    assert_eq!(running(&system.analytics).await, 0);
    holder.rollback().await.unwrap();
    assert_eq!(system.client.get_as(&ada.token, path).await.status, 200);
    system.finish().await;
}
