//! Reads a beacon from JSON, or reports every rule that it breaks.
//!
//! The one rule: only what identifies or counts can refuse a beacon (`visitorId`, `consentAnalytics`,
//! `trackingToken`, ids, `duration`, `event`). Everything else describes: it is cut, rounded, clamped or
//! left out, because a visit without its title is still a visit. Lengths that the contract leaves open
//! are bounded by the body's own limit, except a custom event's name, which becomes a column.

use super::{
    beacon::{
        Beacon, BeaconKind, Content, Leave, Name, Pageview, PageviewRef, Proof, Session,
        SessionRef, Track,
    },
    data,
};
use crate::enrich::Claims;
use runtime::http::{ApiError, Fields};
use schemas::{LinkId, PageId, PageviewId, SessionId};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Longest visitor id, in characters.
pub(crate) const MAX_VISITOR_ID_CHARS: usize = 128;
/// Longest URL, path and title, in characters.
pub(crate) const MAX_URL_CHARS: usize = 2_048;
/// Longest name of a device, browser, system, zone or language, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 64;
/// Longest name of a custom event, in characters. Ours: none is published.
pub const MAX_EVENT_NAME_CHARS: usize = 256;
/// No limit of its own: the body has one.
pub(crate) const UNLIMITED: usize = usize::MAX;
/// Largest side of a screen.
pub(crate) const MAX_SCREEN: f64 = 100_000.0;
/// Longest time in view, in seconds.
pub(crate) const MAX_DURATION_SECONDS: f64 = 3_600.0;
/// Deepest scroll, in percent.
pub(crate) const MAX_SCROLL_PERCENT: f64 = 100.0;

/// How a beacon came, which decides where its ids stand.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// Alone; with the id of its path, where the path has one.
    Alone(Option<&'a str>),
    /// As a member of a batch: all its ids are in the object, or the names in place of them.
    Member,
    /// As a part of a visit that is told whole: what it belongs to is given by that, under this name.
    Part(Name),
}

/// The rules that a beacon breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalid {
    /// Rules of the body, a line each.
    pub rules: Vec<String>,
    /// Rules of a custom event's properties, a line each.
    pub data: Vec<String>,
}

impl Invalid {
    /// Every line.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().chain(&self.data).map(String::as_str)
    }
}

/// 400 for a custom event's properties.
pub(crate) fn invalid_data() -> ApiError {
    ApiError::bad_request(
        "analytics.event.invalid_data",
        "The event's properties are too large.",
    )
}

impl From<Invalid> for ApiError {
    /// 400; when only the properties are wrong, with the published key for that.
    fn from(invalid: Invalid) -> Self {
        let mut error = if invalid.rules.is_empty() {
            invalid_data()
        } else {
            Self::validation(invalid.rules)
        };
        error.details.extend(invalid.data);
        error
    }
}

impl<'a> Beacon<'a> {
    /// Reads a beacon of that kind. `max_data_bytes` bounds a custom event's properties.
    ///
    /// # Errors
    /// [`Invalid`] with every rule that it breaks.
    pub fn read(
        kind: BeaconKind,
        form: Form<'_>,
        object: &'a Map<String, Value>,
        max_data_bytes: usize,
    ) -> Result<Self, Invalid> {
        let mut reader = Reader {
            fields: Fields::new(object),
            data: Vec::new(),
            proof: None,
        };
        let event_id = reader.fields.uuid("eventId");
        let content = match kind {
            BeaconKind::Session => reader.session().map(Content::Session),
            BeaconKind::Heartbeat => reader.session_at(form).map(Content::Heartbeat),
            BeaconKind::Identify => reader.session_at(form).map(Content::Identify),
            BeaconKind::Pageview => reader.pageview(form).map(Content::Pageview),
            BeaconKind::Leave => reader.leave(form).map(Content::Leave),
            BeaconKind::Track => reader.track(form, max_data_bytes).map(Content::Track),
        };
        let Reader {
            fields,
            data,
            proof,
        } = reader;
        let rules = fields.into_problems();
        match content {
            Some(content) if rules.is_empty() && data.is_empty() => Ok(Self {
                event_id,
                proof,
                content,
            }),
            _ => Err(Invalid { rules, data }),
        }
    }
}

