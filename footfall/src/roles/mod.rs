//! The roles of the embedded server, and what each may do in the two databases.
//!
//! The rule to keep: these are the statements in `deploy/postgres`, which operators run on their
//! own servers.

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

/// What a database holds. This decides who owns it and who reads it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Contents {
    /// Pages, links, creators: the api's.
    Main,
    /// The tables that the projector folds from the log.
    Analytics,
}

impl Contents {
    const fn owner(self) -> Role {
        match self {
            Self::Main => Role::Api,
            Self::Analytics => Role::Projector,
        }
    }

    /// Schema in which a rebuild creates fresh tables; the role itself may not create schemas.
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

/// Creates the roles. Repeating it changes nothing.
///
/// # Errors
/// Errors of the server.
pub async fn make(server: &EmbeddedPostgres) -> Result<(), PostgresError> {
    server.make_roles(ROLES, &Role::ALL.map(Role::name)).await
}

/// Grants a database to the roles. Tables that earlier versions of this program created as the
/// superuser get their proper owner.
///
/// # Errors
/// Errors of the server.
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
