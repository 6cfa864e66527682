//! The roles of the embedded server, and what each may do in the two databases.
//!
//! The rule to keep: the statements are those that operators run on a server of their own, in `deploy/postgres`.

#[cfg(test)]
mod tests;

use footfall_postgres::{EmbeddedPostgres, PostgresError};

/// The statements that make the roles.
const ROLES: &str = include_str!("../../../deploy/postgres/sql/roles.sql");
/// The statements that give a database to its owner and readers.
const RIGHTS: &str = include_str!("../../../deploy/postgres/sql/rights.sql");

/// A role of the embedded server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Owns the main database's tables and reads the analytics database.
    Api,
    /// Owns the analytics database's tables.
    Projector,
    /// Reads both; for people.
    Reader,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Api, Self::Projector, Self::Reader];

    /// Its name in the server.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "footfall_api",
            Self::Projector => "footfall_projector",
            Self::Reader => "footfall_reader",
        }
    }
}

/// What a database holds, and with that who may do what in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Contents {
    /// Pages, links, creators: the api's.
    Main,
    /// What the projector makes of the log.
    Analytics,
}

impl Contents {
    const fn owner(self) -> Role {
        match self {
            Self::Main => Role::Api,
            Self::Analytics => Role::Projector,
        }
    }

    /// Where a rebuild makes fresh tables; the role may not make schemas itself.
    const fn rebuild_schema(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Analytics => projector::rebuild::SCHEMA,
        }
    }

    const fn readers(self) -> &'static [Role] {
        match self {
            Self::Main => &[Role::Reader],
            Self::Analytics => &[Role::Api, Role::Reader],
        }
    }
}

/// Makes the roles. Repeating it changes nothing.
///
/// # Errors
/// The server's refusals.
pub async fn make(server: &EmbeddedPostgres) -> Result<(), PostgresError> {
    server.make_roles(ROLES, &Role::ALL.map(Role::name)).await
}

/// Gives a database to the roles. Tables of the superuser, as earlier versions of this program made them, become
/// their owner's.
///
/// # Errors
/// The server's refusals.
pub async fn grant(
    server: &EmbeddedPostgres,
    database: &str,
    contents: Contents,
) -> Result<(), PostgresError> {
    let readers = contents.readers().iter().map(|role| role.name());
    let readers: Vec<&str> = readers.collect();
    let parameters = [
        ("footfall.owner", contents.owner().name()),
        ("footfall.readers", &readers.join(",")),
        ("footfall.rebuild", contents.rebuild_schema()),
    ];
    server.run(database, &parameters, RIGHTS).await
}
