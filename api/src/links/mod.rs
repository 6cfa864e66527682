//! Links of bio pages: what people may write into them, and what we make of it.
//!
//! `add`, `update`, `delete` and `reorder` touch the database, each in one transaction that has locked
//! the page first; everything else here is a function of its input.

mod add;
mod delete;
pub(crate) mod destination;
mod draft;
mod edit;
pub(crate) mod embed;
mod markup;
mod members;
mod openapi;
mod own;
mod plain_text;
mod reorder;
mod schedule;
mod short_code;
mod update;
mod wire;
mod words;

pub(crate) use add::add_link;
pub(crate) use delete::delete_link;
pub(crate) use openapi::describe;
pub(crate) use plain_text::{plain_line, plain_text};
pub(crate) use reorder::reorder_links;
pub(crate) use update::update_link;
pub(crate) use wire::WireLink;
pub(crate) use words::WORDS_FILE;
pub use words::Words;
