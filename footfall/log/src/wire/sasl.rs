//! The login with SASL/PLAIN at the beginning of a connection.
//!
//! It does no I/O: the caller passes requests in and sends the responses. The rule to keep: before the login a client
//! can ask only for the versions of requests and for the mechanism. Like Kafka, anything else ends the connection.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        ApiKey, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
        SaslHandshakeResponse,
    },
    protocol::StrBytes,
};
use subtle::ConstantTimeEq as _;

use super::{
    apis,
    frame::{self, Head},
};
use crate::{Credentials, requests::api_versions};

/// The only supported mechanism.
const MECHANISM: &str = "PLAIN";
/// Kafka's message. It does not reveal which of the two was wrong.
const REFUSAL: &str = "Authentication failed: Invalid username or password";
/// Maximum size of a frame before the login.
pub(super) const MAX_FRAME_BYTES: usize = 64 * 1024;

/// The next action after a frame of the login.
#[derive(Debug)]
pub(super) enum Step {
    /// Send this and continue the login.
    Answer(Bytes),
    /// Send this; the login is complete.
    Welcome(Bytes),
    /// Send this after a short delay, and close: the credentials were wrong.
    Refuse(Bytes),
    /// Send this, if anything, and close: the exchange does not follow the protocol.
    Close(Option<Bytes>, String),
}

/// The progress of the login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Begun,
    /// The mechanism is agreed. After version 0 of the handshake, the token follows as a bare frame.
    Agreed {
        bare: bool,
    },
}

/// The login of one connection.
#[derive(Debug)]
pub(super) struct Login<'a> {
    credentials: &'a Credentials,
    state: State,
}

impl<'a> Login<'a> {
    pub(super) fn new(credentials: &'a Credentials) -> Self {
        Self {
            credentials,
            state: State::Begun,
        }
    }

    /// Processes a frame.
    pub(super) fn step(&mut self, frame: Bytes) -> Step {
        if self.state == (State::Agreed { bare: true }) {
            return self.bare_token(&frame);
        }
        let taken = self.request(frame);
        taken.unwrap_or_else(|reason| Step::Close(None, reason))
    }

    fn request(&mut self, mut frame: Bytes) -> Result<Step, String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let head = Head::read(&mut frame).map_err(|error| said(&error))?;
        let api = apis::find(head.key).ok_or_else(|| "an unknown request".to_owned())?;
        let offered = (api.oldest..=api.newest).contains(&head.version);
        if matches!(api.key, ApiKey::ApiVersions) && !offered {
            let answer = api_versions::too_new(&head).map_err(|error| said(&error))?;
            return Ok(Step::Answer(answer));
        }
        if !offered {
            return Err(format!(
                "unsupported version {} of {:?}",
                head.version, api.key
            ));
        }
        frame::skip_header_tags(api, head.version, &mut frame).map_err(|error| said(&error))?;
        match api.key {
            ApiKey::ApiVersions => {
                let request = frame::decode(api, head.version, &mut frame);
                let request = request.map_err(|error| said(&error))?;
                let response = api_versions::serve(&request, head.version);
                let answer = frame::encode(&head, head.version, &response);
                Ok(Step::Answer(answer.map_err(|error| said(&error))?))
            }
            ApiKey::SaslHandshake => {
                let request: SaslHandshakeRequest =
                    frame::decode(api, head.version, &mut frame).map_err(|error| said(&error))?;
                self.shake_hands(&head, &request)
                    .map_err(|error| said(&error))
            }
            ApiKey::SaslAuthenticate => {
                let request: SaslAuthenticateRequest =
                    frame::decode(api, head.version, &mut frame).map_err(|error| said(&error))?;
                self.authenticate(&head, &request)
                    .map_err(|error| said(&error))
            }
            key => Err(format!("{key:?} before the login")),
        }
    }

    fn shake_hands(
        &mut self,
        head: &Head,
        request: &SaslHandshakeRequest,
    ) -> Result<Step, frame::EncodeError> {
        let known = request.mechanism.as_str() == MECHANISM;
        let error = if known {
            0
        } else {
            ResponseError::UnsupportedSaslMechanism.code()
        };
        let response = SaslHandshakeResponse::default()
            .with_error_code(error)
            .with_mechanisms(vec![StrBytes::from_static_str(MECHANISM)]);
        let answer = frame::encode(head, head.version, &response)?;
        if !known {
            return Ok(Step::Close(
                Some(answer),
                "an unsupported mechanism".to_owned(),
            ));
        }
        self.state = State::Agreed {
            bare: head.version == 0,
        };
        Ok(Step::Answer(answer))
    }

    fn authenticate(
        &mut self,
        head: &Head,
        request: &SaslAuthenticateRequest,
    ) -> Result<Step, frame::EncodeError> {
        let refusal = |error: ResponseError, message: &'static str| {
            let response = SaslAuthenticateResponse::default()
                .with_error_code(error.code())
                .with_error_message(Some(StrBytes::from_static_str(message)));
            frame::encode(head, head.version, &response)
        };
        if self.state == State::Begun {
            let answer = refusal(
                ResponseError::IllegalSaslState,
                "a SaslHandshake request must come first",
            )?;
            let reason = "a password before the handshake".to_owned();
            return Ok(Step::Close(Some(answer), reason));
        }
        if self.accepts(&request.auth_bytes) {
            let response = SaslAuthenticateResponse::default();
            return Ok(Step::Welcome(frame::encode(head, head.version, &response)?));
        }
        let answer = refusal(ResponseError::SaslAuthenticationFailed, REFUSAL)?;
        Ok(Step::Refuse(answer))
    }

    /// Checks a bare token. The response to a correct one is an empty frame. A wrong one ends the connection.
    fn bare_token(&self, token: &[u8]) -> Step {
        if self.accepts(token) {
            Step::Welcome(Bytes::from_static(&[0; 4]))
        } else {
            Step::Refuse(Bytes::new())
        }
    }

    /// Checks a token: an identity to act as, the user name and the password, separated by zero bytes. The identity
    /// must be empty or the user name.
    fn accepts(&self, token: &[u8]) -> bool {
        let mut parts = token.split(|byte| *byte == 0);
        let (Some(acting), Some(name), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let acting_right = acting.is_empty() || acting == name;
        // Always compare both, in constant time, so that the duration reveals nothing.
        let right = name.ct_eq(self.credentials.username.as_bytes())
            & password.ct_eq(self.credentials.password.as_bytes());
        acting_right && bool::from(right)
    }
}
