//! The name of a requested page: a creator's name and perhaps a slug.

use crate::refusals;
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use runtime::http::ApiError;

/// Longest name that is looked up; usernames and slugs are shorter.
const MAX_CHARS: usize = 64;

/// The name in a path. Text that cannot be a name is 404, like every unknown name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageName {
    /// Lower case.
    pub(super) username: String,
    /// `None` for the first page.
    pub(super) slug: Option<String>,
}

impl PageName {
    fn read(username: &str, slug: Option<&str>) -> Option<Self> {
        // ASCII only, as for usernames: Unicode would turn the Kelvin sign into a k.
        let name = Self {
            username: username.to_ascii_lowercase(),
            slug: slug.map(str::to_owned),
        };
        let plain = |text: &str| {
            let graphic = |c: char| c.is_ascii_graphic();
            text.len() <= MAX_CHARS && text.chars().all(graphic)
        };
        (plain(&name.username) && name.slug.as_deref().is_none_or(plain)).then_some(name)
    }

    /// The page with that slug, of the same creator.
    pub(super) fn page(&self, slug: Option<&str>) -> Result<Self, ApiError> {
        Self::read(&self.username, slug).ok_or_else(refusals::page_not_found)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageName {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        // Invalid UTF-8 cannot be a name.
        let params = params.map_err(|_| refusals::page_not_found())?;
        let find = |wanted: &str| {
            let mut params = params.iter();
            params.find_map(|(name, value)| (name == wanted).then_some(value))
        };
        find("username")
            .and_then(|username| Self::read(username, find("slug")))
            .ok_or_else(refusals::page_not_found)
    }
}

#[cfg(test)]
mod tests {
    use super::PageName;

    #[test]
    fn usernames_are_lower_cased_and_impossible_names_are_none() {
        let read = |username: &str, slug: Option<&str>| {
            PageName::read(username, slug).map(|name| (name.username, name.slug))
        };
        assert_eq!(read("Ada.L", None), Some(("ada.l".to_owned(), None)));
        assert_eq!(
            read("ada", Some("my-2nd")),
            Some(("ada".to_owned(), Some("my-2nd".to_owned())))
        );
        for username in ["\u{212a}elvin", "a b", "a\0", "ädä", &"x".repeat(65)] {
            assert_eq!(read(username, None), None, "{username:?}");
        }
        assert_eq!(read("ada", Some("a\0b")), None);
    }
}
