//! Signed texts that carry a position between requests: cursors of pages, and names of snapshots.
//!
//! The one rule: a text is valid only for the request that it came from, which its signature
//! covers. Nothing is kept on the server, so a text does not expire.

use super::{Place, Watermark};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use schemas::Keyring;
use uuid::Uuid;

/// Length of the signature: 128 bits.
const TAG: usize = 16;

/// A position between two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The last event of the page before.
    pub(crate) after: Place,
    /// The last event that was visible at the first page.
    pub(crate) watermark: Watermark,
}

/// What was visible when an export began; `None` when there was nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot(pub(crate) Option<Watermark>);

impl Cursor {
    /// The text for clients. `scope` describes the request.
    pub(crate) fn sign(&self, secrets: &Keyring, scope: &str) -> String {
        let mut content = Vec::with_capacity(40);
        content.extend(self.after.at.as_microsecond().to_be_bytes());
        content.extend(self.after.id.into_bytes());
        content.extend(self.watermark.0.into_bytes());
        seal(secrets, b"events cursor", scope, &content)
    }

    /// The cursor of a text; `None` when it is not from such a request.
    pub(crate) fn open(secrets: &Keyring, scope: &str, text: &str) -> Option<Self> {
        let content = unseal(secrets, b"events cursor", scope, text)?;
        let (at, ids) = content.split_first_chunk::<8>()?;
        let (id, watermark) = ids.split_first_chunk::<16>()?;
        Some(Self {
            after: Place {
                at: Timestamp::from_microsecond(i64::from_be_bytes(*at)).ok()?,
                id: Uuid::from_bytes(*id),
            },
            watermark: Watermark(Uuid::from_slice(watermark).ok()?),
        })
    }
}

impl Snapshot {
    /// The text for clients. `scope` describes the request.
    pub(crate) fn sign(&self, secrets: &Keyring, scope: &str) -> String {
        let id = self.0.map(|watermark| watermark.0.into_bytes());
        let content = id.as_ref().map_or(&[][..], |id| &id[..]);
        seal(secrets, b"events snapshot", scope, content)
    }

    /// The snapshot of a text; `None` when it is not from such a request.
    pub(crate) fn open(secrets: &Keyring, scope: &str, text: &str) -> Option<Self> {
        let content = unseal(secrets, b"events snapshot", scope, text)?;
        if content.is_empty() {
            return Some(Self(None));
        }
        let id = Uuid::from_slice(&content).ok()?;
        Some(Self(Some(Watermark(id))))
    }
}

fn seal(secrets: &Keyring, kind: &[u8], scope: &str, content: &[u8]) -> String {
    let tag = secrets.sign(&[kind, scope.as_bytes(), content]);
    let tag = tag.iter().take(TAG).copied();
    URL_SAFE_NO_PAD.encode(content.iter().copied().chain(tag).collect::<Vec<u8>>())
}

fn unseal(secrets: &Keyring, kind: &[u8], scope: &str, text: &str) -> Option<Vec<u8>> {
    let mut content = URL_SAFE_NO_PAD.decode(text).ok()?;
    let tag = content.split_off(content.len().checked_sub(TAG)?);
    let valid = secrets.verify(&[kind, scope.as_bytes(), &content], &tag);
    valid.then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    const OLD: &str = "an-old-secret-for-tests-0123456789abcdef";
    const NEW: &str = "a-new-secret-for-tests-0123456789abcdef";

    fn cursor(micros: i64, id: u128) -> Cursor {
        Cursor {
            after: Place {
                at: Timestamp::from_microsecond(micros).unwrap(),
                id: Uuid::from_u128(id),
            },
            watermark: Watermark(Uuid::from_u128(id ^ 1)),
        }
    }

    proptest! {
        #[test]
        fn a_cursor_opens_to_what_was_signed(micros in -1_000_000_000_000_000i64..4_000_000_000_000_000, id: u128) {
            let cursor = cursor(micros, id);
            let text = cursor.sign(&secrets(OLD), "a");
            prop_assert_eq!(Cursor::open(&secrets(OLD), "a", &text), Some(cursor));
            let rotated = secrets(&format!("{NEW},{OLD}"));
            prop_assert_eq!(Cursor::open(&rotated, "a", &text), Some(cursor));
            prop_assert_eq!(Cursor::open(&secrets(NEW), "a", &text), None);
            prop_assert_eq!(Cursor::open(&secrets(OLD), "b", &text), None);
            prop_assert_eq!(Snapshot::open(&secrets(OLD), "a", &text), None);
        }

        #[test]
        fn a_changed_or_foreign_text_opens_nothing(at in 0usize..75, text in "[A-Za-z0-9_-]{0,80}") {
            let secrets = secrets(OLD);
            let mut signed = cursor(1, 2).sign(&secrets, "a").into_bytes();
            prop_assert_eq!(signed.len(), 75);
            signed[at] = if signed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(signed).unwrap();
            prop_assert_eq!(Cursor::open(&secrets, "a", &changed), None);
            prop_assert_eq!(Cursor::open(&secrets, "a", &text), None);
            prop_assert_eq!(Snapshot::open(&secrets, "a", &text), None);
        }
    }

    #[test]
    fn a_snapshot_may_be_of_nothing() {
        let secrets = secrets(OLD);
        for snapshot in [
            Snapshot(None),
            Snapshot(Some(Watermark(Uuid::from_u128(9)))),
        ] {
            let text = snapshot.sign(&secrets, "a");
            assert_eq!(Snapshot::open(&secrets, "a", &text), Some(snapshot));
            assert_eq!(Cursor::open(&secrets, "a", &text), None);
        }
    }
}
