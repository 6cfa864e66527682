//! The limits of keys on the events API: a token bucket for each key and scope.
//!
//! The buckets are rows of the main database, so all instances share them. The one rule: scopes do
//! not affect each other.

use super::errors;
use crate::{
    app::App,
    auth::{Plan, Tenant},
    store,
};
use axum::response::{IntoResponse, Response};
use runtime::{
    http::{ApiError, throttled},
    throttle::{Limit, Standing},
};

/// A group of routes with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Lists of events.
    Events,
    /// Files of events.
    Export,
    /// Management of links.
    Crud,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Events, Self::Export, Self::Crud];

    /// Its name in errors.
    const fn name(self) -> &'static str {
        match self {
            Self::Events => "analytics_events",
            Self::Export => "analytics_export",
            Self::Crud => "crud",
        }
    }

    /// Its published limit in a plan; `RATE_LIMIT_<NAME>` overrides it.
    pub(super) const fn limit(self, plan: Plan) -> Limit {
        let (route, count) = match (self, plan) {
            (Self::Events, Plan::Starter) => ("analytics_events.starter", 30),
            (Self::Events, Plan::Pro) => ("analytics_events.pro", 60),
            (Self::Events, Plan::Enterprise) => ("analytics_events.enterprise", 300),
            (Self::Export, Plan::Starter) => ("analytics_export.starter", 5),
            (Self::Export, Plan::Pro) => ("analytics_export.pro", 10),
            (Self::Export, Plan::Enterprise) => ("analytics_export.enterprise", 30),
            (Self::Crud, Plan::Starter) => ("crud.starter", 10),
            (Self::Crud, Plan::Pro) => ("crud.pro", 30),
            (Self::Crud, Plan::Enterprise) => ("crud.enterprise", 300),
        };
        Limit {
            route,
            count,
            seconds: 60,
        }
    }
}

/// The limits of all scopes in all plans.
pub(crate) fn published() -> impl Iterator<Item = Limit> {
    let of = |scope: Scope| Plan::ALL.map(|plan| scope.limit(plan));
    Scope::ALL.into_iter().flat_map(of)
}

/// Spends one request of a key, and answers with what `handle` does. 429 when the limit is spent.
pub(super) async fn within<F>(app: &App, tenant: &Tenant, scope: Scope, handle: F) -> Response
where
    F: Future<Output = Result<Response, ApiError>>,
{
    match spend(app, tenant, scope).await {
        Ok(Some(standing)) => throttled::with_headers(answer(handle.await), standing),
        Ok(None) => answer(handle.await),
        Err(Spent::Limit(limit, standing)) => {
            metrics::counter!("http_throttled_total", "route" => limit.route).increment(1);
            let (count, seconds) = (limit.count, limit.seconds.max(1));
            let per_minute = count.saturating_mul(60).div_ceil(seconds);
            let wait = standing.retry_after_seconds;
            let refused = errors::scope_spent(scope.name(), per_minute, wait);
            throttled::with_headers(refused.into_response(), standing)
        }
        Err(Spent::Unknown(error)) => error.into_response(),
    }
}

fn answer(answered: Result<Response, ApiError>) -> Response {
    answered.unwrap_or_else(IntoResponse::into_response)
}

/// Why a request may not go on.
enum Spent {
    Limit(Limit, Standing),
    Unknown(ApiError),
}

async fn spend(app: &App, tenant: &Tenant, scope: Scope) -> Result<Option<Standing>, Spent> {
    let route = scope.limit(tenant.workspace.plan()).route;
    let Some(limit) = app.throttles.limit(route) else {
        return Ok(None);
    };
    // Members without a key share the bucket of their workspace.
    let key = tenant.key.as_ref();
    let id = key.map_or(tenant.workspace.id, |key| key.id);
    let now = app.clock.now();
    let (size, a_second) = rate(limit);
    let pool = app.main.pool().map_err(Spent::Unknown)?;
    let spent = store::buckets::spend(pool, id, scope.name(), (size, a_second), now);
    let (left, granted) = spent.await.map_err(|error| Spent::Unknown(error.into()))?;
    let standing = standing(limit, left, granted, now.as_second());
    if granted {
        Ok(Some(standing))
    } else {
        Err(Spent::Limit(limit, standing))
    }
}

/// What the arithmetic of fractions may add to a whole number.
const ROUNDING: f64 = 1e-6;

/// The size of a bucket, and the tokens that it gets back each second.
fn rate(limit: Limit) -> (f64, f64) {
    let size = f64::from(limit.count);
    (size, size / f64::from(limit.seconds.max(1)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers between zero and a limit's size and time"
)]
fn standing(limit: Limit, left: f64, granted: bool, now: i64) -> Standing {
    let (size, a_second) = rate(limit);
    // Rounded up and at least 1, because an earlier retry would be refused again.
    let wait = ((1.0 - left) / a_second - ROUNDING).ceil().max(1.0);
    Standing {
        limit: limit.count,
        remaining: (left + ROUNDING).max(0.0).floor() as u32,
        retry_after_seconds: if granted { 0 } else { wait as u32 },
        reset_epoch_seconds: now
            .saturating_add(((size - left) / a_second - ROUNDING).ceil() as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_bucket_says_whole_seconds_from_now() {
        let limit = Scope::Events.limit(Plan::Starter);
        let refused = |left| standing(limit, left, false, 1_000);
        // A token comes back every two seconds.
        assert_eq!(refused(0.0).retry_after_seconds, 2);
        assert_eq!(refused(0.4).retry_after_seconds, 2);
        assert_eq!(refused(0.9).retry_after_seconds, 1);
        assert_eq!(refused(0.999_999).retry_after_seconds, 1);
        assert_eq!(refused(0.0).reset_epoch_seconds, 1_060);
        let export = Scope::Export.limit(Plan::Starter);
        let refused = standing(export, 11.0 / 12.0, false, 1_000);
        assert_eq!(refused.retry_after_seconds, 1);
        let granted = standing(limit, 29.0, true, 1_000);
        assert_eq!(
            (granted.remaining, granted.reset_epoch_seconds),
            (29, 1_002)
        );
        assert_eq!(granted.retry_after_seconds, 0);
    }

    #[test]
    fn the_smallest_plan_has_the_published_numbers() {
        let counts = Scope::ALL.map(|scope| scope.limit(Plan::Starter).count);
        assert_eq!(counts, [30, 5, 10]);
        let all: std::collections::BTreeSet<&str> = published().map(|limit| limit.route).collect();
        assert_eq!(all.len(), 9);
    }
}
