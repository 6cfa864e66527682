//! Who a visitor is, as a keyed hash: the only form in which a person leaves ingest.
//!
//! The one rule: what goes in (a client's id, an address, a user) is hashed together with the
//! workspace and never kept, so that two tenants cannot find out that they share a visitor.

use super::agent;
use schemas::{Keyring, UserHash, VisitorHash, WorkspaceId};
use std::net::IpAddr;
use thiserror::Error;

/// Makes visitor and user hashes under `VISITOR_HASH_SECRET`.
#[derive(Clone, Debug)]
pub struct VisitorHasher {
    secret: Keyring,
}

/// `VISITOR_HASH_SECRET` holds more than one secret.
///
/// A second one would sign nothing: hashes are never verified, only compared, and a new secret makes
/// every visitor a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be one secret: it is not rotated, for a new one makes every visitor a new visitor")]
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

    /// The visitor that a client names by its own id.
    #[must_use]
    pub fn visitor(&self, workspace: WorkspaceId, raw_id: &str) -> VisitorHash {
        VisitorHash(self.hash(workspace, b"id", &[raw_id.as_bytes()]))
    }

    /// The visitor behind an address and an agent, where nothing names them. An IPv4 address gives
    /// the same hash when it arrives as IPv6-mapped, and an agent the same when it is only longer
    /// than [`agent::MAX_AGENT_BYTES`].
    #[must_use]
    pub fn agent(&self, workspace: WorkspaceId, address: IpAddr, user_agent: &str) -> VisitorHash {
        let user_agent = agent::cut(user_agent).as_bytes();
        VisitorHash(match address.to_canonical() {
            IpAddr::V4(v4) => self.hash(workspace, b"agent", &[&v4.octets(), user_agent]),
            IpAddr::V6(v6) => self.hash(workspace, b"agent", &[&v6.octets(), user_agent]),
        })
    }

    /// The signed-in user that a JWT's subject names.
    #[must_use]
    pub fn user(&self, workspace: WorkspaceId, subject: &str) -> UserHash {
        UserHash(self.hash(workspace, b"user", &[subject.as_bytes()]))
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
    use uuid::Uuid;

    const ONE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
    const TWO: WorkspaceId = WorkspaceId(Uuid::from_u128(2));

    fn hasher(secret: &str) -> VisitorHasher {
        VisitorHasher::new(Keyring::parse(&secret.repeat(32)).unwrap()).unwrap()
    }

    #[test]
    fn one_visitor_is_one_hash_and_a_stranger_in_the_next_workspace() {
        let hasher = hasher("a");
        assert_eq!(hasher.visitor(ONE, "v"), hasher.visitor(ONE, "v"));
        assert_ne!(hasher.visitor(ONE, "v"), hasher.visitor(TWO, "v"));
        assert_ne!(hasher.visitor(ONE, "v"), hasher.visitor(ONE, "w"));
        assert_ne!(hasher.user(ONE, "v"), hasher.user(TWO, "v"));
    }

    #[test]
    fn kinds_and_secrets_keep_equal_values_apart() {
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
    fn two_secrets_are_refused() {
        let two = Keyring::parse(&format!("{},{}", "a".repeat(32), "b".repeat(32))).unwrap();
        assert_eq!(VisitorHasher::new(two).unwrap_err(), NotOneSecret);
    }

    #[test]
    fn the_hash_is_what_it_was() {
        // HMAC-SHA256 over length-prefixed (workspace, kind, value): a change would make every
        // visitor of every log a new one.
        assert_eq!(
            format!("{:?}", hasher("a").visitor(ONE, "visitor-1")),
            "2531f06a15d86c6f87835173fc5fb15b"
        );
    }
}
