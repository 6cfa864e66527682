//! `GET /api/conversions/postback`: a network reports a conversion by opening an address.
//!
//! A postback changes something by GET, with an id that every visitor has seen. So HEAD, which
//! checkers of links send, does nothing, and a workspace may require a token of its own.

use super::{of_query, receive};
use crate::{
    app::App,
    conversions::{Tenant, refusals, wire::WirePosted},
    extract::Query,
    store,
};
use axum::{
    extract::State,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use runtime::http::{ApiError, ok, validate::parse_uuid};
use schemas::events::ConversionSource;
use std::sync::Arc;

/// Records a conversion of a click: 200 with the first result, also when it is a repeat.
pub(super) async fn post_back(
    State(app): State<Arc<App>>,
    method: Method,
    query: Query,
) -> Result<Response, ApiError> {
    if method == Method::HEAD {
        return Ok(().into_response());
    }
    let given = of_query(&query);
    let named = given.click.as_deref().map(str::trim).and_then(parse_uuid);
    let token = query.first("token");
    let recorded = receive(&app, ConversionSource::Postback, given, token.as_deref()).await?;
    let mut answer = ok(WirePosted {
        conversion_id: recorded.conversion.id,
        // A call without a click is refused.
        click_id: named.unwrap_or_default(),
        tracked: true,
        duplicate: recorded.is_duplicate,
    });
    // A cache between a network and us would swallow the next sale.
    let never = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(answer)
}

/// Checks the token of a workspace that requires one in postbacks. A pixel is in a public page, so
/// such a workspace takes none.
pub(super) async fn check_token(
    app: &App,
    tenant: Tenant,
    source: ConversionSource,
    token: Option<&str>,
) -> Result<(), ApiError> {
    let required = store::postback_tokens::find(app.main.pool()?, tenant.id).await?;
    let Some(required) = required else {
        return Ok(());
    };
    let given = token.map(store::postback_tokens::hash);
    let matches = given.is_some_and(|given| given.as_slice() == required);
    if source == ConversionSource::Postback && matches {
        return Ok(());
    }
    Err(refusals::wrong_token())
}
