//! Conversions in the tables, against a plain model: in any order, in any batches, and from tables
//! of the version before.

use crate::{
    clicks_folded::{click, fill_version_3},
    random_log::{at, clear, empty_tables, event_at, few_cases, fold, tables, whole_tables},
};
use kit::postgres;
use projector::Store;
use proptest::prelude::*;
use schemas::{
    Body, ClickId, ConversionId, ConversionRecorded, ConversionStatusChanged, CustomerId, Event,
    IdMaker, Keyring, WorkspaceNo,
    events::{
        Amount, AttributedBy, ConversionClass, ConversionSource, ConversionStatus, Dollars,
        SaleType,
    },
};
use sqlx::PgPool;
use uuid::Uuid;

const SECOND_OF_WINDOW: i64 = 30 * 24 * 3_600;

fn click_id(number: u8, seconds: i64) -> ClickId {
    let ids = IdMaker::new(Keyring::parse(kit::system::SECRET).unwrap());
    ids.click(WorkspaceNo(1), at(seconds), [number; 16])
}

/// Click number `number`, on a link of its own by a visitor of its own.
fn numbered_click(number: u8) -> Event {
    let seconds = i64::from(number) * 60;
    let mut event = click(
        u128::from(number) + 1,
        seconds,
        (u128::from(number), number),
    );
    if let Body::LinkClicked(body) = &mut event.body {
        body.click_id = Some(click_id(number, seconds));
    }
    event
}

/// A sale of 50 dollars after a click.
fn sale(number: u8, click: u8, seconds: i64) -> Event {
    sale_of(number, click_id(click, i64::from(click) * 60), seconds)
}

/// A sale of 50 dollars after the click with that id.
pub fn sale_of(number: u8, click: ClickId, seconds: i64) -> Event {
    let body = Body::ConversionRecorded(ConversionRecorded {
        conversion_id: ConversionId(Uuid::from_u128(u128::from(number))),
        class: ConversionClass::Sale,
        event_name: "purchase".to_owned(),
        click_id: Some(click),
        attributed_by: AttributedBy::Click,
        customer_id: Some(CustomerId(Uuid::from_u128(9))),
        amount: Some(Amount {
            minor: 5_000,
            currency: "USD".to_owned(),
        }),
        usd: Some(Dollars {
            micros: 50_000_000,
            rate_day: "2027-01-15".parse().unwrap(),
        }),
        order_id: Some(format!("order\0{number}")),
        status: ConversionStatus::Approved,
        sale_type: Some(SaleType::New),
        source: ConversionSource::Track,
        metadata: serde_json::Map::new(),
    });
    event_at(1_000 + u128::from(number), seconds, body)
}

fn change(sale: &Event, version: u32, status: ConversionStatus, refunded_minor: i64) -> Event {
    let Body::ConversionRecorded(recorded) = &sale.body else {
        unreachable!()
    };
    let body = Body::ConversionStatusChanged(ConversionStatusChanged {
        conversion_id: recorded.conversion_id,
        converted_at: sale.occurred_at,
        version,
        status,
        refunded_minor,
        usd: recorded.usd,
        refund: None,
    });
    let id = sale.event_id.0.as_u128() * 1_000 + u128::from(version);
    event_at(id, 10_000 + i64::from(version), body)
}

/// What a report needs of each conversion: its link, whether it counts, and its revenue.
async fn found(pool: &PgPool) -> Vec<(Uuid, Option<Uuid>, bool, i64)> {
    sqlx::query_as(
        "SELECT conversion_id, link_id, is_counted, revenue_usd_micros
        FROM conversions
        ORDER BY conversion_id",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The same by the definition.
fn expected(log: &[Event]) -> Vec<(Uuid, Option<Uuid>, bool, i64)> {
    let mut conversions = Vec::new();
    for event in log {
        let Body::ConversionRecorded(body) = &event.body else {
            continue;
        };
        let clicked = log.iter().find_map(|event| match &event.body {
            Body::LinkClicked(click) if click.click_id == body.click_id => {
                Some((event.occurred_at, click.link_id.0))
            }
            _ => None,
        });
        let link = clicked.filter(|(clicked_at, _)| {
            let passed = event.occurred_at.duration_since(*clicked_at).as_secs();
            (0..=SECOND_OF_WINDOW).contains(&passed)
        });
        let changes = log.iter().filter_map(|event| match &event.body {
            Body::ConversionStatusChanged(change) if change.conversion_id == body.conversion_id => {
                Some(change)
            }
            _ => None,
        });
        let latest = changes.max_by_key(|change| change.version);
        let status = latest.map_or(body.status, |change| change.status);
        let refunded = latest.map_or(0, |change| change.refunded_minor);
        let revenue = if status.counts() {
            50_000_000 - refunded * 10_000
        } else {
            0
        };
        let link = link.map(|(_, link)| link);
        conversions.push((body.conversion_id.0, link, status.counts(), revenue));
    }
    conversions.sort();
    conversions.dedup();
    conversions
}

/// Clicks, sales of them at and around the end of the window, and changes of the sales.
fn random_event() -> impl Strategy<Value = Event> {
    (0u8..4, 1u8..5, 0u8..8, 1u32..5).prop_map(|(kind, click, number, version)| {
        let seconds = match number % 4 {
            0 => i64::from(click) * 60,
            1 => i64::from(click) * 60 + SECOND_OF_WINDOW,
            2 => i64::from(click) * 60 + SECOND_OF_WINDOW + 1,
            _ => i64::from(click) * 60 - 1,
        };
        let sale = sale(number * 8 + click, click, seconds);
        let status = match version {
            2 => ConversionStatus::Refunded,
            3 => ConversionStatus::Fraud,
            _ => ConversionStatus::Approved,
        };
        match kind {
            0 => numbered_click(click),
            1 | 2 => sale,
            _ => change(&sale, version + 1, status, i64::from(version) * 700),
        }
    })
}

#[test]
fn conversions_equal_the_definition_in_any_order_and_any_batches() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(empty_tables());
    let mut runner = few_cases();
    let cases = (
        prop::collection::vec(random_event(), 1..50),
        prop::collection::vec(any::<usize>(), 0..6),
        prop::collection::vec(any::<usize>(), 0..9),
        any::<u64>(),
    );
    let property = runner.run(&cases, |(log, cuts, other_cuts, order)| {
        let mut shuffled = log.clone();
        shuffled.sort_by_key(|event| {
            let id = u64::try_from(event.event_id.0.as_u128()).unwrap_or_default();
            (id ^ order).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        let (one, rows, other_batches, other_order) = runtime.block_on(async {
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &cuts).await;
            let one = (whole_tables(&pool).await, tables(&pool).await);
            let rows = found(&pool).await;
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &other_cuts).await;
            let other_batches = whole_tables(&pool).await;
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &shuffled, &other_cuts).await;
            (one, rows, other_batches, tables(&pool).await)
        });
        prop_assert_eq!(rows, expected(&log));
        prop_assert_eq!(&one.0, &other_batches);
        // The verdict on a duplicate click depends on the order of the log. Here no two clicks have
        // the same visitor, so nothing does.
        prop_assert_eq!(&one.1, &other_order);
        Ok(())
    });
    property.unwrap();
}

