//! One comparison: reads its value, and asks a fact.
//!
//! A negated operator is read as its positive form; the condition turns the answer around.

use super::{
    Field, MAX_VALUE_BYTES, MAX_VALUES, Operator, field::Kind, language::Tag, version::Version,
    window::Window,
};
use crate::countries;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};
use serde_json::Value;
use std::{
    borrow::Cow,
    ops::{Bound, RangeBounds},
};

/// Most memory of a pattern, in bytes: enough for some classes of Unicode letters.
const MAX_PATTERN_MEMORY: usize = 256 * 1_024;

/// Groups of a pattern that may be nested.
const MAX_PATTERN_DEPTH: u32 = 32;

type Range<T> = (Bound<T>, Bound<T>);

/// A comparison whose value was read. Texts are in lower case.
#[derive(Clone, Debug)]
pub(super) enum Check {
    Exists(bool),
    OneOf(Box<[Box<str>]>),
    Contains(Box<str>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    Matches(Box<Regex>),
    Languages(Box<[Tag]>),
    Versions(Box<[Range<Version>]>),
    Numbers(Box<[Range<f64>]>),
    Window(Box<Window>),
    Instants(Box<[Range<Timestamp>]>),
}

/// The operators that suit a kind of values.
pub(super) const fn operators(kind: Kind) -> &'static [Operator] {
    use Operator::{
        Between, Contains, EndsWith, Equals, Exists, Gt, Gte, In, Lt, Lte, Matches, NotContains,
        NotEquals, NotIn, StartsWith,
    };
    match kind {
        Kind::Text => &[
            Equals,
            NotEquals,
            In,
            NotIn,
            Contains,
            NotContains,
            StartsWith,
            EndsWith,
            Gt,
            Gte,
            Lt,
            Lte,
            Between,
            Matches,
            Exists,
        ],
        Kind::Country | Kind::OneOf(_) | Kind::Language => &[Equals, NotEquals, In, NotIn, Exists],
        Kind::Number(..) | Kind::Version => &[
            Equals, NotEquals, In, NotIn, Gt, Gte, Lt, Lte, Between, Exists,
        ],
        Kind::Window => &[Between, In, NotIn],
        Kind::Instant => &[Gt, Gte, Lt, Lte, Between],
        Kind::Share => &[Lt, Gte, Between],
    }
}

/// Reads the value of a condition.
pub(super) fn read(kind: Kind, operator: Operator, value: &Value) -> Result<Check, String> {
    if operator == Operator::Exists {
        return match value {
            Value::Null => Ok(Check::Exists(true)),
            Value::Bool(expected) => Ok(Check::Exists(*expected)),
            _ => Err("give true or false".to_owned()),
        };
    }
    match kind {
        Kind::Text => read_text(operator, value),
        Kind::Country => list(operator, value, |value| country(text(value)?)).map(Check::OneOf),
        Kind::OneOf(names) => list(operator, value, |value| {
            let given = text(value)?;
            let found = names.iter().find(|name| name.eq_ignore_ascii_case(given));
            let unknown = || format!("unknown value `{given}`; it is one of {}", names.join(", "));
            Ok(found.ok_or_else(unknown)?.to_lowercase().into())
        })
        .map(Check::OneOf),
        Kind::Language => list(operator, value, |value| {
            let given = text(value)?;
            Tag::of_rule(given).ok_or_else(|| {
                format!("`{given}` is not a language; write it as `de`, `en-GB` or `zh-Hant`")
            })
        })
        .map(Check::Languages),
        Kind::Version => ranges(operator, value, true, version).map(Check::Versions),
        Kind::Number(lowest, highest) => ranges(operator, value, true, |value| {
            let number = value
                .as_f64()
                .filter(|number| (lowest..=highest).contains(number));
            number.ok_or_else(|| format!("give a number from {lowest} to {highest}"))
        })
        .map(Check::Numbers),
        Kind::Window => Window::read(value).map(|window| Check::Window(Box::new(window))),
        Kind::Instant => ranges(operator, value, false, instant).map(Check::Instants),
        // Bands that share a limit must not share visitors.
        Kind::Share => ranges(operator, value, false, |value| {
            let number = value.as_f64().filter(|share| (0.0..=100.0).contains(share));
            number.ok_or_else(|| "give a number from 0 to 100".to_owned())
        })
        .map(Check::Numbers),
    }
}

fn read_text(operator: Operator, value: &Value) -> Result<Check, String> {
    let one = || text(value).map(folded);
    Ok(match operator {
        Operator::Contains | Operator::NotContains => Check::Contains(one()?),
        Operator::StartsWith => Check::StartsWith(one()?),
        Operator::EndsWith => Check::EndsWith(one()?),
        Operator::Matches => Check::Matches(Box::new(pattern(text(value)?)?)),
        Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte | Operator::Between => {
            let number = |value: &Value| value.as_f64().ok_or_else(|| "give a number".to_owned());
            Check::Numbers(ranges(operator, value, true, number)?)
        }
        _ => Check::OneOf(list(operator, value, |value| text(value).map(folded))?),
    })
}

