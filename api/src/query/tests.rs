//! Statements and answers of reports, as far as they need no database.

use super::*;
use crate::{
    catalog::{Report, metrics},
    number::Number,
};
use compose::compose;
use names::Names;
use object::Node;
use serde_json::{Value, json};
use source::{Answer, Values};

fn report(id: &str) -> &'static Report {
    REPORTS.iter().find(|report| report.id == id).unwrap()
}

fn asked(days: u16) -> Asked {
    Asked {
        since: Timestamp::UNIX_EPOCH,
        days,
        page_id: None,
    }
}

fn answer(totals: Values, rows: Vec<(String, Values)>) -> Answer {
    Answer { totals, rows }
}

fn composed(id: &str, answer: &Answer, names: &Names) -> Value {
    let object = compose(report(id), &asked(30), answer, names);
    serde_json::to_value(object).unwrap()
}

#[test]
fn every_report_has_a_statement_that_begins_with_its_tenant() {
    for (id, text) in report_statements() {
        assert!(
            !text.contains("$0") && text.contains("workspace_no = $"),
            "{id}: {text}"
        );
        for part in text.split("\nWHERE ").skip(1) {
            assert!(part.starts_with("workspace_no = $"), "{id}: {text}");
        }
        let windows = text.matches(" >= $").count();
        assert_eq!(windows, text.matches("\nWHERE ").count(), "{id}: {text}");
    }
}

#[test]
fn the_statement_of_traffic_is_the_one_of_the_contract() {
    let (_, text) = report_statements()
        .into_iter()
        .find(|(id, _)| *id == "creators.analytics.traffic")
        .unwrap();
    let expected = "\
SELECT coalesce(referrer_domain, $1) COLLATE \"C\" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1
ORDER BY sessions DESC, label ASC
LIMIT $5";
    assert_eq!(text, expected);
}

#[test]
fn the_overview_is_the_published_one() {
    let totals: Values = [
        (&metrics::VIEWS, 4200.0),
        (&metrics::CLICKS, 320.0),
        (&metrics::UNIQUE_VISITORS, 1800.0),
    ]
    .into_iter()
    .collect();
    let object = compose(
        report("creators.analytics.overview"),
        &asked(30),
        &answer(totals, Vec::new()),
        &Names::new(),
    );
    // Text, so that the order of members and the digits of numbers count.
    assert_eq!(
        serde_json::to_string(&object).unwrap(),
        r#"{"totalViews":4200,"uniqueVisitors":1800,"totalClicks":320,"ctr":7.62,"days":30}"#
    );
}

#[test]
fn percentages_are_of_the_returned_rows_and_none_is_an_empty_list() {
    let row = |label: &str, visits: f64| {
        let values: Values = [(&metrics::VISITS, visits)].into_iter().collect();
        (label.to_owned(), values)
    };
    let rows = vec![row("a.example", 2.0), row("direct", 1.0)];
    let traffic = composed(
        "creators.analytics.traffic",
        &answer(Values::default(), rows),
        &Names::new(),
    );
    assert_eq!(
        traffic,
        json!({"sources": [
            {"source": "a.example", "visits": 2, "percentage": 67},
            {"source": "direct", "visits": 1, "percentage": 33},
        ]})
    );
    let none = composed(
        "creators.analytics.traffic",
        &Answer::default(),
        &Names::new(),
    );
    assert_eq!(none, json!({"sources": []}));
}

#[test]
fn links_without_a_name_keep_their_row() {
    let (known, gone) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let row = |id: Uuid, clicks: f64| {
        let values: Values = [(&metrics::CLICKS, clicks)].into_iter().collect();
        (id.to_string(), values)
    };
    let totals: Values = [(&metrics::VIEWS, 2500.0)].into_iter().collect();
    let names = Names::from([(
        known,
        ("My Portfolio".to_owned(), "https://example.com".to_owned()),
    )]);
    let rows = vec![row(known, 120.0), row(gone, 6.0)];
    let links = composed("creators.analytics.links", &answer(totals, rows), &names);
    assert_eq!(
        links,
        json!({"links": [
            {"id": known, "title": "My Portfolio", "url": "https://example.com", "clicks": 120, "ctr": 4.8},
            {"id": gone, "title": "Unknown", "url": "", "clicks": 6, "ctr": 0.24},
        ], "totalViews": 2500})
    );
    let none = composed("creators.analytics.links", &Answer::default(), &names);
    assert_eq!(none, json!({"links": [], "totalViews": 0}));
}

#[test]
fn members_keep_their_order() {
    let mut object = Object::default();
    object.add("z", Node::Number(Number(1.0)));
    object.add("a", Node::Text("x".to_owned()));
    object.add("m", Node::List(vec![Object::default()]));
    assert_eq!(
        serde_json::to_string(&object).unwrap(),
        r#"{"z":1,"a":"x","m":[{}]}"#
    );
}

#[test]
fn another_breakdown_and_another_total_are_rows_and_nothing_else() {
    use crate::catalog::{
        Breakdown, Dimension, Field, Measure, Metric, Over, Ratio, Rounding, Shape, Total,
        facts::SESSIONS,
    };
    static COUNTRY: Dimension = Dimension {
        id: "country",
        fact: &SESSIONS,
        sql: "country",
        present: "country IS NOT NULL",
    };
    static VISITS: Metric = Metric::Plain(&metrics::VISITS);
    static BOUNCED: Measure = Measure {
        id: "bounced_sessions",
        fact: &SESSIONS,
        sql: "(count(*) FILTER (WHERE bounced))::float8",
    };
    static BOUNCE_RATE: Metric = Metric::Ratio(Ratio {
        numerator: &BOUNCED,
        denominator: &metrics::VISITS,
        over: Over::Scope,
        rounding: Rounding::WHOLE_PERCENT,
    });
    static GEO: Shape = Shape::Breakdown(Breakdown {
        list: "locations",
        dimension: &COUNTRY,
        label: "country",
        null_label: "Unknown",
        metrics: &[
            Field {
                name: "visits",
                metric: &VISITS,
            },
            Field {
                name: "percentage",
                metric: &metrics::SHARE_OF_RETURNED_VISITS,
            },
        ],
        top: Some(20),
    });
    static SESSIONS_TOTAL: Shape = Shape::Total(Total {
        metrics: &[
            Field {
                name: "totalSessions",
                metric: &VISITS,
            },
            Field {
                name: "bounceRate",
                metric: &BOUNCE_RATE,
            },
        ],
        echo: &[],
    });
    let traffic = report("creators.analytics.traffic");
    let text = |shape| {
        let report = Report { shape, ..*traffic };
        let filter = Filter {
            workspace_no: 1,
            scope: report.scope,
            scope_id: Uuid::nil(),
            since: Timestamp::UNIX_EPOCH,
        };
        statement::write(&Plan::new(&report, filter)).into_text()
    };
    let geo = text(GEO);
    assert!(
        geo.starts_with("SELECT coalesce(country, $1)") && geo.ends_with("LIMIT $5"),
        "{geo}"
    );
    let sessions = text(SESSIONS_TOTAL);
    let measures = "count(*)::float8 AS sessions, (count(*) FILTER (WHERE bounced))::float8 AS bounced_sessions";
    assert!(sessions.contains(measures), "{sessions}");
}
