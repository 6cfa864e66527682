//! Names of campaigns, folders, tags, rules and QR codes, and their colours.

use runtime::{
    http::Fields,
    members::Rule,
    openapi::{Schema, text},
};
use schemas::visible::is_blank;
use unicode_normalization::UnicodeNormalization;

/// Longest name.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// A name without white space around it. The error completes the sentence "name must …".
pub(crate) fn name(text: &str) -> Result<String, String> {
    let name: String = text.trim().nfc().collect();
    if is_blank(&name) {
        return Err("have a visible character".to_owned());
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(format!("have at most {MAX_NAME_CHARS} characters"));
    }
    if name.chars().any(char::is_control) {
        return Err("contain no control characters".to_owned());
    }
    Ok(name)
}

/// The form in which names are compared.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name;

impl Rule for Name {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, member: &str) -> Option<String> {
        // Counted again after trimming; this bounds the work.
        let text = fields.string(member, 10 * MAX_NAME_CHARS)?;
        match name(text) {
            Ok(name) => Some(name),
            Err(problem) => {
                fields.problem(format!("{member} must {problem}"));
                None
            }
        }
    }

    fn is_text(&self) -> bool {
        true
    }

    fn schema(&self) -> Schema {
        text(MAX_NAME_CHARS)
    }
}

/// A colour, as `#rrggbb`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Color;

/// The channels of a colour that is written as `#rrggbb`.
pub(crate) fn channels(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let channel = |from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
    Some([channel(0)?, channel(2)?, channel(4)?])
}

impl Rule for Color {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let given = fields.string(name, 7)?;
        if channels(given).is_none() {
            fields.problem(format!("{name} must be a colour, such as #1a2b3c"));
            return None;
        }
        Some(given.to_ascii_lowercase())
    }

    fn schema(&self) -> Schema {
        text(7).with("pattern", "^#[0-9A-Fa-f]{6}$")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_visible() {
        assert_eq!(name("  Spring sale ").as_deref(), Ok("Spring sale"));
        for text in ["", "  ", "\u{200b}", "a\nb", &"x".repeat(101)] {
            assert!(name(text).is_err(), "{text:?}");
        }
        assert_eq!(folded("ÜBER"), folded("über"));
    }

    #[test]
    fn colours_are_hexadecimal_only() {
        assert_eq!(channels("#0a10FF"), Some([10, 16, 255]));
        for text in ["", "#fff", "red", "#00000g", "000000", "#000\"/>", "#0é000"] {
            assert_eq!(channels(text), None, "{text}");
        }
    }
}
