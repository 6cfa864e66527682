//! The databases of the embedded server and the roles that the services and people use them with.
//!
//! The superuser that the cluster was made with runs the statements here and is used for nothing else. The rule to
//! keep: **no URL that leaves this module names the superuser**, but for [`EmbeddedPostgres::admin_url`], which only
//! tests ask for.

use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};

use super::{EmbeddedPostgres, PostgresError, connect_options};

/// The same statements that operators run on a server of their own.
const ROLES: &str = include_str!("../../../deploy/postgres/sql/roles.sql");
const RIGHTS: &str = include_str!("../../../deploy/postgres/sql/rights.sql");
/// Databases that every cluster has. None of the roles needs them.
const NOT_OURS: &str = "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC";
/// A statement that fails is not written to the server's log, where its passwords would be.
const KEEP_OUT_OF_LOG: &str = "SET log_min_error_statement = panic";

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
    pub(super) const ALL: [Self; 3] = [Self::Api, Self::Projector, Self::Reader];

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

    /// Where fresh tables are made by a rebuild; the role may not make schemas by itself.
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

impl EmbeddedPostgres {
    /// The URL of a database for one of the roles, which [`Self::make_roles`] has made.
    #[must_use]
    pub fn url(&self, role: Role, database: &str) -> String {
        self.url_of(role.name(), &self.password_of(role), database)
    }

    /// Makes the roles, and revokes the rights that every cluster's own databases grant by default.
    pub async fn make_roles(&self) -> Result<(), PostgresError> {
        let mut connection = self.connect(self.admin_options()).await?;
        for statements in [KEEP_OUT_OF_LOG, NOT_OURS, ROLES] {
            connection.execute(sqlx::raw_sql(statements)).await?;
        }
        for role in Role::ALL {
            // Neither can be bound in this statement; both are letters, digits and underscores.
            let (name, password) = (role.name(), self.password_of(role));
            let statement = format!("ALTER ROLE {name} PASSWORD '{password}'");
            connection.execute(AssertSqlSafe(statement)).await?;
        }
        connection.close().await?;
        Ok(())
    }

    /// Gives a database to the roles. Tables of the superuser, as earlier versions of this program made them, become
    /// their owner's.
    pub async fn grant(&self, database: &str, contents: Contents) -> Result<(), PostgresError> {
        let readers: Vec<&str> = contents.readers().iter().map(|role| role.name()).collect();
        let options = self.admin_options().database(database).options([
            ("footfall.owner", contents.owner().name()),
            ("footfall.readers", &readers.join(",")),
            ("footfall.rebuild", contents.rebuild_schema()),
        ]);
        let mut connection = self.connect(options).await?;
        connection.execute(sqlx::raw_sql(RIGHTS)).await?;
        connection.close().await?;
        Ok(())
    }

    fn admin_options(&self) -> PgConnectOptions {
        connect_options(self.server.port(), &self.password)
    }

    async fn connect(&self, options: PgConnectOptions) -> Result<PgConnection, PostgresError> {
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// Derived from the superuser's password; neither that nor another role's can be derived from it.
    fn password_of(&self, role: Role) -> String {
        let text = format!("{}/{}", role.name(), self.password);
        hex::encode(Sha256::digest(text))
    }
}
