//! Recognises mistyped settings in the environment, and suggests the setting that was meant.

use super::Declared;

/// Prefix of variables between the test suite and its programs.
const TESTS: &str = "FOOTFALL_TEST_";
/// Most wrong letters in a name that is still recognised.
const MAX_SLIPS: usize = 3;
/// The same for a name that may belong to other software.
pub(crate) const SHARED_SLIPS: usize = 2;

/// Whose name a variable of the environment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A setting, or one of a family that its reader checks.
    Setting,
    /// Another program's.
    Foreign,
    /// It looks like a setting, but is unknown.
    Mistaken,
}

/// Classifies a name of the environment.
pub(crate) fn look_at(name: &str, declared: &Declared) -> Name {
    if declared.is_known(name) {
        return Name::Setting;
    }
    if name.starts_with(TESTS) || is_service_link(name) {
        return Name::Foreign;
    }
    let first_word = name.split('_').next().unwrap_or_default();
    // Only a name with the first word of a setting can be a mistyped setting.
    let like_ours = declared
        .names()
        .any(|known| known.split('_').next() == Some(first_word));
    let shared = declared.shares(first_word);
    if like_ours && (!shared || nearest(name, declared.names(), SHARED_SLIPS).is_some()) {
        Name::Mistaken
    } else {
        Name::Foreign
    }
}

/// True for variables that container platforms set for a service of such a name, for example
/// `FOOTFALL_SERVICE_HOST` and `API_PORT_8083_TCP_ADDR`.
pub(crate) fn is_service_link(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_number = |word: &&str| word.parse::<u16>().is_ok();
    let ends = |end: &[&str]| words.len() > end.len() && words.ends_with(end);
    let port = words.windows(3).any(|part| {
        part.first() == Some(&"PORT")
            && part.get(1).is_some_and(is_number)
            && matches!(part.get(2), Some(&("TCP" | "UDP")))
    });
    let service_port = words.windows(2).any(|part| part == ["SERVICE", "PORT"]);
    ends(&["SERVICE", "HOST"]) || ends(&["PORT"]) || service_port || port
}

/// The known name that was most likely meant, if any.
pub(crate) fn nearest<'a>(
    name: &str,
    known: impl Iterator<Item = &'a str>,
    slips: usize,
) -> Option<&'a str> {
    // Of a short name, a few changed letters leave nothing.
    let slips = slips.min(name.len() / 5);
    let known = known.map(|known| (distance(name, known), known));
    let (distance, nearest) = known.min_by_key(|(distance, _)| *distance)?;
    (distance <= slips).then_some(nearest)
}

/// Suggests the name that was meant, or where to look.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known, MAX_SLIPS).map_or_else(
        || "`--help` lists the settings".to_owned(),
        |nearest| format!("the nearest one is {nearest}"),
    )
}

/// How many letters must be inserted, deleted or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // One row of the table is enough, with the values at the left and on the diagonal.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (to, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let change = diagonal + usize::from(from != *to);
            diagonal = *above;
            left = change.min(diagonal + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_recognised_and_a_foreign_name_is_not() {
        let declared = Declared::of(
            [],
            "FOOTFALL_LISTEN\nJWT_ISSUER\nRATE_LIMITS\nCORS_ORIGINS\nDATABASE_URL\nTRACKING_HMAC_SECRET\n\
             HTTP_IDLE_TIMEOUT\nAPI_LISTEN\nID_SECRET\nLOG_FORMAT\nRUST_LOG\nINGEST_LISTEN",
        )
        .sharing(&["DATABASE", "HTTP", "API", "ID", "LOG", "RUST", "TRACKING"]);
        let known = || declared.names();
        for (name, expected) in [
            ("FOOTFALL_LISTEN", Name::Setting),
            ("KAFKA_ANYTHING", Name::Setting),
            ("RATE_LIMIT_NOSUCH", Name::Setting),
            ("FOOTFALL_LISTENN", Name::Mistaken),
            ("FOOTFALL_COLOUR", Name::Mistaken),
            ("FOOTFALL", Name::Mistaken),
            ("JWT_EXPIRY", Name::Mistaken),
            ("RATE_LIMITS_ANALYTICS", Name::Mistaken),
            ("CORS_ORIGIN", Name::Mistaken),
            ("DATABASE_URLL", Name::Mistaken),
            ("TRACKING_HMAC_SECRETS", Name::Mistaken),
            ("DATABASE_POOL_SIZE", Name::Foreign),
            ("HTTP_PROXY", Name::Foreign),
            ("API_KEY", Name::Foreign),
            ("ID", Name::Foreign),
            ("LOG_LEVEL", Name::Foreign),
            ("RUST_BACKTRACE", Name::Foreign),
            ("FOOTFALL_TEST_PROGRAM", Name::Foreign),
            ("FOOTFALL_SERVICE_HOST", Name::Foreign),
            ("FOOTFALL_SERVICE_PORT_HTTP", Name::Foreign),
            ("FOOTFALL_PORT", Name::Foreign),
            ("INGEST_PORT_8081_TCP_ADDR", Name::Foreign),
            ("PATH", Name::Foreign),
        ] {
            assert_eq!(look_at(name, &declared), expected, "{name}");
        }
        assert_eq!(
            hint("FOOTFALL_LISTENN", known()),
            "the nearest one is FOOTFALL_LISTEN"
        );
        assert_eq!(
            hint("CORS_ORIGIN", known()),
            "the nearest one is CORS_ORIGINS"
        );
        assert_eq!(
            hint("FOOTFALL_COLOUR", known()),
            "`--help` lists the settings"
        );
    }

    #[test]
    fn the_distance_counts_changed_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
