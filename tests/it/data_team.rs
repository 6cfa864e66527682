//! What data teams run: the recipes of docs/DATA-TEAMS.md, and the files of a replay in `DuckDB`.
//!
//! A test whose program is not installed prints that it skips it.

use crate::replay::text;
use footfall::commands::replay::Selection;
use jiff::{Timestamp, tz::TimeZone};
use kit::System;
use runtime::kafka::properties::{self, Secrets};
use schemas::topics::EVENTS;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Counts, sums, times and forms of what the recipe loaded, as one line of JSON.
const ASK: &str = r#"
import duckdb, json, sys
db = duckdb.connect(sys.argv[1])
db.execute("SET TimeZone = 'UTC'")
one = lambda sql: db.execute(sql).fetchone()[0]
tables = [name for (name,) in db.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
form = dict(db.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'page.left'").fetchall())
print(json.dumps({
    "counts": {name: one(f'SELECT count(DISTINCT event_id) FROM "{name}"') for name in tables},
    "seconds": one('SELECT sum(body_duration_seconds) FROM "page.left"'),
    "offsets": sum(int(one(f'SELECT sum(log_offset) FROM "{name}"')) for name in tables),
    "micros": sum(int(one(f'SELECT sum(epoch_us(occurred_at)) FROM "{name}"')) for name in tables),
    "mobile": one("SELECT count(*) FROM \"session.started\" WHERE visitor_agent_device = 'mobile'"),
    "days": [str(day) for (day,) in db.execute('SELECT DISTINCT day FROM "page.viewed" ORDER BY 1').fetchall()],
    "forms": [form[name] for name in ("occurred_at", "log_offset", "body_duration_seconds", "event_id")],
}))
"#;

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A folder with a program `footfall`, which is this test binary (see `kit::child`), and Python with `DuckDB` before any other.
fn programs(folder: &Path) {
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "#!/usr/bin/env bash\nset -o pipefail\nwords=footfall\nfor word in \"$@\"; do words+=$'\\x1f'$word; done\n\
         FOOTFALL_TEST_PROGRAM=$words '{}' --exact child_program --nocapture --quiet | sed -n '/^{{/p'\n",
        program.display()
    );
    let path = folder.join("footfall");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A command that finds `footfall` and Python, and knows where the log is.
fn command(system: &System, programs: &Path, program: &Path) -> Command {
    let usual = std::env::var_os("PATH").unwrap();
    let first = [programs.to_owned(), duckdb_folder()];
    let path = std::env::join_paths(first.into_iter().chain(std::env::split_paths(&usual)));
    let path = path.unwrap();
    let mut command = Command::new(program);
    command.env("PATH", path).envs(system.log.variables());
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Where `scripts/install-duckdb` puts Python.
fn duckdb_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../duckdb/bin")
}

fn is_installed(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

/// Visits of two creators, in the log when this returns.
async fn visit(system: &System) {
    for (name, visits) in [("ada", 3), ("bob", 2)] {
        let creator = system.client.creator(name).await;
        for visitor in 0..visits {
            let visitor = format!("visitor {visitor}");
            let session = system.client.session(creator.page, &visitor).await;
            let view = system.client.view(session, None).await;
            system.client.leave(view, 12.5).await.assert_ok();
        }
    }
}

async fn json_lines(system: &System) -> Vec<Value> {
    let text = text(&system.log, Selection::default()).await;
    let json = |line| serde_json::from_str(line).unwrap();
    text.lines().map(json).collect()
}

/// The answer to [`ASK`], computed from lines of JSON.
fn expected(lines: &[Value]) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut seconds, mut offsets, mut micros, mut mobile) = (0.0, 0, 0, 0);
    let mut days = Vec::new();
    for line in lines {
        let event = &line["event"];
        let kind = event["type"].as_str().unwrap();
        *counts.entry(kind).or_default() += 1;
        seconds += event["body"]["duration_seconds"].as_f64().unwrap_or(0.0);
        offsets += line["offset"].as_i64().unwrap();
        let at: Timestamp = event["occurred_at"].as_str().unwrap().parse().unwrap();
        micros += at.as_microsecond();
        mobile += u64::from(event["visitor"]["agent"]["device"] == "mobile");
        if kind == "page.viewed" {
            let at: Timestamp = line["time"].as_str().unwrap().parse().unwrap();
            days.push(at.to_zoned(TimeZone::UTC).date().to_string());
        }
    }
    days.sort_unstable();
    days.dedup();
    json!({
        "counts": counts, "seconds": seconds, "offsets": offsets, "micros": micros,
        "mobile": mobile, "days": days,
        "forms": ["TIMESTAMP WITH TIME ZONE", "BIGINT", "DOUBLE", "VARCHAR"],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_from_the_files_what_the_lines_say() {
    let python = duckdb_folder().join("python3");
    let python = if python.exists() {
        python
    } else {
        PathBuf::from("python3")
    };
    if !is_installed(python.to_str().unwrap(), &["-c", "import duckdb, pytz"]) {
        eprintln!("SKIPPED: DuckDB for Python is not installed; scripts/install-duckdb does it");
        return;
    }
    let system = System::start().await;
    visit(&system).await;
    let lines = json_lines(&system).await;
    let folder = TempDir::new().unwrap();
    programs(folder.path());
    let lake = folder.path().join("lake");
    let database = folder.path().join("footfall.duckdb");
    let footfall = || command(&system, folder.path(), &folder.path().join("footfall"));
    let recipe = repository().join("docs/recipes/load-into-duckdb");
    let (loaded, answer, again) = tokio::task::block_in_place(|| {
        let replay = |out: &Path| {
            let mut command = footfall();
            command.args(["replay", "--format", "parquet", "--out"]);
            command.arg(out);
            command
        };
        run(&mut replay(&lake));
        let mut load = command(&system, folder.path(), &recipe);
        let loaded = run(load.arg(&lake).arg(&database));
        let mut ask = Command::new(&python);
        let answer = run(ask.args(["-c", ASK]).arg(&database));
        (loaded, answer, replay(&lake).output().unwrap())
    });
    assert_eq!(lines.len(), 15);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, expected(&lines));
    assert!(loaded.contains("page.viewed 5"), "{loaded}");
    let refused = String::from_utf8_lossy(&again.stderr);
    assert!(
        !again.status.success() && refused.contains("exists already"),
        "{refused}"
    );
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_a_file_writes_the_lines_of_a_day() {
    let system = System::start().await;
    visit(&system).await;
    let lines = json_lines(&system).await;
    let day = lines[0]["time"].as_str().unwrap()[..10].to_owned();
    let of_day = |line: &&Value| line["time"].as_str().unwrap().starts_with(&day);
    let expected = lines.iter().filter(of_day).count();
    let folder = TempDir::new().unwrap();
    programs(folder.path());
    let recipe = repository().join("docs/recipes/replay-to-file");
    let printed = tokio::task::block_in_place(|| {
        let mut copy = command(&system, folder.path(), &recipe);
        run(copy.arg(&day).arg(folder.path()));
        let file = folder.path().join(format!("{day}.jsonl.gz"));
        run(Command::new("gzip").arg("-dc").arg(file))
    });
    assert_eq!(printed.lines().count(), expected);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_kcat_prints_each_event_once() {
    if !is_installed("kcat", &["-V"]) {
        eprintln!("SKIPPED: kcat is not installed (Debian, Ubuntu: kcat)");
        return;
    }
    let system = System::start().await;
    visit(&system).await;
    let folder = TempDir::new().unwrap();
    let properties = folder.path().join("kafka.properties");
    let text = properties::write(&system.log.kafka(), Secrets::Included);
    fs::write(&properties, text).unwrap();
    let recipe = repository().join("docs/recipes/follow-with-kcat");
    let follow = || {
        let mut follow = command(&system, folder.path(), &recipe);
        follow.arg(&properties).arg(folder.path().join("offsets"));
        let printed = tokio::task::block_in_place(|| run(&mut follow));
        let id = |line: &str| -> Value {
            let event: Value = serde_json::from_str(line).unwrap();
            event["event_id"].clone()
        };
        printed.lines().map(id).collect::<Vec<Value>>()
    };
    let mut seen = follow();
    assert_eq!(seen.len(), 15);
    assert_eq!(follow(), Vec::<Value>::new());
    let eve = system.client.creator("eve").await;
    system.client.session(eve.page, "visitor").await;
    seen.extend(follow());
    let stored = system.log.read(EVENTS).await;
    let mut all: Vec<String> = stored
        .iter()
        .map(|record| {
            let event: Value = serde_json::from_slice(&record.payload).unwrap();
            event["event_id"].to_string()
        })
        .collect();
    let mut seen: Vec<String> = seen.iter().map(Value::to_string).collect();
    all.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, all);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_schemas_accept_every_record_and_no_other_type() {
    let system = System::start().await;
    visit(&system).await;
    let list = system.client.get("/schemas").await.json();
    let list = list["schemas"].as_array().unwrap();
    let mut validators = BTreeMap::new();
    for entry in list {
        let path = entry["path"].as_str().unwrap();
        let answer = system.client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let name = entry["name"].as_str().unwrap();
        let newest = system.client.get(&format!("/schemas/{name}.json")).await;
        assert_eq!(newest.json(), answer.json(), "{name}");
        let validator = jsonschema::draft202012::new(&answer.json()).unwrap();
        validators.insert(name.to_owned(), validator);
    }
    let topic = &validators["footfall.events"];
    for line in json_lines(&system).await {
        let event = &line["event"];
        let kind = event["type"].as_str().unwrap();
        assert!(topic.is_valid(event), "{event}");
        for (name, validator) in &validators {
            let fits = validator.is_valid(event);
            assert_eq!(fits, name == kind || name == "footfall.events", "{name}");
        }
    }
    for record in system.log.read(schemas::topics::DIRECTORY).await {
        let entry: Value = serde_json::from_slice(&record.payload).unwrap();
        assert!(validators["footfall.directory"].is_valid(&entry), "{entry}");
    }
    system.finish().await;
}
