//! Usernames that no creator may take: they suggest the operator, a machine or a route.
//!
//! The one rule: a word is reserved in any spelling. `s3curity`, `ad.min` and `support-team` are
//! reserved like the words in them.

/// Words of the operator, of power over others, or of pages that ask for a password.
const AUTHORITY: &[&str] = &[
    "abuse",
    "account",
    "accounts",
    "admin",
    "administration",
    "administrator",
    "admins",
    "authority",
    "billing",
    "ceo",
    "compliance",
    "contact",
    "copyright",
    "customer",
    "customercare",
    "customerservice",
    "dmca",
    "feedback",
    "footfall",
    "fraud",
    "governance",
    "help",
    "helpdesk",
    "hostmaster",
    "info",
    "legal",
    "login",
    "logout",
    "mod",
    "moderation",
    "moderator",
    "moderators",
    "mods",
    "news",
    "newsletter",
    "noreply",
    "notice",
    "notification",
    "notifications",
    "official",
    "operator",
    "ops",
    "owner",
    "password",
    "payment",
    "payments",
    "payout",
    "payouts",
    "police",
    "postmaster",
    "press",
    "privacy",
    "refund",
    "refunds",
    "root",
    "safety",
    "sales",
    "secure",
    "security",
    "service",
    "signin",
    "signout",
    "signup",
    "staff",
    "superadmin",
    "superuser",
    "support",
    "sysadmin",
    "system",
    "team",
    "trust",
    "verification",
    "verified",
    "verify",
    "webmaster",
];

/// Names of hosts, mailboxes and programs, and words for a missing value.
const INFRASTRUCTURE: &[&str] = &[
    "alertmanager",
    "anonymous",
    "autoconfig",
    "autodiscover",
    "backup",
    "bot",
    "broadcasthost",
    "cache",
    "cdn",
    "database",
    "db",
    "default",
    "dev",
    "dns",
    "everyone",
    "false",
    "ftp",
    "gateway",
    "git",
    "grafana",
    "guest",
    "host",
    "imap",
    "ingest",
    "internal",
    "isatap",
    "kafka",
    "localdomain",
    "localhost",
    "mail",
    "mailerdaemon",
    "mx",
    "nan",
    "nil",
    "nobody",
    "none",
    "ns",
    "ns1",
    "ns2",
    "null",
    "pop",
    "pop3",
    "postgres",
    "postgresql",
    "production",
    "projector",
    "prometheus",
    "proxy",
    "server",
    "sftp",
    "smtp",
    "ssh",
    "ssl",
    "staging",
    "test",
    "tls",
    "true",
    "undefined",
    "unknown",
    "user",
    "username",
    "users",
    "vpn",
    "webmail",
    "wpad",
    "www",
];

/// Names of routes, and names that a site of this kind is likely to need.
const ROUTES: &[&str] = &[
    "about",
    "analytics",
    "api",
    "app",
    "assets",
    "auth",
    "bio",
    "blog",
    "callback",
    "campaigns",
    "conversions",
    "cookies",
    "creator",
    "creators",
    "css",
    "dashboard",
    "docs",
    "download",
    "downloads",
    "embed",
    "events",
    "explore",
    "export",
    "faq",
    "favicon",
    "favicon.ico",
    "footfall.js",
    "health",
    "home",
    "images",
    "img",
    "import",
    "index",
    "index.html",
    "invite",
    "js",
    "jwks",
    "link",
    "links",
    "me",
    "metrics",
    "new",
    "oauth",
    "openapi",
    "openapi.json",
    "pricing",
    "profile",
    "public",
    "qr",
    "ready",
    "redirect",
    "register",
    "robots",
    "robots.txt",
    "schemas",
    "search",
    "session",
    "settings",
    "setup",
    "sitemap",
    "sitemap.xml",
    "sso",
    "static",
    "status",
    "terms",
    "token",
    "tos",
    "track",
    "wellknown",
    "workspace",
    "workspaces",
];

const CLASSES: [&[&str]; 3] = [AUTHORITY, INFRASTRUCTURE, ROUTES];

