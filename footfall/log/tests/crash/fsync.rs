//! Makes one fsync fail. The broker must acknowledge nothing from then on, because the system may have dropped what it
//! could not write, and the next fsync succeeds nevertheless.

use std::{ffi::OsString, fs};

use crate::{
    access::Access,
    checker::{History, Sent},
    installed::skip,
    load::{Manner, Sender},
    power::goes_on,
    setup::{Setup, access, create_topic, read_log},
    trace,
};

/// The fsync of a thread that fails. The start of a broker and its topic take about a dozen.
const FAILURE: &str = "inject=fsync,fdatasync:error=EIO:when=25";
/// How long a producer tries before the failure. Longer than an acknowledgement takes on a busy machine.
const TIMEOUT_MS: u32 = 10_000;
/// And afterwards, when each attempt is refused at once.
const SHORT_TIMEOUT_MS: u32 = 2_000;
/// Each record takes an fsync, so the failure comes sooner.
const MOST_RECORDS: u32 = 50;

#[test]
fn after_a_failed_fsync_nothing_is_acknowledged_until_the_next_start() {
    let test = "after_a_failed_fsync_nothing_is_acknowledged_until_the_next_start";
    if let Some(reason) = trace::impossible() {
        skip(test, &reason);
        return;
    }
    let setup = Setup::new();
    let folder = setup.path("log");
    fs::create_dir(&folder).unwrap();
    let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e"];
    let traced = ["trace=fsync,fdatasync", "-e", FAILURE];
    let wrapper: Vec<OsString> = words
        .into_iter()
        .chain(traced)
        .map(OsString::from)
        .collect();
    let mut broker = setup.start(&folder, &[], &wrapper).unwrap();
    let failing = access(&broker.bootstrap);
    create_topic(&failing);

    let mut sent = Vec::new();
    let failed = (0..MOST_RECORDS).find(|producer| {
        sent.push(send_one(&failing, *producer, TIMEOUT_MS));
        sent.last().is_some_and(is_refused)
    });
    let failed = failed.expect("an fsync failed");
    assert!(failed > 0, "the log worked before");
    for later in 1..=3 {
        sent.push(send_one(&failing, failed + later, SHORT_TIMEOUT_MS));
        assert!(sent.last().is_some_and(is_refused), "{sent:?}");
    }
    // Its stop reports the failure too.
    drop(broker.child.stdin.take());
    broker.child.wait().unwrap();

    let broker = setup.start(&folder, &[], &[]).unwrap();
    let working = access(&broker.bootstrap);
    let history = History {
        sent,
        log: read_log(&working).unwrap().expect("the topic exists"),
        ..History::default()
    };
    assert!(history.anomalies().is_empty(), "{:?}", history.anomalies());
    goes_on(&working, &history).unwrap();
    broker.stop();
}

fn send_one(access: &Access, producer: u32, timeout_ms: u32) -> Sent {
    let manner = Manner {
        // `goes_on` sends as producer 9.
        producer: 100 + producer,
        codec: "none",
        timeout_ms: Some(timeout_ms),
    };
    let outcomes = Sender::new(access, manner, 1).send_until(|number| number == 1);
    outcomes[0].sent
}

fn is_refused(sent: &Sent) -> bool {
    sent.acknowledged.is_none()
}
