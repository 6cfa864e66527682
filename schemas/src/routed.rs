//! Session, page-view and click ids that carry their workspace and prove that Footfall made them.
//!
//! A UUIDv8 of 32 bits workspace number, 24 bits tag and 66 bits payload. The tag is an HMAC under
//! `ID_SECRET` over everything else. So ingest knows the tenant of a heartbeat without a look-up,
//! and a forged id never reaches the log. With an `eventId` the payload is derived from it, so a
//! retry gets the same id on any instance. The payload of a click is its time in milliseconds (42
//! bits) and random bits (24), so a conversion is judged without a look-up.
//!
//! ```text
//! octet   0 1 2 3   | 4 5      | 6            | 7        | 8            | 9 .. 15
//!         workspace | tag high | 8 + payload  | tag low  | 10 + payload | payload
//! ```

use crate::{
    ClickId, Keyring, Kind, PageviewId, SessionId, WorkspaceId, WorkspaceNo,
    ids::EventId,
    keyring::{KeyedHash, sign_with},
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

const TAG: u128 = 0xffff << 80 | 0xff << 64;
const PAYLOAD: u128 = 0xf << 72 | ((1 << 62) - 1);
/// RFC 9562, section 5.8: version 8, variant 10.
const VERSION: u128 = 0x8 << 76;
const VARIANT: u128 = 0b10 << 62;
const VERSION_AND_VARIANT: u128 = 0xf << 76 | 0b11 << 62;

/// The time of a click: 42 bits of milliseconds, which last until 2109.
const MILLIS: u128 = (1 << 42) - 1;
/// Its lowest 38 bits are above the random bits; the other 4 are beside the version.
const LOW_MILLIS: u128 = (1 << 38) - 1;
const CLICK_RANDOM: u128 = (1 << 24) - 1;

/// Separates the kinds of id: a page view's id is never a valid session id.
#[derive(Clone, Copy)]
enum Label {
    Session,
    Pageview,
    Click,
}

impl Label {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Session => b"session",
            Self::Pageview => b"pageview",
            Self::Click => b"click",
        }
    }
}

/// The source of an id's 66 payload bits.
#[derive(Clone, Copy, Debug)]
pub enum Payload {
    /// The client's `eventId`: the same one gives the same id.
    EventId(Uuid),
    /// Fresh random bytes, from the caller's id source.
    Random([u8; 16]),
}

/// Makes and verifies routed ids under `ID_SECRET`.
#[derive(Clone, Debug)]
pub struct IdMaker {
    secrets: Keyring,
}

impl IdMaker {
    /// A maker that signs with the ring's newest key and accepts all its keys.
    #[must_use]
    pub const fn new(secrets: Keyring) -> Self {
        Self { secrets }
    }

    /// A session id in a workspace.
    #[must_use]
    pub fn session(&self, workspace: WorkspaceNo, payload: Payload) -> SessionId {
        SessionId(self.make(Label::Session, workspace, payload))
    }

    /// A page-view id in a workspace.
    #[must_use]
    pub fn pageview(&self, workspace: WorkspaceNo, payload: Payload) -> PageviewId {
        PageviewId(self.make(Label::Pageview, workspace, payload))
    }

    /// The id of a click in a workspace at a time.
    #[must_use]
    pub fn click(&self, workspace: WorkspaceNo, at: Timestamp, random: [u8; 16]) -> ClickId {
        let millis = u128::try_from(at.as_millisecond()).unwrap_or_default() & MILLIS;
        let random = u128::from_be_bytes(random) & CLICK_RANDOM;
        let payload = (millis >> 38) << 72 | (millis & LOW_MILLIS) << 24 | random;
        ClickId(self.tagged(Label::Click, workspace, payload))
    }

    /// The workspace and the time, in whole milliseconds, of one of our click ids; `None` for any
    /// other id.
    #[must_use]
    pub fn verify_click(&self, id: ClickId) -> Option<(WorkspaceNo, Timestamp)> {
        let workspace = self.verify(Label::Click, id.0)?;
        Some((workspace, click_time(id)?))
    }

