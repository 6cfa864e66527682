//! Reports that the vocabulary allows but the catalogue lacks. Only these tests have them; the same
//! engine answers them, and the same loops check them.

use crate::{
    catalogue::{append, site},
    clicks_folded::{by_bot, click},
};
use api::{
    Question, answer_from_rows,
    catalog::{
        Breakdown, Field, Format, Param, PerUser, Report, Scope, Series, Shape, Surface, Total,
    },
};
use jiff::{SignedDuration, tz::TimeZone};
use jiff_sqlx::ToSqlx;
use kit::{
    System,
    ask::Ask,
    noon,
    oracle::since,
    postgres,
    raw::{Names, Rows},
    traffic,
};
use schemas::analytics::{
    Buckets, Dimension, Metric, Reach,
    dimensions::{BROWSER, COUNTRY, DEVICE, OF_VISITS, REASON, TRIGGER},
    facts::{CONVERSIONS, RECORDED_CLICKS, VISITS},
    metrics::{
        BOUNCE_RATE, CLICK_THROUGH, COUNT_OF_CLICKERS, COUNT_OF_CLICKS, COUNT_OF_COUNTED_CLICKS,
        COUNT_OF_REFUSALS, COUNT_OF_VIEWS, COUNT_OF_VISITORS, COUNT_OF_VISITS,
        SHARE_OF_RETURNED_VISITS,
    },
};
use schemas::{BotReason, Event};
use sqlx::{PgPool, Row};
use uuid::Uuid;

const fn field(name: &'static str, metric: &'static Metric) -> Field {
    Field { name, metric }
}

const TRIAL: Report = Report {
    id: "",
    surface: Surface::Creator,
    path: "",
    shape: OVERVIEW,
    scope: Scope::Page,
    params: &[Param::Days],
    filters: OF_VISITS,
    format: Format::Json,
    meta: None,
    limit: Some(PerUser {
        count: 1,
        seconds: 1,
    }),
    summary: "",
};

const OVERVIEW: Shape = Shape::Total(Total {
    metrics: &[
        field("views", &COUNT_OF_VIEWS),
        field("clicks", &COUNT_OF_CLICKS),
        field("ctr", &CLICK_THROUGH),
        field("visitors", &COUNT_OF_VISITORS),
        field("bounceRate", &BOUNCE_RATE),
    ],
    echo: &[],
});

const fn by(dimension: &'static Dimension, metrics: &'static [Field]) -> Shape {
    Shape::Breakdown(Breakdown {
        echo: &[],
        list: "rows",
        dimension,
        label: "value",
        metrics,
        top: None,
    })
}

const CLICKS: &[Field] = &[field("clicks", &COUNT_OF_CLICKS)];

/// Clicks are broken down by properties of their visit.
static CLICKS_BY_COUNTRY: Report = Report {
    id: "clicks by country",
    shape: by(&COUNTRY, CLICKS),
    ..TRIAL
};

