//! Describes the creator surface's reports in the OpenAPI document, from the catalogue.

use super::{PREVIOUS, days};
use crate::surfaces::filters;
use crate::{
    catalog::{Format, Param, Report, Shape},
    members::PAGE_ABOUT,
    query, refusals,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{
    Access, Document, Operation, Schema, Throttled, object, text, uuid, whole, word_of,
};

/// The family of these operations in the document.
pub(in crate::surfaces) const TAG: &str = "Reports";

/// Describes the route of a row.
pub(in crate::surfaces) fn describe(document: &mut Document, report: &'static Report) {
    let id = format!("get_{}", report.id.replace('.', "_"));
    let mut operation = Operation::new(Method::GET, report.path, TAG, id)
        .access(Access::Bearer)
        .refuses_while_away()
        .summary(report.summary)
        .refuses_parameters()
        .refuses([
            refusals::creator_not_found(),
            refusals::reported_page_not_found(),
            refusals::report_busy(),
            refusals::report_timeout(""),
        ]);
    if let Some(limit) = report.limit {
        operation = operation.throttled(Throttled::Always, limit.of(report.id), "user");
    }
    for param in report.params {
        operation = with_param(operation, *param, report);
    }
    for dimension in report.filters {
        operation = operation.query_list(dimension.id, filters::schema(dimension, "visits"));
    }
    let answer = query::openapi::answer(report, &object([]));
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
        // No row of this surface has the others, and a choice has its parameter, which a test of the
        // catalogue checks.
        (_, _) => operation,
    }
}

fn window() -> Schema {
    whole(1..=i64::from(days::MAX))
        .default(days::DEFAULT)
        .about("How many days back, read like JavaScript's `parseInt`. Non-numeric values and values below 1 mean the default; larger values are capped.")
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
