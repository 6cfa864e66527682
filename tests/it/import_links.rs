//! `footfall import` with clicks on short links and conversions: counted as live ones, each once.

use crate::import::import;
use footfall::commands::import::{EXAMPLE_CLICK, EXAMPLE_CONVERSION};
use jiff::{SignedDuration, Timestamp};
use kit::{Creator, System};
use runtime::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1";
const CRAWLER: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// A system with a creator, and the id of a short link `promo`.
async fn with_link() -> (System, Creator, Uuid) {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let body =
        json!({"destinationUrl": "https://shop.example/x?utm_medium=web", "shortCode": "promo"});
    let answer = system.client.post_as(&ada.token, "/api/links", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let link = answer.id();
    (system, ada, link)
}

fn ago(system: &System, minutes: i64) -> Timestamp {
    system.clock.now() - SignedDuration::from_mins(minutes)
}

fn click(number: u128, at: Timestamp, more: &Value) -> Value {
    let mut line = json!({
        "kind": "click", "eventId": Uuid::from_u128(number), "occurredAt": at.to_string(),
        "shortCode": "PROMO", "ip": "81.2.69.142", "userAgent": PHONE,
    });
    let more = more.as_object().cloned().unwrap();
    line.as_object_mut().unwrap().extend(more);
    line
}

fn sale(number: u128, at: Timestamp, more: &Value) -> Value {
    let mut line = json!({
        "kind": "conversion", "eventId": Uuid::from_u128(number), "occurredAt": at.to_string(),
        "event": "purchase", "value": "49.90", "currency": "EUR",
    });
    let more = more.as_object().cloned().unwrap();
    line.as_object_mut().unwrap().extend(more);
    line
}

fn text(lines: &[Value]) -> String {
    let lines = lines.iter().map(|line| format!("{line}\n"));
    lines.collect()
}

/// What the tables have of clicks: trigger, reason, duplicate, `utm_source`, `utm_medium`.
type Click = (String, Option<String>, bool, Option<String>, Option<String>);

async fn clicks(system: &System, link: Uuid) -> Vec<Click> {
    sqlx::query_as(
        "SELECT trigger, bot_reason, is_duplicate, utm_source, utm_medium
         FROM hits WHERE link_id = $1 ORDER BY occurred_at, seq",
    )
    .bind(link)
    .fetch_all(&system.analytics)
    .await
    .unwrap()
}

/// What the tables have of conversions: class, order, minor units, and the link of the click.
type Conversion = (String, Option<String>, Option<i64>, Option<Uuid>);

async fn conversions(system: &System) -> Vec<Conversion> {
    sqlx::query_as(
        "SELECT class, order_id, amount_minor, link_id FROM conversions ORDER BY occurred_at, seq",
    )
    .fetch_all(&system.analytics)
    .await
    .unwrap()
}

async fn records(system: &System) -> usize {
    system.log.read(schemas::topics::EVENTS).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_and_conversions_count_as_live_ones_and_the_same_file_adds_nothing() {
    let (system, ada, link) = with_link().await;
    let first = ago(&system, 3 * 24 * 60);
    let minutes = SignedDuration::from_mins;
    let by_click = json!({"click": {"eventId": Uuid::from_u128(1), "occurredAt": first.to_string(), "shortCode": "promo"},
        "orderId": "A-1", "customerExternalId": "C-1"});
    let customer = json!({"workspaceId": ada.workspace_id, "customerExternalId": "C-1",
        "event": "trial_start", "value": null, "orderId": "T-1"});
    let lines = [
        // A conversion may stand before its click.
        sale(11, first + minutes(9), &by_click),
        click(1, first, &json!({"query": "utm_source=Insta"})),
        click(2, first + minutes(5), &json!({})),
        click(3, first + minutes(6), &json!({"userAgent": CRAWLER})),
        click(
            4,
            first + minutes(7),
            &json!({"shortCode": null, "linkId": link, "trigger": "qr", "visitorId": "v-4"}),
        ),
        sale(12, first + minutes(10), &by_click),
        sale(13, first + minutes(60), &customer),
    ];
    let file = text(&lines);
    let counts = import(&system, &file).await.counts;
    assert_eq!((counts.clicks, counts.new_clicks), (4, 4));
    assert_eq!(counts.machines.get("agent"), Some(&1));
    assert_eq!(
        (counts.new_conversions, counts.repeated_conversions),
        (2, 1)
    );

    let insta = Some("insta".to_owned());
    let web = Some("web".to_owned());
    let of = |trigger: &str, reason: Option<&str>, duplicate, source: &Option<String>| {
        let reason = reason.map(str::to_owned);
        (
            trigger.to_owned(),
            reason,
            duplicate,
            source.clone(),
            web.clone(),
        )
    };
    let expected = [
        of("link", None, false, &insta),
        of("link", None, true, &None),
        of("link", Some("agent"), false, &None),
        of("qr", None, false, &None),
    ];
    assert_eq!(clicks(&system, link).await, expected);
    let of = |class: &str, order: &str, minor| {
        (class.to_owned(), Some(order.to_owned()), minor, Some(link))
    };
    let sold = [of("sale", "A-1", Some(4990)), of("lead", "T-1", None)];
    assert_eq!(conversions(&system).await, sold);

    let before = records(&system).await;
    let again = import(&system, &file).await.counts;
    assert_eq!((again.new_clicks, again.known_clicks), (0, 4));
    assert_eq!((again.new_conversions, again.known_conversions), (0, 2));
    assert_eq!(again.repeated_conversions, 1);
    assert_eq!(records(&system).await, before);
    assert_eq!(conversions(&system).await, sold);

    // A live report of the same order is a repeat too.
    let click_id: Uuid = sqlx::query_scalar(
        "SELECT click_id FROM hits WHERE link_id = $1 ORDER BY occurred_at LIMIT 1",
    )
    .bind(link)
    .fetch_one(&system.analytics)
    .await
    .unwrap();
    let body = json!({"clickId": click_id, "event": "purchase", "value": "49.90", "currency": "EUR", "orderId": "A-1"});
    let live = system.client.post("/api/conversions/track", &body).await;
    assert_eq!(live.data()["duplicate"], true, "{}", live.text);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_are_imported() {
    let (system, _, link) = with_link().await;
    let example = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let (mut click, mut sale) = (example(EXAMPLE_CLICK), example(EXAMPLE_CONVERSION));
    for named in [&mut click, &mut sale["click"]] {
        // The examples have a domain of their own.
        named.as_object_mut().unwrap().remove("host").unwrap();
    }
    let summary = import(&system, &text(&[click, sale])).await;
    assert_eq!(summary.bad.first, []);
    assert_eq!(
        (summary.counts.new_clicks, summary.counts.new_conversions),
        (1, 1)
    );
    let found = conversions(&system).await;
    assert_eq!(
        found,
        [(
            "sale".to_owned(),
            Some("A-1".to_owned()),
            Some(4990),
            Some(link)
        )]
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_click_or_conversion_is_reported_with_its_line_and_stops_nothing() {
    let (system, ada, link) = with_link().await;
    let at = ago(&system, 60);
    let named = |minutes| json!({"click": {"eventId": Uuid::from_u128(1), "occurredAt": ago(&system, minutes).to_string(), "linkId": link}});
    let lines = [
        click(1, at, &json!({"shortCode": "nowhere"})),
        click(2, at, &json!({"shortCode": null, "trigger": "mail"})),
        json!({"kind": "scan"}),
        sale(11, at, &json!({"clickId": Uuid::from_u128(9)})),
        sale(12, at, &json!({})),
        sale(13, at, &named(40 * 24 * 60)),
        sale(14, at, &json!({"workspaceId": ada.workspace_id})),
        sale(15, at, &{
            let mut object = named(90);
            object["value"] = json!("4.999");
            object
        }),
        sale(16, at, &named(90)),
    ];
    let summary = import(&system, &text(&lines)).await;
    let mut said: Vec<(u64, &str)> = summary
        .bad
        .first
        .iter()
        .map(|bad| (bad.line, &*bad.reason))
        .collect();
    said.sort_unstable();
    let expected = [
        (1, "unknown_link"),
        (2, "invalid"),
        (3, "invalid"),
        (4, "unknown_click"),
        (5, "invalid"),
        (6, "click_expired"),
        (7, "no_click"),
        (8, "invalid"),
    ];
    assert_eq!(said, expected, "{:?}", summary.bad.first);
    assert_eq!(summary.counts.new_conversions, 1);
    let problem = |line| {
        let mut bad = summary.bad.first.iter();
        bad.find(|bad| bad.line == line)
            .map(|bad| bad.problem.clone())
            .unwrap()
    };
    assert_eq!(
        problem(2),
        "linkId or shortCode is required; trigger must be one of link, qr, deeplink, api"
    );
    assert!(problem(1).contains("POST /api/links"), "{}", problem(1));
    assert!(problem(5).contains("customerExternalId"), "{}", problem(5));
    system.finish().await;
}