/// Reads on after a broken rule, so that all are reported. What gives `None` has noted why.
struct Reader<'a> {
    fields: Fields<'a>,
    data: Vec<String>,
    proof: Option<Proof<'a>>,
}

impl<'a> Reader<'a> {
    fn session(&mut self) -> Option<Session<'a>> {
        let fields = &mut self.fields;
        let visitor_id = fields.required_string("visitorId", MAX_VISITOR_ID_CHARS);
        let consent = fields.string("consentAnalytics", UNLIMITED) == Some("granted");
        let page = fields.uuid("bioPageId").map(PageId);
        let tracking_token = fields.string("trackingToken", UNLIMITED);
        let referrer = text(fields, "referrer", MAX_URL_CHARS);
        // Not cut: campaign parameters may come after the limit. The stored parts have limits of their own.
        let landing_url = text(fields, "landingUrl", UNLIMITED);
        let claims = Claims {
            device: text(fields, "device", MAX_NAME_CHARS),
            browser: text(fields, "browser", MAX_NAME_CHARS),
            os: text(fields, "os", MAX_NAME_CHARS),
            os_version: text(fields, "osVersion", MAX_NAME_CHARS),
            timezone: text(fields, "timezone", MAX_NAME_CHARS),
            language: text(fields, "language", MAX_NAME_CHARS),
            screen_width: side(fields, "screenWidth"),
            screen_height: side(fields, "screenHeight"),
        };
        Some(Session {
            visitor_id: visitor_id?,
            consent,
            page,
            tracking_token,
            referrer,
            landing_url,
            claims,
        })
    }

    fn pageview(&mut self, form: Form<'_>) -> Option<Pageview<'a>> {
        let session = match form {
            Form::Alone(_) => self.fields.required_uuid("sessionId").map(by_session_id),
            Form::Member => self.member_session(),
            Form::Part(name) => Some(SessionRef::Named(name)),
        };
        let link = self.fields.uuid("linkClicked").map(LinkId);
        let path = text(&self.fields, "path", MAX_URL_CHARS);
        let title = text(&self.fields, "title", MAX_URL_CHARS);
        let referrer = text(&self.fields, "referrer", MAX_URL_CHARS);
        Some(Pageview {
            session: session?,
            link,
            path,
            title,
            referrer,
        })
    }

    fn leave(&mut self, form: Form<'_>) -> Option<Leave> {
        let pageview = match form {
            Form::Alone(id) => Some(PageviewRef::from_text(id.unwrap_or_default())),
            Form::Member => match self.in_place("pageviewId", "pageviewEventId") {
                InPlace::Name(name) => Some(PageviewRef::Named(name)),
                InPlace::Broken => None,
                InPlace::Nothing => self
                    .fields
                    .required_uuid("pageviewId")
                    .map(|id| PageviewRef::Id(PageviewId(id))),
            },
            Form::Part(name) => Some(PageviewRef::Named(name)),
        };
        let duration = self
            .fields
            .required_number("duration", 0.0..=MAX_DURATION_SECONDS);
        let scroll_depth = number(&self.fields, "scrollDepth");
        Some(Leave {
            pageview: pageview?,
            duration_seconds: without_sign_of_zero(duration?),
            // A page that bounces at its end scrolls a little past it.
            scroll_depth_percent: scroll_depth
                .map(|depth| without_sign_of_zero(depth.clamp(0.0, MAX_SCROLL_PERCENT))),
        })
    }

    fn track(&mut self, form: Form<'_>, max_data_bytes: usize) -> Option<Track<'a>> {
        let name = self.fields.required_string("event", MAX_EVENT_NAME_CHARS);
        let named = match form {
            Form::Alone(_) => InPlace::Nothing,
            Form::Member => self.in_place("sessionId", "sessionEventId"),
            Form::Part(name) => InPlace::Name(name),
        };
        let session = match named {
            InPlace::Name(name) => Some(SessionRef::Named(name)),
            InPlace::Broken => None,
            InPlace::Nothing => self
                .fields
                .string("sessionId", UNLIMITED)
                .map(SessionRef::from_text),
        };
        let properties = self.fields.get("properties").and_then(Value::as_object);
        if let Some(properties) = properties {
            let bytes = data::json_bytes(properties);
            if bytes > max_data_bytes {
                self.data.push(format!(
                    "properties have {bytes} bytes as JSON; the limit is {max_data_bytes}"
                ));
            }
        }
        Some(Track {
            name: name?,
            session,
            properties,
        })
    }

    /// The session of a heartbeat or identify.
    fn session_at(&mut self, form: Form<'_>) -> Option<SessionRef> {
        match form {
            Form::Alone(id) => Some(SessionRef::from_text(id.unwrap_or_default())),
            Form::Member => self.member_session(),
            Form::Part(name) => Some(SessionRef::Named(name)),
        }
    }

    fn member_session(&mut self) -> Option<SessionRef> {
        match self.in_place("sessionId", "sessionEventId") {
            InPlace::Name(name) => Some(SessionRef::Named(name)),
            InPlace::Broken => None,
            InPlace::Nothing => self.fields.required_uuid("sessionId").map(by_session_id),
        }
    }

    fn in_place(&mut self, id: &str, event_id: &str) -> InPlace {
        if self.fields.get(id).is_some() || self.fields.get(event_id).is_none() {
            return InPlace::Nothing;
        }
        if self.fields.get("bioPageId").is_none() {
            self.fields
                .problem(format!("bioPageId is required with {event_id}"));
        }
        let event_id = self.fields.uuid(event_id);
        let page = self.fields.uuid("bioPageId").map(PageId);
        let token = self.fields.string("trackingToken", UNLIMITED);
        self.proof = token.map(|token| Proof {
            token,
            named_at: None,
        });
        match (event_id, page) {
            (Some(event_id), Some(page)) => InPlace::Name(Name { page, event_id }),
            _ => InPlace::Broken,
        }
    }
}

/// What stands in place of an id.
enum InPlace {
    /// Nothing, or the id is there as well and goes before it.
    Nothing,
    /// A name.
    Name(Name),
    /// Something that breaks a rule, which is noted.
    Broken,
}

fn by_session_id(id: Uuid) -> SessionRef {
    SessionRef::Id(SessionId(id))
}

/// A text that only describes: cut at its limit, left out when it is something else.
fn text<'a>(fields: &Fields<'a>, name: &str, max_chars: usize) -> Option<&'a str> {
    let text = fields.get(name)?.as_str()?;
    // PostgreSQL's text cannot hold it. Bodies come without it, see `json`.
    if text.contains('\0') {
        return None;
    }
    let end = text.char_indices().nth(max_chars).map(|(at, _)| at);
    end.map_or(Some(text), |end| text.get(..end))
}

/// A number that only describes: left out when it is something else.
pub(crate) fn number(fields: &Fields<'_>, name: &str) -> Option<f64> {
    fields.get(name)?.as_f64()
}

/// A side of a screen, rounded: zoomed and scaled screens have fractions.
fn side(fields: &Fields<'_>, name: &str) -> Option<u32> {
    let side = round(number(fields, name)?);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and within a small range"
    )]
    (0.0..=MAX_SCREEN).contains(&side).then_some(side as u32)
}

/// Rounds half up, as `Math.round` does.
pub(crate) fn round(number: f64) -> f64 {
    (number + 0.5).floor()
}

/// -0 is in every range that 0 is in, and no number that a report should show.
fn without_sign_of_zero(number: f64) -> f64 {
    number + 0.0
}
