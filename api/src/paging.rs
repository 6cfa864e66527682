//! Pages of lists on the surface of workspaces: `page` and `limit`, and `pagination` in the answer.

use crate::extract::Query;
use axum::response::Response;
use runtime::{
    http::{ApiError, ok_beside},
    openapi::{Operation, whole},
};
use serde::Serialize;
use serde_json::json;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;
/// The last page that can be asked for: the database reads every row before a page, so the work of a
/// request stays bounded.
const MAX_PAGE: i64 = 10_000;

/// Which page of a list a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    page: i64,
    limit: i64,
}

impl Paging {
    /// Reads `page` and `limit`; 400 for anything but whole numbers in their bounds.
    pub(crate) fn read(query: &Query) -> Result<Self, ApiError> {
        let mut problems = Vec::new();
        let mut whole = |name: &str, default: i64, max: i64| {
            let Some(text) = query.first(name) else {
                return default;
            };
            let given = text.parse().ok().filter(|given| (1..=max).contains(given));
            given.unwrap_or_else(|| {
                problems.push(format!("{name} must be a whole number from 1 to {max}"));
                default
            })
        };
        let page = whole("page", 1, MAX_PAGE);
        let limit = whole("limit", DEFAULT_LIMIT, MAX_LIMIT);
        if problems.is_empty() {
            Ok(Self { page, limit })
        } else {
            Err(ApiError::validation(problems))
        }
    }

    /// How many rows, and how many before them.
    pub(crate) const fn limit_and_offset(self) -> (i64, i64) {
        (self.limit, (self.page - 1) * self.limit)
    }

    /// The answer with a page of this many rows in all.
    pub(crate) fn answer<T: Serialize>(self, rows: &[T], total: i64) -> Response {
        let pagination = json!({
            "total": total,
            "page": self.page,
            "limit": self.limit,
            "hasMore": self.page * self.limit < total,
        });
        ok_beside(rows, json!({ "pagination": pagination }))
    }
}

/// Describes the parameters.
pub(crate) fn describe(operation: Operation) -> Operation {
    let page = whole(1..=MAX_PAGE).default(1).about("The page.");
    let limit = whole(1..=MAX_LIMIT).default(DEFAULT_LIMIT);
    operation
        .query_parameter("page", page)
        .query_parameter("limit", limit.about("The size of a page."))
        .refuses_parameters()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_part_of_the_rows() {
        let read = |query: &str| Paging::read(&Query::from(query)).map(Paging::limit_and_offset);
        assert_eq!(read("").unwrap(), (20, 0));
        assert_eq!(read("page=3&limit=50").unwrap(), (50, 100));
        assert_eq!(read("limit=100").unwrap(), (100, 0));
        for wrong in [
            "page=0",
            "page=x",
            "page=",
            "limit=101",
            "limit=-1",
            "page=1.5",
        ] {
            let error = read(wrong).unwrap_err();
            assert_eq!(error.details.len(), 1, "{wrong}");
        }
        assert_eq!(read("page=0&limit=0").unwrap_err().details.len(), 2);
    }
}
