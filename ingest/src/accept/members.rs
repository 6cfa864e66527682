//! Declares every member of a beacon's body once, for the reader and for the OpenAPI document.
//!
//! The one rule: only members that identify or count can make a beacon invalid. All others
//! describe: they are cut, rounded, clamped or dropped, because a visit without its title is still
//! a visit.

use super::{
    beacon::BeaconKind,
    rules::{AnyObject, Clamped, Cut, Milliseconds, NotEmpty, Side, UNLIMITED},
};
use runtime::{
    members::{Declared, Id, Member, Number, Text},
    openapi,
};
use serde_json::{Value, json};

/// Longest URL, path and title, in characters.
const URL: Cut = Cut(2_048);
/// Longest name of a device, browser, system, zone or language, in characters.
const NAME: Cut = Cut(64);
/// Longest name of a custom event, in characters. Our own choice; the contract has no limit.
pub const MAX_EVENT_NAME_CHARS: usize = 256;

/// The id in examples.
pub(crate) const EXAMPLE_ID: &str = "0192e000-0000-8000-8000-00000000000a";
const SOME_ID: fn() -> Value = || json!(EXAMPLE_ID);

// Members of every beacon.
pub(super) static EVENT_ID: Member<Id> = Member::new("eventId", Id)
    .about("The client's own id of this beacon. Beacons repeated with the same id count once.");

// Members of a visit.
pub(super) static VISITOR_ID: Member<NotEmpty> = Member::new("visitorId", NotEmpty(128))
    .required()
    .about("The client's own id of its visitor. It is kept only as a keyed hash.")
    .example(|| json!("3f0c8f6e-visitor"));
pub(super) static CONSENT: Member<Text> = Member::new("consentAnalytics", Text(UNLIMITED))
    .about("The visit is counted only when this is exactly `granted`.")
    .example(|| json!("granted"));
pub(super) static VISITED_PAGE: Member<Id> = Member::new("bioPageId", Id)
    .about("The page that is visited.")
    .example(SOME_ID);
pub(super) static TRACKING_TOKEN: Member<Text> = Member::new("trackingToken", Text(UNLIMITED))
    .about("Proof that the page was rendered recently; required with `bioPageId`.")
    .example(|| json!("5b1c9c0e7f2a4d3b8e6f1a2b3c4d5e6f"));
pub(super) static VISIT_REFERRER: Member<Cut> = Member::new("referrer", URL)
    .about("Where the visitor came from.")
    .example(|| json!("https://www.instagram.com/"));
/// Not cut, because campaign parameters may come after the limit. The stored parts have their own
/// limits.
pub(super) static LANDING_URL: Member<Cut> = Member::new("landingUrl", Cut(UNLIMITED))
    .about("Where the visitor landed; its path and `utm_…` parameters are kept.");
pub(super) static DEVICE: Member<Cut> = guess("device");
pub(super) static BROWSER: Member<Cut> = guess("browser");
pub(super) static OS: Member<Cut> = guess("os");
pub(super) static OS_VERSION: Member<Cut> = guess("osVersion");
pub(super) static TIMEZONE: Member<Cut> =
    Member::new("timezone", NAME).about("The browser's time zone.");
pub(super) static LANGUAGE: Member<Cut> =
    Member::new("language", NAME).about("The browser's language.");
pub(super) static SCREEN_WIDTH: Member<Side> = side("screenWidth");
pub(super) static SCREEN_HEIGHT: Member<Side> = side("screenHeight");

const fn guess(name: &'static str) -> Member<Cut> {
    Member::new(name, NAME).about("Used if the `User-Agent` header does not contain it.")
}

const fn side(name: &'static str) -> Member<Side> {
    Member::new(name, Side { max: 100_000.0 }).about("In CSS pixels.")
}

// Members of a view.
pub(super) static LINK: Member<Id> =
    Member::new("linkClicked", Id).about("The link, when this is a click. A click is also a view.");
pub(super) static PATH: Member<Cut> = Member::new("path", URL)
    .about("Path of the page.")
    .example(|| json!("/"));
pub(super) static TITLE: Member<Cut> = Member::new("title", URL).about("Title of the page.");
pub(super) static VIEW_REFERRER: Member<Cut> =
    Member::new("referrer", URL).about("Referrer of the page.");

// Members of a leave.
pub(super) static DURATION: Member<Number> = Member::new("duration", Number(0.0..=3_600.0))
    .required()
    .about("How long the page was in view, in seconds.")
    .example(|| json!(41.5));
/// Clamped: a page with a bounce effect scrolls a little past its end.
pub(super) static SCROLL_DEPTH: Member<Clamped> = Member::new("scrollDepth", PERCENT)
    .about("How far down the page was scrolled, in percent.")
    .example(|| json!(80));
const PERCENT: Clamped = Clamped {
    min: 0.0,
    max: 100.0,
};

// Members of a site's own event.
pub(super) static EVENT: Member<NotEmpty> = Member::new("event", NotEmpty(MAX_EVENT_NAME_CHARS))
    .required()
    .about("Name of the event.")
    .example(|| json!("signup_step_complete"));
pub(super) static TRACKED_SESSION: Member<Text> = Member::new("sessionId", Text(UNLIMITED))
    .about("The session. Without a valid one, the event is answered but not recorded.")
    .example(SOME_ID);
