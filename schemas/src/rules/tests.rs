//! What a rule says yes to, and what is wrong with a rule, in examples.

use super::*;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{borrow::Cow, collections::HashMap};

/// Facts as a plain table.
struct Table(HashMap<Field, String>, f64);

impl Facts for Table {
    fn text(&self, field: &Field) -> Option<Cow<'_, str>> {
        self.0.get(field).map(|text| text.as_str().into())
    }

    fn now(&self) -> Timestamp {
        "2026-11-27T22:00:00Z".parse().unwrap()
    }

    fn bucket(&self) -> Option<f64> {
        Some(self.1)
    }
}

fn is(field: &str, operator: &str, value: Value) -> Test {
    Test::Is {
        field: field.to_owned(),
        operator: operator.to_owned(),
        value,
    }
}

fn passes(test: &Test, facts: &[(&str, &str)]) -> bool {
    let facts = facts.iter().map(|(name, value)| {
        let field = Field::named(name).unwrap();
        (field, (*value).to_owned())
    });
    let table = Table(facts.collect(), 25.0);
    read(test).unwrap().passes(&table)
}

fn complaint(test: &Test) -> String {
    let problems = read(test).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn texts_are_compared_without_case() {
    let ada = [
        ("city", "Łódź"),
        ("referrer", "https://T.co/AbC"),
        ("query.ref", "12.5"),
    ];
    for (field, operator, value, expected) in [
        ("city", "equals", json!("łódź"), true),
        ("city", "not_equals", json!("łódź"), false),
        ("city", "in", json!(["Berlin", "ŁÓDŹ"]), true),
        ("city", "not_in", json!(["Berlin"]), true),
        ("referrer", "contains", json!("abc"), true),
        ("referrer", "not_contains", json!("abc"), false),
        ("referrer", "starts_with", json!("HTTPS://t.co"), true),
        ("referrer", "ends_with", json!("/abc"), true),
        (
            "referrer",
            "matches",
            json!("^https://t\\.co/[a-c]+$"),
            true,
        ),
        ("referrer", "exists", Value::Null, true),
        ("referrerDomain", "exists", json!(false), true),
        ("query.ref", "gt", json!(12), true),
        ("query.ref", "between", json!([12.5, 13]), true),
        ("query.ref", "lt", json!(12.5), false),
        ("city", "gt", json!(1), false),
    ] {
        let test = is(field, operator, value.clone());
        assert_eq!(passes(&test, &ada), expected, "{field} {operator} {value}");
    }
}

#[test]
fn an_unknown_value_meets_no_condition_and_no_negated_one() {
    for (field, operator, value) in [
        ("country", "equals", json!("DE")),
        ("country", "not_equals", json!("DE")),
        ("country", "not_in", json!(["DE"])),
        ("city", "not_contains", json!("x")),
        ("language", "not_equals", json!("de")),
        ("osVersion", "not_equals", json!("17")),
    ] {
        assert!(
            !passes(&is(field, operator, value), &[]),
            "{field} {operator}"
        );
    }
    let no_language = [("language", "*")];
    assert!(!passes(
        &is("language", "not_equals", json!("de")),
        &no_language
    ));
}

#[test]
fn a_browser_has_its_usual_name_and_that_of_its_variant() {
    let phone = [
        ("browser", "Chrome Mobile iOS"),
        ("os", "Mac OS X"),
        ("osVersion", "17.10"),
    ];
    for (field, operator, value, expected) in [
        ("browser", "equals", json!("Chrome"), true),
        ("browser", "equals", json!("Chrome Mobile iOS"), true),
        ("browser", "equals", json!("Safari"), false),
        ("browser", "not_in", json!(["chrome"]), false),
        ("os", "equals", json!("macOS"), true),
        ("osVersion", "gte", json!("17.4"), true),
        ("osVersion", "equals", json!("17.10.0"), true),
        ("osVersion", "lt", json!(18), true),
    ] {
        let test = is(field, operator, value.clone());
        assert_eq!(
            passes(&test, &phone),
            expected,
            "{field} {operator} {value}"
        );
    }
}

#[test]
fn bands_of_visitors_do_not_overlap() {
    // The visitor's place is 25.
    for (operator, value, expected) in [
        ("lt", json!(25), false),
        ("gte", json!(25), true),
        ("between", json!([0, 25]), false),
        ("between", json!([25, 50]), true),
    ] {
        assert_eq!(
            passes(&is("percentage", operator, value.clone()), &[]),
            expected,
            "{value}"
        );
    }
}

#[test]
fn groups_combine_conditions() {
    let german = || is("country", "equals", json!("de"));
    let phone = || is("deviceType", "equals", json!("Mobile"));
    let facts = [("country", "DE"), ("deviceType", "desktop")];
    assert!(!passes(&Test::All(vec![german(), phone()]), &facts));
    assert!(passes(&Test::Any(vec![german(), phone()]), &facts));
    assert!(passes(&Test::All(vec![]), &facts));
    assert!(!passes(&Test::Any(vec![]), &facts));
    let nested = Test::All(vec![Test::Any(vec![phone(), german()]), german()]);
    assert!(passes(&nested, &facts));
    assert!(read(&nested).unwrap().asks_for(&Field::Country));
    assert!(!read(&nested).unwrap().asks_for(&Field::City));
}

#[test]
fn every_problem_is_named_with_its_place() {
    let test = Test::All(vec![
        is("country", "equals", json!("UK")),
        Test::Any(vec![
            is("shoe", "equals", json!(1)),
            is("country", "gt", json!("DE")),
        ]),
    ]);
    let said = complaint(&test);
    assert!(
        said.contains("conditions[0].value: `UK` is not a country code; write `GB`"),
        "{said}"
    );
    assert!(
        said.contains("conditions[1][0].field: unknown field `shoe`"),
        "{said}"
    );
    assert!(
        said.contains("conditions[1][1].operator: operator `gt` does not suit"),
        "{said}"
    );
}

#[test]
fn values_that_can_never_match_are_refused() {
    for (field, operator, value) in [
        ("country", "equals", json!("XX")),
        ("country", "in", json!("DE")),
        ("country", "in", json!([])),
        ("country", "in", json!(vec!["DE"; MAX_VALUES + 1])),
        ("continent", "equals", json!("Europe")),
        ("deviceType", "equals", json!("phone")),
        ("language", "equals", json!("english")),
        ("percentage", "lt", json!(101)),
        ("percentage", "lt", json!(-1)),
        ("percentage", "between", json!([50, 50])),
        ("percentage", "between", json!([50, 20])),
        ("percentage", "between", json!([0])),
        ("percentage", "equals", json!(5)),
        ("time", "between", json!({"start": "08:00", "end": "08:00"})),
        ("date", "gte", json!("tomorrow")),
        ("osVersion", "gte", json!(17.1)),
        ("osVersion", "gte", json!("XP")),
        ("latitude", "gt", json!(91)),
        ("referrer", "matches", json!("(")),
        ("referrer", "matches", json!("(?=a)b")),
        ("referrer", "matches", json!("(\\w{100}){100}")),
        ("referrer", "equals", json!("")),
        ("referrer", "equals", json!("x".repeat(MAX_VALUE_BYTES + 1))),
        ("referrer", "exists", json!("yes")),
        ("query.", "exists", Value::Null),
        ("country", "like", json!("DE")),
    ] {
        let test = is(field, operator, value.clone());
        assert!(read(&test).is_err(), "{field} {operator} {value}");
    }
}

#[test]
fn size_depth_and_patterns_are_bounded() {
    let one = || is("referrer", "contains", json!("a"));
    let many = |count| Test::Any((0..count).map(|_| one()).collect());
    assert!(read(&many(MAX_CONDITIONS)).is_ok());
    let two_groups = Test::All(vec![many(30), many(30)]);
    assert_eq!(read(&two_groups).unwrap_err().len(), 1);
    assert_eq!(read(&many(1_000)).unwrap_err().len(), 1);
    let nested = |depth| (0..depth).fold(one(), |inner, _| Test::All(vec![inner]));
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    assert!(complaint(&nested(MAX_DEPTH + 1)).contains("deep"));
    let pattern = || is("referrer", "matches", json!("a+"));
    let patterns = |count| Test::All((0..count).map(|_| pattern()).collect());
    assert!(read(&patterns(MAX_PATTERNS)).is_ok());
    assert!(read(&patterns(MAX_PATTERNS + 1)).is_err());
}

#[test]
fn a_pattern_takes_linear_time() {
    let evil = is("referrer", "matches", json!("(a+)+$"));
    let referrer = format!("{}!", "a".repeat(8_000));
    assert!(!passes(&evil, &[("referrer", &referrer)]));
}

#[test]
fn conditions_without_a_source_are_accepted_with_a_warning() {
    let test = Test::All(vec![
        is("isp", "contains", json!("Telekom")),
        is("city", "equals", json!("Berlin")),
        is("country", "equals", json!("DE")),
    ]);
    assert!(read(&test).is_ok());
    let said: Vec<String> = warnings(&test).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(
        said[0].starts_with("conditions[0].field: `isp`"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("conditions[1].field: `city`"),
        "{said:?}"
    );
}
