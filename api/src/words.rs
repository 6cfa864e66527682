//! Forbidden words in titles and texts, from the operator's list.

use runtime::{Settings, settings::Setting};
use std::{fs, sync::Arc};

/// The file with the list.
pub(crate) const WORDS_FILE: Setting = Setting::new(
    "CONTENT_WORDS_FILE",
    "none",
    "file of forbidden words in titles and texts, one per line",
);

/// The list; empty if none was given.
#[derive(Clone, Debug, Default)]
pub struct Words(Arc<Vec<String>>);

impl Words {
    /// Reads `CONTENT_WORDS_FILE`. An unreadable file is recorded as a problem.
    pub fn read(settings: &mut Settings) -> Self {
        let Some(path) = settings.text(WORDS_FILE) else {
            return Self::default();
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::from_lines(&text),
            Err(error) => {
                let what =
                    format!("{path} cannot be read: {error}; give a file of words, one per line");
                settings.problem(WORDS_FILE, what);
                Self::default()
            }
        }
    }

    /// A list with one entry a line: a word, or several separated by spaces. `#` begins a comment
    /// line.
    #[must_use]
    pub fn from_lines(text: &str) -> Self {
        let words = text
            .lines()
            .map(|line| line.trim().to_lowercase())
            .filter(|word| !word.is_empty() && !word.starts_with('#'));
        Self(Arc::new(words.collect()))
    }

    /// True when the text contains one of them as a whole word, in any case.
    #[must_use]
    pub fn flag(&self, text: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let text = text.to_lowercase();
        self.0.iter().any(|word| holds_word(&text, word))
    }
}

/// Whole words only: the list must not forbid Scunthorpe.
fn holds_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let after = text
            .get(start + found.len()..)
            .and_then(|text| text.chars().next());
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        is_edge(before) && is_edge(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_flagged_in_any_case() {
        let words = Words::from_lines("# ours\nspam\n\n Free Money \nÇirkin\n");
        for text in [
            "spam",
            "SPAM!",
            "no spam, please",
            "get free money now",
            "(çirkin)",
            "x spammer spam",
        ] {
            assert!(words.flag(text), "{text}");
        }
        for text in ["", "spammer", "antispam", "free  money", "fine"] {
            assert!(!words.flag(text), "{text}");
        }
        assert!(!Words::default().flag("spam"));
    }

    #[test]
    fn a_missing_file_is_a_problem_of_its_setting() {
        let mut settings = Settings::from_pairs([("CONTENT_WORDS_FILE", "no/such/file")]);
        Words::read(&mut settings);
        let text = settings.finish().unwrap_err().to_string();
        assert!(
            text.contains("CONTENT_WORDS_FILE: no/such/file cannot be read"),
            "{text}"
        );
    }
}
