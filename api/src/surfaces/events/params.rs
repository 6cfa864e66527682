//! Reads the parameters of a request: which mode, which time, which events.
//!
//! The one rule: what is not understood is refused, with one line that says what to send.

use super::errors;
use crate::{extract::Query, surfaces::moment::Moment};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use runtime::http::{ApiError, validate::parse_uuid};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Events of a page, unless the request says another number.
pub(super) const DEFAULT_LIMIT: i64 = 100;
/// Most events of a page.
pub(super) const MAX_LIMIT: i64 = 5_000;
/// Most days of a request by time.
pub(super) const MAX_DAYS: i64 = 366;
/// How far a clock of a client may be ahead.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Parameters that select events, on both routes.
const FILTERS: [&str; 5] = [
    "shortCode",
    "shortUrlId",
    "eventType",
    "clickSource",
    "includeBots",
];
const OF_LIST: [&str; 6] = ["from", "to", "cursor", "limit", "since", "afterEventId"];
/// The export ignores `cursor` and `limit`, so that the parameters of a list can be used unchanged.
const OF_EXPORT: [&str; 8] = [
    "from",
    "to",
    "cursor",
    "limit",
    "since",
    "format",
    "snapshot",
    "afterEventId",
];

/// The events that a request selects, as far as its text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) short_code: Option<String>,
    pub(super) link: Option<Uuid>,
    pub(super) click_source: Option<ClickSource>,
    pub(super) include_bots: bool,
}

/// How a link was opened, as clients name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClickSource {
    Direct,
    QrCode,
    Api,
}

/// The names of [`ClickSource`].
pub(super) const CLICK_SOURCES: [&str; 3] = ["DIRECT", "QR_CODE", "API"];

/// A request of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// By time.
    Browse {
        window: Window,
        filter: Filter,
        cursor: Option<String>,
        limit: i64,
    },
    /// By arrival.
    Sync {
        since: Timestamp,
        after: Option<String>,
        filter: Filter,
        limit: i64,
    },
}

/// A request of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Export {
    pub(super) window: Window,
    pub(super) filter: Filter,
    pub(super) is_csv: bool,
    pub(super) snapshot: Option<String>,
    pub(super) after: Option<String>,
}

/// The time of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The first instant.
    pub(super) from: Timestamp,
    /// The instant after the last one.
    pub(super) until: Timestamp,
}

/// The parameters of a request by name.
struct Given(BTreeMap<String, String>);

impl List {
    pub(super) fn read(query: &Query, now: Timestamp) -> Result<Self, ApiError> {
        let given = Given::read(query, &OF_LIST)?;
        let (filter, limit) = (given.filter()?, given.limit()?);
        let is_browse = given.has("from") || given.has("to");
        match (is_browse, given.has("since")) {
            (true, true) => Err(invalid(
                "Send either from and to (browse) or since (sync), not both.",
            )),
            (false, false) => Err(invalid("Send from and to (browse), or since (sync).")),
            (true, false) => {
                if given.has("afterEventId") {
                    return Err(invalid("afterEventId needs since."));
                }
                Ok(Self::Browse {
                    window: given.window()?,
                    filter,
                    cursor: given.text("cursor"),
                    limit,
                })
            }
            (false, true) => {
                if given.has("cursor") {
                    return Err(invalid("cursor needs from and to."));
                }
                Ok(Self::Sync {
                    since: given.since(now)?,
                    after: given.text("afterEventId"),
                    filter,
                    limit,
                })
            }
        }
    }
}

impl Export {
    pub(super) fn read(query: &Query) -> Result<Self, ApiError> {
        let given = Given::read(query, &OF_EXPORT)?;
        if given.has("since") {
            return Err(invalid(
                "The export needs from and to; since is not allowed.",
            ));
        }
        let (snapshot, after) = (given.text("snapshot"), given.text("afterEventId"));
        if after.is_some() && snapshot.is_none() {
            return Err(invalid("afterEventId needs snapshot."));
        }
        let is_csv = match given.text("format").as_deref() {
            None | Some("json") => false,
            Some("csv") => true,
            Some(_) => return Err(invalid("format must be json or csv.")),
        };
        Ok(Self {
            window: given.window()?,
            filter: given.filter()?,
            is_csv,
            snapshot,
            after,
        })
    }
}

