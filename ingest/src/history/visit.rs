//! Reads a visit from a line: the beacons that the visit would have sent, with their times.
//!
//! Views must be in time order, and none before the visit. Heartbeats follow every 30 s from the
//! start. A leave follows its view after the view's duration. Beacons beyond the bounds of a live
//! session are dropped and counted.

use super::bad::BadLine;
use crate::{
    accept::{Beacon, BeaconKind, Content, Form, Name, SessionRef},
    sessions::{self, MAX_AGE, MAX_VIEWS},
};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    http::{Fields, client::read_address},
    jwt::MAX_SUBJECT_CHARS,
};
use schemas::{EventId, PageId};
use serde_json::{Map, Value};
use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr},
};
use uuid::Uuid;

/// How far a recorded time may be ahead of our clock.
pub(super) const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The time between two heartbeats of a client.
const HEARTBEAT_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// Most heartbeats of a visit: those that happen before the session is over.
const MAX_HEARTBEATS: i64 = 2_879;
/// Largest number of heartbeats in a line: as many as a live session accepts. A larger number is a
/// mistake, such as seconds or milliseconds.
const HIGHEST_HEARTBEATS: i64 = sessions::MAX_HEARTBEATS as i64;
/// Unlimited, because the line has a limit.
pub(super) const UNLIMITED: usize = usize::MAX;

/// A visit that was read from a line.
#[derive(Clone, Debug)]
pub(super) struct Visit<'a> {
    pub(super) address: IpAddr,
    pub(super) user_agent: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    /// In time order, the visit's own beacon first.
    pub(super) steps: Vec<Step<'a>>,
    /// The number of dropped views, leaves and heartbeats.
    pub(super) over: u64,
}

/// A beacon and its time.
#[derive(Clone, Debug)]
pub(super) struct Step<'a> {
    pub(super) at: Timestamp,
    pub(super) beacon: Beacon<'a>,
}

impl<'a> Visit<'a> {
    /// Reads a line's object.
    ///
    /// # Errors
    /// [`BadLine`] with every rule that it breaks.
    pub(super) fn read(object: &'a Map<String, Value>, now: Timestamp) -> Result<Self, BadLine> {
        let latest = now.saturating_add(MAX_AHEAD).unwrap_or(now);
        let mut fields = Fields::new(object);
        let event_id = fields.required_uuid("eventId");
        let page = fields.required_uuid("bioPageId").map(PageId);
        let at = moment(&mut fields, latest);
        let address = address(&fields);
        let user_agent = fields.string("userAgent", UNLIMITED);
        let user = fields.string("userId", MAX_SUBJECT_CHARS);
        if user == Some("") {
            fields.problem("userId must not be empty");
        }
        let heartbeats = fields.integer("heartbeats", 0..=HIGHEST_HEARTBEATS);
        let views = array(&mut fields, "views");

        let mut parts = Parts {
            latest,
            // A missing id is already a problem, so these defaults never leave this function.
            visit: Name {
                page: page.unwrap_or(PageId(Uuid::nil())),
                event_id: event_id.unwrap_or_default(),
            },
            steps: Vec::with_capacity(2 + 2 * views.len().min(MAX_VIEWS)),
            over: 0,
            problems: fields.into_problems(),
        };
        let start = at.unwrap_or(latest);
        // Parts are read even if the start is invalid, so that one error reports all broken rules.
        parts.session(object, start);
        if user.is_some() {
            parts.identify(start);
        }
        parts.views(views, at);
        parts.heartbeats(heartbeats.unwrap_or(0), start);
        if !parts.problems.is_empty() {
            return Err(BadLine::invalid(&parts.problems));
        }
        let mut steps = parts.steps;
        // The sort is stable, so beacons with the same time keep their order.
        steps.sort_by_key(|step| step.at);
        Ok(Self {
            address,
            user_agent,
            user,
            steps,
            over: parts.over,
        })
    }
}

/// Collects a visit's beacons and the rules that they break.
struct Parts<'a> {
    latest: Timestamp,
    visit: Name,
    steps: Vec<Step<'a>>,
    over: u64,
    problems: Vec<String>,
}

impl<'a> Parts<'a> {
    fn session(&mut self, object: &'a Map<String, Value>, at: Timestamp) {
        match Beacon::read(BeaconKind::Session, Form::Alone(None), object, 0) {
            Ok(beacon) => self.steps.push(Step { at, beacon }),
            Err(invalid) => self.problems.extend(invalid.lines().map(str::to_owned)),
        }
    }

    fn identify(&mut self, at: Timestamp) {
        let beacon = Beacon {
            event_id: Some(derived("identify", self.visit.event_id, 0)),
            proof: None,
            content: Content::Identify(SessionRef::Named(self.visit)),
        };
        self.steps.push(Step { at, beacon });
    }

    fn heartbeats(&mut self, count: i64, start: Timestamp) {
        let over = count.saturating_sub(MAX_HEARTBEATS).max(0);
        self.over += over.unsigned_abs();
        let count = count - over;
        for index in 1..=u32::try_from(count).unwrap_or(0) {
            let beacon = Beacon {
                event_id: Some(derived("heartbeat", self.visit.event_id, index)),
                proof: None,
                content: Content::Heartbeat(SessionRef::Named(self.visit)),
            };
            let after = HEARTBEAT_EVERY
                .checked_mul(i32::try_from(index).unwrap_or(i32::MAX))
                .unwrap_or(SignedDuration::MAX);
            let at = self.later(start, after);
            self.steps.push(Step { at, beacon });
        }
    }

