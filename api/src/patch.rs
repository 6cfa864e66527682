//! Sparse changes: what a PATCH says about a member, and which members differ afterwards.
//!
//! The one rule: an absent member keeps its stored value. `null` clears members that can be null,
//! and means absent for all others.

use runtime::{
    http::{ApiError, Fields},
    members::{Member, Rule},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A PATCH's change to a member that can be null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// The member is absent and keeps its value.
    #[default]
    Absent,
    /// `null`: clears it.
    Null,
    /// Its new value.
    Given(T),
}

impl<T> Change<T> {
    /// Reads the change to a member.
    pub(crate) fn read<'a, R: Rule<Value<'a> = T>>(
        fields: &mut Fields<'a>,
        member: &Member<R>,
    ) -> Self {
        if fields.mentions(member.name()) {
            // `None` is `null`, or a broken rule that was recorded.
            member.read(fields).map_or(Self::Null, Self::Given)
        } else {
            Self::Absent
        }
    }

    /// The change with its value converted.
    pub(crate) fn map<U>(self, other: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Absent => Change::Absent,
            Self::Null => Change::Null,
            Self::Given(value) => Change::Given(other(value)),
        }
    }

    /// True when the member is absent.
    pub(crate) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Applies the change to the stored value.
    pub(crate) fn apply(self, stored: &mut Option<T>) {
        match self {
            Self::Absent => {}
            Self::Null => *stored = None,
            Self::Given(value) => *stored = Some(value),
        }
    }
}

/// Applies a change to a stored value that cannot be null.
pub(crate) fn apply<T>(given: Option<T>, stored: &mut T) {
    if let Some(value) = given {
        *stored = value;
    }
}

/// The members that differ, each as `{"from", "to"}`; empty when nothing changed.
pub(crate) fn differences<T: Serialize>(
    before: &T,
    after: &T,
) -> Result<Map<String, Value>, ApiError> {
    let [Value::Object(mut before), Value::Object(after)] = [to_value(before)?, to_value(after)?]
    else {
        return Err(ApiError::internal("a change of something without members"));
    };
    let changed = after.into_iter().filter_map(|(name, to)| {
        let from = before.remove(&name).unwrap_or_default();
        (from != to).then(|| (name, json!({ "from": from, "to": to })))
    });
    Ok(changed.collect())
}

fn to_value(value: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::members::Text;

    #[test]
    fn absent_keeps_null_clears_and_a_value_replaces() {
        let read = |body: Value| {
            let body = body.as_object().unwrap().clone();
            let mut fields = Fields::new(&body);
            Change::read(&mut fields, &Member::new("x", Text(9))).map(str::to_owned)
        };
        for (body, before, after) in [
            (json!({}), Some("a"), Some("a")),
            (json!({}), None, None),
            (json!({"x": null}), Some("a"), None),
            (json!({"x": "b"}), Some("a"), Some("b")),
            (json!({"x": "b"}), None, Some("b")),
        ] {
            let mut stored = before.map(str::to_owned);
            read(body.clone()).apply(&mut stored);
            assert_eq!(stored.as_deref(), after, "{body}");
        }
        assert!(read(json!({"y": 1})).is_absent());
        assert!(!read(json!({"x": null})).is_absent());
    }

    #[test]
    fn differences_name_only_the_changed_members() {
        let before = json!({"a": 1, "b": "x", "c": null});
        let after = json!({"a": 1, "b": "y", "c": {"d": []}});
        let expected = json!({
            "b": {"from": "x", "to": "y"},
            "c": {"from": null, "to": {"d": []}},
        });
        let differing = |a, b| Value::Object(differences(a, b).unwrap());
        assert_eq!(differing(&before, &after), expected);
        assert_eq!(differing(&before, &before), json!({}));
        assert!(differences(&1, &2).is_err());
    }
}
