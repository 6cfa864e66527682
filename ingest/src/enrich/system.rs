//! A system that an agent names, and the numbers in agents.

/// A system that an agent names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) version: Option<String>,
}

impl System {
    pub(super) fn new(name: &'static str, version: Option<&str>) -> Self {
        Self {
            name,
            version: version.map(str::to_owned),
        }
    }
}

/// The number after a mark: digits, with dots or underscores between them.
pub(super) fn number_behind<'a>(agent: &'a str, mark: &str) -> Option<&'a str> {
    agent
        .split_once(mark)
        .and_then(|(_, behind)| number(behind))
}

/// The number at the start of a text.
pub(super) fn number(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
        .unwrap_or(text.len());
    text.get(..end)
        .map(|number| number.trim_end_matches(['.', '_']))
        .filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}
