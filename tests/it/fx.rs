//! `footfall fx`: rates of currencies for a running program and for a stopped one.

use crate::program;
use kit::{child::Program, home::Home};
use sqlx::PgPool;
use std::path::Path;

/// Runs the command: its exit code and what it said.
fn load(folder: &Path, file: &Path, lines: &str) -> (Option<i32>, String) {
    std::fs::write(file, lines).unwrap();
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("RUST_LOG", "warn"),
    ];
    let ended = Program::run(
        "footfall",
        &["fx", file.to_str().unwrap()],
        &environment,
        b"",
    );
    (ended.code, ended.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_are_loaded_beside_a_running_program_and_without_one() {
    let folder = Home::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let program = program::start(&folder);
    let run = program::ready(&folder, program.id()).await;
    let (code, said) = load(
        &folder,
        file.path(),
        "day,currency,usd_per_unit\n2030-01-02,EUR,1.5\n",
    );
    assert_eq!(
        (code, said.contains("1 rates loaded; 0 conversions")),
        (Some(0), true),
        "{said}"
    );
    let (code, said) = load(&folder, file.path(), "2030-01-02,EUR,1.5\n2030-01-02,EUR\n");
    assert_eq!((code, said.contains("line 2")), (Some(1), true), "{said}");
    let main = PgPool::connect(run["databaseUrl"].as_str().unwrap())
        .await
        .unwrap();
    let rate: i64 = sqlx::query_scalar(
        "SELECT usd_pico FROM fx_rates WHERE currency = 'EUR' AND day = '2030-01-02'",
    )
    .fetch_one(&main)
    .await
    .unwrap();
    assert_eq!(rate, 1_500_000_000_000);
    // A new installation knows some rates.
    let bundled: i64 = sqlx::query_scalar("SELECT count(DISTINCT currency) FROM fx_rates")
        .fetch_one(&main)
        .await
        .unwrap();
    assert!(bundled > 20, "{bundled}");
    main.close().await;
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
    let (code, said) = load(&folder, file.path(), "2030-01-03,EUR,1.6\n");
    assert_eq!(
        (code, said.contains("1 rates loaded")),
        (Some(0), true),
        "{said}"
    );
}
