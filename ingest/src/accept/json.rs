//! Reads JSON leniently: repairs half surrogates, U+0000 and huge numbers, which make a strict
//! reader refuse the whole text.
//!
//! Owns the repairs, not the rules of beacons. The one rule: a text that a strict reader accepts is
//! read unchanged, except for U+0000, which PostgreSQL's text type cannot hold.

use serde_json::Value;
use std::{borrow::Cow, fmt::Write, str::Chars};

/// Most levels of nested objects and arrays. The strict reader fails at 128.
const MAX_DEPTH: usize = 100;
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a JSON text in UTF-8, with or without a byte order mark.
///
/// One bad value must not cost the values beside it, so the reader repairs these faults:
/// - half a surrogate pair, U+0000 and bytes that are not UTF-8 become U+FFFD;
/// - a control character within a text counts as if it were escaped;
/// - `NaN`, `Infinity` and numbers beyond a double become `null`, as in `JSON.stringify`;
/// - values nested deeper than [`MAX_DEPTH`] become `null`.
///
/// # Errors
/// When the repaired text is still not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    // The lossy reader goes byte by byte, and few bodies need it.
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    // Also true for an escaped backslash before `u0000`. The repair distinguishes the two.
    let may_hold_nul = text.contains("\\u0000");
    if !may_hold_nul && let Ok(value) = serde_json::from_str(&text) {
        return Ok(value);
    }
    serde_json::from_str(&Repair::of(&text).run())
}

/// One pass over a text, with time and memory proportional to its length.
struct Repair<'a> {
    rest: Chars<'a>,
    out: String,
    depth: usize,
}

impl<'a> Repair<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            rest: text.chars(),
            out: String::with_capacity(text.len()),
            depth: 0,
        }
    }

    fn run(mut self) -> String {
        while let Some(char) = self.rest.next() {
            match char {
                '[' | '{' => {
                    self.depth += 1;
                    // One `null` replaces the whole nested value: `push` writes nothing below this
                    // depth.
                    if self.depth == MAX_DEPTH + 1 {
                        self.out.push_str("null");
                    }
                    self.push(char);
                }
                ']' | '}' => {
                    self.push(char);
                    self.depth = self.depth.saturating_sub(1);
                }
                '"' => self.string(),
                '-' | '0'..='9' | 'N' | 'I' => self.word(char),
                other => self.push(other),
            }
        }
        self.out
    }

    fn push(&mut self, char: char) {
        if self.depth <= MAX_DEPTH {
            self.out.push(char);
        }
    }

    /// Writes an escape that the reader understands.
    fn push_escaped(&mut self, unit: u32) {
        if self.depth <= MAX_DEPTH {
            // Writing to a `String` cannot fail.
            let _ = write!(self.out, "\\u{unit:04x}");
        }
    }

    /// Reads a string, starting after its opening quote.
    fn string(&mut self) {
        self.push('"');
        while let Some(char) = self.rest.next() {
            match char {
                '"' => return self.push('"'),
                '\\' => self.escape(),
                '\0' => self.push(char::REPLACEMENT_CHARACTER),
                '\u{1}'..='\u{1f}' => self.push_escaped(u32::from(char)),
                other => self.push(other),
            }
        }
    }

    /// Reads an escape, starting after its backslash.
    fn escape(&mut self) {
        let Some(unit) = self.unit() else {
            // Both characters are copied together: a second quote or backslash must not be read
            // again.
            self.push('\\');
            if let Some(char) = self.rest.next() {
                self.push(char);
            }
            return;
        };
        match unit {
            0 | 0xdc00..=0xdfff => self.push(char::REPLACEMENT_CHARACTER),
            0xd800..=0xdbff => {
                let char = self.low_half(unit);
                self.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // Stays escaped: it may be a quote or a control character.
            other => self.push_escaped(u32::from(other)),
        }
    }

    /// The character of a high surrogate and the low surrogate that follows it, if there is one.
    fn low_half(&mut self, high: u16) -> Option<char> {
        let before = self.rest.clone();
        let low = (self.rest.next() == Some('\\'))
            .then(|| self.unit())
            .flatten();
        let pair = low.map(|low| char::decode_utf16([high, low]).next());
        if let Some(Some(Ok(char))) = pair {
            return Some(char);
        }
        // The characters that follow are not part of this pair, so they are read again.
        self.rest = before;
        None
    }

    /// The code unit of an escape such as `u00e9`. Consumes nothing when there is none.
    fn unit(&mut self) -> Option<u16> {
        let (digits, behind) = self.rest.as_str().strip_prefix('u')?.split_at_checked(4)?;
        // `from_str_radix` also accepts a sign.
        let unit = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()?;
        self.rest = behind.chars();
        Some(unit)
    }

    /// Reads a number, or a word that JavaScript uses instead of a number.
    fn word(&mut self, first: char) {
        let mut word = String::from(first);
        let is_part = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.');
        let mut ahead = self.rest.clone();
        while let Some(char) = ahead.next().filter(is_part) {
            word.push(char);
            self.rest = ahead.clone();
        }
        let word = if is_beyond_doubles(&word) {
            "null"
        } else {
            &word
        };
        if self.depth <= MAX_DEPTH {
            self.out.push_str(word);
        }
    }
}

