//! The filters of a list, read from the query with every problem.

use crate::extract::Query;
use runtime::http::{ApiError, validate::parse_uuid};
use uuid::Uuid;

/// Longest text of a filter.
const MAX_CHARS: usize = 300;

/// Reads filters. An empty value is the same as an absent one, because forms send it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    query: &'a Query,
    problems: Vec<String>,
}

impl<'a> Asked<'a> {
    /// A reader of that query.
    pub(crate) const fn new(query: &'a Query) -> Self {
        Self {
            query,
            problems: Vec::new(),
        }
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let text = self.query.first(name).filter(|text| !text.is_empty())?;
        if text.chars().count() > MAX_CHARS {
            let problem = format!("{name} must have at most {MAX_CHARS} characters");
            self.problems.push(problem);
            return None;
        }
        if text.contains('\0') {
            let problem = format!("{name} must not contain the character U+0000");
            self.problems.push(problem);
            return None;
        }
        Some(text)
    }

    /// The text that is searched for.
    pub(crate) fn search(&mut self) -> Option<String> {
        let text = self.text("search")?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// An id.
    pub(crate) fn id(&mut self, name: &str) -> Option<Uuid> {
        let text = self.text(name)?;
        let id = parse_uuid(&text);
        if id.is_none() {
            self.problems.push(format!("{name} must be a UUID"));
        }
        id
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.problems.push(format!("{name} must be true or false"));
                None
            }
        }
    }

    /// One of these words.
    pub(crate) fn word(
        &mut self,
        name: &str,
        words: &'static [&'static str],
    ) -> Option<&'static str> {
        let text = self.text(name)?;
        let word = words.iter().find(|word| **word == text).copied();
        if word.is_none() {
            let problem = format!("{name} must be one of {}", words.join(", "));
            self.problems.push(problem);
        }
        word
    }

    /// Ends reading: 400 with every problem.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(self.problems))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_the_filters_is_named() {
        let query = Query::from("search=+50%25_off+&id=x&on=yes&sort=size&long=");
        let mut asked = Asked::new(&query);
        assert_eq!(asked.search().as_deref(), Some("50%_off"));
        assert_eq!(asked.id("id"), None);
        assert_eq!(asked.flag("on"), None);
        assert_eq!(asked.word("sort", &["title"]), None);
        assert_eq!(asked.text("long"), None);
        assert_eq!(asked.finish().unwrap_err().details.len(), 3);
    }
}
