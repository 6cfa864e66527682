//! What a rule asks about a request.

use super::Field;
use jiff::Timestamp;
use std::borrow::Cow;

/// The facts about one request. Each is asked for only when a rule needs it, so a costly one may be
/// computed late.
pub trait Facts {
    /// The text of a field; `None` when it is unknown. `language` is the whole `Accept-Language`.
    fn text(&self, field: &Field) -> Option<Cow<'_, str>>;

    /// When the request came.
    fn now(&self) -> Timestamp;

    /// The visitor's place in [0, 100) among the visitors of the rule's owner; `None` without a
    /// visitor.
    fn bucket(&self) -> Option<f64>;
}
