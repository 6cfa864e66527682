//! Links of bio pages: what people may write into them, and what we make of it.
//!
//! Everything here is a function of its input; `add` alone touches the database.

mod add;
mod destination;
mod draft;
mod embed;
mod plain_text;
mod schedule;
mod short_code;
mod wire;
mod words;

pub(crate) use add::add_link;
pub(crate) use plain_text::plain_text;
pub(crate) use wire::WireLink;
pub use words::Words;
