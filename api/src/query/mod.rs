//! The engine: turns a request into a plan, the plan into a statement, its rows into an answer.
//!
//! The steps: the row of the catalogue, parameters and grant ([`run`]), the tenant's turn, names
//! from the main database ([`names`]), [`plan`], the source's answer ([`reading`], `sources`),
//! numbers ([`compose`]), the envelope (the row's surface). No code here depends on a single
//! report.

mod asked;
mod board;
mod compose;
pub(crate) mod csv;
mod dialect;
pub(crate) mod meta;
mod money;
mod names;
mod object;
pub(crate) mod openapi;
mod plan;
pub(crate) mod reading;
mod run;
mod tally;
mod trial;

pub(crate) use asked::{Asked, Given, Grant};
pub(crate) use dialect::Dialect;
pub(crate) use money::Money;
pub(crate) use run::answer;
pub use tally::tally_statements;
pub(crate) use tally::{Tallied, tally};
pub use trial::{Question, answer_from_rows, report_statements};

#[cfg(test)]
mod tests;