    fn views(&mut self, views: &'a [Value], start: Option<Timestamp>) {
        let mut last = start;
        let end = start.and_then(|start| start.checked_add(MAX_AGE).ok());
        let mut seen = HashSet::with_capacity(views.len());
        for (index, view) in views.iter().enumerate() {
            let Some(object) = view.as_object() else {
                let problem = format!("views[{index}] must be an object");
                self.problems.push(problem);
                continue;
            };
            let mut fields = Fields::new(object);
            let event_id = fields.required_uuid("eventId");
            let at = moment(&mut fields, self.latest);
            if at.is_some() && at < last {
                fields.problem(if index == 0 {
                    "occurredAt is before the start of the visit"
                } else {
                    "occurredAt is before that of the previous view"
                });
            }
            // An invalid time is reported once and does not affect the order of the next views.
            last = at.or(last);
            // Two views with one id would be one event, and the second would be lost.
            if event_id.is_some_and(|event_id| !seen.insert(event_id)) {
                fields.problem("eventId is already used by another view");
            }
            let leave = fields.object("leave");
            for problem in fields.into_problems() {
                self.problem(index, &problem);
            }
            let at = at.unwrap_or(self.latest);
            // A view beyond the bounds is read before it is dropped: breaking a rule is a mistake
            // at any position.
            let before = self.steps.len();
            self.view(index, object, at);
            if let Some(leave) = leave {
                self.leave(index, leave, event_id.unwrap_or_default(), at);
            }
            if index >= MAX_VIEWS || end.is_some_and(|end| at >= end) {
                self.over += (self.steps.len() - before) as u64;
                self.steps.truncate(before);
            }
        }
    }

    fn view(&mut self, index: usize, object: &'a Map<String, Value>, at: Timestamp) {
        match Beacon::read(BeaconKind::Pageview, Form::Part(self.visit), object, 0) {
            Ok(beacon) => self.steps.push(Step { at, beacon }),
            Err(invalid) => invalid.lines().for_each(|line| self.problem(index, line)),
        }
    }

    fn leave(&mut self, index: usize, object: &'a Map<String, Value>, view: Uuid, at: Timestamp) {
        let name = Name {
            page: self.visit.page,
            event_id: view,
        };
        match Beacon::read(BeaconKind::Leave, Form::Part(name), object, 0) {
            Ok(mut beacon) => {
                beacon.event_id = Some(derived("leave", view, 0));
                let seconds = match &beacon.content {
                    Content::Leave(leave) => leave.duration_seconds,
                    _ => 0.0,
                };
                let after = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
                let at = self.later(at, after);
                self.steps.push(Step { at, beacon });
            }
            Err(invalid) => {
                for line in invalid.lines() {
                    self.problem(index, &format!("leave.{line}"));
                }
            }
        }
    }

    /// A derived time, never later than the latest time that a line may give.
    fn later(&self, at: Timestamp, after: SignedDuration) -> Timestamp {
        let at = at.saturating_add(after).unwrap_or(self.latest);
        to_microseconds(at.min(self.latest))
    }

    fn problem(&mut self, view: usize, problem: &str) {
        self.problems.push(format!("views[{view}].{problem}"));
    }
}

/// Derives the `eventId` of a beacon that has none in a line, from the visit or view that it
/// belongs to.
fn derived(what: &str, of: Uuid, index: u32) -> Uuid {
    let mut name = b"footfall history ".to_vec();
    name.extend_from_slice(what.as_bytes());
    name.extend_from_slice(&index.to_be_bytes());
    name.extend_from_slice(of.as_bytes());
    EventId::of_bytes(&name).0
}

/// Reads `occurredAt`, between 1970 and `latest`, in microseconds, the precision of the tables.
pub(super) fn moment(fields: &mut Fields<'_>, latest: Timestamp) -> Option<Timestamp> {
    if fields.get("occurredAt").is_none() {
        fields.problem("occurredAt is required");
        return None;
    }
    let text = fields.string("occurredAt", UNLIMITED)?;
    // The parser also accepts zone names in brackets, which are not part of RFC 3339.
    let at = text
        .parse::<Timestamp>()
        .ok()
        .filter(|_| !text.contains('['));
    let Some(at) = at else {
        fields.problem(
            "occurredAt must be an RFC 3339 time with an offset, for example 2026-02-20T10:30:00.123Z",
        );
        return None;
    };
    if at < Timestamp::UNIX_EPOCH {
        fields.problem("occurredAt must not be before 1970");
        return None;
    }
    if at > latest {
        fields.problem("occurredAt must not be more than 5 minutes in the future");
        return None;
    }
    Some(to_microseconds(at))
}

fn to_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Reads the client's address like a forwarded one. Without a readable address a visit has no
/// place.
pub(super) fn address(fields: &Fields<'_>) -> IpAddr {
    let given = fields.get("ip").and_then(Value::as_str);
    given
        .and_then(read_address)
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn array<'a>(fields: &mut Fields<'a>, name: &str) -> &'a [Value] {
    match fields.get(name) {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(_) => {
            fields.problem(format!("{name} must be an array"));
            &[]
        }
    }
}
