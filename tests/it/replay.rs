//! The log as lines: printed records, filters, and exit codes of the command.

use footfall::commands::replay::{self, Bound, ReplayError, Selection};
use jiff::SignedDuration;
use kit::{
    Creator, System,
    child::{Program, pairs},
    log::TestLog,
};
use runtime::{Producer, producer::Record};
use schemas::{
    Kind,
    topics::{DEAD_LETTERS, DIRECTORY, EVENTS},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The output of a replay, as text.
pub async fn text(log: &TestLog, selection: Selection) -> String {
    let kafka = log.kafka();
    let printing = tokio::task::spawn_blocking(move || {
        let mut out = Vec::new();
        replay::write(&kafka, &selection, &mut out).map(|()| out)
    });
    String::from_utf8(printing.await.unwrap().unwrap()).unwrap()
}

async fn lines(log: &TestLog, selection: Selection) -> Vec<Value> {
    let text = text(log, selection).await;
    assert!(text.is_empty() || text.ends_with('\n'));
    let json = |line| serde_json::from_str(line).unwrap();
    text.lines().map(json).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_is_printed_unchanged_and_filters_leave_out_the_rest() {
    let system = System::start().await;
    let ada = system.client.creator("ada").await;
    let bob = system.client.creator("bob").await;
    for (creator, visits) in [(&ada, 3), (&bob, 2)] {
        for visitor in 0..visits {
            let visitor = format!("visitor {visitor}");
            let session = system.client.session(creator.page, &visitor).await;
            let view = system.client.view(session, None).await;
            system.client.leave(view, 12.5).await.assert_ok();
        }
    }
    let stored = system.log.read(EVENTS).await;
    let all = lines(&system.log, Selection::default()).await;
    assert_eq!((all.len(), stored.len()), (15, 15));
    for (line, record) in all.iter().zip(&stored) {
        assert_eq!(line["key"], json!(record.key));
        assert_eq!(line["partition"], json!(record.partition));
        assert_eq!(line["offset"], json!(record.offset));
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        assert_eq!(line["event"], event);
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        // Appended at the system's time, not at the test's.
        assert!(time.as_second() > 0);
    }

    let of_bob = Selection {
        workspace: Some(bob.workspace_id),
        ..Selection::default()
    };
    let of_bob = lines(&system.log, of_bob).await;
    assert_eq!(of_bob.len(), 6);
    assert!(
        of_bob
            .iter()
            .all(|line| line["event"]["workspace_id"] == json!(bob.workspace_id))
    );
    let views = Selection {
        kind: Some(Kind::PageViewed),
        ..Selection::default()
    };
    let views = lines(&system.log, views).await;
    assert_eq!(views.len(), 5);
    assert!(
        views
            .iter()
            .all(|line| line["event"]["type"] == "page.viewed")
    );

    // From one offset of each partition to another, exclusive.
    let middle = Selection {
        from: Some(Bound::Offset(1)),
        to: Some(Bound::Offset(4)),
        ..Selection::default()
    };
    let expected = stored
        .iter()
        .filter(|record| (1..4).contains(&record.offset));
    let offsets: Vec<i64> = expected.map(|record| record.offset).collect();
    let middle = lines(&system.log, middle).await;
    let found: Vec<i64> = middle
        .iter()
        .map(|line| line["offset"].as_i64().unwrap())
        .collect();
    assert_eq!(found, offsets);

    // Any moment splits the log into two parts without overlap.
    let mut times: Vec<jiff::Timestamp> = all
        .iter()
        .map(|line| line["time"].as_str().unwrap().parse().unwrap())
        .collect();
    times.sort_unstable();
    let later = *times.last().unwrap() + SignedDuration::from_millis(1);
    for moment in [times[0], times[7], times[14], later] {
        let bound = Some(Bound::Time(moment));
        let before = Selection {
            to: bound,
            ..Selection::default()
        };
        let after = Selection {
            from: bound,
            ..Selection::default()
        };
        let (before, after) = (
            lines(&system.log, before).await,
            lines(&system.log, after).await,
        );
        let earlier = times.iter().filter(|time| **time < moment).count();
        assert_eq!(
            (before.len(), after.len()),
            (earlier, 15 - earlier),
            "{moment}"
        );
    }
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_topics_are_printed_too_and_unknown_ones_are_reported() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let producer = Producer::new(&system.log.kafka()).unwrap();
    let bad = Record {
        topic: EVENTS,
        key: "k",
        payload: &[0xff, b'{'],
        headers: &[],
    };
    assert!(producer.send(&[bad]).await[0].is_ok());
    system.settle().await;

    let of = |topic: &str| Selection {
        topic: topic.to_owned(),
        ..Selection::default()
    };
    let letters = lines(&system.log, of(DEAD_LETTERS)).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0]["event"], Value::Null);
    assert_eq!(letters[0]["base64"], "/3s=");
    assert_eq!(letters[0]["headers"][schemas::dead_letter::TOPIC], EVENTS);

    let entries = lines(&system.log, of(DIRECTORY)).await;
    assert!(
        entries
            .iter()
            .any(|line| line["event"]["page_id"] == json!(creator.page))
    );
    let selection = Selection {
        workspace: Some(creator.workspace_id),
        ..of(DIRECTORY)
    };
    let entries = lines(&system.log, selection).await;
    assert_eq!(entries.len(), 2, "the workspace and its page: {entries:?}");

    assert_belonging(&system, &creator, &of(DIRECTORY)).await;

    let kafka = system.log.kafka();
    let refused = tokio::task::spawn_blocking(move || {
        replay::write(&kafka, &of("no.such.topic"), &mut Vec::new())
    });
    let refused = refused.await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, ReplayError::NoTopic { known, .. } if known.contains(EVENTS)),
        "{refused}"
    );
    system.finish().await;
}

