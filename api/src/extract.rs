//! Extractors of request parts for handlers. Their errors have the form of the surface.

use axum::{
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::request::Parts,
};
use runtime::{
    http::{ApiError, body, validate::parse_uuid},
    members::{self, Body},
};
use std::borrow::Cow;
use url::form_urlencoded;
use uuid::Uuid;

/// Largest JSON body: more than a link with its embed data needs.
const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// Most parameters of a query: several times as many as any report has.
const MAX_PARAMETERS: usize = 100;

/// The only id in a path; 400 when it is not a UUID.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathId(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::validation(vec![error.to_string()]))?;
        let Some((name, text)) = params.iter().next() else {
            return Err(ApiError::internal("a path without an id"));
        };
        let wrong = || ApiError::validation(vec![format!("{name} must be a UUID")]);
        parse_uuid(text).map(Self).ok_or_else(wrong)
    }
}

/// The only id in a path of a workspace, where anything but a UUID names no object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectId(Option<Uuid>);

impl ObjectId {
    /// The id; the refusal of an unknown object when it is not a UUID.
    pub(crate) fn get(self, refusal: fn() -> ApiError) -> Result<Uuid, ApiError> {
        self.0.ok_or_else(refusal)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ObjectId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let Ok(params) = params else {
            // A path that is not UTF-8 contains no UUID.
            return Ok(Self(None));
        };
        let given = params.iter().next();
        Ok(Self(given.and_then(|(_, text)| parse_uuid(text))))
    }
}

/// Two ids in a path of a workspace. Anything but a UUID names no object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectIds {
    pub(crate) first: Option<Uuid>,
    pub(crate) second: Option<Uuid>,
}

impl<S: Send + Sync> FromRequestParts<S> for ObjectIds {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let texts = params.iter().flat_map(|params| params.iter());
        let mut ids = texts.map(|(_, text)| parse_uuid(text));
        Ok(Self {
            first: ids.next().flatten(),
            second: ids.next().flatten(),
        })
    }
}

/// The only name in a path of a workspace; `None` for one that is not UTF-8, which names no object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectName(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for ObjectName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let named = params.and_then(|params| {
            let (_, text) = params.iter().next()?;
            Some(text.to_owned())
        });
        Ok(Self(named))
    }
}

/// A body of at most this many bytes, read from a JSON object; 400 with every broken rule.
#[derive(Debug)]
pub(crate) struct JsonBody<B, const LIMIT: usize = BODY_LIMIT_BYTES>(pub(crate) B);

impl<S: Sync, B: Body, const LIMIT: usize> FromRequest<S> for JsonBody<B, LIMIT> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        body::check_type(request.headers())?;
        let bytes = body::read(request.into_body(), LIMIT).await?;
        members::read(&body::object(&bytes)?).map(Self)
    }
}

/// The query string as given. A route ignores the parameters that it does not read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    /// The first value of that name, decoded.
    pub(crate) fn first(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// Every name and value, decoded.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.0.as_bytes())
    }

    /// A UUID, `None` when it is absent; 400 for anything else. An empty value is 400 too, because
    /// it would silently mean the first page.
    pub(crate) fn uuid(&self, name: &str) -> Result<Option<Uuid>, ApiError> {
        match self.first(name) {
            None => Ok(None),
            Some(text) => parse_uuid(&text)
                .map(Some)
                .ok_or_else(|| ApiError::validation(vec![format!("{name} must be a UUID")])),
        }
    }
}

#[cfg(test)]
impl From<&str> for Query {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        if query.split('&').count() > MAX_PARAMETERS {
            return Err(ApiError::validation(vec![format!(
                "the query must have at most {MAX_PARAMETERS} parameters"
            )]));
        }
        Ok(Self(query.to_owned()))
    }
}
