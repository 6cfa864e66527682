//! Simulates power losses: records the broker's writes under load, and rebuilds the folder for many moments in a state
//! that a disk may hold. The broker must open each folder, with everything that it had acknowledged before.

use std::{
    ffi::OsString,
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
};

use crate::{
    access::Access,
    checker::{Commit, History},
    disk::{Disk, Loss},
    installed::skip,
    load::{Manner, Outcome, Sender, now_us},
    setup::{PATIENCE, Setup, TOPIC, access, create_topic, number, read_log},
    trace::{self, CALLS, Change, Step},
};

const GROUP: &str = "power";
/// The number of folders to check at the same time.
const WORKERS: usize = 3;

/// The observations of the recorded broker's clients, with their times.
struct Known {
    topic_at_us: u64,
    outcomes: Vec<Outcome>,
    /// Committed offsets, with the time of the response.
    commits: Vec<(i64, u64)>,
}

#[test]
fn a_power_loss_takes_nothing_that_was_acknowledged() {
    let test = "a_power_loss_takes_nothing_that_was_acknowledged";
    if let Some(reason) = trace::impossible() {
        skip(test, &reason);
        return;
    }
    let seed = number("CRASH_SEED", 1);
    let cuts = usize::try_from(number("POWER_CUTS", 36)).unwrap();
    let setup = Setup::new();
    let folder = setup.path("log");
    fs::create_dir(&folder).unwrap();
    let (steps, known) = record(&setup, &folder, seed);
    let syncs: Vec<usize> = (0..steps.len())
        .filter(|number| matches!(steps[*number].change, Change::Synced(..)))
        .collect();
    assert!(syncs.len() > 20, "only {} syncs were recorded", syncs.len());

    let mut random = StdRng::seed_from_u64(seed);
    let moments: Vec<usize> = (0..cuts)
        .map(|cut| {
            // Every second moment is right after a sync, when the most has just been acknowledged.
            if cut % 2 == 0 {
                syncs[random.random_range(0..syncs.len())] + 1
            } else {
                random.random_range(0..=steps.len())
            }
        })
        .collect();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let found = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((cut, moment)) = take(&next, &moments) {
                    let loss = Loss::number(cut / 2);
                    let random = StdRng::seed_from_u64(seed.wrapping_add(cut as u64));
                    let copy = setup.path(&format!("cut-{cut}"));
                    let rebuilt = Rebuilt {
                        setup: &setup,
                        original: &folder,
                        copy: &copy,
                    };
                    match rebuilt.check(&steps, moment, loss, random, &known) {
                        Ok(records) => {
                            found.fetch_add(records, Ordering::Relaxed);
                            fs::remove_dir_all(&copy).unwrap();
                        }
                        Err(problem) => {
                            let place =
                                format!("cut {cut} at step {moment} of {}, {loss:?}", steps.len());
                            problems.lock().unwrap().push(format!("{place}: {problem}"));
                        }
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "seed {seed}:\n{}", problems.join("\n"));
    // Check that the test saw enough to find something.
    assert!(
        found.into_inner() > cuts,
        "hardly any records were found after the cuts"
    );
}

fn take(next: &AtomicUsize, moments: &[usize]) -> Option<(usize, usize)> {
    let cut = next.fetch_add(1, Ordering::Relaxed);
    moments.get(cut).map(|moment| (cut, *moment))
}

/// Runs a broker under load. Returns its changes of files and the observations of its clients.
fn record(setup: &Setup, folder: &Path, seed: u64) -> (Vec<Step>, Known) {
    let recording = setup.path("recording");
    let words = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-ttt",
        "-y",
        "-xx",
        "-s",
        "16777216",
        "-e",
        CALLS,
        "-o",
    ];
    let mut wrapper: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    wrapper.push(recording.clone().into());
    let broker = setup.start(folder, &[], &wrapper).unwrap();
    let access = access(&broker.bootstrap);
    create_topic(&access);
    let topic_at_us = now_us();

    let codecs = [(1, "none"), (2, "lz4")];
    let producers = codecs.map(|(producer, codec)| {
        let manner = Manner {
            producer,
            codec,
            timeout_ms: None,
        };
        let access = access.clone();
        thread::spawn(move || Sender::new(&access, manner, seed).send_until(|number| number == 600))
    });
    let commits = commit(&access);
    let outcomes = producers
        .into_iter()
        .flat_map(|producer| producer.join().unwrap());
    let known = Known {
        topic_at_us,
        outcomes: outcomes.collect(),
        commits,
    };
    broker.stop();
    let text = fs::read_to_string(&recording).unwrap();
    (trace::read(&text, folder).unwrap(), known)
}

