//! Classifies hosts: search, social, email, AI or other.
//!
//! Owns the tables of well-known names. The one rule: only listed names count. An unlisted part of
//! a search engine's domain is another product of the company. A brand's name below a private
//! suffix (`google.github.io`) belongs to a customer of that suffix.

use publicsuffix::{List, Psl as _, Type};
use schemas::SourceClass::{self, Ai, Email, Other, Search, Social};
use std::sync::LazyLock;

/// Revision of the tables and of [`super::arrival`]; raise it with every change to the answers.
pub(super) const VERSION: &str = "footfall-referrers 2";

/// The Public Suffix List; see `ingest/data/NOTICE.md`.
const SUFFIXES: &str = include_str!("../../data/public_suffix_list.dat");

/// Hosts and whole domains. An entry matches itself and everything below it, and the longest wins.
/// Android apps refer as `android-app://package`, so packages are hosts here.
#[rustfmt::skip]
const HOSTS: &[(SourceClass, &[&str])] = &[
    (Search, &[
        "search.brave.com", "search.daum.net", "search.seznam.cz", "search.aol.com", "go.mail.ru",
        "nova.rambler.ru", "cdn.ampproject.org", "syndicatedsearch.goog",
        "com.google.android.googlequicksearchbox", "com.google.android.apps.searchlite",
        "com.microsoft.bing", "com.duckduckgo.mobile.android", "ru.yandex.searchplugin",
        "com.baidu.searchbox", "com.nhn.android.search",
    ]),
    (Social, &[
        "facebook.com", "fb.com", "fb.me", "fb.watch", "messenger.com", "m.me", "instagram.com", "ig.me",
        "threads.net", "threads.com", "twitter.com", "x.com", "t.co", "linkedin.com", "lnkd.in", "pin.it",
        "reddit.com", "redd.it", "tiktok.com", "snapchat.com", "youtube.com", "youtu.be", "tumblr.com",
        "vk.com", "vk.ru", "vk.me", "vkontakte.ru", "ok.ru", "weibo.com", "weibo.cn", "wechat.com",
        "weixin.qq.com", "qzone.qq.com", "whatsapp.com", "whatsapp.net", "wa.me", "telegram.org",
        "telegram.me", "t.me", "discord.com", "discord.gg", "discordapp.com", "slack.com", "quora.com",
        "twitch.tv", "mastodon.social", "mastodon.online", "mstdn.social", "bsky.app", "line.me",
        "kakao.com", "viber.com", "skype.com", "teams.microsoft.com", "clubhouse.com", "nextdoor.com",
        "xing.com", "news.ycombinator.com", "producthunt.com", "flipboard.com", "zalo.me", "band.us",
        "douban.com", "zhihu.com", "xiaohongshu.com", "xhslink.com", "douyin.com", "kuaishou.com",
        "bilibili.com", "livejournal.com", "mixi.jp", "myspace.com", "truthsocial.com", "gab.com",
        "minds.com", "lemon8-app.com", "bereal.com", "plus.google.com", "chat.google.com",
        "com.facebook.katana", "com.facebook.lite", "com.facebook.orca", "com.instagram.android",
        "com.instagram.lite", "com.instagram.barcelona", "com.twitter.android", "com.linkedin.android",
        "com.pinterest", "com.reddit.frontpage", "com.snapchat.android", "org.telegram.messenger",
        "com.whatsapp", "com.whatsapp.w4b", "com.zhiliaoapp.musically", "com.ss.android.ugc.trill",
        "com.discord", "com.slack", "com.tencent.mm", "jp.naver.line.android", "com.viber.voip",
        "com.google.android.youtube", "com.vkontakte.android", "xyz.blueskyweb.app", "com.kakao.talk",
    ]),
    (Email, &[
        "mail.google.com", "outlook.com", "outlook.live.com", "outlook.office.com",
        "outlook.office365.com", "hotmail.com", "icloud.com", "proton.me", "protonmail.com", "zoho.com",
        "zoho.eu", "fastmail.com", "hey.com", "superhuman.com", "tuta.com", "tutanota.com", "gmx.net",
        "gmx.com", "mail.com", "deref-gmx.net", "deref-gmx.com", "deref-web.de", "deref-mail.com", "e.mail.ru",
        "mailchi.mp", "list-manage.com", "sendgrid.net", "com.google.android.gm",
        "com.microsoft.office.outlook", "com.yahoo.mobile.client.android.mail",
        "com.samsung.android.email.provider", "ch.protonmail.android", "ru.mail.mailapp",
        "ru.yandex.mail",
    ]),
    (Ai, &[
        "chatgpt.com", "openai.com", "perplexity.ai", "claude.ai", "anthropic.com", "gemini.google.com",
        "bard.google.com", "notebooklm.google.com", "aistudio.google.com", "copilot.microsoft.com",
        "copilot.com", "deepseek.com", "you.com", "phind.com", "poe.com", "character.ai", "mistral.ai",
        "meta.ai", "grok.com", "x.ai", "duck.ai", "kimi.com", "kimi.ai", "moonshot.cn", "doubao.com",
        "qwen.ai", "tongyi.com", "yiyan.baidu.com", "chat.baidu.com", "pi.ai", "andisearch.com",
        "iask.ai", "felo.ai", "genspark.ai", "liner.com", "com.openai.chatgpt",
        "com.google.android.apps.bard", "ai.perplexity.app.android", "com.anthropic.claude",
        "com.microsoft.copilot", "com.deepseek.chat", "ai.x.grok",
    ]),
];

