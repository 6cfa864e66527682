//! What the engine asks of a surface.

use super::{
    asked::{Asked, Grant},
    object::Object,
};
use crate::{app::App, catalog::Report, extract::Query, guard::Caller};
use axum::response::Response;
use jiff::Timestamp;
use runtime::http::ApiError;

/// How one surface speaks.
pub(crate) trait Dialect: 'static {
    /// Reads the parameters that the row allows; its window rule.
    fn read(report: &'static Report, query: &Query, now: Timestamp) -> Result<Asked, ApiError>;

    /// What the caller may have of what the row is about; its error codes.
    fn grant(
        app: &App,
        report: &Report,
        caller: &Caller,
        asked: &Asked,
    ) -> impl Future<Output = Result<Grant, ApiError>> + Send;

    /// What a choice that there is not is answered.
    fn no_such_choice(report: &Report, query: &Query, asked: &Asked) -> Result<Response, ApiError>;

    /// The answer in its envelope.
    fn respond(data: Object) -> Response;

    /// The answer as a file.
    fn respond_csv(text: String, asked: &Asked) -> Response;
}
