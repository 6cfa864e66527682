//! Admits requests with a valid token, unless their address has just sent many invalid ones.
//!
//! Verifying a signature with a public key costs far more CPU than anything else before a handler.
//! So bad and missing tokens spend a limit of their address. Once it is spent, unknown tokens of
//! that address are refused unread. A valid token spends nothing, and one that was checked before
//! always passes, regardless of others behind the same address. Where checking is cheap (HS256),
//! every valid token passes.

use super::{Claims, Unauthorized, Verifier};
use crate::{
    Clock,
    http::{ApiError, client::neighbourhood, throttled},
    throttle::{Limit, Standing, Throttles},
};
use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use moka::sync::Cache;
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// Limit on bad and missing tokens of one client address.
pub const BAD_TOKENS: Limit = Limit {
    route: "auth.token",
    count: 60,
    seconds: 60,
};
/// Most addresses that are remembered to have spent the limit.
const MAX_SPENT: u64 = 100_000;

/// Lets callers with a valid token pass.
#[derive(Clone)]
pub struct Gate {
    verifier: Verifier,
    throttles: Throttles,
    clock: Arc<dyn Clock>,
    /// Until when an address is refused, by the monotonic clock.
    spent: Cache<IpAddr, Duration>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token is missing or not valid: 401.
    Unauthorized,
    /// The address has spent [`BAD_TOKENS`]: 429.
    Throttled(Standing),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => ApiError::unauthorized().into_response(),
            Self::Throttled(standing) => throttled::refuse(BAD_TOKENS.route, standing),
        }
    }
}

impl Gate {
    /// Checks tokens with that verifier. `throttles` must include [`BAD_TOKENS`].
    #[must_use]
    pub fn new(verifier: Verifier, throttles: Throttles, clock: Arc<dyn Clock>) -> Self {
        Self {
            verifier,
            throttles,
            clock,
            spent: Cache::new(MAX_SPENT),
        }
    }

    /// The claims of the token in a request with these headers, from that client.
    ///
    /// # Errors
    /// [`Refused`] without a valid token.
    pub fn admit(&self, headers: &HeaderMap, client: IpAddr) -> Result<Claims, Refused> {
        let client = neighbourhood(client);
        let token = bearer(headers);
        // From a spent address, only tokens that are cheap to check are read.
        let readable = |token: &&str| !self.is_spent(client) || self.verifier.is_cheap(token);
        let checked = token
            .filter(readable)
            .ok_or(Unauthorized)
            .and_then(|token| self.verifier.verify(token, self.clock.now()));
        checked.map_err(|Unauthorized| self.refuse(client))
    }

    fn is_spent(&self, client: IpAddr) -> bool {
        let until = self.spent.get(&client);
        until.is_some_and(|until| self.clock.monotonic() < until)
    }

    /// Refuses a caller at that address with another kind of bad credential, which spends the same
    /// limit.
    #[must_use]
    pub fn refuse(&self, client: IpAddr) -> Refused {
        let client = neighbourhood(client);
        match self.throttles.spend(BAD_TOKENS.route, client) {
            Ok(_) => Refused::Unauthorized,
            Err(standing) => {
                let wait = Duration::from_secs(standing.retry_after_seconds.into());
                // Remembered, so that the next token of this address is refused unread.
                self.spent.insert(client, self.clock.monotonic() + wait);
                Refused::Throttled(standing)
            }
        }
    }
}

/// The token in `Authorization: Bearer <token>`.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}
