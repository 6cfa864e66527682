//! Reports of links against counts of the raw rows by hand, and how the numbers of scopes relate.

use crate::{
    catalogue::{append, site},
    clicks_folded::{by_bot, click},
    conversions_folded::sale_of,
    random_log::{at, clear, empty_tables, fold},
};
use api::{
    Question, answer_from_rows,
    catalog::{Field, Format, Report, Scope, Shape, Surface, Total},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use kit::{
    System, noon,
    traffic::{self, Site},
};
use projector::Store;
use proptest::{prelude::*, test_runner::TestRunner};
use schemas::{
    Body, BotReason, CampaignId, ClickId, Event, IdMaker, Keyring, LinkId, Trigger, WorkspaceNo,
    analytics::metrics::{
        COUNT_OF_BOT_CLICKS, COUNT_OF_CLICKERS, COUNT_OF_CONVERSIONS, COUNT_OF_COUNTED_CLICKS,
        COUNT_OF_QR_SCANS, SUM_OF_REVENUE,
    },
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{
    cell::Cell,
    hash::{DefaultHasher, Hash, Hasher},
};
use uuid::Uuid;

static NUMBERS: Report = Report {
    id: "",
    surface: Surface::Workspace,
    path: "",
    shape: Shape::Total(Total {
        metrics: &[
            Field {
                name: "clicks",
                metric: &COUNT_OF_COUNTED_CLICKS,
            },
            Field {
                name: "visitors",
                metric: &COUNT_OF_CLICKERS,
            },
            Field {
                name: "scans",
                metric: &COUNT_OF_QR_SCANS,
            },
            Field {
                name: "bots",
                metric: &COUNT_OF_BOT_CLICKS,
            },
            Field {
                name: "conversions",
                metric: &COUNT_OF_CONVERSIONS,
            },
            Field {
                name: "revenue",
                metric: &SUM_OF_REVENUE,
            },
        ],
        echo: &[],
    }),
    scope: Scope::Workspace,
    params: &[],
    filters: &[],
    format: Format::Json,
    meta: None,
    limit: None,
    summary: "",
};

/// The numbers of what is within these scopes.
async fn numbers(pool: &PgPool, within: &[(Scope, Uuid)]) -> Value {
    let question = Question {
        workspace_no: 1,
        scope_id: None,
        within: within.to_vec(),
        now: at(5 * 3_600),
        since: at(-3_600),
        days: 1,
        zone: TimeZone::UTC,
    };
    let mut connection = pool.acquire().await.unwrap();
    let answer = answer_from_rows(&mut connection, &NUMBERS, &question).await;
    answer.unwrap()
}

fn click_id(number: u8, at: Timestamp, workspace_no: WorkspaceNo) -> ClickId {
    let ids = IdMaker::new(Keyring::parse(kit::system::SECRET).unwrap());
    ids.click(workspace_no, at, [number; 16])
}

/// A click whose id conversions can name.
fn signed(mut event: Event, number: u8) -> Event {
    if let Body::LinkClicked(body) = &mut event.body {
        body.click_id = Some(click_id(number, event.occurred_at, event.workspace_no));
    }
    event
}

/// Random clicks on three links by a few visitors, some by machines or by scans, some with a sale.
fn random_log() -> impl Strategy<Value = Vec<Event>> {
    let one = (0i64..24, 1u128..4, 0u8..4, 0u8..8, any::<bool>());
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let mut log = Vec::new();
        for (number, (step, link, visitor, kind, sold)) in (1u8..).zip(all) {
            let mut event = signed(click(number.into(), step * 600, (link, visitor)), number);
            if let Body::LinkClicked(body) = &mut event.body
                && kind == 1
            {
                body.trigger = Trigger::Qr;
            }
            if kind == 0 {
                event = by_bot(event, BotReason::Preview);
            }
            if sold {
                let id = click_id(number, event.occurred_at, event.workspace_no);
                log.push(sale_of(number, id, step * 600 + 60));
            }
            log.push(event);
        }
        log
    })
}

