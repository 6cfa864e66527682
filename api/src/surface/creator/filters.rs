//! `country=TR`, `device=mobile,tablet`, `referrer=-instagram.com`: what the visits of an answer must be.

use crate::{
    catalog::{Param, Report},
    extract::Query,
    query::Condition,
};

/// Most values of one filter.
pub(super) const MAX_VALUES: usize = 50;
/// Longest value, in Unicode scalar values.
pub(super) const MAX_CHARS: usize = 200;
/// What clients of the original send although it never had it; it changes nothing.
const IGNORED: [&str; 1] = ["limit"];

/// Reads the filters that the row has. Values are separated by commas, those behind a `-` are left out.
/// Notes a problem for every parameter that the row does not know.
pub(super) fn read(report: &Report, query: &Query, problems: &mut Vec<String>) -> Vec<Condition> {
    let mut conditions = Vec::<Condition>::new();
    for (name, text) in query.pairs() {
        if report.params.iter().any(|param| param.name() == name) || IGNORED.contains(&&*name) {
            continue;
        }
        let Some(dimension) = report.filters.iter().find(|filter| filter.id == name) else {
            problems.push(unknown(report, &name));
            continue;
        };
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
        for value in text.split(',') {
            let (values, value) = match value.strip_prefix('-') {
                Some(value) => (&mut condition.is_not, value),
                None => (&mut condition.is, value),
            };
            // PostgreSQL's text cannot hold U+0000, so no visit has it.
            if value.is_empty() || value.contains('\0') || value.chars().count() > MAX_CHARS {
                problems.push(format!(
                    "{name} must be values of 1 to {MAX_CHARS} characters, separated by commas"
                ));
                break;
            }
            values.push(value.to_owned());
        }
        if condition.is.len() + condition.is_not.len() > MAX_VALUES {
            problems.push(format!("{name} must be at most {MAX_VALUES} values"));
        }
    }
    conditions
}

fn unknown(report: &Report, name: &str) -> String {
    let params = report.params.iter().map(|param: &Param| param.name());
    let filters = report.filters.iter().map(|filter| filter.id);
    let known: Vec<&str> = params.chain(filters).collect();
    let name: String = name.chars().take(MAX_CHARS).collect();
    format!(
        "{name} is no parameter of this report; it takes {}",
        known.join(", ")
    )
}
