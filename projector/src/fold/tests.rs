//! Tests the fold against simple models of the contract, with random events.

use super::{
    Counted, SessionState, add_rows,
    duration::{self, Leave, Nearby, Place, View, Viewed},
    starts, summarize,
};
use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use schemas::{Body, Event, EventId, Kind, PageId, PageviewId, SessionId, Within};
use std::{collections::BTreeMap, fs, path::Path};
use uuid::Uuid;

fn example(kind: Kind) -> Event {
    let name = format!("../schemas/examples/{}.v1.json", kind.name());
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    Event::from_bytes(&bytes).unwrap()
}

#[test]
fn every_published_example_has_its_ids_and_gives_rows_of_its_table() {
    for kind in Kind::ALL {
        let event = example(kind);
        let summary = summarize(&event, 7);
        assert_eq!((summary.seq, summary.event_id), (7, event.event_id));
        let (session, page) = (summary.session_id.is_some(), summary.page_id.is_some());
        match kind.within() {
            Within::Page => assert!(page, "{}", kind.name()),
            Within::Link | Within::Workspace => assert!(!session && !page, "{}", kind.name()),
            Within::Session => assert!(session && !page, "{}", kind.name()),
            Within::View => assert!(summary.pageview_id.is_some() && !session && !page),
        }
        assert_eq!(summary.leave().is_some(), kind == Kind::PageLeft);
        assert_eq!(summary.view().is_some(), kind == Kind::PageViewed);
        let started = starts(&event, 7);
        assert_eq!(started.is_some(), kind == Kind::SessionStarted);

        let counted = Counted {
            visible_seq: 9,
            page_id: Some(PageId(Uuid::from_u128(5))),
        };
        let mut rows = Rows::default();
        add_rows(&event, 7, counted, &mut rows);
        let lengths = [
            (Kind::PageViewed, rows.hits.len()),
            (Kind::CustomTracked, rows.custom_events.len()),
            (Kind::BeaconRefused, rows.refusals.len()),
            (Kind::LinkClicked, rows.clicks.len()),
            (Kind::ConversionRecorded, rows.conversions.len()),
            (Kind::ConversionStatusChanged, rows.conversion_changes.len()),
        ];
        for (of, length) in lengths {
            assert_eq!(length, usize::from(of == kind), "{}", kind.name());
        }
        for hit in rows.hits.iter().map(|hit| &hit.view) {
            assert_eq!((hit.seq, hit.visible_seq), (7, 9));
            assert_eq!(
                (hit.event_id, hit.page_id),
                (event.event_id, counted.page_id)
            );
        }
    }
}

/// A random event of one session.
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
        state.absorb(SessionState {
            started: starts(event, *seq),
            ..SessionState::of(&summarize(event, *seq))
        });
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

        // The simple model of the same state.
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
    fn a_view_lasts_until_its_leave_or_the_next_view(
        views in prop::collection::vec((0i64..8_000_000_000, 0u128..50), 0..8),
        leaves in prop::collection::vec((0u128..50, 0i64..100, 0f64..3600.0), 0..8),
        rotate in any::<prop::sample::Index>(),
    ) {
        let views = distinct_views(&views);
        let leaves = distinct_leaves(&leaves);

        // The simple model: view by view, without sorting.
        let mut expected = Viewed::default();
        for view in &views {
            let said = leaves.iter().filter(|(id, _)| *id == view.pageview_id)
                .max_by_key(|(_, leave)| (leave.at, leave.event_id));
            let next = views.iter().filter(|next| next.place() > view.place())
                .min_by_key(|next| next.place());
            if let Some((_, leave)) = said {
                expected.left_views += 1;
                expected.micros += leave.micros;
            } else if let Some(next) = next {
                let exact = next.at.duration_since(view.at).as_micros();
                if exact <= 3_600_000_000 {
                    expected.micros += i64::try_from((exact + 500_000) / 1_000_000 * 1_000_000).unwrap();
                }
            }
        }
        let mut shuffled = views.clone();
        if !shuffled.is_empty() {
            shuffled.rotate_left(rotate.index(views.len()));
        }
        prop_assert_eq!(duration::of_views(&shuffled, &leaves), expected);
    }

    #[test]
    fn changes_by_neighbours_add_up_to_the_durations_of_the_whole_session(
        views in prop::collection::vec((0i64..30_000_000_000, 0u128..60), 0..40),
        leaves in prop::collection::vec((0u128..60, 0i64..100, 0f64..3600.0), 0..30),
        parts in prop::collection::vec(0usize..6, 70),
    ) {
        let views = distinct_views(&views);
        let leaves = distinct_leaves(&leaves);
        let mut sum = Viewed::default();
        let (mut counted, mut left): (Vec<View>, Vec<(PageviewId, Leave)>) = (Vec::new(), Vec::new());
        for batch in 0..6 {
            let mine = |parts: &[usize], index: usize| parts[index] == batch;
            let new: Vec<View> = (0..).zip(&views).filter(|(i, _)| mine(&parts, *i)).map(|(_, view)| *view).collect();
            let said: Vec<_> = (0..).zip(&leaves).filter(|(i, _)| mine(&parts[40..], *i)).map(|(_, leave)| *leave).collect();
            let nearby = neighbourhood(&counted, &left, &new, &said);
            prop_assert!(nearby.len() <= 3 * (new.len() + said.len()), "more than the neighbours");
            sum.add(duration::change(&nearby));
            counted.extend(&new);
            left.extend(&said);
            prop_assert_eq!(sum, duration::of_views(&counted, &left));
        }
    }
}

