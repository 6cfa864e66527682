//! Reads a request's address and headers, and declines requests. Shared by single beacons and
//! batches.

use crate::{
    accept::{Facts, Trust},
    enrich::{BotSignals, PurposeHeaders},
    intake::Intake,
    limits::Spent,
    outcome::Outcome,
};
use axum::{
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, Peer, throttled},
    jwt::Refused,
};
use std::{borrow::Cow, net::IpAddr};

/// Why a request is not answered with 200.
#[derive(Debug)]
pub(crate) enum Declined {
    /// A limit is spent.
    Throttled(Spent),
    /// The token is missing or invalid.
    Unauthorized,
    /// Anything else.
    Error(Box<ApiError>),
}

impl Declined {
    /// The outcome of a beacon that is declined before it is read.
    pub(crate) const fn outcome(&self) -> Outcome {
        match self {
            Self::Throttled(_) => Outcome::Throttled,
            Self::Unauthorized => Outcome::Unauthorized,
            Self::Error(_) => Outcome::Invalid,
        }
    }
}

impl From<ApiError> for Declined {
    fn from(error: ApiError) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<Spent> for Declined {
    fn from(spent: Spent) -> Self {
        Self::Throttled(spent)
    }
}

impl From<Refused> for Declined {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unauthorized => Self::Unauthorized,
            Refused::Throttled(standing) => Self::Throttled(Spent::bad_tokens(standing)),
        }
    }
}

impl IntoResponse for Declined {
    fn into_response(self) -> Response {
        match self {
            Self::Throttled(spent) => throttled::refuse(spent.route, spent.standing),
            Self::Unauthorized => ApiError::unauthorized().into_response(),
            Self::Error(error) => error.into_response(),
        }
    }
}

/// What is known about a request besides its body.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<Cow<'a, str>>,
    pub(crate) purpose: PurposeHeaders<'a>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(intake: &Intake, parts: &'a Parts) -> Self {
        let headers = &parts.headers;
        let purpose = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            address: intake.client(parts.extensions.get::<Peer>(), headers),
            // `to_str` would drop an agent with bytes that are not ASCII.
            user_agent: headers
                .get(header::USER_AGENT)
                .map(|value| String::from_utf8_lossy(value.as_bytes())),
            purpose: PurposeHeaders {
                sec_purpose: purpose("sec-purpose"),
                purpose: purpose("purpose"),
                x_purpose: purpose("x-purpose"),
                x_moz: purpose("x-moz"),
            },
        }
    }

    /// True when the browser asks before the person does.
    pub(crate) fn is_ahead(&self) -> bool {
        self.purpose.signals() != BotSignals::NONE
    }

    pub(crate) fn facts<'b>(
        &'b self,
        user: Option<&'b str>,
        occurred_at: Timestamp,
        received_at: Timestamp,
    ) -> Facts<'b> {
        Facts {
            address: self.address,
            user_agent: self.user_agent.as_deref(),
            purpose: self.purpose,
            user,
            occurred_at,
            received_at,
            trust: Trust::Beacon,
        }
    }
}
