//! Reads a beacon from JSON, or reports every rule that it breaks.
//!
//! Owns which members make up a beacon; [`super::members`] owns the rule of each member. The one
//! rule: reading continues after a broken rule, so all are reported at once.

use super::{
    beacon::{
        Beacon, BeaconKind, Content, Leave, Name, Pageview, PageviewRef, Proof, Session,
        SessionRef, Track,
    },
    data, members as m,
};
use crate::enrich::Claims;
use runtime::{
    http::{ApiError, Fields},
    members::{Id, Member},
};
use schemas::{LinkId, PageId, PageviewId, SessionId};
use serde_json::{Map, Value};
use uuid::Uuid;

/// How a beacon was sent, which decides where its ids are.
#[derive(Clone, Copy, Debug)]
pub enum Form<'a> {
    /// In a request of its own, with the id in its path, if the path has one.
    Alone(Option<&'a str>),
    /// As a member of a batch. The object has all ids, or names instead of them.
    Member,
    /// As a part of a complete visit. This name identifies its session or view.
    Part(Name),
}

/// The rules that a beacon breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalid {
    /// Broken rules of the body, one per line.
    pub rules: Vec<String>,
    /// Broken rules of a custom event's properties, one per line.
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
    /// 400. When only the properties are invalid, the code is the published one for that.
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
    /// Reads a beacon of this kind. `max_data_bytes` bounds a custom event's properties.
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

/// Continues after a broken rule, so that all are reported. A method that returns `None` has
/// recorded why.
struct Reader<'a> {
    fields: Fields<'a>,
    data: Vec<String>,
    proof: Option<Proof<'a>>,
}

