//! Tests the classes of visits by referrer, campaign parameters and app.

use super::{Agents, Claims, arrival::class, referrer, utm};
use proptest::prelude::*;
use schemas::SourceClass::{self, Ai, Direct, Email, Other, Search, Social};

const INSTAGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 Instagram 334.0.4.32.98 (iPhone15,3; iOS 17_5_1; en_US; en; scale=3.00; 1290x2796; 606391890)";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

/// The class of a visit with this referrer, query and agent.
fn came(referrer: &str, query: &str, agent: &str) -> SourceClass {
    let landing = utm::read(Some(&format!("https://bio.example/@ada{query}")));
    let agents = Agents::bundled().unwrap();
    let agent = agents.parse(Some(agent)).with_claims(&Claims::default());
    class(
        &referrer::read(Some(referrer)),
        &landing,
        agent.browser.as_deref(),
    )
}

#[test]
fn a_referrer_takes_precedence() {
    for (referrer, expected) in [
        ("https://www.google.com.tr/", Search),
        ("https://m.facebook.com/", Social),
        ("https://www.instagram.com./", Social),
        ("android-app://com.google.android.gm/", Email),
        ("https://eu.mail.yahoo.com/", Email),
        ("https://chatgpt.com/", Ai),
        ("https://linktr.ee/ada", Other),
        ("https://google.github.io/", Other),
        ("https://myaccount.google.com/", Other),
    ] {
        let class = came(referrer, "?utm_source=perplexity", INSTAGRAM);
        assert_eq!(class, expected, "{referrer}");
    }
}

#[test]
fn a_pages_own_host_is_not_a_source() {
    for referrer in [
        "https://bio.example/",
        "https://bio.example/@ada/second",
        "http://www.bio.example:8080/",
        "https://BIO.example./",
    ] {
        assert_eq!(
            came(referrer, "?utm_source=ig", INSTAGRAM),
            Direct,
            "{referrer}"
        );
        assert_ne!(referrer::read(Some(referrer)).domain, referrer::DIRECT);
    }
    assert_eq!(came("https://other.bio.example/", "", SAFARI), Other);
    assert_eq!(came("https://bio.example.com/", "", SAFARI), Other);
}

#[test]
fn without_a_referrer_the_campaign_decides() {
    for (source, expected) in [
        ("perplexity", Ai),
        ("chatgpt.com", Ai),
        ("https://chatgpt.com/", Ai),
        ("ig", Social),
        ("IG", Social),
        ("facebook", Social),
        ("instagram.com", Social),
        ("www.instagram.com.", Social),
        ("instagram_stories", Social),
        ("fb-ads", Social),
        ("Google", Search),
        ("google.com.tr", Search),
        ("mail.google.com", Email),
        ("mailchimp", Email),
        ("newsletter", Email),
        ("partner.example.com", Other),
        ("x", Social),
        ("x-mas", Direct),
        ("google-play-badge", Direct),
        ("google.github.io", Direct),
        ("n", Direct),
        ("spring", Direct),
        ("2.0", Direct),
        ("", Direct),
    ] {
        assert_eq!(
            came("", &format!("?utm_source={source}"), SAFARI),
            expected,
            "{source}"
        );
    }
    for (medium, expected) in [
        ("email", Email),
        ("Newsletter", Email),
        ("e-mail", Email),
        ("cpc", Other),
        ("ppc", Other),
        ("paid", Other),
        ("paid-media", Other),
        ("paid_social", Social),
        ("social media", Social),
        ("paidsearch", Search),
        ("qr", Direct),
        ("", Direct),
    ] {
        let class = came(
            "",
            &format!("?utm_source=spring&utm_medium={medium}"),
            SAFARI,
        );
        assert_eq!(class, expected, "{medium}");
    }
    // A known source takes precedence over the medium, and the medium over an unknown host.
    assert_eq!(came("", "?utm_source=ig&utm_medium=cpc", SAFARI), Social);
    assert_eq!(
        came("", "?utm_source=shop.example.com&utm_medium=email", SAFARI),
        Email
    );
}

#[test]
fn without_either_the_app_decides() {
    assert_eq!(came("", "", INSTAGRAM), Social);
    assert_eq!(came("", "?utm_source=spring", INSTAGRAM), Social);
    assert_eq!(came("", "?utm_medium=email", INSTAGRAM), Email);
    assert_eq!(came("", "", SAFARI), Direct);
    for (social, agent) in [
        (
            true,
            "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/467.1.0.52.83;]",
        ),
        (
            true,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/MessengerForiOS;FBAV/458.0.0.42.108;FBDV/iPhone13,2;FBMD/iPhone;FBSN/iOS;FBSV/17.5]",
        ),
        (
            true,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 musical_ly_34.1.0 JsSdk/2.0 BytedanceWebview/d8a21c6",
        ),
        (
            true,
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1 Twitter for iPhone/10.44",
        ),
        (
            true,
            "Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/123.0.6312.118 Mobile Safari/537.36 Telegram-Android/11.0 (Google Pixel 8; Android 14; SDK 34; HIGH)",
        ),
        (
            true,
            "Mozilla/5.0 (Linux; Android 14; SM-A546E Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 WhatsApp/2.24.12.78",
        ),
        (true, "[FBAN/FB4A;FBAV/500.0;FBDV/SM-S921B;FBSV/16;FBOP/1]"),
        (
            false,
            "Mozilla/5.0 (Linux; Android 9; X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36",
        ),
    ] {
        let expected = if social { Social } else { Direct };
        assert_eq!(came("", "", agent), expected, "{agent}");
    }
}

proptest! {
    #[test]
    fn any_campaign_has_a_class(source in "\\PC{0,40}", medium in "\\PC{0,20}", browser in "\\PC{0,20}") {
        let mut landing = utm::Landing::default();
        landing.utm.source = Some(source);
        landing.utm.medium = Some(medium);
        let _ = class(&referrer::read(None), &landing, Some(&browser));
    }
}

#[test]
fn every_name_of_an_app_has_its_class() {
    let webview = "Mozilla/5.0 (Linux; Android 13; SM-A536B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36";
    for app in [
        "Snapchat/12.84.0 (SM-A536B; Android 13; gzip)",
        "LinkedInApp",
        "[LinkedInApp]/4.1.900",
        "FBAN/FB4A;FBAV/500.0",
        "[FB_IAB/Orca-Android;FBAV/500.0;]",
        "MetaIAB Messenger",
        "Twitter for Android/10.44",
    ] {
        assert_eq!(came("", "", &format!("{webview} {app}")), Social, "{app}");
    }
    assert_eq!(came("", "", webview), Direct);
}
