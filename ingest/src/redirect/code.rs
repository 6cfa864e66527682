//! Short codes: their form, and the codes that a path may mean.

use std::borrow::Cow;

/// Longest code.
const MAX_CODE_CHARS: usize = 50;

/// True for ASCII letters, digits, `-` and `_`, 1 to 50 of them.
#[must_use]
pub fn is_code(text: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_CODE_CHARS).contains(&text.len()) && text.bytes().all(valid)
}

/// The form in which codes are compared: without case.
#[must_use]
pub fn folded(code: &str) -> Cow<'_, str> {
    if code.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(code.to_ascii_lowercase())
    } else {
        Cow::Borrowed(code)
    }
}

/// The code in a path: its only segment, decoded, without one slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    segment: Cow<'a, str>,
}

impl<'a> Asked<'a> {
    /// Reads a path. `None` for one that cannot mean a short link, such as `/robots.txt`.
    #[must_use]
    pub fn read(path: &'a str) -> Option<Self> {
        let segment = path.strip_prefix('/')?;
        let segment = segment.strip_suffix('/').unwrap_or(segment);
        let asked = Self {
            segment: decoded(segment)?,
        };
        asked.codes().next()?;
        Some(asked)
    }

    /// The codes that are looked up, in order: the text as it is, then without the punctuation at
    /// its end. Links often end a sentence.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        let whole = &*self.segment;
        let plain = whole.trim_end_matches(|last: char| !last.is_alphanumeric() && last != '/');
        let other = (plain != whole).then_some(plain);
        let codes = [Some(whole), other].into_iter().flatten();
        codes.filter(|code| is_code(code))
    }
}

/// Decodes `%41` to `A`. `None` when the result is not text.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        match behind.split_first_chunk::<2>() {
            Some((digits, further)) if *first == b'%' => {
                let byte = hex_byte(*digits);
                bytes.push(byte.unwrap_or(*first));
                rest = if byte.is_some() { further } else { behind };
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex_byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(path: &str) -> Vec<String> {
        let asked = Asked::read(path);
        let asked = asked.iter().flat_map(Asked::codes);
        asked.map(str::to_owned).collect()
    }

    #[test]
    fn a_path_is_looked_up_as_it_is_and_then_without_its_end() {
        for (path, expected) in [
            ("/promo", &["promo"][..]),
            ("/promo/", &["promo"]),
            ("/Promo", &["Promo"]),
            ("/promo.", &["promo"]),
            ("/promo)", &["promo"]),
            ("/promo!),", &["promo"]),
            ("/promo./", &["promo"]),
            ("/promo%20", &["promo"]),
            ("/promo%E2%80%9D", &["promo"]),
            ("/promo-", &["promo-", "promo"]),
            ("/promo_", &["promo_", "promo"]),
            ("/%70romo", &["promo"]),
            ("/promo%", &["promo"]),
            ("/a-b_C9", &["a-b_C9"]),
        ] {
            assert_eq!(codes(path), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_left_alone() {
        for path in [
            "/",
            "//",
            "",
            "promo",
            "/@ada",
            "/%40ada",
            "/@ada/",
            "/robots.txt",
            "/favicon.ico",
            "/.well-known/apple-app-site-association",
            "/promo//",
            "/promo/x",
            "//promo",
            "/pro%2Fmo",
            "/pro%00mo",
            "/pro%+1mo",
            "/%ff",
            "/bücher",
            "/...",
        ] {
            assert_eq!(codes(path), Vec::<String>::new(), "{path}");
        }
        assert_eq!(codes(&format!("/{}", "a".repeat(50))).len(), 1);
        assert_eq!(codes(&format!("/{}", "a".repeat(51))).len(), 0);
    }

    proptest! {
        #[test]
        fn every_code_is_found_however_it_is_written_and_nothing_else_is_a_code(
            code in "[A-Za-z0-9_-]{1,50}", path in any::<String>(),
        ) {
            let escaped: Vec<String> = code.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let escaped = escaped.concat();
            for path in [format!("/{code}"), format!("/{code}/"), format!("/{escaped}")] {
                let found = codes(&path);
                prop_assert_eq!(found.first(), Some(&code));
            }
            let path = format!("/{path}");
            prop_assert!(codes(&path).iter().all(|code| is_code(code)));
        }
    }
}
