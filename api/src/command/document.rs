//! Describes a command in the document, from its row alone.

use super::{Answer, Command, Subject};
use crate::{auth::Plan, refusals};
use runtime::{
    members,
    openapi::{Access, Document, Operation, Throttled, uuid},
};

/// Describes a command.
pub(crate) fn describe(document: &mut Document, tag: &'static str, command: &Command) {
    let (name, _) = command.handler;
    let limit = command.limit.limit(command.id, Plan::Standard);
    let mut operation = Operation::new(command.verb.method(), command.path, tag, name)
        .access(Access::Bearer)
        .throttled(Throttled::Always, limit, "user")
        .refuses_while_away()
        .summary(command.summary)
        .refuses((command.refusals)());
    if !command.about.is_empty() {
        operation = operation.about(command.about);
    }
    operation = of_subject(operation, command.subject);
    if let Some(about) = command.page {
        operation = operation
            .query_parameter("bioPageId", uuid().about(about))
            .refuses([refusals::page_not_found()]);
    }
    if !command.body.is_empty() {
        operation = operation.body(members::schema(command.body));
    }
    let operation = match command.answer {
        Answer::Data(status, about, schema) => {
            let schema = schema(document);
            operation.answers(status, about, schema)
        }
        Answer::Done(about) => operation.answers_done(about),
    };
    document.add(operation);
}

fn of_subject(operation: Operation, subject: Subject) -> Operation {
    match subject {
        Subject::User => operation,
        Subject::Creator => operation
            .path_parameter("creatorId", uuid().about("Your creator."))
            .refuses_parameters()
            .refuses([refusals::not_owner()]),
        Subject::Link => operation
            .path_parameter("linkId", uuid().about("The link."))
            .refuses_parameters()
            .refuses([refusals::not_link_owner(), refusals::link_not_found()]),
    }
}
