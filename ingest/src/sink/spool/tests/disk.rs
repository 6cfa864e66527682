//! A disk that fails one fsync. The spool must accept nothing from then on, because the system may have
//! dropped what it could not write, and the next fsync succeeds nevertheless.

use super::*;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Passes the folder to the process whose disk fails.
const FOLDER: &str = "FOOTFALL_TEST_SPOOL";
/// The fsync of a thread that fails. Making the file takes a few.
const FAILURE: &str = "inject=fsync,fdatasync:error=EIO:when=20";

/// Not a test of its own: appends one event after the other, and says what became of each.
#[tokio::test]
async fn events_on_a_failing_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let spool = open(Path::new(&folder));
    for number in 0..60 {
        let kept = spool.append(vec![event("a", number)]).await.is_ok();
        eprintln!("{}", if kept { "event kept" } else { "event refused" });
    }
}

#[test]
fn after_a_failed_fsync_nothing_is_kept_until_the_next_start() {
    let mut tracing = Command::new("strace");
    tracing.args(["-f", "-qq", "-o", "/dev/null"]);
    let possible = Command::new(tracing.get_program())
        .args(tracing.get_args())
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        // Bypasses the test harness, which would hide the message.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: strace is not installed, or may not trace"
        );
        return;
    }
    let dir = TempDir::new().unwrap();
    let output = tracing
        .args(["-e", "trace=fsync,fdatasync", "-e", FAILURE])
        .arg(std::env::current_exe().unwrap())
        .args(["events_on_a_failing_disk", "--nocapture"])
        .env(FOLDER, dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("event "))
        .collect();
    let kept = told
        .iter()
        .take_while(|line| **line == "event kept")
        .count();
    assert_eq!(told.len(), 60, "{text}");
    assert!(kept > 0 && kept < 60, "{kept} events were kept");
    assert!(
        told[kept..].iter().all(|line| *line == "event refused"),
        "{told:?}"
    );

    // The refused event may be in the file: its fsync failed, not its write.
    let held = held(&open(dir.path()));
    let expected: Vec<String> = (0..kept).map(|number| format!("a {number}")).collect();
    assert_eq!(held[..kept], expected);
    assert!(held.len() <= kept + 1, "{held:?}");
}
