//! Every report of the catalogue, on random traffic, equals plain loops over the raw rows.

use api::catalog::{Format, Param, REPORTS, Report, Shape, Surface};
use jiff::Timestamp;
use kit::{
    Creator, System,
    ask::{Ask, Filters},
    noon,
    raw::Rows,
    traffic::{self, Site},
};
use runtime::{Producer, producer::Record};
use schemas::{Event, WorkspaceId, WorkspaceNo, topics::EVENTS};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Zones with offsets of :00, :30 and :45, with summer time in both hemispheres, once of half an
/// hour.
const ZONES: [&str; 7] = [
    "UTC",
    "Europe/Istanbul",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "America/New_York",
    "Pacific/Chatham",
];

/// Puts events into the log.
pub async fn append(system: &System, site: &Site, events: &[Event]) {
    let producer = Producer::new(&system.log.kafka()).unwrap();
    let key = site.workspace_id.to_string();
    for events in events.chunks(500) {
        let payloads: Vec<Vec<u8>> = events.iter().map(|e| e.to_bytes().unwrap()).collect();
        let records: Vec<Record<'_>> = payloads
            .iter()
            .map(|payload| Record {
                topic: EVENTS,
                key: &key,
                payload,
                headers: &[],
            })
            .collect();
        for outcome in producer.send(&records).await {
            outcome.unwrap();
        }
    }
}

/// The tenant of a creator, with pages and links for its traffic.
pub async fn site(system: &System, creator: &Creator, pages: Vec<Uuid>, links: Vec<Uuid>) -> Site {
    let no: i32 = sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
        .bind(creator.workspace_id)
        .fetch_one(&system.main)
        .await
        .unwrap();
    Site {
        workspace_id: WorkspaceId(creator.workspace_id),
        workspace_no: WorkspaceNo(no.unsigned_abs()),
        pages,
        links,
    }
}

/// Filters of visits.
fn filters() -> Vec<Filters> {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    vec![
        vec![("country", texts(&["TR"]))],
        vec![("country", texts(&["nepal", "de", ""]))],
        vec![("device", texts(&["Mobile", "tablet"]))],
        vec![("source_class", texts(&["-SOCIAL"]))],
        vec![("referrer", texts(&["-instagram.com"]))],
        vec![
            ("country", texts(&["-Germany", "-Unknown"])),
            ("utm_source", texts(&["alpha", ""])),
        ],
        vec![("utm_source", texts(&["none"]))],
        vec![("utm_campaign", texts(&["-"]))],
        vec![("city", texts(&[r"gamma\, delta", r"ü\\n", r"\-minus"]))],
        vec![("city", texts(&["--minus", "-"]))],
        vec![("browser", texts(&["no such browser"]))],
    ]
}

/// Every question that the test asks about a page.
fn questions(page: Uuid) -> Vec<Ask> {
    let mut all = Vec::new();
    // Reports of links have other windows, and a test of their own.
    let of_pages = |report: &&Report| report.surface == Surface::Creator;
    for report in REPORTS.iter().filter(of_pages) {
        for (choice, shape) in report.shape.all() {
            let plain = Ask {
                choice,
                ..Ask::of(report, page)
            };
            let mut zones = vec!["UTC"];
            if matches!(shape, Shape::Series(_)) && report.params.contains(&Param::Timezone) {
                zones = ZONES.to_vec();
            }
            for zone in zones {
                for days in [1, 30, 365] {
                    all.push(Ask {
                        days,
                        zone,
                        ..plain.clone()
                    });
                }
            }
            if report.params.contains(&Param::Compare) {
                for days in [1, 7, 100] {
                    all.push(Ask {
                        days,
                        compare: true,
                        zone: "UTC",
                        ..plain.clone()
                    });
                }
            }
            if report.filters.is_empty() {
                continue;
            }
            for filters in filters() {
                all.push(Ask {
                    filters,
                    days: 200,
                    compare: report.params.contains(&Param::Compare),
                    ..plain.clone()
                });
            }
        }
    }
    all
}

