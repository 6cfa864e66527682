//! Describes the creator surface's reports in the OpenAPI document, from the catalogue.

use super::{
    PREVIOUS, days,
    filters::{MAX_CHARS, MAX_VALUES},
};
use crate::{
    catalog::{Dimension, Format, Param, Report, Shape, Values},
    members::PAGE_ABOUT,
    query, refusals,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Access, Document, Operation, Schema, Throttled, list, text, uuid, whole, word_of,
};
use schemas::values::Spelling;

/// The family of these operations in the document.
pub(in crate::surfaces) const TAG: &str = "Reports";

/// Describes the route of a row.
pub(in crate::surfaces) fn describe(document: &mut Document, report: &'static Report) {
    let id = format!("get_{}", report.id.replace('.', "_"));
    let limit = report.limit.of(report.id);
    let mut operation = Operation::new(Method::GET, report.path, TAG, id)
        .access(Access::Bearer)
        .throttled(Throttled::Always, limit, "user")
        .refuses_while_away()
        .summary(report.summary)
        .refuses_parameters()
        .refuses([
            refusals::creator_not_found(),
            refusals::reported_page_not_found(),
            refusals::report_busy(),
            refusals::report_timeout(""),
        ]);
    for param in report.params {
        operation = with_param(operation, *param, report);
    }
    for dimension in report.filters {
        operation = operation.query_list(dimension.id, filter(dimension));
    }
    let answer = query::openapi::answer(report);
    let operation = match report.format {
        Format::Json => {
            let name = report.id.rsplit('.').next().unwrap_or_default();
            let data = document.name(&format!("Creator{}", capitalized(name)), answer);
            operation.answers(StatusCode::OK, "The numbers.", data)
        }
        Format::Csv => operation
            .answers_as(
                StatusCode::OK,
                "A file of comma-separated values.",
                "text/csv",
                answer,
            )
            .answer_header(
                "Content-Disposition",
                true,
                text(usize::MAX).about("The file's name."),
            ),
    };
    document.add(operation);
}

fn with_param(operation: Operation, param: Param, report: &Report) -> Operation {
    let name = report.param_name(param);
    match (param, &report.shape) {
        (Param::Days, _) => operation.query_parameter(name, window()),
        (Param::Page, _) => operation.query_parameter(name, uuid().about(PAGE_ABOUT)),
        (Param::Timezone, _) => operation.query_parameter(
            name,
            text(usize::MAX)
                .default("UTC")
                .about("Time zone of days and hours: an IANA name, such as `Europe/Istanbul`, in any case."),
        ),
        (Param::Compare, _) => operation.query_parameter(
            name,
            word_of(&[PREVIOUS])
                .about("Adds the previous window, and the change of each number."),
        ),
        (Param::Dimension | Param::Export, Shape::Choice(choice)) => {
            let names: Vec<&str> = choice.of.iter().map(|named| named.name).collect();
            let about = match report.format {
                Format::Json => "The dimension of the rows.",
                Format::Csv => "The report. With another value, or none, the file lists the valid ones.",
            };
            operation.required_query_parameter(name, word_of(&names).about(about))
        }
        // Such a row does not exist, which a test of the catalogue checks.
        (Param::Dimension | Param::Export, _) => operation,
    }
}

fn window() -> Schema {
    whole(1..=i64::from(days::MAX))
        .default(days::DEFAULT)
        .about("How many days back, read like JavaScript's `parseInt`. Non-numeric values and values below 1 mean the default; larger values are capped.")
}

fn filter(dimension: &Dimension) -> Schema {
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
        Values::Any | Values::Few | Values::Known => (String::new(), ""),
    };
    list(text(MAX_CHARS))
        .with("minItems", 1)
        .with("maxItems", MAX_VALUES)
        .about(format!(
            "Only visits whose value is one of these: {}{known}; `{}`, or an empty value, selects visits without one.{case} A `-` before a value excludes the visits that have it. A backslash escapes the next character, such as a comma. The parameter may be repeated.",
            dimension.about, dimension.null_label
        ))
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
