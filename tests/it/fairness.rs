//! A tenant that is far behind, or whose requests hang, delays no other.

use crate::conversions::click_id;
use futures::{future::join_all, join};
use jiff::SignedDuration;
use kit::{Creator, System, system::PATIENCE};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

pub async fn visit(system: &System, creator: &Creator, visitor: &str) {
    let session = system.client.session(creator.page, visitor).await;
    system.client.view(session, None).await;
}

pub async fn views(system: &System, creator: &Creator) -> Value {
    system.client.report(creator, "overview").await["totalViews"].clone()
}

/// Two creators, whose workspaces are in the given partitions; each page has had one visit.
pub async fn creators_apart(system: &System) -> [(i32, Creator); 2] {
    let mut by_partition: BTreeMap<i32, Creator> = BTreeMap::new();
    for number in 0..20 {
        let creator = system.client.creator(&format!("creator{number}")).await;
        visit(system, &creator, "first").await;
        let records = system.log.read(schemas::topics::EVENTS).await;
        let key = creator.workspace_id.to_string();
        let record = records.iter().find(|record| record.key == key).unwrap();
        by_partition.insert(record.partition, creator);
        if by_partition.len() == 2 {
            break;
        }
    }
    let apart: Vec<(i32, Creator)> = by_partition.into_iter().collect();
    apart
        .try_into()
        .expect("twenty workspaces are not all in one partition")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_cannot_be_written_delays_no_other() {
    let system = System::start().await;
    let [(held, waiting), (other, served)] = &creators_apart(&system).await;
    system.settle().await;

    let mut holder = system.analytics.begin().await.unwrap();
    sqlx::query("SELECT FROM log_partitions WHERE partition = $1 FOR UPDATE")
        .bind(held)
        .execute(&mut *holder)
        .await
        .unwrap();
    for number in 0..40 {
        visit(&system, waiting, &format!("visitor {number}")).await;
    }
    visit(&system, served, "second").await;
    let ends = system.log.ends().await;
    let ends: Vec<(i32, i64)> = ends.into_iter().filter(|(of, _)| of == other).collect();
    system.settle_at(&ends).await;
    assert_eq!(views(&system, served).await, 2);
    assert_eq!(views(&system, waiting).await, 1);

    holder.rollback().await.unwrap();
    system.settle().await;
    assert_eq!(views(&system, waiting).await, 41);
    system.finish().await;
}

/// Requests that wait for a lock in the main database.
async fn waiting(system: &System) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = sqlx::query_scalar(waiting).fetch_one(&system.main);
    waiting.await.unwrap()
}

/// Waits until at least that many requests wait for a lock.
async fn until_waiting(system: &System, wanted: i64) {
    let begun = Instant::now();
    while waiting(system).await < wanted {
        assert!(begun.elapsed() < PATIENCE, "nothing waits");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_whose_commands_and_conversions_hang_delays_no_other() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, ben) = (client.creator("ada").await, client.creator("ben").await);
    let click = click_id(&system, ada.workspace_id, 1, SignedDuration::ZERO).await;

    // Twenty commands of one workspace that cannot end.
    let mut holder = system.main.begin().await.unwrap();
    sqlx::query("SELECT FROM workspaces WHERE id = $1 FOR UPDATE")
        .bind(ada.workspace_id)
        .execute(&mut *holder)
        .await
        .unwrap();
    let add = |number: i32| {
        let body = json!({ "host": format!("go{number}.example") });
        let token = &ada.token;
        async move { client.post_as(token, "/api/domains", &body).await.status }
    };
    let added = join_all((0..20).map(add));
    let meanwhile = async {
        until_waiting(&system, 3).await;
        let begun = Instant::now();
        for _ in 0..20 {
            let answer = client.get_as(&ben.token, "/api/links").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        // A request that waits for a connection gives up after five seconds.
        assert!(begun.elapsed() < Duration::from_secs(4));
        assert_eq!(waiting(&system).await, 3);
        holder.rollback().await.unwrap();
    };
    let (added, ()) = join!(added, meanwhile);
    // All waited; those beyond the plan's limit are refused by it.
    assert!(added.iter().all(|&status| status == 201 || status == 403));

    // The same for calls that name a click.
    let mut holder = system.main.begin().await.unwrap();
    sqlx::query("LOCK TABLE conversions IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *holder)
        .await
        .unwrap();
    let sell = |number: i32| {
        let body = json!({ "click_id": click, "event": "sale", "order_id": number.to_string() });
        async move { client.post("/conversions/s2s", &body).await }
    };
    let sold = join_all((0..20).map(sell));
    let meanwhile = async {
        until_waiting(&system, 3).await;
        for _ in 0..20 {
            let answer = client.get_as(&ben.token, "/api/links").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        assert_eq!(waiting(&system).await, 3);
        holder.rollback().await.unwrap();
    };
    let (sold, ()) = join!(sold, meanwhile);
    for answer in sold {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    system.finish().await;
}