async fn answer(system: &System, creator: &Creator, ask: &Ask) -> Value {
    let url = ask.url();
    let answer = system.client.get_as(&creator.token, &url).await;
    assert_eq!(answer.status, 200, "{url}: {}", answer.text);
    match ask.report.format {
        Format::Json => answer.data(),
        Format::Csv => json!(answer.text),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_equals_plain_loops_over_the_raw_rows() {
    let system = System::start().await;
    let client = &system.client;
    let (ada, bob) = (client.creator("ada").await, client.creator("bob").await);
    let second = client
        .post_as(
            &ada.token,
            &format!("/api/v1/creators/{}/bio", ada.id),
            &json!({"slug": "second"}),
        )
        .await
        .id();
    let shop = client
        .link(&ada, "Shop, \"the\" one", "https://shop.example")
        .await;
    let evil = client.link(&ada, "a;=1+1", "https://evil.example").await;
    let gone = client.link(&ada, "Gone", "https://gone.example").await;
    let foreign = client
        .link(&bob, "Foreign", "https://foreign.example")
        .await;
    let links = vec![shop, evil, gone, foreign, Uuid::from_u128(77)];
    let path = format!("/api/v1/creators/links/{gone}");
    client.delete_as(&ada.token, &path).await.assert_ok();

    let ours = site(&system, &ada, vec![ada.page, second], links.clone()).await;
    let theirs = site(&system, &bob, vec![bob.page], links).await;
    let now: Timestamp = noon();
    // Half of the visits are in the last month, the rest over a year with all its clock changes.
    let mut events = traffic::records(&ours, 1, 700, now, 31);
    events.extend(traffic::records(&ours, 2, 700, now, 400));
    append(&system, &ours, &events).await;
    append(
        &system,
        &theirs,
        &traffic::records(&theirs, 3, 100, now, 40),
    )
    .await;
    system.settle().await;

    let link = |title: &str, url: &str| Some((title.to_owned(), url.to_owned()));
    let names = HashMap::from([
        (shop, link("Shop, \"the\" one", "https://shop.example")),
        (evil, link("a;=1+1", "https://evil.example")),
        (gone, None),
    ]);
    let mut asked = 0;
    let no = i32::try_from(ours.workspace_no.0).unwrap();
    let rows = Rows::read(&system.analytics, no, names).await;
    for page in [ada.page, second] {
        let plain = questions(page).into_iter();
        let plain = plain.filter(|ask| (ask.days, ask.zone, ask.compare) == (365, "UTC", false));
        let others = plain.flat_map(|ask| rows.with_other_filters(&ask, &filters()));
        for ask in questions(page).into_iter().chain(others) {
            let expected = rows.expect(&ask, now);
            assert_eq!(answer(&system, &ada, &ask).await, expected, "{}", ask.url());
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
    // The traffic is large enough for the comparison to mean something.
    let overview = client
        .report(&ada, "overview?days=365&compare=previous")
        .await;
    assert!(overview["totalViews"].as_i64() > Some(500), "{overview}");
    assert!(overview["change"]["ctr"].is_number(), "{overview}");
    let stand_ins = [
        (ada.page, "<page>"),
        (shop, "<shop>"),
        (evil, "<evil>"),
        (gone, "<gone>"),
    ];
    assert_snapshots(&system, &ada, &stand_ins).await;
    system.finish().await;
}

/// Compares the answers for a month with the checked-in ones, so that a review shows what a change
/// does to them.
async fn assert_snapshots(system: &System, creator: &Creator, stand_ins: &[(Uuid, &str)]) {
    let mut answers = BTreeMap::new();
    for ask in questions(creator.page) {
        if ask.days == 30 && ask.zone == "UTC" {
            let url = ask.url();
            let (_, name) = url.rsplit_once('/').unwrap();
            answers.insert(name.to_owned(), answer(system, creator, &ask).await);
        }
    }
    let mut text = serde_json::to_string_pretty(&answers).unwrap();
    for (id, name) in stand_ins {
        text = text.replace(&id.to_string(), name);
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("answers", text));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_parameters_and_values_are_refused() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let get = async |query: &str| {
        let path = format!("/api/v1/creators/analytics/{query}");
        system.client.get_as(&creator.token, &path).await
    };
    for query in [
        "overview?colour=red",
        "overview?timezone=UTC",
        "traffic?compare=previous",
        "overview?compare=next",
        "trend?timezone=Mars/Olympus",
        "trend?timezone=",
        "trend?timezone=localtime",
        "trend?timezone=posixrules",
        "trend?timezone=Factory",
        "trend?timezone=UTC0",
        "trend?timezone=/etc/localtime",
        "refusals?timezone=../zoneinfo/UTC",
        "breakdown?dimension=hour_of_week&timezone=localtime",
        "breakdown",
        "breakdown?dimension=colour",
        "refusals?country=TR",
        "geo?country=Atlantis",
        "geo?country=TR,-XX",
        "devices?device=watch",
        "traffic?source_class=tv",
        "geo?city=%00",
        "geo?bioPageId=x",
    ] {
        let answer = get(query).await;
        assert_eq!(answer.error().0, 400, "{query}: {}", answer.text);
        assert_eq!(answer.error().1, "VALIDATION_ERROR", "{query}");
        let details = answer.json()["error"]["details"].clone();
        assert!(details[0]["message"].is_string(), "{query}: {details}");
    }
    // As in the published API, `limit` changes nothing and is not an error.
    for query in ["traffic?limit=100", "export?type=links&limit=3"] {
        assert_eq!(get(query).await.status, 200, "{query}");
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_file_even_if_its_type_is_invalid() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let error = "error\nInvalid export type. Use: overview, traffic, or links.\n";
    for (query, text, name) in [
        (
            "?type=overview&days=7",
            "totalViews,uniqueVisitors,totalClicks,ctr,days\n0,0,0,0,7\n",
            "overview",
        ),
        ("?type=traffic", "source,visits,percentage\n", "traffic"),
        ("?type=links", "id,title,url,clicks,ctr\n", "links"),
        ("?type=geo", error, "geo"),
        ("", error, "unknown"),
        ("?type=a%0d%0ab", error, "unknown"),
    ] {
        let path = format!("/api/v1/creators/analytics/export{query}");
        let answer = system.client.get_as(&creator.token, &path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, text),
            "{query}"
        );
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(
            header("content-disposition"),
            format!("attachment; filename=biore-analytics-{name}-2027-03-05.csv")
        );
    }
    let answer = system
        .client
        .get("/api/v1/creators/analytics/export?type=links")
        .await;
    assert_eq!(answer.error().0, 401);
    let nobody = system.client.token("nobody");
    let path = "/api/v1/creators/analytics/export?type=geo";
    let answer = system.client.get_as(&nobody, path).await;
    assert_eq!(answer.error().0, 404);
    system.finish().await;
}