/// Separators of the words in a name.
pub(super) const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// True for a lower-case name that is a reserved word or consists only of such words. Words of
/// [`AUTHORITY`] also count with a number at the end and with `l` for `i`: `admin1`, `securlty`.
/// The same for other words would take `me2` and `mall` from people.
pub(super) fn is_reserved(name: &str) -> bool {
    let numbered = |c: char| c.is_ascii_digit() || SEPARATORS.contains(&c);
    let stem = name.trim_end_matches(numbered);
    says(name, &|text| is_word(text) || is_authority(text)) || says(stem, &is_authority)
}

/// True for a text that is such a word, or consists only of such words.
fn says(text: &str, is_word: &dyn Fn(&str) -> bool) -> bool {
    let words: Vec<&str> = text
        .split(SEPARATORS)
        .filter(|word| !word.is_empty())
        .collect();
    // The words together count too: `ad.min` consists of no reserved words.
    let one_by_one = !words.is_empty() && words.iter().all(|word| is_word(word));
    one_by_one || is_word(text) || is_word(&words.concat())
}

/// Whether it is a reserved word, also with digits or pairs of letters that look like its letters.
fn is_word(text: &str) -> bool {
    let listed = |text: &str| CLASSES.iter().any(|class| class.contains(&text));
    // A 1 may stand for an i or an l.
    ['i', 'l'].into_iter().any(|one| {
        let read: String = text.chars().map(|c| letter(c, one)).collect();
        listed(text) || listed(&read) || listed(&one_letter_each(&read))
    })
}

/// Whether it looks like a word of [`AUTHORITY`].
fn is_authority(text: &str) -> bool {
    let shape = |text: &str| {
        let letters = text.chars().map(|c| match letter(c, 'i') {
            // `l` and `i` look alike, so both become `i`.
            'l' => 'i',
            other => other,
        });
        one_letter_each(&letters.collect::<String>())
    };
    let looks = shape(text);
    AUTHORITY.iter().any(|word| shape(word) == looks)
}

/// The text with one letter for each pair that looks like it.
fn one_letter_each(text: &str) -> String {
    text.replace("rn", "m").replace("vv", "w")
}

/// The letter that a digit looks like.
const fn letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' => one,
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_lists_are_sorted_and_each_word_is_in_one() {
        let all: Vec<_> = CLASSES.concat();
        assert!(CLASSES.iter().all(|class| class.is_sorted()));
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn reserved_words_count_in_whatever_spelling() {
        for name in [
            "official",
            "0fficial",
            "offic1al",
            "security",
            "s3cur1ty",
            "admin",
            "adm1n",
            "4dmin",
            "adrnin",
            "ad.min",
            "a-d-m-i-n",
            "no-reply",
            "support-team",
            "footfall.support",
            "footfall_official",
            "well-known",
            "he1p",
            "vvvvvv",
            "www",
            "localhost",
            "mail",
            "favicon.ico",
            "me.api",
            "admin1",
            "admin-1",
            "adm1n2024",
            "support.24",
            "support_team7",
            "root.",
            "securlty",
            "s3curlty99",
            "officlal",
            "logln",
            "heip",
            "govemance",
            "help007",
            "admln.api",
        ] {
            assert!(is_reserved(name), "{name}");
        }
    }

    #[test]
    fn names_of_people_are_not() {
        for name in [
            "ada",
            "ada.official",
            "official.ada",
            "admina",
            "supporter",
            "mall",
            "corn",
            "modern",
            "ian",
            "lan",
            "demo",
            "team7even",
            "a1",
            "200",
            "helper",
            "theadmin",
            "nolan1",
            "adminton",
            "badminton",
            "helpful",
            "me2",
            "user1",
            "ali",
            "all",
            "nell",
            "will.1",
            "stella99",
            "lena",
            "ian7",
            "bill",
            "billy.lin",
            "sally5",
            "neil",
            "iris",
            "lilli",
            "molly2",
            "rosie",
            "carmen",
            "bernie",
            "pressley",
            "rooty",
            "trustin",
            "ada.1",
            "2.3",
            "200.1",
            "mx5",
            "css3",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
