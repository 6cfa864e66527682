//! The surfaces: families of routes, each with its own dialect.
//!
//! A surface reads parameters, decides what the caller may read, and wraps the answer. The content
//! of the answer comes from the catalogue's rows, each of which becomes a route here.

pub(crate) mod creator;
pub(crate) mod events;
mod filters;
mod moment;
mod spelling;
pub(crate) mod workspace;
mod zone;

use crate::{
    app::App,
    auth::{Access, Callers, Permission, Routes, Terms, guarded},
    catalog::{REPORTS, Report, Surface},
    extract::{ObjectId, Query},
    query::{self, Dialect, Given},
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
    document.tag(
        workspace::openapi::TAG,
        "What visitors did with the links of a workspace. Clicks of machines and repeats within an hour are not counted. Windows are whole \
         days of a time zone, today included. Unknown parameters are answered 400.",
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
            Surface::Workspace => workspace::openapi::describe(document, report),
        }
    }
}

/// The events API, and a route for every row of the catalogue.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    REPORTS.iter().fold(events::routes(app), |router, report| {
        let (route, callers) = match report.surface {
            Surface::Creator => (route::<creator::Creator>(report), Callers::Users),
            Surface::Workspace => (route::<workspace::Workspace>(report), Callers::Members),
        };
        let terms = Terms {
            id: report.id,
            permission: Permission::REPORTS,
            callers,
            takes_turn: false,
        };
        router.route(report.path, guarded(app, terms, route))
    })
}

fn route<D: Dialect>(report: &'static Report) -> Routes {
    get(
        async move |State(app): State<Arc<App>>, access: Access, object: ObjectId, query: Query| {
            let given = Given {
                access: &access,
                object,
                query: &query,
                now: app.clock.now(),
            };
            query::answer::<D>(&app, report, given).await
        },
    )
}
