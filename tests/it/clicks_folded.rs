//! Clicks on short links in the tables: duplicates against a plain model, and tables of the version
//! before.

use crate::random_log::{
    clear, empty_tables, event_at, few_cases, fold, start, view, whole_tables,
};
use kit::postgres;
use projector::Store;
use proptest::prelude::*;
use schemas::{
    Body, BotReason, CampaignId, ClickId, Event, LinkClicked, LinkId, PageviewId, Place, QrId,
    RuleId, SessionId, SourceClass, Trigger, Utm, Visitor, VisitorHash,
};
use sqlx::PgPool;
use uuid::Uuid;

/// A click of a visitor on a link; visitor 0 is unknown.
pub fn click(event_id: u128, seconds: i64, (link, visitor): (u128, u8)) -> Event {
    let body = Body::LinkClicked(LinkClicked {
        click_id: Some(ClickId(Uuid::from_u128(event_id + 1_000))),
        link_id: LinkId(Uuid::from_u128(link)),
        short_code: "Promo".to_owned(),
        host: "go.example".to_owned(),
        trigger: Trigger::Link,
        destination: "https://shop.example/\u{0}".to_owned(),
        referrer: None,
        referrer_domain: "direct".to_owned(),
        source_class: SourceClass::Direct,
        utm: Utm::default(),
        bot_reason: None,
        redirect_micros: u32::MAX,
        campaign_id: Some(CampaignId(Uuid::from_u128(u128::from(visitor) % 2 + 81))),
        rule_id: (visitor % 3 == 0).then_some(RuleId(Uuid::from_u128(91))),
        rule_name: (visitor % 3 == 0).then(|| "Phones\u{0}".to_owned()),
        qr_id: (visitor % 5 == 0).then_some(QrId(Uuid::from_u128(95))),
    });
    let known = (visitor > 0).then(|| Visitor {
        hash: Some(VisitorHash([visitor; 16])),
        place: Place {
            country: Some(["Chile", "Turkey", "Japan"][usize::from(visitor) % 3].to_owned()),
            ..Place::default()
        },
        ..Visitor::default()
    });
    Event {
        visitor: known,
        ..event_at(event_id, seconds, body)
    }
}

/// The same click by a machine.
pub fn by_bot(mut event: Event, reason: BotReason) -> Event {
    if let Body::LinkClicked(click) = &mut event.body {
        click.bot_reason = Some(reason);
    }
    event
}

/// A random click on one of two links within four hours, in steps of ten minutes, so that an hour
/// is often exact.
fn random_click() -> impl Strategy<Value = Event> {
    (1u128..40, 0i64..24, 1u128..3, 0u8..3, 0u8..8).prop_map(|(id, step, link, visitor, kind)| {
        let event = click(id, step * 600, (link, visitor));
        match kind {
            0 => by_bot(event, BotReason::Preview),
            _ => event,
        }
    })
}

/// The verdicts by the definition: each click is compared with all counted ones before it.
fn verdicts(log: &[Event]) -> Vec<(Uuid, bool)> {
    let mut judged: Vec<(&Event, bool)> = Vec::new();
    for event in log {
        if judged
            .iter()
            .any(|(known, _)| known.event_id == event.event_id)
        {
            continue;
        }
        let same = |event: &Event| match &event.body {
            Body::LinkClicked(click) => {
                let visitor = event.visitor.as_ref().and_then(|visitor| visitor.hash);
                let counts = click.bot_reason.is_none();
                visitor
                    .filter(|_| counts)
                    .map(|visitor| (click.link_id, visitor))
            }
            _ => None,
        };
        let is_duplicate = same(event).is_some()
            && judged.iter().any(|(earlier, is_duplicate)| {
                let apart = event.occurred_at.duration_since(earlier.occurred_at);
                !is_duplicate && same(earlier) == same(event) && apart.abs().as_secs() < 3_600
            });
        judged.push((event, is_duplicate));
    }
    let verdicts = judged.into_iter();
    verdicts
        .map(|(event, verdict)| (event.event_id.0, verdict))
        .collect()
}

#[test]
fn verdicts_on_duplicates_equal_the_definition_for_any_batching_and_repetition() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = runtime.block_on(empty_tables());
    let mut runner = few_cases();
    let cases = (
        prop::collection::vec(random_click(), 1..60),
        prop::collection::vec(any::<usize>(), 0..6),
        prop::collection::vec(any::<usize>(), 0..9),
    );
    let property = runner.run(&cases, |(log, cuts, other_cuts)| {
        let (found, one, other) = runtime.block_on(async {
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &cuts).await;
            let found: Vec<(Uuid, bool)> =
                sqlx::query_as("SELECT event_id, is_duplicate FROM hits ORDER BY seq")
                    .fetch_all(&pool)
                    .await
                    .unwrap();
            let one = whole_tables(&pool).await;
            clear(&pool).await;
            fold(&Store::new(pool.clone()), &log, &other_cuts).await;
            (found, one, whole_tables(&pool).await)
        });
        prop_assert_eq!(found, verdicts(&log));
        prop_assert_eq!(one, other);
        Ok(())
    });
    property.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_for_duplicates_reads_few_rows_of_a_busy_link() {
    let pool = empty_tables().await;
    let store = Store::new(pool.clone());
    // Many visitors, each with one counted click and repeats, in one hour.
    let clicks = (1..4_000u32).map(|number| {
        let visitor = u8::try_from(number % 250 + 1).unwrap();
        click(number.into(), i64::from(number % 3_000), (1, visitor))
    });
    let log: Vec<Event> = clicks.collect();
    fold(&store, &log, &[1_000, 2_000, 3_000]).await;
    sqlx::raw_sql("ANALYZE hits").execute(&pool).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT FROM hits
        WHERE workspace_no = 1 AND link_id = '00000000-0000-0000-0000-000000000001'
          AND visitor_hash = decode(repeat('07', 16), 'hex')
          AND occurred_at > '2027-01-15 07:00:00+00' AND occurred_at < '2027-01-15 09:00:00+00'
          AND click_id IS NOT NULL AND bot_reason IS NULL AND NOT is_duplicate
        LIMIT 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("workspace_no_link_id_visitor_hash"), "{plan}");
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM hits WHERE NOT is_duplicate")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(counted, 250);
}

