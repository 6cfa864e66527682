//! Text as people meant it: tags are removed, script and style go with their contents, entities
//! become their characters.

use ammonia::Builder;
use std::{borrow::Cow, collections::HashSet};

/// Most rounds of stripping, each of which takes one nesting of escapes off. Nobody writes more than
/// two; a title of 100 characters has room for 25.
const MAX_ROUNDS: usize = 32;

/// The plain text of `text`, trimmed. It holds no tag, not even an escaped one, so that stripping it
/// again changes nothing and no reader that decodes once too often finds markup.
pub(crate) fn plain_text(text: &str) -> String {
    let mut plain = Cow::Borrowed(text.trim());
    for _ in 0..MAX_ROUNDS {
        let next = strip_once(&plain);
        if next == plain {
            return next;
        }
        plain = Cow::Owned(next);
    }
    // Thousands of escapes of escapes are an attempt at something: no markup can be left of it.
    plain.replace(['<', '&'], "").trim().to_owned()
}

fn strip_once(text: &str) -> String {
    // Most titles hold nothing that HTML knows: they need no parser.
    if !text.contains(['<', '&']) {
        return text.trim().to_owned();
    }
    let escaped = Builder::empty()
        .clean_content_tags(HashSet::from(["script", "style"]))
        .clean(text)
        .to_string();
    html_escape::decode_html_entities(&escaped)
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain_text;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_text_stays_as_it_was_meant() {
        let cases = [
            ("My Site", "My Site"),
            ("  spaces around\t", "spaces around"),
            ("Tom & Jerry", "Tom & Jerry"),
            ("Tom &amp; Jerry", "Tom & Jerry"),
            ("<b>Bold</b> move", "Bold move"),
            ("I <3 you", "I <3 you"),
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

    proptest! {
        #[test]
        fn stripping_again_changes_nothing(text in "[<>&;a-z/ !\"'#0-9=-]{0,60}|\\PC{0,40}") {
            let once = plain_text(&text);
            prop_assert_eq!(plain_text(&once), once);
        }

        #[test]
        fn text_without_markup_is_kept(text in "[^<&\\p{C}\\s]([^<&\\p{C}]{0,40}[^<&\\p{C}\\s])?") {
            prop_assert_eq!(plain_text(&text), text);
        }
    }
}
