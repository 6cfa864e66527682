//! `footfall up --demo`: its data, its output, and that a second start adds no history.

use crate::program::{client, ready};
use footfall::demo::visits::{Lines, Plan, Visits};
use kit::{child::Program, file::Counted, home::Home};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{fs, io::Read, path::Path, time::Duration};

const VISITS: u32 = 120;

fn start(folder: &Path, output: &Path) -> Program {
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("FOOTFALL_LISTEN", "127.0.0.1:0"),
        ("KAFKA_BROKERS", ""),
        ("DATABASE_URL", ""),
        ("TRUSTED_PROXIES", ""),
        // The program must accept its token.
        ("JWT_ISSUER", "https://issuer.example"),
        ("JWT_AUDIENCE", "footfall"),
        ("RUST_LOG", "warn"),
    ];
    let arguments = ["up", "--demo", "--demo-visits", &VISITS.to_string()];
    Program::start_writing("footfall", &arguments, &environment, output)
}

/// The printed token, once it appears.
async fn token(output: &Path) -> String {
    let begun = tokio::time::Instant::now();
    loop {
        let text = fs::read_to_string(output).unwrap();
        let token = text.lines().find_map(|line| line.strip_prefix("TOKEN="));
        // The output includes commands for the reports.
        if let Some(token) = token.filter(|_| text.contains("analytics/links'")) {
            assert!(text.contains("/@demo"), "{text}");
            return token.to_owned();
        }
        assert!(
            begun.elapsed() < kit::system::PATIENCE,
            "nothing is printed: {text}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn count(analytics: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement)
        .fetch_one(analytics)
        .await
        .unwrap()
}

/// Visits of the last half hour; history ends an hour before its creator begins.
const LIVE: &str = "SELECT count(*) FROM sessions WHERE started_at > now() - interval '30 minutes'";
/// Records of the log that were there before, in one view of both tables.
const TWICE: &str =
    "SELECT (SELECT sum(next_offset) FROM log_partitions)::int8 - (SELECT count(*) FROM seen)";
/// Visits before the last half hour.
const PAST: &str =
    "SELECT count(*) FROM sessions WHERE started_at <= now() - interval '30 minutes'";
/// Clicks on short links before the last half hour.
const PAST_CLICKS: &str = "SELECT count(*) FROM hits WHERE click_id IS NOT NULL AND occurred_at <= now() - interval '30 minutes'";
/// Conversions of the history, each with the link of its click.
const PAST_CONVERSIONS: &str =
    "SELECT count(link_id) FROM conversions WHERE occurred_at <= now() - interval '30 minutes'";
/// Scans of a known QR code before the last half hour.
const PAST_SCANS: &str = "SELECT count(qr_id) FROM hits WHERE trigger = 'qr' AND occurred_at <= now() - interval '30 minutes'";
/// Visits without a known country.
const NOWHERE: &str = "SELECT count(*) FROM sessions WHERE country IS NULL";

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_has_history_and_live_visits_and_adds_no_history_again() {
    let folder = Home::new();
    let output = folder.folder().join("output");
    let program = start(&folder, &output);
    let run = ready(&folder, program.id()).await;
    let token = token(&output).await;
    let client = client(&run);

    let me = client.get_as(&token, "/api/v1/creators/me").await.data();
    let path = format!("/api/v1/creators/{}/bio", me["id"].as_str().unwrap());
    let page = client.get_as(&token, &path).await.data();
    let links = page["links"].as_array().unwrap().clone();
    assert!(links.iter().any(|link| link["embedType"] == "SPOTIFY"));
    assert!(links.iter().any(|link| link["scheduledStart"].is_string()));

    // The expected history follows from the plan, the creator and the shown links alone.
    let shown = links.iter().filter(|link| link["scheduledStart"].is_null());
    let plan = Plan {
        page: page["id"].as_str().unwrap().parse().unwrap(),
        links: shown
            .map(|link| link["id"].as_str().unwrap().parse().unwrap())
            .collect(),
        url: String::new(),
        visits: VISITS,
        days: 28,
        until: me["createdAt"].as_str().unwrap().parse().unwrap(),
        seed: 1,
    };
    let mut file = String::new();
    Lines::new(Visits::new(plan).history())
        .read_to_string(&mut file)
        .unwrap();
    let history = i64::try_from(Counted::of(&file).visits()).unwrap();
    let analytics = PgPool::connect(run["analyticsDatabaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    let begun = tokio::time::Instant::now();
    while count(&analytics, LIVE).await == 0 {
        assert!(
            begun.elapsed() < kit::system::PATIENCE,
            "no live visit comes"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(&analytics, PAST).await, history);
    assert_eq!(count(&analytics, NOWHERE).await, 0);
    assert_eq!(count(&analytics, PAST_CLICKS).await, i64::from(VISITS / 2));
    assert!(count(&analytics, PAST_SCANS).await > 0);
    let conversions = count(&analytics, PAST_CONVERSIONS).await;
    assert!(conversions > 0);
    let short = client.get_as(&token, "/api/links?limit=100").await.data();
    let mut short: Vec<Value> = short.as_array().unwrap().clone();
    short.retain(|link| link["campaignId"].is_string() && !link["folderId"].is_null());
    assert_eq!(short.len(), 3, "{short:?}");
    let printed = fs::read_to_string(&output).unwrap();
    assert!(printed.contains("/midnight-ferry'"), "{printed}");
    let overview = client
        .get_as(&token, "/api/v1/creators/analytics/overview")
        .await
        .data();
    assert!(overview["totalClicks"].as_i64().unwrap() > 10, "{overview}");
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
    analytics.close().await;

    let program = start(&folder, &output);
    let run = ready(&folder, program.id()).await;
    let again = self::token(&output).await;
    let analytics = PgPool::connect(run["analyticsDatabaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(count(&analytics, PAST).await, history);
    assert_eq!(count(&analytics, PAST_CLICKS).await, i64::from(VISITS / 2));
    assert_eq!(count(&analytics, PAST_CONVERSIONS).await, conversions);
    // The log has no second copy either: the import looked up the known events.
    assert_eq!(count(&analytics, TWICE).await, 0);
    let known = crate::program::client(&run)
        .get_as(&again, "/api/v1/creators/me")
        .await
        .data();
    assert_eq!(known["id"], me["id"]);
    let page = crate::program::client(&run)
        .get_as(&again, &path)
        .await
        .data();
    let titles = |links: &Value| -> Vec<Value> {
        links
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["title"].clone())
            .collect()
    };
    assert_eq!(titles(&page["links"]), titles(&json!(links)));
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
    analytics.close().await;
}
