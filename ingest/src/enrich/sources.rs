//! What kind of place a referring host is: search, social, email, AI or other.
//!
//! Owns the table of well-known names. The one rule: the answer follows from the stored
//! `referrer_domain` alone, so that a newer table can be applied to an old log.

use schemas::SourceClass::{self, Ai, Email, Other, Search, Social};

/// Revision of the table; raise it with every change to the answers.
pub(super) const VERSION: &str = "footfall-referrers 1";

/// Hosts and whole domains: an entry stands for itself and everything below it, the longest wins.
/// Android apps refer as `android-app://package`, so packages are hosts here.
#[rustfmt::skip]
const HOSTS: &[(SourceClass, &[&str])] = &[
    (Search, &[
        "duckduckgo.com", "html.duckduckgo.com", "baidu.com", "ya.ru", "ecosia.org", "qwant.com",
        "startpage.com", "search.brave.com", "naver.com", "search.daum.net", "search.seznam.cz",
        "sogou.com", "so.com", "sm.cn", "ask.com", "search.aol.com", "kagi.com", "mojeek.com",
        "swisscows.com", "presearch.com", "dogpile.com", "metager.org", "metager.de", "petalsearch.com",
        "coccoc.com", "go.mail.ru", "nova.rambler.ru", "lycos.com", "cdn.ampproject.org",
        "syndicatedsearch.goog", "com.google.android.googlequicksearchbox",
        "com.google.android.apps.searchlite", "com.microsoft.bing", "com.duckduckgo.mobile.android",
        "ru.yandex.searchplugin", "com.baidu.searchbox", "com.nhn.android.search",
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
    // Parts of the names above and below that are something else.
    (Other, &[
        "docs.google.com", "drive.google.com", "sites.google.com", "classroom.google.com",
        "calendar.google.com", "meet.google.com", "translate.google.com", "groups.google.com",
        "maps.google.com", "play.google.com", "accounts.google.com", "blog.naver.com", "cafe.naver.com",
        "pan.baidu.com", "tieba.baidu.com", "disk.yandex.ru", "translate.yandex.ru", "finance.yahoo.com",
        "news.yahoo.com", "shopping.yahoo.co.jp", "auctions.yahoo.co.jp",
    ]),
];

/// Names that own their label under many public suffixes (`google.co.uk`, `pinterest.de`).
const LABELS: &[(&str, SourceClass)] = &[
    ("google", Search),
    ("bing", Search),
    ("yahoo", Search),
    ("yandex", Search),
    ("pinterest", Social),
];

/// First labels of hosts that serve mail, whoever runs them.
const MAIL_LABELS: &[&str] = &["mail", "webmail", "email", "poczta", "roundcube", "owa"];

/// What kind of place a host is, given as [`super::referrer::Referrer::domain`] has it, in any case.
pub(super) fn classify(domain: &str) -> SourceClass {
    let domain = domain.to_ascii_lowercase();
    listed(&domain)
        .or_else(|| {
            let (first, rest) = domain.split_once('.')?;
            (MAIL_LABELS.contains(&first) && rest.contains('.')).then_some(Email)
        })
        .or_else(|| {
            let label = psl::domain_str(&domain)?.split('.').next()?;
            LABELS
                .iter()
                .find(|(known, _)| *known == label)
                .map(|(_, class)| *class)
        })
        .unwrap_or(Other)
}

/// The class of the longest listed name that the host is or is below.
fn listed(domain: &str) -> Option<SourceClass> {
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
    fn no_name_stands_twice() {
        let mut seen = std::collections::HashSet::new();
        for name in HOSTS.iter().flat_map(|(_, names)| names.iter()) {
            assert!(seen.insert(name), "{name} stands twice");
            assert_eq!(*name, name.to_ascii_lowercase());
        }
    }

    #[test]
    fn well_known_places_are_what_they_are() {
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
            ("example.com", Other),
            ("notgoogle.com", Other),
            ("google.example.com", Other),
            ("nott.co", Other),
            ("localhost", Other),
            ("[::1]", Other),
            ("127.0.0.1", Other),
            ("co.uk", Other),
        ] {
            assert_eq!(classify(domain), class, "{domain}");
        }
    }
}
