//! Confines a creator's style sheet to `<body>`, so that it affects nothing else.
//!
//! The question for consent is a sibling of `<body>`, so a sheet can neither hide nor move it. The
//! one rule: the sheet goes into a block of `@scope (body)`, and is cut where it would leave that
//! block. Browsers without `@scope` show the page in its own style.

use cssparser::{ParseError, Parser, Token};
use std::ops::Range;

/// Deepest nesting of blocks. A deeper sheet is cut there.
const MAX_DEPTH: usize = 32;

/// At-rules whose blocks hold style rules.
const GROUPS: &[&str] = &["media", "supports", "layer", "container"];

/// The sheet for its own `<style>` element; `None` when nothing of it is left.
pub(super) fn contain(css: &str) -> Option<String> {
    // Browsers end the element at `</style`. In CSS `\/` is `/`, and a valid sheet has `</` only in
    // texts and comments.
    let css = css.replace("</", "<\\/");
    let mut walk = Walk::default();
    walk.rules(&mut Parser::new(&css), 0);
    let end = walk.end.unwrap_or(css.len());
    let mut text = css.get(..end)?.trim_end().to_owned();
    for range in walk.whole_page.into_iter().rev() {
        if range.end <= text.len() {
            text.replace_range(range, ":scope");
        }
    }
    (!text.trim().is_empty()).then(|| format!("@scope (body) {{\n{text}\n}}"))
}

/// What the walk has found in a sheet.
#[derive(Debug, Default)]
struct Walk {
    /// Where the sheet is cut: before the first bracket that closes nothing, or an unclosed text.
    end: Option<usize>,
    /// Selectors of the whole page (`html`, `body`, `:root`), which become `:scope` inside the
    /// scope.
    whole_page: Vec<Range<usize>>,
}

/// The meaning of a token for the walk.
enum Step {
    Opens {
        is_braces: bool,
    },
    EndsRule,
    Comma,
    AtRule {
        is_group: bool,
    },
    /// `html` or `body`; or the name after the colon of `:root`.
    WholePage {
        pseudo: bool,
    },
    Colon,
    Between,
    Other,
    Unsound,
}

impl Walk {
    /// Walks a list of style rules and at-rules.
    fn rules(&mut self, parser: &mut Parser<'_>, depth: usize) {
        let mut at_rule = None;
        // The token before: nothing, a colon with its position, or one that a following name
        // belongs to.
        let mut before = Before::Nothing;
        // The last selector of the whole page, as long as only combinators have followed it.
        let mut page: Option<usize> = None;
        while let Some((range, step)) = self.next(parser) {
            match step {
                Step::Opens { is_braces } => {
                    let rules = is_braces && at_rule == Some(true);
                    self.block(parser, depth, rules);
                    if is_braces {
                        at_rule = None;
                        page = None;
                    }
                    before = if is_braces {
                        Before::Nothing
                    } else {
                        Before::Name
                    };
                }
                Step::EndsRule => {
                    at_rule = None;
                    (before, page) = (Before::Nothing, None);
                }
                Step::Comma => (before, page) = (Before::Nothing, None),
                Step::AtRule { is_group } => at_rule = Some(is_group),
                Step::Between => before = Before::Nothing,
                Step::Colon => before = Before::Colon(range.start),
                Step::WholePage { pseudo } if at_rule.is_none() && before.allows(pseudo) => {
                    let start = match before {
                        Before::Colon(colon) => colon,
                        Before::Nothing | Before::Name => range.start,
                    };
                    if let Some(page) = page.and_then(|at| self.whole_page.get_mut(at)) {
                        // `html > body` is one selector of the whole page.
                        page.end = range.end;
                    } else {
                        page = Some(self.whole_page.len());
                        self.whole_page.push(start..range.end);
                    }
                    before = Before::Name;
                }
                Step::WholePage { .. } | Step::Other => (before, page) = (Before::Name, None),
                Step::Unsound => return,
            }
        }
    }

    /// Walks the block that was just opened.
    fn block(&mut self, parser: &mut Parser<'_>, depth: usize, of_rules: bool) {
        let start = parser.position().byte_index();
        if depth == MAX_DEPTH {
            self.end.get_or_insert(start);
            return;
        }
        // The walk needs the block's tokens only, not the parser's result.
        let _ = parser.parse_nested_block(|parser| {
            if of_rules {
                self.rules(parser, depth + 1);
            } else {
                while let Some((_, step)) = self.next(parser) {
                    match step {
                        Step::Opens { .. } => self.block(parser, depth + 1, false),
                        Step::Unsound => break,
                        _ => {}
                    }
                }
            }
            Ok::<_, ParseError<()>>(())
        });
    }

