//! Short builders for JSON Schemas.

use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

/// A schema under construction.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Map<String, Value>);

impl Schema {
    fn of_type(kind: &str) -> Self {
        Self(Map::new()).with("type", kind)
    }

    /// The same schema with one more keyword of JSON Schema.
    #[must_use]
    pub fn with(mut self, word: &str, value: impl Into<Value>) -> Self {
        self.0.insert(word.to_owned(), value.into());
        self
    }

    /// The same schema with a description.
    #[must_use]
    pub fn about(self, text: impl Into<String>) -> Self {
        self.with("description", text.into())
    }

    /// The same schema with an example.
    #[must_use]
    pub fn example(self, value: impl Into<Value>) -> Self {
        self.with("examples", vec![value.into()])
    }

    /// The same schema with a default.
    #[must_use]
    pub fn default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// The same schema, or `null`.
    #[must_use]
    pub fn or_null(mut self) -> Self {
        if self.0.contains_key("$ref") {
            return one_of([self, Self::of_type("null")]);
        }
        if let Some(kind) = self.0.get_mut("type") {
            *kind = json!([kind.take(), "null"]);
        }
        if let Some(values) = self.0.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        self
    }
}

impl From<Schema> for Value {
    fn from(schema: Schema) -> Self {
        Self::Object(schema.0)
    }
}

impl From<schemars::Schema> for Schema {
    fn from(schema: schemars::Schema) -> Self {
        match schema.to_value() {
            Value::Object(words) => Self(words),
            // `true`: anything.
            _ => Self(Map::new()),
        }
    }
}

/// A text of at most `max_chars` characters.
#[must_use]
pub fn text(max_chars: usize) -> Schema {
    let schema = Schema::of_type("string");
    // Here only the body's own limit applies. It would not help the reader.
    if max_chars == usize::MAX {
        schema
    } else {
        schema.with("maxLength", max_chars)
    }
}

/// One of these texts.
#[must_use]
pub fn word_of(words: &[&str]) -> Schema {
    Schema::of_type("string").with("enum", words)
}

/// A UUID in its hyphenated form.
#[must_use]
pub fn uuid() -> Schema {
    Schema::of_type("string").with("format", "uuid")
}

/// An instant, RFC 3339 in UTC.
#[must_use]
pub fn instant() -> Schema {
    Schema::of_type("string").with("format", "date-time")
}

/// A whole number in a range. An upper bound that is the type's own is not shown.
#[must_use]
pub fn whole(range: RangeInclusive<i64>) -> Schema {
    let schema = Schema::of_type("integer").with("minimum", *range.start());
    if *range.end() == i64::MAX {
        schema
    } else {
        schema.with("maximum", *range.end())
    }
}

/// A number in a range, which may be unbounded.
#[must_use]
pub fn number(range: RangeInclusive<f64>) -> Schema {
    let schema = Schema::of_type("number");
    let bound = |schema: Schema, word: &str, bound: f64| {
        if bound.is_finite() {
            schema.with(word, bound)
        } else {
            schema
        }
    };
    let schema = bound(schema, "minimum", *range.start());
    bound(schema, "maximum", *range.end())
}

/// True or false.
#[must_use]
pub fn boolean() -> Schema {
    Schema::of_type("boolean")
}

/// Exactly that value.
#[must_use]
pub fn constant(value: impl Into<Value>) -> Schema {
    anything().with("const", value)
}

/// Any value.
#[must_use]
pub fn anything() -> Schema {
    Schema(Map::new())
}

/// Any object.
#[must_use]
pub fn any_object() -> Schema {
    Schema::of_type("object")
}

/// An array of items with this schema.
#[must_use]
pub fn list(items: Schema) -> Schema {
    Schema::of_type("array").with("items", items)
}

/// Exactly one of these.
#[must_use]
pub fn one_of(schemas: impl IntoIterator<Item = Schema>) -> Schema {
    let schemas: Vec<Value> = schemas.into_iter().map(Value::from).collect();
    anything().with("oneOf", schemas)
}

/// At least one of these: for objects that differ only in optional members.
#[must_use]
pub fn any_of(schemas: impl IntoIterator<Item = Schema>) -> Schema {
    let schemas: Vec<Value> = schemas.into_iter().map(Value::from).collect();
    anything().with("anyOf", schemas)
}

/// A reference to the schema of that name in the document's components.
#[must_use]
pub fn reference(name: &str) -> Schema {
    anything().with("$ref", format!("#/components/schemas/{name}"))
}

/// A member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    name: String,
    schema: Schema,
    required: bool,
}

impl Member {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A member that is always present.
#[must_use]
pub fn required(name: impl Into<String>, schema: Schema) -> Member {
    Member {
        name: name.into(),
        schema,
        required: true,
    }
}

/// A member that may be absent.
#[must_use]
pub fn optional(name: impl Into<String>, schema: Schema) -> Member {
    Member {
        required: false,
        ..required(name, schema)
    }
}

/// A member that may be absent or `null`.
#[must_use]
pub fn nullable(name: impl Into<String>, schema: Schema) -> Member {
    optional(name, schema.or_null())
}

/// An object with these members; others are allowed.
#[must_use]
pub fn object(members: impl IntoIterator<Item = Member>) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for member in members {
        if member.required {
            required.push(Value::from(member.name.clone()));
        }
        properties.insert(member.name, member.schema.into());
    }
    let schema = any_object().with("properties", properties);
    if required.is_empty() {
        schema
    } else {
        schema.with("required", required)
    }
}
