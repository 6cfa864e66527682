//! Rendered pages: the effect of hostile input, the policy for browsers, and what stays in memory.

use super::{html::document, page::PublicPage};
use crate::store::{links::BioLink, public::Page};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

const ORIGIN: &str = "https://links.example";

fn noon() -> Timestamp {
    "2027-03-05T12:00:00Z".parse().unwrap()
}

fn page() -> Page {
    Page {
        id: Uuid::from_u128(1),
        content_version: 1,
        username: "ada".to_owned(),
        display_name: "Ada".to_owned(),
        slug: "main".to_owned(),
        is_first: true,
        bio: "Bio".to_owned(),
        template_id: None,
        theme_override: None,
        custom_css: Some("p{}".to_owned()),
        embed_enabled: true,
        email_collection_enabled: false,
        consent: "banner".to_owned(),
    }
}

fn link(number: u128, title: &str, url: &str) -> BioLink {
    BioLink {
        id: Uuid::from_u128(number),
        title: title.to_owned(),
        url: url.to_owned(),
        icon: Some("🎧".to_owned()),
        sort_order: 0,
        active: true,
        is_social: false,
        platform: None,
        embed_type: None,
        embed_meta: None,
        scheduled_start: None,
        scheduled_end: None,
    }
}

fn video() -> BioLink {
    BioLink {
        embed_type: Some("YOUTUBE".to_owned()),
        embed_meta: Some(json!({"videoId": "dQw4w9WgXcQ"})),
        ..link(7, "Video", "https://youtu.be/dQw4w9WgXcQ")
    }
}

/// The page as HTML, and its policy.
fn render(page: Page, links: Vec<BioLink>) -> (String, String) {
    document(
        &PublicPage::new(page, links),
        noon(),
        "NONCE",
        "TOKEN",
        ORIGIN,
    )
    .unwrap()
}

fn html(page: Page, links: Vec<BioLink>) -> String {
    render(page, links).0
}

/// How often the characters that form markup occur.
fn markup(html: &str) -> [usize; 3] {
    ['<', '>', '"'].map(|c| html.matches(c).count())
}

/// The values of an attribute, as written.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    let ends = html.split(start.as_str()).skip(1);
    ends.filter_map(|rest| rest.split('"').next()).collect()
}

/// Text with a meaning in HTML, in scripts, in style sheets or in addresses.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "</style>",
        "</STYLE ",
        "</script>",
        "<script>",
        "<!--",
        "-->",
        "]]>",
        "\"",
        "'",
        "`",
        "&",
        "&lt;",
        "&#34;",
        "<img src=x onerror=alert(1)>",
        " onclick=",
        "javascript:",
        "\u{202e}",
        "\u{2028}",
        "{{",
        "}}",
        "{%",
        "\\",
        "/",
        ">",
        "<",
        "=",
        "\n",
        "a",
        " ",
        "é",
        "🎉",
    ]);
    prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
}

/// The page without the icons before its links, each of which is our own drawing or plain text.
fn without_icons(html: &str) -> String {
    let mut parts = html.split("<span class=\"icon\" aria-hidden=\"true\">");
    let mut rest = parts.next().unwrap().to_owned();
    for part in parts {
        let (icon, after) = part.split_once("</span>").unwrap();
        let drawing = icon.starts_with("<svg viewBox=\"0 0 24 24\"><path d=\"M")
            && icon.ends_with("\"/></svg>")
            && markup(icon) == [3, 3, 4];
        assert!(drawing || markup(icon) == [0, 0, 0], "{icon}");
        rest.push_str(after);
    }
    rest
}

proptest! {
    #[test]
    fn no_text_of_a_creator_becomes_markup(
        name in hostile(),
        bio in hostile(),
        title in hostile(),
        path in hostile(),
        icon in hostile(),
        is_social in any::<bool>(),
    ) {
        let render = |name: &str, bio: &str, title: &str, path: &str, icon: &str| {
            let page = Page { display_name: name.to_owned(), bio: format!("x{bio}"), ..page() };
            // Addresses with these characters are invalid, and their links are not shown.
            let path = path.replace(['<', '>', '\n', ' ', '\u{2028}'], "");
            let given = BioLink {
                is_social,
                icon: Some(icon.to_owned()),
                ..link(5, title, &format!("https://a.example/?{path}"))
            };
            without_icons(&html(page, vec![given, video()]))
        };
        let benign = render("", "", "", "", "");
        let given = render(&name, &bio, &title, &path, &icon);
        prop_assert_eq!(markup(&benign), markup(&given), "{}", given);
    }

    #[test]
    fn a_style_sheet_stays_in_its_element(css in hostile()) {
        let benign = html(page(), vec![video()]);
        let given = html(Page { custom_css: Some(format!("p{css}")), ..page() }, vec![video()]);
        let ends = |html: &str| html.matches("</").count();
        prop_assert_eq!(ends(&benign), ends(&given), "{}", given);
    }

    #[test]
    fn only_web_addresses_become_links(scheme in "[a-zA-Z]{0,12}:?/{0,2}", rest in hostile()) {
        let given = link(5, "t", &format!("{scheme}{rest}"));
        let html = html(page(), vec![given]);
        for address in values(&html, "href") {
            let web = address.to_lowercase();
            prop_assert!(web.starts_with("https://") || web.starts_with("http://") || address == "/favicon.svg", "{}", address);
        }
    }
}