/// Commits the offsets 1 to 20 of a group.
fn commit(access: &Access) -> Vec<(i64, u64)> {
    let mut config = access.client();
    let client: BaseConsumer = config.set("group.id", GROUP).create().unwrap();
    let offsets = 1..=20;
    offsets
        .map(|offset| {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(TOPIC, 0, Offset::Offset(offset))
                .unwrap();
            client.commit(&list, CommitMode::Sync).unwrap();
            (offset, now_us())
        })
        .collect()
}

struct Rebuilt<'a> {
    setup: &'a Setup,
    original: &'a Path,
    copy: &'a Path,
}

impl Rebuilt<'_> {
    /// Opens the folder in a possible state after a power cut before this step. Returns its number of records.
    fn check(
        &self,
        steps: &[Step],
        moment: usize,
        loss: Loss,
        mut random: StdRng,
        known: &Known,
    ) -> Result<usize, String> {
        fs::create_dir(self.copy).unwrap();
        let disk = Disk::after(&steps[..moment]);
        disk.write_after(loss, &mut random, self.original, self.copy);
        // Everything acknowledged before this moment must be there; after the last step, that is all of it.
        let cut_at_us = steps.get(moment).map_or(u64::MAX, |step| step.time_us);

        let broker = self.setup.start(self.copy, &[], &[])?;
        let access = access(&broker.bootstrap);
        let mut history = History::default();
        for outcome in &known.outcomes {
            let mut sent = outcome.sent;
            sent.acknowledged = sent.acknowledged.filter(|_| outcome.time_us < cut_at_us);
            history.sent.push(sent);
        }
        let Some(log) = read_log(&access)? else {
            let promised = known.topic_at_us < cut_at_us;
            return if promised {
                Err("the topic is missing".to_owned())
            } else {
                Ok(0)
            };
        };
        let records = log.len();
        history.log = log;
        let (done, open): (Vec<_>, Vec<_>) = known
            .commits
            .iter()
            .partition(|(_, time_us)| *time_us < cut_at_us);
        for (offset, _) in done {
            history
                .commits
                .extend([Commit::Tried(offset), Commit::Done]);
        }
        history
            .commits
            .extend(open.into_iter().map(|(offset, _)| Commit::Tried(offset)));
        history.commits.push(Commit::Found(committed(&access)?));
        let anomalies = history.anomalies();
        if !anomalies.is_empty() {
            return Err(format!(
                "{} anomalies, the first: {:?}",
                anomalies.len(),
                anomalies[0]
            ));
        }
        goes_on(&access, &history)?;
        broker.stop();
        Ok(records)
    }
}

/// Checks that the log accepts more records, and has them after the earlier ones.
pub fn goes_on(access: &Access, history: &History) -> Result<(), String> {
    let manner = Manner {
        producer: 9,
        codec: "none",
        timeout_ms: Some(u32::try_from(PATIENCE.as_millis()).unwrap()),
    };
    let outcomes = Sender::new(access, manner, 1).send_until(|number| number == 6);
    let mut after = history.clone();
    after.commits.clear();
    after
        .sent
        .extend(outcomes.iter().map(|outcome| outcome.sent));
    after.log = read_log(access)?.ok_or("the topic is missing")?;
    let anomalies = after.anomalies();
    let grown = after.log.len() == history.log.len() + outcomes.len();
    if grown && anomalies.is_empty() {
        return Ok(());
    }
    Err(format!(
        "further records: {} and {anomalies:?}",
        after.log.len()
    ))
}

/// The committed offset of the group, -1 for none.
fn committed(access: &Access) -> Result<i64, String> {
    let mut config = access.client();
    let client: BaseConsumer = config.set("group.id", GROUP).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(TOPIC, 0);
    let wait = Duration::from_secs(30);
    let found = client
        .committed_offsets(list, wait)
        .map_err(|error| error.to_string())?;
    let found = found
        .find_partition(TOPIC, 0)
        .ok_or("no answer for the partition")?;
    Ok(found
        .offset()
        .to_raw()
        .filter(|raw| *raw >= 0)
        .unwrap_or(-1))
}
