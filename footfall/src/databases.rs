//! Provides the two databases: on the configured server, or on the embedded PostgreSQL.

use crate::{
    data_dir::DataDir,
    roles::{self, Contents, Role},
};
use footfall_postgres::{EmbeddedPostgres, PostgresError, Programs};
use runtime::{Settings, database::message, program::Failure, settings::Setting};
use sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions};
use std::str::FromStr;
use tracing::info;
use url::Url;

/// Name of the main database in the embedded server.
const MAIN: &str = "footfall";
/// Name of the analytics database in the embedded server.
const ANALYTICS: &str = "footfall_analytics";

pub(crate) const SERVER_PROGRAMS: Setting = Setting::new(
    "EMBEDDED_POSTGRES",
    "auto",
    "server programs of the embedded PostgreSQL: installed, download, or auto for the first usable",
);

/// Reads `EMBEDDED_POSTGRES`.
pub fn read_programs(settings: &mut Settings) -> Programs {
    let given = settings.parse_with(SERVER_PROGRAMS, str::parse::<Programs>);
    given.unwrap_or_default()
}

/// The two databases, and their server if it is embedded.
pub struct Databases {
    /// The embedded server, which the caller stops; `None` for a configured one.
    pub server: Option<EmbeddedPostgres>,
    /// URL of the main database for people and scripts. On the embedded server its role only reads.
    pub main: String,
    /// URL of the analytics database for them.
    pub analytics: String,
}

/// Makes sure that both databases exist and sets `DATABASE_URL`, `ANALYTICS_DATABASE_URL` and, where the projector has a
/// role of its own, `PROJECTOR_DATABASE_URL`.
///
/// # Errors
/// When no server can be started or reached, or a database can be neither found nor created.
pub async fn provide(
    settings: &mut Settings,
    data_dir: &DataDir,
    programs: Programs,
) -> Result<Databases, Failure> {
    if let Some(main) = settings.text("DATABASE_URL") {
        let analytics = given_analytics(settings)?.unwrap_or_default();
        create_if_missing(&main, &analytics).await?;
        settings.set_default("ANALYTICS_DATABASE_URL", analytics.clone());
        return Ok(Databases {
            server: None,
            main,
            analytics,
        });
    }
    info!(
        "starting the embedded PostgreSQL in {}",
        data_dir.postgres().display()
    );
    let server = EmbeddedPostgres::start(&data_dir.postgres(), programs)
        .await
        .map_err(Failure::other)?;
    prepare(&server).await.map_err(Failure::other)?;
    settings.set_default("DATABASE_URL", server.socket_url(Role::Api.name(), MAIN));
    let given = settings.text("ANALYTICS_DATABASE_URL");
    if given.is_none() {
        let (projector, api) = (Role::Projector.name(), Role::Api.name());
        settings.set_default(
            "PROJECTOR_DATABASE_URL",
            server.socket_url(projector, ANALYTICS),
        );
        settings.set_default("ANALYTICS_DATABASE_URL", server.socket_url(api, ANALYTICS));
    }
    Ok(Databases {
        main: server.url(Role::Reader.name(), MAIN),
        analytics: given.unwrap_or_else(|| server.url(Role::Reader.name(), ANALYTICS)),
        server: Some(server),
    })
}

/// Creates the roles and databases of the embedded server, or brings them up to date.
async fn prepare(server: &EmbeddedPostgres) -> Result<(), PostgresError> {
    roles::make(server).await?;
    for (name, contents) in [(MAIN, Contents::Main), (ANALYTICS, Contents::Analytics)] {
        server.create_database(name).await?;
        roles::grant(server, name, contents).await?;
    }
    Ok(())
}

/// URL of the analytics database: the configured one, else the one that follows from
/// `DATABASE_URL`. `None` if neither is set.
///
/// # Errors
/// When the URL of the main database cannot be read.
pub fn given_analytics(settings: &Settings) -> Result<Option<String>, Failure> {
    if let Some(analytics) = settings.text("ANALYTICS_DATABASE_URL") {
        return Ok(Some(analytics));
    }
    let main = settings.text("DATABASE_URL");
    main.map(|main| beside(&main)).transpose()
}

/// Derives the analytics database's URL from the main one: `<name>_analytics` on the same server.
fn beside(main: &str) -> Result<String, Failure> {
    let mut url = Url::parse(main).map_err(Failure::other)?;
    let path = format!("{}_analytics", url.path());
    url.set_path(&path);
    Ok(url.into())
}

async fn create_if_missing(main: &str, analytics: &str) -> Result<(), Failure> {
    let analytics = PgConnectOptions::from_str(analytics)
        .map_err(|error| Failure::Other(format!("ANALYTICS_DATABASE_URL: {error}")))?;
    let Err(refused) = PgConnection::connect_with(&analytics).await else {
        return Ok(());
    };
    // 3D000: invalid_catalog_name, the database does not exist.
    let missing = refused
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("3D000"));
    let name = analytics.get_database().unwrap_or_default().to_owned();
    if !missing {
        return Err(unreachable("ANALYTICS_DATABASE_URL", &analytics, &refused));
    }
    let main = PgConnectOptions::from_str(main)
        .map_err(|error| Failure::Other(format!("DATABASE_URL: {error}")))?;
    let mut connection = PgConnection::connect_with(&main)
        .await
        .map_err(|error| unreachable("DATABASE_URL", &main, &error))?;
    // The name is an identifier and cannot be bound: the server quotes it.
    let quoted: String = sqlx::query("SELECT quote_ident($1)")
        .bind(&name)
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(Failure::other)?;
    let statement = format!("CREATE DATABASE {quoted} ENCODING 'UTF8' TEMPLATE template0");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))
        .execute(&mut connection)
        .await
        .map_err(|error| {
            let error = message(&error);
            Failure::Other(format!(
                "the analytics database cannot be created ({error}); create it with: {statement};"
            ))
        })?;
    info!("created the database {name}");
    Ok(())
}

/// The error for a database that cannot be used, with the setting that names it.
fn unreachable(setting: &str, database: &PgConnectOptions, error: &sqlx::Error) -> Failure {
    let name = database.get_database().unwrap_or_default();
    let (host, port) = (database.get_host(), database.get_port());
    let error = message(error);
    Failure::Other(format!(
        "the database {name} at {host}:{port} cannot be used ({error}); check {setting}, or DATABASE_URL if the setting is derived from it"
    ))
}

/// The URL of the running program's main database for the role that may write. A configured server
/// has no folder here, and its URL is already the one that the program uses.
///
/// # Errors
/// When the URL cannot have a user.
pub(crate) fn writing(url: &str, folder: &std::path::Path) -> Result<String, Failure> {
    let role = Role::Api.name();
    let Ok(password) = footfall_postgres::password_in(folder, role) else {
        return Ok(url.to_owned());
    };
    let mut url = Url::parse(url).map_err(Failure::other)?;
    let named = url.set_username(role);
    if named
        .and_then(|()| url.set_password(Some(&password)))
        .is_err()
    {
        return Err(Failure::other(
            "the URL of the running database has no user",
        ));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unreachable_server_is_reported_with_its_setting_and_without_the_password() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        drop(taken);
        let url = format!("postgres://ada:hunter2@{address}/main");
        let failure = create_if_missing(&url, &beside(&url).unwrap()).await;
        let said = failure.unwrap_err().to_string();
        let address = address.to_string();
        let expected = [address.as_str(), "main_analytics", "ANALYTICS_DATABASE_URL"];
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
