//! Runs the statements that set up a server, and gives each of its roles a password.
//!
//! Only the superuser of the cluster runs them, and it is used for nothing else. The rule to keep:
//! **no URL that leaves this crate names the superuser**, except [`EmbeddedPostgres::admin_url`],
//! which is for tests.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};

use std::path::Path;

use super::{EmbeddedPostgres, PostgresError, check_name, connect_options};

/// Databases that every cluster has. No role needs them.
const NOT_OURS: &str = "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC";
/// Keeps failed statements out of the server's log, because they contain passwords.
const KEEP_OUT_OF_LOG: &str = "SET log_min_error_statement = panic";

impl EmbeddedPostgres {
    /// The URL of a database for one of the roles that [`Self::make_roles`] created.
    #[must_use]
    pub fn url(&self, role: &str, database: &str) -> String {
        self.url_of(role, &self.password_of(role), database)
    }

    /// The URL for a service of this process: over the server's Unix socket where it can be used,
    /// else [`Self::url`].
    ///
    /// sqlx leaves Nagle's algorithm on, so over TCP the end of a statement of several messages can
    /// wait 40 ms for an acknowledgement.
    #[must_use]
    pub fn socket_url(&self, role: &str, database: &str) -> String {
        let url = self.url(role, database);
        match self.server.socket().and_then(Path::to_str) {
            Some(socket) => format!(
                "{url}?host={}",
                utf8_percent_encode(socket, NON_ALPHANUMERIC)
            ),
            None => url,
        }
    }

    /// Runs the statements that create these roles, gives each role its password, and revokes the
    /// default rights on the databases that every cluster has. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`PostgresError::Name`] for a role whose name is not a plain identifier, and errors of the
    /// server.
    pub async fn make_roles(
        &self,
        statements: &'static str,
        roles: &[&str],
    ) -> Result<(), PostgresError> {
        roles.iter().try_for_each(|role| check_name(role))?;
        let mut connection = self.connect(self.admin_options()).await?;
        for statements in [KEEP_OUT_OF_LOG, NOT_OURS, statements] {
            connection.execute(sqlx::raw_sql(statements)).await?;
        }
        for role in roles {
            // This statement can bind neither; both are letters, digits and underscores.
            let password = self.password_of(role);
            let statement = format!("ALTER ROLE {role} PASSWORD '{password}'");
            connection.execute(AssertSqlSafe(statement)).await?;
        }
        connection.close().await?;
        Ok(())
    }

    /// Runs statements in a database as the superuser, in a session with these parameters.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn run(
        &self,
        database: &str,
        parameters: &[(&str, &str)],
        statements: &'static str,
    ) -> Result<(), PostgresError> {
        let options = self.admin_options().database(database);
        let options = options.options(parameters.iter().copied());
        let mut connection = self.connect(options).await?;
        connection.execute(sqlx::raw_sql(statements)).await?;
        connection.close().await?;
        Ok(())
    }

    fn admin_options(&self) -> PgConnectOptions {
        connect_options(self.server.port(), &self.password)
    }

    async fn connect(&self, options: PgConnectOptions) -> Result<PgConnection, PostgresError> {
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// A hash of the superuser's password and the role. Neither that password nor another role's
    /// follows from it.
    pub(super) fn password_of(&self, role: &str) -> String {
        password_of(&self.password, role)
    }
}

fn password_of(superusers: &str, role: &str) -> String {
    hex::encode(Sha256::digest(format!("{role}/{superusers}")))
}

/// The password of a role on the server of this directory, which another process may run. Only
/// those who may read the directory get it.
///
/// # Errors
/// When the directory has no password, or it cannot be read.
pub fn password_in(dir: &Path, role: &str) -> std::io::Result<String> {
    let superusers = std::fs::read_to_string(dir.join("password"))?;
    Ok(password_of(superusers.trim(), role))
}
