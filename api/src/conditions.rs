//! A rule's conditions as owners write them, read into the test that the directory has.
//!
//! Owners write a list of conditions with a logic, and groups of them inside. The words themselves
//! (fields, operators, values) are checked by `schemas::rules`.

pub(crate) use typed::TYPES;

use schemas::{directory::Test, rules::MAX_CONDITIONS};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Deepest nesting of groups, the outermost one included.
const MAX_DEPTH: usize = schemas::rules::MAX_DEPTH;

/// How conditions are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Logic {
    /// Every condition holds.
    #[default]
    And,
    /// At least one condition holds.
    Or,
}

impl Logic {
    /// Every word, as on the wire.
    pub(crate) const WORDS: [&'static str; 2] = ["AND", "OR"];

    /// The word on the wire.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }

    /// Reads a word, in any case.
    pub(crate) fn read(word: &str) -> Option<Self> {
        match word {
            word if word.eq_ignore_ascii_case("and") => Some(Self::And),
            word if word.eq_ignore_ascii_case("or") => Some(Self::Or),
            _ => None,
        }
    }

    const fn of(self, tests: Vec<Test>) -> Test {
        match self {
            Self::And => Test::All(tests),
            Self::Or => Test::Any(tests),
        }
    }
}

/// Reads the conditions of a rule: a list of conditions and groups, or the members that belong to
/// the rule's type.
///
/// # Errors
/// Every problem of their form.
pub(crate) fn read(
    kind: Option<&str>,
    logic: Logic,
    conditions: &Value,
) -> Result<Test, Vec<String>> {
    let mut problems = Vec::new();
    let test = match (conditions, kind) {
        (Value::Array(items), _) => {
            let mut left = MAX_CONDITIONS;
            group(logic, items, "conditions", 1, &mut left, &mut problems)
        }
        (Value::Object(members), Some(kind)) => {
            logic.of(typed::conditions(kind, members, &mut problems))
        }
        _ => {
            problems.push("conditions must be a list, or an object together with type".to_owned());
            Test::All(Vec::new())
        }
    };
    if problems.is_empty() {
        Ok(test)
    } else {
        Err(problems)
    }
}

fn group(
    logic: Logic,
    items: &[Value],
    place: &str,
    depth: usize,
    left: &mut usize,
    problems: &mut Vec<String>,
) -> Test {
    if depth > MAX_DEPTH {
        problems.push(format!(
            "{place}: groups are nested at most {MAX_DEPTH} deep"
        ));
        return Test::All(Vec::new());
    }
    let mut tests = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(rest) = left.checked_sub(1) else {
            problems.push(format!("conditions must be at most {MAX_CONDITIONS}"));
            break;
        };
        *left = rest;
        let place = format!("{place}[{index}]");
        let inner = item.get("conditions").and_then(Value::as_array);
        match inner {
            Some(inner) => match group_logic(item) {
                Some(logic) => {
                    tests.push(group(logic, inner, &place, depth + 1, left, problems));
                }
                None => problems.push(format!("{place}.conditionLogic must be AND or OR")),
            },
            None => match condition(item) {
                Some(test) => tests.push(test),
                None => problems.push(format!(
                    "{place} must have field and operator, or conditions of its own"
                )),
            },
        }
    }
    logic.of(tests)
}

fn group_logic(item: &Value) -> Option<Logic> {
    match item.get("conditionLogic").or_else(|| item.get("logic")) {
        None | Some(Value::Null) => Some(Logic::And),
        Some(word) => Logic::read(word.as_str()?),
    }
}

fn condition(item: &Value) -> Option<Test> {
    Some(Test::Is {
        field: item.get("field")?.as_str()?.to_owned(),
        operator: item.get("operator")?.as_str()?.to_owned(),
        value: item.get("value").cloned().unwrap_or_default(),
    })
}

