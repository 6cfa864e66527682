//! Rate limits: a burst of the whole limit, then an even refill (GCRA).
//!
//! Limits apply per instance and per key; the route chooses the key.

use crate::{
    Clock, Settings,
    metrics::zero,
    settings::{Setting, names},
};
use governor::{
    RateLimiter, clock::Clock as GovernorClock, middleware::StateInformationMiddleware,
    nanos::Nanos, state::keyed::DashMapStateStore,
};
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hash, RandomState},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};
use tracing::warn;

/// The switch of all limits.
pub const RATE_LIMITS: Setting = Setting::new(
    "RATE_LIMITS",
    "on",
    "`off` for load tests and trusted networks; one limit as RATE_LIMIT_<ROUTE>=<count>/<seconds>, listed below",
);

/// Prefix of the settings that override one limit.
const PREFIX: &str = "RATE_LIMIT_";

/// A limit of a route: how many, in how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Id of the route.
    pub route: &'static str,
    /// How many.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

/// The state of a limit after one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The whole limit.
    pub limit: u32,
    /// How many requests are still allowed at once.
    pub remaining: u32,
    /// Seconds until the next is allowed, rounded up; 0 while some remain.
    pub retry_after_seconds: u32,
    /// When the whole limit is available again, in seconds since 1970.
    pub reset_epoch_seconds: i64,
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, ThrottleClock, StateInformationMiddleware>;

/// All limits of a service.
#[derive(Clone)]
pub struct Throttles {
    limiters: Arc<BTreeMap<&'static str, (Limit, Limiter)>>,
    hasher: RandomState,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Throttles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttles")
            .field("routes", &self.limiters.keys())
            .finish_non_exhaustive()
    }
}

impl Throttles {
    /// The published limits, as changed by `RATE_LIMITS` and `RATE_LIMIT_<ROUTE>`. `<ROUTE>` is the
    /// route's id in upper case, with `_` for characters other than letters and digits.
    pub fn read(settings: &mut Settings, published: &[Limit], clock: &Arc<dyn Clock>) -> Self {
        let on = match settings.text(RATE_LIMITS).as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(other) => {
                settings.problem(RATE_LIMITS, format!("is {other:?}; give on or off"));
                true
            }
        };
        let mut limiters = BTreeMap::new();
        for limit in published {
            // Even if limits are off, so that alerts find the counter.
            zero("http_throttled_total", vec![vec![("route", limit.route)]]);
            let name = setting_name(limit.route);
            let limit = settings
                .parse_with(&name, |text| parse_limit(*limit, text))
                .unwrap_or(*limit);
            if on && let Some(limiter) = limiter(limit, clock) {
                limiters.insert(limit.route, (limit, limiter));
            }
        }
        Self {
            limiters: Arc::new(limiters),
            hasher: RandomState::new(),
            clock: Arc::clone(clock),
        }
    }

    /// The route's limit, for callers that count elsewhere. `None` when it has none.
    #[must_use]
    pub fn limit(&self, route: &str) -> Option<Limit> {
        self.limiters.get(route).map(|(limit, _)| *limit)
    }

    /// Spends one of the route's limit for that key. `Ok(None)` when the route has no limit.
    ///
    /// # Errors
    /// The [`Standing`] of a key that has spent its limit.
    pub fn spend(&self, route: &str, key: impl Hash) -> Result<Option<Standing>, Standing> {
        let Some((limit, limiter)) = self.limiters.get(route) else {
            return Ok(None);
        };
        let now = self.clock.now().as_second();
        // 64 bits of a keyed hash instead of the key, so that memory collects no addresses and ids.
        match limiter.check_key(&self.hasher.hash_one(key)) {
            Ok(snapshot) => {
                let remaining = snapshot.remaining_burst_capacity();
                // The refill is even, so the missing part of the limit takes its share of the time.
                let missing = u64::from(limit.count.saturating_sub(remaining));
                let refill = missing * u64::from(limit.seconds) / u64::from(limit.count.max(1));
                Ok(Some(Standing {
                    limit: limit.count,
                    remaining,
                    retry_after_seconds: 0,
                    reset_epoch_seconds: now.saturating_add_unsigned(refill),
                }))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(ThrottleClock(Arc::clone(&self.clock)).now());
                // Rounded up and at least 1, because an earlier retry would be refused again.
                let retry_after_seconds = wait
                    .as_millis()
                    .div_ceil(1000)
                    .try_into()
                    .unwrap_or(u32::MAX)
                    .max(1);
                Err(Standing {
                    limit: limit.count,
                    remaining: 0,
                    retry_after_seconds,
                    reset_epoch_seconds: now.saturating_add(i64::from(limit.seconds)),
                })
            }
        }
    }

    /// Forgets keys whose whole limit is available again.
    pub fn forget_idle(&self) {
        for (_, limiter) in self.limiters.values() {
            limiter.retain_recent();
        }
    }
}

