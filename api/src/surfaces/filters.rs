//! Reads filters on visits or clicks: `country=TR`, `device=mobile,tablet`, `referrer=-instagram.com`.

use super::spelling::distance;
use crate::{
    catalog::{Dimension, Report, Values},
    extract::Query,
    sources::Condition,
};
use runtime::{
    http::validate::parse_uuid,
    openapi::{Schema, list, text},
};
use schemas::{countries, values::Spelling};
use std::{borrow::Cow, collections::HashMap, iter};

/// Most values of one filter.
pub(super) const MAX_VALUES: usize = 50;
/// Longest value, in Unicode scalar values: as long as the longest stored value, a path.
pub(super) const MAX_CHARS: usize = 2048;
/// Longest part of the request that an error repeats.
const MAX_SHOWN: usize = 64;
/// How many countries an error suggests.
const SUGGESTIONS: usize = 5;

/// Reads the row's filters. Commas separate values, a `-` excludes a value, an empty value is the
/// missing one, and a backslash escapes the next character. Values of a repeated parameter are
/// further alternatives. Records a problem for every parameter that the row does not have.
pub(super) fn read(report: &Report, query: &Query, problems: &mut Vec<String>) -> Vec<Condition> {
    let mut conditions = Vec::<Condition>::new();
    // A value may be looked up in two spellings, so conditions do not show how many were given.
    let mut counts = HashMap::<&str, usize>::new();
    for (name, text) in query.pairs() {
        if report
            .params
            .iter()
            .any(|param| report.param_name(*param) == name)
            || report.surface.notation().ignored.contains(&&*name)
        {
            continue;
        }
        let Some(dimension) = report.filters.iter().find(|filter| filter.id == name) else {
            problems.push(unknown(report, &name));
            continue;
        };
        let elements = elements(&text);
        let at = conditions
            .iter()
            .position(|known| known.dimension == *dimension);
        let at = at.unwrap_or_else(|| {
            conditions.push(Condition {
                dimension,
                is: Vec::new(),
                is_not: Vec::new(),
            });
            conditions.len() - 1
        });
        let Some(condition) = conditions.get_mut(at) else {
            continue;
        };
        let given = counts.entry(dimension.id).or_default();
        for Element { value, left_out } in elements {
            if *given == MAX_VALUES {
                problems.push(format!("{name} must have at most {MAX_VALUES} values"));
                break;
            }
            *given += 1;
            match stored(dimension, &value) {
                Ok(values) if left_out => condition.is_not.extend(values),
                Ok(values) => condition.is.extend(values),
                // Only a parameter's first invalid value is named: suggestions for thousands would
                // take seconds.
                Err(problem) => {
                    problems.push(problem);
                    break;
                }
            }
        }
    }
    conditions
}

/// A value as a filter gives it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Element {
    value: String,
    /// Whether a `-` excludes it.
    left_out: bool,
}

/// The elements of a parameter. A backslash at the end stands for itself.
fn elements(text: &str) -> Vec<Element> {
    let mut all = Vec::new();
    let mut element = Element::default();
    let mut at_start = true;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            ',' => {
                all.push(std::mem::take(&mut element));
                at_start = true;
                continue;
            }
            // Only at the start; later, a `-` is part of the value.
            '-' if at_start => element.left_out = true,
            '\\' => element.value.push(chars.next().unwrap_or(char)),
            _ => element.value.push(char),
        }
        at_start = false;
    }
    all.push(element);
    all
}

/// The spellings in which a value may be stored, or what is wrong with it. They are the given one
/// and, if different, the dimension's own. The given one finds values from before the spelling had
/// all its rules.
fn stored(dimension: &Dimension, value: &str) -> Result<Vec<String>, String> {
    let name = dimension.id;
    // The missing value, also under its label.
    let label = dimension.null_label;
    if value.is_empty() || value == label {
        return Ok(vec![label.to_owned()]);
    }
    // PostgreSQL's text cannot store U+0000, so no visit has it.
    if value.contains('\0') || value.chars().count() > MAX_CHARS {
        return Err(format!(
            "{name} must be a list of values separated by commas, each of at most {MAX_CHARS} characters"
        ));
    }
    let listed = match dimension.values {
        Values::Known if same_as(value)(&label) => Some(label),
        Values::Known => {
            let id = parse_uuid(value).map(|id| vec![id.to_string()]);
            return id.ok_or_else(|| {
                format!(
                    "unknown value {:?} of {name}; use a UUID, or {label}",
                    shown(value)
                )
            });
        }
        Values::Any | Values::Few => {
            let spelled = dimension.spelling.of(value);
            let another = spelled.filter(|spelled| spelled != value);
            return Ok(iter::once(value.to_owned()).chain(another).collect());
        }
        Values::Words(words) => words.iter().chain([&label]).copied().find(same_as(value)),
        Values::Countries if value.eq_ignore_ascii_case(label) => Some(label),
        Values::Countries => countries::find(value).map(|(code, _)| code),
    };
    listed.map(|value| vec![value.to_owned()]).ok_or_else(|| {
        let known = match dimension.values {
            Values::Words(words) => words.join(", "),
            _ => format!(
                "a country's name or code, such as {}",
                similar_countries(value).join(", ")
            ),
        };
        format!(
            "unknown value {:?} of {name}; use {known}, or {label}",
            shown(value)
        )
    })
}