/// Conditions as members of an object, whose names depend on the rule's type.
mod typed {
    use super::{Test, Value};
    use serde_json::{Map, json};

    /// Every type that has such a form.
    pub(crate) const TYPES: [&str; 8] = [
        "geo",
        "device",
        "time",
        "referrer",
        "utm",
        "percentage",
        "language",
        "visitor_state",
    ];

    /// The members of a type whose value, or list of values, is compared with a field.
    fn field(kind: &str, name: &str) -> Option<&'static str> {
        Some(match (kind, name) {
            ("geo", "country" | "countries") => "country",
            ("geo", "region" | "regions") => "region",
            ("geo", "city" | "cities") => "city",
            ("geo", "continent" | "continents") => "continent",
            ("geo", "timezone" | "timezones") => "timezone",
            ("device", "device" | "devices" | "deviceType" | "deviceTypes") => "deviceType",
            ("device", "brand" | "brands") => "deviceBrand",
            ("device", "os" | "operatingSystems") => "os",
            ("device", "browser" | "browsers") => "browser",
            ("referrer", "domain" | "domains") => "referrerDomain",
            ("referrer", "url" | "urls") => "referrer",
            ("utm", "source" | "sources" | "utmSource") => "utm_source",
            ("utm", "medium" | "mediums" | "utmMedium") => "utm_medium",
            ("utm", "campaign" | "campaigns" | "utmCampaign") => "utm_campaign",
            ("utm", "term" | "terms" | "utmTerm") => "utm_term",
            ("utm", "content" | "contents" | "utmContent") => "utm_content",
            ("language", "language" | "languages") => "language",
            ("visitor_state", "state" | "states" | "visitorState") => "visitorState",
            _ => return None,
        })
    }

    pub(super) fn conditions(
        kind: &str,
        members: &Map<String, Value>,
        problems: &mut Vec<String>,
    ) -> Vec<Test> {
        if !TYPES.contains(&kind) {
            problems.push(format!(
                "conditions of the type {kind} must be a list; these types have members: {}",
                TYPES.join(", ")
            ));
            return Vec::new();
        }
        let before = problems.len();
        let tests = match kind {
            "time" => time(members, problems),
            _ => each(kind, members, problems),
        };
        // An empty object would match every request, which its author does not mean.
        if tests.is_empty() && problems.len() == before {
            problems.push(format!("conditions of the type {kind} must have a member"));
        }
        tests
    }

    fn each(kind: &str, members: &Map<String, Value>, problems: &mut Vec<String>) -> Vec<Test> {
        let mut tests = Vec::new();
        for (name, value) in members {
            if let Some(field) = field(kind, name) {
                let operator = if value.is_array() { "in" } else { "equals" };
                tests.push(is(field, operator, value.clone()));
            } else if kind == "percentage" && name == "percentage" {
                let operator = if value.is_array() { "between" } else { "lt" };
                tests.push(is("percentage", operator, value.clone()));
            } else {
                problems.push(format!(
                    "conditions.{name} does not belong to the type {kind}"
                ));
            }
        }
        tests
    }

    fn time(members: &Map<String, Value>, problems: &mut Vec<String>) -> Vec<Test> {
        let mut window = Map::new();
        let mut tests = Vec::new();
        for (name, value) in members {
            match name.as_str() {
                "start" | "startTime" => window.insert("start".to_owned(), value.clone()),
                "end" | "endTime" => window.insert("end".to_owned(), value.clone()),
                "days" | "daysOfWeek" => window.insert("days".to_owned(), value.clone()),
                "timezone" => window.insert("timezone".to_owned(), value.clone()),
                "startDate" => {
                    tests.push(is("date", "gte", value.clone()));
                    None
                }
                "endDate" => {
                    tests.push(is("date", "lt", value.clone()));
                    None
                }
                _ => {
                    problems.push(format!(
                        "conditions.{name} does not belong to the type time"
                    ));
                    None
                }
            };
        }
        // Days alone mean whole days.
        if window.contains_key("days") {
            window.entry("start").or_insert_with(|| json!("00:00"));
            window.entry("end").or_insert_with(|| json!("24:00"));
        }
        if window.keys().any(|name| name != "timezone") {
            tests.insert(0, is("time", "between", Value::Object(window)));
        }
        tests
    }

    fn is(field: &str, operator: &str, value: Value) -> Test {
        Test::Is {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is(field: &str, operator: &str, value: Value) -> Test {
        Test::Is {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value,
        }
    }

    #[test]
    fn a_list_is_read_with_its_logic_and_its_groups() {
        let conditions = json!([
            {"field": "country", "operator": "equals", "value": "DE"},
            {"conditionLogic": "OR", "conditions": [
                {"field": "os", "operator": "in", "value": ["iOS"]},
                {"field": "language", "operator": "exists"},
            ]},
        ]);
        let inner = Test::Any(vec![
            is("os", "in", json!(["iOS"])),
            is("language", "exists", Value::Null),
        ]);
        let expected = vec![is("country", "equals", json!("DE")), inner];
        assert_eq!(
            read(None, Logic::And, &conditions),
            Ok(Test::All(expected.clone()))
        );
        assert_eq!(read(None, Logic::Or, &conditions), Ok(Test::Any(expected)));
    }

    #[test]
    fn the_form_by_type_is_translated() {
        for (kind, members, expected) in [
            (
                "geo",
                json!({"countries": ["US", "CA"]}),
                vec![is("country", "in", json!(["US", "CA"]))],
            ),
            (
                "device",
                json!({"deviceType": "mobile"}),
                vec![is("deviceType", "equals", json!("mobile"))],
            ),
            (
                "percentage",
                json!({"percentage": 25}),
                vec![is("percentage", "lt", json!(25))],
            ),
            (
                "time",
                json!({"days": ["fri"], "startTime": "22:00", "endTime": "02:00", "timezone": "Europe/Berlin"}),
                vec![is(
                    "time",
                    "between",
                    json!({"days": ["fri"], "start": "22:00", "end": "02:00", "timezone": "Europe/Berlin"}),
                )],
            ),
            (
                "time",
                json!({"days": ["sat"], "startDate": "2026-03-01T00:00:00Z"}),
                vec![
                    is(
                        "time",
                        "between",
                        json!({"days": ["sat"], "start": "00:00", "end": "24:00"}),
                    ),
                    is("date", "gte", json!("2026-03-01T00:00:00Z")),
                ],
            ),
        ] {
            let read = read(Some(kind), Logic::And, &members);
            assert_eq!(read, Ok(Test::All(expected)), "{kind} {members}");
        }
    }

    #[test]
    fn every_problem_of_the_form_is_named() {
        let nested =
            |depth: usize| (0..depth).fold(json!([]), |inner, _| json!([{"conditions": inner}]));
        let many = json!(vec![
            json!({"field": "os", "operator": "exists"});
            MAX_CONDITIONS + 1
        ]);
        for (kind, conditions, count) in [
            (None, json!("x"), 1),
            (None, json!({"countries": ["US"]}), 1),
            (None, json!([7, {"field": "os"}]), 2),
            (
                None,
                json!([{"conditionLogic": "XOR", "conditions": []}]),
                1,
            ),
            (None, nested(MAX_DEPTH), 1),
            (None, many, 1),
            (Some("geo"), json!({"planet": "Mars", "galaxy": 1}), 2),
            (Some("geo"), json!({}), 1),
            (Some("fraud"), json!({"score": 1}), 1),
        ] {
            let problems = read(kind, Logic::And, &conditions).unwrap_err();
            assert_eq!(problems.len(), count, "{conditions}: {problems:?}");
        }
        assert!(read(None, Logic::And, &nested(MAX_DEPTH - 1)).is_ok());
    }
}
