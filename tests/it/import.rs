//! Imports of history give the numbers of a plain count of the file, also after repetitions and
//! crashes.

use crate::{random_log::tables, replay};
use footfall::{
    commands::{
        import::{EXAMPLE, Ground, Progress, Summary, Urls},
        replay::Selection,
    },
    demo::visits::{Lines, Plan, Visits},
};
use jiff::Timestamp;
use kit::{
    Creator, System, SystemBuilder,
    child::{Program, pairs},
    file::{self, Counted},
    postgres::{self, Databases},
};
use runtime::{
    Clock, Producer, Settings, SystemClock,
    kafka::KafkaSettings,
    producer::{Position, Record, SendError},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    sync::mpsc,
    time::Duration,
};
use uuid::Uuid;

type Links = BTreeMap<Uuid, (String, String)>;

/// A system whose clock shows the real time, because an import in a separate process has no other, and a
/// creator with links.
pub async fn system(builder: SystemBuilder) -> (System, Creator, Links) {
    let system = builder.start().await;
    system.clock.set(SystemClock.now());
    let creator = system.client.creator("ada").await;
    let mut links = Links::new();
    for number in 0..4 {
        let title = format!("Link {number}");
        let url = format!("https://example.com/{number}");
        let id = system.client.link(&creator, &title, &url).await;
        links.insert(id, (title, url));
    }
    (system, creator, links)
}

