//! Checks a log after its broker was killed, and after the machine lost power.
//!
//! `CRASH_ROUNDS` (5) and `POWER_CUTS` (36) set the length of the tests; `CRASH_SEED` (1) varies them:
//! `CRASH_ROUNDS=200 POWER_CUTS=2000 cargo test -p footfall-log --test crash`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../kit/access.rs"]
mod access;
mod checker;
mod checker_tests;
mod disk;
mod ends;
mod fsync;
#[path = "../kit/installed.rs"]
mod installed;
mod kills;
mod load;
mod power;
#[path = "../kit/process.rs"]
mod process;
mod setup;
mod stored;
mod trace;
mod watch;
