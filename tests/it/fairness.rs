//! A tenant that is far behind delays no other.

use kit::{Creator, System};
use serde_json::Value;
use std::collections::BTreeMap;

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
