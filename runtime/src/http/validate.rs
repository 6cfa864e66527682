//! Reads a JSON object field by field and records every broken rule, not only the first.
//!
//! `null` is the same as absent, unknown members are ignored, lengths count Unicode scalar values.

use super::ApiError;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use uuid::Uuid;

/// Reads one object.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    /// A reader of that object.
    #[must_use]
    pub const fn new(object: &'a Map<String, Value>) -> Self {
        Self {
            object,
            problems: Vec::new(),
        }
    }

    /// A member, unless it is absent or `null`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// True when the member is present, even as `null`. For PATCH, where `null` clears.
    #[must_use]
    pub fn mentions(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Records a broken rule.
    pub fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// A text of at most `max_chars` characters.
    pub fn string(&mut self, name: &str, max_chars: usize) -> Option<&'a str> {
        let Some(text) = self.get(name)?.as_str() else {
            self.problem(format!("{name} must be a string"));
            return None;
        };
        // Every character has at least one byte, so most texts need no counting.
        if text.len() > max_chars && text.chars().count() > max_chars {
            self.problem(format!("{name} must have at most {max_chars} characters"));
            return None;
        }
        if text.contains('\0') {
            // PostgreSQL's text cannot store it.
            self.problem(format!("{name} must not contain the character U+0000"));
            return None;
        }
        Some(text)
    }

    /// A required text of 1 to `max_chars` characters.
    pub fn required_string(&mut self, name: &str, max_chars: usize) -> Option<&'a str> {
        if self.get(name).is_none() {
            self.problem(format!("{name} is required"));
            return None;
        }
        let text = self.string(name, max_chars)?;
        if text.is_empty() {
            self.problem(format!("{name} must not be empty"));
            return None;
        }
        Some(text)
    }

    /// A UUID.
    pub fn uuid(&mut self, name: &str) -> Option<Uuid> {
        let value = self.get(name)?;
        let uuid = value.as_str().and_then(parse_uuid);
        if uuid.is_none() {
            self.problem(format!("{name} must be a UUID"));
        }
        uuid
    }

    /// A required UUID.
    pub fn required_uuid(&mut self, name: &str) -> Option<Uuid> {
        if self.get(name).is_none() {
            self.problem(format!("{name} is required"));
        }
        self.uuid(name)
    }

    /// A whole number in a range.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.get(name)?;
        // JSON does not distinguish 3.0 from 3.
        let whole = value.as_i64().or_else(|| {
            let number = value.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and small, checked beside it"
            )]
            (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
        });
        let inside = whole.filter(|whole| range.contains(whole));
        if inside.is_none() {
            self.problem(format!(
                "{name} must be a whole number from {} to {}",
                range.start(),
                range.end()
            ));
        }
        inside
    }

    /// A number in a range.
    pub fn number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let inside = self
            .get(name)?
            .as_f64()
            .filter(|number| range.contains(number));
        if inside.is_none() {
            self.problem(format!(
                "{name} must be a number from {} to {}",
                range.start(),
                range.end()
            ));
        }
        inside
    }

    /// A required number in a range.
    pub fn required_number(&mut self, name: &str, range: RangeInclusive<f64>) -> Option<f64> {
        if self.get(name).is_none() {
            self.problem(format!("{name} is required"));
        }
        self.number(name, range)
    }

    /// True or false.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let boolean = self.get(name)?.as_bool();
        if boolean.is_none() {
            self.problem(format!("{name} must be true or false"));
        }
        boolean
    }

    /// An object.
    pub fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        let object = self.get(name)?.as_object();
        if object.is_none() {
            self.problem(format!("{name} must be an object"));
        }
        object
    }

    /// The recorded problems, one line each.
    #[must_use]
    pub fn into_problems(self) -> Vec<String> {
        self.problems
    }

    /// Ends reading.
    ///
    /// # Errors
    /// 400 with every broken rule.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(self.problems))
        }
    }
}

/// A UUID in its hyphenated form only. The crate also parses other forms, which no client sends.
#[must_use]
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::parse_str(text).ok())
        .flatten()
}
