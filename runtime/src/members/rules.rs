//! Rules that many members share.

use super::Rule;
use crate::{
    http::Fields,
    openapi::{Schema, boolean, number, text, uuid, whole, word_of},
};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// A text of at most this many Unicode scalar values. A required text must not be empty.
#[derive(Clone, Copy, Debug)]
pub struct Text(pub usize);

impl Rule for Text {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        fields.string(name, self.0)
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(self.0)
    }
}

/// One of these texts.
#[derive(Clone, Copy, Debug)]
pub struct OneOf(pub &'static [&'static str]);

impl Rule for OneOf {
    type Value<'a> = &'a str;

    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<&'a str> {
        let given = fields.get(name)?.as_str();
        let known = given.filter(|given| self.0.contains(given));
        if known.is_none() {
            fields.problem(format!("{name} must be one of {}", self.0.join(", ")));
        }
        known
    }

    fn schema(&self) -> Schema {
        word_of(self.0)
    }
}

/// A UUID in its hyphenated form.
#[derive(Clone, Copy, Debug)]
pub struct Id;

impl Rule for Id {
    type Value<'a> = Uuid;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Uuid> {
        fields.uuid(name)
    }

    fn schema(&self) -> Schema {
        uuid()
    }
}

/// True or false, with an optional default.
#[derive(Clone, Copy, Debug)]
pub struct Flag(pub Option<bool>);

impl Rule for Flag {
    type Value<'a> = bool;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<bool> {
        fields.boolean(name).or(self.0)
    }

    fn schema(&self) -> Schema {
        match self.0 {
            Some(value) => boolean().default(value),
            None => boolean(),
        }
    }
}

/// A whole number in a range.
#[derive(Clone, Debug)]
pub struct Whole(pub RangeInclusive<i64>);

impl Rule for Whole {
    type Value<'a> = i64;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<i64> {
        fields.integer(name, self.0.clone())
    }

    fn schema(&self) -> Schema {
        whole(self.0.clone())
    }
}

/// A number in a range.
#[derive(Clone, Debug)]
pub struct Number(pub RangeInclusive<f64>);

impl Rule for Number {
    type Value<'a> = f64;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<f64> {
        fields.number(name, self.0.clone())
    }

    fn schema(&self) -> Schema {
        number(self.0.clone())
    }
}
