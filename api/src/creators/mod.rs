//! Creators and their pages: who has what, and making it.

mod openapi;
mod pages;
mod provision;
mod reserved;
mod settings;
mod username;
mod wire;

pub(crate) use openapi::describe;
pub(crate) use pages::{add_page, get_page};
pub(crate) use provision::{create_creator, get_creator};
pub(crate) use settings::update_page;
