//! What the engine asks of a surface: its parameters, its windows, what its callers may have.

use super::asked::{Asked, Grant};
use crate::{app::App, auth::Access, catalog::Report, extract::Query};
use axum::response::Response;
use jiff::Timestamp;
use runtime::http::ApiError;

/// How one surface asks.
pub(crate) trait Dialect: 'static {
    /// Reads the parameters that the row allows; its window rule.
    fn read(report: &'static Report, query: &Query, now: Timestamp) -> Result<Asked, ApiError>;

    /// What the caller may have of what the row is about; its error codes.
    fn grant(
        app: &App,
        report: &Report,
        access: &Access,
        asked: &Asked,
    ) -> impl Future<Output = Result<Grant, ApiError>> + Send;

    /// What a choice that there is not is answered.
    fn no_such_choice(report: &Report, query: &Query, asked: &Asked) -> Result<Response, ApiError>;

    /// The answer as a file.
    fn respond_csv(text: String, asked: &Asked) -> Response;
}
