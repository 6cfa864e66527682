//! A plain interpreter of rules, written from the contract alone: it shares no code with the
//! compiled form, which is compared with it.

use crate::directory::Test;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is known about a request, by the names of fields.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) now: Timestamp,
    pub(super) bucket: Option<f64>,
}

pub(super) fn passes(test: &Test, request: &Request) -> bool {
    match test {
        Test::All(parts) => parts.iter().filter(|part| !passes(part, request)).count() == 0,
        Test::Any(parts) => parts.iter().filter(|part| passes(part, request)).count() > 0,
        Test::Is {
            field,
            operator,
            value,
        } => holds(field, operator, value, request),
    }
}

fn holds(field: &str, operator: &str, value: &Value, request: &Request) -> bool {
    let fact = request.texts.get(field).map(|fact| fact.to_lowercase());
    if operator == "exists" {
        return fact.is_some() == value.as_bool().unwrap_or(true);
    }
    match field {
        "time" => return in_window(value, request.now) != (operator == "not_in"),
        "date" => {
            let at = |value: &Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
            return match operator {
                "gt" => request.now > at(value),
                "gte" => request.now >= at(value),
                "lt" => request.now < at(value),
                "lte" => request.now <= at(value),
                _ => at(&value[0]) <= request.now && request.now < at(&value[1]),
            };
        }
        "percentage" => {
            let Some(bucket) = request.bucket else {
                return false;
            };
            return match operator {
                "lt" => bucket < value.as_f64().unwrap(),
                "gte" => bucket >= value.as_f64().unwrap(),
                _ => value[0].as_f64().unwrap() <= bucket && bucket < value[1].as_f64().unwrap(),
            };
        }
        _ => {}
    }
    // Unknown: no condition holds, negated ones included.
    let Some(fact) = fact else {
        return false;
    };
    let wanted: Vec<String> = match value {
        Value::Array(values) => values.iter().map(plain).collect(),
        value => vec![plain(value)],
    };
    let first = wanted[0].clone();
    match field {
        "language" => {
            let Some(language) = preferred(&fact) else {
                return false;
            };
            let is_one = wanted.iter().any(|wanted| speaks(wanted, &language));
            return is_one != operator.starts_with("not");
        }
        "osVersion" => {
            let numbers = |text: &str| -> Vec<u64> {
                let mut numbers: Vec<u64> =
                    text.split('.').map(|part| part.parse().unwrap()).collect();
                numbers.resize(4, 0);
                numbers
            };
            let (fact, wanted): (_, Vec<_>) = (
                numbers(&fact),
                wanted.iter().map(|text| numbers(text)).collect(),
            );
            return compared(operator, &fact, &wanted);
        }
        "query.n" if ["gt", "gte", "lt", "lte", "between"].contains(&operator) => {
            let Ok(fact) = fact.parse::<f64>() else {
                return false;
            };
            let wanted: Vec<f64> = wanted.iter().map(|text| text.parse().unwrap()).collect();
            return compared(operator, &fact, &wanted);
        }
        _ => {}
    }
    match operator {
        "equals" => fact == first,
        "not_equals" => fact != first,
        "in" => wanted.contains(&fact),
        "not_in" => !wanted.contains(&fact),
        "contains" => fact.contains(&first),
        "not_contains" => !fact.contains(&first),
        "starts_with" => fact.starts_with(&first),
        "ends_with" => fact.ends_with(&first),
        other => panic!("{other} does not suit {field}"),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase(),
        other => other.to_string(),
    }
}

fn compared<T: PartialOrd>(operator: &str, fact: &T, wanted: &[T]) -> bool {
    match operator {
        "equals" => *fact == wanted[0],
        "not_equals" => *fact != wanted[0],
        "in" => wanted.iter().any(|wanted| wanted == fact),
        "not_in" => wanted.iter().all(|wanted| wanted != fact),
        "gt" => *fact > wanted[0],
        "gte" => *fact >= wanted[0],
        "lt" => *fact < wanted[0],
        "lte" => *fact <= wanted[0],
        _ => wanted[0] <= *fact && *fact <= wanted[1],
    }
}

/// The entry with the highest weight; the first of equals.
fn preferred(header: &str) -> Option<String> {
    let mut entries: Vec<(String, f64)> = Vec::new();
    for entry in header.split(',') {
        let (tag, weight) = match entry.split_once(";q=") {
            Some((tag, weight)) => (tag, weight.parse().unwrap()),
            None => (entry, 1.0),
        };
        if weight > 0.0 {
            entries.push((tag.to_owned(), weight));
        }
    }
    // A stable sort keeps the first of equals in front.
    entries.sort_by(|one, other| other.1.partial_cmp(&one.1).unwrap());
    let (tag, _) = entries.first()?;
    (tag != "*").then(|| tag.clone())
}

/// `en` is spoken by `en-gb`; `zh-hant` by `zh-tw`.
fn speaks(wanted: &str, spoken: &str) -> bool {
    let script = |tag: &str| {
        let is = |name: &str| tag.split('-').any(|part| part == name);
        if is("hant") || is("hans") {
            is("hant")
        } else {
            is("tw") || is("hk") || is("mo")
        }
    };
    match wanted {
        "zh-hant" => spoken.starts_with("zh") && script(spoken),
        "zh-hans" => spoken.starts_with("zh") && !script(spoken),
        _ => spoken == wanted || spoken.starts_with(&format!("{wanted}-")),
    }
}

fn in_window(window: &Value, now: Timestamp) -> bool {
    let zone = TimeZone::get(window["timezone"].as_str().unwrap_or("UTC")).unwrap();
    let local = zone.to_datetime(now);
    let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
    let edge = |name: &str| {
        let (hours, minutes) = window[name].as_str().unwrap().split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
    };
    let (start, end) = (edge("start"), edge("end"));
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let today = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap();
    // Every day on which a window may have begun: today, and the night before.
    [(today, minute), ((today + 6) % 7, minute + 1_440)]
        .into_iter()
        .any(|(day, minute)| {
            let is_on = window["days"]
                .as_array()
                .is_none_or(|days| days.contains(&names[day].into()));
            let length = if end > start {
                end - start
            } else {
                end + 1_440 - start
            };
            is_on && (start..start + length).contains(&minute)
        })
}
