//! JSON objects whose members keep their published order.

use crate::number::Number;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// An object under construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object(Vec<(&'static str, Node)>);

/// The value of a member.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Object(Object),
    List(Vec<Object>),
    /// An object that another part of the program wrote.
    Given(Value),
}

impl Object {
    /// Adds a member.
    pub(crate) fn add(&mut self, name: &'static str, node: Node) {
        self.0.push((name, node));
    }

    /// The members, to add them to another object.
    pub(crate) fn into_members(self) -> Vec<(&'static str, Node)> {
        self.0
    }

    /// The members, in their order.
    pub(crate) fn members(&self) -> &[(&'static str, Node)] {
        &self.0
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, node) in &self.0 {
            match node {
                Node::Null => map.serialize_entry(name, &())?,
                Node::Bool(bool) => map.serialize_entry(name, bool)?,
                Node::Number(number) => map.serialize_entry(name, number)?,
                Node::Text(text) => map.serialize_entry(name, text)?,
                Node::Object(object) => map.serialize_entry(name, object)?,
                Node::List(items) => map.serialize_entry(name, items)?,
                Node::Given(value) => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}
