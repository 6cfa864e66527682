//! The language that a client prefers, as a canonical tag of BCP 47.
//!
//! The one rule: one language has one spelling, however systems write it (`tr_TR`, `TR-tr`, `tr-TR.UTF-8`), so
//! that it is one row of a report. Anything that is not a tag is left out.

/// Longest tag kept, in characters; RFC 5646 asks for at least 35.
const MAX_TAG_CHARS: usize = 64;

/// Languages whose code was replaced and which older systems still send under the old one (the registry's
/// "Preferred-Value").
const RENAMED: &[(&str, &str)] = &[
    ("in", "id"),
    ("iw", "he"),
    ("ji", "yi"),
    ("jw", "jv"),
    ("mo", "ro"),
];

/// The tag of the first language in a list; `None` when that is not a tag, or names no language.
pub(super) fn canonical(text: &str) -> Option<String> {
    let first = text.split([',', ';']).next()?.trim();
    // POSIX adds the character set and a modifier: `tr_TR.UTF-8`, `de_DE@euro`.
    let tag = first.split(['.', '@']).next()?;
    let mut subtags = tag.split(['-', '_']);
    let language = subtags.next()?.to_ascii_lowercase();
    // Longer ones are reserved; none is registered.
    let named = (2..=3).contains(&language.len());
    let letters = language.bytes().all(|byte| byte.is_ascii_lowercase());
    if !named || !letters || language == "und" || tag.len() > MAX_TAG_CHARS {
        return None;
    }
    let renamed = RENAMED.iter().find(|(old, _)| *old == language);
    let mut canonical = renamed.map_or(language, |(_, new)| (*new).to_owned());
    // Extensions, which follow a single letter or digit, have no letter case of their own.
    let mut extended = false;
    for subtag in subtags {
        let plain = (1..=8).contains(&subtag.len())
            && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain {
            return None;
        }
        extended |= subtag.len() == 1;
        canonical.push('-');
        canonical.push_str(&cased(subtag, extended));
    }
    Some(canonical)
}

/// RFC 5646, 2.1.1: scripts begin with a capital, regions are capitals, all else is small.
fn cased(subtag: &str, extended: bool) -> String {
    let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    match subtag.len() {
        2 if !extended => subtag.to_ascii_uppercase(),
        4 if !extended && letters => {
            let (first, rest) = subtag.split_at(1);
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        }
        _ => subtag.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_language_has_one_spelling() {
        for (text, tag) in [
            ("tr-TR", "tr-TR"),
            ("tr_TR", "tr-TR"),
            ("TR-tr", "tr-TR"),
            (" tr-tr ", "tr-TR"),
            ("tr_TR.UTF-8", "tr-TR"),
            ("de_DE@euro", "de-DE"),
            ("en-US@posix", "en-US"),
            ("tr-TR,tr;q=0.9,en;q=0.8", "tr-TR"),
            ("tr;q=0.9", "tr"),
            ("EN", "en"),
            ("zh-hans-cn", "zh-Hans-CN"),
            ("ZH_HANT_TW", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("fil-PH", "fil-PH"),
            ("sl-ROZAJ-biske", "sl-rozaj-biske"),
            ("de-1996", "de-1996"),
            ("en-US-U-CA-buddhist", "en-US-u-ca-buddhist"),
            ("tr-TR-x-AB", "tr-TR-x-ab"),
            ("iw_IL", "he-IL"),
            ("in-ID", "id-ID"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(tag), "{text}");
        }
        for text in [
            "",
            " ",
            ",tr",
            "*",
            "C",
            "POSIX",
            "C.UTF-8",
            "und",
            "t",
            "turk",
            "123",
            "tr-",
            "tr--TR",
            "tr-TR!",
            "türkçe",
            "tr-aaaaaaaaa",
            "null_value",
            "x-klingon",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_canonical(text in "[a-zA-Z]{1,9}([-_][a-zA-Z0-9]{0,9}){0,5}|\\PC*") {
            if let Some(tag) = canonical(&text) {
                prop_assert!(tag.len() <= MAX_TAG_CHARS && tag.is_ascii());
                prop_assert_eq!(canonical(&tag), Some(tag));
            }
        }
    }
}
