//! The tracking token: a server's proof that it rendered a page recently.
//!
//! `HMAC-SHA256(TRACKING_HMAC_SECRET, "<bioPageId>:<bucket>")`, the first 32 of its lower-case hex
//! digits, where the bucket counts five-minute steps since 1970. Valid in its own bucket and the
//! next.

use crate::{Keyring, PageId, keyring::KeyedHash};
use hmac::Mac;
use jiff::Timestamp;
use subtle::ConstantTimeEq;

/// Length of a bucket: five minutes.
pub const BUCKET_MS: i64 = 300_000;
/// Characters of a token.
pub const LENGTH: usize = 32;

/// The token of a page rendered at `now`.
#[must_use]
pub fn make(secrets: &Keyring, page: PageId, now: Timestamp) -> String {
    secrets
        .newest()
        .map(|keyed| token(keyed, page, bucket(now)))
        .unwrap_or_default()
}

/// True if `given` is a token of the page from this bucket or the previous one, under any key of
/// the ring. Compares in constant time.
#[must_use]
pub fn verify(secrets: &Keyring, page: PageId, given: &str, now: Timestamp) -> bool {
    let current = bucket(now);
    let mut valid = false;
    for keyed in secrets.all() {
        for bucket in [current, current - 1] {
            let expected = token(keyed.clone(), page, bucket);
            valid |= bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        }
    }
    valid
}

fn bucket(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(BUCKET_MS)
}

fn token(mut keyed: KeyedHash, page: PageId, bucket: i64) -> String {
    keyed.update(format!("{page}:{bucket}").as_bytes());
    let mut text = hex::encode(keyed.finalize().into_bytes());
    text.truncate(LENGTH);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    const PAGE: &str = "5f0c3f0e-6c5e-4b6a-9d0a-0f6c1c5b7a11";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn equals_what_openssl_computes() {
        // printf '5f0c3f0e-6c5e-4b6a-9d0a-0f6c1c5b7a11:5900000' |
        //   openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef | cut -c1-32 of the digest
        let now = Timestamp::from_millisecond(5_900_000 * BUCKET_MS + 1).unwrap();
        assert_eq!(
            make(&ring(SECRET), PAGE.parse().unwrap(), now),
            "7be5f8c9c42cc6fab6e1496c55cb7248"
        );
    }

    #[test]
    fn is_valid_in_its_bucket_and_the_next_under_new_and_old_key() {
        let page: PageId = PAGE.parse().unwrap();
        let start = Timestamp::from_millisecond(5_900_000 * BUCKET_MS).unwrap();
        let at = |ms: i64| Timestamp::from_millisecond(start.as_millisecond() + ms).unwrap();
        let token = make(&ring(SECRET), page, start);
        let both = ring(&format!("{SECRET}X,{SECRET}"));
        for (ms, valid) in [(-1, false), (0, true), (599_999, true), (600_000, false)] {
            assert_eq!(
                verify(&ring(SECRET), page, &token, at(ms)),
                valid,
                "{ms} ms after"
            );
            assert_eq!(
                verify(&both, page, &token, at(ms)),
                valid,
                "{ms} ms after, rotated"
            );
        }
        assert!(!verify(&ring(SECRET), page, &token.to_uppercase(), start));
        assert!(!verify(&ring(SECRET), page, "", start));
    }
}
