//! Texts and bytes as PostgreSQL can hold them.

use schemas::{UserHash, VisitorHash};
use serde::Serializer;

/// The text without U+0000, which `text` and `jsonb` refuse: one such record would otherwise stop
/// its partition for ever.
#[must_use]
pub fn storable(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{fffd}")
    } else {
        text.to_owned()
    }
}

/// JSON that `jsonb` accepts, see [`storable`].
#[must_use]
pub fn storable_json(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(items) => Value::Array(items.iter().map(storable_json).collect()),
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(key, value)| (storable(key), storable_json(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The sixteen bytes of a hash.
pub trait Hash: Copy {
    /// The bytes.
    fn bytes(self) -> [u8; 16];
}

impl Hash for UserHash {
    fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl Hash for VisitorHash {
    fn bytes(self) -> [u8; 16] {
        self.0
    }
}

/// A hash as the text of a `bytea`.
pub fn bytea<H: Hash, S: Serializer>(hash: &Option<H>, serializer: S) -> Result<S::Ok, S::Error> {
    match hash {
        Some(hash) => {
            let number = u128::from_be_bytes(hash.bytes());
            serializer.collect_str(&format_args!("\\x{number:032x}"))
        }
        None => serializer.serialize_none(),
    }
}