const SESSION: SessionId = SessionId(Uuid::from_u128(100));

/// The tables of the version before, with a visit, a view and a click on a link of the page.
pub async fn fill_version_3(pool: &PgPool) {
    let files = [(
        3,
        "facts by month",
        include_str!("../../projector/migrations/0003_facts_by_month.sql"),
    )];
    runtime::database::migrations(&files)
        .run(pool)
        .await
        .unwrap();
    // The partitions that the version before made for a month.
    for table in ["seen", "sessions", "hits", "custom_events", "refusals"] {
        let statement = format!(
            "CREATE TABLE {table}_2027_01 PARTITION OF {table} FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(pool)
            .await
            .unwrap();
    }
    let rows = "
        INSERT INTO sessions (workspace_no, seq, started_at, start_received_at, last_activity_at, session_id, start_event_id,
            page_id, visitor_hash, country, device, utm_source, referrer_domain, source_class, language)
        VALUES (1, 0, '2027-01-15 08:00:00+00', now(), now(), '00000000-0000-0000-0000-000000000064', gen_random_uuid(),
            gen_random_uuid(), decode(repeat('07', 16), 'hex'), 'Chile', 'mobile', 'mail', 'direct', 'email', 'es');
        INSERT INTO hits (workspace_no, seq, visible_seq, event_id, occurred_at, received_at, page_id, session_id, pageview_id,
            link_id, referrer)
        VALUES (1, 1, 1, gen_random_uuid(), '2027-01-15 08:00:01+00', now(), gen_random_uuid(),
            '00000000-0000-0000-0000-000000000064', gen_random_uuid(), NULL, 'https://a.example/'),
            (1, 2, 2, gen_random_uuid(), '2027-01-15 08:00:02+00', now(), gen_random_uuid(),
            '00000000-0000-0000-0000-000000000064', gen_random_uuid(), '00000000-0000-0000-0000-000000000001',
            'https://b.example/')";
    sqlx::raw_sql(rows).execute(pool).await.unwrap();
}

type Dimensions = (
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    bool,
);

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_version_before_are_brought_over_and_take_clicks() {
    let databases = postgres::empty_databases().await;
    let pool = PgPool::connect(&databases.analytics).await.unwrap();
    fill_version_3(&pool).await;
    projector::MIGRATIONS.run(&pool).await.unwrap();
    let read = async || -> Vec<Dimensions> {
        sqlx::query_as(
            "SELECT seq, trigger, country, utm_source, referrer, is_duplicate FROM hits ORDER BY seq",
        )
        .fetch_all(&pool)
        .await
        .unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    let view = (1, None, None, None, text("https://a.example/"), false);
    let (bio, referrer) = (text("bio"), text("https://b.example/"));
    let bio = (2, bio, text("Chile"), text("mail"), referrer, false);
    assert_eq!(read().await, [view.clone(), bio.clone()]);

    // The old partition takes clicks, and so does a new month's.
    let log = [click(1, 5, (1, 7)), click(2, 5 + 40 * 86_400, (1, 7))];
    fold(&Store::new(pool.clone()), &log, &[1]).await;
    let all = read().await;
    assert_eq!(all.len(), 4);
    for new in all.iter().filter(|row| ![&view, &bio].contains(row)) {
        assert_eq!(
            (&new.1, &new.2, new.5),
            (&text("link"), &text("Turkey"), false)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_of_a_visit_has_its_dimensions_in_whatever_batch_the_visit_is() {
    let pool = empty_tables().await;
    let began = |event: Event| Event {
        visitor: click(1, 0, (1, 7)).visitor,
        ..event
    };
    let clicked = |number: u128, seconds: i64| {
        let mut event = event_at(
            number,
            seconds,
            view(SESSION, PageviewId(Uuid::from_u128(number))),
        );
        if let Body::PageViewed(view) = &mut event.body {
            view.link_id = Some(LinkId(Uuid::from_u128(1)));
        }
        event
    };
    let log = [
        // Before its visit: it waits.
        clicked(11, 3),
        began(event_at(12, 0, start(SESSION))),
        clicked(13, 4),
        clicked(14, 5),
    ];
    let mut dumps = Vec::new();
    for cuts in [&[][..], &[1], &[2], &[3], &[1, 2, 3]] {
        clear(&pool).await;
        fold(&Store::new(pool.clone()), &log, cuts).await;
        dumps.push(whole_tables(&pool).await);
        let copied: Vec<(Option<String>, Option<String>, bool)> =
            sqlx::query_as("SELECT trigger, country, visitor_hash IS NOT NULL FROM hits")
                .fetch_all(&pool)
                .await
                .unwrap();
        let expected = (Some("bio".to_owned()), Some("Turkey".to_owned()), true);
        assert_eq!(copied, vec![expected; 3], "{cuts:?}");
    }
    assert!(dumps.iter().all(|dump| *dump == dumps[0]));
}