/// A file with a number of visits over 400 days.
pub fn history(page: Uuid, links: &Links, visits: u32, until: Timestamp) -> String {
    let plan = Plan {
        page,
        links: links.keys().copied().collect(),
        url: "https://bio.example/@ada".to_owned(),
        visits,
        days: 400,
        until,
        seed: 7,
    };
    let mut text = String::new();
    Lines::new(Visits::new(plan).history())
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// The parts of a system that an import uses.
async fn ground(system: &System) -> Ground {
    let mut settings = Settings::from_pairs(system.settings.clone());
    let urls = Urls {
        main: Some(&system.databases.main),
        analytics: &system.databases.analytics,
    };
    let ground = Ground::prepare(&mut settings, system.log.kafka(), urls, &system.context);
    ground.await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Imports a text into a system and waits for its tables.
pub async fn import(system: &System, text: &str) -> Summary {
    let ground = ground(system).await;
    let input = Cursor::new(text.to_owned());
    let summary = ground.import(input, true, &mut Progress::new(None)).await;
    summary.unwrap_or_else(|failure| panic!("{failure}"))
}

/// Asserts that reports and sessions equal a plain count of the lines.
pub async fn assert_counted(system: &System, creator: &Creator, links: &Links, file: &str) {
    let counted = Counted::of(file);
    for days in [1, 7, 30, 90, 365] {
        let now = system.clock.now();
        for (path, expected) in counted.reports(links, now, days) {
            let found = system.client.report(creator, &path).await;
            assert_eq!(found, expected, "{path}");
        }
    }
    let found = file::sessions(&system.analytics).await;
    assert_eq!(found, counted.sessions());
}

/// Asserts that the records of a visit are in the log in the order in which they happened.
async fn assert_in_order(system: &System, creator: &Creator) {
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    for record in system.log.read(schemas::topics::EVENTS).await {
        let event: Value = serde_json::from_slice(&record.payload).unwrap();
        let at: Timestamp = event["occurred_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(record.key, creator.workspace_id.to_string());
        if let Some(session) = event["body"]["session_id"].as_str() {
            let before = last.insert(session.to_owned(), at);
            assert!(before.is_none_or(|before| before <= at), "{session}");
        }
    }
    assert!(!last.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_an_imported_file_equal_a_plain_count_also_after_a_second_import() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let file = history(creator.page, &links, 800, system.clock.now());
    let counted = Counted::of(&file);
    assert!(counted.visits() < 800, "crawlers are among them");

    // Bad lines in between do not stop the import.
    let mut mixed: Vec<String> = file.lines().map(str::to_owned).collect();
    let of_nobody = mixed[5].replace(&creator.page.to_string(), &Uuid::nil().to_string());
    let too_long = format!("{{\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    for (at, bad) in [(3, "{"), (300, &of_nobody), (600, &too_long), (700, " ")] {
        mixed.insert(at, bad.to_owned());
    }
    let with_bad = mixed.join("\n");

    let first = import(&system, &with_bad).await;
    assert_eq!(first.counts.lines, 803);
    assert_eq!(first.counts.visits, counted.visits() as u64);
    assert_eq!(first.counts.events, counted.events() as u64);
    let refused = 800 - counted.visits() as u64;
    assert_eq!(first.counts.refused, BTreeMap::from([("bot", refused)]));
    let reasons = [("not_json", 1), ("too_long", 1), ("unknown_page", 1)];
    let reasons = reasons.map(|(reason, count)| (reason.to_owned(), count));
    assert_eq!(first.bad.reasons, BTreeMap::from(reasons));
    let told: Vec<u64> = first.bad.first.iter().map(|told| told.line).collect();
    assert_eq!(told, [4, 301, 601]);
    assert_counted(&system, &creator, &links, &file).await;
    let once = tables(&system.analytics).await;

    assert_in_order(&system, &creator).await;

    let ends = system.log.ends().await;
    let second = import(&system, &file).await;
    let (counts, visits) = (&second.counts, first.counts.visits);
    assert_eq!((counts.new_visits, counts.known_visits), (0, visits));
    assert_eq!((counts.visits, counts.events), (visits, 0));
    assert_eq!(system.log.ends().await, ends, "the log has grown");
    assert_eq!(tables(&system.analytics).await, once);
    // A live beacon with an `eventId` of the file is the file's visit.
    let visit: Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    let mut body = system.client.session_body(creator.page, "another");
    body["eventId"] = visit["eventId"].clone();
    system
        .client
        .post("/api/v1/analytics/session", &body)
        .await
        .assert_ok();
    system.settle().await;
    assert_eq!(tables(&system.analytics).await, once);
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_the_help_is_valid() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let mut line = example.clone();
    line["bioPageId"] = json!(creator.page);
    let line = line.to_string();
    let summary = import(&system, &line).await;
    assert_eq!((summary.counts.visits, summary.counts.events), (1, 6));
    assert_counted(&system, &creator, &links, &line).await;
    system.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_killed_in_the_middle_and_started_again_adds_up() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    let file = history(creator.page, &links, 2_500, system.clock.now());
    let total = i64::try_from(Counted::of(&file).events()).unwrap();
    let path = std::env::temp_dir().join(format!("footfall-{}.jsonl", creator.page));
    std::fs::write(&path, &file).unwrap();
    let environment = environment(&system);
    let environment: Vec<(&str, &str)> = pairs(&environment);
    let arguments = ["import", path.to_str().unwrap()];
    let in_log = async || {
        system
            .log
            .ends()
            .await
            .iter()
            .map(|(_, end)| end)
            .sum::<i64>()
    };

    let mut killed = 0;
    for _ in 0..3 {
        let program = Program::start("footfall", &arguments, &environment);
        let before = in_log().await;
        // Known events are not published again, so each round has less work than the one before.
        let enough = before + (total - before).max(0) / 4;
        let deadline = tokio::time::Instant::now() + kit::system::PATIENCE;
        while in_log().await < enough {
            assert!(
                tokio::time::Instant::now() < deadline,
                "nothing is imported"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let so_far = in_log().await;
        program.kill();
        killed += i32::from(so_far < total);
    }
    assert!(killed > 0, "every import was over before it was killed");
    let ended = Program::start("footfall", &arguments, &environment).wait();
    assert_eq!(ended, Some(0));
    // A batch in flight when its program was killed may arrive after the next program has looked.
    let arrived = in_log().await;
    let possible = total..=total + 3_000;
    assert!(possible.contains(&arrived), "{arrived}, {total}");
    let ended = Program::start("footfall", &arguments, &environment).wait();
    assert_eq!((ended, in_log().await), (Some(0), arrived));
    assert_counted(&system, &creator, &links, &file).await;
    std::fs::remove_file(path).unwrap();
    system.finish().await;
}

/// An input that the test writes while the import reads it.
struct Written {
    texts: mpsc::Receiver<String>,
    rest: Cursor<String>,
}

impl Read for Written {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.rest.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            match self.texts.recv() {
                Ok(text) => self.rest = Cursor::new(text),
                Err(_) => return Ok(0),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_waits_for_an_unavailable_log_and_keeps_its_order() {
    if kit::log::is_given() {
        eprintln!("skipped: the cluster is not ours to stop");
        return;
    }
    let (mut system, creator, links) = system(SystemBuilder::default()).await;
    let replaced = producers_replaced(&system).await;
    let file = history(creator.page, &links, 600, system.clock.now());
    let ground = ground(&system).await;
    let (writer, texts) = mpsc::channel();
    let rest = Cursor::new(String::new());
    let importing = tokio::spawn(async move {
        let input = Written { texts, rest };
        let mut progress = Progress::new(None);
        let imported = ground.import(input, true, &mut progress).await;
        imported.unwrap_or_else(|failure| panic!("{failure}"))
    });
    let half = file.lines().take(300).map(|line| format!("{line}\n"));
    let half: String = half.collect();
    writer.send(half.clone()).unwrap();
    while system.log.ends().await.iter().all(|(_, end)| *end == 0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    system.log.stop().await;
    writer.send(file[half.len()..].to_owned()).unwrap();
    drop(writer);
    let patient = tokio::spawn(send_patiently(system.log.kafka()));
    // Ingest answers when its producer gives the record up; an import's producer never gives up.
    let mut body = system.client.session_body(creator.page, "live");
    body["eventId"] = json!(Uuid::from_u128(1));
    let live = system.client.post("/api/v1/analytics/session", &body).await;
    assert_eq!(live.status, 503);
    assert!(!patient.is_finished());
    system.log.start_again().await;
    let offsets = patient.await.unwrap();
    assert!(offsets.is_sorted(), "{offsets:?}");
    let summary = importing.await.unwrap();
    // A live visit continues as well: a retry with its `eventId` is accepted.
    let begun = tokio::time::Instant::now();
    while system
        .client
        .post("/api/v1/analytics/session", &body)
        .await
        .status
        != 200
    {
        assert!(
            begun.elapsed() < kit::system::PATIENCE,
            "no live visit is accepted"
        );
    }
    assert_eq!(summary.counts.lines, 600);
    system.settle().await;
    assert_in_order(&system, &creator).await;
    let live = visit_now(&system, &creator, Uuid::from_u128(1));
    assert_counted(&system, &creator, &links, &format!("{file}{live}")).await;
    // Producers that gave up records continued by themselves.
    assert_eq!(producers_replaced(&system).await, replaced);
    system.finish().await;
}

/// The offsets of records with one key, sent by an import's producer to a topic that no service reads.
async fn send_patiently(kafka: KafkaSettings) -> Vec<i64> {
    let producer = Producer::patient(&kafka).unwrap();
    let record = Record {
        topic: schemas::topics::DEAD_LETTERS,
        key: "one",
        payload: b"{}",
        headers: &[],
    };
    let outcomes = producer.send(&[record; 50]).await;
    let offset = |outcome: Result<Position, SendError>| outcome.unwrap().offset;
    outcomes.into_iter().map(offset).collect()
}

async fn producers_replaced(system: &System) -> Option<String> {
    let metrics = system.client.get("/metrics").await.text;
    let mut lines = metrics.lines().map(str::to_owned);
    lines.find(|line| line.starts_with("kafka_producers_replaced_total"))
}

/// A live visit in the form of a line of a file.
fn visit_now(system: &System, creator: &Creator, event_id: Uuid) -> Value {
    json!({
        "bioPageId": creator.page, "eventId": event_id, "visitorId": "live",
        "occurredAt": system.clock.now().to_string(),
    })
}

/// The settings of a separate program for that system.
pub fn environment(system: &System) -> BTreeMap<String, String> {
    let mut environment = system.settings.clone();
    environment.insert("RUST_LOG".to_owned(), "warn".to_owned());
    environment
}

#[tokio::test(flavor = "multi_thread")]
async fn the_output_of_replay_adds_nothing_to_its_log_and_restores_a_lost_one() {
    let (system, creator, links) = system(SystemBuilder::default()).await;
    // History, live visits, and refused beacons.
    let file = history(creator.page, &links, 150, system.clock.now());
    import(&system, &file).await;
    for visitor in ["a", "b"] {
        let session = system.client.session(creator.page, visitor).await;
        let view = system
            .client
            .view(session, links.keys().next().copied())
            .await;
        system.client.heartbeat(session).await.assert_ok();
        system.client.leave(view, 7.25).await.assert_ok();
    }
    system.settle().await;
    let before = tables(&system.analytics).await;
    let reports = all_reports(&system, &creator).await;
    let saved = replay::text(&system.log, Selection::default()).await;

    let ends = system.log.ends().await;
    let again = import(&system, &saved).await;
    let records = saved.lines().count() as u64;
    assert_eq!(
        (again.counts.records, again.counts.known_records),
        (records, records)
    );
    assert_eq!(again.bad.lines, 0, "{again}");
    assert_eq!(system.log.ends().await, ends, "the log has grown");
    assert_eq!(tables(&system.analytics).await, before);

    // Removes log and analytics database; the main database stays.
    let clock = system.clock.now();
    let (mut log, databases) = system.stop().await;
    log.replace().await;
    let fresh = postgres::databases().await;
    let databases = Databases {
        main: databases.main,
        analytics: fresh.analytics,
    };
    let builder = SystemBuilder::default().log(log).databases(databases);
    let system = builder.seed(1_000_000).start().await;
    system.clock.set(clock);
    let overview = system.client.report(&creator, "overview").await;
    assert_eq!(overview["totalViews"], 0);
    let back = import(&system, &saved).await;
    assert_eq!(back.counts.new_records, records);
    assert_eq!(tables(&system.analytics).await, before);
    assert_eq!(all_reports(&system, &creator).await, reports);
    // The records have the same bytes as before.
    let records = system.log.read(schemas::topics::EVENTS).await;
    for (record, line) in records.iter().zip(saved.lines()) {
        let payload = String::from_utf8(record.payload.clone()).unwrap();
        assert!(line.ends_with(&format!("\"event\":{payload}}}")), "{line}");
    }
    system.finish().await;
}

async fn all_reports(system: &System, creator: &Creator) -> Vec<Value> {
    let mut reports = Vec::new();
    for days in [1, 30, 365] {
        for path in ["overview", "traffic", "links"] {
            let path = format!("{path}?days={days}");
            reports.push(system.client.report(creator, &path).await);
        }
    }
    reports
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_lets_tables_that_are_20_000_records_behind_catch_up() {
    let (system, creator, _) = system(SystemBuilder::default().without_projector()).await;
    let visit = |number: u128| {
        json!({
            "bioPageId": creator.page, "eventId": Uuid::from_u128(number), "visitorId": "v",
            "occurredAt": "2026-01-01T00:00:00Z",
        })
    };
    let lines: Vec<String> = (0..24_000)
        .map(|number| visit(number).to_string())
        .collect();
    let text = lines.join("\n");
    let mut importing = Box::pin(import(&system, &text));
    let in_log = async || {
        system
            .log
            .ends()
            .await
            .iter()
            .map(|(_, end)| end)
            .sum::<i64>()
    };
    let looking = async {
        let mut last = 0;
        // Only some time without records can show that the import has stopped.
        let mut same = 0;
        while same < 10 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = in_log().await;
            assert!(
                now <= 20_000,
                "{now} records, and none of them in the tables"
            );
            same = if now == last && now > 19_000 {
                same + 1
            } else {
                0
            };
            last = now;
        }
    };
    tokio::select! {
        _ = &mut importing => panic!("the tables have not moved"),
        looked = tokio::time::timeout(kit::system::PATIENCE, looking) => looked.unwrap(),
    }
    let environment = environment(&system);
    let mut environment = pairs(&environment);
    // A separate import has one URL, that of its own role.
    let own_role = system.settings["PROJECTOR_DATABASE_URL"].as_str();
    environment.retain(|(name, _)| *name != "ANALYTICS_DATABASE_URL");
    environment.push(("ANALYTICS_DATABASE_URL", own_role));
    environment.push(("PROJECTOR_LISTEN", "127.0.0.1:0"));
    let projector = Program::start("projector", &[], &environment);
    let summary = (&mut importing).await;
    drop(importing);
    assert_eq!(summary.counts.events, 24_000);
    assert!(summary.paused_seconds > 0.3, "{summary}");
    projector.kill();
    let sessions: i64 = sqlx::query_scalar("SELECT count(*) FROM sessions")
        .fetch_one(&system.analytics)
        .await
        .unwrap();
    assert_eq!(sessions, 24_000);
    // The tables grew so fast that they were analysed; otherwise each batch would take longer than the last.
    let pages: i32 = sqlx::query_scalar(
        "SELECT max(relpages) FROM pg_class WHERE relname LIKE 'sessions_2%' AND relkind = 'r'",
    )
    .fetch_one(&system.analytics)
    .await
    .unwrap();
    assert!(pages > 0);
    system.finish().await;
}
