//! Short links while the broker is away: they redirect as before, and their clicks count once it is back.

use crate::{
    clicks::{code, open, until_answered},
    separate_ingest::{HOST, Ingest, free_address},
};
use kit::{Client, System, system::PATIENCE};
use tempfile::TempDir;
use tokio::time::{Duration, sleep, timeout};
use uuid::Uuid;

const CLICKS: u64 = 120;

/// Opens a link in a browser of its own and returns the status.
async fn open_as(client: &Client, code: &str, visitor: u64) -> u16 {
    let agent =
        format!("Mozilla/5.0 (X11; Linux x86_64; rv:{visitor}.0) Gecko/20100101 Firefox/140.0");
    let answer = open(client, HOST, &format!("/{code}"), &[("user-agent", &agent)]).await;
    answer.status.as_u16()
}

async fn until_metric(ingest: &Ingest, series: &str, value: u64) {
    let reached = async {
        while ingest.metric(series).await != value {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(PATIENCE, reached).await;
    assert!(
        waited.is_ok(),
        "{series} is {}",
        ingest.metric(series).await
    );
}

/// Waits until the tables have that many clicks of a link, all of them different visitors'.
async fn assert_clicks(system: &System, link: Uuid, expected: u64) {
    let count = async || -> (i64, i64) {
        let statement =
            "SELECT count(*), count(DISTINCT visitor_hash) FROM hits WHERE link_id = $1";
        let counted = sqlx::query_as(statement).bind(link);
        counted.fetch_one(&system.analytics).await.unwrap()
    };
    let expected = i64::try_from(expected).unwrap();
    let reached = async {
        while count().await.0 < expected {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(PATIENCE, reached).await;
    assert!(waited.is_ok(), "{:?} of {expected} clicks", count().await);
    system.settle().await;
    assert_eq!(count().await, (expected, expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_of_an_outage_count_exactly_once_in_spite_of_kill_9() {
    if kit::log::is_given() {
        // The tests cannot stop a given cluster.
        return;
    }
    let mut system = System::start().await;
    let ada = system.client.creator("ada").await;
    let link = system
        .client
        .link(&ada, "Shop", "https://shop.example/x")
        .await;
    let code = code(&system, link).await;
    let folder = TempDir::new().unwrap();
    let address = free_address();
    let ingest = Ingest::start(&system, &address, folder.path(), 100_000_000);
    ingest.ready().await;
    until_answered(&ingest.client, HOST, &code, 302).await;
    assert_eq!(open_as(&ingest.client, &code, 1).await, 302);
    assert_clicks(&system, link, 1).await;

    system.log.stop().await;
    for visitor in 2..=CLICKS {
        assert_eq!(open_as(&ingest.client, &code, visitor).await, 302);
    }
    // A click is answered before it is on the disk.
    until_metric(&ingest, "ingest_spooled_total", CLICKS - 1).await;
    ingest.program.kill();

    let ingest = Ingest::start(&system, &address, folder.path(), 100_000_000);
    system.log.start_again().await;
    ingest.ready().await;
    assert_clicks(&system, link, CLICKS).await;
    until_metric(&ingest, "ingest_spool_events", 0).await;
    ingest.program.signal("TERM");
    assert_eq!(ingest.program.wait(), Some(0));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_spool_links_redirect_and_lost_clicks_are_counted() {
    if kit::log::is_given() {
        return;
    }
    let mut system = System::start().await;
    let ada = system.client.creator("ada").await;
    let link = system
        .client
        .link(&ada, "Shop", "https://shop.example/x")
        .await;
    let code = code(&system, link).await;
    let folder = TempDir::new().unwrap();
    let ingest = Ingest::start(&system, &free_address(), folder.path(), 20_000);
    ingest.ready().await;
    until_answered(&ingest.client, HOST, &code, 302).await;
    system.log.stop().await;
    for visitor in 1..=CLICKS {
        assert_eq!(open_as(&ingest.client, &code, visitor).await, 302);
    }
    let series = |outcome: &str| format!("ingest_clicks_total{{outcome=\"{outcome}\"}}");
    let settled = async {
        loop {
            let kept = ingest.metric(&series("recorded")).await;
            let lost = ingest.metric(&series("lost")).await;
            if kept + lost == CLICKS {
                return (kept, lost);
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let (kept, lost) = timeout(PATIENCE, settled)
        .await
        .expect("clicks without an outcome");
    assert!(kept >= 10 && lost >= 10, "{kept} kept, {lost} lost");
    let refused = "ingest_spool_refused_total{reason=\"full\"}";
    assert_eq!(ingest.metric(refused).await, lost);

    system.log.start_again().await;
    assert_clicks(&system, link, kept).await;
    system.finish().await;
}
