//! The columns of an event type, from its JSON Schema.
//!
//! A column's name is the path of its member in the record, with `_` between the parts.

use serde_json::Value;

/// How the values of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text. Ids are text too: not every reader knows Parquet's UUID.
    Text,
    /// Bytes that are not text.
    Bytes,
    /// Any JSON, as text.
    Json,
    /// A moment, in microseconds since 1970 in UTC.
    Time,
    /// A whole number of 64 bits.
    Whole,
    /// A floating-point number.
    Number,
    /// True or false.
    Flag,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// How its values are stored.
    pub(super) form: Form,
    /// Where its value is in a record; empty if it is not in the payload.
    pub(super) path: Vec<String>,
}

impl Column {
    /// A column whose value is not in the payload.
    pub(super) fn of_log(name: &str, form: Form) -> Self {
        Self {
            name: name.to_owned(),
            form,
            path: Vec::new(),
        }
    }
}

/// The columns for records of a schema: a column a member, with the members of objects in place of
/// the object.
pub(super) fn of(schema: &Value) -> Vec<Column> {
    let mut columns = Vec::new();
    collect(schema, schema, &mut Vec::new(), &mut columns);
    columns
}

fn collect(root: &Value, schema: &Value, path: &mut Vec<String>, columns: &mut Vec<Column>) {
    let schema = resolve(root, schema);
    if let Some(members) = schema.get("properties").and_then(Value::as_object) {
        for (name, member) in members {
            path.push(name.clone());
            collect(root, member, path, columns);
            path.pop();
        }
    } else {
        columns.push(Column {
            name: path.join("_"),
            form: form(schema),
            path: path.clone(),
        });
    }
}

/// Follows references, and leaves out that a value may be null.
fn resolve<'a>(root: &'a Value, mut schema: &'a Value) -> &'a Value {
    loop {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|path| root.pointer(path.strip_prefix('#')?));
        let variants = schema.get("anyOf").and_then(Value::as_array);
        let only = variants.and_then(|variants| {
            let mut values = variants.iter().filter(|variant| !is_null(variant));
            values.next().filter(|_| values.next().is_none())
        });
        match target.or(only) {
            Some(next) => schema = next,
            None => return schema,
        }
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn form(schema: &Value) -> Form {
    if let Some(fixed) = schema.get("const") {
        return if fixed.is_u64() {
            Form::Whole
        } else {
            Form::Text
        };
    }
    if schema.get("format").and_then(Value::as_str) == Some("date-time") {
        return Form::Time;
    }
    match type_name(schema) {
        Some("string") => Form::Text,
        Some("integer") => Form::Whole,
        Some("number") => Form::Number,
        Some("boolean") => Form::Flag,
        _ if is_choice_of_texts(schema) => Form::Text,
        _ => Form::Json,
    }
}

/// The only type of the values, null aside.
fn type_name(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            let mut names = names.filter(|name| *name != "null");
            names.next().filter(|_| names.next().is_none())
        }
        _ => None,
    }
}

/// An enumeration of which each value has its own description.
fn is_choice_of_texts(schema: &Value) -> bool {
    let variants = schema.get("oneOf").and_then(Value::as_array);
    variants.is_some_and(|variants| {
        let mut variants = variants.iter();
        variants.all(|variant| type_name(variant) == Some("string"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::{Kind, events::json_schema};
    use std::collections::BTreeSet;

    #[test]
    fn every_type_has_the_envelope_and_no_two_columns_of_one_name() {
        for kind in Kind::ALL {
            let columns = of(&json_schema::of_event(kind));
            let names: BTreeSet<&str> = columns.iter().map(|column| &*column.name).collect();
            assert_eq!(names.len(), columns.len(), "{}", kind.name());
            for (name, form) in [
                ("event_id", Form::Text),
                ("type", Form::Text),
                ("version", Form::Whole),
                ("occurred_at", Form::Time),
                ("received_at", Form::Time),
                ("workspace_id", Form::Text),
                ("workspace_no", Form::Whole),
                ("visitor_agent_device", Form::Text),
            ] {
                let found = columns.iter().find(|column| column.name == name);
                assert_eq!(found.map(|found| found.form), Some(form), "{name}");
            }
        }
    }

    #[test]
    fn objects_become_columns_and_free_maps_become_json() {
        let form = |kind, name: &str| {
            let columns = of(&json_schema::of_event(kind));
            let found = columns.into_iter().find(|column| column.name == name);
            found.map(|column| column.form)
        };
        assert_eq!(
            form(Kind::SessionStarted, "body_utm_source"),
            Some(Form::Text)
        );
        assert_eq!(
            form(Kind::SessionStarted, "body_source_class"),
            Some(Form::Text)
        );
        assert_eq!(form(Kind::SessionStarted, "body_utm"), None);
        assert_eq!(
            form(Kind::CustomTracked, "body_properties"),
            Some(Form::Json)
        );
        assert_eq!(
            form(Kind::PageLeft, "body_duration_seconds"),
            Some(Form::Number)
        );
        assert_eq!(form(Kind::BeaconRefused, "body_minute"), Some(Form::Time));
        assert_eq!(form(Kind::BeaconRefused, "body_count"), Some(Form::Whole));
    }
}
