//! Tests of servers that earlier runs left behind.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use super::{
    super::former::{Process, look},
    *,
};

/// Passes the directory to the process that plays the owner.
const OWNER: &str = "FOOTFALL_TEST_POSTGRES_OWNER";

async fn seen(pid: u32, home: &Path) -> Process {
    let data = home.canonicalize().unwrap().join("cluster");
    let account = Account::of(super::super::privilege::owner(&data)).await;
    look(pid, &data, &account.unwrap()).await.unwrap()
}

fn kill_hard(pid: u32) {
    let killed = Command::new("sh")
        .args(["-c", "kill -KILL \"$0\""])
        .arg(pid.to_string())
        .status();
    assert!(killed.unwrap().success());
}

/// Not a test of its own: another process that owns a server until it is killed.
#[tokio::test]
async fn an_owner_until_it_is_killed() {
    let Some(home) = std::env::var_os(OWNER) else {
        return;
    };
    let server = start(Path::new(&home)).await;
    eprintln!(
        "{}",
        if server.is_some() {
            "owner is ready"
        } else {
            "owner has none"
        }
    );
    std::future::pending::<()>().await;
}

/// Starts a server in another process and kills that process.
fn owner_that_was_killed(home: &Path) -> bool {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["an_owner_until_it_is_killed", "--nocapture"])
        .env(OWNER, home)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stderr.take().unwrap()).lines();
    let word = lines
        .map(Result::unwrap)
        .find(|line| line.starts_with("owner "));
    owner.kill().unwrap();
    owner.wait().unwrap();
    word.unwrap() == "owner is ready"
}

#[tokio::test]
async fn a_server_that_outlived_its_owner_is_replaced() {
    let (_dir, home) = home();
    if !owner_that_was_killed(&home) {
        eprintln!("SKIPPED: no server programs");
        return;
    }
    let former = pid_in(&home);
    assert_eq!(seen(former, &home).await, Process::Ours);
    let begun = std::time::Instant::now();
    let server = start(&home).await.unwrap();
    eprintln!("replaced in {:?}", begun.elapsed());
    assert_ne!(pid_in(&home), former);
    connect(&server, "postgres").await;

    // The same, with the server killed as well.
    server.stop().await.unwrap();
    assert!(owner_that_was_killed(&home));
    kill_hard(pid_in(&home));
    let server = start(&home).await.unwrap();
    connect(&server, "postgres").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_zombie_is_not_taken_for_a_server() {
    let (_dir, home) = home();
    let Some(former) = start(&home).await else {
        return;
    };
    let mut connection = connect(&former, "postgres").await;
    connection
        .execute("CREATE TABLE t AS SELECT 'kept' AS v")
        .await
        .unwrap();
    // Its parent is this process, which does not wait for it.
    let pid = pid_in(&home);
    kill_hard(pid);
    while seen(pid, &home).await != Process::Zombie {
        tokio::task::yield_now().await;
    }
    let server = start(&home).await.unwrap();
    let mut connection = connect(&server, "postgres").await;
    assert_eq!(value(&mut connection, "SELECT v FROM t").await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_unrelated_process_with_the_old_id_is_left_alone() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let pid_file = home.join("cluster/postmaster.pid");
    let text = std::fs::read_to_string(&pid_file).unwrap();
    server.stop().await.unwrap();
    let own = std::process::id().to_string();
    let rest: Vec<&str> = text.lines().skip(1).collect();
    std::fs::write(&pid_file, format!("{own}\n{}\n", rest.join("\n"))).unwrap();
    let server = start(&home).await.unwrap();
    connect(&server, "postgres").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let (_dir, home) = home();
    let Some(server) = start(&home).await else {
        return;
    };
    let pid = pid_in(&home);
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    if let Some(group) = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.split(' ').nth(2))
    {
        assert_eq!(group, pid.to_string(), "a process group of its own");
    }
    drop(server);
    let begun = std::time::Instant::now();
    while home.join("cluster/postmaster.pid").exists() {
        assert!(begun.elapsed().as_secs() < 30);
        tokio::task::yield_now().await;
    }
}

/// Starts a server as earlier versions of this program did below closed directories: with a
/// capability.
fn start_with_a_capability(home: &Path) -> Option<std::process::Child> {
    let data = home.canonicalize().unwrap().join("cluster");
    let (uid, gid) = super::super::privilege::owner(&data).unwrap();
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let program = installed
        .map(|version| version.path().join("bin/postgres"))
        .find(|program| program.is_file())?;
    let child = Command::new("setpriv")
        .args([format!("--reuid={uid}"), format!("--regid={gid}")])
        .args(["--clear-groups", "--inh-caps=+dac_read_search"])
        .args(["--ambient-caps=+dac_read_search", "--"])
        .arg(program)
        .arg("-D")
        .arg(&data)
        .args(["-c", "listen_addresses=", "-c", "unix_socket_directories="])
        .current_dir("/")
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.ok()?;
    let begun = std::time::Instant::now();
    loop {
        let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if text.lines().any(|line| line.trim() == "ready") {
            return Some(child);
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(begun.elapsed().as_secs() < 30, "{text}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_server_with_a_capability_of_an_earlier_version_is_replaced() {
    let (dir, home) = home();
    if dir.path().metadata().unwrap().uid() != 0 {
        eprintln!("SKIPPED: only root has this problem");
        return;
    }
    let Some(server) = start(&home).await else {
        return;
    };
    server.stop().await.unwrap();
    let Some(mut former) = start_with_a_capability(&home) else {
        eprintln!("SKIPPED: no capability to give");
        return;
    };
    assert_eq!(seen(former.id(), &home).await, Process::Ours);
    let waiting = std::thread::spawn(move || former.wait().unwrap());
    let server = start(&home).await.unwrap();
    assert!(waiting.join().unwrap().success());
    connect(&server, "postgres").await;
    server.stop().await.unwrap();
}
