//! Tests of a real server: start, stop, kill, restart. Skipped, with a message, if no programs are
//! installed.

mod former;
mod outside;

use std::{
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
};

use sqlx::Row as _;
use tempfile::TempDir;

use super::*;

/// A server on installed programs, or `None` without any.
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

/// A directory that other users cannot enter, with a name that needs care.
fn home() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let home = dir.path().join("data dir ü").join("postgres");
    (dir, home)
}

fn pid_in(home: &Path) -> u32 {
    super::former::pid(&home.join("cluster/postmaster.pid")).unwrap()
}

#[tokio::test]
async fn stored_data_survives_a_restart() {
    let (_dir, home) = home();
    let begun = std::time::Instant::now();
    let Some(server) = start(&home).await else {
        return;
    };
    eprintln!("first start in {:?}", begun.elapsed());
    assert!(server.create_database("footfall").await.unwrap());
    assert!(!server.create_database("footfall").await.unwrap());
    for bad in ["", "a\"b", "Upper", "a b"] {
        assert!(matches!(
            server.create_database(bad).await,
            Err(PostgresError::Name(_))
        ));
    }
    let mut connection = connect(&server, "footfall").await;
    connection.execute("CREATE TABLE t (v text)").await.unwrap();
    connection
        .execute("INSERT INTO t VALUES ('kept')")
        .await
        .unwrap();
    for (setting, expected) in [
        ("SHOW fsync", "on"),
        ("SHOW synchronous_commit", "on"),
        ("SHOW data_checksums", "on"),
        ("SHOW server_encoding", "UTF8"),
        ("SHOW jit", "off"),
        ("SHOW unix_socket_directories", "."),
        ("SHOW unix_socket_permissions", "0700"),
        ("SHOW listen_addresses", "127.0.0.1"),
        ("SHOW timezone", "UTC"),
        (
            "SELECT datcollate FROM pg_database WHERE datname = 'footfall'",
            "C",
        ),
        ("SELECT upper('straße ü')", "STRAßE Ü"),
    ] {
        assert_eq!(value(&mut connection, setting).await, expected, "{setting}");
    }
    let url = server.admin_url("footfall");
    let mode = std::fs::metadata(home.join("password")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Open connections do not delay a stop.
    let begun = std::time::Instant::now();
    server.stop().await.unwrap();
    eprintln!("stopped in {:?}", begun.elapsed());
    assert!(!home.join("cluster/postmaster.pid").exists());

    let begun = std::time::Instant::now();
    let server = start(&home).await.unwrap();
    eprintln!("second start in {:?}", begun.elapsed());
    assert_eq!(
        server.admin_url("footfall"),
        url,
        "same port, same password"
    );
    let mut connection = connect(&server, "footfall").await;
    assert_eq!(value(&mut connection, "SELECT v FROM t").await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let url = server
        .admin_url("postgres")
        .replace(&server.password, "wrong");
    assert!(PgConnection::connect(&url).await.is_err());
    assert!(!format!("{server:?}").contains(&server.password));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn services_use_the_socket_where_its_path_is_short_enough() {
    const OVER_SOCKET: &str = "SELECT (inet_server_addr() IS NULL)::text";
    let (_dir, short) = home();
    let long = short.join("l".repeat(100));
    for (home, over_socket) in [(short.join("s"), "true"), (long, "false")] {
        let Some(server) = start(&home).await else {
            return;
        };
        let roles = "DO $$ BEGIN CREATE ROLE ada LOGIN; END $$";
        server.make_roles(roles, &["ada"]).await.unwrap();
        server.create_database("books").await.unwrap();
        let url = server.socket_url("ada", "books");
        let mut connection = PgConnection::connect(&url).await.unwrap();
        assert_eq!(value(&mut connection, OVER_SOCKET).await, over_socket);
        let mut connection = PgConnection::connect(&server.url("ada", "books"))
            .await
            .unwrap();
        assert_eq!(value(&mut connection, OVER_SOCKET).await, "false");
        let wrong = url.replace(&server.password_of("ada"), "wrong");
        assert!(PgConnection::connect(&wrong).await.is_err());
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_first_start_that_was_killed_begins_again() {
    let (_dir, home) = home();
    std::fs::create_dir_all(home.join("cluster.unfinished/base")).unwrap();
    std::fs::write(home.join("cluster.unfinished/PG_VERSION"), "15\n").unwrap();
    std::fs::write(home.join("password.unfinished"), "").unwrap();
    let Some(server) = start(&home).await else {
        return;
    };
    connect(&server, "postgres").await;
    server.stop().await.unwrap();
    assert!(!home.join("cluster.unfinished").exists());
}

#[tokio::test]
async fn a_port_in_use_is_replaced() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let port = server.server.port();
    server.stop().await.unwrap();
    let _other = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let server = start(&home).await.unwrap();
    assert_ne!(server.server.port(), port);
    connect(&server, "postgres").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn started_by_root_it_runs_as_an_unprivileged_user() {
    let (dir, home) = home();
    if dir.path().metadata().unwrap().uid() != 0 {
        eprintln!("SKIPPED: only root has this problem");
        return;
    }
    for mode in [0o700, 0o755] {
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let Some(server) = start(&home).await else {
            return;
        };
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid_in(&home))).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().to_owned()
        };
        assert_ne!(field("Uid:"), "0");
        for set in ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
            let capabilities = u64::from_str_radix(&field(set), 16).unwrap();
            assert_eq!(capabilities, 0, "{set} {mode:o}");
        }
        assert_eq!(field("NoNewPrivs:"), "1");
        // Not even the superuser can read root's files, the program's own included.
        let mut connection = connect(&server, "postgres").await;
        for file in [Path::new("/etc/shadow"), &home.join("password")] {
            let read = sqlx::query("SELECT pg_read_file($1)")
                .bind(file.to_str().unwrap())
                .fetch_one(&mut connection)
                .await;
            let refused = read.unwrap_err().to_string();
            assert!(refused.contains("Permission denied"), "{refused}");
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn data_of_another_version_is_reported() {
    let (_dir, home) = home();
    std::fs::create_dir_all(home.join("cluster")).unwrap();
    std::fs::write(home.join("cluster/PG_VERSION"), "9\n").unwrap();
    let error = EmbeddedPostgres::start(&home, Programs::Installed)
        .await
        .unwrap_err();
    assert!(
        matches!(error, PostgresError::OtherVersion { wanted: 9, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn downloaded_programs_work() {
    if std::env::var_os("FOOTFALL_TEST_DOWNLOAD").is_none() {
        eprintln!("SKIPPED: fetches from the network; set FOOTFALL_TEST_DOWNLOAD=1 to run it");
        return;
    }
    let (_dir, home) = home();
    let begun = std::time::Instant::now();
    let server = EmbeddedPostgres::start(&home, Programs::Download)
        .await
        .unwrap();
    eprintln!("fetched and started in {:?}", begun.elapsed());
    let mut connection = connect(&server, "postgres").await;
    eprintln!("{}", value(&mut connection, "SELECT version()").await);
    server.stop().await.unwrap();
    let server = EmbeddedPostgres::start(&home, Programs::Download)
        .await
        .unwrap();
    server.stop().await.unwrap();
}

#[test]
fn versions_are_read() {
    let major = super::programs::major;
    assert_eq!(
        major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
        Some(15)
    );
    assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
    assert_eq!(major("something else"), None);
}
