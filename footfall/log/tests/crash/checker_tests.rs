//! Tests that the checker finds each planted anomaly, and none in a correct history.

use crate::checker::{Anomaly, Commit, History, Seen, Sent, Session, Value, Writer};

fn value(producer: u32, number: u64) -> Value {
    Value { producer, number }
}

fn at(offset: i64, value: Value) -> Seen {
    let value = Some(value);
    Seen {
        partition: 0,
        offset,
        value,
    }
}

/// Two producers with three records each. The second's last record had no response, but is in the log.
fn sound() -> History {
    let order = [(1, 0), (2, 0), (1, 1), (1, 2), (2, 1), (2, 2)];
    let mut history = History::default();
    for (offset, (producer, number)) in (0..).zip(order) {
        let value = value(producer, number);
        history.sent.push(Sent {
            value,
            partition: 0,
            acknowledged: (offset < 5).then_some(offset),
        });
        history.log.push(at(offset, value));
    }
    // Unanswered and not in the log.
    history.sent.push(Sent {
        value: value(2, 3),
        partition: 0,
        acknowledged: None,
    });
    let all = history.log.clone();
    history.sessions = vec![
        Session {
            seen: all[..3].to_vec(),
        },
        Session {
            seen: all[2..].to_vec(),
        },
    ];
    history.ends = vec![(0, 0), (0, 2), (0, 2), (0, 6)];
    history.commits = vec![
        Commit::Found(-1),
        Commit::Tried(2),
        Commit::Done,
        Commit::Found(2),
        Commit::Tried(3),
        Commit::Tried(4),
        Commit::Found(3),
        Commit::Tried(5),
        Commit::Done,
        Commit::Found(5),
    ];
    history
}

#[track_caller]
fn finds(plant: impl FnOnce(&mut History), expected: &[Anomaly]) {
    let mut history = sound();
    plant(&mut history);
    assert_eq!(history.anomalies(), expected);
}

#[test]
fn a_sound_history_has_no_anomaly() {
    finds(|_| {}, &[]);
}

#[test]
fn an_acknowledged_record_that_is_missing_is_lost() {
    let plant = |history: &mut History| {
        history.log.remove(4);
        history.sessions.clear();
    };
    finds(plant, &[Anomaly::Lost(value(2, 1))]);
}

#[test]
fn a_lost_tail_makes_the_end_go_back() {
    let plant = |history: &mut History| {
        history.log.truncate(4);
        history.sessions.clear();
    };
    finds(
        plant,
        &[Anomaly::Lost(value(2, 1)), Anomaly::EndWentBack(0, 4)],
    );
}

#[test]
fn a_record_at_another_offset_than_acknowledged_has_moved() {
    let plant = |history: &mut History| {
        history.log[4].offset = 6;
        history.log[5].offset = 7;
        history.sessions.clear();
    };
    finds(plant, &[Anomaly::Moved(value(2, 1))]);
}

#[test]
fn a_record_twice_in_the_log_is_duplicated() {
    let plant = |history: &mut History| history.log.push(at(6, value(2, 0)));
    finds(plant, &[Anomaly::Duplicated(value(2, 0))]);
}

/// Repeats record 2-0 (at 1 and 6) and record 1-0 (at 0 and 7), written by these writers.
fn repeats(history: &mut History, writers: [(i64, Option<(i64, i16)>); 4]) {
    history.log.push(at(6, value(2, 0)));
    history.log.push(at(7, value(1, 0)));
    for (offset, writer) in writers {
        let writer = writer.map(|(id, epoch)| Writer { id, epoch });
        history
            .writers
            .extend(writer.map(|writer| ((0, offset), writer)));
    }
}

#[test]
fn only_a_producer_that_gave_up_records_may_repeat_some() {
    let plant = |history: &mut History| {
        history.gave_up.insert(2);
        let (old, new) = (Some((5, 0)), Some((5, 1)));
        repeats(history, [(1, old), (6, new), (0, old), (7, new)]);
    };
    finds(plant, &[Anomaly::Duplicated(value(1, 0))]);
}

