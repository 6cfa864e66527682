//! `footfall import` as a command: its sources, its messages and its exit codes.

use crate::{
    import::{environment, history, system},
    program::{client, ready, start},
};
use kit::{
    SystemBuilder,
    child::{Program, pairs},
    file::Counted,
    home::Home,
};
use runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_reported_and_fail_only_a_strict_import() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let good = history(creator.page, &links, 3, system.clock.now());
    let text = format!("{good}{{\"bioPageId\":7}}\nnonsense\n");
    let environment = environment(&system);
    let other_secret = {
        let mut environment = environment.clone();
        environment.insert("ID_SECRET".to_owned(), "another-secret-".repeat(4));
        environment
    };
    let settled = tokio::task::spawn_blocking(move || {
        let run = |arguments: &[&str], environment: &BTreeMap<String, String>| {
            Program::run("footfall", arguments, &pairs(environment), text.as_bytes())
        };
        [
            run(&["import", "-", "--json"], &environment),
            run(&["import", "-", "--strict", "--no-wait"], &environment),
            run(&["import", "-"], &other_secret),
            run(&["import", "no-such-file.jsonl"], &environment),
            run(&["import"], &environment),
        ]
    });
    let [json, strict, stranger, no_file, no_argument] = settled.await.unwrap();

    assert_eq!(json.code, Some(0), "{}", json.err);
    let summary: Value = serde_json::from_str(json.json_lines().next().unwrap()).unwrap();
    assert_eq!(summary["lines"], 5);
    assert_eq!(summary["bad"]["lines"], 2);
    assert_eq!(summary["bad"]["reasons"]["invalid"], 1);
    assert_eq!(summary["bad"]["first"][1]["line"], 5);
    assert!(summary["tablesSeconds"].is_number() && summary["eventsPerSecond"].is_number());
    assert!(json.err.contains("line 4: "), "{}", json.err);
    assert!(json.err.contains("in the tables"), "{}", json.err);

    assert_eq!(strict.code, Some(1), "{}", strict.err);
    assert!(strict.err.contains("2 lines are bad"), "{}", strict.err);
    assert_eq!(strict.json_lines().count(), 0);

    assert_eq!(stranger.code, Some(1));
    assert!(
        stranger.err.contains("ID_SECRET does not match this log"),
        "{}",
        stranger.err
    );
    assert_eq!(no_file.code, Some(1));
    assert!(
        no_file.err.contains("no-such-file.jsonl"),
        "{}",
        no_file.err
    );
    assert_eq!(no_argument.code, Some(2));
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_line_is_in_the_json_and_in_a_file() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let good = history(creator.page, &links, 3, system.clock.now());
    let mut text = good.into_bytes();
    // A file as spreadsheets and editors write it: a byte order mark, CRLF, empty lines, bytes that are not text.
    text.splice(0..0, *b"\xef\xbb\xbf");
    text.extend_from_slice(b"\r\n \r\n\xff\xfe\r\n\"raw-visitor-42\"\r\n");
    for _ in 0..23 {
        text.extend_from_slice(b"{\"bioPageId\":7}\n");
    }
    let folder = std::env::temp_dir().join(format!("footfall-bad-{}", creator.page));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("visits.jsonl");
    fs::write(&path, text).unwrap();
    let environment = environment(&system);
    let ended = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || {
            let arguments = ["import", path.to_str().unwrap(), "--json"];
            Program::run("footfall", &arguments, &pairs(&environment), b"")
        })
    };
    let ended = ended.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let summary: Value = serde_json::from_str(ended.json_lines().next().unwrap()).unwrap();
    assert_eq!(
        (&summary["lines"], &summary["bad"]["lines"]),
        (&json!(28), &json!(25))
    );
    let all = summary["bad"]["all"].as_array().unwrap();
    let numbers: Vec<u64> = all
        .iter()
        .map(|bad| bad["line"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (6..=30).collect::<Vec<_>>());
    assert_eq!(all[1]["problem"], "not a JSON object");
    assert_eq!(summary["bad"]["first"].as_array().unwrap().len(), 20);
    assert!(
        ended.err.contains("line 7: not a JSON object"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains("raw-visitor-42") && !ended.out.contains("raw-visitor-42"));

    let file = summary["bad"]["file"].as_str().unwrap();
    assert!(file.starts_with(path.to_str().unwrap()), "{file}");
    let named = format!("and 5 more; all of them are in {file}");
    assert!(ended.err.contains(&named), "{}", ended.err);
    let text = fs::read_to_string(file).unwrap();
    let listed = text.lines().map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(&listed.collect::<Vec<Value>>(), all);
    fs::remove_dir_all(folder).unwrap();
    system.finish().await;
}

fn run_in(folder: &Path, arguments: &[&str], input: &[u8]) -> kit::child::Ended {
    let secret = kit::system::SECRET;
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("KAFKA_BROKERS", ""),
        ("DATABASE_URL", ""),
        ("JWT_SECRET", secret),
        ("TRACKING_HMAC_SECRET", secret),
        ("RUST_LOG", "warn"),
    ];
    Program::run("footfall", arguments, &environment, input)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_works_with_and_without_a_running_program() {
    let folder = Home::new();
    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    let creator = client(&run).creator("ada").await;
    let now = SystemClock.now();
    let file = history(creator.page, &BTreeMap::new(), 60, now);
    let half = file.lines().take(30).map(|line| format!("{line}\n"));
    let (half, whole) = (half.collect::<String>(), file.clone());
    let counted_half = Counted::of(&half);

    let ended = {
        let folder = folder.to_path_buf();
        tokio::task::spawn_blocking(move || run_in(&folder, &["import", "-"], half.as_bytes()))
    };
    let ended = ended.await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));

    // No program runs: the import starts the parts that it needs, and locks the folder meanwhile.
    let (ended, replayed) = {
        let folder = folder.to_path_buf();
        let running = tokio::task::spawn_blocking(move || {
            let ended = run_in(&folder, &["import", "-"], whole.as_bytes());
            (ended, run_in(&folder, &["replay"], b""))
        });
        running.await.unwrap()
    };
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(!folder.join("run.json").exists());
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let counted = Counted::of(&file);
    // The second import knew the visits of the first.
    let known = counted_half.visits();
    let said = format!("known    {known} visits");
    assert!(ended.err.contains(&said), "{}", ended.err);
    assert_eq!(replayed.json_lines().count(), counted.events());

    let program = start(&folder);
    let run = ready(&folder, program.id()).await;
    for (path, expected) in counted.reports(&BTreeMap::<Uuid, _>::new(), SystemClock.now(), 365) {
        let found = client(&run).report(&creator, &path).await;
        assert_eq!(found, expected, "{path}");
    }
    // While another process has the folder and is not ready, a command names that process.
    fs::remove_file(folder.join("run.json")).unwrap();
    let refused = {
        let folder = folder.to_path_buf();
        tokio::task::spawn_blocking(move || run_in(&folder, &["replay"], b""))
    };
    let refused = refused.await.unwrap();
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("in use by process"), "{}", refused.err);
    program.signal("TERM");
    assert_eq!(program.wait(), Some(0));
}
