//! Members of JSON bodies, each declared once: name, rule, description and example.
//!
//! Validation and the document read the same [`Member`], so each bound in the document is enforced.
//! A body is a type that lists its members ([`Body`]).

mod rules;

#[cfg(test)]
mod tests;

pub use rules::{Flag, Id, Number, OneOf, Text, Whole};

use crate::{
    http::{ApiError, Fields},
    openapi::{self, Schema, nullable, object},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt::Debug};

/// The values that a member accepts.
pub trait Rule: Debug + Sync {
    /// The type of a value.
    type Value<'a>;

    /// Reads a member. `None` when it is absent or `null`, or breaks the rule, which is recorded.
    fn read<'a>(&self, fields: &mut Fields<'a>, name: &str) -> Option<Self::Value<'a>>;

    /// Whether a required member refuses the empty text.
    fn is_text(&self) -> bool {
        false
    }

    /// The rule as a schema.
    fn schema(&self) -> Schema;

    /// The member's description, with rules that a schema cannot express.
    fn describe(&self, about: &'static str) -> Cow<'static, str> {
        about.into()
    }
}

/// One member of a body.
#[derive(Clone, Copy, Debug)]
pub struct Member<R> {
    name: &'static str,
    rule: R,
    about: &'static str,
    example: Option<fn() -> Value>,
    required: bool,
}

impl<R> Member<R> {
    /// A member that may be absent or `null`.
    #[must_use]
    pub const fn new(name: &'static str, rule: R) -> Self {
        Self {
            name,
            rule,
            about: "",
            example: None,
            required: false,
        }
    }

    /// The same member, required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same member with a description.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The same member with an example.
    #[must_use]
    pub const fn example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<R: Rule> Member<R> {
    /// Reads it from an object. Broken rules are recorded in `fields`; the result is then of no
    /// use.
    pub fn read<'a>(&self, fields: &mut Fields<'a>) -> Option<R::Value<'a>> {
        if self.required {
            let given = fields.get(self.name);
            // An empty text is as useless as an absent one, but gets its own message.
            let empty = given.is_some_and(|given| given == "") && self.rule.is_text();
            if empty || given.is_none() {
                let what = if empty {
                    "must not be empty"
                } else {
                    "is required"
                };
                fields.problem(format!("{} {what}", self.name));
                return None;
            }
        }
        self.rule.read(fields, self.name)
    }
}

/// A member of any rule, for lists of members.
pub trait Declared: Debug + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The member as the document shows it.
    fn member(&self) -> openapi::Member;

    /// Its example, unless it has none.
    fn example(&self) -> Option<Value>;
}

impl<R: Rule> Declared for Member<R> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn member(&self) -> openapi::Member {
        let mut schema = self.rule.schema();
        let about = self.rule.describe(self.about);
        if !about.is_empty() {
            schema = schema.about(about);
        }
        if let Some(example) = self.example {
            schema = schema.example(example());
        }
        if self.required {
            openapi::required(self.name, schema)
        } else {
            nullable(self.name, schema)
        }
    }

    fn example(&self) -> Option<Value> {
        self.example.map(|example| example())
    }
}

/// The body of a request, as a type.
pub trait Body: Sized {
    /// Its members, all of which [`read`](Self::read) reads.
    const MEMBERS: &'static [&'static dyn Declared];

    /// Reads the members. Broken rules are recorded in `fields`.
    fn read(fields: &mut Fields<'_>) -> Self;
}

/// Reads a body.
///
/// # Errors
/// 400 with every broken rule.
pub fn read<B: Body>(object: &Map<String, Value>) -> Result<B, ApiError> {
    let mut fields = Fields::new(object);
    let body = B::read(&mut fields);
    fields.finish()?;
    Ok(body)
}

/// The schema of a body with these members.
#[must_use]
pub fn schema(members: &[&dyn Declared]) -> Schema {
    object(members.iter().map(|member| member.member()))
}

/// A body with the examples of these members.
#[must_use]
pub fn example(members: &[&dyn Declared]) -> Value {
    let named = members.iter().filter_map(|member| {
        let example = member.example()?;
        Some((member.name().to_owned(), example))
    });
    named.collect::<Map<String, Value>>().into()
}
