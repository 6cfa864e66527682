//! Builds and runs the tests of franz-go, the Go client, in `franz/`.

use std::process::Command;

use crate::{
    installed::{is_installed, skip},
    target::{PROTECTED, Target},
    tools::{run, target_directory, workspace},
};

#[tokio::test]
async fn franz_go_produces_consumes_and_administers() {
    let test = "franz_go_produces_consumes_and_administers";
    if !is_installed("go") {
        skip(test, "Go is not installed (https://go.dev/dl)");
        return;
    }
    let module = workspace().join("footfall/log/tests/conformance/franz");
    let binary = target_directory().join("tmp/franz.test");
    let mut download = Command::new("go");
    let downloaded = run(download.current_dir(&module).args(["mod", "download"]), "");
    if !downloaded.success {
        skip(
            test,
            &format!("cannot download franz-go: {}", downloaded.err),
        );
        return;
    }
    let mut build = Command::new("go");
    build
        .current_dir(&module)
        .args(["test", "-c", "-o"])
        .arg(&binary);
    run(&mut build, "").output();

    let target = Target::shared();
    target.create_protected_topic().await;
    let mut tests = Command::new(&binary);
    tests
        .args(["-test.v", "-test.timeout=120s"])
        .env("CONFORMANCE_BOOTSTRAP", &target.access.bootstrap)
        .env("CONFORMANCE_PROTECTED", PROTECTED)
        .env("CONFORMANCE_OURS", if target.ours { "1" } else { "0" });
    if let Some(login) = &target.access.login {
        tests.env("CONFORMANCE_USERNAME", &login.username);
        tests.env("CONFORMANCE_PASSWORD", &login.password);
    }
    let ended = run(&mut tests, "");
    assert!(ended.success, "{}{}", ended.out, ended.err);
}
