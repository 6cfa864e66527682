//! Tests real agents of machines, and that no list refuses people.

use super::{
    Agents, BotSignals, PurposeHeaders,
    agent_tests::PEOPLE,
    bots::{BotRules, exceptions},
};

const CRAWLER: BotSignals = BotSignals::CRAWLER;
const PREVIEW: BotSignals = BotSignals::LINK_PREVIEW;
const LIBRARY: BotSignals = BotSignals::HTTP_LIBRARY;
const HEADLESS: BotSignals = BotSignals::HEADLESS;
const MONITOR: BotSignals = BotSignals::MONITOR;
const DECLARED: BotSignals = BotSignals::SELF_DECLARED;

/// A reason that must be found, and the agent.
#[rustfmt::skip]
const MACHINES: &[(BotSignals, &str)] = &[
    (CRAWLER, "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    (CRAWLER, "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.61 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    (CRAWLER, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36"),
    (CRAWLER, "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)"),
    (CRAWLER, "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"),
    (CRAWLER, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"),
    (CRAWLER, "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)"),
    (CRAWLER, "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)"),
    (CRAWLER, "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)"),
    (CRAWLER, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"),
    (CRAWLER, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot"),
    (CRAWLER, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)"),
    (CRAWLER, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)"),
    (CRAWLER, "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)"),
    (CRAWLER, "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; TikTokSpider; ttspider-feedback@tiktok.com)"),
    (CRAWLER, "CCBot/2.0 (https://commoncrawl.org/faq/)"),
    (CRAWLER, "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)"),
    (PREVIEW, "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    (PREVIEW, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0"),
    (PREVIEW, "WhatsApp/2.23.20.0 A"),
    (PREVIEW, "WhatsApp/2.2587.9 W"),
    (PREVIEW, "Twitterbot/1.0"),
    (PREVIEW, "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"),
    (PREVIEW, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    (PREVIEW, "TelegramBot (like TwitterBot)"),
    (PREVIEW, "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"),
    (PREVIEW, "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)"),
    (PREVIEW, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/97.0.4692.71 Safari/537.36 SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"),
    (PREVIEW, "Viber"),
    (PREVIEW, "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b"),
    (LIBRARY, "curl/8.7.1"),
    (LIBRARY, "Wget/1.21.4"),
    (LIBRARY, "python-requests/2.32.3"),
    (LIBRARY, "Python/3.12 aiohttp/3.9.5"),
    (LIBRARY, "Go-http-client/2.0"),
    (LIBRARY, "okhttp/4.12.0"),
    (LIBRARY, "axios/1.7.2"),
    (LIBRARY, "node"),
    (LIBRARY, "Java/17.0.11"),
    (LIBRARY, "PostmanRuntime/7.39.0"),
    (HEADLESS, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36"),
    (HEADLESS, "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1"),
    (MONITOR, "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"),
    (MONITOR, "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)"),
    (MONITOR, "Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse"),
    (MONITOR, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36 GTmetrix"),
    (HEADLESS, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Prerender (+https://github.com/prerender/prerender)"),
    (HEADLESS, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Prerender"),
    (HEADLESS, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)"),
    (HEADLESS, "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/602.1 (KHTML, like Gecko) wkhtmltopdf Version/10.0 Safari/602.1"),
    (HEADLESS, "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/24.0.0"),
    (DECLARED, "Mozilla/5.0 (compatible; FacebookCatalog/1.0; +https://developers.facebook.com/docs/sharing)"),
    (DECLARED, "Mozilla/5.0 (compatible; Tidings/2; https://tidings.example/about)"),
    (DECLARED, "Mozilla/5.0 (compatible; Tidings/2; hello@tidings.example)"),
    (DECLARED, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 (+https://tidings.example/)"),
    (DECLARED, "Tidings/2 (+http://tidings.example)"),
    (DECLARED, "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41.0.2272.96 Mobile Safari/537.36 (compatible; NobodyKnowsThisBot/0.1)"),
    (DECLARED, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7; UnheardBot) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36"),
    (DECLARED, "Mozilla/5.0 (compatible; NobodyKnowsThisBot/0.1)"),
    (DECLARED, "Mozilla/5.0 (compatible; Tidings/2.0)"),
    (DECLARED, "Mozilla/5.0 (compatible; Site Tidings/v2 beta)"),
    (DECLARED, "Mozilla/4.0 (Compatible;Tidings/2)"),
    (DECLARED, "acme-crawler/1.0"),
    (DECLARED, "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.21 (KHTML, like Gecko) adspider Safari/537.21"),
];

fn judge(agent: &str) -> BotSignals {
    Agents::bundled().unwrap().parse(Some(agent)).signals()
}

#[test]
fn machines_are_refused_for_the_right_reason() {
    for (reason, agent) in MACHINES {
        let signals = judge(agent);
        assert!(signals.refuses(), "{agent}");
        assert!(signals.contains(*reason), "{signals:?} {agent}");
    }
}

#[test]
fn names_that_people_carry_are_only_signals() {
    let listed = PEOPLE
        .iter()
        .filter(|(.., agent)| judge(agent).contains(BotSignals::LISTED_NAME));
    assert!(
        listed.count() >= 5,
        "the table should have agents that the list is wrong about"
    );
}

#[test]
fn a_careless_pattern_does_not_refuse_the_in_app_browsers() {
    let rules = BotRules::compile("scanner\tMobile\nseo\tCPH\nscanner\tCustomsOffice").unwrap();
    for (.., agent) in PEOPLE
        .iter()
        .filter(|(.., agent)| agent.contains("Instagram ") && agent.contains("Mobile"))
    {
        assert_eq!(rules.judge(agent), BotSignals::LISTED_NAME, "{agent}");
    }
    assert_eq!(rules.judge("CustomsOffice/1.0"), CRAWLER);
}

#[test]
fn browsers_that_call_themselves_compatible_belong_to_people() {
    for agent in [
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
        "Mozilla/5.0 (compatible; Konqueror/4.5; Linux) KHTML/4.5.5 (like Gecko)",
        "Mozilla/5.0 (compatible; Konqueror/3.5)",
        "Mozilla/4.5 (compatible; OmniWeb/4.2.1-v435.9; Mac_PowerPC)",
        "Mozilla/4.0 (compatible; Dillo 2.2)",
        "Mozilla/5.0 (compatible)",
    ] {
        assert!(!judge(agent).refuses(), "{:?} {agent}", judge(agent));
    }
}

#[test]
fn an_apps_own_client_is_only_a_signal() {
    for agent in [
        "Dalvik/2.1.0 (Linux; U; Android 14; SM-S911B Build/UP1A.231005.007)",
        "Dart/3.4 (dart:io)",
        "BioApp/12 CFNetwork/1496.0.7 Darwin/23.5.0",
    ] {
        let signals = judge(agent);
        assert!(
            signals.contains(BotSignals::APP_CLIENT) && !signals.refuses(),
            "{agent}"
        );
    }
}

#[test]
fn a_cdn_that_hides_the_agent_is_not_refused() {
    assert!(!judge("Amazon CloudFront").refuses());
}

#[test]
fn every_exception_is_a_pattern_of_the_list() {
    let (list, exceptions) = exceptions();
    let patterns: std::collections::HashSet<&str> = list
        .lines()
        .map(|line| line.split_once('\t').unwrap().1)
        .collect();
    assert_eq!(patterns.len(), list.lines().count());
    for exception in &exceptions {
        assert!(
            patterns.contains(exception),
            "{exception} is no longer on the list"
        );
    }
}

#[test]
fn prefetches_are_recognised_by_header() {
    let purpose = |sec_purpose, purpose, x_moz| {
        PurposeHeaders {
            sec_purpose,
            purpose,
            x_purpose: None,
            x_moz,
        }
        .signals()
    };
    for ahead in [
        purpose(Some("prefetch"), None, None),
        purpose(Some("prefetch;prerender"), None, None),
        purpose(Some(" Prefetch ; anonymous-client-ip"), None, None),
        purpose(None, Some("prefetch"), None),
        purpose(None, None, Some("prefetch")),
    ] {
        assert_eq!(ahead, BotSignals::PREFETCH);
        assert!(ahead.refuses());
    }
    assert_eq!(purpose(None, None, None), BotSignals::NONE);
    assert_eq!(
        purpose(Some(""), Some("navigate"), Some("prefetching")),
        BotSignals::NONE
    );
}

#[test]
fn reasons_have_names_and_keep_their_bits() {
    let both = BotSignals::CRAWLER.and(BotSignals::NO_AGENT);
    assert_eq!(both.names().collect::<Vec<_>>(), ["crawler", "no_agent"]);
    assert_eq!(both.bits(), 0x1_0001);
    assert_eq!(format!("{both:?}"), r#"{"crawler", "no_agent"}"#);
    assert!(!BotSignals::NONE.refuses());
    // The log stores these numbers.
    assert_eq!(BotSignals::SELF_DECLARED.bits(), 64);
    assert_eq!(BotSignals::APP_CLIENT.bits(), 0x8_0000);
}
