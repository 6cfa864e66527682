//! Language tags from before the rules of BCP 47, and their replacements.
//!
//! The one rule: the list has a tag if the registry (IANA's language subtag registry) registered it
//! as a whole and its parts do not give its meaning.

/// The tag in lower case, and its "Preferred-Value", or the tag itself if the registry names none.
/// All tags of type "grandfathered" except `i-default`, which names no language, and the sign
/// languages of type "redundant".
#[rustfmt::skip]
const TAGS: &[(&str, &str)] = &[
    ("art-lojban", "jbo"), ("cel-gaulish", "cel-gaulish"), ("en-gb-oed", "en-GB-oxendict"), ("i-ami", "ami"),
    ("i-bnn", "bnn"), ("i-enochian", "i-enochian"), ("i-hak", "hak"), ("i-klingon", "tlh"), ("i-lux", "lb"),
    ("i-mingo", "i-mingo"), ("i-navajo", "nv"), ("i-pwn", "pwn"), ("i-tao", "tao"), ("i-tay", "tay"),
    ("i-tsu", "tsu"), ("no-bok", "nb"), ("no-nyn", "nn"), ("sgn-be-fr", "sfb"), ("sgn-be-nl", "vgt"),
    ("sgn-br", "bzs"), ("sgn-ch-de", "sgg"), ("sgn-co", "csn"), ("sgn-de", "gsg"), ("sgn-dk", "dsl"),
    ("sgn-es", "ssp"), ("sgn-fr", "fsl"), ("sgn-gb", "bfi"), ("sgn-gr", "gss"), ("sgn-ie", "isg"),
    ("sgn-it", "ise"), ("sgn-jp", "jsl"), ("sgn-mx", "mfs"), ("sgn-ni", "ncs"), ("sgn-nl", "dse"),
    ("sgn-no", "nsl"), ("sgn-pt", "psr"), ("sgn-se", "swl"), ("sgn-us", "ase"), ("sgn-za", "sfs"),
    ("zh-guoyu", "cmn"), ("zh-hakka", "hak"), ("zh-min", "zh-min"), ("zh-min-nan", "nan"), ("zh-xiang", "hsn"),
];

/// The current form of a whole tag, in any letter case.
pub(super) fn preferred(tag: &str) -> Option<&'static str> {
    TAGS.iter()
        .find(|(old, _)| old.eq_ignore_ascii_case(tag))
        .map(|(_, new)| *new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_are_sorted_and_in_lower_case() {
        assert!(TAGS.is_sorted());
        for (old, new) in TAGS {
            assert_eq!(*old, old.to_ascii_lowercase());
            // No replacement is itself replaced.
            assert!(preferred(new).is_none_or(|again| again == *new), "{old}");
        }
    }
}
