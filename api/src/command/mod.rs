//! A command as a row: a route with its permission, limit, handler, body, answer and description.
//!
//! The router, the limits, the document and the test that calls every route as another tenant all
//! follow from the rows. Each row is next to its handler. The one rule: no other place repeats a
//! row.

mod document;

pub(crate) use document::{describe, of_workspace_plan};

use crate::{
    app::App,
    auth::{Allowance, Callers, Permission, Routes, Terms, guarded},
};
use axum::{
    http::{Method, StatusCode},
    routing::MethodFilter,
};
use runtime::{
    http::ApiError,
    members::{self, Body, Declared},
    openapi::{Document, Schema},
};
use serde_json::Value;
use std::sync::Arc;

/// A family of commands, a group in the document.
pub(crate) struct Family {
    /// Its name.
    pub(crate) tag: &'static str,
    /// Its description.
    pub(crate) about: &'static str,
    /// Its commands, in the order in which they are shown.
    pub(crate) commands: &'static [Command],
}

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its unique id, which also names its limit.
    pub id: &'static str,
    /// The method.
    pub verb: Verb,
    /// The path.
    pub path: &'static str,
    /// The object that the path names, which must be the caller's.
    pub subject: Subject,
    /// The permission that it requires.
    pub permission: Permission,
    /// How often it may be called.
    pub(crate) limit: Allowance,
    /// The handler's name, and the handler.
    pub(crate) handler: (&'static str, fn(MethodFilter) -> Routes),
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// A further description.
    pub(crate) about: &'static str,
    /// The meaning of the query's `bioPageId`, if it is read.
    pub page: Option<&'static str>,
    /// Its further parameters in the query.
    pub(crate) query: &'static [Parameter],
    /// The members of its body, if it has one.
    pub(crate) body: &'static [&'static dyn Declared],
    /// Its answer.
    pub(crate) answer: Answer,
    /// Its errors, besides those that follow from the rest of the row.
    pub(crate) refusals: fn() -> Vec<ApiError>,
}

/// A row without anything special, to be completed: a command of a workspace.
pub(crate) const WORKSPACE: Command = Command {
    id: "",
    verb: Verb::Get,
    path: "",
    subject: Subject::Workspace,
    permission: Permission(""),
    limit: Allowance::OfPlan,
    handler: ("", on_nothing),
    summary: "",
    about: "",
    page: None,
    query: &[],
    body: &[],
    answer: Answer::Done(""),
    refusals: Vec::new,
};

fn on_nothing(_: MethodFilter) -> Routes {
    Routes::new()
}

/// A parameter of the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its values, with a description.
    pub(crate) schema: fn() -> Schema,
}

/// The method of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// The object that a path names, which must be the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// None: the command is about the user.
    User,
    /// A creator, as `{creatorId}`.
    Creator,
    /// A link of a bio page, as `{linkId}`.
    Link,
    /// None: the command is about the user's workspaces, in the dialect of workspaces.
    Workspaces,
    /// A workspace of the user's, in the dialect of workspaces. The handler finds it and checks the
    /// permission.
    OwnWorkspace(Object),
    /// None: the command is about the caller's workspace.
    Workspace,
    /// An object of the caller's workspace.
    Object(Object),
}

/// An object of a workspace in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// The name of its id in the path: `keyId`.
    pub id: &'static str,
    /// What it is.
    pub about: &'static str,
}

impl Subject {
    /// Whether the route belongs to the surface of workspaces.
    #[must_use]
    pub const fn is_of_workspaces(self) -> bool {
        match self {
            Self::User | Self::Creator | Self::Link => false,
            Self::Workspaces | Self::OwnWorkspace(_) | Self::Workspace | Self::Object(_) => true,
        }
    }

    const fn callers(self) -> Callers {
        match self {
            Self::User | Self::Creator | Self::Link | Self::Workspaces | Self::OwnWorkspace(_) => {
                Callers::Users
            }
            Self::Workspace | Self::Object(_) => Callers::Members,
        }
    }
}

/// The answer of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// Data of a type, with a status and a description.
    Data(StatusCode, &'static str, fn(&mut Document) -> Schema),
    /// A page of a list, with the type of one of its entries.
    List(&'static str, fn(&mut Document) -> Schema),
    /// A file, with a description and its media type.
    File(&'static str, &'static str),
    /// Success without data.
    Done(&'static str),
}

impl Verb {
    /// The method.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl Command {
    /// Its route behind the guard.
    pub(crate) fn route(&self, app: &Arc<App>) -> Routes {
        let (_, handler) = self.handler;
        let terms = Terms {
            id: self.id,
            permission: self.permission,
            callers: self.subject.callers(),
            takes_turn: true,
        };
        guarded(app, terms, handler(self.verb.filter()))
    }

    /// A body with every member that has an example; `None` for a command without a body.
    #[must_use]
    pub fn example(&self) -> Option<Value> {
        (!self.body.is_empty()).then(|| members::example(self.body))
    }
}

/// The members of a body.
pub(crate) const fn body<B: Body>() -> &'static [&'static dyn Declared] {
    B::MEMBERS
}
