//! How each surface speaks: the envelopes of answers and errors, as bytes and as schemas.
//!
//! A crate of its own, because several services speak the same dialect and none depends on another.
//! Owns no route and no parameter: how a surface reads a request is its service's work.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod creator;

pub use creator::Creator;

use runtime::{
    http::{Dialect, Surfaces},
    openapi::Described,
};

/// The dialect of every path, as the document describes it.
#[must_use]
pub fn described() -> Surfaces<dyn Described> {
    Surfaces::new(&Creator)
}

/// The dialect of every path, as servers write it.
#[must_use]
pub fn spoken() -> Surfaces {
    described().map(|dialect| dialect as &dyn Dialect)
}