/// The same events in another order. A visitor's clicks on a link keep theirs, since it decides
/// which of them is a duplicate.
fn reordered(log: &[Event], salt: u64) -> Vec<Event> {
    let place = |event: &Event| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        match &event.body {
            Body::LinkClicked(body) => {
                let visitor = event.visitor.as_ref().and_then(|visitor| visitor.hash);
                (body.link_id.0, visitor.map(|hash| hash.0)).hash(&mut hasher);
            }
            _ => event.event_id.0.hash(&mut hasher),
        }
        hasher.finish()
    };
    let mut log = log.to_vec();
    log.sort_by_key(place);
    log
}

/// Every number of every scope, the wider ones after the narrower ones.
async fn all_scopes(pool: &PgPool) -> Vec<(Value, Value)> {
    let workspace = numbers(pool, &[]).await;
    let mut pairs = Vec::new();
    for campaign in [81, 82].map(Uuid::from_u128) {
        let of_campaign = numbers(pool, &[(Scope::Campaign, campaign)]).await;
        for link in [1, 2, 3].map(Uuid::from_u128) {
            let scopes = [(Scope::Campaign, campaign), (Scope::Link, link)];
            pairs.push((numbers(pool, &scopes).await, of_campaign.clone()));
            let of_link = numbers(pool, &[(Scope::Link, link)]).await;
            pairs.push((of_link, workspace.clone()));
        }
        pairs.push((of_campaign, workspace.clone()));
    }
    pairs
}

#[test]
fn a_narrower_scope_never_exceeds_a_wider_one_in_any_order_and_batches() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(empty_tables());
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 16,
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    });
    let cases = (
        random_log(),
        prop::collection::vec(any::<usize>(), 0..5),
        prop::collection::vec(any::<usize>(), 0..9),
        any::<u64>(),
    );
    let counted = Cell::new(0);
    let property = runner.run(&cases, |(log, cuts, other_cuts, salt)| {
        let (found, again) = runtime.block_on(async {
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &cuts).await;
            let found = all_scopes(&pool).await;
            clear(&pool).await;
            fold(
                &Store::new(pool.clone()),
                &reordered(&log, salt),
                &other_cuts,
            )
            .await;
            (found, all_scopes(&pool).await)
        });
        prop_assert_eq!(&found, &again);
        let number = |numbers: &Value, name: &str| numbers[name].as_f64().unwrap();
        for (narrow, wide) in &found {
            for name in [
                "clicks",
                "visitors",
                "scans",
                "bots",
                "conversions",
                "revenue",
            ] {
                prop_assert!(
                    number(narrow, name) <= number(wide, name),
                    "{name} {found:?}"
                );
            }
        }
        // What the links of all campaigns have is what the workspace has.
        let workspace = &found[1].1;
        for name in ["clicks", "bots", "conversions", "revenue"] {
            let links = found
                .iter()
                .step_by(2)
                .filter(|(_, wide)| wide != workspace);
            let sum: f64 = links.map(|(link, _)| number(link, name)).sum();
            prop_assert!(sum <= number(workspace, name));
        }
        let sold = i64::from(number(workspace, "conversions") > 0.0);
        counted.set(counted.get() + sold);
        Ok(())
    });
    property.unwrap();
    assert!(counted.get() > 0);
}

/// A row of numbers that a statement by hand gives for a range of time.
async fn by_hand(
    system: &System,
    sql: &'static str,
    link: Option<Uuid>,
    since: &str,
    until: &str,
) -> i64 {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    sqlx::query_scalar(sql)
        .bind(link)
        .bind(time(since).to_sqlx())
        .bind(time(until).to_sqlx())
        .fetch_one(&system.analytics)
        .await
        .unwrap()
}

const CLICKS: &str = "SELECT count(*) FROM hits
    WHERE link_id IS NOT NULL AND ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3
      AND bot_reason IS NULL AND NOT is_duplicate";
const VISITORS: &str = "SELECT count(*) FROM (
        SELECT visitor_hash FROM hits
        WHERE link_id IS NOT NULL AND ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3
          AND bot_reason IS NULL AND NOT is_duplicate AND visitor_hash IS NOT NULL
        GROUP BY visitor_hash
    ) AS visitors";