/// The directory of a workspace has its page, links, deletions and tombstones, and nothing of other
/// workspaces.
async fn assert_belonging(system: &System, creator: &Creator, directory: &Selection) {
    let other = system.client.creator("bob").await;
    let mut links = Vec::new();
    for (creator, number) in [(creator, 1), (creator, 2), (&other, 3)] {
        let url = format!("https://example.com/{number}");
        links.push(system.client.link(creator, "Link", &url).await);
    }
    let path = format!("/api/v1/creators/links/{}", links[1]);
    let deleted = system.client.delete_as(&creator.token, &path).await;
    deleted.assert_ok();
    let producer = Producer::new(&system.log.kafka()).unwrap();
    for link in [links[0], links[2]] {
        let key = format!("link:{link}");
        let erased = Record {
            topic: DIRECTORY,
            key: &key,
            payload: b"",
            headers: &[],
        };
        assert!(producer.send(&[erased]).await[0].is_ok());
    }
    let begun = tokio::time::Instant::now();
    let deleted = |line: &Value| {
        line["event"]["link_id"] == json!(links[1]) && line["event"]["deleted"] == json!(true)
    };
    let found = loop {
        let selection = Selection {
            workspace: Some(creator.workspace_id),
            ..directory.clone()
        };
        let found = lines(&system.log, selection).await;
        if found.iter().any(deleted) {
            break found;
        }
        assert!(begun.elapsed() < kit::system::PATIENCE, "{found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    let keys: std::collections::BTreeSet<String> = found
        .iter()
        .map(|line| line["key"].as_str().unwrap().to_owned())
        .collect();
    let all = lines(&system.log, directory.clone()).await;
    let workspace = all.iter().find(|line| {
        line["event"]["kind"] == "workspace"
            && line["event"]["workspace_id"] == json!(creator.workspace_id)
    });
    let expected = [
        workspace.unwrap()["key"].as_str().unwrap().to_owned(),
        format!("page:{}", creator.page),
        format!("link:{}", links[0]),
        format!("link:{}", links[1]),
    ];
    assert_eq!(keys, expected.into());
    let erased = |line: &&Value| line["event"].is_null();
    assert_eq!(found.iter().filter(erased).count(), 1, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_only_lines_and_exits_quietly_with_its_reader() {
    let system = System::start().await;
    let creator = system.client.creator("ada").await;
    let session = system.client.session(creator.page, "v").await;
    system.client.view(session, None).await;
    let kafka = system.log.variables();
    let replay = move |arguments: &[&str]| {
        let words: Vec<&str> = ["replay"].iter().chain(arguments).copied().collect();
        Program::run("footfall", &words, &pairs(&kafka), b"")
    };
    let (views, wrong, empty) = tokio::task::spawn_blocking(move || {
        (
            replay(&["--type", "page.viewed"]),
            replay(&["--type", "page.printed"]),
            replay(&["--workspace", &Uuid::nil().to_string()]),
        )
    })
    .await
    .unwrap();
    assert_eq!(views.code, Some(0), "{}", views.err);
    assert_eq!(views.json_lines().count(), 1, "{}", views.out);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("page.viewed"), "{}", wrong.err);
    assert_eq!((empty.code, empty.json_lines().count()), (Some(0), 0));
    system.finish().await;
}

#[test]
fn a_folder_without_a_log_is_reported_and_not_changed() {
    let folder = std::env::temp_dir().join(format!("footfall-no-log-{}", std::process::id()));
    let environment = [
        ("FOOTFALL_DATA_DIR", folder.to_str().unwrap()),
        ("KAFKA_BROKERS", ""),
    ];
    let ended = Program::run("footfall", &["replay"], &environment, b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("there is no log in"), "{}", ended.err);
    assert!(ended.err.contains("--data-dir"), "{}", ended.err);
    assert!(!folder.exists(), "a mistyped name has become a folder");
    // The command does not change a folder of another program either.
    std::fs::create_dir(&folder).unwrap();
    let ended = Program::run("footfall", &["replay"], &environment, b"");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("there is no log in"), "{}", ended.err);
    assert_eq!(folder.read_dir().unwrap().count(), 0);
    std::fs::remove_dir(folder).unwrap();
}
