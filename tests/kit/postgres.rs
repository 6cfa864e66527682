//! One PostgreSQL server for all tests of a process, and a fresh pair of databases for each system.

use footfall::roles::{self, Contents, Role};
use footfall_postgres::{EmbeddedPostgres, Programs};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use std::{
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::sync::OnceCell;

static SERVER: OnceCell<Server> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);

struct Server {
    postgres: EmbeddedPostgres,
}

/// The URLs of one system's two databases, main and analytics, for the server's superuser, so that tests can read and
/// change everything.
#[derive(Clone, Debug)]
pub struct Databases {
    /// Main database.
    pub main: String,
    /// Analytics database.
    pub analytics: String,
}

impl Databases {
    /// The settings of the services for these databases, each with its own role.
    ///
    /// # Panics
    /// If they do not belong to this process's server.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 3] {
        let server = SERVER.get().expect("the server runs");
        let url = |role: Role, url: &str| {
            let (_, name) = url.rsplit_once('/').expect("a database");
            server.postgres.url(role.name(), name)
        };
        [
            ("DATABASE_URL", url(Role::Api, &self.main)),
            ("ANALYTICS_DATABASE_URL", url(Role::Api, &self.analytics)),
            (
                "PROJECTOR_DATABASE_URL",
                url(Role::Projector, &self.analytics),
            ),
        ]
    }
}

/// A pair of migrated, empty databases.
///
/// # Panics
/// If PostgreSQL cannot be started: then nothing can be tested.
pub async fn databases() -> Databases {
    let server = SERVER.get_or_init(Server::start).await;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let (main, analytics) = (format!("main_{number}"), format!("analytics_{number}"));
    let mut admin = PgConnection::connect(&server.postgres.admin_url("postgres"))
        .await
        .unwrap();
    for (name, template) in [(&main, "template_main"), (&analytics, "template_analytics")] {
        let statement = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    Databases {
        main: server.postgres.admin_url(&main),
        analytics: server.postgres.admin_url(&analytics),
    }
}

/// A pair of databases without any table.
///
/// # Panics
/// Like [`databases`].
pub async fn empty_databases() -> Databases {
    let server = SERVER.get_or_init(Server::start).await;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let (main, analytics) = (
        format!("empty_main_{number}"),
        format!("empty_analytics_{number}"),
    );
    for (name, contents) in [(&main, Contents::Main), (&analytics, Contents::Analytics)] {
        server.postgres.create_database(name).await.unwrap();
        roles::grant(&server.postgres, name, contents)
            .await
            .unwrap();
    }
    Databases {
        main: server.postgres.admin_url(&main),
        analytics: server.postgres.admin_url(&analytics),
    }
}

/// Grants a pair of databases to the roles again, as each start of the program does.
///
/// # Panics
/// If they do not belong to this process's server.
pub async fn grant(databases: &Databases) {
    let server = SERVER.get().expect("the server runs");
    for (url, contents) in [
        (&databases.main, Contents::Main),
        (&databases.analytics, Contents::Analytics),
    ] {
        let (_, name) = url.rsplit_once('/').expect("a database");
        roles::grant(&server.postgres, name, contents)
            .await
            .unwrap();
    }
}

impl Server {
    async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("footfall-tests-{}", std::process::id()));
        let directory = folder.join("postgres");
        std::fs::create_dir_all(&folder).unwrap();
        // On a separate runtime: a test's runtime ends with the test, but the server serves all tests.
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let postgres = EmbeddedPostgres::start(&directory, Programs::Auto)
                    .await
                    .unwrap();
                watch_over(&folder);
                roles::make(&postgres).await.unwrap();
                lift_connection_limits(&postgres).await;
                for (name, contents, migrations) in [
                    ("template_main", Contents::Main, &api::MIGRATIONS),
                    (
                        "template_analytics",
                        Contents::Analytics,
                        &projector::MIGRATIONS,
                    ),
                ] {
                    postgres.create_database(name).await.unwrap();
                    let pool = PgPool::connect(&postgres.admin_url(name)).await.unwrap();
                    migrations.run(&pool).await.unwrap();
                    pool.close().await;
                    roles::grant(&postgres, name, contents).await.unwrap();
                }
                let _ = sender.send(Self { postgres });
                std::future::pending::<()>().await;
            });
        });
        receiver
            .await
            .expect("PostgreSQL could not be started; install the package postgresql")
    }
}

/// Lifts the roles' connection limits. They suit one system, but many systems use this server.
async fn lift_connection_limits(postgres: &EmbeddedPostgres) {
    let mut admin = PgConnection::connect(&postgres.admin_url("postgres"))
        .await
        .unwrap();
    for role in [Role::Api, Role::Projector] {
        let statement = format!("ALTER ROLE {} CONNECTION LIMIT -1", role.name());
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut admin)
            .await
            .unwrap();
    }
}

/// Stops the server and removes its folder after the end of this process, also after a crash.
fn watch_over(folder: &Path) {
    let script = r#"
        while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
        pid=$(find "$2" -name postmaster.pid -exec head -n 1 {} \; | head -n 1)
        [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
        rm -rf "$2"
    "#;
    // In a session of its own, so that Ctrl-C ends the tests but not the watcher.
    let spawned = Command::new("setsid")
        .args(["sh", "-c", script, "watch"])
        .arg(std::process::id().to_string())
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop(spawned);
}
