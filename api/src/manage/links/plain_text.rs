//! Turns a text into plain text.
//!
//! Removes tags, and scripts and styles with their contents, and decodes entities. A `<` that does
//! not begin a tag stays.

use super::markup::escape_strays;
use ammonia::Builder;
use schemas::visible::on_one_line;
use std::{borrow::Cow, collections::HashSet};

/// Most rounds of stripping, each of which removes one level of escapes. People write at most two;
/// a title of 100 characters has room for 25.
const MAX_ROUNDS: usize = 32;

/// The plain text of `text`, trimmed. It contains no tag, not even an escaped one. So stripping it
/// again changes nothing, and a reader that decodes once too often finds no markup.
pub(crate) fn plain_text(text: &str) -> String {
    let mut plain = Cow::Borrowed(text.trim());
    for _ in 0..MAX_ROUNDS {
        let next = strip_once(&plain);
        if next == plain {
            return next;
        }
        plain = Cow::Owned(next);
    }
    // Thousands of nested escapes are an attack, so no character of markup may remain.
    plain.replace(['<', '&'], "").trim().to_owned()
}

/// The plain text of a single line, such as a name, without control characters.
pub(crate) fn plain_line(text: &str) -> String {
    let mut line = plain_text(&on_one_line(text));
    // An entity may encode a control character.
    while line.contains(char::is_control) {
        line = plain_text(&on_one_line(&line));
    }
    line
}

fn strip_once(text: &str) -> String {
    // Most titles contain nothing of HTML and need no parser.
    if !text.contains(['<', '&']) {
        return text.trim().to_owned();
    }
    let escaped = Builder::empty()
        .clean_content_tags(HashSet::from(["script", "style"]))
        .clean(&escape_strays(text))
        .to_string();
    html_escape::decode_html_entities(&escaped)
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{plain_line, plain_text};
    use proptest::prelude::*;

    #[test]
    fn tags_are_removed_and_text_stays_as_meant() {
        let cases = [
            ("My Site", "My Site"),
            ("  spaces around\t", "spaces around"),
            ("Tom & Jerry", "Tom & Jerry"),
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("<b>Bold</b> move", "Bold move"),
            ("I <3 you", "I <3 you"),
            ("I </3 you", "I </3 you"),
            ("Rock <roll", "Rock <roll"),
            ("Rock <roll and <b>bold</b>", "Rock <roll and bold"),
            ("Rock <roll <b>x</b> >", "Rock"),
            ("a < b", "a < b"),
            ("a<b", "a<b"),
            ("5 <6>", "5 <6>"),
            ("x <- y -> z", "x <- y -> z"),
            ("<a href=", "<a href="),
            ("<a href='x", "<a href='x"),
            ("<!-- not closed", "<!-- not closed"),
            ("&lt;b&gt;", ""),
            ("&lt;roll", "<roll"),
            ("&lt;3 &amp;lt;3", "<3 <3"),
            ("<img src=x onerror=alert(1) <3>", ""),
            (
                "<img src=x onerror=alert(1)//",
                "<img src=x onerror=alert(1)//",
            ),
            ("<a title='1 < 2 > 0'>go</a>", "go"),
            ("<a title='<b>'>go</a>", "go"),
            ("<scr<script>x</script>ipt>", ""),
            ("1 < 2 > 0", "1 < 2 > 0"),
            ("\"quoted\" & 'so'", "\"quoted\" & 'so'"),
            ("Hi<script>alert(1)</script> there", "Hi there"),
            ("<style>p{color:red}</style>Red", "Red"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<a href='javascript:x'>go</a>", "go"),
            ("&lt;script&gt;alert(1)&lt;/script&gt;ok", "ok"),
            ("&amp;lt;b&amp;gt;deep", "deep"),
            ("<!-- note -->seen", "seen"),
            ("🎉 party", "🎉 party"),
            ("<script>never closed", ""),
            ("<<b>b>x", "x"),
        ];
        for (text, plain) in cases {
            assert_eq!(plain_text(text), plain, "{text:?}");
        }
    }

    #[test]
    fn a_line_has_no_control_characters_not_even_escaped_ones() {
        for (text, line) in [
            ("My\nSite\t!", "My Site !"),
            ("<scr\u{1}ipt>x</script>y", "y"),
            ("a&#7;b &amp;#7; &#10;c", "ab   c"),
            ("\u{202e}Ada Lovelace", "\u{202e}Ada Lovelace"),
        ] {
            assert_eq!(plain_line(text), line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn stripping_again_changes_nothing(text in "[<>&;a-z/ !\"'#0-9=-]{0,60}|\\PC{0,40}") {
            let once = plain_text(&text);
            prop_assert_eq!(plain_text(&once), once);
        }

        #[test]
        fn text_without_a_closing_bracket_is_kept(text in "[^>&\\p{C}\\s]([^>&\\p{C}]{0,40}[^>&\\p{C}\\s])?") {
            prop_assert_eq!(plain_text(&text), text);
        }

        #[test]
        fn text_without_markup_is_kept(text in "[^<&\\p{C}\\s]([^<&\\p{C}]{0,40}[^<&\\p{C}\\s])?") {
            prop_assert_eq!(plain_text(&text), text);
        }
    }
}
