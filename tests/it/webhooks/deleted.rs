//! The webhooks of a workspace that is deleted.

use super::{LIST, Shop, Target, attempts, builder};
use crate::workspaces::deleted::{delete, make_workspace, run_of_guide};
use jiff::SignedDuration;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn its_webhooks_are_off_and_what_waits_is_sent_no_more() {
    let system = builder().start().await;
    let ada = make_workspace(&system, "ada").await;
    let other = system.client.creator("eve").await;
    let shop = Shop { system, ada };
    let target = Target::start(&[500]).await;
    shop.link("promo", json!({})).await;
    let (webhook, _) = shop.webhook(&target, &["click"], json!({})).await;
    shop.click("/promo").await;
    target.next().await;
    shop.until(webhook, attempts(1)).await;
    let client = &shop.system.client;
    // Another workspace's webhook shows that the sender has looked since.
    let news = Target::start(&[500]).await;
    let body = json!({"url": news.url, "events": ["click"]});
    let made = client.post_as(&other.token, LIST, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = json!({"destinationUrl": "https://shop.example/", "shortCode": "other"});
    let made = client.post_as(&other.token, "/api/links", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    crate::clicks::until_known(&shop.system, "other").await;
    shop.click("/other").await;
    news.next().await;

    let (token, id) = (&shop.ada.token, shop.ada.workspace_id);
    delete(client, token, id).await.assert_ok();
    shop.advance(SignedDuration::from_hours(1));
    news.next().await;
    target.assert_quiet().await;

    // As an operator brings it back.
    run_of_guide(&shop.system, "WITH back", id).await;
    let shown = shop.get(&format!("{LIST}/{webhook}")).await;
    assert_eq!(shown["enabled"], false);
    assert_eq!(shown["disabledReason"], "the workspace was deleted");
    let deliveries = shop.deliveries(webhook).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0]["state"], "failed");
    assert_eq!(deliveries[0]["lastError"], "the workspace was deleted");
    shop.finish().await;
}
