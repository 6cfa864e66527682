//! Languages: the one that a client prefers, and whether it is a rule's.

use crate::values::Spelling;

/// Longest header that is read. Browsers send less than 200 bytes.
const MAX_HEADER_BYTES: usize = 1_024;

/// A language as rules compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    language: Box<str>,
    script: Option<Box<str>>,
    region: Option<Box<str>>,
}

impl Tag {
    /// Reads a tag of language, script and region. `None` for anything else: a variant would be
    /// ignored in silence.
    pub(super) fn of_rule(text: &str) -> Option<Self> {
        let canonical = Spelling::Language.of(text)?;
        let (tag, rest) = Self::parts(&canonical)?;
        rest.is_empty().then_some(tag)
    }

    /// The language that a client prefers: the entry with the highest `q`, the first of equals. `*`
    /// names no language.
    pub(super) fn preferred(header: &str) -> Option<Self> {
        let cut = header.floor_char_boundary(MAX_HEADER_BYTES);
        let header = header.get(..cut)?;
        let mut best: Option<(&str, f32)> = None;
        for entry in header.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| {
                let (name, value) = part.split_once('=')?;
                let value = value.trim();
                name.trim().eq_ignore_ascii_case("q").then_some(value)
            });
            let quality = match quality.map(str::parse::<f32>) {
                None => 1.0,
                Some(Ok(quality)) if (0.0..=1.0).contains(&quality) => quality,
                Some(_) => 0.0,
            };
            let is_better = best.is_none_or(|(_, known)| quality > known);
            if !tag.is_empty() && quality > 0.0 && is_better {
                best = Some((tag, quality));
            }
        }
        let canonical = Spelling::Language.of(best?.0)?;
        Self::parts(&canonical).map(|(tag, _)| tag)
    }

    /// Splits a canonical tag. The second part holds what a rule does not compare.
    fn parts(canonical: &str) -> Option<(Self, Vec<&str>)> {
        let mut subtags = canonical.split('-').peekable();
        let language = subtags.next()?;
        let is_alphabetic = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let script = subtags.next_if(|next| next.len() == 4 && is_alphabetic(next));
        let region = subtags.next_if(|next| {
            (next.len() == 2 && is_alphabetic(next))
                || (next.len() == 3 && next.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let tag = Self {
            // Mandarin is what `zh` means where nothing else is said.
            language: if language == "cmn" { "zh" } else { language }.into(),
            script: script.map(Into::into),
            region: region.map(Into::into),
        };
        Some((tag, subtags.collect()))
    }

    /// True if a client's language is this one. `en` includes `en-GB`, and `zh-TW` is `zh-Hant`.
    pub(super) fn includes(&self, client: &Self) -> bool {
        let fits = |own: Option<&str>, theirs: Option<&str>| own.is_none() || own == theirs;
        self.language == client.language
            && fits(self.region.as_deref(), client.region.as_deref())
            && fits(self.script.as_deref(), client.likely_script())
    }

    /// The script of a tag, also where it goes without saying.
    fn likely_script(&self) -> Option<&str> {
        if let Some(script) = &self.script {
            return Some(script);
        }
        match (&*self.language, self.region.as_deref()) {
            ("zh", Some("TW" | "HK" | "MO")) | ("yue", _) => Some("Hant"),
            ("zh", _) => Some("Hans"),
            ("sr", Some("ME")) | ("uz" | "az" | "bs" | "hr", _) => Some("Latn"),
            ("sr", _) => Some("Cyrl"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(rule: &str, header: &str) -> bool {
        let client = Tag::preferred(header);
        client.is_some_and(|client| Tag::of_rule(rule).unwrap().includes(&client))
    }

    #[test]
    fn only_the_preferred_language_counts() {
        for (rule, header, expected) in [
            ("en", "it-IT,it;q=0.9,en;q=0.8", false),
            ("it", "it-IT,it;q=0.9,en;q=0.8", true),
            ("de", "*", false),
            ("de", "", false),
            ("de", "de;q=0", false),
            ("de", "en;q=0.1,de;q=0", false),
            ("en", "de;q=0.2,en;q=0.9", true),
            ("de", "de;q=0.5,en;q=0.5", true),
            ("de", "*;q=0.9,de;q=0.5", false),
            ("de", "de ; q = 0.5 , en;q=0.1", true),
            ("de", "de;q=abc,en;q=0.1", false),
            ("en", "en-GB", true),
            ("en-GB", "en", false),
            ("en-GB", "EN_gb", true),
            ("zh-Hant", "zh-TW", true),
            ("zh-Hant", "zh-HK,zh;q=0.9", true),
            ("zh-Hans", "zh", true),
            ("zh-Hans", "zh-Hant-CN", false),
            ("zh-TW", "zh-Hant-TW", true),
            ("zh", "cmn-Hans-CN", true),
            ("de", "de-1996", true),
        ] {
            assert_eq!(includes(rule, header), expected, "{rule}: {header}");
        }
    }

    #[test]
    fn a_rule_names_language_script_and_region_only() {
        for text in [
            "",
            "english",
            "de-1996",
            "*",
            "en-GB-oed",
            "x-klingon",
            "12",
        ] {
            assert_eq!(Tag::of_rule(text), None, "{text}");
        }
        for text in ["de", "de-DE", "zh-hant-tw", "es-419", "iw"] {
            assert!(Tag::of_rule(text).is_some(), "{text}");
        }
    }
}