fn is_beyond_doubles(word: &str) -> bool {
    if matches!(word, "NaN" | "Infinity" | "-Infinity") {
        return true;
    }
    // Rust also parses `inf` and similar words, which are not JSON.
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    word.bytes().all(is_number) && word.parse().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(text: &str) -> Value {
        parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn half_a_surrogate_pair_becomes_the_replacement_character_in_any_place() {
        for (given, right) in [
            (r#"["Great shoes \ud83d"]"#, json!(["Great shoes \u{fffd}"])),
            (r#"["\ude00 x"]"#, json!(["\u{fffd} x"])),
            (r#"["\ud83dx"]"#, json!(["\u{fffd}x"])),
            (r#"["\ud83d\n"]"#, json!(["\u{fffd}\n"])),
            (r#"["\ud83d\\u"]"#, json!(["\u{fffd}\\u"])),
            (r#"["\ud83d\ud83d\ude00"]"#, json!(["\u{fffd}😀"])),
            (r#"["\ude00\ud83d"]"#, json!(["\u{fffd}\u{fffd}"])),
            (r#"["\uD83D\uDE00\uD83D"]"#, json!(["😀\u{fffd}"])),
            (
                r#"{"\ud83d":{"a":["\ud83d"]}}"#,
                json!({"\u{fffd}": {"a": ["\u{fffd}"]}}),
            ),
            (
                r#"["\ud83d","\u0022\u005c\u00e9"]"#,
                json!(["\u{fffd}", "\"\\é"]),
            ),
        ] {
            assert_eq!(read(given), right, "{given}");
        }
        // After an escaped backslash, `ud83d` is plain text.
        let told = read(r#"["\\ud83d","\ud83d"]"#);
        assert_eq!(told, json!(["\\ud83d", "\u{fffd}"]));
    }

    #[test]
    fn nul_control_characters_and_invalid_utf_8_do_not_invalidate_a_text() {
        assert_eq!(read(r#"["a\u0000b"]"#), json!(["a\u{fffd}b"]));
        assert_eq!(read(r#"["a\\u0000b"]"#), json!(["a\\u0000b"]));
        assert_eq!(read("[\"a\0b\nc\u{1f}\"]"), json!(["a\u{fffd}b\nc\u{1f}"]));
        assert_eq!(
            parse(b"[\"a\xff\", \"\xed\xa0\xbd\"]").unwrap(),
            json!(["a\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}"])
        );
    }

    #[test]
    fn one_byte_order_mark_is_skipped_and_only_at_the_start() {
        assert_eq!(parse(b"\xef\xbb\xbf{}").unwrap(), json!({}));
        assert!(parse(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        assert!(parse(b"{}\xef\xbb\xbf").is_err());
    }

    #[test]
    fn numbers_beyond_a_double_are_null() {
        let digits = "9".repeat(400);
        let given = format!("[1e400,-1E+400,NaN,Infinity,-Infinity,{digits},1e-400,1e308,-0]");
        let right = json!([null, null, null, null, null, null, 0.0, 1e308, -0.0]);
        assert_eq!(read(&given), right);
        assert_eq!(read(r#"["1e400 NaN",1e400]"#), json!(["1e400 NaN", null]));
        for wrong in ["[inf]", "[nan]", "[NaNs]", "[1e]", "[-]", "[undefined]"] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_nested_too_deeply_are_null_and_their_neighbours_stay() {
        let deep = format!("{}\"]\\\"[\"{}", "[".repeat(5_000), "]".repeat(5_000));
        let mut value = read(&format!(r#"{{"a":1,"deep":{deep},"b":[2]}}"#));
        assert_eq!((&value["a"], &value["b"]), (&json!(1), &json!([2])));
        let mut levels = 0;
        let mut inner = value["deep"].take();
        while inner.is_array() {
            inner = inner[0].take();
            levels += 1;
        }
        assert_eq!((levels, inner), (MAX_DEPTH - 1, Value::Null));
    }

    #[test]
    fn the_last_of_two_members_with_one_name_wins_as_in_javascript() {
        assert_eq!(read(r#"{"a":1,"a":2}"#), json!({"a": 2}));
    }

    #[test]
    fn repair_does_not_make_invalid_json_valid() {
        for wrong in [
            "",
            "{",
            "[",
            "\"",
            "[\"\\ud83d]",
            "{\"a\":}",
            "[\"\\u12\"]",
            "[\"\\x\"]",
            "]",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_valid_text_keeps_its_values(text in any::<String>(), number in any::<f64>()) {
            let value = json!({ text.clone(): [text, number] });
            let repaired = Repair::of(&value.to_string()).run();
            let nul_free = value.to_string().replace("\\u0000", "\u{fffd}");
            // Repair must not change the values of a valid text.
            prop_assume!(!value.to_string().contains("\\\\u0000"));
            let right: Value = serde_json::from_str(&nul_free).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&repaired).unwrap(), right);
        }

        #[test]
        fn any_code_units_are_read_as_utf_16_reads_them(units in prop::collection::vec(any::<u16>(), 0..20)) {
            let mut text = String::from("\"");
            for unit in &units {
                write!(text, "\\u{unit:04x}").unwrap();
            }
            text.push('"');
            let right = String::from_utf16_lossy(&units).replace('\0', "\u{fffd}");
            prop_assert_eq!(read(&text), json!(right));
        }

        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
