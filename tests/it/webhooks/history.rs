//! How long deliveries of webhooks are kept, and how many of them.

use super::{LIST, Shop, Target};
use jiff::SignedDuration;
use kit::system::PATIENCE;
use runtime::Clock;
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// The pause between two removals.
const UPKEEP: SignedDuration = SignedDuration::from_secs(15);
/// The ids of deliveries.
type Ids = BTreeSet<Uuid>;

impl Shop {
    /// Adds deliveries of a webhook: `count` of them with these times and states, as expressions of
    /// their number `n`.
    async fn add(&self, webhook: Uuid, count: i32, [state, created, finished]: [&str; 3]) {
        let next = "CASE WHEN finished IS NULL THEN created END";
        let statement = format!(
            "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, payload, state, next_attempt_at, created_at, finished_at)
             SELECT gen_random_uuid(), $1, gen_random_uuid(), 'test', '{{}}', '{state}', {next}, created, finished
             FROM (SELECT {created} AS created, {finished} AS finished FROM generate_series(1, $2) AS n) AS given"
        );
        let added = sqlx::query(AssertSqlSafe(statement))
            .bind(webhook)
            .bind(count)
            .execute(&self.system.main)
            .await;
        added.unwrap();
    }

    /// The ids of all deliveries for which a condition holds.
    async fn ids(&self, condition: &str) -> Ids {
        let statement = format!("SELECT id FROM webhook_deliveries WHERE {condition}");
        let found = sqlx::query_scalar(AssertSqlSafe(statement))
            .fetch_all(&self.system.main)
            .await;
        found.unwrap().into_iter().collect()
    }

    /// Waits until the condition holds for so many deliveries, and returns them. The table sends no
    /// notification.
    async fn until_there_are(&self, count: usize, condition: &str) -> Ids {
        let begun = Instant::now();
        loop {
            let found = self.ids(condition).await;
            if found.len() == count {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{} are left", found.len());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_kept_for_thirty_days_after_their_end() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    // One ended every ten minutes for 70 days, an hour after it began.
    let ended = "timestamptz '2027-03-05T12:00:00Z' - n * interval '10 minutes'";
    let begun = format!("{ended} - interval '1 hour'");
    shop.add(webhook, 5_040, ["delivered", &begun, ended]).await;
    let ended = "timestamptz '2027-01-29T12:00:00Z' - n * interval '10 minutes'";
    let begun = format!("{ended} - interval '1 hour'");
    shop.add(webhook, 5_040, ["failed", &begun, ended]).await;
    // These have waited longer, for a webhook that is off.
    let path = format!("{LIST}/{webhook}");
    let client = &shop.system.client;
    let off = json!({ "enabled": false });
    let changed = client.patch_as(&shop.ada.token, &path, &off).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let begun = "timestamptz '2026-11-01T00:00:00Z' + n * interval '1 hour'";
    shop.add(webhook, 100, ["waiting", begun, "NULL::timestamptz"])
        .await;

    // At the end one is exactly thirty days old.
    let end = shop.system.clock.now() + SignedDuration::from_mins(10);
    let expected =
        format!("finished_at IS NULL OR finished_at >= timestamptz '{end}' - interval '30 days'");
    let expected = shop.ids(&expected).await;
    // 5,000 of the oldest go at once, the others the next time.
    let oldest = "id NOT IN (SELECT id FROM webhook_deliveries WHERE finished_at IS NOT NULL ORDER BY finished_at LIMIT 5000)";
    let at_first = shop.ids(oldest).await;
    assert!(expected.len() < at_first.len() && expected.len() > 4_000);
    shop.advance(SignedDuration::from_mins(10) - UPKEEP);
    assert_eq!(shop.until_there_are(at_first.len(), "true").await, at_first);
    shop.advance(UPKEEP);
    assert_eq!(shop.until_there_are(expected.len(), "true").await, expected);
    // Their owner sees the same.
    let answer = client
        .get_as(&shop.ada.token, &format!("{path}/deliveries"))
        .await;
    assert_eq!(answer.json()["pagination"]["total"], expected.len());
    target.assert_quiet().await;
    shop.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_five_thousand_deliveries_of_a_webhook_are_kept() {
    let shop = Shop::open().await;
    let target = Target::start(&[]).await;
    let (busy, _) = shop.webhook(&target, &["click"], json!({})).await;
    let (quiet, _) = shop.webhook(&target, &["click"], json!({})).await;
    let ended = "timestamptz '2027-03-05T11:00:00Z' - n * interval '1 minute'";
    // Two of each moment, so that the id decides in one of them.
    for webhook in [busy, busy, quiet, quiet] {
        shop.add(webhook, 2_700, ["delivered", ended, ended]).await;
    }
    // They are due, and older than all others.
    let begun = "timestamptz '2027-03-01T00:00:00Z' + n * interval '1 second'";
    shop.add(busy, 500, ["waiting", begun, "NULL::timestamptz"])
        .await;
    for _ in 0..500 {
        target.next().await;
    }
    shop.until_there_are(0, "state = 'waiting'").await;
    // One more, which will wait.
    let later = "timestamptz '2027-04-01T00:00:00Z'";
    shop.add(busy, 1, ["waiting", later, "NULL::timestamptz"])
        .await;
    let newest = format!(
        "webhook_id <> '{busy}' OR id IN (SELECT id FROM webhook_deliveries WHERE webhook_id = '{busy}' ORDER BY created_at DESC, id DESC LIMIT 5000)"
    );
    let expected = shop.ids(&newest).await;
    assert_eq!(expected.len(), 5_400 + 5_000);
    shop.advance(UPKEEP);
    assert_eq!(shop.until_there_are(expected.len(), "true").await, expected);
    shop.finish().await;
}