fn distinct_views(views: &[(i64, u128)]) -> Vec<View> {
    let mut seen = std::collections::BTreeSet::new();
    let views = views.iter().filter(|(_, id)| seen.insert(*id));
    views
        .map(|(micros, id)| View {
            at: moment(*micros),
            event_id: EventId(Uuid::from_u128(*id)),
            pageview_id: PageviewId(Uuid::from_u128(*id)),
        })
        .collect()
}

fn distinct_leaves(leaves: &[(u128, i64, f64)]) -> Vec<(PageviewId, Leave)> {
    (0..)
        .zip(leaves)
        .map(|(index, (id, micros, seconds))| {
            let leave = Leave {
                at: moment(*micros),
                event_id: EventId(Uuid::from_u128(1000 + index)),
                micros: duration::micros(*seconds),
            };
            (PageviewId(Uuid::from_u128(*id)), leave)
        })
        .collect()
}

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(1_800_000_000_000_000 + micros).unwrap()
}

/// The views that a batch loads. Of the views that counted before, it loads only the direct
/// neighbours of new ones, those that are left now, and their direct neighbours. Leaves of views
/// that do not count yet wait for them.
fn neighbourhood(
    counted: &[View],
    left: &[(PageviewId, Leave)],
    new: &[View],
    said: &[(PageviewId, Leave)],
) -> BTreeMap<Place, Nearby> {
    let latest = |leaves: &mut dyn Iterator<Item = &(PageviewId, Leave)>, view: &View| {
        let leaves = leaves.filter(|(id, _)| *id == view.pageview_id);
        leaves.map(|(_, leave)| *leave).max()
    };
    let now_left = counted
        .iter()
        .filter(|view| said.iter().any(|(id, _)| *id == view.pageview_id));
    let changed: Vec<View> = new.iter().chain(now_left).copied().collect();
    let before = changed.iter().filter_map(|view| {
        let before = counted.iter().filter(|other| other.place() < view.place());
        before.max_by_key(|other| other.place())
    });
    let after = changed.iter().filter_map(|view| {
        let after = counted.iter().filter(|other| other.place() > view.place());
        after.min_by_key(|other| other.place())
    });
    let all = changed.iter().chain(before).chain(after);
    all.map(|view| {
        let is_counted = counted.contains(view);
        let near = Nearby {
            view: *view,
            counted: is_counted,
            left_before: latest(&mut left.iter(), view).filter(|_| is_counted),
            left_after: latest(&mut left.iter().chain(said), view),
        };
        (view.place(), near)
    })
    .collect()
}

#[test]
fn back_fill_rounds_half_up_and_is_dropped_above_an_hour() {
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    let after = |micros: i64| Timestamp::from_microsecond(start.as_microsecond() + micros).unwrap();
    for (micros, back_filled) in [
        (0, Some(0)),
        (499_999, Some(0)),
        (500_000, Some(1_000_000)),
        (1_499_999, Some(1_000_000)),
        (3_600_000_000, Some(3_600_000_000)),
        (3_600_000_001, None),
        (-1, None),
    ] {
        assert_eq!(
            duration::back_fill(start, after(micros)),
            back_filled,
            "{micros}"
        );
    }
}

#[test]
fn heartbeats_take_precedence_and_views_count_only_if_one_was_left() {
    let viewed = |left_views, micros| Viewed { left_views, micros };
    for (heartbeats, viewed, seconds) in [
        (0, viewed(0, 90_000_000), 0f64),
        (0, viewed(1, 90_500_000), 90.5),
        (0, viewed(3, 300_000), 0.3),
        (2, viewed(1, 90_500_000), 60.0),
    ] {
        let lasted = duration::of_session(heartbeats, viewed);
        assert_eq!(lasted.to_bits(), seconds.to_bits());
    }
}

#[test]
fn seconds_of_a_leave_become_the_nearest_microsecond() {
    for (seconds, micros) in [
        (0.0, 0),
        (0.1, 100_000),
        (12.345_678_4, 12_345_678),
        (12.345_678_6, 12_345_679),
        (3_600.0, 3_600_000_000),
    ] {
        assert_eq!(duration::micros(seconds), micros, "{seconds}");
    }
}
