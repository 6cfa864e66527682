//! Describes the workspace surface's reports in the OpenAPI document, from the catalogue.

use super::{interval, narrow, subject, window};
use crate::{
    catalog::{Param, Report, Scope},
    command::of_workspace_plan,
    query, refusals,
    surfaces::filters,
};
use axum::http::{Method, StatusCode};
use runtime::openapi::{Document, Operation, Schema, list, text, uuid, whole, word_of};
use schemas::analytics::Buckets;

/// The family of these operations in the document.
pub(in crate::surfaces) const TAG: &str = "Reports of links";

/// Describes the route of a row.
pub(in crate::surfaces) fn describe(document: &mut Document, report: &'static Report) {
    let id = format!("get_{}", report.id.replace('.', "_"));
    let operation = Operation::new(Method::GET, report.path, TAG, id);
    let mut operation = of_workspace_plan(operation)
        .refuses_while_away()
        .summary(report.summary)
        .refuses_parameters()
        .refuses([refusals::report_busy(), refusals::report_timeout("")]);
    operation = match report.scope {
        Scope::Link => operation
            .path_parameter("linkId", uuid().about("The link."))
            .refuses([refusals::short_link_not_found()]),
        Scope::Qr => operation
            .path_parameter("qrId", uuid().about("The QR code."))
            .refuses([refusals::qr_not_found()]),
        Scope::Page | Scope::Campaign | Scope::Workspace => operation,
    };
    for param in report.params {
        operation = with_param(operation, *param, report);
    }
    for dimension in report.filters {
        operation = operation.query_list(dimension.id, filters::schema(dimension, "clicks"));
    }
    let answer = query::openapi::answer(report, &subject::schema(report.scope));
    let mut name = String::new();
    for word in report.id.split('.').skip(1) {
        let mut chars = word.chars();
        name.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(chars.as_str());
    }
    let data = document.name(&name, answer);
    let beside = query::meta::schema(report);
    document.add(operation.answers_beside(StatusCode::OK, "The numbers.", data, beside));
}

fn with_param(operation: Operation, param: Param, report: &Report) -> Operation {
    let name = report.param_name(param);
    let moment = |about: &str| text(usize::MAX).about(about.to_owned());
    let schema = match param {
        Param::Days => whole(1..=i64::MAX).default(window::DEFAULT).about(format!(
            "How many days, today included; larger values than {} are capped. `start` and `end` override it.",
            window::MAX
        )),
        Param::Start => moment("The beginning: a date of the time zone, or a time in RFC 3339."),
        Param::End => moment("The end, included: a date of the time zone, or a time in RFC 3339; now by default."),
        Param::Interval => word_of(&interval::NAMES).about(
            "A window with a name, which ends now; `start` and `end` override it, and it overrides `days`. `24h` has whole hours, `1y` 365 days, \
             `mtd`, `qtd` and `ytd` begin with the month, the quarter and the year. `all` has nothing to compare with.",
        ),
        Param::Timezone => text(usize::MAX).about(
            "Time zone of days and hours, an IANA name; by default, and if it is unknown, that of the workspace.",
        ),
        Param::Currency => text(usize::MAX).about(
            "Currency of amounts, by its ISO code; by default, and if it is unknown, that of the workspace.",
        ),
        Param::Granularity => word_of(&Buckets::SIZES.map(Buckets::name))
            .default(Buckets::Day.name())
            .about(
                "The size of the buckets. More than 7 days of hours are shown by day, more than a year of days by month. Without it, \
                 an `interval` chooses: hours for up to 2 days, months for more than 180.",
            ),
        Param::Compare => word_of(&["previous", "yoy", "none"])
            .default("previous")
            .about("The window to compare with: as long and just before, or a year earlier."),
        Param::Bots => word_of(&["true", "false"]).default("false").about(
            "Whether clicks of machines count like those of people. Repeats within an hour stay out.",
        ),
        Param::Campaign => uuid().about("Only clicks on links of this campaign, while they belonged to it."),
        Param::Link => uuid().about("Only clicks on this link."),
        Param::Folder => groups("in one of these folders"),
        Param::Tag => groups("with one of these tags"),
        // No row of this surface has them.
        Param::Page | Param::Dimension | Param::Export => return operation,
    };
    let operation = match param {
        Param::Folder | Param::Tag => operation.query_list(name, schema),
        _ => operation.query_parameter(name, schema),
    };
    match param {
        Param::Campaign => operation.refuses([refusals::campaign_not_found()]),
        Param::Link => operation.refuses([refusals::short_link_not_found()]),
        Param::Folder => operation.refuses([refusals::folder_not_found()]),
        Param::Tag => operation.refuses([refusals::tag_not_found()]),
        _ => operation,
    }
}

fn groups(which: &str) -> Schema {
    list(uuid())
        .with("minItems", 1)
        .with("maxItems", filters::MAX_VALUES)
        .about(format!(
            "Only clicks on links that are now {which}, {} links at most. Deleted links are among them.",
            narrow::MOST_LINKS
        ))
}
