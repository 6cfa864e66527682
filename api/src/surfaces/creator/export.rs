//! The file of a CSV export: its name, and the answer to an unknown `type`.

use axum::{
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, tz::TimeZone};

/// As published: the error is a 200 with a file.
const NO_SUCH_TYPE: &str = "error\nInvalid export type. Use: overview, traffic, or links.\n";
/// Longest unknown type that appears in the file's name.
const MAX_NAME: usize = 32;

/// The file of that type, dated today in UTC.
pub(super) fn file(text: String, kind: &str, now: Timestamp) -> Response {
    let today = now.to_zoned(TimeZone::UTC).date();
    let name = format!("attachment; filename=biore-analytics-{kind}-{today}.csv");
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    (headers, text).into_response()
}

/// The file for an unknown type, named after it if that makes a safe name.
pub(super) fn no_such_type(given: Option<&str>, now: Timestamp) -> Response {
    let plain = |text: &&str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(plain)
    };
    let kind = given.filter(plain).unwrap_or("unknown");
    file(NO_SUCH_TYPE.to_owned(), kind, now)
}