impl Given {
    fn read(query: &Query, known: &[&str]) -> Result<Self, ApiError> {
        let mut given = BTreeMap::new();
        for (name, value) in query.pairs() {
            if !known.contains(&&*name) && !FILTERS.contains(&&*name) {
                let name: String = name.chars().take(50).collect();
                return Err(errors::invalid(format!("Unknown parameter `{name}`.")));
            }
            if given.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(errors::invalid(format!("{name} is given twice.")));
            }
        }
        Ok(Self(given))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn moment(&self, name: &'static str) -> Result<Moment, ApiError> {
        let text = self.0.get(name).map(String::as_str).unwrap_or_default();
        Moment::read(text).ok_or_else(|| {
            errors::invalid(format!(
                "{name} must be a date or a time, such as 2026-01-31 or 2026-01-31T10:30:00Z."
            ))
        })
    }

    fn window(&self) -> Result<Window, ApiError> {
        if !self.has("from") || !self.has("to") {
            return Err(invalid("Send both from and to."));
        }
        let (from, to) = (self.moment("from")?, self.moment("to")?);
        let out_of_range = || invalid("from and to must be within the years 1 to 9999.");
        let from = from.start(&TimeZone::UTC).ok_or_else(out_of_range)?;
        let until = to.end(&TimeZone::UTC).ok_or_else(out_of_range)?;
        if from >= until {
            return Err(invalid("from must not be after to."));
        }
        if until.duration_since(from) > SignedDuration::from_hours(24 * MAX_DAYS) {
            return Err(errors::invalid(format!(
                "The date range is too large: at most {MAX_DAYS} days."
            )));
        }
        Ok(Window { from, until })
    }

    fn since(&self, now: Timestamp) -> Result<Timestamp, ApiError> {
        let since = self.moment("since")?.start(&TimeZone::UTC);
        let since = since.ok_or_else(|| invalid("since must be within the years 1 to 9999."))?;
        if since.duration_since(now) > AHEAD {
            return Err(invalid("since must not be in the future."));
        }
        Ok(since)
    }

    fn limit(&self) -> Result<i64, ApiError> {
        let Some(text) = self.0.get("limit") else {
            return Ok(DEFAULT_LIMIT);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|_| digits);
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| {
            errors::invalid(format!(
                "limit must be a whole number from 1 to {MAX_LIMIT}."
            ))
        })
    }

    fn filter(&self) -> Result<Filter, ApiError> {
        let link = match self.0.get("shortUrlId") {
            None => None,
            Some(text) => {
                let id = text.strip_prefix("url_").and_then(parse_uuid);
                Some(id.ok_or_else(|| invalid("shortUrlId must be an id of a short URL."))?)
            }
        };
        let click_source = match self.0.get("clickSource").map(String::as_str) {
            None => None,
            Some("DIRECT") => Some(ClickSource::Direct),
            Some("QR_CODE") => Some(ClickSource::QrCode),
            Some("API") => Some(ClickSource::Api),
            Some(_) => return Err(invalid("clickSource must be DIRECT, QR_CODE or API.")),
        };
        let include_bots = match self.0.get("includeBots").map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(invalid("includeBots must be true or false.")),
        };
        if !matches!(
            self.0.get("eventType").map(String::as_str),
            None | Some("CLICK")
        ) {
            return Err(invalid("eventType must be CLICK."));
        }
        let short_code = self.text("shortCode");
        // PostgreSQL's text cannot store U+0000, so no link has such a code.
        let bad = |code: &String| code.is_empty() || code.len() > 50 || code.contains('\0');
        if short_code.as_ref().is_some_and(bad) {
            return Err(invalid("shortCode must have 1 to 50 characters."));
        }
        Ok(Filter {
            short_code,
            link,
            click_source,
            include_bots,
        })
    }
}

impl Filter {
    /// The triggers of the click source, as the tables name them.
    pub(super) fn triggers(&self) -> Vec<&'static str> {
        match self.click_source {
            None => vec!["link", "qr", "api", "deeplink", "bio"],
            Some(ClickSource::Direct) => vec!["link", "deeplink", "bio"],
            Some(ClickSource::QrCode) => vec!["qr"],
            Some(ClickSource::Api) => vec!["api"],
        }
    }

    /// A text that is different for every other selection of events.
    pub(super) fn scope(&self, workspace_no: i32, window: Window) -> String {
        let Window { from, until } = window;
        let (from, until) = (from.as_microsecond(), until.as_microsecond());
        format!("{workspace_no} {from} {until} {self:?}")
    }
}

