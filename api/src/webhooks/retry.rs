//! When a failed delivery is sent again, and when a webhook is switched off.

use jiff::{SignedDuration, Timestamp};
use runtime::IdSource;

/// Pauses before the attempts after the first one: about three days in all.
const PAUSES: [SignedDuration; 12] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(4),
    SignedDuration::from_hours(8),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(20),
    SignedDuration::from_hours(24),
];

/// A pause is up to this part longer or shorter, so that targets that failed together are not asked
/// together.
const JITTER: f64 = 0.2;

/// For how long every attempt must fail before a webhook is switched off.
pub(super) const FAILING_FOR: SignedDuration = SignedDuration::from_hours(5 * 24);
/// How many events must fail in that time: one bad message is no sign of a dead target.
pub(super) const FAILED_EVENTS: i32 = 3;

/// The next attempt after the given number of failed ones; `None` after the last.
pub(super) fn next(attempts: i32, now: Timestamp, ids: &dyn IdSource) -> Option<Timestamp> {
    let done = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let pause = PAUSES.get(done)?;
    let [high, low, ..] = ids.random_16();
    let part = f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX);
    let factor = 1.0 + JITTER * (2.0 * part - 1.0);
    now.checked_add(pause.mul_f64(factor)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::SeededIds;

    #[test]
    fn pauses_grow_vary_and_end_after_three_days() {
        let ids = SeededIds::new(1);
        let now = Timestamp::UNIX_EPOCH;
        let mut sum = SignedDuration::ZERO;
        for (failed, pause) in (1..).zip(PAUSES) {
            let [one, other] = [(); 2].map(|()| next(failed, now, &ids).unwrap());
            assert_ne!(one, other);
            for next in [one, other] {
                let took = next.duration_since(now);
                assert!(
                    pause.mul_f64(0.79) < took && took < pause.mul_f64(1.21),
                    "{took}"
                );
            }
            sum += pause;
        }
        assert!((70..74).contains(&sum.as_hours()), "{sum}");
        assert_eq!(next(13, now, &ids), None);
    }
}
