//! Parses TOML. No error repeats the text, because it may hold secrets.

use toml::{Table, de::Error};

/// Parses TOML.
///
/// # Errors
/// The position and the kind of the mistake, without any of the text.
pub fn parse(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error| describe(text, &error))
}

/// The parser's message describes the grammar only; its `Display` also shows the line.
fn describe(text: &str, error: &Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let Some(before) = before else {
        return format!("invalid TOML: {}", error.message());
    };
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!(
        "invalid TOML at line {line}, column {column}: {}",
        error.message()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_gives_the_position_and_never_the_text() {
        for (text, place) in [
            ("A = 1\nID_SECRET = hunter2\n", "line 2, column 13"),
            ("A = 1\nID_SECRET = \"hunter2\n", "line 2, "),
            (
                "ID_SECRET = \"hunter2\" # ü\nID_SECRET = \"hunter2\"",
                "line 2, column 1",
            ),
            ("ID_SECRET = 'hunter2' hunter2", "line 1, "),
            ("ID_SECRET = \"\\hunter2\"", "line 1, "),
            ("hunter2", "line 1, "),
            ("[hunter2]\n[hunter2]", "line 2, "),
            ("hunter2 = 1\nhunter2.hunter2 = 2", "line 2, "),
            ("A = \"\"\"hunter2", "line 1, "),
            ("A = 99999999999999999999", "line 1, "),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(place), "{text:?}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert_eq!(parse("A = 1").unwrap().len(), 1);
    }
}
