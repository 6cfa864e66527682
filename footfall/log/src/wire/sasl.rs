//! Who is there: the exchange that a connection begins with, SASL/PLAIN.
//!
//! Pure: requests come in, answers go out, nothing waits here. The rule to keep: before the password only the versions
//! of requests and the mechanism can be asked for; everything else ends the connection, as with Kafka.

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

/// The only mechanism.
const MECHANISM: &str = "PLAIN";
/// The same as Kafka says, whichever of the two was wrong.
const REFUSAL: &str = "Authentication failed: Invalid username or password";
/// Of a frame before the password.
pub(super) const MAX_FRAME_BYTES: usize = 64 * 1024;

/// What to do after a frame of a connection without a name.
#[derive(Debug)]
pub(super) enum Step {
    /// Send this and go on.
    Answer(Bytes),
    /// Send this; from now on the connection may ask for anything.
    Welcome(Bytes),
    /// Send this, after a little while, and close: the credentials were wrong.
    Refuse(Bytes),
    /// Send this, if anything, and close: the exchange does not follow the protocol.
    Close(Option<Bytes>, String),
}

/// How far the exchange is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Begun,
    /// The mechanism was agreed upon. In the first version of the handshake the token follows as a bare frame.
    Agreed {
        bare: bool,
    },
}

/// The exchange of one connection.
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

    /// Takes a frame.
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
            return Err(format!("version {} of {:?}", head.version, api.key));
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
            key => Err(format!("{key:?} before the password")),
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

    /// The answer to a right token is an empty frame; to a wrong one there is none but the end of the connection.
    fn bare_token(&self, token: &[u8]) -> Step {
        if self.accepts(token) {
            Step::Welcome(Bytes::from_static(&[0; 4]))
        } else {
            Step::Refuse(Bytes::new())
        }
    }

    /// A token has whom to act as (nobody else), the name and the password, with zero bytes between.
    fn accepts(&self, token: &[u8]) -> bool {
        let mut parts = token.split(|byte| *byte == 0);
        let (Some(acting), Some(name), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return false;
        };
        let acting_right = acting.is_empty() || acting == name;
        // Both are compared whatever the first says, so that the time tells nothing.
        let right = name.ct_eq(self.credentials.username.as_bytes())
            & password.ct_eq(self.credentials.password.as_bytes());
        acting_right && bool::from(right)
    }
}