fn same_as(value: &str) -> impl Fn(&&str) -> bool {
    move |word| word.eq_ignore_ascii_case(value)
}

/// Names and codes of the countries whose spelling is closest to the value.
fn similar_countries(value: &str) -> Vec<String> {
    let value = shown(value);
    let mut all: Vec<_> = countries::all().collect();
    all.sort_by_cached_key(|(code, name)| distance(&value, code).min(distance(&value, name)));
    let nearest = all.into_iter().take(SUGGESTIONS);
    nearest
        .map(|(code, name)| format!("{name} ({code})"))
        .collect()
}

fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_SHOWN) {
        None => text.into(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
    }
}

fn unknown(report: &Report, name: &str) -> String {
    let params = report.params.iter().map(|param| report.param_name(*param));
    let filters = report.filters.iter().map(|filter| filter.id);
    let known: Vec<&str> = params.chain(filters).collect();
    format!(
        "unknown parameter {:?}; this report accepts {}",
        shown(name),
        known.join(", ")
    )
}

/// Describes a filter of rows of that kind.
pub(super) fn schema(dimension: &Dimension, of: &str) -> Schema {
    let (known, case) = match dimension.values {
        Values::Words(words) => (
            format!(" (`{}`)", words.join("`, `")),
            " Case does not matter; any other value is answered 400.",
        ),
        Values::Countries => (
            ", or its ISO code".to_owned(),
            " Case does not matter; any other value is answered 400.",
        ),
        Values::Any if dimension.spelling == Spelling::LowerCaseCampaign => {
            (String::new(), " Case does not matter.")
        }
        Values::Known => (String::new(), " Anything else than UUIDs is answered 400."),
        Values::Any | Values::Few => (String::new(), ""),
    };
    list(text(MAX_CHARS))
        .with("minItems", 1)
        .with("maxItems", MAX_VALUES)
        .about(format!(
            "Only {of} whose value is one of these: {}{known}; `{}`, or an empty value, selects {of} without one.{case} A `-` before a value excludes the {of} that have it. A backslash escapes the next character, such as a comma. The parameter may be repeated.",
            dimension.about, dimension.null_label
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::REPORTS;
    use proptest::prelude::*;
    use schemas::analytics::dimensions::OF_VISITS;

    fn report() -> &'static Report {
        REPORTS
            .iter()
            .find(|report| report.id == "creators.analytics.overview")
            .unwrap()
    }

    /// The values of the only filter in a query, with `!` before excluded ones.
    fn given(query: &str) -> Result<Vec<String>, Vec<String>> {
        let mut problems = Vec::new();
        let conditions = read(report(), &Query::from(query), &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let [condition] = &conditions[..] else {
            panic!("{query}: {conditions:?}");
        };
        let not = condition.is_not.iter().map(|value| format!("!{value}"));
        Ok(condition.is.iter().cloned().chain(not).collect())
    }

    #[test]
    fn values_are_separated_and_a_backslash_escapes_the_next_character() {
        for (query, values) in [
            ("city=a", vec!["a"]),
            ("city=a,b", vec!["a", "b"]),
            ("city=a&city=-b&city=c", vec!["a", "c", "!b"]),
            (r"city=a\,b", vec!["a,b"]),
            (r"city=a\,b,c", vec!["a,b", "c"]),
            (r"city=\-a", vec!["-a"]),
            (r"city=-\-a", vec!["!-a"]),
            ("city=--a", vec!["!-a"]),
            ("city=a-b", vec!["a-b"]),
            (r"city=a\\", vec![r"a\"]),
            (r"city=a\\,b", vec![r"a\", "b"]),
            (r"city=a\b", vec!["ab"]),
            (r"city=a\", vec![r"a\"]),
            // The missing value, alone and among others.
            ("city=", vec!["Unknown"]),
            ("city=-", vec!["!Unknown"]),
            ("city=a,", vec!["a", "Unknown"]),
            ("city=,a", vec!["Unknown", "a"]),
            ("city=a,,-,b", vec!["a", "Unknown", "b", "!Unknown"]),
            ("utm_source=", vec!["(none)"]),
            ("utm_source=none", vec!["none"]),
            ("referrer=", vec!["direct"]),
        ] {
            let values = values.into_iter().map(str::to_owned).collect();
            assert_eq!(given(query), Ok(values), "{query}");
        }
    }

    #[test]
    fn values_are_looked_up_in_their_stored_spelling() {
        for (query, values) in [
            ("utm_source=A", vec!["A", "a"]),
            ("utm_source=a", vec!["a"]),
            ("utm_medium=-E-Mail", vec!["!E-Mail", "!e-mail"]),
            (
                "utm_source=%20CAFE%CC%81",
                vec![" CAFE\u{301}", "caf\u{e9}"],
            ),
            ("utm_campaign=Cafe%CC%81", vec!["Cafe\u{301}", "Caf\u{e9}"]),
            ("utm_campaign=Spring", vec!["Spring"]),
            ("language=tr_TR", vec!["tr_TR", "tr-TR"]),
            ("language=i-klingon", vec!["i-klingon", "tlh"]),
            ("language=nothing", vec!["nothing"]),
            (
                "referrer=WWW.Instagram.com",
                vec!["WWW.Instagram.com", "instagram.com"],
            ),
            ("entry_page=/%C3%A9", vec!["/\u{e9}", "/%C3%A9"]),
            ("browser=%20Safari", vec![" Safari", "Safari"]),
            ("city=%20Ankara", vec![" Ankara"]),
        ] {
            let values = values.into_iter().map(str::to_owned).collect();
            assert_eq!(given(query), Ok(values), "{query}");
        }
        // Both spellings count as one value.
        let query = format!("utm_source={}", vec!["A"; MAX_VALUES].join(","));
        assert_eq!(given(&query).unwrap().len(), 2 * MAX_VALUES);
        assert!(given(&format!("{query},B")).is_err());
    }

    #[test]
    fn listed_values_match_in_any_case_and_others_are_refused_with_the_known_ones() {
        for (query, values) in [
            ("device=MOBILE,Tablet", vec!["mobile", "tablet"]),
            ("device=Unknown,-desktop", vec!["unknown", "!desktop"]),
            ("source_class=AI,", vec!["ai", "unknown"]),
            ("country=tr,-Germany,unknown", vec!["TR", "Unknown", "!DE"]),
            ("country=UNITED+STATES", vec!["US"]),
            ("country=", vec!["Unknown"]),
        ] {
            let values = values.into_iter().map(str::to_owned).collect();
            assert_eq!(given(query), Ok(values), "{query}");
        }
        let refused = |query: &str| given(query).unwrap_err().join("\n");
        let said = refused("device=watch");
        assert!(
            said.contains("mobile, tablet, desktop, or unknown"),
            "{said}"
        );
        assert!(refused("source_class=-tv").contains("search"));
        for (query, named) in [
            ("country=Turkiye", "Turkey (TR)"),
            ("country=-Untied+States", "United States (US)"),
            ("country=Germny", "Germany (DE)"),
        ] {
            let said = refused(query);
            assert!(said.contains(named) && said.len() < 300, "{said}");
        }
        let long = refused(&format!("country={}", "x".repeat(2048)));
        assert!(long.len() < 400, "{long}");
    }

    #[test]
    fn values_are_as_long_as_stored_ones_and_no_longer() {
        let longest = "é".repeat(MAX_CHARS);
        assert_eq!(
            given(&format!("entry_page={longest}")),
            Ok(vec![longest.clone()])
        );
        assert!(given(&format!("entry_page={longest}é")).is_err());
        assert!(given("city=%00").is_err());
        let many = |count: usize| given(&format!("city={}", vec!["x"; count].join(",")));
        assert_eq!(many(MAX_VALUES).unwrap().len(), MAX_VALUES);
        assert_eq!(many(MAX_VALUES + 1).unwrap_err().len(), 1);
    }

    #[test]
    fn errors_about_unknown_values_stay_short() {
        let wrong = format!("country={}", "x,".repeat(4_000));
        assert_eq!(given(&wrong).unwrap_err().len(), 1);
        let said = given(&"x".repeat(30_000)).unwrap_err();
        assert!(said[0].len() < 400, "{}", said[0]);
    }

    proptest! {
        #[test]
        fn every_value_can_be_asked_for(value in "\\PC{1,40}|[-,\\\\a]{1,9}", left_out: bool) {
            let escaped: String = value.chars().flat_map(|char| ['\\', char]).collect();
            let text = format!("{}{escaped}", if left_out { "-" } else { "" });
            let element = Element { value: value.clone(), left_out };
            prop_assert_eq!(elements(&text), vec![element]);
            for dimension in OF_VISITS.iter().filter(|one| one.values == Values::Any) {
                prop_assert!(stored(dimension, &value).unwrap().contains(&value));
            }
        }
    }
}