    /// The workspace of one of our session ids; `None` for any other id.
    #[must_use]
    pub fn verify_session(&self, id: SessionId) -> Option<WorkspaceNo> {
        self.verify(Label::Session, id.0)
    }

    /// The workspace of one of our page-view ids; `None` for any other id.
    #[must_use]
    pub fn verify_pageview(&self, id: PageviewId) -> Option<WorkspaceNo> {
        self.verify(Label::Pageview, id.0)
    }

    fn make(&self, label: Label, workspace: WorkspaceNo, payload: Payload) -> Uuid {
        let bits = match payload {
            Payload::Random(bytes) => bytes,
            // With the workspace as input, one `eventId` gives two tenants different payloads.
            Payload::EventId(event_id) => first_16(&self.secrets.sign(&[
                b"payload",
                label.bytes(),
                &workspace.0.to_be_bytes(),
                event_id.as_bytes(),
            ])),
        };
        self.tagged(label, workspace, u128::from_be_bytes(bits) & PAYLOAD)
    }

    fn tagged(&self, label: Label, workspace: WorkspaceNo, payload: u128) -> Uuid {
        // The tag covers all other bits, so its own are zero here.
        let untagged = u128::from(workspace.0) << 96 | VERSION | VARIANT | payload;
        let tag = self
            .secrets
            .newest()
            .map_or(0, |key| tag(key, label, untagged));
        Uuid::from_u128(untagged | tag)
    }

    fn verify(&self, label: Label, id: Uuid) -> Option<WorkspaceNo> {
        let untagged = id.as_u128() & !TAG;
        let mut valid = false;
        // All keys are compared in constant time, so the duration reveals nothing about a tag.
        for key in self.secrets.all() {
            let expected = untagged | tag(key, label, untagged);
            valid |= bool::from(expected.to_be_bytes().ct_eq(id.as_bytes()));
        }
        let ours = valid && untagged & VERSION_AND_VARIANT == VERSION | VARIANT;
        let number = u32::try_from(untagged >> 96).ok()?;
        ours.then_some(WorkspaceNo(number))
    }
}

/// The time in a click id, in whole milliseconds. Meaningful only for ids that were verified before
/// they reached the log. `None` beyond the range of times.
#[must_use]
pub fn click_time(id: ClickId) -> Option<Timestamp> {
    let bits = id.0.as_u128();
    let millis = (bits >> 72 & 0xf) << 38 | (bits >> 24 & LOW_MILLIS);
    Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok()
}

/// The 24 tag bits of an id, at their positions.
fn tag(key: KeyedHash, label: Label, untagged: u128) -> u128 {
    let digest = sign_with(key, &[b"tag", label.bytes(), &untagged.to_be_bytes()]);
    let bits = u128::from_be_bytes(first_16(&digest)) >> 104;
    (bits >> 8) << 80 | (bits & 0xff) << 64
}

fn first_16(digest: &[u8; 32]) -> [u8; 16] {
    digest.first_chunk().copied().unwrap_or_default()
}

impl EventId {
    /// The identity of a record that a client named: a UUIDv8 of SHA-256 over workspace, type and
    /// `eventId`. It has no key, so it outlives every secret: a repeated import adds nothing, even
    /// after a rotation.
    #[must_use]
    pub fn derive(workspace: WorkspaceId, kind: Kind, event_id: Uuid) -> Self {
        let mut digest = Sha256::new();
        digest.update(workspace.0.as_bytes());
        digest.update(kind.name().as_bytes());
        digest.update([0]);
        digest.update(event_id.as_bytes());
        Self(Uuid::new_v8(first_16(&digest.finalize().into())))
    }

