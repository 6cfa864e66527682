//! How a surface answers: the form of its data and errors, and the paths that belong to it.
//!
//! Handlers answer with data or with an [`ApiError`] and know no envelope. The outermost layer
//! ([`finish`](super::finish)) asks the dialect of the request's path for the body. So the errors
//! of routers and middlewares have the same form as those of handlers.

use super::ApiError;
use axum::http::{HeaderValue, StatusCode};
use serde_json::Value;
use std::fmt::Debug;

/// The form in which one surface answers.
pub trait Dialect: Debug + Send + Sync {
    /// The JSON body of an answer with this status. `data` is JSON text.
    fn data(&self, status: StatusCode, data: &[u8]) -> Vec<u8>;

    /// The JSON body of an answer with members beside its data. `beside` is the JSON text of an
    /// object. A dialect whose envelope has no such members omits them.
    fn data_beside(&self, status: StatusCode, data: &[u8], beside: &[u8]) -> Vec<u8> {
        let _ = beside;
        self.data(status, data)
    }

    /// The JSON body of an answer that has nothing to return.
    fn done(&self) -> Vec<u8>;

    /// The JSON body of an error.
    fn error(&self, error: &ApiError, correlation_id: &str) -> Value;

    /// The value of `WWW-Authenticate` in a 401: how callers prove who they are.
    fn challenge(&self) -> HeaderValue;
}

/// The dialect of each path.
#[derive(Debug)]
pub struct Surfaces<D: ?Sized + 'static = dyn Dialect> {
    usual: &'static D,
    others: Vec<(&'static [&'static str], &'static D)>,
}

impl<D: ?Sized> Clone for Surfaces<D> {
    fn clone(&self) -> Self {
        Self {
            usual: self.usual,
            others: self.others.clone(),
        }
    }
}

impl<D: ?Sized> Surfaces<D> {
    /// This dialect for every path of no other surface.
    #[must_use]
    pub const fn new(usual: &'static D) -> Self {
        Self {
            usual,
            others: Vec::new(),
        }
    }

    /// Another dialect for these paths and all paths below them.
    #[must_use]
    pub fn with(mut self, prefixes: &'static [&'static str], dialect: &'static D) -> Self {
        self.others.push((prefixes, dialect));
        self
    }

    /// The dialect of a path. The longest prefix that ends at the end of a segment decides.
    #[must_use]
    pub fn of(&self, path: &str) -> &'static D {
        let holds = |prefix: &str| {
            // Whole segments only, so that `/api` does not own `/apis`.
            let rest = path.strip_prefix(prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let each = self.others.iter().flat_map(|(prefixes, dialect)| {
            let prefixes = prefixes.iter();
            prefixes.map(move |prefix| (*prefix, *dialect))
        });
        each.filter(|(prefix, _)| holds(prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map_or(self.usual, |(_, dialect)| dialect)
    }

    /// Every dialect, the usual one first.
    pub fn dialects(&self) -> impl Iterator<Item = &'static D> {
        let others = self.others.iter().map(|(_, dialect)| *dialect);
        [self.usual].into_iter().chain(others)
    }

    /// The same surfaces, seen as another type of dialect.
    #[must_use]
    pub fn map<E: ?Sized>(&self, view: impl Fn(&'static D) -> &'static E) -> Surfaces<E> {
        let others = self.others.iter();
        Surfaces {
            usual: view(self.usual),
            others: others
                .map(|(prefixes, dialect)| (*prefixes, view(dialect)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
