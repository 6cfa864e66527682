//! Detects texts with nothing visible, and reduces texts to one line.

use regex::Regex;
use std::sync::LazyLock;

/// Characters with a shape of their own: letters, numbers, punctuation, symbols, and code points
/// that Unicode reserves for pictures. It excludes characters that are meant to be ignored or blank
/// (a Braille cell without dots, a note without a head), spaces, marks without a letter, and
/// invisible characters.
static VISIBLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = r"[[\p{L}\p{N}\p{P}\p{S}\p{Extended_Pictographic}]--[\p{Default_Ignorable_Code_Point}\u{2800}\u{1D159}]]";
    Regex::new(shapes).ok()
});

/// True if the text has no visible character.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    match &*VISIBLE {
        Some(visible) => !visible.is_match(text),
        // Unreachable: a test asserts that the pattern compiles.
        None => text.trim().is_empty(),
    }
}

/// The text without control characters; those that end a line or separate words become spaces.
#[must_use]
pub fn on_one_line(text: &str) -> String {
    let shown = |char: char| match char {
        '\u{2028}' | '\u{2029}' => Some(' '),
        _ if !char.is_control() => Some(char),
        _ if char.is_whitespace() => Some(' '),
        _ => None,
    };
    text.chars().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_text_is_not_blank() {
        assert!(VISIBLE.is_some());
        for text in [
            "a",
            "7",
            "!",
            "-",
            "€",
            "©",
            "字",
            "ا",
            "한",
            "🦀",
            "🎉",
            "❤\u{fe0f}",
            "é",
            "e\u{301}",
            "\u{200b}x",
            "\u{202e}Ada",
            "๛",
            "½",
            "👩\u{200d}💻",
            "🇹🇷",
            "#\u{fe0f}\u{20e3}",
            "\u{1faff}",
        ] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn invisible_characters_are_blank_alone_and_together() {
        let blanks = [
            "",
            " ",
            "\t\n",
            "\u{a0}",
            "\u{ad}",
            "\u{34f}",
            "\u{301}",
            "\u{61c}",
            "\u{115f}",
            "\u{1160}",
            "\u{17b4}",
            "\u{180e}",
            "\u{2000}",
            "\u{200b}",
            "\u{200d}",
            "\u{200e}",
            "\u{2028}",
            "\u{202e}",
            "\u{2060}",
            "\u{2062}",
            "\u{2066}",
            "\u{20e3}",
            "\u{2800}",
            "\u{3000}",
            "\u{3164}",
            "\u{fe0f}",
            "\u{feff}",
            "\u{ffa0}",
            "\u{fff9}",
            "\u{1d159}",
            "\u{1d173}",
            "\u{e0001}",
            "\u{e0101}",
            "\u{1}",
            "\u{7f}",
            "\u{85}",
            "\u{e000}",
            "\u{93e}",
        ];
        for text in blanks {
            assert!(is_blank(text), "{text:?}");
        }
        assert!(is_blank(&blanks.concat()));
    }

    #[test]
    fn a_line_has_no_control_characters() {
        for (text, line) in [
            ("a\tb\r\nc", "a b  c"),
            ("a\u{0}\u{7}\u{1b}b\u{9f}", "ab"),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("e\u{301} 👩\u{200d}💻", "e\u{301} 👩\u{200d}💻"),
        ] {
            assert_eq!(on_one_line(text), line);
        }
    }
}
