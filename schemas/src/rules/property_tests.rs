//! For random rules and requests, the compiled form says what the plain interpreter says.

use super::{
    Facts, Field,
    interpreter::{self, Request},
    read,
};
use crate::directory::Test;
use jiff::Timestamp;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use std::borrow::Cow;

struct Compared<'a>(&'a Request);

impl Facts for Compared<'_> {
    fn text(&self, field: &Field) -> Option<Cow<'_, str>> {
        let mut texts = self.0.texts.iter();
        let found = texts.find(|(name, _)| Field::named(name).as_ref() == Some(field));
        found.map(|(_, text)| text.as_str().into())
    }

    fn now(&self) -> Timestamp {
        self.0.now
    }

    fn bucket(&self) -> Option<f64> {
        self.0.bucket
    }
}

const TEXTS: &[&str] = &[
    "Berlin",
    "berlin",
    "lin",
    "B",
    "https://a.example/x",
    "ÉTÉ",
    "12",
    "x",
];
const COUNTRIES: &[&str] = &["DE", "de", "US", "GB"];
const LANGUAGES: &[&str] = &["en", "en-GB", "de", "zh-Hant", "zh-Hans", "zh-TW", "zh"];
const HEADERS: &[&str] = &[
    "en",
    "en-GB,en;q=0.9",
    "it-IT,it;q=0.9,en;q=0.8",
    "*",
    "de;q=0",
    "de;q=0.5,en;q=0.5",
    "en;q=0.1,de;q=0.7",
    "zh-TW",
    "zh-CN,zh;q=0.9",
    "zh-Hant",
    "*;q=0.5,de;q=0.4",
];
const VERSIONS: &[&str] = &["17", "17.0", "17.4", "17.10", "9.3.1", "18"];

fn list(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(select(values), 1..4).prop_map(|values| json!(values))
}

/// Operators of one value and of a list, over these values.
fn over(
    field: &'static str,
    values: &'static [&'static str],
    single: &'static [&'static str],
) -> impl Strategy<Value = (&'static str, &'static str, Value)> {
    prop_oneof![
        (select(single), select(values)).prop_map(move |(operator, value)| (
            field,
            operator,
            json!(value)
        )),
        (select(&["in", "not_in"][..]), list(values))
            .prop_map(move |(operator, value)| (field, operator, value)),
        any::<Option<bool>>().prop_map(move |value| (field, "exists", json!(value))),
    ]
}

const EQUAL: &[&str] = &["equals", "not_equals"];
const TEXTUAL: &[&str] = &[
    "equals",
    "not_equals",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
];

fn window() -> impl Strategy<Value = Value> {
    let time = || {
        (0u32..24, select(&[0u32, 30][..]))
            .prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
    };
    let days = prop::option::of(list(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]));
    let zone = select(&["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"][..]);
    (time(), time(), days, zone)
        .prop_filter("equal times are no window", |(start, end, ..)| start != end)
        .prop_map(|(start, end, days, zone)| {
            json!({"start": start, "end": end, "days": days, "timezone": zone})
        })
}