const SCANS: &str = "SELECT count(*) FROM hits
    WHERE trigger = 'qr' AND ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3
      AND bot_reason IS NULL AND NOT is_duplicate";
const BOTS: &str = "SELECT count(*) FROM hits
    WHERE bot_reason IS NOT NULL AND ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3";
const SALES: &str = "SELECT count(*) FROM conversions
    WHERE class = 'sale' AND status IN ('pending', 'approved')
      AND ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3";
const DOLLARS: &str =
    "SELECT (coalesce(sum(revenue_usd_micros), 0) / 1000000)::int8 FROM conversions
    WHERE ($1::uuid IS NULL OR link_id = $1) AND occurred_at >= $2 AND occurred_at < $3";

/// Compares the numbers of a report with those by hand.
async fn assert_numbers(
    system: &System,
    numbers: &Value,
    visitors: &str,
    link: Option<Uuid>,
    range: [&str; 2],
) {
    for (name, sql) in [
        ("clicks", CLICKS),
        (visitors, VISITORS),
        ("qrScans", SCANS),
        ("botClicks", BOTS),
        ("sales", SALES),
        ("conversions", SALES),
        ("revenue", DOLLARS),
    ] {
        if let Some(number) = numbers.get(name) {
            let expected = by_hand(system, sql, link, range[0], range[1]).await;
            assert_eq!(
                *number,
                json!(expected),
                "{name} {link:?} {range:?}: {numbers}"
            );
        }
    }
}

