//! The clock and the source of ids, which are passed in so that tests control them.
//!
//! The only file that may ask the system for time or randomness; clippy refuses it elsewhere.

use jiff::{SignedDuration, Timestamp};
use std::{
    fmt::Debug,
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync + Debug {
    /// Now, to the microsecond, which is what PostgreSQL keeps. An operator or NTP may set it back,
    /// so durations and deadlines are measured by [`Self::monotonic`].
    fn now(&self) -> Timestamp;
    /// Time since a moment that stays the same while the program runs. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// Makes ids and random bits.
pub trait IdSource: Send + Sync + Debug {
    /// A UUIDv7 for that moment.
    fn uuid_v7(&self, now: Timestamp) -> Uuid;
    /// Sixteen random bytes.
    fn random_16(&self) -> [u8; 16];
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one home of the system clock"
    )]
    fn now(&self) -> Timestamp {
        to_microseconds(Timestamp::now())
    }

    fn monotonic(&self) -> Duration {
        static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGINNING.elapsed()
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn uuid_v7(&self, now: Timestamp) -> Uuid {
        v7(now, self.random_16())
    }

    #[expect(clippy::disallowed_methods, reason = "the one home of randomness")]
    fn random_16(&self) -> [u8; 16] {
        rand::random()
    }
}

/// A clock that moves only when a test moves it.
#[derive(Debug)]
pub struct ManualClock(Mutex<Reading>);

#[derive(Debug)]
struct Reading {
    now: Timestamp,
    monotonic: Duration,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Reading {
            now,
            monotonic: Duration::ZERO,
        }))
    }

    /// Moves the clock. Forward, time passes. Backward, only the wall clock is set back, and no
    /// duration changes.
    pub fn advance(&self, by: SignedDuration) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let to = reading.now.saturating_add(by).unwrap_or(reading.now);
        reading.set(to);
    }

    /// Sets the clock, forward or backward as [`Self::advance`] does.
    pub fn set(&self, to: Timestamp) {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.set(to);
    }
}

impl Reading {
    fn set(&mut self, to: Timestamp) {
        let passed = Duration::try_from(to.duration_since(self.now)).unwrap_or_default();
        self.monotonic += passed;
        self.now = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to_microseconds(reading.now)
    }

    fn monotonic(&self) -> Duration {
        let reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reading.monotonic
    }
}

/// Ids from a counter: the same seed gives the same ids in the same order. For tests.
#[derive(Debug)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// A source that counts up from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdSource for SeededIds {
    fn uuid_v7(&self, now: Timestamp) -> Uuid {
        v7(now, self.random_16())
    }

    fn random_16(&self) -> [u8; 16] {
        // Two outputs of splitmix64, which spreads neighbouring counts over all bits.
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 16];
        let (high, low) = bytes.split_at_mut(8);
        high.copy_from_slice(&splitmix64(count).to_be_bytes());
        low.copy_from_slice(&splitmix64(count ^ 0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes
    }
}

/// The mixing function of Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
/// (2014).
const fn splitmix64(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn v7(now: Timestamp, random: [u8; 16]) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let random = random.first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

fn to_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
