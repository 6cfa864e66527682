//! The headers of every answer of a redirect.

use axum::http::{HeaderName, HeaderValue};

/// No cache may keep an answer: the owner may change the link, and every click must be seen.
pub const NEVER_KEEP: HeaderValue = HeaderValue::from_static("private, no-store");
pub(super) const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
pub(super) const NO_INDEX: HeaderValue = HeaderValue::from_static("noindex");
