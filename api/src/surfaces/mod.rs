//! The surfaces: families of routes, each with its own dialect.
//!
//! A surface reads parameters, decides what the caller may read, and wraps the answer. The content
//! of the answer comes from the catalogue's rows, each of which becomes a route here.

pub(crate) mod creator;
pub(crate) mod events;

use crate::{
    app::App,
    auth::{Access, Callers, Permission, Routes, Terms, guarded},
    catalog::{REPORTS, Report, Surface},
    extract::Query,
    query::{self, Dialect},
};
use axum::{Router, extract::State, routing::get};
use runtime::openapi::Document;
use std::sync::Arc;

/// Describes the route of every row.
pub(crate) fn describe(document: &mut Document) {
    document.tag(
        creator::openapi::TAG,
        "What visitors did on a page. Windows begin the given number of days ago, rounded down to a quarter of an hour, and have no \
         end. Unknown parameters are answered 400.",
    );
    document.share(
        "RateLimitedOrBusy",
        &["error.rate_limited", "error.report.busy"],
    );
    document.share(
        "UnavailableOrTooSlow",
        &["error.report.timeout", "error.service_unavailable"],
    );
    events::describe(document);
    for report in REPORTS {
        match report.surface {
            Surface::Creator => creator::openapi::describe(document, report),
        }
    }
}

/// The events API, and a route for every row of the catalogue.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    REPORTS.iter().fold(events::routes(app), |router, report| {
        let route = match report.surface {
            Surface::Creator => route::<creator::Creator>(report),
        };
        let terms = Terms {
            id: report.id,
            permission: Permission::REPORTS,
            callers: Callers::Users,
        };
        router.route(report.path, guarded(app, terms, route))
    })
}

fn route<D: Dialect>(report: &'static Report) -> Routes {
    get(
        async move |State(app): State<Arc<App>>, access: Access, query: Query| {
            query::answer::<D>(&app, report, &access, &query).await
        },
    )
}