fn limiter(limit: Limit, clock: &Arc<dyn Clock>) -> Option<Limiter> {
    let count = NonZeroU32::new(limit.count)?;
    let each = Duration::from_secs(limit.seconds.into()) / limit.count;
    let quota = governor::Quota::with_period(each)?.allow_burst(count);
    let clock = ThrottleClock(Arc::clone(clock));
    Some(RateLimiter::new(quota, DashMapStateStore::default(), clock))
}

/// The name of the setting that overrides a route's limit.
#[must_use]
pub fn setting_name(route: &str) -> String {
    let upper = route.to_uppercase();
    let name: String = upper
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("{PREFIX}{name}")
}

/// Which limits a check knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of all services.
    All,
    /// Those of one service; others, which may share its environment, have further limits.
    Service,
}

/// Records names of the form `RATE_LIMIT_<ROUTE>` that match no limit. A single service refuses
/// likely typing mistakes, and warns about the other names: they may be another service's.
pub fn check_names(settings: &mut Settings, published: &[Limit], scope: Scope) {
    let known: Vec<String> = published
        .iter()
        .map(|limit| setting_name(limit.route))
        .collect();
    let known = || known.iter().map(String::as_str);
    for (rest, _) in settings.with_prefix(PREFIX) {
        let name = format!("{PREFIX}{rest}");
        if known().any(|known| known == name) || names::is_service_link(&name) {
            continue;
        }
        let slips = names::SHARED_SLIPS;
        // A name close to one of ours is a mistake, even if other services share the environment.
        if scope == Scope::All || names::nearest(&name, known(), slips).is_some() {
            let hint = names::hint(&name, known());
            settings.problem(&name, format!("is not a limit; {hint}"));
        } else {
            warn!("{name} is not a limit of this service and is ignored; `--help` lists them");
        }
    }
}

fn parse_limit(published: Limit, text: &str) -> Result<Limit, String> {
    let wrong = || {
        format!(
            "is {text:?}; give <count>/<seconds>, for example {}/{}",
            published.count, published.seconds
        )
    };
    let (count, seconds) = text.split_once('/').ok_or_else(wrong)?;
    let count = count
        .trim()
        .parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(wrong)?;
    let seconds = seconds
        .trim()
        .parse()
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(wrong)?;
    Ok(Limit {
        route: published.route,
        count,
        seconds,
    })
}

/// The injected clock, for governor. Monotonic: if a wall clock were set back an hour, each key
/// would wait for an hour.
#[derive(Clone, Debug)]
pub struct ThrottleClock(Arc<dyn Clock>);