/// Visits of a page, clicks on links of which all but the first are in the campaign, and sales.
fn traffic_with_sales(ours: &Site, links: &[Uuid], campaign: Uuid) -> Vec<Event> {
    let mut log = traffic::records(ours, 17, 200, noon(), 70);
    let tenant = log[0].clone();
    for number in 0..200u8 {
        let visitor = number % 11;
        let mut event = click(u128::from(number) + 9_000, 0, (1, visitor));
        let at = noon()
            - SignedDuration::from_hours(i64::from(number) * 7)
            - SignedDuration::from_mins(5);
        event.occurred_at = at;
        event.received_at = at;
        event.workspace_id = tenant.workspace_id;
        event.workspace_no = tenant.workspace_no;
        if let Body::LinkClicked(body) = &mut event.body {
            body.link_id = LinkId(links[usize::from(number % 3)]);
            body.campaign_id = (number % 3 > 0).then_some(CampaignId(campaign));
            if number % 4 == 0 {
                body.trigger = Trigger::Qr;
            }
        }
        let event = signed(event, number);
        let event = if number % 7 == 0 {
            by_bot(event, BotReason::Agent)
        } else {
            event
        };
        if number % 5 == 0 {
            let id = click_id(number, at, tenant.workspace_no);
            log.push(Event {
                occurred_at: at + SignedDuration::from_mins(2),
                received_at: at + SignedDuration::from_mins(2),
                workspace_id: tenant.workspace_id,
                workspace_no: tenant.workspace_no,
                ..sale_of(number, id, 0)
            });
        }
        log.push(event);
    }
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn the_three_reports_equal_counts_of_the_raw_rows() {
    let system = System::start().await;
    let client = &system.client;
    let ada = client.creator("ada").await;
    let made = client
        .post_as(&ada.token, "/api/campaigns", &json!({ "name": "Spring" }))
        .await;
    let campaign = made.id();
    let mut links = vec![client.link(&ada, "Shop", "https://shop.example").await];
    for code in ["one", "two"] {
        let body = json!({ "destinationUrl": "https://shop.example/", "shortCode": code, "title": code, "campaignId": campaign });
        links.push(client.post_as(&ada.token, "/api/links", &body).await.id());
    }
    let ours = site(&system, &ada, vec![ada.page], links.clone()).await;
    let log = traffic_with_sales(&ours, &links, campaign);
    append(&system, &ours, &log).await;
    system.settle().await;
    let get = async |path: &str| {
        let answer = client
            .get_as(&ada.token, &format!("/api/analytics/{path}"))
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.data()
    };
    // Noon is that of 2027-03-05.
    let month = ["2027-02-04T00:00:00Z", "2027-03-05T12:00:00.000001Z"];
    let before = ["2027-01-05T00:00:00Z", "2027-02-03T12:00:00.000001Z"];
    let overview = get("workspace/overview").await;
    assert_numbers(&system, &overview["totals"], "uniqueVisitors", None, month).await;
    assert_numbers(
        &system,
        &overview["previous"],
        "uniqueVisitors",
        None,
        before,
    )
    .await;
    let (from, to) = (&overview["previous"]["start"], &overview["previous"]["end"]);
    assert_eq!((from, to), (&json!("2027-01-05"), &json!("2027-02-03")));
    assert!(
        overview["totals"]["clicks"].as_i64() > Some(100),
        "{overview}"
    );
    assert!(overview["totals"]["sales"].as_i64() > Some(5), "{overview}");
    assert!(overview["change"]["clicks"].is_number(), "{overview}");
    assert_eq!(overview["topCampaigns"][0]["name"], "Spring");
    for row in overview["topLinks"].as_array().unwrap() {
        let id = row["linkId"].as_str().unwrap().parse().unwrap();
        let clicks = by_hand(&system, CLICKS, Some(id), month[0], month[1]).await;
        assert_eq!(
            (&row["clicks"], &row["deleted"]),
            (&json!(clicks), &json!(false)),
            "{row}"
        );
    }

    // A bio link's click by beacon and by short URL.
    let summary = get(&format!("{}/summary?compare=none", links[0])).await;
    assert_numbers(
        &system,
        &summary["totals"],
        "uniqueClicks",
        Some(links[0]),
        month,
    )
    .await;
    let ever = ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z"];
    assert_numbers(
        &system,
        &summary["allTime"],
        "uniqueClicks",
        Some(links[0]),
        ever,
    )
    .await;
    assert_eq!(summary["link"]["title"], "Shop");
    let by_trigger = async |word: &str| {
        let path = format!("{}/summary?trigger={word}", links[0]);
        get(&path).await["totals"]["clicks"].as_i64().unwrap()
    };
    let (bio, link, qr) = (
        by_trigger("bio").await,
        by_trigger("link").await,
        by_trigger("qr").await,
    );
    assert!(bio > 0 && link > 0 && qr > 0);
    assert_eq!(json!(bio + link + qr), summary["totals"]["clicks"]);

    // The buckets of a week in another zone, and their sums.
    let range = "start=2027-02-20&end=2027-02-26&timezone=Asia/Kathmandu";
    for (granularity, buckets) in [("hour", 168), ("day", 7), ("month", 1)] {
        let path = format!("workspace/timeseries?{range}&granularity={granularity}");
        let series = get(&path).await;
        let rows = series["timeseries"].as_array().unwrap();
        assert_eq!(rows.len(), buckets, "{path}");
        let sum: i64 = rows.iter().map(|row| row["clicks"].as_i64().unwrap()).sum();
        let utc = ["2027-02-19T18:15:00Z", "2027-02-26T18:15:00Z"];
        assert_eq!(sum, by_hand(&system, CLICKS, None, utc[0], utc[1]).await);
        if granularity == "day" {
            assert_eq!(rows[1]["timestamp"], "2027-02-21T00:00:00.000");
            let day = ["2027-02-20T18:15:00Z", "2027-02-21T18:15:00Z"];
            assert_numbers(&system, &rows[1], "uniqueVisitors", None, day).await;
        }
    }

    // Narrowed to a campaign and a link of it.
    let clicks = async |query: &str| {
        let path = format!("workspace/overview?{query}");
        get(&path).await["totals"]["clicks"].as_i64().unwrap()
    };
    let of_campaign = clicks(&format!("campaignId={campaign}")).await;
    let one = clicks(&format!("campaignId={campaign}&linkId={}", links[1])).await;
    let two = clicks(&format!("campaignId={campaign}&linkId={}", links[2])).await;
    assert!(one > 0 && two > 0);
    assert_eq!(one + two, of_campaign);
    system.finish().await;
}
