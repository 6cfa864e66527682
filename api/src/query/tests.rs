//! Statements and answers of reports, as far as they need no database.

use super::*;
use crate::{
    catalog::{Notation, Param, REPORTS, Report, Surface},
    number::Number,
    sources::{Answer, Row, Values, Window},
};
use compose::{compare, compose};
use jiff::{Timestamp, civil::Weekday};
use names::Names;
use object::{Node, Object};
use schemas::analytics::{Bucket, measures};
use serde_json::{Value, json};
use std::fmt::Write;
use uuid::Uuid;

const NOTATION: Notation = Surface::Creator.notation();

fn report(id: &str) -> &'static Report {
    REPORTS.iter().find(|report| report.id == id).unwrap()
}

fn asked(days: u16) -> Asked {
    let window = Window::since(Timestamp::UNIX_EPOCH);
    Asked::plain(Timestamp::UNIX_EPOCH, window, days)
}

fn answer(totals: Values, rows: Vec<Row>) -> Answer {
    Answer {
        totals,
        rows,
        ..Answer::default()
    }
}

fn composed(id: &str, answer: &Answer, names: &Names) -> Value {
    let object = compose(&report(id).shape, NOTATION, &asked(30), answer, names);
    serde_json::to_value(object).unwrap()
}

fn statements() -> Vec<(String, String)> {
    let mut all = report_statements(REPORTS);
    all.extend(tally_statements());
    all
}

#[test]
fn every_report_has_a_statement_that_begins_with_its_tenant() {
    for (id, text) in statements() {
        assert!(
            !text.contains("$0") && text.contains("workspace_no = $"),
            "{id}: {text}"
        );
        for part in text.replace("FILTER (WHERE ", "").split("WHERE ").skip(1) {
            assert!(part.starts_with("workspace_no = $"), "{id}: {text}");
        }
        let windows = text.matches(" >= $").count();
        assert_eq!(windows, text.matches("\nWHERE ").count(), "{id}: {text}");
    }
}

#[test]
fn the_statements_are_the_checked_in_ones() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/statements.sql");
    let mut text =
        "-- What every report asks, written by UPDATE_SNAPSHOTS=1 cargo test --workspace --lib statements\n".to_owned();
    for (name, statement) in statements() {
        // Statements with all filters are long and similar, so one report's is enough to read.
        if !name.ends_with(" filtered") || name.contains("overview") {
            writeln!(text, "\n-- {name}\n{statement};").unwrap();
        }
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        checked_in == text,
        "{file} is not up to date; run UPDATE_SNAPSHOTS=1 cargo test --workspace --lib statements and read the difference"
    );
}

#[test]
fn the_statement_of_traffic_is_the_one_of_the_contract() {
    let (_, text) = report_statements(REPORTS)
        .into_iter()
        .find(|(id, _)| id == "creators.analytics.traffic")
        .unwrap();
    let expected = "\
SELECT 0 AS slot, coalesce(referrer_domain, $1) COLLATE \"C\" AS label, count(*)::float8 AS sessions
FROM sessions
WHERE workspace_no = $2
  AND page_id = $3
  AND started_at >= $4
GROUP BY 1, 2
ORDER BY sessions DESC, label ASC
LIMIT $5";
    assert_eq!(text, expected);
}

#[test]
fn the_overview_is_the_published_one() {
    let totals: Values = [
        (&measures::VIEWS, 4200.0),
        (&measures::CLICKS, 320.0),
        (&measures::UNIQUE_VISITORS, 1800.0),
    ]
    .into_iter()
    .collect();
    let object = compose(
        &report("creators.analytics.overview").shape,
        NOTATION,
        &asked(30),
        &answer(totals, Vec::new()),
        &Names::new(),
    );
    // Compared as text, because the order of members and the digits of numbers count.
    assert_eq!(
        serde_json::to_string(&object).unwrap(),
        r#"{"totalViews":4200,"uniqueVisitors":1800,"totalClicks":320,"ctr":7.62,"days":30}"#
    );
}