/// A list for `in`, a single value otherwise.
fn list<T>(
    operator: Operator,
    value: &Value,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Box<[T]>, String> {
    if !matches!(operator, Operator::In | Operator::NotIn) {
        return Ok([read(value)?].into());
    }
    let values = value.as_array().ok_or("give a list of values")?;
    if !(1..=MAX_VALUES).contains(&values.len()) {
        return Err(format!("give 1 to {MAX_VALUES} values"));
    }
    values.iter().map(read).collect()
}

/// The ranges that a comparison of ordered values means. `is_closed` says whether the upper value of
/// `between` belongs to it.
fn ranges<T: PartialOrd + Copy>(
    operator: Operator,
    value: &Value,
    is_closed: bool,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Box<[Range<T>]>, String> {
    use Bound::{Excluded, Included, Unbounded};
    let one = |range: Range<T>| Ok([range].into());
    match operator {
        Operator::Gt => one((Excluded(read(value)?), Unbounded)),
        Operator::Gte => one((Included(read(value)?), Unbounded)),
        Operator::Lt => one((Unbounded, Excluded(read(value)?))),
        Operator::Lte => one((Unbounded, Included(read(value)?))),
        Operator::Between => {
            let Some([from, to]) = value.as_array().map(Vec::as_slice) else {
                return Err("give a list of two values".to_owned());
            };
            let (from, to) = (read(from)?, read(to)?);
            if from > to || (!is_closed && from == to) {
                return Err("the first value must be below the second".to_owned());
            }
            let end = if is_closed {
                Included(to)
            } else {
                Excluded(to)
            };
            one((Included(from), end))
        }
        _ => {
            let equal = |value: &Value| {
                let value = read(value)?;
                Ok((Included(value), Included(value)))
            };
            list(operator, value, equal)
        }
    }
}

fn text(value: &Value) -> Result<&str, String> {
    let text = value.as_str().ok_or("give a text")?;
    if text.is_empty() || text.len() > MAX_VALUE_BYTES {
        return Err(format!("give a text of 1 to {MAX_VALUE_BYTES} bytes"));
    }
    Ok(text)
}

fn country(given: &str) -> Result<Box<str>, String> {
    if let Some((code, _)) = countries::find(given) {
        return Ok(code.to_ascii_lowercase().into());
    }
    // Codes that are in wide use, but of another list.
    let meant = match given.to_ascii_uppercase().as_str() {
        "UK" | "ENGLAND" | "GREAT BRITAIN" => Some("GB"),
        "EL" => Some("GR"),
        "USA" => Some("US"),
        _ => None,
    };
    let hint = meant.map_or_else(
        || "write it as two letters of ISO 3166-1, such as `DE`".to_owned(),
        |meant| format!("write `{meant}`"),
    );
    Err(format!("`{given}` is not a country code; {hint}"))
}

fn version(value: &Value) -> Result<Version, String> {
    // A number 17.10 would be read as 17.1.
    let whole = value.as_u64().map(|number| number.to_string());
    let given = whole.as_deref().or_else(|| value.as_str());
    let is_version = |given: &&str| {
        let is_allowed = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        given.bytes().all(is_allowed)
    };
    let read = given.filter(is_version).and_then(Version::read);
    read.ok_or_else(|| "give a version as text, such as \"17.4\"".to_owned())
}

fn instant(value: &Value) -> Result<Timestamp, String> {
    let read = value.as_str().and_then(|text| text.parse().ok());
    read.ok_or_else(|| "give an instant, such as \"2026-12-24T18:00:00+01:00\"".to_owned())
}

fn pattern(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(MAX_PATTERN_MEMORY)
        .dfa_size_limit(MAX_PATTERN_MEMORY)
        .nest_limit(MAX_PATTERN_DEPTH)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        _ => "this is not a regular expression; look-around and back-references do not exist here"
            .to_owned(),
    })
}

fn folded(text: &str) -> Box<str> {
    fold(text).into()
}

/// The form in which texts are compared.
fn fold(text: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_folded) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

fn includes<T: PartialOrd>(ranges: &[Range<T>], value: &T) -> bool {
    ranges.iter().any(|range| range.contains(value))
}

impl Check {
    /// Asks a text. `None` when it has no value of the kind that is compared.
    pub(super) fn is_met_by(&self, field: &Field, fact: &str) -> Option<bool> {
        Some(match self {
            Self::OneOf(values) => {
                let fact = fold(fact);
                let mut names = [Some(&*fact), family(field, &fact)].into_iter().flatten();
                names.any(|name| values.iter().any(|value| **value == *name))
            }
            Self::Contains(part) => fold(fact).contains(&**part),
            Self::StartsWith(start) => fold(fact).starts_with(&**start),
            Self::EndsWith(end) => fold(fact).ends_with(&**end),
            Self::Matches(pattern) => pattern.is_match(fact),
            Self::Languages(tags) => {
                let client = Tag::preferred(fact)?;
                tags.iter().any(|tag| tag.includes(&client))
            }
            Self::Versions(ranges) => includes(ranges, &Version::read(fact)?),
            Self::Numbers(ranges) => {
                let number: f64 = fact.trim().parse().ok()?;
                number.is_finite().then(|| includes(ranges, &number))?
            }
            Self::Exists(_) | Self::Window(_) | Self::Instants(_) => return None,
        })
    }

    pub(super) fn is_met_by_number(&self, number: f64) -> bool {
        matches!(self, Self::Numbers(ranges) if includes(ranges, &number))
    }

    pub(super) fn is_met_at(&self, now: Timestamp) -> bool {
        match self {
            Self::Window(window) => window.contains(now),
            Self::Instants(ranges) => includes(ranges, &now),
            _ => false,
        }
    }
}

/// The name that people use for a variant of a browser or system, such as `chrome` for
/// `chrome mobile ios`. A rule may name either.
fn family(field: &Field, folded: &str) -> Option<&'static str> {
    let has = |word: &str| folded.contains(word);
    match field {
        Field::Os if folded == "mac os x" => Some("macos"),
        Field::Browser if has("mobile safari") => Some("safari"),
        Field::Browser if folded.starts_with("chrome mobile") => Some("chrome"),
        Field::Browser if folded.starts_with("firefox ") => Some("firefox"),
        Field::Browser if folded.starts_with("edge ") => Some("edge"),
        Field::Browser if folded.starts_with("opera ") => Some("opera"),
        _ => None,
    }
}
