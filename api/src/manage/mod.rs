//! The commands of the api: every route except reports and public pages.

mod asked;
mod campaigns;
mod conversions;
mod counts;
mod creators;
mod customers;
mod deep_links;
mod domains;
mod folders;
mod keys;
pub(crate) mod links;
mod managed;
mod members;
mod mobile_apps;
mod plain;
mod qr_codes;
mod rules;
pub(crate) mod short_links;
mod tags;
pub(crate) mod target;
mod webhooks;
mod work;
mod workspaces;

pub(crate) use domains::of_public_url as host_of_public_url;

use crate::{
    app::App,
    command::{self, Command, Family},
};
use axum::Router;
use runtime::{openapi::Document, throttle::Limit};
use std::sync::Arc;

const FAMILIES: [&Family; 16] = [
    &creators::FAMILY,
    &links::FAMILY,
    &workspaces::FAMILY,
    &members::FAMILY,
    &keys::FAMILY,
    &conversions::FAMILY,
    &customers::FAMILY,
    &domains::FAMILY,
    &mobile_apps::FAMILY,
    &short_links::FAMILY,
    &campaigns::FAMILY,
    &folders::FAMILY,
    &tags::FAMILY,
    &rules::FAMILY,
    &qr_codes::FAMILY,
    &webhooks::FAMILY,
];

/// Every command.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    FAMILIES.into_iter().flat_map(|family| family.commands)
}

/// The limits of every command that has its own, as published.
pub(crate) fn limits() -> impl Iterator<Item = Limit> {
    commands().filter_map(|command| command.limit.limit(command.id))
}

/// The routes of every command.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    commands().fold(Router::new(), |router, command| {
        router.route(command.path, command.route(app))
    })
}

/// Describes every command.
pub(crate) fn describe(document: &mut Document) {
    for family in FAMILIES {
        document.tag(family.tag, family.about);
        for command in family.commands {
            command::describe(document, family.tag, command);
        }
    }
}