#[test]
fn a_producer_that_gave_up_records_repeats_none_in_the_same_epoch() {
    let both = [
        Anomaly::Duplicated(value(1, 0)),
        Anomaly::Duplicated(value(2, 0)),
    ];
    let cases = [
        // Another epoch; the same.
        ([Some((5, 0)), Some((5, 1)), Some((6, 0)), Some((6, 0))], 1),
        // Another id; the same.
        ([Some((5, 0)), Some((7, 0)), Some((6, 1)), Some((6, 1))], 1),
        // Unknown writers excuse nothing.
        ([Some((5, 0)), None, None, Some((6, 1))], 2),
        ([None, None, None, None], 2),
    ];
    for (writers, found) in cases {
        let plant = |history: &mut History| {
            history.gave_up.extend([1, 2]);
            let [first, again, other, other_again] = writers;
            repeats(
                history,
                [(1, first), (6, again), (0, other), (7, other_again)],
            );
        };
        finds(plant, &both[..found]);
    }
}

#[test]
fn a_third_copy_is_compared_with_both_earlier_ones() {
    let plant = |history: &mut History| {
        history.gave_up.insert(2);
        for (offset, epoch) in [(1, 0), (6, 1), (7, 1)] {
            history.writers.insert((0, offset), Writer { id: 5, epoch });
        }
        history.log.extend([at(6, value(2, 0)), at(7, value(2, 0))]);
    };
    finds(plant, &[Anomaly::Duplicated(value(2, 0))]);
}

#[test]
fn a_record_after_a_later_one_of_its_producer_is_reordered() {
    let plant = |history: &mut History| {
        history.sent[2].acknowledged = Some(3);
        history.sent[3].acknowledged = Some(2);
        history.log[2].value = Some(value(1, 2));
        history.log[3].value = Some(value(1, 1));
        history.sessions.clear();
    };
    finds(plant, &[Anomaly::Reordered(value(1, 1))]);
}

#[test]
fn a_record_that_no_producer_sent_is_a_phantom() {
    let plant = |history: &mut History| history.log.push(at(6, value(3, 0)));
    finds(plant, &[Anomaly::Phantom(0, 6)]);
}

#[test]
fn bytes_that_no_producer_writes_are_a_phantom() {
    let plant = |history: &mut History| {
        history.log.push(Seen {
            partition: 0,
            offset: 6,
            value: None,
        });
    };
    finds(plant, &[Anomaly::Phantom(0, 6)]);
}

#[test]
fn a_record_in_the_wrong_partition_is_a_phantom() {
    let plant = |history: &mut History| {
        history.log.push(Seen {
            partition: 1,
            offset: 0,
            value: Some(value(2, 3)),
        });
    };
    finds(plant, &[Anomaly::Phantom(1, 0)]);
}

#[test]
fn an_offset_with_two_values_is_reported() {
    let plant = |history: &mut History| history.sessions[1].seen[0] = at(2, value(2, 3));
    finds(plant, &[Anomaly::TwoValues(0, 2)]);
}

#[test]
fn a_record_seen_by_a_consumer_but_not_in_the_log_is_an_aborted_read() {
    let plant = |history: &mut History| history.sessions[1].seen.push(at(6, value(2, 3)));
    finds(plant, &[Anomaly::AbortedRead(0, 6)]);
}

#[test]
fn a_consumer_that_sees_an_offset_again_went_back() {
    let plant = |history: &mut History| {
        let again = history.sessions[1].seen[1];
        history.sessions[1].seen.push(again);
    };
    finds(plant, &[Anomaly::WentBack(0, 3)]);
}

#[test]
fn a_record_between_two_that_a_consumer_saw_was_skipped() {
    let plant = |history: &mut History| {
        history.sessions[1].seen.remove(1);
    };
    finds(plant, &[Anomaly::Skipped(0, 3)]);
}

#[test]
fn an_end_below_an_earlier_one_went_back() {
    let plant = |history: &mut History| history.ends.push((0, 5));
    finds(plant, &[Anomaly::EndWentBack(0, 5)]);
}

#[test]
fn a_committed_offset_below_an_acknowledged_one_went_back() {
    let plant = |history: &mut History| history.commits.push(Commit::Found(4));
    finds(plant, &[Anomaly::CommitWentBack(4)]);
}

#[test]
fn a_committed_offset_that_no_client_sent_is_a_phantom() {
    let plant = |history: &mut History| history.commits.push(Commit::Found(9));
    finds(plant, &[Anomaly::PhantomCommit(9)]);
}

#[test]
fn values_are_parsed_from_their_text() {
    let text = format!("{} xxxx", value(3, 14));
    assert_eq!(text.parse(), Ok(value(3, 14)));
    for other in ["", "3", "3-", "-14", "a-b", "3-14x"] {
        assert_eq!(other.parse::<Value>(), Err(()), "{other}");
    }
}