/// Search engines, each with the parts of its domain that belong to its search, besides the domain
/// itself and parts that end in `search` (`r.search.yahoo.com`). A name without a dot owns its
/// label under many suffixes: `google.co.uk`. `??` is any two letters, a country.
#[rustfmt::skip]
const ENGINES: &[(&str, &[&str])] = &[
    ("google", &[
        "images", "news", "scholar", "books", "video", "cse", "encrypted", "lens", "ipv4", "ipv6", "m",
    ]),
    ("bing", &["??", "m", "global", "images", "www2", "www4"]),
    ("yahoo", &["??", "m"]),
    ("yandex", &["m", "images", "clck"]),
    ("ya.ru", &["m"]),
    ("duckduckgo.com", &["html", "lite", "start", "safe", "noai"]),
    ("baidu.com", &["m", "wap", "image", "v"]),
    ("naver.com", &["m", "cr", "cr2", "cr3"]),
    ("sogou.com", &["m", "wap", "pic", "weixin"]),
    ("so.com", &["m", "image", "video"]),
    ("sm.cn", &["m", "so"]),
    ("ecosia.org", &[]),
    ("qwant.com", &["lite"]),
    ("startpage.com", &["??", "eu"]),
    ("ask.com", &["??"]),
    ("kagi.com", &[]),
    ("mojeek.com", &[]),
    ("swisscows.com", &[]),
    ("presearch.com", &[]),
    ("dogpile.com", &[]),
    ("metager.org", &[]),
    ("metager.de", &[]),
    ("petalsearch.com", &[]),
    ("coccoc.com", &[]),
    ("lycos.com", &[]),
];

/// Other brands that own their label under many public suffixes (`pinterest.de`), with all
/// subdomains.
const LABELS: &[(&str, SourceClass)] = &[("pinterest", Social)];

/// Labels of hosts that serve mail or count its clicks, at any provider: `eu.mail.yahoo.com`.
const MAIL_LABELS: &[&str] = &["mail", "webmail", "email", "poczta", "roundcube", "owa"];

/// The class of a host, given as in [`super::referrer::Referrer::domain`], in any case, with or
/// without the root's dot.
pub(super) fn classify(domain: &str) -> SourceClass {
    let domain = domain
        .strip_suffix('.')
        .unwrap_or(domain)
        .to_ascii_lowercase();
    listed(&domain)
        .or_else(|| engine(&domain).then_some(Search))
        .or_else(|| mail(&domain).then_some(Email))
        .or_else(|| {
            let (_, label) = brand(&domain)?;
            LABELS
                .iter()
                .find(|(known, _)| *known == label)
                .map(|(_, class)| *class)
        })
        .unwrap_or(Other)
}

/// The list, parsed once. It is text, because the compiler needs half a minute for the list as
/// code.
fn suffixes() -> &'static List {
    static LIST: LazyLock<List> = LazyLock::new(|| SUFFIXES.parse().unwrap_or_default());
    &LIST
}

/// Parses the list of suffixes now, so that no visit waits for it.
pub(super) fn load() {
    let _ = suffixes();
}

/// The suffix of a host under which a registry sells names (`co.uk`). Private suffixes do not
/// count.
fn public_suffix(host: &str) -> Option<&str> {
    let suffix = suffixes().suffix(host.as_bytes())?;
    if suffix.typ() != Some(Type::Icann) {
        return None;
    }
    std::str::from_utf8(suffix.as_bytes()).ok()
}

/// True when the host is a name below a public suffix, so it names a website.
pub(super) fn is_site(host: &str) -> bool {
    public_suffix(host).is_some_and(|suffix| suffix.len() < host.len())
}

fn engine(domain: &str) -> bool {
    let is_search = |below: &str, parts: &[&str]| {
        let mut labels = below.rsplit('.');
        below.is_empty()
            || below == "www"
            || labels.next() == Some("search")
            || parts.iter().any(|part| fits(part, below))
    };
    let (below, label) = brand(domain).unwrap_or_default();
    ENGINES.iter().any(|(name, parts)| {
        if name.contains('.') {
            domain.strip_suffix(name).is_some_and(|below| {
                below.is_empty()
                    || below
                        .strip_suffix('.')
                        .is_some_and(|below| is_search(below, parts))
            })
        } else {
            *name == label && is_search(below, parts)
        }
    })
}

fn fits(part: &str, below: &str) -> bool {
    part == below || (part == "??" && below.len() == 2)
}

