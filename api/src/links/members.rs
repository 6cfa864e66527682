//! Members of a link's body as every route reads them, each within its own bounds.

use super::{embed, plain_line, schedule};
use jiff::Timestamp;
use runtime::http::Fields;
use schemas::visible::is_blank;

/// Longest title, before HTML is stripped.
pub(super) const MAX_TITLE_CHARS: usize = 100;
/// Longest url: what every browser and server takes.
pub(super) const MAX_URL_CHARS: usize = 2048;
/// Longest icon and platform name.
pub(super) const MAX_NAME_CHARS: usize = 50;
/// Largest place in the order.
pub(super) const MAX_SORT_ORDER: i64 = 1000;

/// A title as plain text; noted when nothing is left of it to see.
pub(super) fn read_title(fields: &mut Fields<'_>, given: &str) -> String {
    let title = plain_line(given);
    if is_blank(&title) {
        fields.problem("title must have visible characters besides HTML");
    }
    title
}

/// The name of an icon or a platform.
pub(super) fn read_name(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    fields.string(name, MAX_NAME_CHARS).map(str::to_owned)
}

/// A place in the page's order.
pub(super) fn read_sort_order(fields: &mut Fields<'_>) -> Option<i32> {
    let order = fields.integer("sortOrder", 0..=MAX_SORT_ORDER)?;
    i32::try_from(order).ok()
}

/// A kind of embed that we know.
pub(super) fn read_embed_type(fields: &mut Fields<'_>, name: &str) -> Option<String> {
    let given = fields.string(name, MAX_NAME_CHARS)?;
    if !embed::TYPES.contains(&given) {
        fields.problem(format!("{name} must be one of {}", embed::TYPES.join(", ")));
    }
    Some(given.to_owned())
}

/// An end of the schedule.
pub(super) fn read_moment(fields: &mut Fields<'_>, name: &str) -> Option<Timestamp> {
    let text = fields.string(name, 64)?;
    let moment = schedule::read_moment(text);
    if moment.is_none() {
        fields.problem(format!(
            "{name} must be an ISO 8601 date and time, for example 2026-02-20T10:30:00Z"
        ));
    }
    moment
}
