//! Describes an error in a JSON text by member and rule.
//!
//! The one rule: never show a value. serde's own messages quote values, which may be personal, and
//! our type names.

use serde_json::error::Category;

/// Longest member name in a message. A longer or unusual name is untrusted text and is omitted.
const MAX_NAME_BYTES: usize = 64;

/// The rule that a JSON text breaks, from serde's error. `within` is the text's position in a
/// larger one (`body`), or empty.
#[must_use]
pub fn describe(text: &[u8], within: &str, error: &serde_json::Error) -> String {
    let said = error.to_string();
    // serde appends the position, which is added below in another form.
    let said = said.split(" at line ").next().unwrap_or_default();
    if error.classify() != Category::Data {
        // These are fixed texts about the grammar.
        return match error.line() {
            0 | 1 => format!("{said} at character {}", error.column()),
            line => format!("{said} at character {} of line {line}", error.column()),
        };
    }
    let path = Path::at(text, offset(text, error));
    let member = path.joined(within);
    let quoted = |what: &str| {
        let (name, _) = said.strip_prefix(what)?.split_once('`')?;
        Some(name).filter(|name| is_plain(name))
    };
    if let Some(missing) = quoted("missing field `") {
        return format!("{} is required", join(&member, missing));
    }
    if let Some(twice) = quoted("duplicate field `") {
        // serde stopped inside the object, at this member or the previous one.
        return format!(
            "{} is given twice",
            join(&path.parent().joined(within), twice)
        );
    }
    let member = if member.is_empty() {
        "it"
    } else {
        member.as_str()
    };
    format!("{member} {}", rule(said))
}

/// The rule in one of serde's messages.
fn rule(said: &str) -> &'static str {
    if said.starts_with("unknown variant") {
        return "has a value that this build does not know";
    }
    let expected = said.rsplit_once("expected ").map(|(_, expected)| expected);
    match expected {
        // The message of the `uuid` crate for a string that is not a UUID.
        _ if said.starts_with("UUID") => "must be a UUID",
        Some(expected) if expected.contains("UUID") => "must be a UUID",
        Some("a string" | "string" | "a borrowed string" | "str") => "must be a string",
        Some("a boolean") => "must be true or false",
        Some("f64" | "f32") => "must be a number",
        Some("u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64") => {
            "must be a whole number in its range"
        }
        Some("a map" | "map") => "must be an object",
        Some(expected) if expected.starts_with("struct") => "must be an object",
        Some("a sequence" | "sequence") => "must be an array",
        _ => "has an invalid value",
    }
}

/// The offset at which serde stopped in the text.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let before = text.split_inclusive(|byte| *byte == b'\n');
    let lines = before.take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column()
}

/// The path to a position in a JSON text: a member's name or an array's index per level.
struct Path(Vec<Level>);

enum Level {
    Object(Option<String>),
    Array(usize),
}

impl Path {
    /// The path at an offset. The text before it is valid JSON, because serde has read it.
    fn at(text: &[u8], offset: usize) -> Self {
        let mut levels: Vec<Level> = Vec::new();
        let mut text_begun: Option<usize> = None;
        let mut last_text: &[u8] = &[];
        let mut escaped = false;
        for (at, byte) in text.iter().enumerate().take(offset) {
            if let Some(begun) = text_begun {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => {
                        last_text = text.get(begun..at).unwrap_or_default();
                        text_begun = None;
                    }
                    _ => {}
                }
                continue;
            }
            match (byte, levels.last_mut()) {
                (b'"', _) => text_begun = Some(at + 1),
                (b'{', _) => levels.push(Level::Object(None)),
                (b'[', _) => levels.push(Level::Array(0)),
                (b'}' | b']', _) => {
                    levels.pop();
                }
                (b':', Some(Level::Object(name))) => {
                    *name = Some(String::from_utf8_lossy(last_text).into_owned());
                }
                (b',', Some(Level::Array(index))) => *index += 1,
                _ => {}
            }
        }
        Self(levels)
    }

    /// The path of the innermost object or array around this position.
    fn parent(mut self) -> Self {
        self.0.pop();
        self
    }

    fn joined(&self, within: &str) -> String {
        let mut path = within.to_owned();
        for level in &self.0 {
            match level {
                Level::Object(Some(name)) if is_plain(name) => path = join(&path, name),
                Level::Object(Some(_)) => path = join(&path, "a member"),
                Level::Object(None) => {}
                Level::Array(index) => path = format!("{path}[{index}]"),
            }
        }
        path
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// True for a text that looks like one of our member names.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= MAX_NAME_BYTES && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, de::DeserializeOwned};
    use uuid::Uuid;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        id: Uuid,
        count: u16,
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        name: String,
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    enum Kind {
        Plain,
    }

    fn said<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        let error = serde_json::from_str::<T>(text).unwrap_err();
        describe(text.as_bytes(), "", &error)
    }

    #[test]
    fn an_error_names_member_and_rule_but_not_the_value() {
        const ID: &str = "\"id\":\"00000000-0000-0000-0000-000000000001\"";
        let cases = [
            ("{\"id\":\"raw-visitor\"}".to_owned(), "id must be a UUID"),
            ("{\"id\":77}".to_owned(), "id must be a UUID"),
            (
                format!("{{{ID},\n\"count\":\"raw \\\" visitor\"}}"),
                "count must be a whole number in its range",
            ),
            (
                format!("{{{ID},\"count\":70000}}"),
                "count must be a whole number in its range",
            ),
            (format!("{{{ID},\"count\":7}}"), "inner is required"),
            (
                format!("{{{ID},\"count\":7,\"count\":8}}"),
                "count is given twice",
            ),
            (
                format!("{{\"count\":7,{ID},\"count\":8}}"),
                "count is given twice",
            ),
            (
                format!("{{{ID},\"inner\":[{{\"name\":\"raw\",\"name\":7}}]}}"),
                "inner[0].name is given twice",
            ),
            (
                format!("{{{ID},\"inner\":{{\"a\":\"raw\"}}}}"),
                "inner must be an array",
            ),
            (
                format!(
                    "{{{ID},\"inner\":[{{\"name\":\"a\",\"kind\":\"Plain\"}},{{\"name\":7}}]}}"
                ),
                "inner[1].name must be a string",
            ),
            (
                format!("{{{ID},\"inner\":[{{\"name\":\"raw\"}}]}}"),
                "inner[0].kind is required",
            ),
            (
                format!("{{{ID},\"inner\":[{{\"name\":\"a\",\"kind\":\"raw\"}}]}}"),
                "inner[0].kind has a value that this build does not know",
            ),
            ("\"raw\"".to_owned(), "it must be an object"),
            (
                "{\"id\":".to_owned(),
                "EOF while parsing a value at character 6",
            ),
            ("{\"id\":raw}".to_owned(), "expected value at character 7"),
        ];
        for (text, expected) in cases {
            assert_eq!(said::<Outer>(&text), expected, "{text}");
        }
    }
}