pub(super) static PROPERTIES: Member<AnyObject> = Member::new("properties", AnyObject)
    .about("Properties of the event; their size as JSON is limited.")
    .example(|| json!({ "step": 2 }));

// The visit or view of a beacon. A member of a batch may give a name instead of its id.
const SESSION: Member<Id> = Member::new("sessionId", Id).about("The session.");
const PAGEVIEW: Member<Id> = Member::new("pageviewId", Id).about("The view.");
pub(super) static SESSION_ID: Member<Id> = SESSION;
/// For beacons that give no name instead.
pub(super) static REQUIRED_SESSION_ID: Member<Id> = SESSION.required().example(SOME_ID);
pub(super) static SESSION_EVENT_ID: Member<Id> = Member::new("sessionEventId", Id).about(
    "Instead of `sessionId`: the `eventId` of the session, with `bioPageId` and `trackingToken`.",
);
pub(super) static PAGEVIEW_ID: Member<Id> = PAGEVIEW;
/// For beacons that give no name instead.
pub(super) static REQUIRED_PAGEVIEW_ID: Member<Id> = PAGEVIEW.required();
pub(super) static PAGEVIEW_EVENT_ID: Member<Id> = Member::new("pageviewEventId", Id).about(
    "Instead of `pageviewId`: the `eventId` of the view, with `bioPageId` and `trackingToken`.",
);
pub(super) static PAGE_ID: Member<Id> = Member::new("bioPageId", Id).about("The page.");
pub(super) static PAGE_TOKEN: Member<Text> = Member::new("trackingToken", Text(UNLIMITED)).about(
    "Proof of the page, required with an `eventId` instead of an id. It must be valid at the time that `ageMs` gives. \
     Without it the member is dropped (`token`).",
);
/// Clamped to one day.
pub(crate) static AGE_MS: Member<Milliseconds> =
    Member::new("ageMs", Milliseconds { max: 86_400_000 })
        .about("How many milliseconds ago the event happened, if the beacon had to wait.");

type Members = &'static [&'static dyn Declared];

// The members of a beacon, without its visit or view.
const OWN_OF_SESSION: Members = &[
    &VISITOR_ID,
    &CONSENT,
    &VISITED_PAGE,
    &TRACKING_TOKEN,
    &VISIT_REFERRER,
    &LANDING_URL,
    &DEVICE,
    &BROWSER,
    &OS,
    &OS_VERSION,
    &TIMEZONE,
    &LANGUAGE,
    &SCREEN_WIDTH,
    &SCREEN_HEIGHT,
    &EVENT_ID,
];
const OWN_OF_PAGEVIEW: Members = &[&LINK, &PATH, &TITLE, &VIEW_REFERRER, &EVENT_ID];
const OWN_OF_LEAVE: Members = &[&DURATION, &SCROLL_DEPTH, &EVENT_ID];
const OWN_OF_TRACK: Members = &[&EVENT, &PROPERTIES, &EVENT_ID];
const ONLY_EVENT_ID: Members = &[&EVENT_ID];

// The visit of a beacon that comes alone. The other kinds give the id in their path.
const SESSION_OF_PAGEVIEW: Members = &[&REQUIRED_SESSION_ID];
const SESSION_OF_TRACK: Members = &[&TRACKED_SESSION];
// The same for members of a batch, with their age.
const ONLY_AGE: Members = &[&AGE_MS];
const AGE_AND_SESSION: Members = &[
    &AGE_MS,
    &SESSION_ID,
    &PAGE_ID,
    &PAGE_TOKEN,
    &SESSION_EVENT_ID,
];
const AGE_AND_PAGEVIEW: Members = &[
    &AGE_MS,
    &PAGEVIEW_ID,
    &PAGEVIEW_EVENT_ID,
    &PAGE_ID,
    &PAGE_TOKEN,
];

/// The members of a beacon in a request of its own.
pub(crate) fn alone(kind: BeaconKind) -> impl Iterator<Item = openapi::Member> {
    let belongs = match kind {
        BeaconKind::Pageview => SESSION_OF_PAGEVIEW,
        BeaconKind::Track => SESSION_OF_TRACK,
        _ => &[],
    };
    describe(belongs).chain(describe(own(kind)))
}

/// The members of a beacon in a batch.
pub(crate) fn in_batch(kind: BeaconKind) -> impl Iterator<Item = openapi::Member> {
    let belongs = match kind {
        BeaconKind::Session => ONLY_AGE,
        BeaconKind::Leave => AGE_AND_PAGEVIEW,
        _ => AGE_AND_SESSION,
    };
    describe(belongs).chain(describe(own(kind)))
}

const fn own(kind: BeaconKind) -> Members {
    match kind {
        BeaconKind::Session => OWN_OF_SESSION,
        BeaconKind::Heartbeat | BeaconKind::Identify => ONLY_EVENT_ID,
        BeaconKind::Pageview => OWN_OF_PAGEVIEW,
        BeaconKind::Leave => OWN_OF_LEAVE,
        BeaconKind::Track => OWN_OF_TRACK,
    }
}

fn describe(members: Members) -> impl Iterator<Item = openapi::Member> {
    members.iter().map(|member| member.member())
}
