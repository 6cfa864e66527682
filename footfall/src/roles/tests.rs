//! Tests of each role's rights. Skipped, with a message, if no server programs are installed.

use super::*;
use footfall_postgres::Programs;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Statements that no role may run. Each is a way to the machine, to other roles or to other
/// databases.
const FORBIDDEN: &[&str] = &[
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('PG_VERSION')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "COPY (SELECT 1) TO '/tmp/footfall-copied'",
    "CREATE ROLE another",
    "ALTER ROLE footfall PASSWORD 'x'",
    "ALTER ROLE footfall_reader SUPERUSER",
    "SET ROLE footfall",
    "GRANT pg_read_server_files TO CURRENT_USER",
    "CREATE DATABASE another",
    "DROP DATABASE main",
    "ALTER SYSTEM SET log_statement = 'all'",
    "ALTER DATABASE main SET search_path = x",
    "CREATE EXTENSION file_fdw",
    "CREATE SCHEMA another",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_reload_conf()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'footfall'",
];

fn home() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let home = dir.path().join("postgres");
    (dir, home)
}

async fn start(dir: &Path) -> Option<EmbeddedPostgres> {
    match EmbeddedPostgres::start(dir, Programs::Installed).await {
        Ok(server) => Some(server),
        Err(error @ PostgresError::NoPrograms { .. }) => {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn connect(server: &EmbeddedPostgres, database: &str) -> PgConnection {
    PgConnection::connect(&server.admin_url(database))
        .await
        .unwrap()
}

async fn value(connection: &mut PgConnection, sql: &'static str) -> String {
    let row = sqlx::query(sql).fetch_one(connection).await.unwrap();
    row.get(0)
}

/// The two databases, each with objects that a superuser created, as earlier versions of this
/// program did.
async fn prepared(server: &EmbeddedPostgres) {
    for (database, contents) in [("main", Contents::Main), ("analytics", Contents::Analytics)] {
        server.create_database(database).await.unwrap();
        let mut admin = connect(server, database).await;
        for statement in [
            "CREATE TABLE old (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, n serial, v text)",
            "INSERT INTO old (v) VALUES ('kept')",
            "CREATE TABLE months (at int) PARTITION BY RANGE (at)",
            "CREATE TABLE months_1 PARTITION OF months FOR VALUES FROM (1) TO (2)",
            "CREATE SEQUENCE numbers",
            "CREATE VIEW seen AS SELECT v FROM old",
            "CREATE TYPE mood AS ENUM ('fine')",
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            // PostgreSQL's default, which a mistake can also restore.
            "GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC",
        ] {
            admin.execute(statement).await.unwrap();
        }
        // Twice, because every start does it.
        for _ in 0..2 {
            make(server).await.unwrap();
            grant(server, database, contents).await.unwrap();
        }
    }
}

async fn session(server: &EmbeddedPostgres, role: Role, database: &str) -> PgConnection {
    PgConnection::connect(&server.url(role.name(), database))
        .await
        .unwrap()
}

async fn assert_refused(connection: &mut PgConnection, statement: &'static str, who: &str) {
    let error = connection
        .execute(statement)
        .await
        .expect_err(&format!("{who} may: {statement}"));
    let server = error.as_database_error().expect("an answer of the server");
    let code = server.code().unwrap_or_default();
    // Insufficient privilege. For a reader also: a transaction that only reads.
    assert!(
        ["42501", "25006"].contains(&&*code),
        "{who}, {statement}: {error}"
    );
}

#[tokio::test]
async fn each_role_does_its_work_and_nothing_else() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    prepared(&server).await;

    // Owners may change the objects that existed before, and create more.
    for (role, database) in [(Role::Api, "main"), (Role::Projector, "analytics")] {
        let mut owner = session(&server, role, database).await;
        for statement in [
            "ALTER TABLE old ADD COLUMN w int",
            "INSERT INTO old (v) VALUES ('more')",
            "INSERT INTO months VALUES (1)",
            "ALTER TABLE months_1 ADD CHECK (at > 0)",
            "ALTER SEQUENCE numbers RESTART",
            "ALTER TYPE mood ADD VALUE 'fair'",
            "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE OR REPLACE VIEW seen AS SELECT v FROM old WHERE true",
            "CREATE TABLE new (v text)",
            "INSERT INTO new VALUES ('written')",
            "CREATE TEMPORARY TABLE passing (v text)",
            "ANALYZE old",
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_lock(2)",
            "SELECT pg_advisory_unlock(2)",
            "SELECT pg_advisory_unlock_all()",
        ] {
            let done = owner.execute(statement).await;
            done.unwrap_or_else(|error| panic!("{role:?}, {statement}: {error}"));
        }
    }

    // Readers see the tables from before and after the grant.
    for (role, database) in [
        (Role::Api, "analytics"),
        (Role::Reader, "analytics"),
        (Role::Reader, "main"),
    ] {
        let mut reader = session(&server, role, database).await;
        assert_eq!(value(&mut reader, "SELECT v FROM new").await, "written");
        assert_eq!(value(&mut reader, "SELECT min(v) FROM old").await, "kept");
        let who = format!("{role:?} in {database}");
        // A session may turn its read-only default off. The rights must still refuse writes.
        reader
            .execute("SET default_transaction_read_only = off")
            .await
            .unwrap();
        for statement in [
            "INSERT INTO new VALUES ('x')",
            "UPDATE old SET v = 'x'",
            "DELETE FROM old",
            "TRUNCATE new",
            "DROP TABLE new",
            "CREATE TABLE mine (v text)",
            "CREATE TEMPORARY TABLE mine (v text)",
            "SELECT nextval('numbers')",
            "SELECT v FROM new FOR UPDATE",
            // The locks of the publisher and of migrations, in every form.
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_advisory_lock(1, 1)",
            "SELECT pg_advisory_lock_shared(1)",
            "SELECT pg_advisory_xact_lock(1)",
            "SELECT pg_try_advisory_lock(1)",
            "SELECT pg_try_advisory_lock_shared(1, 1)",
            "SELECT pg_try_advisory_xact_lock(1)",
            "SELECT pg_try_advisory_xact_lock_shared(1)",
            "SELECT pg_advisory_unlock_all()",
            "CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ] {
            assert_refused(&mut reader, statement, &who).await;
        }
    }

    // No role can connect to a database that it does not need.
    for (role, database) in [
        (Role::Projector, "main"),
        (Role::Projector, "postgres"),
        (Role::Api, "postgres"),
        (Role::Reader, "template1"),
    ] {
        let refused = PgConnection::connect(&server.url(role.name(), database)).await;
        let refused = refused.expect_err("the role connected").to_string();
        assert!(refused.contains("permission denied"), "{refused}");
    }

    for (role, database) in [
        (Role::Api, "main"),
        (Role::Api, "analytics"),
        (Role::Projector, "analytics"),
        (Role::Reader, "main"),
    ] {
        let mut connection = session(&server, role, database).await;
        for statement in FORBIDDEN {
            assert_refused(&mut connection, statement, role.name()).await;
        }
        let mut others = Role::ALL.to_vec();
        others.retain(|other| *other != role);
        for other in others {
            let statement = AssertSqlSafe(format!("SET ROLE {}", other.name()));
            assert!(connection.execute(statement).await.is_err());
        }
    }
    let mut admin = connect(&server, "postgres").await;
    let attributes = "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)::text
        FROM pg_roles WHERE rolname LIKE 'footfall\\_%'";
    assert_eq!(value(&mut admin, attributes).await, "false");
    let members = "SELECT count(*)::text FROM pg_auth_members
        WHERE member IN (SELECT oid FROM pg_roles WHERE rolname LIKE 'footfall\\_%')";
    assert_eq!(value(&mut admin, members).await, "0");
    let limits = "SELECT sum(rolconnlimit)::text FROM pg_roles WHERE rolname LIKE 'footfall\\_%'";
    let limits: u32 = value(&mut admin, limits).await.parse().unwrap();
    assert!(
        (50..=97).contains(&limits),
        "the superuser keeps 3 of 100 connections"
    );
    server.stop().await.unwrap();
}

#[tokio::test]
async fn passwords_survive_a_restart_and_share_nothing() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    make(&server).await.unwrap();
    let urls = |server: &EmbeddedPostgres| Role::ALL.map(|role| server.url(role.name(), "x"));
    let before = urls(&server);
    let password = |url: &String| {
        let url = url::Url::parse(url).unwrap();
        url.password().unwrap().to_owned()
    };
    let passwords = before.each_ref().map(password);
    let superusers = password(&server.admin_url("x"));
    assert_ne!(passwords[0], passwords[1]);
    assert!(!before.concat().contains(&superusers));
    server.stop().await.unwrap();
    // The server's log must not contain the statements that set them, even if one fails.
    let log = std::fs::read_to_string(home.join("postgres.log")).unwrap();
    assert!(!passwords.iter().any(|password| log.contains(password)));
    let server = start(&home).await.unwrap();
    assert_eq!(urls(&server), before);
    server.stop().await.unwrap();
}
