//! Identifiers as newtypes, so that a session id cannot be passed where a link id belongs.
//!
//! Owns their text forms and nothing about how they are made: see [`crate::routed`] for ids that
//! carry their workspace and [`crate::events::Event`] for event ids.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! uuid_newtype {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

uuid_newtype! {
    /// The identity of a record: records with the same id count once.
    EventId,
    /// A tenant, as it appears on the wire.
    WorkspaceId,
    /// A bio page.
    PageId,
    /// A link, on a bio page or behind a short URL.
    LinkId,
    /// A visit; carries its workspace number, see [`crate::routed`].
    SessionId,
    /// One view of a page within a visit; carries its workspace number, see [`crate::routed`].
    PageviewId,
    /// A campaign, which groups links.
    CampaignId,
    /// A rule, which sends some visitors of a link elsewhere.
    RuleId,
    /// A QR code of a link.
    QrId,
    /// A mobile app of a workspace.
    AppId,
    /// A conversion.
    ConversionId,
    /// A customer of a workspace, whose conversions belong together.
    CustomerId,
    /// A click on a short link; carries its workspace number and its time, see [`crate::routed`].
    ClickId,
}

/// A tenant's number inside ids and tables (`int4`, never negative); 0 is "none" and never
/// reaches the log.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct WorkspaceNo(pub u32);

impl WorkspaceNo {
    /// The number of sessions that belong to no page: they get an id and leave no record.
    pub const NONE: Self = Self(0);

    /// The number as PostgreSQL's `int4` holds it; `None` above `i32::MAX`, which no workspace has.
    #[must_use]
    pub fn as_int4(self) -> Option<i32> {
        i32::try_from(self.0).ok()
    }
}

impl fmt::Display for WorkspaceNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! hash_newtype {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String", extend("pattern" = "^[0-9a-f]{32}$"))]
        pub struct $name(pub [u8; 16]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl From<$name> for String {
            fn from(hash: $name) -> Self {
                hex::encode(hash.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = hex::FromHexError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let mut bytes = [0; 16];
                hex::decode_to_slice(text, &mut bytes)?;
                Ok(Self(bytes))
            }
        }
    )+};
}

hash_newtype! {
    /// A visitor within one workspace: HMAC-SHA256 under `VISITOR_HASH_SECRET`, first 16 bytes,
    /// 32 lower-case hex digits on the wire. Two tenants' hashes of one person differ.
    VisitorHash,
    /// A signed-in visitor within one workspace, made like [`VisitorHash`] from the JWT's subject.
    UserHash,
}
