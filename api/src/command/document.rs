//! Describes a command in the document, from its row alone.

use super::{Answer, Command, Subject};
use crate::{auth::Plan, paging, refusals};
use axum::http::StatusCode;
use runtime::{
    members,
    openapi::{Access, Document, Operation, Throttled, list, text, uuid},
};

/// Describes a command.
pub(crate) fn describe(document: &mut Document, tag: &'static str, command: &Command) {
    let (name, _) = command.handler;
    let mut operation = Operation::new(command.verb.method(), command.path, tag, name)
        .access(Access::Bearer)
        .refuses_while_away()
        .summary(command.summary)
        .refuses((command.refusals)());
    operation = match command.limit.limit(command.id) {
        Some(limit) => operation.throttled(Throttled::Always, limit, "user"),
        None => operation.shares_limit(Throttled::Always, &limit_of_plans()),
    };
    if !command.about.is_empty() {
        operation = operation.about(command.about);
    }
    operation = of_subject(operation, command.subject);
    // An object within the first one.
    for name in names_in(command.path).skip(1) {
        operation = operation.path_parameter(name, uuid());
    }
    if let Some(about) = command.page {
        operation = operation
            .query_parameter("bioPageId", uuid().about(about))
            .refuses([refusals::page_not_found()]);
    }
    for parameter in command.query {
        operation = operation
            .query_parameter(parameter.name, (parameter.schema)())
            .refuses_parameters();
    }
    if !command.body.is_empty() {
        operation = operation.body(members::schema(command.body));
    }
    let operation = match command.answer {
        Answer::Data(status, about, schema) => {
            let schema = schema(document);
            operation.answers(status, about, schema)
        }
        Answer::List(about, schema) => {
            let schema = list(schema(document));
            let beside = vec![dialects::pagination()];
            let operation = paging::describe(operation);
            operation.answers_beside(StatusCode::OK, about, schema, beside)
        }
        Answer::File(about, media_type) => {
            operation.answers_as(StatusCode::OK, about, media_type, text(usize::MAX))
        }
        Answer::Done(about) => operation.answers_done(about),
    };
    document.add(operation);
}

/// The names of the ids in a path.
fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn of_subject(operation: Operation, subject: Subject) -> Operation {
    match subject {
        Subject::User | Subject::Workspaces => operation,
        Subject::Creator => operation
            .path_parameter("creatorId", uuid().about("Your creator."))
            .refuses_parameters()
            .refuses([refusals::not_owner()]),
        Subject::Link => operation
            .path_parameter("linkId", uuid().about("The link."))
            .refuses_parameters()
            .refuses([refusals::not_link_owner(), refusals::link_not_found()]),
        Subject::OwnWorkspace(object) => operation
            .path_parameter(object.id, uuid().about(object.about))
            .refuses([refusals::permission_missing()]),
        Subject::Workspace => of_workspace(operation),
        Subject::Object(object) => {
            of_workspace(operation).path_parameter(object.id, uuid().about(object.about))
        }
    }
}

fn limit_of_plans() -> String {
    let of_plan = |plan: Plan| format!("{} ({})", plan.rate().count, plan.name());
    format!(
        "All requests of a workspace share its plan's limit an hour: {}.",
        Plan::ALL.map(of_plan).join(", ")
    )
}

/// What the guard does before every route of a workspace that only the plan limits.
pub(crate) fn of_workspace_plan(operation: Operation) -> Operation {
    of_workspace(operation.shares_limit(Throttled::Always, &limit_of_plans()))
}

/// What the guard does before every command of a workspace.
pub(crate) fn of_workspace(operation: Operation) -> Operation {
    let wanted = "The workspace of a token's user; by default the token's own, or the first.";
    operation
        .access(Access::BearerOrKey)
        .header_parameter("X-Workspace-Id", text(36).about(wanted))
        .refuses([
            refusals::invalid_key(),
            refusals::permission_missing(),
            refusals::not_a_member(),
            refusals::no_workspace(),
        ])
}