fn invalid(rule: &'static str) -> ApiError {
    errors::invalid(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn list(query: &str) -> Result<List, String> {
        List::read(&Query::from(query), NOW.parse().unwrap()).map_err(|error| {
            assert_eq!(error.status, 400);
            error.message.into_owned()
        })
    }

    fn export(query: &str) -> Result<Export, String> {
        Export::read(&Query::from(query)).map_err(|error| error.message.into_owned())
    }

    #[test]
    fn the_mode_follows_from_the_parameters() {
        let browse = list("from=2026-01-01&to=2026-01-31&limit=500").unwrap();
        assert!(matches!(
            browse,
            List::Browse {
                limit: 500,
                cursor: None,
                ..
            }
        ));
        let sync = list("since=2026-03-01T00:00:00Z&afterEventId=evt_def456").unwrap();
        assert!(
            matches!(sync, List::Sync { limit: 100, after: Some(id), .. } if id == "evt_def456")
        );
        // A clock may be some minutes ahead.
        assert!(list("since=2026-03-01T12:04:59Z").is_ok());
    }

    #[test]
    fn other_combinations_are_refused() {
        for (query, part) in [
            ("", "from and to"),
            ("limit=5", "from and to"),
            ("from=2026-01-01", "both"),
            ("to=2026-01-01", "both"),
            ("from=2026-01-01&to=2026-01-02&since=2026-01-01", "not both"),
            ("to=2026-01-02&since=2026-01-01", "not both"),
            ("afterEventId=evt_1", "from and to"),
            (
                "from=2026-01-01&to=2026-01-02&afterEventId=evt_1",
                "needs since",
            ),
            ("since=2026-01-01&cursor=x", "needs from"),
            ("from=2026-01-02&to=2026-01-01", "after"),
            ("from=2025-01-01&to=2026-01-02", "too large"),
            ("from=x&to=2026-01-02", "from must be"),
            ("from=&to=2026-01-02", "from must be"),
            ("since=", "since must be"),
            ("since=2026-03-01T12:05:01Z", "future"),
            ("since=2026-01-01&since=2026-01-02", "twice"),
            (
                "since=2026-01-01&shortcode=x",
                "Unknown parameter `shortcode`",
            ),
            ("since=2026-01-01&format=csv", "Unknown parameter"),
            ("since=2026-01-01&limit=0", "limit"),
            ("since=2026-01-01&limit=5001", "limit"),
            ("since=2026-01-01&limit=+5", "limit"),
            ("since=2026-01-01&limit=1.5", "limit"),
            ("since=2026-01-01&limit=", "limit"),
            ("since=2026-01-01&eventType=SCAN", "eventType"),
            ("since=2026-01-01&clickSource=qr", "clickSource"),
            ("since=2026-01-01&includeBots=1", "includeBots"),
            ("since=2026-01-01&shortUrlId=1", "shortUrlId"),
            ("since=2026-01-01&shortCode=", "shortCode"),
            ("since=2026-01-01&shortCode=%00", "shortCode"),
        ] {
            let said = list(query).unwrap_err();
            assert!(said.contains(part), "{query}: {said}");
        }
        // 366 days exactly.
        assert!(list("from=2025-01-01&to=2026-01-01").is_ok());
    }

    #[test]
    fn the_export_takes_a_time_only() {
        let csv = export("from=2026-01-01&to=2026-03-31&format=csv&limit=x&cursor=y").unwrap();
        assert!(csv.is_csv && csv.snapshot.is_none());
        for (query, part) in [
            ("", "both"),
            ("since=2026-01-01", "since is not allowed"),
            (
                "from=2026-01-01&to=2026-01-02&since=2026-01-01",
                "not allowed",
            ),
            ("from=2026-01-01&to=2026-01-02&format=xml", "format"),
            ("from=2026-01-01&to=2026-01-02&format=", "format"),
            (
                "from=2026-01-01&to=2026-01-02&afterEventId=evt_1",
                "needs snapshot",
            ),
        ] {
            let said = export(query).unwrap_err();
            assert!(said.contains(part), "{query}: {said}");
        }
    }

    #[test]
    fn scopes_differ_when_anything_differs() {
        let scope = |no, query: &str| match list(query).unwrap() {
            List::Browse { window, filter, .. } => filter.scope(no, window),
            List::Sync { .. } => panic!("{query}"),
        };
        let base = "from=2026-01-01&to=2026-01-31";
        let other = |more: &str| scope(1, &format!("{base}{more}"));
        let mut scopes = vec![
            scope(1, base),
            scope(2, base),
            scope(1, "from=2026-01-02&to=2026-01-31"),
            other("&includeBots=true"),
            other("&clickSource=API"),
            other("&shortCode=a"),
            other("&shortUrlId=url_0192e000-0000-7000-8000-00000000000a"),
        ];
        assert_eq!(scope(1, base), other("&limit=7"));
        scopes.sort();
        scopes.dedup();
        assert_eq!(scopes.len(), 7);
    }
}
