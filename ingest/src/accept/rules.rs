//! The rules of members that describe a beacon: an invalid value is cut, rounded, clamped or
//! dropped.

use runtime::{
    http::Fields,
    members::Rule,
    openapi::{Schema, any_object, number, text},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, ops::RangeInclusive};

/// Unlimited, because the body has a limit.
pub(crate) const UNLIMITED: usize = usize::MAX;
const ANY_NUMBER: RangeInclusive<f64> = f64::NEG_INFINITY..=f64::INFINITY;

/// A text that counts or identifies, of 1 to this many characters. Anything else is reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotEmpty(pub(super) usize);

impl Rule for NotEmpty {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let text = fields.string(name, self.0)?;
        if text.is_empty() {
            fields.problem(format!("{name} must not be empty"));
            return None;
        }
        Some(text)
    }

    fn schema(&self) -> Schema {
        text(self.0).with("minLength", 1)
    }
}

/// A text, cut at this many characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut(pub(super) usize);

impl Rule for Cut {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let text = fields.get(name)?.as_str()?;
        // PostgreSQL's text type cannot hold U+0000. The lenient reader (`json`) has removed it
        // already.
        if text.contains('\0') {
            return None;
        }
        // A text has at least as many bytes as characters, so a short one needs no counting.
        if text.len() <= self.0 {
            return Some(text);
        }
        let end = text.char_indices().nth(self.0).map(|(at, _)| at);
        end.map_or(Some(text), |end| text.get(..end))
    }

    fn schema(&self) -> Schema {
        text(UNLIMITED)
    }

    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        match self.0 {
            UNLIMITED => about.into(),
            max => format!("{about} Cut at {max} characters.").into(),
        }
    }
}

/// A number, clamped to a range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clamped {
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Rule for Clamped {
    type Value<'a> = f64;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<f64> {
        let number = fields.get(name)?.as_f64()?;
        Some(number.clamp(self.min, self.max))
    }

    fn schema(&self) -> Schema {
        number(ANY_NUMBER)
    }

    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        format!("{about} Clamped to {} to {}.", self.min, self.max).into()
    }
}

/// Milliseconds, rounded and clamped. Clients subtract clock readings, which have fractions and may
/// go backwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Milliseconds {
    pub(super) max: i64,
}

impl Rule for Milliseconds {
    type Value<'a> = i64;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<i64> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast saturates, and the range is small"
        )]
        let whole = round(fields.get(name)?.as_f64()?) as i64;
        Some(whole.clamp(0, self.max))
    }

    fn schema(&self) -> Schema {
        number(ANY_NUMBER)
    }

    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        format!("{about} Rounded, and clamped to 0 to {}.", self.max).into()
    }
}

/// A side of a screen, rounded, because zoomed and scaled screens have fractions. Dropped above the
/// maximum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(super) max: f64,
}

impl Rule for Side {
    type Value<'a> = u32;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<u32> {
        let side = round(fields.get(name)?.as_f64()?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within a small range"
        )]
        (0.0..=self.max).contains(&side).then_some(side as u32)
    }

    fn schema(&self) -> Schema {
        number(ANY_NUMBER)
    }

    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        format!("{about} Rounded, and dropped above {}.", self.max).into()
    }
}

/// An object with any members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnyObject;

impl Rule for AnyObject {
    type Value<'a> = &'a Map<String, Value>;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a Map<String, Value>> {
        fields.get(name)?.as_object()
    }

    fn schema(&self) -> Schema {
        any_object()
    }
}

/// Rounds half up, as `Math.round` does.
fn round(number: f64) -> f64 {
    (number + 0.5).floor()
}