#[test]
fn links_with_invalid_addresses_are_not_shown() {
    for url in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example",
        "/local",
    ] {
        let html = html(page(), vec![link(5, "Title of it", url)]);
        assert!(!html.contains("Title of it"), "{url}");
    }
}

#[test]
fn every_script_and_style_has_the_nonce() {
    let (html, policy) = render(page(), vec![link(5, "t", "https://a.example"), video()]);
    for element in ["script", "style"] {
        let all = html.matches(&format!("<{element}")).count();
        let with_nonce = html.matches(&format!("<{element} nonce=\"NONCE\"")).count();
        assert_eq!((all, with_nonce), (2, 2), "{element}");
    }
    for part in [
        "default-src 'none'",
        "style-src 'nonce-NONCE'",
        "script-src 'nonce-NONCE'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-src https://www.youtube-nocookie.com;",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    // No handler and no style outside the elements with the nonce, and nothing from other hosts.
    assert!(
        !html.contains(" style=") && !html.contains("<iframe"),
        "{html}"
    );
    for word in html.split_whitespace() {
        let handler = word.starts_with("on") && word.contains("=\"");
        assert!(!handler, "{word}");
    }
    for source in values(&html, "src") {
        assert!(source.starts_with("/footfall-"), "{source}");
    }
}

#[test]
fn the_page_decides_whether_other_sites_may_frame_it() {
    let policy = |embed_enabled| {
        render(
            Page {
                embed_enabled,
                ..page()
            },
            Vec::new(),
        )
        .1
    };
    assert!(policy(true).ends_with("frame-ancestors *"));
    assert!(policy(false).ends_with("frame-ancestors 'none'"));
    assert!(policy(true).contains("frame-src 'none';"));
}

#[test]
fn the_tracker_gets_page_token_and_consent() {
    let banner = html(page(), Vec::new());
    assert_eq!(
        values(&banner, "data-page"),
        [Uuid::from_u128(1).to_string()]
    );
    assert_eq!(values(&banner, "data-token"), ["TOKEN"]);
    // The script's value, and the answers of the banner.
    assert_eq!(values(&banner, "data-consent"), ["banner", "no", "yes"]);
    let assumed = Page {
        consent: "assumed".to_owned(),
        ..page()
    };
    let assumed = html(assumed, Vec::new());
    assert_eq!(values(&assumed, "data-consent"), ["granted"]);
    assert_eq!(assumed.matches("<script").count(), 1, "{assumed}");
    let strange = Page {
        consent: "whatever".to_owned(),
        ..page()
    };
    assert_eq!(
        values(&html(strange, Vec::new()), "data-consent")[0],
        "banner"
    );
}

#[test]
fn a_name_does_not_reverse_our_sentences() {
    let named = Page {
        display_name: "\u{202e}Ada Lovelace".to_owned(),
        bio: String::new(),
        ..page()
    };
    let html = html(
        named,
        vec![BioLink {
            is_social: true,
            ..link(5, "\u{202e}Me", "https://a.example")
        }],
    );
    for part in [
        "<p><bdi>\u{202e}Ada Lovelace</bdi> would like to know",
        "<h1 dir=\"auto\">\u{202e}Ada Lovelace</h1>",
        "<bdi>\u{202e}Me</bdi></a>",
        "<title>Ada Lovelace (@ada)</title>",
        "content=\"The links of Ada Lovelace\"",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
}

#[test]
fn a_link_shows_its_host_in_its_own_letters_unless_they_deceive() {
    let shown = |url: &str| {
        let html = html(page(), vec![link(5, "Shop", url)]);
        let (_, behind) = html.split_once("<bdi class=\"host\">").unwrap();
        behind.split('<').next().unwrap().to_owned()
    };
    assert_eq!(shown("https://b\u{fc}cher.example/"), "b\u{fc}cher.example");
    assert_eq!(
        shown("https://www.xn--bcher-kva.example/"),
        "b\u{fc}cher.example"
    );
    assert_eq!(shown("https://p\u{430}ypal.com/"), "xn--pypal-4ve.com");
}

#[test]
fn a_style_sheet_cannot_reach_the_question_for_consent() {
    let html = html(
        Page {
            custom_css: Some("body { color: red } } .consent { display: none }".to_owned()),
            ..page()
        },
        Vec::new(),
    );
    assert!(
        html.contains(
            "<style nonce=\"NONCE\">\n@scope (body) {\n:scope { color: red }\n}\n</style>"
        ),
        "{html}"
    );
    // The script puts the template's content beside the body.
    assert!(
        html.contains("<template id=\"consent\">\n<section class=\"consent\" popover=\"manual\""),
        "{html}"
    );
}

#[test]
fn a_page_has_one_address() {
    let address = |page: Page| {
        let html = html(page, Vec::new());
        values(&html, "href")[0].to_owned()
    };
    assert_eq!(address(page()), "https://links.example/@ada");
    let second = Page {
        is_first: false,
        slug: "second".to_owned(),
        ..page()
    };
    assert_eq!(address(second), "https://links.example/@ada/second");
}

#[test]
fn players_load_only_from_announced_hosts_and_never_from_a_creators_text() {
    let player = |kind: &str, meta: serde_json::Value, url: &str| {
        let link = BioLink {
            embed_type: Some(kind.to_owned()),
            embed_meta: (!meta.is_null()).then_some(meta),
            ..link(5, "t", url)
        };
        let html = html(page(), vec![link]);
        values(&html, "data-player")
            .first()
            .map(|address| (*address).replace("&#38;", "&"))
    };
    let null = serde_json::Value::Null;
    let content = |kind: &str, id: &str| json!({"contentType": kind, "contentId": id});
    for (kind, meta, url, address) in [
        (
            "YOUTUBE",
            json!({"videoId": "dQw4w9WgXcQ"}),
            "https://a.example",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1",
        ),
        (
            "YOUTUBE",
            null.clone(),
            "https://youtu.be/dQw4w9WgXcQ",
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1",
        ),
        (
            "SPOTIFY",
            content("album", "1a"),
            "https://a.example",
            "https://open.spotify.com/embed/album/1a",
        ),
        (
            "TIKTOK",
            json!({"videoId": "7212345678901234567"}),
            "https://a.example",
            "https://www.tiktok.com/player/v1/7212345678901234567?autoplay=1",
        ),
        (
            "SOUNDCLOUD",
            null.clone(),
            "https://soundcloud.com/ada/notes?x=1&y",
            "https://w.soundcloud.com/player/?url=https%3A%2F%2Fsoundcloud.com%2Fada%2Fnotes%3Fx%3D1%26y&auto_play=true",
        ),
        (
            "TWITCH",
            content("channel", "ada"),
            "https://a.example",
            "https://player.twitch.tv/?channel=ada&parent=links.example",
        ),
        (
            "TWITCH",
            content("clip", "Odd-Name_1"),
            "https://a.example",
            "https://clips.twitch.tv/embed?clip=Odd-Name_1&parent=links.example",
        ),
        (
            "APPLE_MUSIC",
            null.clone(),
            "https://music.apple.com/us/album/some-name/1440857781?i=1440857786&l=en",
            "https://embed.music.apple.com/us/album/some-name/1440857781?i=1440857786",
        ),
    ] {
        assert_eq!(
            player(kind, meta, url).as_deref(),
            Some(address),
            "{kind} {url}"
        );
    }
    for (kind, meta, url) in [
        (
            "CUSTOM",
            json!({"html": "<iframe src=x>"}),
            "https://a.example",
        ),
        (
            "YOUTUBE",
            json!({"videoId": "x?autoplay=1"}),
            "https://a.example",
        ),
        (
            "YOUTUBE",
            json!({"videoId": "../../evil"}),
            "https://a.example",
        ),
        ("YOUTUBE", json!({"videoId": 7}), "https://a.example"),
        ("YOUTUBE", null.clone(), "https://a.example"),
        ("SPOTIFY", content("user", "ada"), "https://a.example"),
        (
            "SOUNDCLOUD",
            json!({"url": "https://evil.example"}),
            "https://a.example",
        ),
        (
            "APPLE_MUSIC",
            content("song", "1"),
            "https://evil.example/us/album/x/1",
        ),
        (
            "TWITCH",
            content("channel", "a&parent=evil"),
            "https://a.example",
        ),
        ("UNHEARD", json!({}), "https://a.example"),
    ] {
        assert_eq!(player(kind, meta.clone(), url), None, "{kind} {meta}");
    }
}

#[test]
fn schedules_are_exact_to_the_microsecond_and_each_state_makes_one_body() {
    let at = |us: i64| noon().checked_add(SignedDuration::from_micros(us)).unwrap();
    let scheduled = BioLink {
        scheduled_start: Some(at(0).to_sqlx()),
        scheduled_end: Some(at(10).to_sqlx()),
        ..link(5, "Soon", "https://a.example")
    };
    let inactive = BioLink {
        active: false,
        ..link(6, "Hidden", "https://b.example")
    };
    let page = PublicPage::new(
        page(),
        vec![scheduled, inactive, link(7, "Always", "https://c.example")],
    );
    let mut bodies = Vec::new();
    for (us, shown) in [(-1, false), (0, true), (10, true), (11, false), (5, true)] {
        let body = page.body(at(us), ORIGIN).unwrap();
        assert_eq!(body.content.contains("Soon"), shown, "{us} us after");
        assert!(body.content.contains("Always") && !body.content.contains("Hidden"));
        assert_eq!(page.visible(at(us)).count(), if shown { 2 } else { 1 });
        bodies.push(body);
    }
    assert!(Arc::ptr_eq(&bodies[1], &bodies[2]), "made once");
    assert!(!Arc::ptr_eq(&bodies[0], &bodies[1]));
}
