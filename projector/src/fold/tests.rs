//! The fold against plain restatements of the contract, over random events.

use super::{
    SessionState,
    duration::{self, Leave, View},
    fold,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schemas::{Body, Event, EventId, Kind, PageviewId, SessionId};
use std::{fs, path::Path};
use uuid::Uuid;

fn example(kind: Kind) -> Event {
    let name = format!("../schemas/examples/{}.v1.json", kind.name());
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    Event::from_bytes(&bytes).unwrap()
}

#[test]
fn every_published_example_folds_into_a_row_of_its_kind() {
    for kind in Kind::ALL {
        let event = example(kind);
        let change = fold(&event, 7);
        assert_eq!(change.row.kind, kind.number());
        assert_eq!((change.row.seq, change.row.event_id), (7, event.event_id));
        let names_a_session = matches!(
            event.body,
            Body::SessionStarted(_)
                | Body::SessionHeartbeat(_)
                | Body::SessionIdentified(_)
                | Body::PageViewed(_)
                | Body::CustomTracked(_)
        );
        assert_eq!(change.session.is_some(), names_a_session, "{}", kind.name());
        assert_eq!(change.leaves.is_some(), kind == Kind::PageLeft);
    }
}

/// An event of one session: its kind and its place in time.
fn event() -> impl Strategy<Value = Event> {
    (0usize..5, 0i64..50, any::<u64>(), any::<u8>()).prop_map(|(kind, minute, id, user)| {
        let mut event = example(Kind::ALL[[0, 1, 2, 3, 5][kind]]);
        event.event_id = EventId(Uuid::from_u128(id.into()));
        event.occurred_at += SignedDuration::from_mins(minute);
        let session = SessionId(Uuid::from_u128(1));
        match &mut event.body {
            Body::SessionStarted(body) => body.session_id = session,
            Body::SessionHeartbeat(body) => body.session_id = session,
            Body::SessionIdentified(body) => body.session_id = session,
            Body::PageViewed(body) => body.session_id = session,
            Body::CustomTracked(body) => body.session_id = session,
            _ => unreachable!(),
        }
        if let Some(hash) = event
            .visitor
            .as_mut()
            .and_then(|visitor| visitor.user_hash.as_mut())
        {
            hash.0 = [user; 16];
        }
        event
    })
}

fn absorbed(events: &[(i64, Event)]) -> SessionState {
    let mut state = SessionState::default();
    for (seq, event) in events {
        state.absorb(fold(event, *seq).session.unwrap().1);
    }
    state
}

proptest! {
    #[test]
    fn any_order_and_split_gives_the_same_state(
        events in prop::collection::vec(event(), 1..30),
        shuffle in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let events: Vec<(i64, Event)> = (0..).zip(events).collect();
        let whole = absorbed(&events);

        let mut rotated = events.clone();
        rotated.rotate_left(shuffle.index(events.len()));
        rotated.reverse();
        prop_assert_eq!(&absorbed(&rotated), &whole);

        let (first, second) = events.split_at(cut.index(events.len()));
        let mut joined = absorbed(second);
        joined.absorb(absorbed(first));
        prop_assert_eq!(&joined, &whole);

        // The same, said plainly.
        let of = |kind: Kind| events.iter().filter(move |(_, event)| event.body.kind() == kind);
        prop_assert_eq!(usize::try_from(whole.heartbeats).unwrap(), of(Kind::SessionHeartbeat).count());
        prop_assert_eq!(usize::try_from(whole.page_views).unwrap(), of(Kind::PageViewed).count());
        prop_assert_eq!(whole.bounced(), of(Kind::PageViewed).count() < 2);
        prop_assert_eq!(whole.last_activity_at, events.iter().map(|(_, event)| event.occurred_at).max());
        let first_start = of(Kind::SessionStarted).map(|(_, event)| (event.occurred_at, event.event_id)).min();
        prop_assert_eq!(whole.started.as_ref().map(|started| (started.at, started.event_id)), first_start);
        let last_user = of(Kind::SessionIdentified).map(|(_, event)| (event.occurred_at, event.event_id)).max();
        prop_assert_eq!(whole.identified.map(|bound| (bound.at, bound.event_id)), last_user);
    }

    #[test]
    fn views_last_until_they_were_left_or_the_next_one_came(
        views in prop::collection::vec((0i64..8_000_000_000, 0u128..50), 0..8),
        leaves in prop::collection::vec((0u128..50, 0i64..100, 0f64..3600.0), 0..8),
        rotate in any::<prop::sample::Index>(),
    ) {
        let at = |micros: i64| Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        let views: Vec<View> = views
            .into_iter()
            .filter(|(_, id)| seen.insert(*id))
            .map(|(micros, id)| View {
                at: at(micros),
                event_id: EventId(Uuid::from_u128(id)),
                pageview_id: PageviewId(Uuid::from_u128(id)),
            })
            .collect();
        let leaves: Vec<Leave> = (0..).zip(leaves)
            .map(|(index, (id, micros, seconds))| Leave {
                at: at(micros),
                event_id: EventId(Uuid::from_u128(1000 + index)),
                pageview_id: PageviewId(Uuid::from_u128(id)),
                seconds,
            })
            .collect();

        // Decision 15, view by view, without sorting anything.
        let mut seconds = Vec::new();
        let mut left = 0;
        for view in &views {
            let said = leaves.iter().filter(|leave| leave.pageview_id == view.pageview_id)
                .max_by_key(|leave| (leave.at, leave.event_id));
            let next = views.iter().filter(|next| (next.at, next.event_id) > (view.at, view.event_id))
                .min_by_key(|next| (next.at, next.event_id));
            if let Some(leave) = said {
                left += 1;
                seconds.push(leave.seconds);
            } else if let Some(next) = next {
                let exact = next.at.duration_since(view.at).as_secs_f64();
                if exact <= 3600.0 {
                    seconds.push((exact + 0.5).floor());
                }
            }
        }
        let mut shuffled = views.clone();
        if !shuffled.is_empty() {
            shuffled.rotate_left(rotate.index(views.len()));
        }
        let viewed = duration::of_views(&shuffled, &leaves);
        prop_assert_eq!(viewed.left_views, left);
        prop_assert!((viewed.seconds - seconds.iter().sum::<f64>()).abs() < 1e-6);
        prop_assert_eq!(viewed, duration::of_views(&views, &leaves));
    }
}

#[test]
fn back_fill_rounds_half_up_and_is_dropped_above_an_hour() {
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    let after = |micros: i64| Timestamp::from_microsecond(start.as_microsecond() + micros).unwrap();
    for (micros, seconds) in [
        (0, Some(0.0)),
        (499_999, Some(0.0)),
        (500_000, Some(1.0)),
        (1_499_999, Some(1.0)),
        (3_600_000_000, Some(3600.0)),
        (3_600_000_001, None),
        (-1, None),
    ] {
        assert_eq!(
            duration::back_fill(start, after(micros)),
            seconds,
            "{micros}"
        );
    }
}

#[test]
fn heartbeats_win_over_views_and_views_count_only_once_one_was_left() {
    assert_eq!(duration::of_session(0, 0, 90.0).to_bits(), 0f64.to_bits());
    assert_eq!(
        duration::of_session(0, 1, 90.5).to_bits(),
        90.5f64.to_bits()
    );
    assert_eq!(duration::of_session(2, 1, 90.5).to_bits(), 60f64.to_bits());
}
