//! An independent client follows the events API under load, with killed projectors: it keeps exactly
//! the clicks of the log.

use crate::{
    clicks_folded::{by_bot, click},
    events_api::{EventsApi, LIST},
    random_log::{append, event_at, start, view},
};
use kit::{
    System, SystemBuilder,
    child::{Program, pairs},
};
use projector::Store;
use schemas::{Body, BotReason, Event, LinkId, PageviewId, SessionId, topics::EVENTS};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;
use uuid::Uuid;

/// Records of one append.
const BATCH: u128 = 400;
/// Records between two kills of the projector.
const KILL_EVERY: u128 = 4_000;

/// The record of a number. Of eight, one is a bio link's click before its session and one that session,
/// one is a machine's click, one repeats an earlier record, and four are clicks on short links. Times
/// fall and rise.
fn record(number: u128) -> Event {
    let session = SessionId(Uuid::from_u128(0x5e55_0000_0000 + number / 8));
    let seconds = |number: u128| i64::try_from(number * 7_919 % 3_000).unwrap();
    match number % 8 {
        0 => {
            let pageview = PageviewId(Uuid::from_u128(0x7a6e_0000_0000 + number));
            let mut event = event_at(number, seconds(number), view(session, pageview));
            if let Body::PageViewed(view) = &mut event.body {
                view.link_id = Some(LinkId(Uuid::from_u128(7)));
            }
            event
        }
        7 => event_at(number, 0, start(session)),
        3 => by_bot(click(number, seconds(number), (1, 0)), BotReason::Agent),
        5 => click(number - 4, seconds(number - 4), (1, 0)),
        _ => click(number, seconds(number), (1, 0)),
    }
}

/// True for a record that the events API has, the first time it occurs.
fn counts(number: u128) -> bool {
    !matches!(number % 8, 3 | 5 | 7)
}

async fn folded(system: &System) -> i64 {
    let progress = Store::new(system.analytics.clone()).progress(EVENTS).await;
    progress.map_or(0, |all| all.iter().map(|(_, next)| next).sum())
}

fn start_projector(system: &System) -> Program {
    let kafka = system.log.variables();
    let mut environment = pairs(&kafka);
    environment.extend([
        (
            "ANALYTICS_DATABASE_URL",
            system.databases.analytics.as_str(),
        ),
        ("PROJECTOR_LISTEN", "127.0.0.1:0"),
        ("RUST_LOG", "warn"),
    ]);
    Program::start("projector", &[], &environment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_follows_the_clicks_of_the_log_while_projectors_are_killed() {
    let system = SystemBuilder::default().without_projector().start().await;
    let api = EventsApi::of(&system).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/sync.py");
    let client = Command::new("python3")
        .arg(script)
        .arg(format!("http://{}{LIST}", system.client.address()))
        .arg("1")
        .env("FOOTFALL_KEY", &api.key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut client = match client {
        Ok(client) => client,
        Err(error) => {
            eprintln!("SKIPPED: python3 was not run: {error}");
            return;
        }
    };
    let input = client.stdin.take();
    let output = tokio::spawn(client.wait_with_output());

    let seconds = std::env::var("FOLLOW_SECONDS").map_or(0, |text| text.parse().unwrap());
    // Numbers of events begin above the nil id.
    let first = BATCH;
    let (begun, mut sent, mut kills) = (Instant::now(), first, 0);
    let mut projector = start_projector(&system);
    while kills < 3 || begun.elapsed() < Duration::from_secs(seconds) {
        let events: Vec<Event> = (sent..sent + BATCH).map(record).collect();
        append(&system.log, &events).await;
        sent += BATCH;
        if sent.is_multiple_of(KILL_EVERY) {
            // Each projector folds something before its end.
            let before = folded(&system).await;
            until(&system, before + 1).await;
            projector.kill();
            kills += 1;
            projector = start_projector(&system);
        }
    }
    until(&system, i64::try_from(sent - first).unwrap()).await;
    drop(input);
    let output = output.await.unwrap().unwrap();
    projector.kill();
    assert!(output.status.success());
    eprintln!("{} records, {kills} kills", sent - first);

    let text = String::from_utf8(output.stdout).unwrap();
    let mut kept: Vec<&str> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    kept.sort_unstable();
    let ids = (first..sent)
        .filter(|number| counts(*number))
        .map(|number| record(number).event_id.0);
    let mut expected: Vec<String> = ids.map(|id| format!("evt_{id}")).collect();
    expected.sort_unstable();
    assert_eq!(kept.len(), expected.len());
    assert!(kept.iter().eq(expected.iter()));
    system.finish().await;
}

/// Waits until this many records are folded.
async fn until(system: &System, records: i64) {
    let begun = Instant::now();
    while folded(system).await < records {
        assert!(
            begun.elapsed() < kit::system::PATIENCE * 4,
            "stuck below {records}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