impl GovernorClock for ThrottleClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn the_whole_limit_at_once_and_then_an_even_refill() {
        let manual = Arc::new(ManualClock::new(
            Timestamp::from_second(1_900_000_000).unwrap(),
        ));
        let clock: Arc<dyn Clock> = manual.clone();
        let published = [Limit {
            route: "analytics.session",
            count: 10,
            seconds: 60,
        }];
        let throttles = Throttles::read(&mut Settings::default(), &published, &clock);
        for left in (0..10).rev() {
            let standing = throttles.spend("analytics.session", "a").unwrap().unwrap();
            assert_eq!((standing.limit, standing.remaining), (10, left));
        }
        let over = throttles.spend("analytics.session", "a").unwrap_err();
        assert_eq!((over.remaining, over.retry_after_seconds), (0, 6));
        assert!(
            throttles.spend("analytics.session", "b").is_ok(),
            "another key has its own"
        );
        manual.advance(SignedDuration::from_secs(6));
        assert!(throttles.spend("analytics.session", "a").is_ok());
        assert!(throttles.spend("analytics.session", "a").is_err());
        assert_eq!(throttles.spend("no.such.route", "a"), Ok(None));
    }

    #[test]
    fn a_clock_that_is_set_back_refuses_no_caller() {
        let noon = Timestamp::from_second(1_900_000_000).unwrap();
        let manual = Arc::new(ManualClock::new(noon));
        let clock: Arc<dyn Clock> = manual.clone();
        let published = [Limit {
            route: "analytics.session",
            count: 2,
            seconds: 60,
        }];
        let throttles = Throttles::read(&mut Settings::default(), &published, &clock);
        for _ in 0..2 {
            assert!(throttles.spend("analytics.session", "a").is_ok());
        }
        manual.advance(SignedDuration::from_hours(-1));
        let over = throttles.spend("analytics.session", "a").unwrap_err();
        assert_eq!(over.retry_after_seconds, 30);
        manual.advance(SignedDuration::from_secs(30));
        let standing = throttles.spend("analytics.session", "a").unwrap().unwrap();
        assert_eq!(standing.remaining, 0);
        // The time of the reset is shown to people, so it follows the wall clock.
        let now = manual.now().as_second();
        assert_eq!(standing.reset_epoch_seconds, now + 60);
    }

    #[test]
    fn limits_are_overridable_and_can_be_switched_off() {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let published = [Limit {
            route: "analytics.session",
            count: 10,
            seconds: 60,
        }];
        let mut settings = Settings::from_pairs([("RATE_LIMIT_ANALYTICS_SESSION", "1/60")]);
        let throttles = Throttles::read(&mut settings, &published, &clock);
        assert!(throttles.spend("analytics.session", 1).is_ok());
        assert!(throttles.spend("analytics.session", 1).is_err());

        let mut settings = Settings::from_pairs([("RATE_LIMITS", "off")]);
        let throttles = Throttles::read(&mut settings, &published, &clock);
        assert_eq!(throttles.spend("analytics.session", 1), Ok(None));

        let mut settings = Settings::from_pairs([("RATE_LIMIT_ANALYTICS_SESSION", "none")]);
        Throttles::read(&mut settings, &published, &clock);
        assert!(
            settings
                .finish()
                .unwrap_err()
                .to_string()
                .contains("give <count>/<seconds>, for example 10/60")
        );
    }

    #[test]
    fn a_name_without_a_limit_is_a_problem_with_the_nearest_one() {
        let published = [Limit {
            route: "analytics.session",
            count: 10,
            seconds: 60,
        }];
        let check = |name: &str, scope| {
            let mut settings = Settings::from_pairs([(name, "1/60")]);
            check_names(&mut settings, &published, scope);
            settings.finish().err().map(|problems| problems.to_string())
        };
        let said = check("RATE_LIMIT_NOSUCH", Scope::All).unwrap();
        assert!(
            said.contains("RATE_LIMIT_NOSUCH: is not a limit; `--help`"),
            "{said}"
        );
        for scope in [Scope::All, Scope::Service] {
            let said = check("RATE_LIMIT_ANALYTICS_SESION", scope).unwrap();
            let nearest = "the nearest one is RATE_LIMIT_ANALYTICS_SESSION";
            assert!(said.contains(nearest), "{said}");
            assert_eq!(check("RATE_LIMIT_ANALYTICS_SESSION", scope), None);
        }
        // It may be another service's, with which this one shares its environment.
        assert_eq!(check("RATE_LIMIT_CREATORS_CREATE", Scope::Service), None);
    }
}
