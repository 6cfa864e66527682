//! Distinguishes markup in a text from a `<` that is just a `<`.
//!
//! Lists what counts as markup: a tag, a comment, a declaration or an instruction that is complete.
//! An HTML parser would read an open tag to the end of the text, so that `Rock <roll` lost its
//! rest.

use std::collections::HashSet;

/// The text with `&lt;` for each `<` that does not begin markup.
pub(super) fn escape_strays(text: &str) -> String {
    let markup = markup(text);
    let mut escaped = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        if char == '<' && !markup.contains(&at) {
            escaped.push_str("&lt;");
        } else {
            escaped.push(char);
        }
    }
    escaped
}

/// The positions where markup begins. Searches backwards, because an open tag ends where the next
/// markup begins.
fn markup(text: &str) -> HashSet<usize> {
    let mut found = HashSet::new();
    for (at, _) in text.rmatch_indices('<') {
        let rest = text.get(at + 1..).unwrap_or_default();
        // Most texts have no `>` here, which ends the check at once.
        if rest.contains('>') && begins_markup(rest, at + 1, &found) {
            found.insert(at);
        }
    }
    found
}

/// Whether the text after a `<` makes it markup.
fn begins_markup(rest: &str, offset: usize, later: &HashSet<usize>) -> bool {
    let is_name = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    if let Some(comment) = rest.strip_prefix('!') {
        return match comment.strip_prefix("--") {
            // `<!-->` is a comment too.
            Some(_) => comment.contains("-->") || comment.contains("--!>"),
            None => is_name(comment) || comment.starts_with('['),
        };
    }
    if let Some(instruction) = rest.strip_prefix('?') {
        return is_name(instruction);
    }
    let name = rest.strip_prefix('/').unwrap_or(rest);
    // Tried without quotes too: a quote that never closes must not hide the end of the tag.
    is_name(name) && (ends(rest, offset, later, true) || ends(rest, offset, later, false))
}

/// Whether a tag has its `>` before other markup begins. Within quotes, neither counts.
fn ends(rest: &str, offset: usize, later: &HashSet<usize>, quotes: bool) -> bool {
    let mut quote = None;
    let mut after_equals = false;
    for (at, char) in rest.char_indices() {
        if quote.is_some() {
            if quote == Some(char) {
                quote = None;
            }
            continue;
        }
        match char {
            '>' => return true,
            '<' if later.contains(&(offset + at)) => return false,
            // A quote begins a value only after `=`.
            '"' | '\'' if quotes && after_equals => quote = Some(char),
            _ => {}
        }
        after_equals = char == '=' || (after_equals && char.is_whitespace());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::escape_strays;

    #[test]
    fn markup_stays_and_every_other_angle_bracket_is_escaped() {
        for text in [
            "<b>x</b>",
            "<a href='x'>y</a>",
            "<a title=\"a > b\">y",
            "<br/>",
            "<img src=x onerror=alert(1)>",
            "<!-- note -->x",
            "<!-->x",
            "<!doctype html>",
            "<![CDATA[x]]>",
            "<?php x ?>",
            "</b >",
            "<y and z>",
        ] {
            assert_eq!(escape_strays(text), text);
        }
        for (text, escaped) in [
            ("Rock <roll", "Rock &lt;roll"),
            ("<3", "&lt;3"),
            ("a < b > c", "a &lt; b > c"),
            ("5 <6>", "5 &lt;6>"),
            ("I </3 you", "I &lt;/3 you"),
            ("<a href=", "&lt;a href="),
            ("<!-- open", "&lt;!-- open"),
            ("<<b>", "&lt;<b>"),
            ("<roll and <b>bold</b>", "&lt;roll and <b>bold</b>"),
            ("<>", "&lt;>"),
            ("->x<-", "->x&lt;-"),
        ] {
            assert_eq!(escape_strays(text), escaped);
        }
        // As in browsers: a `<` within a tag is part of the tag, and means the same when escaped.
        assert_eq!(escape_strays("<img onerror=x <3>"), "<img onerror=x &lt;3>");
    }
}