fn condition() -> impl Strategy<Value = Test> {
    let number = || (-40i32..40).prop_map(|number| json!(f64::from(number) / 2.0));
    let share = || (0u32..=20).prop_map(|share| f64::from(share) * 5.0);
    let instant = || (0i64..8).prop_map(|day| format!("2026-03-2{}T01:30:00Z", day + 1));
    let single = select(&["gt", "gte", "lt", "lte"][..]);
    let conditions = prop_oneof![
        3 => over("city", TEXTS, TEXTUAL),
        1 => over("query.n", TEXTS, TEXTUAL),
        2 => over("country", COUNTRIES, EQUAL),
        2 => over("language", LANGUAGES, EQUAL),
        2 => over("osVersion", VERSIONS, &["equals", "not_equals", "gt", "gte", "lt", "lte"]),
        1 => (number(), number()).prop_filter_map("in order", |(low, high)| {
            (low.as_f64() <= high.as_f64()).then(|| ("query.n", "between", json!([low, high])))
        }),
        1 => (single.clone(), number()).prop_map(|(operator, value)| ("query.n", operator, value)),
        1 => (select(&["in", "not_in", "between"][..]), window()).prop_map(|(operator, value)| ("time", operator, value)),
        1 => (single, instant()).prop_map(|(operator, value)| ("date", operator, json!(value))),
        1 => (instant(), instant()).prop_filter_map("in order", |(from, to)| {
            (from < to).then(|| ("date", "between", json!([from, to])))
        }),
        1 => (select(&["lt", "gte"][..]), share()).prop_map(|(operator, value)| ("percentage", operator, json!(value))),
        1 => (share(), share()).prop_filter_map("in order", |(from, to)| {
            (from < to).then(|| ("percentage", "between", json!([from, to])))
        }),
    ];
    conditions.prop_map(|(field, operator, value)| Test::Is {
        field: field.to_owned(),
        operator: operator.to_owned(),
        value,
    })
}

fn test() -> impl Strategy<Value = Test> {
    condition().prop_recursive(3, 20, 4, |inner| {
        let parts = prop::collection::vec(inner, 0..4);
        (parts, any::<bool>()).prop_map(|(parts, all)| {
            if all {
                Test::All(parts)
            } else {
                Test::Any(parts)
            }
        })
    })
}

fn request() -> impl Strategy<Value = Request> {
    let known = |values: &'static [&'static str]| prop::option::of(select(values));
    let texts = (
        known(TEXTS),
        known(&["12", "-3.5", "0", "berlin", "x"]),
        known(&["DE", "US", "FR"]),
        known(HEADERS),
        known(VERSIONS),
    );
    // Steps of half an hour over two weeks with a change of clocks in both hemispheres' north.
    let now = (0i64..700).prop_map(|step| {
        let begin: Timestamp = "2026-03-20T00:00:00Z".parse().unwrap();
        Timestamp::from_second(begin.as_second() + step * 1_800).unwrap()
    });
    let bucket = prop::option::of((0u32..40).prop_map(|step| f64::from(step) * 2.5));
    (texts, now, bucket).prop_map(|(texts, now, bucket)| {
        let (city, n, country, language, version) = texts;
        let all = [
            ("city", city),
            ("query.n", n),
            ("country", country),
            ("language", language),
            ("osVersion", version),
        ];
        let known = all
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned())));
        Request {
            texts: known.collect(),
            now,
            bucket,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_choice_equals_that_of_a_plain_interpreter(
        tests in prop::collection::vec(test(), 1..5), request in request(),
    ) {
        let compiled: Vec<_> = tests.iter().map(|test| read(test).unwrap()).collect();
        let chosen = compiled.iter().position(|test| test.passes(&Compared(&request)));
        let expected = tests.iter().position(|test| interpreter::passes(test, &request));
        prop_assert_eq!(chosen, expected);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn reading_any_condition_never_panics(field in ".{0,12}", operator in ".{0,12}", text in ".{0,40}") {
        for value in [json!(text), json!([text]), json!({ "start": text }), json!(null), json!(1e308)] {
            let test = Test::Is { field: field.clone(), operator: operator.clone(), value };
            let _ = read(&test);
        }
        for known in super::FIELDS {
            for operator in super::Operator::ALL {
                let test = Test::Is {
                    field: known.0.to_owned(),
                    operator: operator.name().to_owned(),
                    value: json!(text),
                };
                if let Ok(compiled) = read(&test) {
                    let request = Request {
                        texts: [(known.0.to_owned(), text.clone())].into(),
                        now: Timestamp::UNIX_EPOCH,
                        bucket: None,
                    };
                    let _ = compiled.passes(&Compared(&request));
                }
            }
        }
    }
}
