//! The dialect of each surface: the envelopes of answers and errors, as bytes and as schemas.
//!
//! A separate crate, because several services use the same dialect and none depends on another.
//! Owns no route and no parameter: each service reads its own requests.

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
mod events;
mod workspace;

pub use creator::Creator;
pub use events::Events;
pub use workspace::{Workspace, pagination};

use runtime::{
    http::{Dialect, Surfaces},
    openapi::Described,
};

/// The dialect of each path, as the document describes it.
#[must_use]
pub fn described() -> Surfaces<dyn Described> {
    Surfaces::<dyn Described>::new(&Creator)
        .with(&workspace::PATHS, &Workspace)
        .with(&events::PATHS, &Events)
}

/// The dialect of each path, as servers write it.
#[must_use]
pub fn spoken() -> Surfaces {
    described().map(|dialect| dialect as &dyn Dialect)
}
