//! Decides what a request for a short link is answered, as a pure function of the request and the
//! link.
//!
//! The one rule: this is the only code that makes a `Location`. A link without a decision leads
//! nowhere.

use super::query::Wishes;
use crate::directory::Found;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use schemas::BotReason;

/// No cache may keep an answer: the owner may change the link, and every click must be seen.
pub const NEVER_KEEP: HeaderValue = HeaderValue::from_static("private, no-store");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const NO_INDEX: HeaderValue = HeaderValue::from_static("noindex");
/// Seconds after which a browser that fetched ahead may ask again.
const AGAIN: HeaderValue = HeaderValue::from_static("1");

/// What decides besides the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// HEAD instead of GET.
    pub is_head: bool,
    /// The browser asks before the person does.
    pub is_ahead: bool,
    /// What the request asks for.
    pub wishes: Wishes,
}

/// The decision on a request.
#[derive(Clone, Debug)]
pub enum Decision {
    /// There is no such link.
    Unknown,
    /// There is a link, but nobody opens it yet.
    Later(Found, Record),
    /// The link is opened.
    Redirect(Found, Record),
}

/// What a request leaves in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    Nothing,
    /// A click, which may still turn out to be a machine's.
    Click,
    /// A click that does not count, for this reason.
    Bot(BotReason),
}

/// Decides on a request for a link. The gates are in their order; each request passes all of them.
#[must_use]
pub fn decide(question: Question, found: Option<Found>) -> Decision {
    let Some(found) = found else {
        return Decision::Unknown;
    };
    let record = question.record();
    // A browser would use a redirect that it fetched ahead, and the click would never be seen. It
    // discards a failure and asks again.
    if question.is_ahead {
        return Decision::Later(found, record);
    }
    Decision::Redirect(found, record)
}

impl Question {
    fn record(self) -> Record {
        if self.wishes.is_untracked {
            Record::Nothing
        } else if self.is_head {
            Record::Bot(BotReason::Head)
        } else if self.is_ahead {
            Record::Bot(BotReason::Prefetch)
        } else if self.wishes.says_bot {
            Record::Bot(BotReason::Parameter)
        } else {
            Record::Click
        }
    }
}

impl Decision {
    /// The answer; `None` for an unknown link, which other routes may know.
    #[must_use]
    pub fn answer(&self) -> Option<Response<Body>> {
        let mut response = Response::new(Body::empty());
        match self {
            Self::Unknown => return None,
            Self::Later(..) => {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response.headers_mut().insert(header::RETRY_AFTER, AGAIN);
            }
            Self::Redirect(found, _) => {
                *response.status_mut() = StatusCode::FOUND;
                let location = found.link.destination().clone();
                response.headers_mut().insert(header::LOCATION, location);
            }
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, NEVER_KEEP);
        headers.insert(ROBOTS, NO_INDEX);
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;
    use schemas::{
        LinkId, WorkspaceId, WorkspaceNo,
        directory::{Entry, Link, LinkSettings, Workspace},
    };
    use uuid::Uuid;

    const DESTINATION: &str = "https://en.example/?2+2_(TV)&a=%2B6h&url=x#!ct/1";

    fn found() -> Found {
        let directory = Directory::serving("go.example");
        directory.apply(Entry::Workspace(Workspace {
            workspace_no: WorkspaceNo(7),
            workspace_id: WorkspaceId(Uuid::from_u128(7)),
            row_version: 1,
        }));
        directory.apply(Entry::Link(Box::new(Link {
            link_id: LinkId(Uuid::from_u128(1)),
            workspace_no: WorkspaceNo(7),
            destination: DESTINATION.to_owned(),
            short_code: "promo".to_owned(),
            host: None,
            settings: LinkSettings::default(),
            deleted: false,
            row_version: 1,
        })));
        directory.short_link("go.example", ["promo"]).unwrap()
    }

    /// Every combination of the gates, against a plain table.
    #[test]
    fn every_combination_of_gates_has_its_answer_and_its_record() {
        for bits in 0..32u8 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let question = Question {
                is_head: is(0),
                is_ahead: is(1),
                wishes: Wishes {
                    is_untracked: is(2),
                    says_bot: is(3),
                },
            };
            let is_known = is(4);
            let decision = decide(question, is_known.then(found));
            let Some(answer) = decision.answer() else {
                assert!(!is_known && matches!(decision, Decision::Unknown));
                continue;
            };
            let headers = answer.headers();
            assert_eq!(headers["cache-control"], "private, no-store");
            assert_eq!(headers["x-robots-tag"], "noindex");
            let (status, location, again) = if question.is_ahead {
                (503, None, Some("1"))
            } else {
                (302, Some(DESTINATION), None)
            };
            let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
            assert_eq!(answer.status(), status, "{question:?}");
            assert_eq!(header("location"), location);
            assert_eq!(header("retry-after"), again);
            let (Decision::Later(_, record) | Decision::Redirect(_, record)) = decision else {
                panic!("a known link has a decision");
            };
            let expected = match (is(2), is(0), is(1), is(3)) {
                (true, ..) => Record::Nothing,
                (_, true, ..) => Record::Bot(BotReason::Head),
                (_, _, true, _) => Record::Bot(BotReason::Prefetch),
                (.., true) => Record::Bot(BotReason::Parameter),
                _ => Record::Click,
            };
            assert_eq!(record, expected, "{question:?}");
        }
    }
}
