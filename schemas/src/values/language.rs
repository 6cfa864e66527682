//! The language that a client prefers, as a canonical tag of BCP 47.
//!
//! The one rule: one language has one form, regardless of how systems write it (`tr_TR`, `TR-tr`,
//! `tr-TR.UTF-8`), so it is one row of a report. A text that is not a tag is dropped.

use super::grandfathered::preferred;

/// Longest stored tag, in characters; RFC 5646 requires at least 35.
const MAX_TAG_CHARS: usize = 64;

/// Languages whose code was replaced, but which older systems still send under the old code (the
/// registry's "Preferred-Value").
const RENAMED: &[(&str, &str)] = &[
    ("in", "id"),
    ("iw", "he"),
    ("ji", "yi"),
    ("jw", "jv"),
    ("mo", "ro"),
];

/// Regions whose code was replaced (the registry's "Preferred-Value").
const RENAMED_REGIONS: &[(&str, &str)] = &[
    ("BU", "MM"),
    ("DD", "DE"),
    ("FX", "FR"),
    ("TP", "TL"),
    ("YD", "YE"),
    ("ZR", "CD"),
];

/// Languages that a tag may name before an extended language subtag: `zh-yue` is `yue`.
const MACROLANGUAGES: &[&str] = &["ar", "kok", "lv", "ms", "sgn", "sw", "uz", "zh"];

/// The tag of the first language in a list; `None` if that is not a tag or names no language.
pub(super) fn canonical(text: &str) -> Option<String> {
    let first = text.split([',', ';']).next()?.trim();
    // POSIX adds the character set and a modifier: `tr_TR.UTF-8`, `de_DE@euro`.
    let tag = first.split(['.', '@']).next()?.replace('_', "-");
    if let Some(tag) = preferred(&tag) {
        return Some(tag.to_owned());
    }
    let mut subtags = tag.split('-').peekable();
    let mut language = subtags.next()?.to_ascii_lowercase();
    // Longer ones are reserved; none is registered.
    let named = (2..=3).contains(&language.len());
    if !named || !is_alphabetic(&language) || language == "und" || tag.len() > MAX_TAG_CHARS {
        return None;
    }
    // RFC 5646, 4.5: the extended language replaces the language before it.
    while MACROLANGUAGES.contains(&&*language)
        && let Some(extended) = subtags.next_if(|next| next.len() == 3 && is_alphabetic(next))
    {
        language = extended.to_ascii_lowercase();
    }
    let mut canonical = renamed(RENAMED, &language).to_owned();
    // Extensions, which follow a single letter or digit, have no letter case of their own.
    let mut extended = false;
    for subtag in subtags {
        let plain = (1..=8).contains(&subtag.len())
            && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain {
            return None;
        }
        extended |= subtag.len() == 1;
        let subtag = cased(subtag, extended);
        canonical.push('-');
        // Only regions are upper case.
        canonical.push_str(renamed(RENAMED_REGIONS, &subtag));
    }
    // `sgn-DD` has become `sgn-DE`, which was replaced as a whole.
    Some(preferred(&canonical).map_or(canonical, str::to_owned))
}

fn is_alphabetic(subtag: &str) -> bool {
    subtag.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn renamed<'a>(table: &[(&str, &'a str)], code: &'a str) -> &'a str {
    let found = table.iter().find(|(old, _)| *old == code);
    found.map_or(code, |(_, new)| new)
}

/// RFC 5646, 2.1.1: scripts have an initial capital, regions are upper case, everything else is
/// lower case.
fn cased(subtag: &str, extended: bool) -> String {
    match subtag.len() {
        2 if !extended => subtag.to_ascii_uppercase(),
        4 if !extended && is_alphabetic(subtag) => {
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
            ("de-DD", "de-DE"),
            ("my_BU", "my-MM"),
            // Extended languages.
            ("zh-cmn-Hans-CN", "cmn-Hans-CN"),
            ("zh-yue", "yue"),
            ("ZH-GAN-HK", "gan-HK"),
            ("ar-arz-EG", "arz-EG"),
            ("sgn-ase", "ase"),
            ("zh-Hans-cmn", "zh-Hans-cmn"),
            // Registered as a whole, before the rules existed.
            ("en-GB-oed", "en-GB-oxendict"),
            ("en_gb_oed", "en-GB-oxendict"),
            ("art-lojban", "jbo"),
            ("i-klingon", "tlh"),
            ("I-LUX", "lb"),
            ("i-mingo", "i-mingo"),
            ("no-bok", "nb"),
            ("zh-min-nan", "nan"),
            ("zh-min", "zh-min"),
            ("sgn-BE-FR", "sfb"),
            ("sgn-DD", "gsg"),
            ("i-navajo,en;q=0.5", "nv"),
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
            "i-default",
            "i-romulan",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_accepted_tag_is_canonical(
            text in "[a-zA-Z]{1,9}([-_][a-zA-Z0-9]{0,9}){0,5}|(zh|sgn|ar)(-[a-zA-Z]{2,3}){0,4}|\\PC*",
        ) {
            if let Some(tag) = canonical(&text) {
                prop_assert!(tag.len() <= MAX_TAG_CHARS && tag.is_ascii());
                prop_assert_eq!(canonical(&tag), Some(tag));
            }
        }
    }
}
