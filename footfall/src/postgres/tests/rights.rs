//! The rights of each role, and what the server's processes can see of this program.

use super::*;

/// Statements that none of the roles may run, each a way to the machine, to other roles or to other databases.
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

/// The two databases, each with a table that a superuser made, as earlier versions of this program did.
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
            // Of PostgreSQL itself, and of a mistake.
            "GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC",
        ] {
            admin.execute(statement).await.unwrap();
        }
        // Twice: every start does it.
        for _ in 0..2 {
            server.make_roles().await.unwrap();
            server.grant(database, contents).await.unwrap();
        }
    }
}

async fn session(server: &EmbeddedPostgres, role: Role, database: &str) -> PgConnection {
    PgConnection::connect(&server.url(role, database))
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
    // Insufficient privilege; for a reader also: not in a transaction that only reads.
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

    // Owners have what was there before them, and make more.
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

    // Readers read both kinds of tables, those made after the grant included.
    for (role, database) in [
        (Role::Api, "analytics"),
        (Role::Reader, "analytics"),
        (Role::Reader, "main"),
    ] {
        let mut reader = session(&server, role, database).await;
        assert_eq!(value(&mut reader, "SELECT v FROM new").await, "written");
        assert_eq!(value(&mut reader, "SELECT min(v) FROM old").await, "kept");
        let who = format!("{role:?} in {database}");
        // A session may ask to write; the rights decide.
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
            // The publisher's and the migrators', in every form.
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
        let refused = PgConnection::connect(&server.url(role, database)).await;
        let refused = refused.expect_err("a way in").to_string();
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
    assert!((50..=97).contains(&limits), "of 100, 3 are the superuser's");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn passwords_stay_the_same_and_do_not_follow_from_each_other() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    server.make_roles().await.unwrap();
    let urls = |server: &EmbeddedPostgres| Role::ALL.map(|role| server.url(role, "x"));
    let before = urls(&server);
    let passwords = before.each_ref().map(|url| {
        let url = url::Url::parse(url).unwrap();
        url.password().unwrap().to_owned()
    });
    assert_ne!(passwords[0], passwords[1]);
    assert!(!before.concat().contains(&server.password));
    server.stop().await.unwrap();
    // The statements that set them are in no log, also when one fails.
    let log = std::fs::read_to_string(home.join("postgres.log")).unwrap();
    assert!(!passwords.iter().any(|password| log.contains(password)));
    let server = start(&home).await.unwrap();
    assert_eq!(urls(&server), before);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_servers_processes_know_nothing_of_our_environment() {
    let (_dir, home) = home();
    // Any variable of this test stands for a secret: it would go the same way.
    let ours = std::env::vars_os().filter(|(name, _)| name != "PATH");
    assert!(ours.count() > 1, "nothing to keep from the server");
    let Some(server) = start(&home).await else {
        return;
    };
    let mut admin = connect(&server, "postgres").await;
    admin
        .execute("CREATE TABLE environment (line text)")
        .await
        .unwrap();
    let copy = "COPY environment FROM PROGRAM 'env' WITH (DELIMITER E'\\x01')";
    admin.execute(copy).await.unwrap();
    let rows = sqlx::query("SELECT split_part(line, '=', 1) FROM environment ORDER BY 1")
        .fetch_all(&mut admin)
        .await
        .unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    // What the server and the shell set for themselves.
    let own = ["PWD", "OLDPWD", "SHLVL", "_", "LC_ALL"];
    let foreign: Vec<&String> = names
        .iter()
        .filter(|name| !own.contains(&name.as_str()) && !name.starts_with("PG"))
        .filter(|name| !["PATH", "LD_LIBRARY_PATH"].contains(&name.as_str()))
        .filter(|name| !name.starts_with("LC_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(names.contains(&"PATH".to_owned()), "{names:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn files_are_the_owners_alone() {
    let (_dir, home) = home();
    std::fs::create_dir_all(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o755)).unwrap();
    let Some(server) = start(&home).await else {
        return;
    };
    for entry in std::fs::read_dir(&home).unwrap().chain(
        std::fs::read_dir(home.parent().unwrap())
            .unwrap()
            .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path() == home)),
    ) {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn errors_are_told_without_lines_of_the_servers_source() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let mut connection = connect(&server, "postgres").await;
    let error = connection.execute("SELECT absent").await.unwrap_err();
    assert!(error.to_string().contains(" at line "), "{error}");
    let message = runtime::database::message(&error);
    assert!(
        message.ends_with("column \"absent\" does not exist"),
        "{message}"
    );
    let migrating = sqlx::migrate::MigrateError::ExecuteMigration(error, 3);
    let message = runtime::database::message(&migrating);
    assert!(
        message.contains("absent") && !message.contains("at line"),
        "{message}"
    );
    let refused = server.grant("no_such_database", Contents::Main).await;
    let refused = refused.unwrap_err().to_string();
    assert!(!refused.contains("at line"), "{refused}");
    server.stop().await.unwrap();
}
