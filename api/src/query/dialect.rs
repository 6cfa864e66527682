//! What the engine needs from a surface: its parameters, its windows, its rights.

use super::asked::{Asked, Given, Grant};
use crate::{app::App, catalog::Report, extract::Query};
use axum::response::Response;
use runtime::http::ApiError;

/// How one surface reads requests.
pub(crate) trait Dialect: 'static {
    /// Reads the parameters that the row allows, and applies the surface's window rule.
    fn read(report: &'static Report, given: Given<'_>) -> Result<Asked, ApiError>;

    /// What the caller may read for this row; otherwise an error of the surface.
    fn grant(
        app: &App,
        report: &Report,
        given: Given<'_>,
        asked: &Asked,
    ) -> impl Future<Output = Result<Grant, ApiError>> + Send;

    /// Answers a request for a choice that does not exist.
    fn no_such_choice(report: &Report, query: &Query, asked: &Asked) -> Result<Response, ApiError>;

    /// The answer as a file.
    fn respond_csv(text: String, asked: &Asked) -> Response;
}
