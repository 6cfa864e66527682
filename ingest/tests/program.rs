//! Tests the program's output and exit codes before it serves requests.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::process::{Command, Output};

fn ingest(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ingest"))
        .args(arguments)
        .env_clear()
        .output()
        .unwrap()
}

#[test]
fn without_settings_it_names_all_of_them_and_ends_with_2() {
    let ended = ingest(&[]);
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    for name in [
        "KAFKA_BROKERS",
        "TRACKING_HMAC_SECRET",
        "ID_SECRET",
        "VISITOR_HASH_SECRET",
        "JWT_SECRET",
    ] {
        assert!(said.contains(name), "{name} in {said}");
    }
    assert!(ended.stdout.is_empty());
}

#[test]
fn help_explains_flags_and_settings_and_a_wrong_flag_ends_with_2() {
    let help = ingest(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let said = String::from_utf8(help.stdout).unwrap();
    for name in [
        "--listen",
        "--accept-new-secrets",
        "--health-check",
        "TRUSTED_PROXIES",
        "JWT_JWKS_FILE",
        "[required]",
    ] {
        assert!(said.contains(name), "{name} in {said}");
    }
    assert!(!said.contains("DATABASE_URL"));
    assert_eq!(ingest(&["--no-such-flag"]).status.code(), Some(2));
}

#[test]
fn a_health_check_needs_only_the_address_and_fails_if_nothing_listens() {
    // Nothing listens on port 9 (discard) on current machines.
    let away = ingest(&["--health-check", "--listen", "127.0.0.1:9"]);
    assert_eq!(away.status.code(), Some(1));
    let said = String::from_utf8(away.stderr).unwrap();
    assert!(said.contains("does not answer"), "{said}");
    let wrong = ingest(&["--health-check", "--listen", "8081"]);
    assert_eq!(wrong.status.code(), Some(2));
}
