//! Paths without a route: other spellings of a page's address, and unknown addresses.

use super::{Public, error_page};
use crate::refusals;
use axum::{
    extract::{Request, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use runtime::http::finish::CorrelationId;
use std::sync::Arc;

/// `/@` as some programs write it in shared addresses.
const ENCODED_AT: &str = "/%40";

/// Redirects to the page that was meant, or answers 404: with a page below `/@`, elsewhere in the
/// envelope.
pub(super) async fn look(State(public): State<Arc<Public>>, request: Request) -> Response {
    if let Some(address) = meant(request.uri()) {
        return Redirect::permanent(&address).into_response();
    }
    if !request.uri().path().starts_with("/@") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let id = request.extensions().get::<CorrelationId>().copied();
    error_page::write(&public.app, refusals::page_not_found().into_response(), id)
}

/// The address of a page that was written with a slash at its end or an encoded `@`.
fn meant(uri: &Uri) -> Option<String> {
    let path = uri.path();
    let name = path
        .strip_prefix("/@")
        .or_else(|| path.strip_prefix(ENCODED_AT))?;
    let name = name.trim_end_matches('/');
    // It begins with `/@` and a name, so it cannot lead to another site.
    let address = format!("/@{name}");
    let other = address != path && !name.is_empty() && !name.starts_with('/');
    other.then(|| match uri.query() {
        Some(query) => format!("{address}?{query}"),
        None => address,
    })
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn other_spellings_of_an_address_lead_to_it() {
        for (path, address) in [
            ("/@ada/", Some("/@ada")),
            ("/@ada//?utm_source=x", Some("/@ada?utm_source=x")),
            ("/@ada/second/", Some("/@ada/second")),
            ("/%40ada", Some("/@ada")),
            ("/%40ada/second/?a=b", Some("/@ada/second?a=b")),
            ("/@ada", None),
            ("/@ada/second/third", None),
            ("/@", None),
            ("/@/", None),
            ("/@//evil.example/", None),
            ("/%40/evil.example", None),
            ("/api/v1/", None),
        ] {
            assert_eq!(meant(&path.parse().unwrap()).as_deref(), address, "{path}");
        }
    }
}