/// Reports of these tests.
pub static TRIALS: [Report; 8] = [
    CLICKS_BY_COUNTRY,
    // A part of a fact beside the whole, and a ratio of both.
    Report {
        id: "views and clicks by browser",
        shape: by(
            &BROWSER,
            &[
                field("views", &COUNT_OF_VIEWS),
                field("clicks", &COUNT_OF_CLICKS),
                field("ctr", &CLICK_THROUGH),
            ],
        ),
        ..TRIAL
    },
    Report {
        id: "clicks alone",
        shape: Shape::Total(Total {
            metrics: CLICKS,
            echo: &[Param::Days],
        }),
        ..TRIAL
    },
    Report {
        id: "clicks by day and country",
        shape: Shape::Series(Series {
            echo: &[],
            list: "daily",
            buckets: Buckets::Day,
            filled: false,
            label: "day",
            by: Some(("country", &COUNTRY)),
            metrics: CLICKS,
        }),
        ..TRIAL
    },
    Report {
        id: "overview of a workspace",
        scope: Scope::Workspace,
        ..TRIAL
    },
    Report {
        id: "clicks by country of a workspace",
        shape: by(&COUNTRY, CLICKS),
        scope: Scope::Workspace,
        ..TRIAL
    },
    // A number that cannot be summed over a dimension.
    Report {
        id: "visitors by country of a workspace",
        shape: by(
            &COUNTRY,
            &[
                field("visitors", &COUNT_OF_VISITORS),
                field("visits", &COUNT_OF_VISITS),
                field("percentage", &SHARE_OF_RETURNED_VISITS),
            ],
        ),
        scope: Scope::Workspace,
        ..TRIAL
    },
    Report {
        id: "refusals by reason of a workspace",
        shape: by(&REASON, &[field("count", &COUNT_OF_REFUSALS)]),
        scope: Scope::Workspace,
        filters: &[],
        ..TRIAL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn reports_beyond_the_catalogue_equal_a_count_of_the_raw_rows() {
    let system = System::start().await;
    let (ada, bob) = (
        system.client.creator("ada").await,
        system.client.creator("bob").await,
    );
    let links = vec![Uuid::from_u128(71), Uuid::from_u128(72)];
    let ours = site(&system, &ada, vec![ada.page, Uuid::from_u128(5)], links).await;
    let theirs = site(&system, &bob, vec![bob.page], ours.links.clone()).await;
    for (site, seed) in [(&ours, 11), (&theirs, 12)] {
        append(
            &system,
            site,
            &traffic::records(site, seed, 200, noon(), 40),
        )
        .await;
    }
    system.settle().await;

    let workspace_no = i32::try_from(ours.workspace_no.0).unwrap();
    let rows = Rows::read(&system.analytics, workspace_no, Names::new()).await;
    let mut connection = system.analytics.acquire().await.unwrap();
    for report in &TRIALS {
        for days in [1, 30, 365] {
            let ask = Ask {
                days,
                zone: "America/St_Johns",
                ..Ask::of(report, ada.page)
            };
            let question = Question {
                workspace_no,
                scope_id: (report.scope == Scope::Page).then_some(ada.page),
                within: Vec::new(),
                now: noon(),
                since: since(noon(), days),
                days: u16::try_from(days).unwrap(),
                zone: TimeZone::get(ask.zone).unwrap(),
            };
            let answer = answer_from_rows(&mut connection, report, &question).await;
            let expected = rows.expect(&ask, noon());
            assert_eq!(answer.unwrap(), expected, "{} in {days} days", report.id);
            if report.id == CLICKS_BY_COUNTRY.id {
                let clicks = clicks_by_country(&system, ada.page, days).await;
                let list = expected["rows"].as_array().unwrap().iter();
                let listed = list.map(|row| {
                    let country = row["value"].as_str().unwrap().to_owned();
                    (country, row["clicks"].as_i64().unwrap())
                });
                assert_eq!(listed.collect::<Vec<_>>(), clicks);
                assert!(days == 1 || clicks.len() > 3, "{clicks:?}");
            }
        }
    }
    drop(connection);
    system.finish().await;
}

const OF_LINKS: &[Field] = &[
    field("clicks", &COUNT_OF_COUNTED_CLICKS),
    field("visitors", &COUNT_OF_CLICKERS),
];

/// Reports about one link, and about all links of a workspace.
static LINK_TRIALS: [Report; 5] = [
    Report {
        id: "clicks of a link by country",
        shape: by(&COUNTRY, OF_LINKS),
        scope: Scope::Link,
        filters: &[&DEVICE],
        ..TRIAL
    },
    Report {
        id: "clicks and unique visitors of a link",
        shape: Shape::Total(Total {
            metrics: OF_LINKS,
            echo: &[],
        }),
        scope: Scope::Link,
        filters: &[],
        ..TRIAL
    },
    Report {
        id: "clicks of a workspace by trigger",
        shape: by(&TRIGGER, OF_LINKS),
        scope: Scope::Workspace,
        filters: &[],
        ..TRIAL
    },
    Report {
        id: "clicks and unique visitors of a campaign",
        shape: Shape::Total(Total {
            metrics: OF_LINKS,
            echo: &[],
        }),
        scope: Scope::Campaign,
        filters: &[&DEVICE],
        ..TRIAL
    },
    // Views of pages do not include clicks on short links.
    Report {
        id: "views of a workspace",
        scope: Scope::Workspace,
        ..TRIAL
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn clicks_of_a_link_by_country_and_its_unique_visitors_equal_a_count_of_the_raw_rows() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let link = Uuid::from_u128(71);
    let ours = site(
        &system,
        &ada,
        vec![ada.page],
        vec![link, Uuid::from_u128(72)],
    )
    .await;
    let mut records = traffic::records(&ours, 13, 120, noon(), 40);
    let tenant = records[0].clone();
    let day = SignedDuration::from_hours(24);
    for number in 0..200u32 {
        let visitor = u8::try_from(number % 11).unwrap();
        let event = click(
            u128::from(number) + 9_000,
            0,
            (71 + u128::from(number % 2), visitor),
        );
        let event = if number % 7 == 0 {
            by_bot(event, BotReason::Agent)
        } else {
            event
        };
        let at = noon() - day * i32::try_from(number % 40).unwrap();
        let event = Event {
            occurred_at: at,
            received_at: at,
            workspace_id: tenant.workspace_id,
            workspace_no: tenant.workspace_no,
            ..event
        };
        records.push(event);
    }
    append(&system, &ours, &records).await;
    system.settle().await;

    let workspace_no = i32::try_from(ours.workspace_no.0).unwrap();
    let rows = Rows::read(&system.analytics, workspace_no, Names::new()).await;
    let mut connection = system.analytics.acquire().await.unwrap();
    for report in &LINK_TRIALS {
        for days in [1, 30, 365] {
            let id = match report.scope {
                Scope::Campaign => Uuid::from_u128(81),
                _ => link,
            };
            let ask = Ask {
                days,
                ..Ask::of(report, id)
            };
            let is_narrow = [Scope::Link, Scope::Campaign].contains(&report.scope);
            let question = Question {
                workspace_no,
                scope_id: is_narrow.then_some(id),
                within: Vec::new(),
                now: noon(),
                since: since(noon(), days),
                days: u16::try_from(days).unwrap(),
                zone: TimeZone::UTC,
            };
            let answer = answer_from_rows(&mut connection, report, &question).await;
            let expected = rows.expect(&ask, noon());
            assert_eq!(answer.unwrap(), expected, "{} in {days} days", report.id);
        }
    }
    // By hand, without the vocabulary: clicks by short URL and on the page's link together.
    let by_hand: (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT visitor_hash) FROM hits
        WHERE link_id = $1 AND bot_reason IS NULL AND NOT is_duplicate",
    )
    .bind(link)
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    let total = rows.expect(
        &Ask {
            days: 365,
            ..Ask::of(&LINK_TRIALS[1], link)
        },
        noon(),
    );
    assert_eq!(
        (total["clicks"].as_i64(), total["visitors"].as_i64()),
        (Some(by_hand.0), Some(by_hand.1))
    );
    let triggers = rows.expect(
        &Ask {
            days: 365,
            ..Ask::of(&LINK_TRIALS[2], link)
        },
        noon(),
    );
    assert_eq!(triggers["rows"].as_array().unwrap().len(), 2, "{triggers}");
    drop(connection);
    system.finish().await;
}

/// Otherwise a filter of clicks would leave out a dimension, or look a click up for each conversion.
#[tokio::test(flavor = "multi_thread")]
async fn clicks_and_conversions_have_every_dimension_of_visits_that_is_in_their_tables() {
    let databases = postgres::databases().await;
    let analytics = PgPool::connect(&databases.analytics).await.unwrap();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'",
    )
    .fetch_all(&analytics)
    .await
    .unwrap();
    let is_in = |table: &str, name: &str| {
        let mut columns = columns.iter();
        columns.any(|(of, column)| (of.as_str(), column.as_str()) == (table, name))
    };
    for dimension in OF_VISITS {
        let Some(Reach::Own(column)) = dimension.on(&VISITS) else {
            panic!("visits have no {}", dimension.id);
        };
        assert!(is_in(VISITS.table, column), "{}", dimension.id);
        for fact in [&RECORDED_CLICKS, &CONVERSIONS] {
            let is_named = dimension.columns.contains(&(fact, column));
            let what = format!("{} of {}", dimension.id, fact.id);
            assert_eq!(is_named, is_in(fact.table, column), "{what}");
        }
    }
}

/// The same numbers, computed by hand without the vocabulary.
async fn clicks_by_country(system: &System, page: Uuid, days: i64) -> Vec<(String, i64)> {
    let rows = sqlx::query(
        "SELECT coalesce(sessions.country, 'Unknown') COLLATE \"C\" AS value, count(*) AS clicks
        FROM hits
        JOIN sessions USING (workspace_no, session_id)
        WHERE hits.link_id IS NOT NULL AND hits.page_id = $1 AND hits.occurred_at >= $2
        GROUP BY 1
        ORDER BY clicks DESC, value",
    )
    .bind(page)
    .bind(since(noon(), days).to_sqlx())
    .fetch_all(&system.analytics)
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}
