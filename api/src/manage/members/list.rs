//! `GET /api/members`: lists the members of a workspace.

use super::{errors, wire::WireMember};
use crate::{
    auth::Permission,
    command::{Answer, Command, Verb, WORKSPACE},
    manage::{
        asked::Asked,
        managed::{Managed, list_objects},
    },
    store::members::Member,
};
use axum::routing::on;
use runtime::{http::ApiError, openapi::Document};

pub(super) const LIST_MEMBERS: Command = Command {
    id: "members.list",
    verb: Verb::Get,
    path: "/api/members",
    permission: Permission("members:read"),
    handler: ("list_members", |by| on(by, list_objects::<Member>)),
    summary: "The members of the workspace, in the order in which they joined.",
    answer: Answer::List("A page of members.", Document::type_of::<WireMember>),
    ..WORKSPACE
};

impl Managed for Member {
    type Wire = WireMember;
    const NOT_FOUND: fn() -> ApiError = errors::not_found;

    fn filter(_: &mut Asked<'_>) {}
}
