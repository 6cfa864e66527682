//! One PostgreSQL server for all tests of a process, and a fresh pair of databases for each system.

use footfall::postgres::{EmbeddedPostgres, Programs};
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

/// The URLs of one system's two databases, main and analytics.
#[derive(Clone, Debug)]
pub struct Databases {
    /// Main database.
    pub main: String,
    /// Analytics database.
    pub analytics: String,
}

/// A pair of migrated, empty databases.
///
/// # Panics
/// When no PostgreSQL can be started: nothing can be tested then.
pub async fn databases() -> Databases {
    let server = SERVER.get_or_init(Server::start).await;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let (main, analytics) = (format!("main_{number}"), format!("analytics_{number}"));
    let mut admin = PgConnection::connect(&server.postgres.url("postgres"))
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
        main: server.postgres.url(&main),
        analytics: server.postgres.url(&analytics),
    }
}

/// A pair of databases without any table.
///
/// # Panics
/// As [`databases`].
pub async fn empty_databases() -> Databases {
    let server = SERVER.get_or_init(Server::start).await;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let (main, analytics) = (
        format!("empty_main_{number}"),
        format!("empty_analytics_{number}"),
    );
    for name in [&main, &analytics] {
        server.postgres.create_database(name).await.unwrap();
    }
    Databases {
        main: server.postgres.url(&main),
        analytics: server.postgres.url(&analytics),
    }
}

impl Server {
    async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("footfall-tests-{}", std::process::id()));
        let directory = folder.join("postgres");
        std::fs::create_dir_all(&folder).unwrap();
        // On a runtime of its own: a test's ends with the test, the server serves them all.
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
                for (name, migrations) in [
                    ("template_main", &api::MIGRATIONS),
                    ("template_analytics", &projector::MIGRATIONS),
                ] {
                    postgres.create_database(name).await.unwrap();
                    let pool = PgPool::connect(&postgres.url(name)).await.unwrap();
                    migrations.run(&pool).await.unwrap();
                    pool.close().await;
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

/// Stops the server and removes its folder when this process has ended, however it ends.
fn watch_over(folder: &Path) {
    let script = r#"
        while kill -0 "$1" 2>/dev/null; do sleep 0.2; done
        pid=$(find "$2" -name postmaster.pid -exec head -n 1 {} \; | head -n 1)
        [ -n "$pid" ] && kill -INT "$pid" 2>/dev/null
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
        rm -rf "$2"
    "#;
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