    /// The next token, unless the sheet is cut.
    fn next(&mut self, parser: &mut Parser<'_>) -> Option<(Range<usize>, Step)> {
        if self.end.is_some() {
            return None;
        }
        let start = parser.position().byte_index();
        let step = match parser.next_including_whitespace_and_comments().ok()? {
            Token::CloseCurlyBracket
            | Token::CloseParenthesis
            | Token::CloseSquareBracket
            | Token::BadString(_)
            | Token::BadUrl(_) => Step::Unsound,
            Token::CurlyBracketBlock => Step::Opens { is_braces: true },
            Token::Function(_) | Token::ParenthesisBlock | Token::SquareBracketBlock => {
                Step::Opens { is_braces: false }
            }
            Token::Semicolon => Step::EndsRule,
            Token::Comma => Step::Comma,
            Token::AtKeyword(name) => Step::AtRule {
                is_group: GROUPS.iter().any(|group| name.eq_ignore_ascii_case(group)),
            },
            Token::Ident(name) if name.eq_ignore_ascii_case("root") => {
                Step::WholePage { pseudo: true }
            }
            Token::Ident(name)
                if ["html", "body"]
                    .iter()
                    .any(|page| name.eq_ignore_ascii_case(page)) =>
            {
                Step::WholePage { pseudo: false }
            }
            Token::Colon => Step::Colon,
            // These may stand between the parts of one selector, as in `html > body`.
            Token::WhiteSpace(_) | Token::Comment(_) | Token::Delim('>') => Step::Between,
            _ => Step::Other,
        };
        // The sheet is cut before this token.
        if matches!(step, Step::Unsound) {
            self.end = Some(start);
        }
        Some((start..parser.position().byte_index(), step))
    }
}

/// The token before another one.
#[derive(Clone, Copy)]
enum Before {
    /// Nothing that the next token would belong to.
    Nothing,
    /// A colon, at this position.
    Colon(usize),
    /// A name or a sign that the next token belongs to.
    Name,
}

impl Before {
    fn allows(self, pseudo: bool) -> bool {
        match self {
            Self::Nothing => !pseudo,
            Self::Colon(_) => pseudo,
            Self::Name => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The content of the block.
    fn inside(css: &str) -> Option<String> {
        let text = contain(css)?;
        let inside = text
            .strip_prefix("@scope (body) {\n")?
            .strip_suffix("\n}")?;
        Some(inside.to_owned())
    }

    #[test]
    fn a_sheet_keeps_its_meaning_in_its_block() {
        assert_eq!(contain(""), None);
        assert_eq!(contain(" \n"), None);
        for css in [
            "p > a{}",
            "a::after{content:'}'}",
            "/* } */ a{}",
            "a{b:url(x}y)}",
            "a\\}b{}",
            "@media (width > 1px){a{b:c}}",
            ".link{&:hover{color:red}}",
            "a[href='}']{}",
            // The end of the element closes a block that is still open.
            "a{color:red",
        ] {
            assert_eq!(inside(css).as_deref(), Some(css), "{css}");
        }
    }

    #[test]
    fn a_sheet_cannot_end_its_element() {
        assert_eq!(
            inside("a::after{content:'</style><script>'}").as_deref(),
            Some("a::after{content:'<\\/style><script>'}")
        );
    }

    #[test]
    fn a_sheet_is_cut_where_it_would_leave_its_block() {
        for (css, kept) in [
            ("} .consent{display:none}", None),
            ("a{} } .consent{display:none}", Some("a{}")),
            ("a{}\n}/**/}html{display:none} @scope (body) {", Some("a{}")),
            ("a{b:c)} .consent{}", Some("a{b:c")),
            ("a{b:( } .consent{}", Some("a{b:(")),
            ("a[ } .consent{}", Some("a[")),
            ("@media all{a{}}} .consent{}", Some("@media all{a{}}")),
            ("a{b:'c\n} .consent{}", Some("a{b:")),
            ("a{b:url(c d} .consent{}", Some("a{b:")),
        ] {
            assert_eq!(inside(css).as_deref(), kept, "{css}");
        }
        let deep = "a{".repeat(10_000);
        assert_eq!(
            inside(&deep).map(|css| css.len()),
            Some(2 * (MAX_DEPTH + 1))
        );
    }

    #[test]
    fn selectors_of_the_whole_page_become_the_scope() {
        for (css, kept) in [
            ("body{color:red}", ":scope{color:red}"),
            ("HTML , body{}", ":scope , :scope{}"),
            (":root{--accent:red}", ":scope{--accent:red}"),
            ("html body .link{}", ":scope .link{}"),
            ("html>body > main{}", ":scope > main{}"),
            (
                "body.dark h1, body::before{}",
                ":scope.dark h1, :scope::before{}",
            ),
            (
                "@media print{body{}} body{}",
                "@media print{:scope{}} :scope{}",
            ),
            (
                "@keyframes body{from{}} body{}",
                "@keyframes body{from{}} :scope{}",
            ),
            (
                ".body, #body, x-body, [body], a:not(body), main body-x{}",
                ".body, #body, x-body, [body], a:not(body), main body-x{}",
            ),
            ("a{grid-area:body} root{}", "a{grid-area:body} root{}"),
        ] {
            assert_eq!(inside(css).as_deref(), Some(kept), "{css}");
        }
    }

    proptest! {
        /// Counts brackets on its own, in sheets without texts, comments and escapes.
        #[test]
        fn a_contained_sheet_never_closes_more_than_it_opens(css in "[a(){}\\[\\]:;,@ ]{0,60}") {
            let kept = inside(&css).unwrap_or_default();
            let mut open = Vec::new();
            for letter in kept.chars() {
                match letter {
                    '(' | '[' | '{' => open.push(letter),
                    ')' => prop_assert_eq!(open.pop(), Some('('), "{}", kept),
                    ']' => prop_assert_eq!(open.pop(), Some('['), "{}", kept),
                    '}' => prop_assert_eq!(open.pop(), Some('{'), "{}", kept),
                    _ => {}
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(css in "\\PC*|[a-z\\\\'\"/*(){}\\[\\]:;,@ \n<>!-]{0,80}") {
            let _ = contain(&css);
        }
    }
}
