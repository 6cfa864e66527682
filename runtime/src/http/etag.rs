//! Entity tags, and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};
use sha2::{Digest, Sha256};

/// The tag of a text. Weak, because the plain and the compressed form share it.
#[must_use]
pub fn of(text: &[u8]) -> HeaderValue {
    let digest = hex::encode(Sha256::digest(text));
    let short = digest.get(..16).unwrap_or_default();
    // Hexadecimal digits in quotes are always a valid header, so the fallback never applies.
    HeaderValue::try_from(format!("W/\"{short}\"")).unwrap_or(HeaderValue::from_static(""))
}

/// True when `If-None-Match` names that tag, by weak comparison.
#[must_use]
pub fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().ok().and_then(|tag| tag.parse::<ETag>().ok());
    let given = headers.typed_get::<IfNoneMatch>();
    given
        .zip(tag)
        .is_some_and(|(given, tag)| !given.precondition_passes(&tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn a_tag_is_known_when_the_client_lists_it() {
        let tag = of(b"text");
        assert_eq!(tag, of(b"text"));
        assert_ne!(tag, of(b"texts"));
        let strong = tag.to_str().unwrap().trim_start_matches("W/").to_owned();
        let knows = |given: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, given.parse().unwrap());
            is_known(&headers, &tag)
        };
        let listed = format!("\"other\", {}", tag.to_str().unwrap());
        for given in [tag.to_str().unwrap(), &strong, &listed, "*"] {
            assert!(knows(given), "{given}");
        }
        assert!(!knows("\"other\"") && !knows(""));
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
