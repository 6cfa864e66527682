//! Kills the broker at random moments under load, restarts it, and finally checks the whole history.

use std::{thread, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::{
    checker::History,
    load::{Load, Manner},
    setup::{Setup, access, create_topic, free_port, number, read_log},
    stored::writers,
    watch::Watch,
};

#[test]
fn a_killed_broker_keeps_all_acknowledged_records_and_invents_none() {
    let rounds = number("CRASH_ROUNDS", 5);
    let seed = number("CRASH_SEED", 1);
    let mut random = StdRng::seed_from_u64(seed);
    let setup = Setup::new();
    let folder = setup.path("log");
    let port = free_port();
    let options = ["--port", port.as_str()];
    let start = || setup.start(&folder, &options, &[]).unwrap();
    let mut broker = start();
    let access = access(&broker.bootstrap);
    create_topic(&access);

    let manner = |producer, codec, timeout_ms| Manner {
        producer,
        codec,
        timeout_ms,
    };
    let manners = [
        manner(1, "none", None),
        manner(2, "lz4", None),
        // Gives up records while the broker is down, and continues in another epoch.
        manner(3, "gzip", Some(600)),
    ];
    let loads = manners.map(|manner| Load::start(&access, manner, seed));
    let watch = Watch::start(&access);
    for _ in 0..rounds {
        // A random moment: in a request, in a commit to the disk, or between them.
        thread::sleep(Duration::from_millis(random.random_range(30..700)));
        broker.kill();
        if random.random_bool(0.3) {
            let after = Duration::from_millis(random.random_range(0..60));
            setup.start_and_kill(&folder, &options, after);
        }
        broker = start();
    }

    let mut history = History::default();
    for (load, manner) in loads.into_iter().zip(manners) {
        let outcomes = load.stop();
        let sent = outcomes.iter().map(|outcome| outcome.sent);
        let given_up = sent
            .clone()
            .filter(|sent| sent.acknowledged.is_none())
            .count();
        assert!(
            manner.timeout_ms.is_some() || given_up == 0,
            "{manner:?}: {given_up} failed"
        );
        if given_up > 0 {
            history.gave_up.insert(manner.producer);
        }
        history.sent.extend(sent);
    }
    let watched = watch.stop();
    history.sessions = watched.sessions;
    history.ends = watched.ends;
    history.commits = watched.commits;
    broker.kill();
    let broker = start();
    history.log = read_log(&access).unwrap().unwrap();
    broker.stop();
    history.writers = writers(&folder).unwrap();

    let anomalies = history.anomalies();
    if !anomalies.is_empty() {
        let kept = setup.keep();
        eprintln!("the log is kept in {}", kept.display());
    }
    assert!(
        anomalies.is_empty(),
        "seed {seed}, {} anomalies: {:?}",
        anomalies.len(),
        &anomalies[..anomalies.len().min(20)]
    );
    // Check that the test saw enough to find something.
    let consumed: usize = history
        .sessions
        .iter()
        .map(|session| session.seen.len())
        .sum();
    assert!(history.log.len() > 100 && consumed > 100 && !history.ends.is_empty());
}