impl<'a> Reader<'a> {
    fn session(&mut self) -> Option<Session<'a>> {
        let fields = &mut self.fields;
        let visitor_id = m::VISITOR_ID.read(fields);
        // Reading continues without the id, to report the other broken rules.
        let session = Session {
            visitor_id: visitor_id.unwrap_or_default(),
            // Any other value, also in another letter case, does not count as consent.
            consent: m::CONSENT.read(fields) == Some("granted"),
            page: m::VISITED_PAGE.read(fields).map(PageId),
            tracking_token: m::TRACKING_TOKEN.read(fields),
            referrer: m::VISIT_REFERRER.read(fields),
            landing_url: m::LANDING_URL.read(fields),
            claims: Claims {
                // Only short links read the header.
                model: None,
                device: m::DEVICE.read(fields),
                browser: m::BROWSER.read(fields),
                os: m::OS.read(fields),
                os_version: m::OS_VERSION.read(fields),
                timezone: m::TIMEZONE.read(fields),
                language: m::LANGUAGE.read(fields),
                screen_width: m::SCREEN_WIDTH.read(fields),
                screen_height: m::SCREEN_HEIGHT.read(fields),
            },
        };
        visitor_id.map(|_| session)
    }

    fn pageview(&mut self, form: Form<'_>) -> Option<Pageview<'a>> {
        let session = match form {
            Form::Alone(_) => m::REQUIRED_SESSION_ID
                .read(&mut self.fields)
                .map(by_session_id),
            Form::Member => self.member_session(),
            Form::Part(name) => Some(SessionRef::Named(name)),
        };
        let fields = &mut self.fields;
        let view = Pageview {
            // A placeholder: without a session the view is discarded below.
            session: session.unwrap_or(SessionRef::Stranger),
            link: m::LINK.read(fields).map(LinkId),
            path: m::PATH.read(fields),
            title: m::TITLE.read(fields),
            referrer: m::VIEW_REFERRER.read(fields),
        };
        session.map(|_| view)
    }

    fn leave(&mut self, form: Form<'_>) -> Option<Leave> {
        let pageview = match form {
            // A path that is not an id is answered as forged, not reported as invalid.
            Form::Alone(id) => Some(PageviewRef::from_text(id.unwrap_or_default())),
            Form::Member => match self.in_place(&m::PAGEVIEW_ID, &m::PAGEVIEW_EVENT_ID) {
                InPlace::Name(name) => Some(PageviewRef::Named(name)),
                InPlace::Broken => None,
                InPlace::Nothing => m::REQUIRED_PAGEVIEW_ID
                    .read(&mut self.fields)
                    .map(|id| PageviewRef::Id(PageviewId(id))),
            },
            Form::Part(name) => Some(PageviewRef::Named(name)),
        };
        let duration_seconds = m::DURATION.read(&mut self.fields);
        let scroll_depth_percent = m::SCROLL_DEPTH.read(&mut self.fields);
        Some(Leave {
            pageview: pageview?,
            duration_seconds: without_sign_of_zero(duration_seconds?),
            scroll_depth_percent: scroll_depth_percent.map(without_sign_of_zero),
        })
    }

    fn track(&mut self, form: Form<'_>, max_data_bytes: usize) -> Option<Track<'a>> {
        let name = m::EVENT.read(&mut self.fields);
        let named = match form {
            Form::Alone(_) => InPlace::Nothing,
            Form::Member => self.in_place(&m::SESSION_ID, &m::SESSION_EVENT_ID),
            Form::Part(name) => InPlace::Name(name),
        };
        let session = match named {
            InPlace::Name(name) => Some(SessionRef::Named(name)),
            InPlace::Broken => None,
            InPlace::Nothing => m::TRACKED_SESSION
                .read(&mut self.fields)
                .map(SessionRef::from_text),
        };
        let properties = m::PROPERTIES.read(&mut self.fields);
        if let Some(properties) = properties {
            let bytes = data::json_bytes(properties);
            if bytes > max_data_bytes {
                self.data.push(format!(
                    "properties take {bytes} bytes as JSON; the limit is {max_data_bytes}"
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
        match self.in_place(&m::SESSION_ID, &m::SESSION_EVENT_ID) {
            InPlace::Name(name) => Some(SessionRef::Named(name)),
            InPlace::Broken => None,
            InPlace::Nothing => m::REQUIRED_SESSION_ID
                .read(&mut self.fields)
                .map(by_session_id),
        }
    }

    /// Reads the name that a beacon gives instead of an id.
    fn in_place(&mut self, id: &Member<Id>, event_id: &Member<Id>) -> InPlace {
        let fields = &mut self.fields;
        if fields.get(id.name()).is_some() || fields.get(event_id.name()).is_none() {
            return InPlace::Nothing;
        }
        let page_id = m::PAGE_ID.name();
        if fields.get(page_id).is_none() {
            fields.problem(format!("{page_id} is required with {}", event_id.name()));
        }
        let event_id = event_id.read(fields);
        let page = m::PAGE_ID.read(fields).map(PageId);
        // A name without a token is valid. The judgement refuses it later.
        self.proof = m::PAGE_TOKEN.read(fields).map(|token| Proof {
            token,
            named_at: None,
        });
        match (event_id, page) {
            (Some(event_id), Some(page)) => InPlace::Name(Name { page, event_id }),
            _ => InPlace::Broken,
        }
    }
}

/// The outcome of looking for a name.
enum InPlace {
    /// There is no name, or the id is present too and takes precedence.
    Nothing,
    /// A valid name.
    Name(Name),
    /// An invalid name, already reported.
    Broken,
}

fn by_session_id(id: Uuid) -> SessionRef {
    SessionRef::Id(SessionId(id))
}

/// Turns -0, which passes every range check that 0 passes, into 0. Reports must not show -0.
fn without_sign_of_zero(number: f64) -> f64 {
    number + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = m::EXAMPLE_ID;

    fn read(kind: BeaconKind, form: Form<'_>, object: &Value) -> String {
        let object = object.as_object().unwrap();
        format!("{:?}", Beacon::read(kind, form, object, 100))
    }

    #[test]
    fn every_documented_member_is_read() {
        let kinds = [
            (BeaconKind::Session, json!({ "visitorId": "v" })),
            (BeaconKind::Pageview, json!({ "sessionId": ID })),
            (BeaconKind::Heartbeat, json!({ "sessionId": ID })),
            (
                BeaconKind::Leave,
                json!({ "pageviewId": ID, "duration": 1 }),
            ),
            (BeaconKind::Track, json!({ "event": "e", "sessionId": ID })),
        ];
        let others = [
            json!("other"),
            json!("5f0c3f0e-6c5e-4b6a-9d0a-0f6c1c5b7a11"),
            json!("granted"),
            json!(2),
            json!({ "a": 1 }),
        ];
        for (kind, least) in kinds {
            for (form, members) in [
                (Form::Alone(Some(ID)), m::alone(kind).collect::<Vec<_>>()),
                (Form::Member, m::in_batch(kind).collect()),
            ] {
                for member in members {
                    let name = member.name();
                    // The age is about sending, not about the visit. Proof and page are read only
                    // with a name.
                    if name == m::AGE_MS.name() {
                        continue;
                    }
                    let mut before = least.clone();
                    let names = ["bioPageId", "trackingToken"];
                    let of_name = kind != BeaconKind::Session && names.contains(&name);
                    if of_name || name.ends_with("EventId") {
                        let (id, event_id) = match kind {
                            BeaconKind::Leave => ("pageviewId", "pageviewEventId"),
                            _ => ("sessionId", "sessionEventId"),
                        };
                        let object = before.as_object_mut().unwrap();
                        object.remove(id);
                        object.insert(event_id.to_owned(), json!(ID));
                        object.insert("bioPageId".to_owned(), json!(ID));
                    }
                    let changes = others.iter().any(|other| {
                        let mut after = before.clone();
                        after[name] = other.clone();
                        read(kind, form, &after) != read(kind, form, &before)
                    });
                    assert!(changes, "{name} of {kind:?}, {form:?}");
                }
            }
        }
    }
}
