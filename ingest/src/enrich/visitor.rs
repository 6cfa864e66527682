//! Makes keyed hashes of visitors and users, the only identifiers of people that leave ingest.
//!
//! The one rule: the inputs (a client's id, an address, a user) are hashed together with the
//! workspace and never stored. So two tenants cannot find out that they share a visitor.

use super::agent;
use schemas::{Keyring, UserHash, VisitorHash, WorkspaceId};
use std::net::IpAddr;
use thiserror::Error;
use uuid::Uuid;

/// Makes visitor and user hashes under `VISITOR_HASH_SECRET`.
#[derive(Clone, Debug)]
pub struct VisitorHasher {
    secret: Keyring,
}

/// `VISITOR_HASH_SECRET` holds more than one secret.
///
/// A second secret would have no use: hashes are only compared, never verified, and a new secret
/// makes every visitor a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "must be exactly one secret; it cannot be rotated, because a new one makes every visitor a new visitor"
)]
pub struct NotOneSecret;

impl VisitorHasher {
    /// Takes a keyring of exactly one secret.
    ///
    /// # Errors
    /// [`NotOneSecret`] for any other number.
    pub fn new(secret: Keyring) -> Result<Self, NotOneSecret> {
        if secret.fingerprints().len() == 1 {
            Ok(Self { secret })
        } else {
            Err(NotOneSecret)
        }
    }

    /// The hash of a visitor whom the client identifies by its own id.
    #[must_use]
    pub fn visitor(&self, workspace: WorkspaceId, raw_id: &str) -> VisitorHash {
        VisitorHash(self.hash(workspace, b"id", &[raw_id.as_bytes()]))
    }

    /// The hash of a visitor without an id, by address and agent. An IPv4 address and its
    /// IPv6-mapped form give the same hash. Agents that differ only after
    /// [`agent::MAX_AGENT_BYTES`] do too.
    #[must_use]
    pub fn agent(&self, workspace: WorkspaceId, address: IpAddr, user_agent: &str) -> VisitorHash {
        let user_agent = agent::cut(user_agent).as_bytes();
        VisitorHash(match address.to_canonical() {
            IpAddr::V4(v4) => self.hash(workspace, b"agent", &[&v4.octets(), user_agent]),
            IpAddr::V6(v6) => self.hash(workspace, b"agent", &[&v6.octets(), user_agent]),
        })
    }

    /// The hash of the signed-in user in a JWT's subject.
    #[must_use]
    pub fn user(&self, workspace: WorkspaceId, subject: &str) -> UserHash {
        UserHash(self.hash(workspace, b"user", &[subject.as_bytes()]))
    }

    /// The visitor's place in [0, 100) among the visitors of an owner of rules. It stays the same,
    /// and the places for two owners are independent.
    #[must_use]
    pub fn bucket(&self, owner: Uuid, visitor: VisitorHash) -> f64 {
        let signed = self.secret.sign(&[b"bucket", owner.as_bytes(), &visitor.0]);
        let [a, b, c, d, ..] = signed;
        f64::from(u32::from_be_bytes([a, b, c, d])) / 4_294_967_296.0 * 100.0
    }

    fn hash(&self, workspace: WorkspaceId, kind: &[u8], values: &[&[u8]]) -> [u8; 16] {
        let mut parts: Vec<&[u8]> = vec![workspace.0.as_bytes(), kind];
        parts.extend_from_slice(values);
        let full = self.secret.sign(&parts);
        let mut short = [0; 16];
        short
            .iter_mut()
            .zip(full)
            .for_each(|(short, full)| *short = full);
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
    const TWO: WorkspaceId = WorkspaceId(Uuid::from_u128(2));

    fn hasher(secret: &str) -> VisitorHasher {
        VisitorHasher::new(Keyring::parse(&secret.repeat(32)).unwrap()).unwrap()
    }

    #[test]
    fn one_visitor_has_one_hash_in_each_workspace() {
        let hasher = hasher("a");
        assert_eq!(hasher.visitor(ONE, "v"), hasher.visitor(ONE, "v"));
        assert_ne!(hasher.visitor(ONE, "v"), hasher.visitor(TWO, "v"));
        assert_ne!(hasher.visitor(ONE, "v"), hasher.visitor(ONE, "w"));
        assert_ne!(hasher.user(ONE, "v"), hasher.user(TWO, "v"));
    }

    #[test]
    fn equal_values_of_other_kinds_and_secrets_differ() {
        let hasher = hasher("a");
        assert_ne!(hasher.visitor(ONE, "v").0, hasher.user(ONE, "v").0);
        assert_ne!(
            hasher.visitor(ONE, "v"),
            self::hasher("b").visitor(ONE, "v")
        );
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let hasher = hasher("a");
        let plain = hasher.agent(ONE, "192.0.2.1".parse().unwrap(), "Mozilla/5.0");
        let mapped = hasher.agent(ONE, "::ffff:192.0.2.1".parse().unwrap(), "Mozilla/5.0");
        assert_eq!(plain, mapped);
        let other = hasher.agent(ONE, "192.0.2.2".parse().unwrap(), "Mozilla/5.0");
        assert_ne!(plain, other);
        let long = "x".repeat(2_000);
        assert_eq!(
            hasher.agent(ONE, "192.0.2.1".parse().unwrap(), &long),
            hasher.agent(ONE, "192.0.2.1".parse().unwrap(), agent::cut(&long)),
        );
    }

    #[test]
    fn visitors_of_two_owners_fall_into_their_halves_independently() {
        let hasher = hasher("a");
        let mut counts = [[0u32; 2]; 2];
        for number in 0..10_000u32 {
            let visitor = hasher.visitor(ONE, &number.to_string());
            let half =
                |owner: u128| usize::from(hasher.bucket(Uuid::from_u128(owner), visitor) >= 50.0);
            counts[half(1)][half(2)] += 1;
        }
        for count in counts.as_flattened() {
            assert!((2_300..2_700).contains(count), "{counts:?}");
        }
    }

    #[test]
    fn two_secrets_are_refused() {
        let two = Keyring::parse(&format!("{},{}", "a".repeat(32), "b".repeat(32))).unwrap();
        assert_eq!(VisitorHasher::new(two).unwrap_err(), NotOneSecret);
    }

    #[test]
    fn the_hash_never_changes() {
        // HMAC-SHA256 over length-prefixed (workspace, kind, value). A change would make every
        // visitor of every log a new one.
        assert_eq!(
            format!("{:?}", hasher("a").visitor(ONE, "visitor-1")),
            "2531f06a15d86c6f87835173fc5fb15b"
        );
    }
}
