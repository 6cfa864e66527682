//! Names that no creator may take, because visitors would take them for the operator, a machine or a route.
//!
//! The one rule: a word counts in any spelling. `s3curity`, `ad.min` and `support-team` are reserved like
//! the words they are made of.

/// Words that speak for the operator, or for a power over others.
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

/// Names that are routes, or that a site of this kind soon has.
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
    "login",
    "logout",
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
    "search",
    "session",
    "settings",
    "setup",
    "signin",
    "signout",
    "signup",
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

/// What may separate the words of a name.
pub(super) const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// True for a name, in lower case, that is such a word or is made of nothing but such words.
pub(super) fn is_reserved(name: &str) -> bool {
    let words = || name.split(SEPARATORS).filter(|word| !word.is_empty());
    let joined: String = words().collect();
    is_word(name) || is_word(&joined) || words().all(is_word)
}

/// Whether it is one of the words, also with digits or pairs of letters that look like its letters.
fn is_word(text: &str) -> bool {
    let listed = |text: &str| CLASSES.iter().any(|class| class.contains(&text));
    // A 1 may be meant as either.
    ['i', 'l'].into_iter().any(|one| {
        let read: String = text.chars().map(|c| letter(c, one)).collect();
        listed(text) || listed(&read) || listed(&read.replace("rn", "m").replace("vv", "w"))
    })
}

/// The letter that a digit is written for.
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
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