    /// The identity of a record by its bytes, for records without a readable `event_id`.
    #[must_use]
    pub fn of_bytes(record: &[u8]) -> Self {
        Self(Uuid::new_v8(first_16(&Sha256::digest(record).into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn maker(secrets: &str) -> IdMaker {
        IdMaker::new(Keyring::parse(secrets).unwrap())
    }

    const OLD: &str = "old-secret-old-secret-old-secret-old";
    const NEW: &str = "new-secret-new-secret-new-secret-new";

    proptest! {
        #[test]
        fn an_id_contains_its_workspace_and_any_flipped_bit_makes_it_invalid(
            workspace in any::<u32>(), random in any::<[u8; 16]>(), bit in 0usize..128,
        ) {
            let ids = maker(OLD);
            let session = ids.session(WorkspaceNo(workspace), Payload::Random(random));
            prop_assert_eq!(session.0.get_version_num(), 8);
            prop_assert_eq!(session.0.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(ids.verify_session(session), Some(WorkspaceNo(workspace)));
            prop_assert_eq!(ids.verify_pageview(PageviewId(session.0)), None);
            let mut bytes = *session.0.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // 24 tag bits: one flip in 16 million may pass by chance, but none does with our seeds.
            prop_assert_eq!(ids.verify_session(SessionId(Uuid::from_bytes(bytes))), None);
        }

        #[test]
        fn a_click_contains_its_workspace_and_time_and_any_flipped_bit_makes_it_invalid(
            workspace in any::<u32>(), millis in 0i64..1 << 42, random in any::<[u8; 16]>(), bit in 0usize..128,
        ) {
            let ids = maker(OLD);
            let at = Timestamp::from_millisecond(millis).unwrap();
            let click = ids.click(WorkspaceNo(workspace), at, random);
            prop_assert_eq!(click.0.get_version_num(), 8);
            prop_assert_eq!(click.0.get_variant(), uuid::Variant::RFC4122);
            prop_assert_eq!(ids.verify_click(click), Some((WorkspaceNo(workspace), at)));
            prop_assert_eq!(ids.verify_session(SessionId(click.0)), None);
            let mut bytes = *click.0.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(ids.verify_click(ClickId(Uuid::from_bytes(bytes))), None);
        }

        #[test]
        fn the_same_event_id_gives_the_same_id_and_another_workspace_another(
            a in 1u32.., b in 1u32.., event_id in any::<u128>(),
        ) {
            prop_assume!(a != b);
            let ids = maker(OLD);
            let payload = Payload::EventId(Uuid::from_u128(event_id));
            let session = ids.session(WorkspaceNo(a), payload);
            prop_assert_eq!(session, ids.session(WorkspaceNo(a), payload));
            let other = ids.session(WorkspaceNo(b), payload);
            prop_assert_ne!(&session.0.as_bytes()[8..], &other.0.as_bytes()[8..]);
            let view = ids.pageview(WorkspaceNo(a), payload);
            prop_assert_ne!(&session.0.as_bytes()[8..], &view.0.as_bytes()[8..]);
        }
    }

    #[test]
    fn a_rotated_ring_accepts_old_ids_and_the_old_ring_refuses_new_ones() {
        let both = maker(&format!("{NEW},{OLD}"));
        let old_id = maker(OLD).session(WorkspaceNo(7), Payload::Random([3; 16]));
        let new_id = both.session(WorkspaceNo(7), Payload::Random([3; 16]));
        assert_eq!(both.verify_session(old_id), Some(WorkspaceNo(7)));
        assert_eq!(both.verify_session(new_id), Some(WorkspaceNo(7)));
        assert_eq!(maker(OLD).verify_session(new_id), None);
    }

    #[test]
    fn an_event_id_depends_on_workspace_type_and_client_id() {
        let workspace = WorkspaceId(Uuid::from_u128(1));
        let client = Uuid::from_u128(2);
        let id = EventId::derive(workspace, Kind::PageViewed, client);
        assert_eq!(id, EventId::derive(workspace, Kind::PageViewed, client));
        assert_ne!(id, EventId::derive(workspace, Kind::PageLeft, client));
        assert_ne!(
            id,
            EventId::derive(WorkspaceId(client), Kind::PageViewed, client)
        );
        assert_eq!(id.0.get_version_num(), 8);
    }
}
