//! Shows a host to visitors: in Unicode if that cannot deceive, else in ASCII.
//!
//! The one rule: a label is shown in Unicode if all its letters belong to one script that is listed
//! here. Latin letters that look like plain ones are not in the list. Cyrillic and Greek labels
//! need a letter that looks like no Latin one. Scripts written from right to left stay in ASCII,
//! because they would change the reading order of the labels beside them.

/// A host with its safely readable labels in Unicode. `host` is in ASCII, as in URLs.
pub(super) fn shown(host: &str) -> String {
    let labels: Vec<String> = host.split('.').map(label).collect();
    labels.join(".")
}

fn label(ascii: &str) -> String {
    if !ascii.starts_with("xn--") {
        return ascii.to_owned();
    }
    let (unicode, valid) = idna::domain_to_unicode(ascii);
    if valid.is_ok() && is_unmistakable(&unicode) {
        unicode
    } else {
        ascii.to_owned()
    }
}

/// A script: its letters, and which of them look like no letter of another script.
struct Script {
    has: fn(char) -> bool,
    is_distinct: fn(char) -> bool,
}

const SCRIPTS: &[Script] = &[
    // Latin, without dotless i, kra, and letters whose stroke is easily overlooked.
    Script {
        has: |c| {
            c.is_ascii_lowercase()
                || (matches!(c, 'ß'..='ö' | 'ø'..='ž')
                    && !matches!(c, 'đ' | 'ħ' | 'ı' | 'ĸ' | 'ŀ' | 'ł' | 'ŉ' | 'ŧ'))
        },
        is_distinct: |_| true,
    },
    // Greek.
    Script {
        has: |c| matches!(c, 'ΐ' | 'ά'..='ώ'),
        is_distinct: |c| "δζθλξπφψσςεμ".contains(c),
    },
    // Cyrillic.
    Script {
        has: |c| matches!(c, 'а'..='џ' | 'ґ'),
        is_distinct: |c| "бджзийлфцчшщъыэюяђєїљњћџґ".contains(c),
    },
    // Chinese and Japanese.
    Script {
        has: |c| matches!(c, '\u{3005}' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | 'ー' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'),
        is_distinct: |c| !matches!(c, 'ー' | 'ノ' | '一' | '丨' | '丶' | '丿'),
    },
    // Korean.
    Script {
        has: |c| matches!(c, '가'..='힣'),
        is_distinct: |_| true,
    },
    // Thai.
    Script {
        has: |c| matches!(c, 'ก'..='\u{e3a}' | 'เ'..='\u{e4e}'),
        is_distinct: |_| true,
    },
];

fn is_unmistakable(label: &str) -> bool {
    let letters = || label.chars().filter(|c| !c.is_ascii_digit() && *c != '-');
    SCRIPTS
        .iter()
        .any(|script| letters().all(script.has) && letters().any(script.is_distinct))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    /// The host of an address, as it is shown.
    fn of(unicode: &str) -> String {
        let url = Url::parse(&format!("https://{unicode}/")).unwrap();
        shown(url.host_str().unwrap())
    }

    #[test]
    fn hosts_are_shown_in_their_own_letters() {
        for host in [
            "bücher.example",
            "straße.example",
            "café-2.example",
            "şükrü.example.com.tr",
            "žluťoučký.example",
            "россия.рф",
            "παράδειγμα.ελ",
            "例え.テスト",
            "食狮.公司.cn",
            "한국.kr",
            "ไทย.example",
            "example.com",
            "127.0.0.1",
            "[2001:db8::1]",
        ] {
            assert_eq!(of(host), host);
        }
        assert_eq!(of("B\u{fc}cher.Example"), "bücher.example");
    }

    #[test]
    fn deceptive_hosts_stay_in_ascii() {
        for host in [
            "аррӏе.com",     // all Cyrillic, and all like Latin
            "сосо.com",      // likewise
            "pаypal.com",    // one Cyrillic letter
            "gοοgle.com",    // Greek omicrons
            "ınstagram.com", // dotless i
            "faceboоk.com",
            "кс.example",
            "comノlogin.example",
            "ノー.example",
            "a\u{301}\u{327}x.example", // marks that no letter of the list has
            "ǃkung.example",
            "հոտ.example",
            "דוגמה.example",
            "مثال.example",
            "ᴘaypal.example",
            "bücher日本.example",
        ] {
            let shown = of(host);
            assert!(shown.is_ascii(), "{host} is shown as {shown}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_host_leads_to_the_same_host(label in "[a-zа-яα-ωぁ-ゖ一-龥가-힣ü0-9-]{1,8}") {
            if let Ok(url) = Url::parse(&format!("https://x{label}.example/")) {
                let host = url.host_str().unwrap();
                let again = Url::parse(&format!("https://{}/", shown(host))).unwrap();
                prop_assert_eq!(again.host_str().unwrap(), host);
            }
        }
    }
}