/// The labels before a brand's domain, and the brand's label, under `com` and country suffixes.
/// Under other suffixes a brand has other products, or does not own the name (`google.dev`).
fn brand(domain: &str) -> Option<(&str, &str)> {
    let suffix = public_suffix(domain)?;
    let country = suffix.rsplit('.').next()?.len() == 2;
    if suffix != "com" && !country {
        return None;
    }
    let before = domain.strip_suffix(suffix)?.strip_suffix('.')?;
    Some(before.rsplit_once('.').unwrap_or(("", before)))
}

fn mail(domain: &str) -> bool {
    // Only labels before the registrable domain count, so a site named `mail` is not a mail host.
    let own = suffixes().domain(domain.as_bytes());
    let before = own
        .and_then(|own| domain.get(..domain.len() - own.as_bytes().len()))
        .unwrap_or_default();
    before.split('.').any(|label| MAIL_LABELS.contains(&label))
}

/// The class of the longest listed name that equals the host or a parent of it.
fn listed(domain: &str) -> Option<SourceClass> {
    // From the whole host to its parents, so the longest name wins.
    let below = domain.match_indices('.').map(|(at, _)| at + 1);
    std::iter::once(0)
        .chain(below)
        .filter_map(|at| domain.get(at..))
        .find_map(|name| {
            HOSTS
                .iter()
                .find(|(_, names)| names.contains(&name))
                .map(|(class, _)| *class)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_suffixes_is_complete() {
        SUFFIXES.parse::<List>().unwrap();
        for (host, suffix) in [
            ("www.google.co.uk", Some("co.uk")),
            ("example.com", Some("com")),
            ("xn--fiqs8s", Some("xn--fiqs8s")),
            ("site.xn--fiqs8s", Some("xn--fiqs8s")),
            ("www.ck", Some("ck")),
            ("a.b.kobe.jp", Some("b.kobe.jp")),
            ("footfall.github.io", None),
            ("localhost", None),
        ] {
            assert_eq!(public_suffix(host), suffix, "{host}");
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut seen = std::collections::HashSet::new();
        for name in HOSTS.iter().flat_map(|(_, names)| names.iter()) {
            assert!(seen.insert(name), "{name} is listed twice");
            assert_eq!(*name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn well_known_hosts_have_their_class() {
        for (domain, class) in [
            ("google.com", Search),
            ("google.co.uk", Search),
            ("google.com.tr", Search),
            ("news.google.com", Search),
            ("r.search.yahoo.com", Search),
            ("yandex.com.tr", Search),
            ("cn.bing.com", Search),
            ("duckduckgo.com", Search),
            ("search.brave.com", Search),
            ("com.google.android.googlequicksearchbox", Search),
            ("l.instagram.com", Social),
            ("lm.facebook.com", Social),
            ("out.reddit.com", Social),
            ("t.co", Social),
            ("pinterest.co.uk", Social),
            ("com.Slack", Social),
            ("org.telegram.messenger", Social),
            ("mail.google.com", Email),
            ("mail.yahoo.co.jp", Email),
            ("webmail.example.org", Email),
            ("com.google.android.gm", Email),
            ("chatgpt.com", Ai),
            ("chat.openai.com", Ai),
            ("gemini.google.com", Ai),
            ("chat.deepseek.com", Ai),
            ("docs.google.com", Other),
            ("google.github.io", Other),
            ("google.blogspot.com", Other),
            ("yandex.herokuapp.com", Other),
            ("pinterest.netlify.app", Other),
            ("google.dev", Other),
            ("myaccount.google.com", Other),
            ("accounts.google.com.tr", Other),
            ("support.google.com", Other),
            ("cloud.google.com", Other),
            ("play.google.com", Other),
            ("translate.google.de", Other),
            ("images.google.de", Search),
            ("uk.search.yahoo.com", Search),
            ("tr.yahoo.com", Search),
            ("finance.yahoo.com", Other),
            ("login.yahoo.com", Other),
            ("eu.mail.yahoo.com", Email),
            ("mail.yandex.com.tr", Email),
            ("passport.yandex.ru", Other),
            ("id.yandex.ru", Other),
            ("m.search.naver.com", Search),
            ("blog.naver.com", Other),
            ("pan.baidu.com", Other),
            ("m.baidu.com", Search),
            ("account.kagi.com", Other),
            ("xkagi.com", Other),
            ("tr.pinterest.com", Social),
            ("instagram.com.", Social),
            ("www.Google.com.TR.", Search),
            ("click.email.shop.example.com", Email),
            ("mail.github.io", Other),
            ("example.com", Other),
            ("notgoogle.com", Other),
            ("google.example.com", Other),
            ("nott.co", Other),
            ("google", Other),
            (".", Other),
            ("", Other),
            ("localhost", Other),
            ("[::1]", Other),
            ("127.0.0.1", Other),
            ("co.uk", Other),
        ] {
            assert_eq!(classify(domain), class, "{domain}");
        }
    }
}
