//! The engine: a request becomes a row's plan, the plan a statement, its rows an answer.
//!
//! The way: row of the catalogue, grant, params ([`run`]), names from the main database ([`names`]),
//! [`plan`], the tenant's turn, the source's answer ([`reading`], `sources`), numbers ([`compose`]), envelope (the row's surface).
//! Nothing here knows a single report.

mod asked;
mod compose;
mod csv;
mod dialect;
mod names;
mod object;
pub(crate) mod openapi;
mod plan;
pub(crate) mod reading;
mod run;
mod trial;

pub(crate) use asked::{Asked, Grant};
pub(crate) use dialect::Dialect;
pub(crate) use run::answer;
pub use trial::{Question, answer_from_rows, report_statements};

#[cfg(test)]
mod tests;
