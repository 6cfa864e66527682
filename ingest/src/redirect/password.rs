//! Passwords of links: the form, the check, and the limit on wrong ones.
//!
//! The one rule: only wrong passwords count against an address and a link, also those whose client
//! did not wait for the answer. A check takes tens of milliseconds of a CPU, so few run at once, and
//! never on the threads that answer clicks.

use super::query;
use crate::{directory::ShortLink, intake::Intake};
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use axum::body::Body;
use runtime::http::{ApiError, body, client::neighbourhood};
use schemas::LinkId;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Longest form that is read.
const MAX_FORM_BYTES: usize = 4_096;

/// Checks that run at once. One takes some 20 MB of memory.
const AT_ONCE: usize = 2;

/// Checks that may wait for their turn.
const WAITING: usize = 32;

/// How long wrong passwords count.
const WINDOW: Duration = Duration::from_mins(15);

/// Wrong passwords that an address may send to a link in that time.
const WRONG_BY_ADDRESS: u32 = 10;

/// Wrong passwords that a link takes from all addresses in that time.
const WRONG_BY_LINK: u32 = 200;

/// Most addresses and links remembered, at 40 bytes each.
const MAX_KEYS: usize = 100_000;

/// The outcome of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// It is the link's password.
    Right,
    /// It is not.
    Wrong,
    /// Too many were wrong.
    Blocked,
    /// Too many are being checked.
    Busy,
}

/// Checks passwords and counts wrong ones.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    hasher: RandomState,
    wrong: Arc<Wrong>,
}

/// The wrong passwords of the last [`WINDOW`]: since when, and how many, by address and by link.
#[derive(Debug, Default)]
struct Wrong(Mutex<HashMap<u64, (Duration, u32)>>);

/// A key of [`Wrong`], and how many it takes.
type Key = (u64, u32);

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            hasher: RandomState::new(),
            wrong: Arc::default(),
        }
    }
}

impl Passwords {
    /// Tries the password in a form.
    ///
    /// # Errors
    /// The form cannot be read: 413, 408 or 400.
    pub(super) async fn try_form(
        &self,
        intake: &Intake,
        (link, hash): (&ShortLink, &str),
        address: IpAddr,
        body: Body,
    ) -> Result<Tried, ApiError> {
        let form = body::read(body, MAX_FORM_BYTES).await?;
        let form = String::from_utf8_lossy(&form);
        let Some(given) = query::parameter(&form, "password") else {
            return Ok(Tried::Wrong);
        };
        let keys = self.keys(link.link_id, address);
        if self.wrong.is_blocked(keys, intake.elapsed()) {
            return Ok(Tried::Blocked);
        }
        let (given, hash) = (given.into_owned(), hash.to_owned());
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Ok(Tried::Busy);
        };
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Ok(Tried::Busy);
        };
        // Again: those that waited together must not pass together.
        let now = intake.elapsed();
        if self.wrong.is_blocked(keys, now) {
            return Ok(Tried::Blocked);
        }
        let wrong = Arc::clone(&self.wrong);
        // When the client leaves meanwhile, the check keeps its turn and still counts.
        let check = spawn_blocking(move || {
            let _held = (place, turn);
            let is_right = is_right(&given, &hash);
            if !is_right {
                wrong.count(keys, now);
            }
            is_right
        });
        Ok(if check.await.unwrap_or_default() {
            Tried::Right
        } else {
            Tried::Wrong
        })
    }

    /// A keyed hash for each limit, so that memory collects no addresses.
    fn keys(&self, link: LinkId, address: IpAddr) -> [Key; 2] {
        let by_address = self.hasher.hash_one((link, neighbourhood(address)));
        let by_link = self.hasher.hash_one(link);
        [(by_address, WRONG_BY_ADDRESS), (by_link, WRONG_BY_LINK)]
    }

    /// Waits until no check runs.
    #[cfg(test)]
    pub(crate) async fn idle(&self) {
        let all = u32::try_from(AT_ONCE).unwrap();
        let _all = self.turns.acquire_many(all).await.unwrap();
    }
}

impl Wrong {
    /// True if one of the limits is reached.
    fn is_blocked(&self, keys: [Key; 2], now: Duration) -> bool {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.into_iter().any(|(key, most)| {
            wrong
                .get(&key)
                .is_some_and(|(since, count)| now.saturating_sub(*since) < WINDOW && *count >= most)
        })
    }

    /// Counts a wrong password.
    fn count(&self, keys: [Key; 2], now: Duration) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= MAX_KEYS {
            wrong.retain(|_, (since, _)| now.saturating_sub(*since) < WINDOW);
            // A flood of addresses within the window. The limit of each link begins again.
            if wrong.len() >= MAX_KEYS {
                wrong.clear();
            }
        }
        for (key, _) in keys {
            let (since, count) = wrong.entry(key).or_insert((now, 0));
            if now.saturating_sub(*since) >= WINDOW {
                (*since, *count) = (now, 0);
            }
            *count = count.saturating_add(1);
        }
    }
}

/// Compares in constant time. A hash that cannot be read opens nothing.
fn is_right(given: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let verified = Argon2::default().verify_password(given.as_bytes(), &hash);
    verified.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn wrong_passwords_count_by_address_and_by_link_and_only_for_a_while() {
        let passwords = Passwords::default();
        let link = LinkId(Uuid::from_u128(1));
        let keys = |last: u8| passwords.keys(link, IpAddr::from([192, 0, 2, last]));
        let at = Duration::from_secs;
        for _ in 0..WRONG_BY_ADDRESS {
            assert!(!passwords.wrong.is_blocked(keys(1), at(0)));
            passwords.wrong.count(keys(1), at(0));
        }
        assert!(passwords.wrong.is_blocked(keys(1), at(1)));
        assert!(
            !passwords.wrong.is_blocked(keys(2), at(1)),
            "another address is not blocked"
        );
        assert!(!passwords.wrong.is_blocked(keys(1), at(15 * 60)));
        for number in 0..WRONG_BY_LINK {
            let last = u8::try_from(number / WRONG_BY_ADDRESS + 10).unwrap();
            passwords.wrong.count(keys(last), at(2_000));
        }
        assert!(
            passwords.wrong.is_blocked(keys(200), at(2_000)),
            "the link takes no more"
        );
    }

    #[test]
    fn what_is_no_hash_opens_nothing() {
        for hash in ["", "secret", "$argon2id$v=19$m=8,t=1,p=1$x", "$2b$12$abc"] {
            assert!(!is_right("secret", hash), "{hash}");
        }
    }
}