#[tokio::test]
async fn a_sale_that_overtakes_its_click_has_the_place_of_the_click_afterwards() {
    let pool = empty_tables().await;
    let log = [sale(1, 1, 120), numbered_click(1), sale(2, 1, 180)];
    fold(&Store::new(pool.clone()), &log, &[1, 2]).await;
    let rows: Vec<(i64, i64, Option<String>, Option<String>)> =
        sqlx::query_as("SELECT seq, visible_seq, country, trigger FROM conversions ORDER BY seq")
            .fetch_all(&pool)
            .await
            .unwrap();
    let country = Some("Turkey".to_owned());
    let trigger = Some("link".to_owned());
    // Readers by seq see the first sale from its click on, when it is whole.
    let expected =
        [(0, 1), (2, 2)].map(|(seq, visible)| (seq, visible, country.clone(), trigger.clone()));
    assert_eq!(rows, expected);
    let noted: i64 = sqlx::query_scalar("SELECT count(*) FROM unattributed")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(noted, 0);
}

#[tokio::test]
async fn a_recurring_sale_belongs_to_the_first_link_of_its_customer_without_a_window() {
    let pool = empty_tables().await;
    let mut late = sale(1, 1, SECOND_OF_WINDOW * 2);
    if let Body::ConversionRecorded(body) = &mut late.body {
        body.attributed_by = AttributedBy::Customer;
    }
    fold(&Store::new(pool.clone()), &[numbered_click(1), late], &[]).await;
    let link = found(&pool).await[0].1;
    assert_eq!(link, Some(Uuid::from_u128(1)));
}

#[tokio::test]
async fn refunds_are_at_the_sales_own_rate_and_an_unconverted_sale_earns_nothing_yet() {
    let pool = empty_tables().await;
    let mut yen = sale(2, 1, 120);
    if let Body::ConversionRecorded(body) = &mut yen.body {
        body.amount = Some(Amount {
            minor: 10_000,
            currency: "JPY".to_owned(),
        });
        body.usd = None;
    }
    let first = sale(1, 1, 100);
    let log = [
        numbered_click(1),
        first.clone(),
        yen.clone(),
        change(&first, 2, ConversionStatus::Approved, 1_500),
    ];
    let store = Store::new(pool.clone());
    fold(&store, &log, &[]).await;
    let revenue = |rows: Vec<(Uuid, Option<Uuid>, bool, i64)>| -> Vec<i64> {
        rows.into_iter().map(|row| row.3).collect()
    };
    assert_eq!(revenue(found(&pool).await), [35_000_000, 0]);
    let unconverted: Vec<bool> =
        sqlx::query_scalar("SELECT is_unconverted FROM conversions ORDER BY conversion_id")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(unconverted, [false, true]);

    let mut converted = change(&yen, 2, ConversionStatus::Approved, 0);
    if let Body::ConversionStatusChanged(body) = &mut converted.body {
        body.usd = Some(Dollars {
            micros: 67_000_000,
            rate_day: "2027-01-15".parse().unwrap(),
        });
    }
    let back = change(&first, 3, ConversionStatus::Refunded, 5_000);
    let again = change(&first, 4, ConversionStatus::Approved, 0);
    let log = log.into_iter().chain([converted, back, again]);
    let log: Vec<Event> = log.collect();
    clear(&pool).await;
    fold(&store, &log[..6], &[]).await;
    assert_eq!(revenue(found(&pool).await), [0, 67_000_000]);
    clear(&pool).await;
    fold(&store, &log, &[]).await;
    assert_eq!(revenue(found(&pool).await), [50_000_000, 67_000_000]);
}

#[tokio::test]
async fn months_of_the_version_before_take_conversions() {
    let databases = postgres::empty_databases().await;
    let pool = PgPool::connect(&databases.analytics).await.unwrap();
    fill_version_3(&pool).await;
    projector::MIGRATIONS.run(&pool).await.unwrap();
    let later = sale(2, 1, 120 + 20 * 86_400);
    let log = [numbered_click(1), sale(1, 1, 120), later];
    fold(&Store::new(pool.clone()), &log, &[1]).await;
    assert_eq!(found(&pool).await, expected(&log));
}