#[test]
fn percentages_refer_to_the_returned_rows_and_no_rows_give_an_empty_list() {
    let row = |label: &str, visits: f64| Row {
        label: label.to_owned(),
        values: [(&measures::VISIT_COUNT, visits)].into_iter().collect(),
        ..Row::default()
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
    let row = |id: Uuid, clicks: f64| Row {
        label: id.to_string(),
        values: [(&measures::CLICKS, clicks)].into_iter().collect(),
        ..Row::default()
    };
    let totals: Values = [(&measures::VIEWS, 2500.0)].into_iter().collect();
    let name = ("My Portfolio".to_owned(), "https://example.com".to_owned());
    let names = Names::from([(known, Some(name)), (gone, None)]);
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
fn a_filter_is_a_condition_on_the_visit_of_every_row() {
    let all = report_statements(REPORTS);
    let text = |name: &str| &all.iter().find(|(id, _)| id == name).unwrap().1;
    let overview = text("creators.analytics.overview filtered");
    assert!(overview.contains(
        "AND session_id IN (\n    SELECT session_id\n    FROM sessions\n    WHERE workspace_no = $"
    ));
    let country = "(coalesce(country, $";
    // Once for visits and once for views, each for `is` and `is_not`.
    assert_eq!(overview.matches(country).count(), 4, "{overview}");
    assert_eq!(overview.matches("OR coalesce(country_code, $").count(), 4);
    assert!(!text("creators.analytics.overview").contains("coalesce(country"));
}

#[test]
fn parameters_and_buckets_are_written_as_the_surface_writes_them() {
    let other = Notation {
        param: |param| match param {
            Param::Days => "window",
            _ => "other",
        },
        bucket: |bucket| format!("{bucket:?}"),
        max_days: 7,
        ..NOTATION
    };
    let overview = &report("creators.analytics.overview").shape;
    let empty = Answer::default();
    let data = compose(overview, other, &asked(7), &empty, &Names::new());
    let data = serde_json::to_value(data).unwrap();
    assert_eq!((&data["window"], &data["days"]), (&json!(7), &Value::Null));
    assert_eq!(
        csv::columns(overview, other).last(),
        Some(&"window"),
        "a file has the same names"
    );
    let trend = &report("creators.analytics.trend").shape;
    let bucket = Bucket::HourOfWeek(Weekday::Monday, 9);
    let row = Row {
        bucket: Some(bucket),
        ..Row::default()
    };
    let rows = answer(Values::default(), vec![row]);
    let data = compose(trend, other, &asked(7), &rows, &Names::new());
    let text = serde_json::to_string(&data).unwrap();
    assert!(text.contains(&format!("{bucket:?}")), "{text}");
}

#[test]
fn a_comparison_has_the_previous_window_and_the_change_in_percent() {
    let totals = |visits: f64, bounces: f64, views: f64| {
        let totals: Values = [
            (&measures::VISIT_COUNT, visits),
            (&measures::BOUNCES, bounces),
            (&measures::VIEWS_OF_VISITS, views),
        ]
        .into_iter()
        .collect();
        answer(totals, Vec::new())
    };
    let shape = &report("creators.analytics.sessions").shape;
    let now = totals(1800.0, 756.0, 3240.0);
    let mut object = compose(shape, NOTATION, &asked(30), &now, &Names::new());
    compare(
        &mut object,
        shape,
        NOTATION,
        &now,
        &totals(1500.0, 0.0, 1500.0),
    );
    assert_eq!(
        serde_json::to_string(&object).unwrap(),
        r#"{"totalSessions":1800,"bounceRate":42,"avgDuration":0,"pagesPerSession":1.8,"previous":{"totalSessions":1500,"bounceRate":0,"avgDuration":0,"pagesPerSession":1},"change":{"totalSessions":20,"bounceRate":null,"avgDuration":null,"pagesPerSession":80}}"#
    );
}

#[test]
fn a_csv_file_has_a_line_of_column_names_and_no_formulas() {
    let row = |label: &str, visits: f64| Row {
        label: label.to_owned(),
        values: [(&measures::VISIT_COUNT, visits)].into_iter().collect(),
        ..Row::default()
    };
    let hostile = [
        "=1+1",
        "+1",
        "-1",
        "@a",
        "\tx",
        "\rx",
        "a,b",
        "say \"x\"",
        "line\nbreak",
        "plain",
    ];
    let rows = hostile.iter().map(|label| row(label, 1.0)).collect();
    let shape = &report("creators.analytics.traffic").shape;
    let data = compose(
        shape,
        NOTATION,
        &asked(30),
        &answer(Values::default(), rows),
        &Names::new(),
    );
    assert_eq!(
        csv::write(shape, NOTATION, &data).unwrap(),
        "source,visits,percentage\n'=1+1,1,10\n'+1,1,10\n'-1,1,10\n'@a,1,10\n'\tx,1,10\n\"'\rx\",1,10\n\"a,b\",1,10\n\"say \"\"x\"\"\",1,10\n\"line\nbreak\",1,10\nplain,1,10\n"
    );
    let shape = &report("creators.analytics.links").shape;
    let data = compose(
        shape,
        NOTATION,
        &asked(30),
        &Answer::default(),
        &Names::new(),
    );
    assert_eq!(
        csv::write(shape, NOTATION, &data).unwrap(),
        "id,title,url,clicks,ctr\n"
    );
    let shape = &report("creators.analytics.overview").shape;
    let data = compose(
        shape,
        NOTATION,
        &asked(7),
        &Answer::default(),
        &Names::new(),
    );
    assert_eq!(
        csv::write(shape, NOTATION, &data).unwrap(),
        "totalViews,uniqueVisitors,totalClicks,ctr,days\n0,0,0,0,7\n"
    );
}
